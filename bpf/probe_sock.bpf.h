/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a socket of the internet families, or a packet on its way to one.
 * Out:  both ends of it.
 * Owns: nothing.
 * Runs on: any context.
 */
#ifndef PROBE_SOCK_BPF_H
#define PROBE_SOCK_BPF_H

#include "probe.bpf.h"
#include <bpf/bpf_endian.h>

#define AF_INET		2
#define AF_INET6	10
#define PROTO_TCP	6
#define PROTO_UDP	17

#define TCP_SYN_SENT	2
#define TCP_CLOSE	7
#define TCP_LISTEN	10

static __always_inline void put_v4(__u8 *to, __be32 address)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	*(__be32 *)(to + 12) = address;
}

/* Also of a socket that is no more, or not yet, a whole one. */
static __always_inline void flow_of(struct xprobe_flow *f, struct sock *sk, __u8 protocol)
{
	f->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	f->protocol = protocol;
	f->reserved = 0;
	f->sport = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (!f->sport)	/* a whole one that closes: the port is given back, this one has it */
		f->sport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	f->dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (f->family == AF_INET) {
		put_v4(f->saddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		put_v4(f->daddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		bpf_probe_read_kernel(f->saddr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(f->daddr, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* Of a TCP packet that came in. */
static __always_inline void flow_of_skb(struct xprobe_flow *f, struct sk_buff *skb)
{
	unsigned char *head = BPF_CORE_READ(skb, head);
	struct iphdr *ip = (void *)head + BPF_CORE_READ(skb, network_header);
	struct tcphdr *tcp = (void *)head + BPF_CORE_READ(skb, transport_header);
	struct ipv6hdr *ip6 = (void *)ip;
	__be32 v4[2] = {};
	__be16 ports[2] = {};
	__u8 version = 0;

	__builtin_memset(f, 0, sizeof(*f));
	f->protocol = PROTO_TCP;
	bpf_probe_read_kernel(&version, 1, ip);
	if (version >> 4 == 4) {
		f->family = AF_INET;
		bpf_probe_read_kernel(v4, sizeof(v4), &ip->saddr);
		put_v4(f->daddr, v4[0]);
		put_v4(f->saddr, v4[1]);
	} else {
		f->family = AF_INET6;
		bpf_probe_read_kernel(f->daddr, 16, &ip6->saddr);
		bpf_probe_read_kernel(f->saddr, 16, &ip6->daddr);
	}
	bpf_probe_read_kernel(ports, sizeof(ports), &tcp->source);
	f->dport = bpf_ntohs(ports[0]);
	f->sport = bpf_ntohs(ports[1]);
}

#endif
