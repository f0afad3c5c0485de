// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   the processes of the reader's pid namespace, and a number there.
 * Out:  the number of that process in the initial one.
 * Owns: nothing.
 * Runs on: the process that reads the iterator.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

int wanted = 0;		/* .bss: the number that is known */
int found = 0;		/* .bss: the other; 0: there is no such process */

/* A process has a number in its namespace, and in each above; 0 is the initial one's level. */
static __always_inline struct upid *number_at(struct pid *pid, __u32 level)
{
	return (void *)&pid->numbers + level * bpf_core_type_size(struct upid);
}

SEC("iter/task")
int pids(struct bpf_iter__task *ctx)
{
	struct task_struct *us = bpf_get_current_task_btf(), *task = ctx->task;
	__u32 level = BPF_CORE_READ(us, thread_pid, level);
	struct upid *here, *number;

	if (!task || task->pid != task->tgid || BPF_CORE_READ(task, thread_pid, level) < level)
		return 0;
	here = number_at(BPF_CORE_READ(us, thread_pid), level);
	number = number_at(BPF_CORE_READ(task, thread_pid), level);
	if (BPF_CORE_READ(number, ns) == BPF_CORE_READ(here, ns) &&
	    BPF_CORE_READ(number, nr) == wanted)
		found = task->tgid;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
