// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames that come in by a device which only shows them.
 * Out:  the same frames, marked as another host's: packet sockets and programs behind this
 *       one see them as they are, and every protocol of this host drops them unseen.
 * Owns: nothing.
 * Runs on: softirq at TCX or clsact ingress, before any protocol.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define PACKET_OTHERHOST 3		/* linux/if_packet.h */

SEC("tc")
int nobodys(struct __sk_buff *skb)
{
	bpf_skb_change_type(skb, PACKET_OTHERHOST);
	return TCX_NEXT;
}

char LICENSE[] SEC("license") = "GPL";
