// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   sys_exit of the whole host.
 * Out:  a row for each process and call: how often it returned, how often it failed.
 * Owns: nothing beyond its maps.
 * Runs on: the CPU of the task, in its context.
 *
 * Half of what the entries would cost besides. So exit and exit_group, which do not return, are
 * not counted, and an execveat that succeeds is the execve that the kernel takes it for. A clone
 * returns twice: it is counted for who made it.
 */
#include "probe.bpf.h"
#include "tree.bpf.h"

#define MAX_ERRNO 4095

PROBE_TOTALS(struct xprobe_syscount, 65536)

static __always_inline __u32 number_of(struct pt_regs *regs, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	__u32 nr = regs->orig_ax;

	if (unlikely(nr == (__u32)-1))	/* sigreturn restored what was before */
		return compat ? 173 : 15;
	return nr;
#else
	return regs->syscallno == -1 ? 139 : regs->syscallno;
#endif
}

static __always_inline bool is_clone(__u32 nr, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	return nr == 435 || (compat ? nr == 2 || nr == 120 || nr == 190 : nr >= 56 && nr <= 58);
#else
	return nr == 435 || nr == 220;
#endif
}

static __always_inline void on_exit(struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool compat = is_compat(task);
	struct probe_key key = {
		.pid = task->tgid,
		.what = { number_of(regs, compat), compat },
	};
	struct total *t;

	if (!ret && is_clone(key.what[0], compat))	/* this is the child */
		return;
	t = probe_total(&key, task);
	if (!t)
		return;
	t->row.nr = key.what[0];
	t->row.compat = compat;
	if (compat)
		ret = (__s32)ret;
	__sync_fetch_and_add(&t->row.count, 1);
	if (ret < 0 && ret >= -MAX_ERRNO)
		__sync_fetch_and_add(&t->row.errors, 1);
	probe_changed(&t->head);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(count_exit, struct pt_regs *regs, long ret)
{
	undisturbed(on_exit(regs, ret));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
