// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames of our ethertype, which say what is to become of them: an action, a device.
 * Out:  that action, or a redirect to that device; XDP_PASS for all others.
 * Owns: nothing.
 * Runs on: the receiving CPU.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define OURS 0x88b5	/* for experiments on one's own network */

struct order {
	struct ethhdr eth;
	__u16 reserved;
	__u32 action;
	__u32 ifindex;
};

SEC("xdp")
int xdp_lose(struct xdp_md *ctx)
{
	struct order *o = (void *)(long)ctx->data;

	if ((void *)(o + 1) > (void *)(long)ctx->data_end || o->eth.h_proto != bpf_htons(OURS))
		return XDP_PASS;
	return o->action == XDP_REDIRECT ? bpf_redirect(o->ifindex, 0) : o->action;
}

char LICENSE[] SEC("license") = "GPL";
