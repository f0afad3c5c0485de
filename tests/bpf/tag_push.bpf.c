// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   any frame on its way out.
 * Out:  the same with VLAN tag 7, beside the frame as a VLAN device puts it.
 * Owns: nothing.
 * Runs on: the sending CPU, at the tc hook.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int tag_push(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, bpf_htons(0x8100), 7);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
