/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a packet between the stack and a device, of whatever kind.
 * Out:  where in it a message of the domain name system begins, and between whom.
 * Owns: nothing.
 * Runs on: any context.
 *
 * Offsets are those of skb->data. What a packet says of its lengths is believed no further than
 * the bytes that are there: each is read by load(), which fails where there is none.
 */
#ifndef DNS_BPF_H
#define DNS_BPF_H

#include "probe_sock.bpf.h"

#define DNS_PORT	53
#define ETH_P_IP	0x0800
#define ETH_P_8021Q	0x8100
#define ETH_P_IPV6	0x86dd
#define ETH_P_8021AD	0x88a8
#define IP_OFFSET	0x1fff
#define NEXT_FRAGMENT	44

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *to) __ksym
	__weak;

/* Until something has answered, or the time is up. */
struct dns_key {
	__u8  client[16];
	__u8  server[16];
	__u16 port;		/* the client's */
	__u16 id;
	__u32 protocol;
};

struct dns_header {
	__be16 id;
	__be16 flags;
	__be16 questions;
	__be16 answers;
	__be16 more[2];
};

#define DNS_ANSWER	0x8000	/* flags */
#define DNS_OPCODE	0x7800
#define DNS_TRUNCATED	0x0200
#define DNS_RCODE	0x000f

struct dns_packet {
	__u8  src[16], dst[16];
	__u16 sport, dport;
	__u8  protocol;
	__u32 at;		/* of the message, or of its length before it */
};

/* By itself, for no other variable may take the dynptr's place on the stack. */
static __noinline bool load_paged(struct sk_buff *skb, __u32 off, void *to, __u32 n)
{
	struct bpf_dynptr whole;

	return !bpf_dynptr_from_skb((void *)skb, 0, &whole) &&
	       !bpf_dynptr_read(to, n, &whole, off, 0);
}

/* Bytes in pages can be read since Linux 6.12. */
static __always_inline bool load(struct sk_buff *skb, __u32 off, void *to, __u32 n)
{
	if (off + n <= skb->len - skb->data_len)
		return !bpf_probe_read_kernel(to, n, skb->data + off);
	return cfg.dynptrs && load_paged(skb, off, to, n);
}

/* Return: where the transport header is; 0 none, or it is in another fragment. */
static __always_inline __u32 parse_ip4(struct sk_buff *skb, __u32 off, struct dns_packet *p)
{
	struct iphdr ip;

	if (!load(skb, off, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
	    bpf_ntohs(ip.frag_off) & IP_OFFSET)
		return 0;
	put_v4(p->src, ip.saddr);
	put_v4(p->dst, ip.daddr);
	p->protocol = ip.protocol;
	return off + ip.ihl * 4;
}

static __always_inline __u32 parse_ip6(struct sk_buff *skb, __u32 off, struct dns_packet *p)
{
	struct ipv6hdr ip;
	struct {
		__u8 next, reserved;
		__be16 off;
	} part;

	if (!load(skb, off, &ip, sizeof(ip)) || ip.version != 6)
		return 0;
	__builtin_memcpy(p->src, &ip.saddr, 16);
	__builtin_memcpy(p->dst, &ip.daddr, 16);
	p->protocol = ip.nexthdr;
	off += sizeof(ip);
	if (ip.nexthdr != NEXT_FRAGMENT)
		return off;
	if (!load(skb, off, &part, sizeof(part)) || bpf_ntohs(part.off) & ~7)
		return 0;
	p->protocol = part.next;
	return off + 8;
}

/* Return: false: neither UDP nor TCP. */
static __always_inline bool parse(struct sk_buff *skb, __u32 off, struct dns_packet *p)
{
	__u16 type = bpf_ntohs(skb->protocol);
	struct tcphdr tcp;
	__be16 word;

	if ((type == ETH_P_8021Q || type == ETH_P_8021AD) && load(skb, off + 2, &word, 2)) {
		type = bpf_ntohs(word);
		off += 4;
	}
	off = type == ETH_P_IP ? parse_ip4(skb, off, p) :
	      type == ETH_P_IPV6 ? parse_ip6(skb, off, p) : 0;
	if (!off || (p->protocol != PROTO_UDP && p->protocol != PROTO_TCP) ||
	    !load(skb, off, &tcp, 8))
		return false;
	p->sport = bpf_ntohs(tcp.source);
	p->dport = bpf_ntohs(tcp.dest);
	p->at = off + 8;
	if (p->protocol == PROTO_TCP) {
		if (!load(skb, off, &tcp, sizeof(tcp)))
			return false;
		p->at = off + (tcp.flags >> 4 & 15) * 4;
	}
	return true;
}

#endif
