// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   kfree_skb: packets that are thrown away, not those that are done with.
 * Out:  a record each: which, why, and where in the kernel.
 * Owns: the names of reasons, which the library fills in.
 * Runs on: any CPU, in any context: who runs is nobody's doing; the socket says whose it is.
 */
#include "probe_sock.bpf.h"

#define ETH_IP		0x0800
#define ETH_IPV6	0x86dd
#define MORE_FRAGMENT	0x1fff		/* not the first: no ports */

/* key reason, value its name. Written by the library before the program runs. Never full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, char[32]);
} reasons SEC(".maps");

/* What TCP and UDP begin with. */
struct ports {
	__be16 source, dest;
};

static __always_inline void put_ports(struct xprobe_flow *f, const void *at)
{
	struct ports p;

	if ((f->protocol != PROTO_TCP && f->protocol != PROTO_UDP) ||
	    bpf_probe_read_kernel(&p, sizeof(p), at))
		return;
	f->sport = bpf_ntohs(p.source);
	f->dport = bpf_ntohs(p.dest);
}

/* The ends, as they stand in the packet: what is no header of the version it claims is none. */
static __always_inline void put_ends(struct xprobe_flow *f, struct sk_buff *skb, __u16 protocol)
{
	const void *head = BPF_CORE_READ(skb, head);
	const void *at = head + BPF_CORE_READ(skb, network_header);
	struct ipv6hdr ip6;
	struct iphdr ip;

	if (protocol == ETH_IP && !bpf_probe_read_kernel(&ip, sizeof(ip), at) && ip.version == 4 &&
	    ip.ihl >= 5) {
		f->family = AF_INET;
		f->protocol = ip.protocol;
		put_v4(f->saddr, ip.saddr);
		put_v4(f->daddr, ip.daddr);
		if (!(bpf_ntohs(ip.frag_off) & MORE_FRAGMENT))
			put_ports(f, at + 4 * ip.ihl);
	} else if (protocol == ETH_IPV6 && !bpf_probe_read_kernel(&ip6, sizeof(ip6), at) &&
		   ip6.version == 6) {
		f->family = AF_INET6;
		f->protocol = ip6.nexthdr;
		__builtin_memcpy(f->saddr, &ip6.saddr, sizeof(f->saddr));
		__builtin_memcpy(f->daddr, &ip6.daddr, sizeof(f->daddr));
		put_ports(f, at + sizeof(ip6));
	}
}

/* Where queues of sockets keep something else in its place, it is no device. */
static __always_inline void put_device(struct xprobe_drops *x, struct sk_buff *skb)
{
	struct net_device *dev = BPF_CORE_READ(skb, dev);

	__builtin_memset(x->device, 0, sizeof(x->device));
	if (dev && BPF_CORE_READ(dev, name_node, dev) == dev)
		bpf_probe_read_kernel_str(x->device, sizeof(x->device), dev->name);
}

static __always_inline void put_why(struct xprobe_drops *x, __u32 reason, void *location)
{
	char (*name)[32] = bpf_map_lookup_elem(&reasons, &reason);

	x->code = reason;
	__builtin_memset(x->reason, 0, sizeof(x->reason));
	if (name)
		__builtin_memcpy(x->reason, name, sizeof(x->reason));
	else
		BPF_SNPRINTF(x->reason, sizeof(x->reason), "%u", reason);
	__builtin_memset(x->place, 0, sizeof(x->place));
	BPF_SNPRINTF(x->place, sizeof(x->place), "%pS", location);
}

static __always_inline void tell(struct sk_buff *skb, void *location, __u32 reason,
				 struct sock *sk)
{
	struct xcap_ev_probe *r;
	struct xprobe_drops *x;
	struct emit e;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	if (!sk)
		sk = BPF_CORE_READ(skb, sk);
	if (sk)
		r->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	x = (void *)r->data;
	__builtin_memset(&x->flow, 0, sizeof(x->flow));
	x->bytes = BPF_CORE_READ(skb, len);
	x->ethertype = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	x->reserved = 0;
	x->reserved2 = 0;
	put_ends(&x->flow, skb, x->ethertype);
	put_device(x, skb);
	put_why(x, reason, location);
	emit_submit(r);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(on_drop, struct sk_buff *skb, void *location, __u32 reason)
{
	struct sock *sk = NULL;

	/* since 6.11 it says whose socket was to have it; as a number: verifiers take it for one */
	if (bpf_core_field_exists(struct trace_event_raw_kfree_skb, rx_sk))
		bpf_probe_read_kernel(&sk, sizeof(sk), &ctx[3]);
	undisturbed(tell(skb, location, reason, sk));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
