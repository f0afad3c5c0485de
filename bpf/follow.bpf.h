/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   processes that are made and end, and those there are at start; roots, in the map.
 * Out:  the map of all that descend from the roots (tree.bpf.h).
 * Owns: nothing.
 * Runs on: the CPU of whoever makes or frees a process; the iterator where it is read.
 *
 * The same verdict as user/processes.c: whom a followed process makes is followed, whoever its
 * parent is; of those that were there before, the parents tell. An entry stays as long as the
 * scheduler may still see the process; its number may be another's by then.
 */
#ifndef FOLLOW_BPF_H
#define FOLLOW_BPF_H

#include <bpf/bpf_core_read.h>
#include "tree.bpf.h"

#define FOLLOW_DEPTH 256	/* parents that are looked at */

int follow_grown = 0;		/* .bss, 1: all who were there are in the map */

static __always_inline void follow_add(__u32 tgid, __u64 start_ns)
{
	__u32 zero = 0, *all;

	if (!bpf_map_update_elem(&tree, &tgid, &start_ns, BPF_ANY))
		return;
	all = bpf_map_lookup_elem(&tree_all, &zero);
	if (all)
		*all = 1;
}

/* Is it in the map, or one of those it descends from? */
static __always_inline bool follow_descends(struct task_struct *task)
{
	struct task_struct *parent;
	__u32 tgid;

	for (int i = 0; i < FOLLOW_DEPTH && task; i++) {
		tgid = BPF_CORE_READ(task, tgid);
		if (bpf_map_lookup_elem(&tree, &tgid))
			return true;
		parent = BPF_CORE_READ(task, real_parent);
		if (parent == task)
			return false;
		task = parent;
	}
	return false;
}

static __always_inline void follow_fork(struct task_struct *task)
{
	__u32 maker = bpf_get_current_pid_tgid() >> 32, tgid = task->tgid;
	__u64 start_ns, *known;

	if (!cfg.tree || task->pid != task->tgid)
		return;
	start_ns = task->start_boottime;
	known = bpf_map_lookup_elem(&tree, &tgid);
	if (bpf_map_lookup_elem(&tree, &maker) ||
	    (!follow_grown && follow_descends(bpf_get_current_task_btf())))
		follow_add(tgid, start_ns);
	else if (known && !*known)
		*known = start_ns;	/* the next to get a root's number */
	else if (known && *known != start_ns)
		bpf_map_delete_elem(&tree, &tgid);
}

/* No CPU will switch to it again, or from it. Not told of the first thread that exec replaced. */
static __always_inline void follow_freed(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	__u64 *known;

	if (task->pid != task->tgid)
		return;
	known = bpf_map_lookup_elem(&tree, &tgid);
	if (known && *known == task->start_boottime)
		bpf_map_delete_elem(&tree, &tgid);
}

static __always_inline void follow_seed(struct task_struct *task)
{
	if (cfg.tree && task->pid == task->tgid && follow_descends(task))
		follow_add(task->tgid, task->start_boottime);
}

#endif
