// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bpf/probe_*.bpf.c, one object a probe.
 * Out:  its records: a lane for each CPU, one for losses, one for what does not come by a ring.
 * Owns: the object, its links, the rings.
 * Runs on: the thread of the handle.
 *
 * Nothing here knows a probe: an object has programs, all of which are attached; or an iterator
 * called "once", which is read; and it may have a table called "totals". Rows of the other kind
 * become the source "syscalls".
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "bpf_load.h"
#include "clock.h"
#include "probe_rows.h"
#include "probe_setup.h"
#include "probe_table.h"
#include "rings.h"

#define MAX_PROGS 16
#define TOTALS_NS NS_PER_SEC	/* how often totals are told */
#define FILLING_NS (NS_PER_SEC / 4)	/* the same, while their table fills up */

struct probe {
	const struct probe_row *row;
	struct bpf_object *obj;		/* NULL: another process has it */
	struct rings rings;
	struct probe_rows rows;
	uint64_t *table_full;		/* shared with the programs */
	struct bpf_link *links[MAX_PROGS];
	int progs[MAX_PROGS];		/* for their counts */
	int nr_progs;
	int timer_fd;			/* wakes who waits for totals; -1: none */
	bool stopped;
};

static const struct probe_row *row_of(const struct spec *spec)
{
	return probe_row_by_name(spec->name);
}

static int source_probe_check(const struct spec *spec, struct error *err)
{
	const char *comm = spec_option(spec, "comm");
	uint64_t ring_bytes = 4096;

	if (!row_of(spec))
		return error_set(err, -EINVAL, "there is no probe '%s'; xcap probe --list names "
				 "them", spec->name);
	if (comm && (row_of(spec)->kind != XCAP_PROBE_TOTALS || row_of(spec)->whose == OF_NOBODY))
		return error_set(err, -EINVAL, "the probe %s takes no comm=; a filter does it: "
				 "proc.name=%s", spec->name, comm);
	if (comm && (!*comm || strlen(comm) > 15))
		return error_set(err, -EINVAL, "comm=%s is no name of a process, which has 15 "
				 "bytes at most", comm);
	return rings_size_option(spec, &ring_bytes, err);
}

static uint32_t source_probe_wants_of(const struct spec *spec)
{
	const struct probe_row *row = row_of(spec);

	return row && row->whose == OF_SOCKET ? SOURCE_WANTS_TASKS | SOURCE_WANTS_SOCKETS :
				     SOURCE_WANTS_TASKS;
}

/* ---- open ---- */

/* Where a variable of the object lies in its section. Return: NULL: it has none. */
static void *variable(struct bpf_object *obj, const char *section, const char *name)
{
	const struct btf *btf = bpf_object__btf(obj);
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	const struct btf_type *sec = id > 0 ? btf__type_by_id(btf, id) : NULL;
	struct bpf_map *map;
	char *base = NULL;
	size_t size;

	bpf_object__for_each_map(map, obj) {
		const char *of = strchr(bpf_map__name(map), '.');

		if (of && !strcmp(of, section))
			base = (char *)bpf_map__initial_value(map, &size);
	}
	for (int i = 0; sec && base && i < btf_vlen(sec); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(sec) + i;
		const struct btf_type *var = btf__type_by_id(btf, v->type);

		if (!strcmp(btf__name_by_offset(btf, var->name_off), name))
			return v->offset < size ? base + v->offset : NULL;
	}
	return NULL;
}

static struct bpf_map *map_of(struct probe *p, const char *name)
{
	return bpf_object__find_map_by_name(p->obj, name);
}

/* What the programs have as variables, in our memory: older libbpf does that for skeletons only. */
static int map_variables(struct bpf_object *obj)
{
	struct bpf_map *map;
	size_t size;

	bpf_object__for_each_map(map, obj) {
		void *at = (void *)bpf_map__initial_value(map, &size);

		if (at && strstr(bpf_map__name(map), ".bss") &&
		    mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 bpf_map__fd(map), 0) == MAP_FAILED)
			return -errno;
	}
	return 0;
}

/*
 * Totals of others need no rows: who is followed stands in maps of the hidden source's, the name in
 * the option. The filter judges all the same; here it saves room.
 */
static int narrow(struct probe *p, const struct source *s, const struct spec *spec,
		  struct probe_cfg *cfg)
{
	const char *comm = spec_option(spec, "comm");
	struct bpf_map *tree = map_of(p, "tree"), *all = map_of(p, "tree_all");

	if (comm) {
		cfg->by_comm = 1;
		strncpy((char *)cfg->comm, comm, sizeof(cfg->comm) - 1);
	}
	if (!tree || !s->conf->nr_trees)
		return 0;
	cfg->tree = 1;
	return bpf_map__reuse_fd(tree, s->conf->tree_fd) ?:
	       bpf_map__reuse_fd(all, s->conf->tree_all_fd);
}

/* Programs for tracepoints that this kernel does not have are left out. */
static int load(struct source *s, struct probe *p, const struct spec *spec, struct error *err)
{
	struct probe_cfg *cfg;
	size_t size;
	const void *elf = p->row->elf(&size);
	int ret;

	bpf_load_quiet();
	p->obj = bpf_object__open_mem(elf, size, NULL);
	if (!p->obj)
		return bpf_load_failed(-errno, p->row->name, err);
	cfg = variable(p->obj, ".rodata", "cfg");
	cfg->probe = p->row->id;
	cfg->hold_cpu = bpf_load_kernel()->preempts;
	cfg->casts = bpf_load_kernel()->casts;
	cfg->dynptrs = bpf_load_kernel()->dynptrs;
	ret = narrow(p, s, spec, cfg);
	ret = ret ?: rings_prepare(map_of(p, "events"), map_of(p, "cpus"));
	ret = ret ?: probe_setup_before(p->obj, p->row->id);
	ret = ret ?: bpf_object__load(p->obj);
	ret = ret ?: map_variables(p->obj);
	ret = ret ?: probe_setup_after(p->obj, p->row->id);
	return ret ? bpf_load_failed(ret, p->row->name, err) : 0;
}

static int attach(struct probe *p, struct error *err)
{
	struct bpf_program *prog;
	int ret = 0;

	bpf_object__for_each_program(prog, p->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		ret = ret ?: bpf_load_attach(prog, &p->links[p->nr_progs], err);
		if (!ret)
			p->progs[p->nr_progs++] = bpf_program__fd(prog);
	}
	return ret;
}

static int open_rows(struct probe *p, struct error *err)
{
	struct itimerspec every = {
		.it_interval = { .tv_nsec = FILLING_NS }, .it_value = { .tv_nsec = FILLING_NS },
	};
	int ret = 0;

	if (p->row->kind == XCAP_PROBE_ONCE) {
		ret = probe_rows_once(&p->rows, bpf_link__fd(p->links[0]));
	} else if (p->row->kind == XCAP_PROBE_TOTALS) {
		struct bpf_map *totals = map_of(p, "totals");

		p->rows.totals_fd = bpf_map__fd(totals);
		p->rows.value_size = bpf_map__value_size(totals);
		p->rows.max_entries = bpf_map__max_entries(totals);
		p->rows.read_ns = clock_mono_ns();
		p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (p->timer_fd < 0 || timerfd_settime(p->timer_fd, 0, &every, NULL))
			ret = -errno;
	} else {
		p->rows.ended = true;
	}
	return ret ? error_set(err, ret, "cannot read what the probe %s found: %s", p->row->name,
			       strerror(-ret)) : 0;
}

static struct probe *probe_new(struct source *s)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p)
		p->timer_fd = p->rows.totals_fd = -1;
	s->priv = p;
	return p;
}

static void source_probe_close(struct source *s);

/* The system calls that a row names, with the options given here. */
static int become_syscalls(struct source *s, const struct spec *spec, const char *text)
{
	struct spec *calls = malloc(sizeof(*calls));
	int ret = calls ? spec_next(&text, calls, s->err) : -ENOMEM;

	for (int i = 0; ret > 0 && i < spec->nr_options; i++)
		calls->options[calls->nr_options++] = spec->options[i];
	if (ret > 0) {
		s->ops = &source_syscalls_ops;
		ret = s->ops->open(s, calls);
	}
	free(calls);
	return ret;
}

static int open_programs(struct source *s, struct probe *p, const struct spec *spec,
			 uint64_t ring_bytes)
{
	int ret = load(s, p, spec, s->err);

	ret = ret ?: rings_open(&p->rings, map_of(p, "events"), map_of(p, "cpus"),
				variable(p->obj, ".bss", "ctl"), ring_bytes, s->err);
	if (ret)
		return ret;
	p->table_full = variable(p->obj, ".bss", "table_full");
	ret = s->conf->given ? 0 : attach(p, s->err);
	return ret ?: open_rows(p, s->err);
}

static int source_probe_open(struct source *s, const struct spec *spec)
{
	const struct probe_row *row = row_of(spec);
	uint64_t ring_bytes = s->conf->ring_bytes;
	struct probe *p;
	int ret;

	if (row->kind == XCAP_PROBE_CALLS)
		return become_syscalls(s, spec, row->spec);
	if (s->conf->given && row->kind != XCAP_PROBE_EVENTS)
		return error_set(s->err, -EOPNOTSUPP, "what the probe %s tells cannot be read by a "
				 "program without privilege; use xcap probe %s", row->name,
				 row->name);
	p = probe_new(s);
	if (!p)
		return -ENOMEM;
	p->row = row;
	ret = rings_size_option(spec, &ring_bytes, s->err);
	if (row->kind != XCAP_PROBE_EVENTS)
		ring_bytes = sysconf(_SC_PAGESIZE);	/* nothing comes that way */
	ret = ret ?: open_programs(s, p, spec, ring_bytes);
	if (ret) {
		source_probe_close(s);
		return ret;
	}
	s->nr_lanes = p->rings.nr + 2;
	snprintf(s->mode, sizeof(s->mode), "probe");
	snprintf(s->note, sizeof(s->note), "%s; %s", row->answers, row->costs);
	return 0;
}

static int source_probe_start(struct source *s)
{
	return attach(s->priv, s->err);
}

/* ---- the contract ---- */

static void count_losses(struct probe *p)
{
	uint64_t misses = 0;

	for (int i = 0; i < p->nr_progs; i++)
		misses += bpf_load_misses(p->progs[i]);
	p->rings.lost[XDROP_RECURSION] = misses;
	if (p->table_full)
		p->rings.lost[XDROP_TABLE_FULL] = __atomic_load_n(p->table_full, __ATOMIC_RELAXED);
}

/* Rows that have been told make room for others, where whose they are has ended. */
static bool is_due(const struct probe *p)
{
	bool filling = p->rows.nr_rows > p->rows.max_entries / 8;

	return p->stopped ||
	       clock_mono_ns() - p->rows.read_ns >= (filling ? FILLING_NS : TOTALS_NS);
}

static int peek_rows(struct source *s, struct probe *p, struct xcap_record *recs, int max)
{
	int ret = 0;

	if (!p->rows.ended && is_due(p))
		ret = probe_rows_totals(&p->rows, p->stopped);
	if (ret)
		return error_set(s->err, ret, "cannot read the totals of the probe %s: %s",
				 p->row->name, strerror(-ret));
	return probe_rows_peek(&p->rows, s, recs, max);
}

static int source_probe_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct probe *p = s->priv;

	if (lane > p->rings.nr)
		return peek_rows(s, p, recs, max);
	if (p->row->kind == XCAP_PROBE_ONCE)
		return -ENODATA;
	if (lane == p->rings.nr && rings_look(&p->rings))
		count_losses(p);
	return rings_peek(&p->rings, s, lane, recs, max);
}

static void source_probe_release(struct source *s, int lane, int n)
{
	struct probe *p = s->priv;

	if (lane > p->rings.nr)
		probe_rows_release(&p->rows, n);
	else
		rings_release(&p->rings, lane, n);
}

static int64_t source_probe_watermark(struct source *s, int lane)
{
	struct probe *p = s->priv;

	if (lane > p->rings.nr)
		return probe_rows_watermark(&p->rows);
	return p->row->kind == XCAP_PROBE_ONCE ? INT64_MAX : rings_watermark(&p->rings, lane);
}

static int source_probe_arm(struct source *s, int epoll_fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct probe *p = s->priv;
	int ret = rings_arm(&p->rings, epoll_fd);

	/* each tick is an edge, so nobody has to read it */
	if (!ret && p->timer_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->timer_fd, &ev))
		ret = -errno;
	return ret;
}

static int source_probe_sleep(struct source *s, bool on)
{
	return rings_sleep(&((struct probe *)s->priv)->rings, on);
}

static void detach(struct probe *p)
{
	for (int i = 0; i < p->nr_progs; i++) {
		bpf_link__destroy(p->links[i]);
		p->links[i] = NULL;
	}
}

static void source_probe_stop(struct source *s)
{
	struct probe *p = s->priv;

	detach(p);
	rings_stop(&p->rings);
	p->stopped = true;
}

static void source_probe_stats(struct source *s, struct source_stats *st)
{
	struct probe *p = s->priv;

	rings_stats(&p->rings, st);
	st->seen += p->rows.nr_made;
}

static void source_probe_close(struct source *s)
{
	struct probe *p = s->priv;

	if (!p)
		return;
	detach(p);
	rings_close(&p->rings);
	probe_rows_close(&p->rows);
	if (p->timer_fd >= 0)
		close(p->timer_fd);
	if (!p->obj)
		for (int i = 0; i < p->nr_progs; i++)
			close(p->progs[i]);
	bpf_object__close(p->obj);
	free(p);
	s->priv = NULL;
}

/* ---- opened in one process, read in another ---- */

static int source_probe_give(struct source *s, struct parcel *parcel)
{
	struct probe *p = s->priv;
	struct bpf_program *prog;
	struct bpf_map *map, *bss = NULL;
	size_t size;
	uint32_t id = p->row->id;
	int nr = 0;

	bpf_object__for_each_map(map, p->obj)
		if (strstr(bpf_map__name(map), ".bss"))
			bss = map;
	rings_give(&p->rings, map_of(p, "cpus"), bss,
		   (char *)p->rings.ctl - (char *)bpf_map__initial_value(bss, &size), parcel);
	parcel_put(parcel, &id, sizeof(id));
	bpf_object__for_each_program(prog, p->obj)
		nr += bpf_program__autoload(prog);
	parcel_put(parcel, &nr, sizeof(nr));
	bpf_object__for_each_program(prog, p->obj)
		if (bpf_program__autoload(prog))
			parcel_put_fd(parcel, bpf_program__fd(prog));
	return parcel->broken;
}

static int source_probe_take(struct source *s, struct parcel *parcel)
{
	struct probe *p = probe_new(s);
	int ret, nr = 0;
	uint32_t id;

	if (!p)
		return -ENOMEM;
	ret = rings_take(&p->rings, parcel);
	if (!ret) {
		parcel_take(parcel, &id, sizeof(id));
		parcel_take(parcel, &nr, sizeof(nr));
		while (p->nr_progs < nr && p->nr_progs < MAX_PROGS && !parcel->broken)
			p->progs[p->nr_progs++] = parcel_take_fd(parcel);
		p->row = parcel->broken ? NULL : probe_row_by_id(id);
		ret = parcel->broken ?: p->row ? 0 : -EBADMSG;
	}
	p->rows.ended = true;
	if (ret)
		source_probe_close(s);
	s->nr_lanes = ret ? 0 : p->rings.nr + 2;
	return ret;
}

static const char *const options[] = { "ring", "comm", NULL };

const struct source_ops source_probe_ops = {
	.scheme = "probe",
	.help = "what one probe tells: xcap probe --list",
	.options = options,
	.no_packets = true,
	.events = true,
	.privileged = true,
	.wants_of = source_probe_wants_of,
	.check = source_probe_check,
	.open = source_probe_open,
	.peek = source_probe_peek,
	.release = source_probe_release,
	.watermark = source_probe_watermark,
	.arm = source_probe_arm,
	.sleep = source_probe_sleep,
	.stop = source_probe_stop,
	.stats = source_probe_stats,
	.close = source_probe_close,
	.give = source_probe_give,
	.take = source_probe_take,
	.start = source_probe_start,
};
