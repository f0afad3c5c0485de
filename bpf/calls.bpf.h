/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a program that runs in the context of a task, at sys_enter, sys_exit or another tracepoint.
 * Out:  which ABI the call came by; a way to be alone on the CPU.
 * Owns: nothing.
 * Runs on: the CPU of the task. The including file has a `cfg` with `hold_cpu`.
 */
#ifndef CALLS_BPF_H
#define CALLS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "peek.bpf.h"

#define TS_COMPAT	0x0002		/* arch/x86: this call came by the 32-bit door */

/*
 * Recent kernels run these programs with preemption on: the change that brought
 * trace_call_bpf_faultable() did that, some time after bpf_preempt_disable()
 * (6.10). Another program of this object could then write between our reservation
 * and its stamp, and to counters that are not atomic. So we switch it off.
 * What the kernel skips for recursion meanwhile, it counts.
 */
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

#define undisturbed(call) do {			\
	if (cfg.hold_cpu)			\
		bpf_preempt_disable();		\
	call;					\
	if (cfg.hold_cpu)			\
		bpf_preempt_enable();		\
} while (0)

static __always_inline bool is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	return false;
#endif
}

#define S_IFMT		0170000
#define S_IFSOCK	0140000

/* The open file behind a descriptor. Return: NULL: there is none. */
static __always_inline struct file *file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = PEEK(struct files_struct, task->files, fdt);
	struct file **at;

	if (fd >= PEEK(struct fdtable, fdt, max_fds))
		return NULL;
	at = PEEK(struct fdtable, fdt, fd) + fd;
	/* any structure that begins with a pointer will do, to read one */
	return (struct file *)PEEK(struct hlist_head, at, first);
}

#endif
