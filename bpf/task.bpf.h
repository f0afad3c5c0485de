/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a task.
 * Out:  one record that says how it is called from now on.
 * Owns: nothing.
 * Runs on: the CPU of whoever changes it, undisturbed.
 */
#ifndef TASK_BPF_H
#define TASK_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"

static __always_inline void stamp_task(struct xcap_ev *ev, struct task_struct *task)
{
	ev->pid = task->tgid;
	ev->tid = task->pid;
}

/* All but the header. comm NULL: as the task has it. */
static __always_inline void task_fill(struct xcap_ev_task *t, struct task_struct *task, __u32 what,
				      const char *comm)
{
	t->what = what;
	t->uid = BPF_CORE_READ(task, cred, uid.val);
	t->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	t->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	t->ppid = BPF_CORE_READ(task, real_parent, tgid);
	t->maker = t->ppid;
	if (what == XTASK_FORK)		/* clone() can make a brother: CLONE_PARENT */
		t->maker = bpf_get_current_pid_tgid() >> 32;
	__builtin_memset(t->comm, 0, sizeof(t->comm));
	bpf_probe_read_kernel_str(t->comm, sizeof(t->comm), comm ? comm : task->comm);
}

static __always_inline void emit_task(struct task_struct *task, __u32 what, const char *comm)
{
	struct xcap_ev_task *t;
	struct emit e;

	if (!emit_begin(&e))
		return;
	t = emit_reserve(&e, sizeof(*t));
	if (!t)
		return;
	emit_stamp(&e, &t->ev, XEV_TASK, sizeof(*t));
	stamp_task(&t->ev, task);
	task_fill(t, task, what, comm);
	emit_submit(t);
}

#endif
