// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   system calls of the whole host, at entry and exit.
 * Out:  nothing (the empty pair), or two bare 64-byte records a call.
 * Owns: nothing; the bench maps the ring.
 * Runs on: the calling task.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "../bench/bench_shared.h"

/* Records that found no room; near enough when more than one CPU is busy. */
__u64 nr_lost;

/* writer: the pairs; reader: the bench, which naps; full: counted in nr_lost */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BENCH_RING_BYTES);
} bench_ring SEC(".maps");

SEC("tp_btf/sys_enter")
int BPF_PROG(empty_enter)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(empty_exit)
{
	return 0;
}

static __always_inline struct bench_call *begin(bool stamp)
{
	struct bench_call *rec = bpf_ringbuf_reserve(&bench_ring, sizeof(*rec), 0);

	if (!rec) {
		nr_lost++;
		return 0;
	}
	rec->mono_ns = stamp ? bpf_ktime_get_ns() : 0;
	rec->pid_tgid = bpf_get_current_pid_tgid();
	return rec;
}

static __always_inline int enter(struct pt_regs *regs, long nr, bool stamp)
{
	struct bench_call *rec = begin(stamp);

	if (!rec)
		return 0;
	rec->nr = nr;
	rec->args[0] = regs->di;
	rec->args[1] = regs->si;
	rec->args[2] = regs->dx;
	rec->args[3] = regs->r10;
	rec->args[4] = regs->r8;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline int leave(struct pt_regs *regs, long ret, bool stamp)
{
	struct bench_call *rec = begin(stamp);

	if (!rec)
		return 0;
	rec->nr = regs->orig_ax;
	rec->args[0] = ret;
	rec->args[1] = 0;
	rec->args[2] = 0;
	rec->args[3] = 0;
	rec->args[4] = 0;
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(bare_enter, struct pt_regs *regs, long nr)
{
	return enter(regs, nr, false);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(bare_exit, struct pt_regs *regs, long ret)
{
	return leave(regs, ret, false);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(stamped_enter, struct pt_regs *regs, long nr)
{
	return enter(regs, nr, true);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(stamped_exit, struct pt_regs *regs, long ret)
{
	return leave(regs, ret, true);
}

char _license[] SEC("license") = "GPL";
