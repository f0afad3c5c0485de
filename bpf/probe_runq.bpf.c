// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   sched_wakeup, sched_wakeup_new, sched_switch of all CPUs.
 * Out:  a row for each process: how long its threads waited for a CPU.
 * Owns: since when each thread waits.
 * Runs on: the CPU of the scheduler, which holds locks: only maps that allocate nothing.
 */
#include "probe.bpf.h"
#include "tree.bpf.h"

#define TASK_DEAD 0x80
#define PREEMPTED 1ULL	/* the lowest bit of the time: it had a CPU, and was taken off it */

PROBE_TOTALS(struct xprobe_runq, 16384)

/*
 * key thread, value since when it waits for a CPU; 0: it does not. Written by whoever makes it
 * runnable, read when it gets the CPU, freed when it ends. Full: counted in table_full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} waiting SEC(".maps");

static __always_inline void begin(struct task_struct *task, __u64 preempted)
{
	__u64 now = (bpf_ktime_get_ns() & ~PREEMPTED) | preempted, *since;
	__u32 tid = task->pid;

	if (!tid)	/* the idle task waits for nothing */
		return;
	since = bpf_map_lookup_elem(&waiting, &tid);
	/* woken before it could sleep: it waits since it was taken off */
	if (since && !preempted && *since & PREEMPTED)
		return;
	if (likely(since))
		*since = now;
	else if (bpf_map_update_elem(&waiting, &tid, &now, BPF_ANY))
		__sync_fetch_and_add(&table_full, 1);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(runq_wakeup, struct task_struct *task)
{
	begin(task, 0);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(runq_new, struct task_struct *task)
{
	begin(task, 0);
	return 0;
}

static __always_inline void end(struct task_struct *task)
{
	struct probe_key key = { .pid = task->tgid };
	__u32 tid = task->pid;
	__u64 *since = bpf_map_lookup_elem(&waiting, &tid), began;
	struct total *t;
	__s64 ns;

	if (!since || !*since)
		return;
	began = *since;
	*since = 0;
	t = probe_total(&key, task);
	if (!t)
		return;
	ns = bpf_ktime_get_ns() - (began & ~PREEMPTED);
	__sync_fetch_and_add(&t->row.preempted, began & PREEMPTED);
	probe_hist(&t->row.hist, ns > 0 ? ns : 0);
	probe_changed(&t->head);
}

/* Not the state that the event tells: a signal may have kept the thread from sleeping. */
SEC("tp_btf/sched_switch")
int BPF_PROG(runq_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 tid = prev->pid;

	if (preempt || !prev->__state)
		begin(prev, PREEMPTED);
	else if (prev->__state & TASK_DEAD)
		bpf_map_delete_elem(&waiting, &tid);
	if (next->pid)
		end(next);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
