// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames at TCX, both directions; on kernels before TCX, at an AF_PACKET socket.
 * Out:  a copy in the ring buffer; the frame goes on to the next program untouched.
 * Owns: nothing beyond its maps (emit.bpf.h).
 * Runs on: softirq, or the sender's context with softirqs off.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define PACKET_CTX	struct __sk_buff
#define packet_load(ctx, off, to, len) bpf_skb_load_bytes(ctx, off, to, len)
#define packet_load_small(ctx, to, len) bpf_skb_load_bytes(ctx, 0, to, len)
#include "packet.bpf.h"
#include "filter.bpf.h"

#define PACKET_OUTGOING	4		/* linux/if_packet.h */
#define PACKET_LOOPBACK	5		/* the host's own multicast coming back: no link header */

const volatile struct tcx_copy_cfg cfg = {};

/* As progs of filter.bpf.h, for the program of the packet socket. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, XPROG_MAX);
	__type(key, __u32);
	__type(value, __u32);
} socket_progs SEC(".maps");

static __always_inline void copy(struct __sk_buff *skb, __u8 flags)
{
	struct packet p = {
		.wire_len = skb->len,
		.ifindex = cfg.ifindex,
		.queue = flags & XEV_OUT || !skb->queue_mapping ? 0 : skb->queue_mapping - 1,
		.flags = flags,
	};

	/* what comes in may still have the socket that sent it, across namespaces of this host */
	if (cfg.owner)
		p.cookie = bpf_get_socket_cookie(skb);
	/*
	 * The kernel keeps an outer tag beside the frame. vlan_proto is in network
	 * order already, vlan_tci is not.
	 */
	if (skb->vlan_present) {
		p.tagged = 1;
		p.vlan = skb->vlan_proto | (__u32)bpf_htons(skb->vlan_tci) << 16;
		p.wire_len += VLAN_HLEN;
	}
	packet_emit(skb, &p, cfg.snaplen);
}

SEC("tc")
int tcx_in(struct __sk_buff *skb)
{
	if (skb->pkt_type == PACKET_LOOPBACK)
		return TCX_NEXT;
	filter_first(skb, &progs, XPROG_FILTER_IN);
	copy(skb, 0);
	return TCX_NEXT;
}

SEC("tc")
int tcx_out(struct __sk_buff *skb)
{
	filter_first(skb, &progs, XPROG_FILTER_OUT);
	copy(skb, XEV_OUT);
	return TCX_NEXT;
}

/* Behind a filter. */
SEC("tc")
int tcx_in_kept(struct __sk_buff *skb)
{
	copy(skb, 0);
	return TCX_NEXT;
}

SEC("tc")
int tcx_out_kept(struct __sk_buff *skb)
{
	copy(skb, XEV_OUT);
	return TCX_NEXT;
}

/* Keeps nothing: the socket's queue stays empty, the ring has the record. */
SEC("socket")
int packet_both(struct __sk_buff *skb)
{
	bool out = skb->pkt_type == PACKET_OUTGOING;

	if (out && cfg.loopback)
		return 0;
	filter_first(skb, &socket_progs, XPROG_FILTER_IN);
	copy(skb, out ? XEV_OUT : 0);
	return 0;
}

SEC("socket")
int packet_kept(struct __sk_buff *skb)
{
	copy(skb, skb->pkt_type == PACKET_OUTGOING ? XEV_OUT : 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
