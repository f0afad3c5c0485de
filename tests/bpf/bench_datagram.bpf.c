// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   packets of the whole host, sent and received.
 * Out:  nothing.
 * Owns: nothing.
 * Runs on: the network stack.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("tp_btf/net_dev_queue")
int BPF_PROG(empty_sent)
{
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(empty_received)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
