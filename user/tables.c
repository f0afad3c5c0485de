// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records for the tables, and those that are joined with them, in stream order.
 * Out:  records that know their task, process and cgroup.
 * Owns: the tables.
 * Runs on: the thread of the handle.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "cgroups.h"
#include "processes.h"
#include "tables.h"
#include "tasks.h"

struct tables {
	struct epoch epoch;
	struct tasks *tasks;
	struct processes *processes;
	struct cgroups *cgroups;
};

struct tables *tables_new(void)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->tasks = tasks_new();
	t->processes = processes_new(&t->epoch);
	t->cgroups = cgroups_new();
	if (t->tasks && t->processes && t->cgroups)
		return t;
	tables_free(t);
	return NULL;
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	tasks_free(t->tasks);
	processes_free(t->processes);
	cgroups_free(t->cgroups);
	epoch_close(&t->epoch);
	free(t);
}

struct epoch *tables_epoch(struct tables *t)
{
	return &t->epoch;
}

/* ---- filling ---- */

static void apply_image(struct tables *t, const struct xcap_ev_image *ev, uint32_t len)
{
	if (len >= sizeof(*ev) && ev->exe_len && ev->exe_len <= XCAP_IMAGE_EXE &&
	    ev->args_len <= XCAP_IMAGE_ARGS && len - sizeof(*ev) >= ev->exe_len + ev->args_len)
		processes_image(t->processes, ev);
}

static void apply_cgroup(struct tables *t, const struct xcap_ev_cgroup *ev, uint32_t len)
{
	if (len >= sizeof(*ev) && len - sizeof(*ev) >= ev->path_len)
		cgroups_apply(t->cgroups, ev);
}

/* The rings are written by our programs; what does not fit its own size is left alone. */
void tables_apply(struct tables *t, const struct xcap_record *rec)
{
	const void *ev = rec->data;

	switch (rec->type) {
	case XEV_TASK:
		if (rec->caplen < sizeof(struct xcap_ev_task))
			return;
		tasks_apply(t->tasks, ev);
		processes_task(t->processes, ev);
		return;
	case XEV_IMAGE:
		apply_image(t, ev, rec->caplen);
		return;
	case XEV_CGROUP:
		apply_cgroup(t, ev, rec->caplen);
	}
}

/* ---- joining ---- */

static void join_switch(struct tables *t, struct xcap_record *rec)
{
	const struct task_name *n = tasks_at(t->tasks, rec->sw.next_tid, rec->mono_ns);

	if (n)
		memcpy(rec->sw.next_comm, n->comm, sizeof(rec->sw.next_comm));
}

void tables_join(struct tables *t, struct xcap_record *rec)
{
	const struct task_name *n = tasks_at(t->tasks, rec->tid, rec->mono_ns);

	if (n) {
		memcpy(rec->comm, n->comm, sizeof(rec->comm));
		rec->cgroup_id = n->cgroup_id;
		rec->uid = n->uid;
		rec->cgroup = cgroups_get(t->cgroups, n->cgroup_id);
	}
	rec->process = processes_at(t->processes, rec->pid, rec->mono_ns);
	if (rec->type == XCAP_SWITCH)
		join_switch(t, rec);
}
