/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   the context of a program on a tracepoint.
 * Out:  whether the current task is the one that does it, or was only interrupted.
 * Owns: nothing.
 * Runs on: any context.
 */
#ifndef CONTEXT_BPF_H
#define CONTEXT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define STACK_BYTES	16384		/* of a task; of interrupts they are elsewhere */
#define PF_EXITING	0x00000004
#define PF_KTHREAD	0x00200000

/*
 * On x86 an interrupt of user space stays on the task's stack, which is empty then. Who ends, by a
 * fault perhaps, is in the kernel, of which interrupts are elsewhere.
 */
static __always_inline bool in_call(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return task->flags & (PF_KTHREAD | PF_EXITING) || (long)regs->orig_ax >= 0;
#else
	return true;
#endif
}

/*
 * The kernel puts the arguments of a tracepoint, which are our context, on the stack that it runs
 * on. Hard and soft interrupts have their own, in all kernels; preempt_count(), which says the
 * same, is a symbol that not all of them let programs use.
 *
 * Return: false: an interrupt, a fault, or the idle task.
 */
static __always_inline bool by_task(void *ctx, struct task_struct *current)
{
	__u64 at = 0, stack = (__u64)current->stack;

	bpf_probe_read_kernel(&at, sizeof(at), &ctx);	/* as a number */
	return current->pid && at - stack < STACK_BYTES && in_call(current);
}

#endif
