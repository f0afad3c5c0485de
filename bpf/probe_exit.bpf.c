// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   sched_process_exit: threads that end.
 * Out:  a record for each process whose last thread it was: how it ended.
 * Owns: which processes it has told, where the kernel does not say who is the last.
 * Runs on: the CPU of the thread, in its context.
 */
#include "probe.bpf.h"

#define SIGNAL_GROUP_EXIT 0x4	/* exit_group(), or a fatal signal, ends all threads */
#define CORE_DUMPED 0x80	/* of an exit code, beside the signal */

/* A process: its number goes to others. */
struct process {
	__u64 started;
	__u64 tgid;
};

/* key a process. Written and read by the program. Full: those that ended long ago go. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct process);
	__type(value, __u8);
} told SEC(".maps");

/*
 * Since 6.16 the kernel says which thread is the last. Before, threads that end at once each find
 * none left when they come here: the first of them is it.
 */
static __always_inline bool is_last(struct task_struct *task, bool says, bool last)
{
	struct process process = {
		.started = BPF_CORE_READ(task, group_leader, start_boottime),
		.tgid = task->tgid,
	};

	if (says)
		return last;
	return !BPF_CORE_READ(task, signal, live.counter) && probe_is_first(&told, &process);
}

static __always_inline void tell(struct task_struct *task, bool says, bool last)
{
	struct xcap_ev_probe *r;
	struct xprobe_exit *x;
	__u32 code;
	struct emit e;

	if (!is_last(task, says, last))
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
	bool says = bpf_core_field_exists(struct trace_event_raw_sched_process_exit, group_dead);
	bool last = false;

	if (says)
		last = ctx[1];
	undisturbed(tell(task, says, last));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
