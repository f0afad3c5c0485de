// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   sched_process_exit: threads that end.
 * Out:  a record for each process whose last thread it was: how it ended.
 * Owns: nothing beyond its maps (emit.bpf.h).
 * Runs on: the CPU of the thread, in its context.
 */
#include "probe.bpf.h"

#define SIGNAL_GROUP_EXIT 0x4	/* exit_group(), or a fatal signal, ends all threads */
#define CORE_DUMPED 0x80	/* of an exit code, beside the signal */

static __always_inline void tell(struct task_struct *task)
{
	struct xcap_ev_probe *r;
	struct xprobe_exit *x;
	__u32 code;
	struct emit e;

	if (BPF_CORE_READ(task, signal, live.counter))
		return;
	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	probe_task(r, task);
	/* as wait() has it */
	code = BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT ?
	       BPF_CORE_READ(task, signal, group_exit_code) :
	       BPF_CORE_READ(task, group_leader, exit_code);
	x = (void *)r->data;
	x->status = code >> 8 & 0xff;
	x->signal = code & 0x7f;
	x->dumped = !!(code & CORE_DUMPED);
	x->age_ns = bpf_ktime_get_boot_ns() - BPF_CORE_READ(task, group_leader, start_boottime);
	x->ppid = BPF_CORE_READ(task, real_parent, tgid);
	emit_submit(r);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	undisturbed(tell(task));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
