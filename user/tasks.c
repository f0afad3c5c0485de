// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   task records (fork, exec, rename, cgroup, uid, exit), in stream order.
 * Out:  the name, uid and cgroup of a thread at a given time.
 * Owns: the table; a chained hash by tid, the last few names of each.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "tasks.h"

#define NR_NAMES 4			/* kept of each task: late records look back */
#define KEEP_NS (2 * NS_PER_SEC)	/* after exit: for what is still in the rings */
#define SWEEP_EVERY 1024		/* task records */
#define FIRST_BUCKETS 1024

struct task {
	struct task *next;
	uint32_t tid;
	uint32_t nr;			/* names in use */
	int64_t exit_ns;		/* 0: alive */
	struct task_name names[NR_NAMES];	/* newest first */
};

struct tasks {
	struct task **buckets;
	unsigned int nr_buckets;	/* a power of two */
	unsigned int nr_tasks;
	unsigned int since_sweep;
};

struct tasks *tasks_new(void)
{
	struct tasks *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->nr_buckets = FIRST_BUCKETS;
	t->buckets = calloc(t->nr_buckets, sizeof(*t->buckets));
	if (!t->buckets) {
		free(t);
		return NULL;
	}
	return t;
}

void tasks_free(struct tasks *t)
{
	struct task *task, *next;

	for (unsigned int i = 0; t && i < t->nr_buckets; i++) {
		for (task = t->buckets[i]; task; task = next) {
			next = task->next;
			free(task);
		}
	}
	if (t)
		free(t->buckets);
	free(t);
}

unsigned int tasks_count(const struct tasks *t)
{
	return t->nr_tasks;
}

/* Neighbouring tids land in neighbouring buckets, which is as good as any spread. */
static struct task **bucket(const struct tasks *t, uint32_t tid)
{
	return &t->buckets[tid & (t->nr_buckets - 1)];
}

static struct task *find(const struct tasks *t, uint32_t tid)
{
	struct task *task = *bucket(t, tid);

	while (task && task->tid != tid)
		task = task->next;
	return task;
}

/* Doubles the buckets; without memory the chains just grow longer. */
static void grow(struct tasks *t)
{
	struct tasks old = *t;
	struct task *task, *next, **to;

	t->buckets = calloc(old.nr_buckets * 2UL, sizeof(*t->buckets));
	if (!t->buckets) {
		*t = old;
		return;
	}
	t->nr_buckets = old.nr_buckets * 2;
	for (unsigned int i = 0; i < old.nr_buckets; i++) {
		for (task = old.buckets[i]; task; task = next) {
			next = task->next;
			to = bucket(t, task->tid);
			task->next = *to;
			*to = task;
		}
	}
	free(old.buckets);
}

static struct task *add(struct tasks *t, uint32_t tid)
{
	struct task *task = calloc(1, sizeof(*task));
	struct task **b;

	if (!task)
		return NULL;
	if (t->nr_tasks >= t->nr_buckets)
		grow(t);
	b = bucket(t, tid);
	task->tid = tid;
	task->next = *b;
	*b = task;
	t->nr_tasks++;
	return task;
}

/* Forgets who has been gone for a while. */
static void sweep(struct tasks *t, int64_t now_ns)
{
	t->since_sweep = 0;
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct task **p = &t->buckets[i]; *p; ) {
			struct task *task = *p;

			if (task->exit_ns && now_ns - task->exit_ns > KEEP_NS) {
				*p = task->next;
				free(task);
				t->nr_tasks--;
			} else {
				p = &task->next;
			}
		}
	}
}

/* Told twice? Both have their comm filled up with zeros. */
static bool is_same(const struct task_name *a, const struct task_name *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->cgroup_id == b->cgroup_id &&
	       !memcmp(a->comm, b->comm, sizeof(a->comm));
}

static void push_name(struct task *task, const struct task_name *name)
{
	unsigned int i = 0;

	/* late records come out of turn: each goes where its time belongs */
	while (i < task->nr && task->names[i].from_ns > name->from_ns)
		i++;
	if (i == NR_NAMES || (i < task->nr && is_same(&task->names[i], name)))
		return;
	if (task->nr < NR_NAMES)
		task->nr++;
	memmove(&task->names[i + 1], &task->names[i],
		(task->nr - 1 - i) * sizeof(task->names[0]));
	task->names[i] = *name;
}

/* Moving a process moves all its threads, and is told once, of its leader. */
static void move_threads(struct tasks *t, const struct xcap_ev_task *ev)
{
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct task *task = t->buckets[i]; task; task = task->next) {
			struct task_name name;

			if (task->names[0].pid != ev->ev.pid || task->tid == ev->ev.tid ||
			    task->exit_ns)
				continue;
			name = task->names[0];
			name.from_ns = ev->ev.mono_ns;
			name.cgroup_id = ev->cgroup_id;
			push_name(task, &name);
		}
	}
}

int tasks_apply(struct tasks *t, const struct xcap_ev_task *ev)
{
	struct task *task;
	struct task_name name = {
		.from_ns = ev->ev.mono_ns,
		.cgroup_id = ev->cgroup_id,
		.uid = ev->uid,
		.pid = ev->ev.pid,
	};

	memcpy(name.comm, ev->comm, sizeof(name.comm));
	name.comm[sizeof(name.comm) - 1] = '\0';
	if (++t->since_sweep >= SWEEP_EVERY)
		sweep(t, ev->ev.mono_ns);
	task = find(t, ev->ev.tid);
	/* a seed was read while programs ran already: what they said of the task is younger */
	if (task && ev->what == XTASK_SEED)
		return 0;
	if (!task)
		task = add(t, ev->ev.tid);
	if (!task)
		return -ENOMEM;
	task->exit_ns = ev->what == XTASK_EXIT || ev->what == XTASK_GONE ?
			(int64_t)ev->ev.mono_ns : 0;
	push_name(task, &name);
	if (ev->what == XTASK_CGROUP_ALL)
		move_threads(t, ev);
	return 0;
}

const struct task_name *tasks_at(const struct tasks *t, uint32_t tid, int64_t mono_ns)
{
	const struct task *task = find(t, tid);

	if (!task)
		return NULL;
	for (unsigned int i = 0; i < task->nr; i++)
		if (task->names[i].from_ns <= mono_ns)
			return &task->names[i];
	return &task->names[task->nr - 1];	/* older than what is kept: the nearest there is */
}
