/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How each task was called, and when. Names, uids and cgroups change rarely, so
 * they travel as records of their own and are joined here, in stream order.
 */
#ifndef XCAP_TASKS_H
#define XCAP_TASKS_H

#include <stdint.h>
#include "xcap_event.h"

struct tasks;

struct task_name {
	int64_t from_ns;	/* holds from then on */
	uint64_t cgroup_id;
	uint32_t uid;
	uint32_t pid;
	char comm[16];
};

/* Return: NULL: no memory. */
struct tasks *tasks_new(void);
void tasks_free(struct tasks *t);

/* One XEV_TASK record. Return: 0; -ENOMEM: the table is as it was. */
int tasks_apply(struct tasks *t, const struct xcap_ev_task *ev);

/* How tid was called at that time; NULL: not known. Valid until the next tasks_apply(). */
const struct task_name *tasks_at(const struct tasks *t, uint32_t tid, int64_t mono_ns);

/* Tasks in the table. */
unsigned int tasks_count(const struct tasks *t);

#endif
