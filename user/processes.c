// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   task and image records, in stream order.
 * Out:  program, arguments, parent and start of a process at a given time.
 * Owns: the table: a chained hash by pid, a list of versions for each.
 * Runs on: the thread of the handle.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "processes.h"

#define NR_VERSIONS 4			/* kept of each process: late records look back */
#define KEEP_NS (2 * NS_PER_SEC)	/* after exit: for what is still in the rings */
#define KEEP_FOLLOWED_NS (70 * NS_PER_SEC)	/* for packets of its sockets, as long as owner.c */
#define SWEEP_EVERY 1024		/* forks, execs and exits */
#define FIRST_BUCKETS 256

/* What was executed; children share it with their parent until they exec. */
struct text {
	uint32_t nr_users;
	uint32_t exe_len, args_len;	/* each with its last NUL */
	char bytes[];
};

struct version {
	struct xcap_process process;	/* first: what is lent */
	struct version *older;
	struct text *text;		/* NULL: nothing is known */
	int64_t from_ns;
	uint32_t maker;			/* pid of who made it; of a seed, its parent then */
	uint32_t trees;			/* bit i: it descends from root i, or is it */
};

struct process {
	struct process *next;
	uint32_t pid;
	int64_t exit_ns;		/* 0: alive */
	struct version *versions;	/* newest first, at least one */
};

/* A process that is followed, by its number; found: it has been met, and nobody else is it. */
struct root {
	uint32_t pid;
	bool found;
};

struct processes {
	struct root roots[PROCESSES_TREES];
	int nr_roots;
	struct epoch *epoch;
	struct process **buckets;
	unsigned int nr_buckets;	/* a power of two */
	unsigned int nr, since_sweep;
	int64_t boot_offset_ns;		/* wall time less CLOCK_BOOTTIME */
};

struct processes *processes_new(struct epoch *epoch)
{
	struct processes *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->epoch = epoch;
	t->boot_offset_ns = clock_boot_offset_ns();
	t->nr_buckets = FIRST_BUCKETS;
	t->buckets = calloc(t->nr_buckets, sizeof(*t->buckets));
	if (t->buckets)
		return t;
	free(t);
	return NULL;
}

static void free_version(void *p)
{
	struct version *v = p;

	if (v->text && !--v->text->nr_users)
		free(v->text);
	free(v);
}

static void retire_list(struct processes *t, struct version *v)
{
	struct version *older;

	for (; v; v = older) {
		older = v->older;
		epoch_retire(t->epoch, v, free_version);
	}
}

static void drop(struct processes *t, struct process **at)
{
	struct process *p = *at;

	*at = p->next;
	retire_list(t, p->versions);
	free(p);
	t->nr--;
}

void processes_free(struct processes *t)
{
	for (unsigned int i = 0; t && i < t->nr_buckets; i++)
		while (t->buckets[i])
			drop(t, &t->buckets[i]);
	if (t)
		free(t->buckets);
	free(t);
}

unsigned int processes_count(const struct processes *t)
{
	return t->nr;
}

static struct process **bucket(const struct processes *t, uint32_t pid)
{
	return &t->buckets[pid & (t->nr_buckets - 1)];
}

static struct process *find(const struct processes *t, uint32_t pid)
{
	struct process *p = *bucket(t, pid);

	while (p && p->pid != pid)
		p = p->next;
	return p;
}

/* Doubles the buckets; without memory the chains just grow longer. */
static void grow(struct processes *t)
{
	struct processes old = *t;
	struct process *p, *next, **to;

	t->buckets = calloc(old.nr_buckets * 2UL, sizeof(*t->buckets));
	if (!t->buckets) {
		*t = old;
		return;
	}
	t->nr_buckets = old.nr_buckets * 2;
	for (unsigned int i = 0; i < old.nr_buckets; i++) {
		for (p = old.buckets[i]; p; p = next) {
			next = p->next;
			to = bucket(t, p->pid);
			p->next = *to;
			*to = p;
		}
	}
	free(old.buckets);
}

static bool is_old(const struct process *p, int64_t now_ns)
{
	int64_t keep_ns = p->versions->trees ? KEEP_FOLLOWED_NS : KEEP_NS;

	return p->exit_ns && now_ns - p->exit_ns > keep_ns;
}

/* Forgets who has been gone for a while. */
static void sweep(struct processes *t, int64_t now_ns)
{
	t->since_sweep = 0;
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct process **at = &t->buckets[i]; *at; ) {
			if (is_old(*at, now_ns))
				drop(t, at);
			else
				at = &(*at)->next;
		}
	}
}

static struct process *add(struct processes *t, uint32_t pid)
{
	struct process *p = calloc(1, sizeof(*p)), **to;

	if (!p)
		return NULL;
	if (t->nr >= t->nr_buckets)
		grow(t);
	to = bucket(t, pid);
	p->pid = pid;
	p->next = *to;
	*to = p;
	t->nr++;
	return p;
}

/*
 * about: process, maker and trees. text: one more uses it; NULL: not known. Without memory the
 * older version goes on.
 */
static void push(struct processes *t, uint32_t pid, int64_t from_ns,
		 const struct version *about, struct text *text)
{
	struct version *v = calloc(1, sizeof(*v));
	struct process *p = find(t, pid);
	unsigned int nr = 1;

	if (v && !p)
		p = add(t, pid);
	if (!v || !p) {
		free(v);
		return;
	}
	v->process = about->process;
	v->maker = about->maker;
	v->trees = about->trees;
	v->process.pid = pid;
	v->process.exe = v->process.args = "";
	v->process.args_len = 0;
	if (text) {
		text->nr_users++;
		v->text = text;
		v->process.exe = text->bytes;
		v->process.args = text->bytes + text->exe_len;
		v->process.args_len = text->args_len;
	}
	v->from_ns = from_ns;
	v->older = p->versions;
	p->versions = v;
	p->exit_ns = 0;
	while (nr < NR_VERSIONS && v->older) {
		v = v->older;
		nr++;
	}
	retire_list(t, v->older);
	v->older = NULL;
}

static const struct version *version_at(const struct processes *t, uint32_t pid, int64_t mono_ns)
{
	const struct process *p = find(t, pid);
	const struct version *v = p ? p->versions : NULL;

	while (v && v->from_ns > mono_ns && v->older)
		v = v->older;
	return v;
}

/* ---- who descends from whom ---- */

/* The roots that this is, if it is the first of its number. */
static uint32_t claim(struct processes *t, uint32_t pid)
{
	uint32_t trees = 0;

	for (int i = 0; i < t->nr_roots; i++)
		if (t->roots[i].pid == pid && !t->roots[i].found) {
			t->roots[i].found = true;
			trees |= 1u << i;
		}
	return trees;
}

/* Its maker as it was when it made it; a later process of that number did not. */
static const struct version *maker_of(const struct processes *t, const struct version *v)
{
	const struct process *p = v->maker ? find(t, v->maker) : NULL;
	const struct version *m = p ? p->versions : NULL;

	while (m && m->process.start_ns > v->process.start_ns)
		m = m->older;
	return m;
}

/* All versions of the process that is the newest of its number. */
static void add_trees(struct process *p, uint32_t trees)
{
	int64_t start_ns = p->versions->process.start_ns;

	for (struct version *v = p->versions; v && v->process.start_ns == start_ns; v = v->older)
		v->trees |= trees;
}

/*
 * Trees reach those that were known before their makers were, or that are older than the wish to
 * follow. Who is forked later has them from its maker.
 */
static void spread(struct processes *t)
{
	bool more = t->nr_roots;

	while (more) {
		more = false;
		for (unsigned int i = 0; i < t->nr_buckets; i++)
			for (struct process *p = t->buckets[i]; p; p = p->next) {
				const struct version *m = maker_of(t, p->versions);

				if (!m || !(m->trees & ~p->versions->trees))
					continue;
				add_trees(p, m->trees);
				more = true;
			}
	}
}

void processes_follow(struct processes *t, const uint32_t *pids, int nr)
{
	t->nr_roots = nr < PROCESSES_TREES ? nr : PROCESSES_TREES;
	for (int i = 0; i < t->nr_roots; i++)
		t->roots[i] = (struct root){ .pid = pids[i] };
	for (unsigned int i = 0; i < t->nr_buckets; i++)
		for (struct process *p = t->buckets[i]; p; p = p->next) {
			for (struct version *v = p->versions; v; v = v->older)
				v->trees = 0;
			if (!p->exit_ns)
				add_trees(p, claim(t, p->pid));
		}
	spread(t);
}

int processes_followed(const struct processes *t)
{
	int nr = 0;

	for (unsigned int i = 0; t->nr_roots && i < t->nr_buckets; i++)
		for (struct process *p = t->buckets[i]; p; p = p->next)
			nr += !p->exit_ns && p->versions->trees;
	return nr;
}

uint32_t processes_trees(const struct xcap_process *p)
{
	return p ? ((const struct version *)p)->trees : 0;
}

/* ---- filling ---- */

/* A process is met for the first time: it was forked, or it was there before. */
static void begin(struct processes *t, const struct xcap_ev_task *ev)
{
	bool fork = ev->what == XTASK_FORK;
	const struct version *maker =
		fork ? version_at(t, ev->maker, ev->ev.mono_ns) : NULL;
	struct version about = {
		.process = {
			.ppid = ev->ppid,
			.start_ns = ev->start_ns ?
				    (int64_t)ev->start_ns + t->boot_offset_ns : 0,
		},
		.maker = ev->maker,
		.trees = claim(t, ev->ev.pid),
	};

	if (maker)
		about.trees |= maker->trees;
	push(t, ev->ev.pid, ev->ev.mono_ns, &about, maker ? maker->text : NULL);
	/* who is met now may have children already; who is forked has none */
	if (t->nr_roots && !fork)
		spread(t);
}

void processes_task(struct processes *t, const struct xcap_ev_task *ev)
{
	struct process *p;

	if (ev->ev.pid != ev->ev.tid && ev->what != XTASK_GONE)
		return;		/* a thread: nothing begins or ends with it */
	p = find(t, ev->ev.pid);
	if (ev->what == XTASK_FORK || !p) {
		begin(t, ev);
		p = find(t, ev->ev.pid);
	} else if (ev->what != XTASK_GONE) {
		return;
	}
	if (p && ev->what == XTASK_GONE)
		p->exit_ns = ev->ev.mono_ns;
	if (++t->since_sweep >= SWEEP_EVERY)
		sweep(t, ev->ev.mono_ns);
}

void processes_image(struct processes *t, const struct xcap_ev_image *ev)
{
	const struct process *p = find(t, ev->ev.pid);
	const struct version *v = p ? p->versions : NULL;
	size_t len = ev->exe_len + (size_t)ev->args_len;
	struct version about = { 0 };
	struct text *text;

	/* a seed was read while programs ran already: what they said is younger */
	if (v && v->text && ev->ev.flags & XEV_SEED)
		return;
	text = malloc(sizeof(*text) + len + 2);
	if (!text)
		return;
	*text = (struct text){ .exe_len = ev->exe_len, .args_len = ev->args_len };
	memcpy(text->bytes, ev->text, len);
	text->bytes[text->exe_len - 1] = '\0';
	if (text->args_len)
		text->bytes[len - 1] = '\0';
	else
		text->bytes[len] = '\0';	/* args is "" */
	if (v)
		about = *v;
	push(t, ev->ev.pid, ev->ev.mono_ns, &about, text);
	if (!text->nr_users)
		free(text);
}

const struct xcap_process *processes_at(const struct processes *t, uint32_t pid, int64_t mono_ns)
{
	const struct version *v = version_at(t, pid, mono_ns);

	return v ? &v->process : NULL;
}
