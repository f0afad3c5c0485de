// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   packets that sockets of this host send to port 53, and what comes back.
 * Out:  a record for each query: with its answer, or without one after five seconds.
 * Owns: the queries that wait.
 * Runs on: task context with softirqs off, and softirq.
 */
#include "dns_wait.bpf.h"

#define NR_PIPELINED	5	/* messages that are looked for in a TCP segment */

/* ---- queries ---- */

static __always_inline void fill(struct sk_buff *skb, struct xprobe_dns *row,
				 const struct dns_packet *p, const struct dns_key *key, __u32 at)
{
	__u32 left = skb->len > at ? skb->len - at : 0;

	__builtin_memcpy(row->flow.saddr, p->src, 16);
	__builtin_memcpy(row->flow.daddr, p->dst, 16);
	row->flow.sport = p->sport;
	row->flow.dport = DNS_PORT;
	row->flow.family = bpf_ntohs(skb->protocol) == ETH_P_IPV6 ? AF_INET6 : AF_INET;
	row->flow.protocol = p->protocol;
	row->id = key->id;
	if (left > sizeof(row->question))
		left = sizeof(row->question);
	opaque(left);
	if (left && left <= sizeof(row->question) && load(skb, at, row->question, left))
		row->question_len = left;
}

static __always_inline void ask(struct sk_buff *skb, struct sock *sk, const struct dns_packet *p,
				__u32 at)
{
	struct dns_key key = { .port = p->sport, .protocol = p->protocol };
	struct dns_header h;
	struct query *q;
	__u32 zero = 0;
	bool is_new;
	void *blank = bpf_map_lookup_elem(&none, &zero);

	if (!blank || !load(skb, at, &h, sizeof(h)) || h.questions != bpf_htons(1) ||
	    bpf_ntohs(h.flags) & (DNS_ANSWER | DNS_OPCODE))
		return;
	__builtin_memcpy(key.client, p->src, 16);
	__builtin_memcpy(key.server, p->dst, 16);
	key.id = bpf_ntohs(h.id);
	/* one that is sent again, or passes another device, waits already */
	q = bpf_map_lookup_elem(&queries, &key);
	if (q) {
		q->again_ns = bpf_ktime_get_ns();
		return;
	}
	is_new = !bpf_map_update_elem(&queries, &key, blank, BPF_NOEXIST);
	q = bpf_map_lookup_elem(&queries, &key);
	if (!q) {
		__sync_fetch_and_add(&table_full, 1);
		return;
	}
	if (!is_new)	/* another CPU was faster */
		return;
	__sync_fetch_and_add(&waiting, 1);
	if (unlikely(!ticks))
		start_clock();
	q->cookie = sk->__sk_common.skc_cookie.counter;
	fill(skb, &q->row, p, &key, at + sizeof(h));
	q->again_ns = bpf_ktime_get_ns();
	barrier();	/* look() goes by it */
	q->sent_ns = q->again_ns;
}

/* ---- answers ---- */

static __always_inline void answer(struct sk_buff *skb, const struct dns_packet *p, __u32 at)
{
	struct dns_key key = { .port = p->dport, .protocol = p->protocol };
	struct dns_header h;
	struct query *q;

	if (!load(skb, at, &h, sizeof(h)) || !(bpf_ntohs(h.flags) & DNS_ANSWER))
		return;
	__builtin_memcpy(key.client, p->dst, 16);
	__builtin_memcpy(key.server, p->src, 16);
	key.id = bpf_ntohs(h.id);
	q = bpf_map_lookup_elem(&queries, &key);
	if (!q)
		return;
	q->row.truncated = !!(bpf_ntohs(h.flags) & DNS_TRUNCATED);
	tell(&key, q, bpf_ntohs(h.flags) & DNS_RCODE, bpf_ntohs(h.answers));
}

/* ---- where packets pass ---- */

static __always_inline void each(struct sk_buff *skb, struct sock *sk, const struct dns_packet *p)
{
	__u32 at = p->at;
	__be16 len;

	if (p->protocol == PROTO_UDP) {
		sk ? ask(skb, sk, p, at) : answer(skb, p, at);
		return;
	}
	for (int i = 0; i < NR_PIPELINED && load(skb, at, &len, sizeof(len)); i++) {
		sk ? ask(skb, sk, p, at + 2) : answer(skb, p, at + 2);
		at += 2 + bpf_ntohs(len);
	}
}

/*
 * What a socket sends, in its own namespace. A connected one tells at once whom it talks to. The
 * server of a container may be at 127.0.0.11, where another port is put into the packet on its way.
 */
SEC("tp_btf/net_dev_queue")
int BPF_PROG(on_queue, struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct dns_packet p = {};
	__u16 port;

	if (!sk)
		return 0;
	port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (likely(port && port != DNS_PORT))
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	if (sk->__sk_common.skc_net.net != skb->dev->nd_net.net)
		return 0;
	if (!parse(skb, BPF_CORE_READ(skb, head) + skb->network_header - BPF_CORE_READ(skb, data),
		   &p))
		return 0;
	if (p.dport == DNS_PORT || (port == DNS_PORT && p.dst[10] == 0xff && p.dst[12] == 127))
		undisturbed(each(skb, sk, &p));
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(on_receive, struct sk_buff *skb)
{
	struct dns_packet p = {};

	if (likely(!waiting))
		return 0;
	if (unlikely(!ticks))
		start_clock();
	if (parse(skb, 0, &p) && p.sport == DNS_PORT)
		undisturbed(each(skb, NULL, &p));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
