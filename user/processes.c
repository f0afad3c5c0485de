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
};

struct process {
	struct process *next;
	uint32_t pid;
	int64_t exit_ns;		/* 0: alive */
	struct version *versions;	/* newest first, at least one */
};

struct processes {
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

/* Forgets who has been gone for a while. */
static void sweep(struct processes *t, int64_t now_ns)
{
	t->since_sweep = 0;
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct process **at = &t->buckets[i]; *at; ) {
			if ((*at)->exit_ns && now_ns - (*at)->exit_ns > KEEP_NS)
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

/* text: one more uses it; NULL: not known. Without memory the older version goes on. */
static void push(struct processes *t, uint32_t pid, int64_t from_ns,
		 const struct xcap_process *about, struct text *text)
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
	v->process = *about;
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

void processes_task(struct processes *t, const struct xcap_ev_task *ev)
{
	struct xcap_process about = {
		.ppid = ev->ppid,
		.start_ns = ev->start_ns ? (int64_t)ev->start_ns + t->boot_offset_ns : 0,
	};
	const struct version *parent;
	struct process *p;

	if (ev->ev.pid != ev->ev.tid)
		return;		/* a thread: nothing begins or ends with it */
	p = find(t, ev->ev.pid);
	if (ev->what == XTASK_FORK || (ev->what == XTASK_SEED && !p)) {
		parent = ev->what == XTASK_FORK ?
			 version_at(t, ev->ppid, ev->ev.mono_ns) : NULL;
		push(t, ev->ev.pid, ev->ev.mono_ns, &about, parent ? parent->text : NULL);
	} else if (ev->what == XTASK_EXIT && p) {
		p->exit_ns = ev->ev.mono_ns;
	} else {
		return;
	}
	if (++t->since_sweep >= SWEEP_EVERY)
		sweep(t, ev->ev.mono_ns);
}

void processes_image(struct processes *t, const struct xcap_ev_image *ev)
{
	const struct process *p = find(t, ev->ev.pid);
	const struct version *v = p ? p->versions : NULL;
	size_t len = ev->exe_len + (size_t)ev->args_len;
	struct xcap_process about = { 0 };
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
		about = v->process;
	push(t, ev->ev.pid, ev->ev.mono_ns, &about, text);
	if (!text->nr_users)
		free(text);
}

const struct xcap_process *processes_at(const struct processes *t, uint32_t pid, int64_t mono_ns)
{
	const struct version *v = version_at(t, pid, mono_ns);

	return v ? &v->process : NULL;
}
