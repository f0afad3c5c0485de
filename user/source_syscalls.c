// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bpf/syscalls.bpf.c: syscalls and context switches of the whole host.
 * Out:  a lane for each CPU.
 * Owns: the programs, their links, the rings.
 * Runs on: the thread of the handle.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bpf_load.h"
#include "clock.h"
#include "rings.h"
#include "source.h"
#include "syscall_table.h"
#include "syscalls.skel.h"

#define MAX_PROGS 16

#define DATA_DEFAULT 80		/* bytes of data that are read of a call */
#define ROOM_MIN 32768		/* bytes for what six arguments refer to, beside data */
#define ROOM_LARGE 131072	/* with more data than fits there */

struct syscalls {
	struct syscalls_bpf *skel;	/* NULL: another process has it */
	struct syscalls_bpf__bss *bss;	/* shared with the programs */
	struct rings rings;
	int who_link;			/* of the iterator that tells who reads it */
	int progs[MAX_PROGS];		/* all of them, for their counts */
	int nr_progs;
	bool switches, self;
	bool live;			/* programs may be running */
};

/* ---- options ---- */

static int want(struct syscalls_cfg *cfg, const char *name, bool *switches, struct error *err)
{
	bool known = false;

	if (!strcmp(name, "switch")) {
		*switches = true;
		return 0;
	}
	for (int compat = 0; compat < 2; compat++) {
		int nr = xcap_syscall_nr(name, compat);

		if (nr < 0 || nr >= XCAP_NR_SYSCALLS)
			continue;
		cfg->wanted[compat][nr / 64] |= 1ULL << nr % 64;
		known = true;
	}
	if (!known)
		return error_set(err, -EINVAL, "'%s' is no system call; only= takes names such as "
				 "connect,accept4", name);
	return 0;
}

static int parse_only(const char *list, struct syscalls_cfg *cfg, bool *switches,
		      struct error *err)
{
	char text[1024], *save, *name;
	int ret = 0;

	cfg->only = 1;
	*switches = false;
	strncpy(text, list, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	if (!*text)
		return error_set(err, -EINVAL, "only= names no system call; leave it out for all");
	for (name = strtok_r(text, ",", &save); name && !ret; name = strtok_r(NULL, ",", &save))
		ret = want(cfg, name, switches, err);
	return ret;
}

static int parse_without(const char *list, struct syscalls_cfg *cfg, struct error *err)
{
	const char *p = list;
	char *end;

	for (;; p = end + 1) {
		unsigned long pid = strtoul(p, &end, 10);

		if (*p < '0' || *p > '9' || !pid || pid > INT_MAX || (*end && *end != ','))
			return error_set(err, -EINVAL, "without=%.40s is no list of processes; "
					 "it takes numbers such as 1234,1235", list);
		if (cfg->nr_without == XCAP_MAX_WITHOUT)
			return error_set(err, -EINVAL, "without= takes %d processes at most",
					 XCAP_MAX_WITHOUT);
		cfg->without[cfg->nr_without++] = pid;
		if (!*end)
			return 0;
	}
}

static int parse_args(const struct spec *spec, struct syscalls_cfg *cfg, struct error *err)
{
	uint64_t data = DATA_DEFAULT;
	bool args = true;
	int ret = spec_bool(spec, "args", &args, err);

	ret = ret ?: spec_number(spec, "data", 0, XCAP_DATA_MAX, &data, err);
	cfg->args = args;
	cfg->data = data;
	cfg->room = data <= XCAP_BYTES ? ROOM_MIN : ROOM_LARGE;
	return ret;
}

/* A record that is larger than the ring would be lost each time. */
static int check_fits(const struct syscalls_cfg *cfg, uint64_t ring_bytes, struct error *err)
{
	if (!cfg->args || cfg->data <= DATA_DEFAULT || cfg->data <= ring_bytes / 4)
		return 0;
	return error_set(err, -EINVAL, "data=%u is too much for a ring of %llu KiB; try less data, "
			 "or ring=1M", cfg->data, (unsigned long long)ring_bytes / 1024);
}

/* ---- open ---- */

/* Who are we, in the initial pid namespace? The iterator tells who reads it. */
static int ask_who(struct syscalls *p, int *tgid)
{
	int fd = bpf_iter_create(p->who_link);
	int ret = fd;
	char none;

	if (fd < 0)
		return ret;
	ret = read(fd, &none, sizeof(none)) < 0 ? -errno : 0;
	close(fd);
	if (!ret)
		*tgid = p->bss->whoami;
	return ret;
}

/* Runs in the process that will read. */
static int leave_out_reader(struct syscalls *p, struct error *err)
{
	int ret = p->self ? 0 : ask_who(p, &p->bss->self_tgid);

	return ret ? error_set(err, ret, "cannot find this process among the tasks of this host: "
			       "%s; ?self=on does without", strerror(-ret)) : 0;
}

/*
 * Programs look for the slot first, and what they began with they finish with. So it is written
 * while nobody reads it, and who returns from here knows that nobody reads the other.
 */
static void source_syscalls_want(struct source *s, const struct xcap_wanted *w)
{
	struct syscalls *p = s->priv;
	__u32 slot = p->bss->wanted_slot == 1 ? 2 : 1;

	if (w)
		p->bss->wanted_slots[slot - 1] = *w;
	__atomic_store_n(&p->bss->wanted_slot, w ? slot : 0, __ATOMIC_RELEASE);
	if (p->live)
		bpf_load_await_running();
}

/* From here on there are records. */
static int source_syscalls_start(struct source *s)
{
	struct syscalls *p = s->priv;
	struct syscalls_bpf *k = p->skel;

	p->live = true;
	return (p->switches ?
		bpf_load_attach(k->progs.sched_switch, &k->links.sched_switch, s->err) : 0) ?:
	       bpf_load_attach(k->progs.sys_exit, &k->links.sys_exit, s->err) ?:
	       bpf_load_attach(k->progs.sys_enter, &k->links.sys_enter, s->err);
}

static void note_programs(struct syscalls *p)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->skel->obj)
		if (p->nr_progs < MAX_PROGS)
			p->progs[p->nr_progs++] = bpf_program__fd(prog);
}

/* What is read of each call. */
static int tell_plans(struct bpf_map *plans)
{
	int ret = 0;

	for (__u32 key = 0; key < bpf_map__max_entries(plans) && !ret; key++) {
		struct xcap_plan plan;

		syscall_table_plan(key % XCAP_NR_SYSCALLS, key / XCAP_NR_SYSCALLS, &plan);
		if (plan.nr_enter || plan.nr_exit)
			ret = bpf_map_update_elem(bpf_map__fd(plans), &key, &plan, BPF_ANY);
	}
	return ret;
}

/* A CPU's room holds the items of one call; what is bounded to half of it is read to any place. */
static int size_rooms(struct bpf_map *rooms, const struct syscalls_cfg *cfg)
{
	int nr = libbpf_num_possible_cpus();
	int ret = nr < 0 ? nr : bpf_map__set_max_entries(rooms, nr);

	return ret ?: bpf_map__set_value_size(rooms, bpf_map__value_size(rooms) +
					      (cfg->args ? 2 * cfg->room : 0));
}

/* The maps of who is followed are those that the hidden source's programs keep. */
static int share_tree(struct syscalls *p, const struct source_conf *conf)
{
	int ret;

	if (!conf->nr_trees)
		return 0;
	((struct syscalls_cfg *)&p->skel->rodata->cfg)->tree = 1;
	ret = bpf_map__reuse_fd(p->skel->maps.tree, conf->tree_fd);
	return ret ?: bpf_map__reuse_fd(p->skel->maps.tree_all, conf->tree_all_fd);
}

static int load(struct syscalls *p, struct source *s, const struct syscalls_cfg *cfg,
		uint32_t ring_bytes)
{
	int ret;

	bpf_load_quiet();
	p->skel = syscalls_bpf__open();
	if (!p->skel)
		return bpf_load_failed(-errno, "syscalls", s->err);
	memcpy((void *)&p->skel->rodata->cfg, cfg, sizeof(*cfg));
	ret = share_tree(p, s->conf);
	ret = ret ?: rings_prepare(p->skel->maps.events, p->skel->maps.cpus);
	ret = ret ?: size_rooms(p->skel->maps.rooms, cfg);
	ret = ret ?: syscalls_bpf__load(p->skel);
	if (!ret && cfg->args)
		ret = tell_plans(p->skel->maps.plans);
	if (ret)
		return bpf_load_failed(ret, "syscalls", s->err);
	p->bss = p->skel->bss;
	note_programs(p);
	if (s->conf->wanted)
		source_syscalls_want(s, s->conf->wanted);
	return rings_open(&p->rings, p->skel->maps.events, p->skel->maps.cpus,
			  &p->bss->ctl, ring_bytes, s->err);
}

static struct syscalls *syscalls_new(struct source *s)
{
	struct syscalls *p = calloc(1, sizeof(*p));

	if (p)
		p->who_link = -1;
	s->priv = p;
	return p;
}

static void source_syscalls_close(struct source *s);

static int source_syscalls_open(struct source *s, const struct spec *spec)
{
	uint64_t ring_bytes = s->conf->ring_bytes;
	struct syscalls *p = syscalls_new(s);
	struct syscalls_cfg cfg = { 0 };
	const char *only = spec_option(spec, "only");
	const char *without = spec_option(spec, "without");
	int ret;

	if (!p)
		return -ENOMEM;
	p->switches = true;
	p->self = s->conf->self;
	ret = only ? parse_only(only, &cfg, &p->switches, s->err) : 0;
	ret = ret ?: (without ? parse_without(without, &cfg, s->err) : 0);
	ret = ret ?: spec_bool(spec, "switches", &p->switches, s->err);
	ret = ret ?: spec_bool(spec, "self", &p->self, s->err);
	ret = ret ?: parse_args(spec, &cfg, s->err);
	ret = ret ?: rings_size_option(spec, &ring_bytes, s->err);
	ret = ret ?: check_fits(&cfg, ring_bytes, s->err);
	cfg.hold_cpu = bpf_load_kernel()->preempts;
	cfg.casts = bpf_load_kernel()->casts;
	ret = ret ?: load(p, s, &cfg, ring_bytes);
	ret = ret ?: bpf_load_attach(p->skel->progs.who_reads, &p->skel->links.who_reads, s->err);
	if (!ret)
		p->who_link = bpf_link__fd(p->skel->links.who_reads);
	/* the reader does the one, then asks for the other */
	if (!ret && s->conf->given)
		ret = ask_who(p, &p->bss->opener_tgid);
	else if (!ret)
		ret = leave_out_reader(p, s->err) ?: source_syscalls_start(s);
	if (ret) {
		source_syscalls_close(s);
		return ret;
	}
	s->nr_lanes = p->rings.nr + 1;
	snprintf(s->mode, sizeof(s->mode), "syscalls");
	snprintf(s->note, sizeof(s->note), "%s%s, %llu KiB a CPU%s%s%s",
		 only ? "the calls named by only=" : "every system call",
		 p->switches ? " and context switch" : "", (unsigned long long)ring_bytes / 1024,
		 p->self ? "" : "; this process is left out",
		 without ? p->self ? "; left out: " : ", and so are " : "", without ?: "");
	return 0;
}

/* ---- the contract ---- */

static void count_losses(struct syscalls *p)
{
	uint64_t misses = 0;

	for (int i = 0; i < p->nr_progs; i++)
		misses += bpf_load_misses(p->progs[i]);
	p->rings.lost[XCAP_DROP_RECURSION] = misses;
}

static int source_syscalls_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct syscalls *p = s->priv;

	if (lane == p->rings.nr && rings_look(&p->rings))
		count_losses(p);
	return rings_peek(&p->rings, s, lane, recs, max);
}

static void source_syscalls_release(struct source *s, int lane, int n)
{
	rings_release(&((struct syscalls *)s->priv)->rings, lane, n);
}

static int64_t source_syscalls_watermark(struct source *s, int lane)
{
	return rings_watermark(&((struct syscalls *)s->priv)->rings, lane);
}

static int source_syscalls_arm(struct source *s, int epoll_fd)
{
	return rings_arm(&((struct syscalls *)s->priv)->rings, epoll_fd);
}

static int source_syscalls_sleep(struct source *s, bool on)
{
	return rings_sleep(&((struct syscalls *)s->priv)->rings, on);
}

static void source_syscalls_stop(struct source *s)
{
	struct syscalls *p = s->priv;

	if (p->skel)
		syscalls_bpf__detach(p->skel);
	rings_stop(&p->rings);
}

static void source_syscalls_stats(struct source *s, struct source_stats *st)
{
	struct syscalls *p = s->priv;

	rings_stats(&p->rings, st);
}

static void source_syscalls_close(struct source *s)
{
	struct syscalls *p = s->priv;

	if (!p)
		return;
	if (p->skel)
		syscalls_bpf__detach(p->skel);
	rings_close(&p->rings);
	if (!p->skel) {
		for (int i = 0; i < p->nr_progs; i++)
			close(p->progs[i]);
		if (p->who_link >= 0)
			close(p->who_link);
	}
	syscalls_bpf__destroy(p->skel);
	free(p);
	s->priv = NULL;
}

/* ---- opened in one process, read in another ---- */

static int source_syscalls_give(struct source *s, struct parcel *p)
{
	struct syscalls *c = s->priv;

	rings_give(&c->rings, c->skel->maps.cpus, c->skel->maps.bss,
		   offsetof(struct syscalls_bpf__bss, ctl), p);
	parcel_put(p, &c->self, sizeof(c->self));
	parcel_put_fd(p, c->who_link);
	parcel_put(p, &c->nr_progs, sizeof(c->nr_progs));
	for (int i = 0; i < c->nr_progs; i++)
		parcel_put_fd(p, c->progs[i]);
	return p->broken;
}

static int source_syscalls_take(struct source *s, struct parcel *p)
{
	struct syscalls *c = syscalls_new(s);
	int ret, nr;

	if (!c)
		return -ENOMEM;
	ret = rings_take(&c->rings, p);
	if (!ret) {
		parcel_take(p, &c->self, sizeof(c->self));
		c->who_link = parcel_take_fd(p);
		parcel_take(p, &nr, sizeof(nr));
		while (c->nr_progs < nr && c->nr_progs < MAX_PROGS && !p->broken)
			c->progs[c->nr_progs++] = parcel_take_fd(p);
		ret = p->broken;
	}
	/* the struct may end in padding, the map does not */
	if (!ret && (c->rings.bss_size + 7) / 8 * 8 < sizeof(*c->bss))
		ret = -EBADMSG;
	c->bss = c->rings.bss;
	c->live = true;			/* as far as we know */
	ret = ret ?: leave_out_reader(c, s->err);
	if (ret)
		source_syscalls_close(s);
	s->nr_lanes = ret ? 0 : c->rings.nr + 1;
	return ret;
}

static int source_syscalls_adopt(struct source *s)
{
	struct syscalls *p = s->priv;

	return p->self || p->rings.stopped ? 0 : ask_who(p, &p->bss->self_tgid);
}

static const char *const options[] = {
	"only", "switches", "self", "without", "ring", "args", "data", NULL
};

const struct source_ops source_syscalls_ops = {
	.scheme = "syscalls",
	.help = "system calls and context switches of the whole host",
	.options = options,
	.nameless = true,
	.no_packets = true,
	.events = true,
	.privileged = true,
	.wants = SOURCE_WANTS_TASKS,
	.open = source_syscalls_open,
	.peek = source_syscalls_peek,
	.release = source_syscalls_release,
	.watermark = source_syscalls_watermark,
	.arm = source_syscalls_arm,
	.sleep = source_syscalls_sleep,
	.stop = source_syscalls_stop,
	.stats = source_syscalls_stats,
	.close = source_syscalls_close,
	.give = source_syscalls_give,
	.take = source_syscalls_take,
	.start = source_syscalls_start,
	.want = source_syscalls_want,
	.adopt = source_syscalls_adopt,
};
