// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames at XDP and tc.
 * Out:  none.
 * Verdict: all are dropped, which a test counts.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define TC_ACT_SHOT 2

SEC("xdp")
int drop_xdp(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("tc")
int drop_tc(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
