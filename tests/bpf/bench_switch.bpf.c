// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   wake-ups and switches of the whole host.
 * Out:  nothing.
 * Owns: nothing.
 * Runs on: the scheduler.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("tp_btf/sched_wakeup")
int BPF_PROG(empty_wakeup)
{
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(empty_switch)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
