// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bpf/sockets.bpf.c: what happens to tasks and sockets, and those there were at start.
 * Out:  records for the tables only: a lane for each CPU, and one with what was there.
 * Owns: the programs, their links, the rings, the seed.
 * Runs on: the thread of the handle.
 *
 * The stream opens it before all others, when any of them has records that are joined with the
 * tables. So the tables are right at every instant from the first record on.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>
#include "bpf_load.h"
#include "rings.h"
#include "source.h"
#include "sockets.skel.h"

#define MAX_PROGS 32
#define RING_PART 8		/* of a ring for records: these are few */
#define RING_LEAST (64u << 10)	/* bytes, if the others have as much */
#define NR_SEEDS 2
#define NR_TWINS 2
#define FIRST_SEED 65536	/* bytes */
#define NR_FOLLOWED 65536	/* that the kernel knows at once; with more it leaves nobody out */

/* The two programs that see each call that uses a socket. */
struct twins {
	uint64_t misses[NR_TWINS];
	uint64_t alone;			/* calls that the second saw while the first missed them */
	bool grew[NR_TWINS];		/* the misses, since the look before */
	bool torn;			/* and other than alone did */
};

struct owner {
	struct sockets_bpf *skel;	/* NULL: another process has it */
	struct rings rings;
	int seed_links[NR_SEEDS];	/* of the iterators over tasks, and sockets; -1 none */
	int progs[MAX_PROGS];		/* all that are loaded, for their counts */
	int nr_progs;
	int nr_twins;			/* the first of progs, that see the same calls; or 0 */
	struct twins twins;		/* when it was last asked for them */
	uint64_t dropped;		/* then */
	char *seed;			/* lane rings.nr + 1: records behind one another */
	size_t seed_len, seed_next, seed_size;
	uint64_t nr_seed;		/* lent of it */
};

static void source_owner_close(struct source *s);

/* ---- what is there at start ---- */

static int grow_seed(struct owner *o)
{
	size_t size = o->seed_size ? o->seed_size * 2 : FIRST_SEED;
	char *more = realloc(o->seed, size);

	if (!more)
		return -ENOMEM;
	o->seed = more;
	o->seed_size = size;
	return 0;
}

/* The iterator's output is whole records; a read may end inside one. */
static int read_seed(struct owner *o, int fd)
{
	ssize_t n;

	for (;;) {
		if (o->seed_len == o->seed_size && grow_seed(o))
			return -ENOMEM;
		n = read(fd, o->seed + o->seed_len, o->seed_size - o->seed_len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		o->seed_len += n;
	}
}

/*
 * Runs in the process that will read, when all tracepoints are attached: each seed is stamped
 * when it is read, and what happened meanwhile is in the rings.
 */
static int seed(struct owner *o, struct error *err)
{
	int ret = 0;

	for (int i = 0; i < NR_SEEDS && o->seed_links[i] >= 0 && !ret; i++) {
		int fd = bpf_iter_create(o->seed_links[i]);

		ret = fd < 0 ? fd : read_seed(o, fd);
		if (fd >= 0)
			close(fd);
	}
	return ret ? error_set(err, ret, "cannot list the tasks of this host: %s",
			       strerror(-ret)) : 0;
}

static int peek_seed(struct owner *o, const struct source *s, struct xcap_record *recs, int max)
{
	int n = 0;

	while (n < max && o->seed_next + sizeof(struct xcap_ev) <= o->seed_len) {
		const char *at = o->seed + o->seed_next;
		struct xcap_ev ev;

		memcpy(&ev, at, sizeof(ev));
		if (ev.len < sizeof(ev) || ev.len > o->seed_len - o->seed_next)
			break;		/* never so: the iterator is ours */
		recs[n++] = (struct xcap_record){
			.mono_ns = ev.mono_ns,
			.source = s->index,
			.type = ev.type,
			.pid = ev.pid,
			.tid = ev.tid,
			.data = (const __u8 *)at,
			.caplen = ev.len,
			.len = ev.len,
		};
		o->seed_next += (ev.len + 7) & ~7u;
	}
	o->nr_seed += n;
	return n ?: -ENODATA;
}

/* ---- open ---- */

static void note_programs(struct owner *o)
{
	const struct bpf_program *twins[NR_TWINS] = { o->skel->progs.sock_call,
						      o->skel->progs.sock_call_too };
	struct bpf_program *prog;

	for (int i = 0; i < NR_TWINS && bpf_program__autoload(twins[NR_TWINS - 1]); i++)
		o->progs[o->nr_progs++] = bpf_program__fd(twins[i]);
	o->nr_twins = o->nr_progs;
	bpf_object__for_each_program(prog, o->skel->obj)
		if (bpf_program__autoload(prog) && o->nr_progs < MAX_PROGS &&
		    !(o->nr_twins && (prog == twins[0] || prog == twins[1])))
			o->progs[o->nr_progs++] = bpf_program__fd(prog);
}

/* Early: what unconnected datagrams cost by it is left to those who need it. */
static void want_sockets(struct sockets_bpf *k, bool sockets, bool early, bool twins)
{
	bpf_program__set_autoload(k->progs.sock_connects, early);
	bpf_program__set_autoload(k->progs.sock_sends4, early);
	bpf_program__set_autoload(k->progs.sock_sends6, early);
	bpf_program__set_autoload(k->progs.sock_create, sockets);
	bpf_program__set_autoload(k->progs.sock_release, sockets);
	bpf_program__set_autoload(k->progs.sock_state, sockets);
	bpf_program__set_autoload(k->progs.sock_call, sockets);
	bpf_program__set_autoload(k->progs.sock_call_too, sockets && twins);
	bpf_program__set_autoload(k->progs.task_rename_too, twins);
	bpf_program__set_autoload(k->progs.sock_seed, sockets);
}

static uint32_t ring_bytes(const struct source_conf *conf)
{
	uint32_t least = conf->ring_bytes < RING_LEAST ? conf->ring_bytes : RING_LEAST;

	return conf->ring_bytes / RING_PART > least ? conf->ring_bytes / RING_PART : least;
}

/* ---- who is followed, in the kernel ---- */

static int prepare_tree(struct owner *o, const struct source *s)
{
	bool follow = s->conf->nr_trees;

	((struct sockets_cfg *)&o->skel->rodata->cfg)->tree = follow;
	bpf_program__set_autoload(o->skel->progs.task_free, follow);
	return follow ? bpf_map__set_max_entries(o->skel->maps.tree, NR_FOLLOWED) : 0;
}

/* Before anything is attached: the roots, which nobody has met yet. */
static int plant_tree(struct owner *o, struct source *s)
{
	const uint64_t unmet = 0;
	void *all;
	int ret = 0;

	if (!s->conf->nr_trees)
		return 0;
	s->tree_fd = bpf_map__fd(o->skel->maps.tree);
	s->tree_all_fd = bpf_map__fd(o->skel->maps.tree_all);
	for (int i = 0; i < s->conf->nr_trees && !ret; i++)
		ret = bpf_map_update_elem(s->tree_fd, &s->conf->trees[i], &unmet, BPF_ANY);
	all = mmap(NULL, sizeof(*s->tree_all), PROT_READ | PROT_WRITE, MAP_SHARED,
		   s->tree_all_fd, 0);
	if (all == MAP_FAILED)
		return -errno;
	s->tree_all = all;
	return ret;
}

/* All who were there are in the map by now, and who is made is added to it. */
static void tree_is_grown(struct owner *o, const struct source *s)
{
	if (s->conf->nr_trees)
		o->skel->bss->follow_grown = 1;
}

static int load(struct owner *o, struct source *s, bool sockets, bool early)
{
	const struct sockets_cfg cfg = {
		.hold_cpu = bpf_load_kernel()->preempts,
		.casts = bpf_load_kernel()->casts,
	};
	int ret;

	bpf_load_quiet();
	o->skel = sockets_bpf__open();
	if (!o->skel)
		return bpf_load_failed(-errno, s->spec, s->err);
	memcpy((void *)&o->skel->rodata->cfg, &cfg, sizeof(cfg));
	want_sockets(o->skel, sockets, early, cfg.hold_cpu);
	ret = prepare_tree(o, s);
	ret = ret ?: rings_prepare(o->skel->maps.events, o->skel->maps.cpus);
	ret = ret ?: sockets_bpf__load(o->skel);
	if (ret)
		return bpf_load_failed(ret, s->spec, s->err);
	note_programs(o);
	ret = plant_tree(o, s);
	if (ret)
		return error_set(s->err, ret, "cannot follow processes: %s", strerror(-ret));
	return rings_open(&o->rings, o->skel->maps.events, o->skel->maps.cpus,
			  &o->skel->bss->ctl, ring_bytes(s->conf), s->err);
}

static int attach_tasks(struct owner *o, struct error *err)
{
	struct sockets_bpf *k = o->skel;
	int ret;

	ret = bpf_load_attach(k->progs.task_newtask, &k->links.task_newtask, err) ?:
	      bpf_load_attach(k->progs.task_rename, &k->links.task_rename, err) ?:
	      (bpf_program__autoload(k->progs.task_rename_too) ?
	       bpf_load_attach(k->progs.task_rename_too, &k->links.task_rename_too, err) : 0) ?:
	      bpf_load_attach(k->progs.task_exec, &k->links.task_exec, err) ?:
	      bpf_load_attach(k->progs.task_exit, &k->links.task_exit, err) ?:
	      bpf_load_attach(k->progs.task_cgroup, &k->links.task_cgroup, err) ?:
	      (bpf_program__autoload(k->progs.task_free) ?
	       bpf_load_attach(k->progs.task_free, &k->links.task_free, err) : 0) ?:
	      bpf_load_attach(k->progs.task_seed, &k->links.task_seed, err);
	if (!ret)
		o->seed_links[0] = bpf_link__fd(k->links.task_seed);
	return ret;
}

/*
 * The root of the hierarchy, wherever it is mounted, and if it is not. Return: descriptor; -errno:
 * this kernel has none.
 */
static int cgroup_root(void)
{
	int fs = fsopen("cgroup2", FSOPEN_CLOEXEC), fd = -1, ret;

	if (fs < 0)
		return -errno;
	if (!fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	ret = fd < 0 ? -errno : fd;
	close(fs);
	return ret;
}

/* Without it a socket is known from its first use on, and not from its birth. */
static void attach_cgroup(struct owner *o, bool early)
{
	struct sockets_bpf *k = o->skel;
	int root = cgroup_root();

	if (root < 0)
		return;
	k->links.sock_create = bpf_program__attach_cgroup(k->progs.sock_create, root);
	k->links.sock_release = bpf_program__attach_cgroup(k->progs.sock_release, root);
	if (early) {
		k->links.sock_connects = bpf_program__attach_cgroup(k->progs.sock_connects, root);
		k->links.sock_sends4 = bpf_program__attach_cgroup(k->progs.sock_sends4, root);
		k->links.sock_sends6 = bpf_program__attach_cgroup(k->progs.sock_sends6, root);
	}
	close(root);
}

static int attach_sockets(struct owner *o, bool early, struct error *err)
{
	struct sockets_bpf *k = o->skel;
	int ret;

	attach_cgroup(o, early);
	ret = bpf_load_attach(k->progs.sock_state, &k->links.sock_state, err) ?:
	      bpf_load_attach(k->progs.sock_call, &k->links.sock_call, err) ?:
	      (bpf_program__autoload(k->progs.sock_call_too) ?
	       bpf_load_attach(k->progs.sock_call_too, &k->links.sock_call_too, err) : 0) ?:
	      bpf_load_attach(k->progs.sock_seed, &k->links.sock_seed, err);
	if (!ret)
		o->seed_links[1] = bpf_link__fd(k->links.sock_seed);
	return ret;
}

static struct owner *owner_new(struct source *s)
{
	struct owner *o = calloc(1, sizeof(*o));

	if (o)
		o->seed_links[0] = o->seed_links[1] = -1;
	s->tree_fd = s->tree_all_fd = -1;
	s->priv = o;
	return o;
}

static int source_owner_open(struct source *s, const struct spec *spec)
{
	bool sockets = strcmp(spec->name, "tasks");
	/* what a packet socket is shown has no socket any more: before TCX all hooks need it */
	bool early = !strcmp(spec->name, "early") ||
		     (sockets && !bpf_load_kernel()->tcx);
	struct owner *o = owner_new(s);
	int ret;

	if (!o)
		return -ENOMEM;
	ret = load(o, s, sockets, early) ?:
	      (sockets ? attach_sockets(o, early, s->err) : 0) ?: attach_tasks(o, s->err);
	if (!ret && !s->conf->given)	/* else the reader does it */
		ret = seed(o, s->err);
	tree_is_grown(o, s);
	if (ret) {
		source_owner_close(s);
		return ret;
	}
	s->nr_lanes = o->rings.nr + 2;
	return 0;
}

/* ---- the contract ---- */

static void count_losses(struct owner *o)
{
	uint64_t misses, twins = UINT64_MAX, sum = 0;

	for (int i = 0; i < o->nr_progs; i++) {
		misses = bpf_load_misses(o->progs[i]);
		if (i >= o->nr_twins)
			sum += misses;
		else if (misses < twins)
			twins = misses;
	}
	/* no more than that can have been missed by all of them */
	o->rings.lost[XCAP_DROP_RECURSION] = sum + (o->nr_twins ? twins : 0);
}

static int source_owner_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct owner *o = s->priv;

	if (lane > o->rings.nr)
		return peek_seed(o, s, recs, max);
	if (lane == o->rings.nr && rings_look(&o->rings))
		count_losses(o);
	return rings_peek(&o->rings, s, lane, recs, max);
}

static void source_owner_release(struct source *s, int lane, int n)
{
	struct owner *o = s->priv;

	if (lane <= o->rings.nr)
		rings_release(&o->rings, lane, n);
}

static int64_t source_owner_watermark(struct source *s, int lane)
{
	struct owner *o = s->priv;

	return lane > o->rings.nr ? INT64_MIN : rings_watermark(&o->rings, lane);
}

/*
 * A call that no twin has seen adds to the misses of each, one after the other: a look may come
 * between, so what was found at the look before counts, too. While the first has missed just as
 * many as the second has seen alone, each of these calls was seen.
 */
static bool twins_missed(struct owner *o)
{
	struct twins now = { .alone = rings_alone(&o->rings) }, *last = &o->twins;
	bool all = o->nr_twins;

	for (int i = 0; i < o->nr_twins; i++) {
		now.misses[i] = bpf_load_misses(o->progs[i]);
		now.grew[i] = now.misses[i] != last->misses[i];
		all = all && (now.grew[i] || last->grew[i]);
	}
	now.torn = now.misses[0] - last->misses[0] != now.alone - last->alone;
	all = all && (now.torn || last->torn);
	*last = now;
	return all;
}

static bool source_owner_missed(struct source *s)
{
	struct owner *o = s->priv;
	uint64_t dropped = rings_dropped(&o->rings);
	bool missed = twins_missed(o) || dropped != o->dropped;

	o->dropped = dropped;
	if (missed)	/* a full barrier: before the clock says until when they are unsure */
		__atomic_fetch_add(&o->rings.ctl->round, 1, __ATOMIC_SEQ_CST);
	return missed;
}

static int source_owner_arm(struct source *s, int epoll_fd)
{
	return rings_arm(&((struct owner *)s->priv)->rings, epoll_fd);
}

static int source_owner_sleep(struct source *s, bool on)
{
	return rings_sleep(&((struct owner *)s->priv)->rings, on);
}

static void source_owner_stop(struct source *s)
{
	struct owner *o = s->priv;

	if (o->skel)
		sockets_bpf__detach(o->skel);
	rings_stop(&o->rings);
}

static void source_owner_stats(struct source *s, struct source_stats *st)
{
	struct owner *o = s->priv;

	rings_stats(&o->rings, st);
	st->seen += o->nr_seed;
}

static void source_owner_close(struct source *s)
{
	struct owner *o = s->priv;

	if (!o)
		return;
	if (o->skel)
		sockets_bpf__detach(o->skel);
	rings_close(&o->rings);
	if (s->tree_all)
		munmap(s->tree_all, sizeof(*s->tree_all));
	s->tree_all = NULL;
	if (!o->skel) {
		for (int i = 0; i < o->nr_progs; i++)
			close(o->progs[i]);
		for (int i = 0; i < NR_SEEDS; i++)
			if (o->seed_links[i] >= 0)
				close(o->seed_links[i]);
	}
	sockets_bpf__destroy(o->skel);
	free(o->seed);
	free(o);
	s->priv = NULL;
}

/* ---- opened in one process, read in another ---- */

static int source_owner_give(struct source *s, struct parcel *p)
{
	struct owner *o = s->priv;
	int nr;

	rings_give(&o->rings, o->skel->maps.cpus, o->skel->maps.bss,
		   offsetof(struct sockets_bpf__bss, ctl), p);
	nr = o->seed_links[1] >= 0 ? NR_SEEDS : 1;
	parcel_put(p, &nr, sizeof(nr));
	for (int i = 0; i < nr; i++)
		parcel_put_fd(p, o->seed_links[i]);
	parcel_put(p, &o->nr_twins, sizeof(o->nr_twins));
	parcel_put(p, &o->nr_progs, sizeof(o->nr_progs));
	for (int i = 0; i < o->nr_progs; i++)
		parcel_put_fd(p, o->progs[i]);
	return p->broken;
}

static int source_owner_take(struct source *s, struct parcel *p)
{
	struct owner *o = owner_new(s);
	int ret, nr;

	if (!o)
		return -ENOMEM;
	ret = rings_take(&o->rings, p);
	if (!ret) {
		parcel_take(p, &nr, sizeof(nr));
		for (int i = 0; i < nr && i < NR_SEEDS && !p->broken; i++)
			o->seed_links[i] = parcel_take_fd(p);
		parcel_take(p, &nr, sizeof(nr));
		o->nr_twins = nr == NR_TWINS ? nr : 0;
		parcel_take(p, &nr, sizeof(nr));
		while (o->nr_progs < nr && o->nr_progs < MAX_PROGS && !p->broken)
			o->progs[o->nr_progs++] = parcel_take_fd(p);
		ret = p->broken;
	}
	ret = ret ?: seed(o, s->err);
	if (ret)
		source_owner_close(s);
	s->nr_lanes = ret ? 0 : o->rings.nr + 2;
	return ret;
}

const struct source_ops source_owner_ops = {
	.scheme = "owner",
	.help = "who is behind packets and system calls; opened by the stream itself",
	.no_packets = true,
	.privileged = true,
	.open = source_owner_open,
	.peek = source_owner_peek,
	.release = source_owner_release,
	.watermark = source_owner_watermark,
	.arm = source_owner_arm,
	.sleep = source_owner_sleep,
	.stop = source_owner_stop,
	.stats = source_owner_stats,
	.close = source_owner_close,
	.give = source_owner_give,
	.take = source_owner_take,
	.missed = source_owner_missed,
};
