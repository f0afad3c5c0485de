/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a frame at a hook that lets it pass, and the hook's own way to read it.
 * Out:  one packet record with as many bytes as the frame has, within snaplen.
 * Owns: nothing.
 * Runs on: softirq, or task context with softirqs off.
 *
 * The including file defines PACKET_CTX, the context type; packet_load(ctx, off,
 * to, len), which returns 0 when it has read; and packet_load_small(ctx, to, len),
 * the same from the first byte on for at most SMALL_MAX bytes.
 *
 * A ring buffer reservation is a constant in the verifier's eyes, so there are
 * size buckets: what is reserved follows the packet. The reader looks at caplen
 * bytes only, so the rest of a bucket stays as it is.
 */
#ifndef PACKET_BPF_H
#define PACKET_BPF_H

#include "emit.bpf.h"

#define PACKET_MAX	65536		/* largest bucket */
#define SMALL_MAX	64		/* smallest bucket */
#define VLAN_HLEN	4
#define MACS_LEN	12		/* both addresses: where a tag goes */

struct packet {
	__u32 wire_len;
	__u32 ifindex;
	__u32 queue;
	__u64 cookie;
	__u32 vlan;		/* tag in network order, protocol first; used if tagged */
	__u8 tagged;		/* the tag was moved out of line, put it back */
	__u8 flags;
};

/* 6.1 does not learn from `x == 0` that x is at least 1 elsewhere, but from an order it does. */
#define at_least_one(x) asm volatile("if %0 > 0 goto +1\n%0 = 1" : "+r"(x))

/* Return: 0 when the bytes are there; size is a constant of at least n + VLAN_HLEN. */
static __always_inline int packet_fill(PACKET_CTX *ctx, const struct packet *p, __u8 *to, __u32 n,
				       const __u32 size)
{
	/* never so, but where n was kept on the stack meanwhile 6.1 has lost sight of it */
	at_least_one(n);
	if (n > size)
		return -1;
	if (!p->tagged && size == SMALL_MAX)
		return packet_load_small(ctx, to, n);
	if (!p->tagged || n <= MACS_LEN)
		return packet_load(ctx, 0, to, n);
	if (packet_load(ctx, 0, to, MACS_LEN))
		return -1;
	*(__u32 *)(to + MACS_LEN) = p->vlan;	/* the smallest bucket has room for all of it */
	if (n <= MACS_LEN + VLAN_HLEN)
		return 0;
	n -= MACS_LEN + VLAN_HLEN;
	at_least_one(n);
	if (n > size - MACS_LEN - VLAN_HLEN)
		return -1;
	return packet_load(ctx, MACS_LEN, to + MACS_LEN + VLAN_HLEN, n);
}

static __always_inline void packet_copy(PACKET_CTX *ctx, struct emit *e, const struct packet *p,
					__u32 n, const __u32 size)
{
	struct xcap_ev_packet *r = emit_reserve(e, sizeof(*r) + size);

	if (!r)
		return;
	emit_stamp(e, &r->ev, XEV_PACKET, sizeof(*r) + n);
	r->ev.flags = p->flags;
	r->ifindex = p->ifindex;
	r->wire_len = p->wire_len;
	r->queue = p->queue;
	r->cookie = p->cookie;
	r->caplen = packet_fill(ctx, p, r->data, n, size) ? 0 : n;
	emit_submit(r);
}

static __always_inline void packet_emit(PACKET_CTX *ctx, const struct packet *p, __u32 snaplen)
{
	__u32 n = p->wire_len < snaplen ? p->wire_len : snaplen;
	struct emit e;

	if (!emit_begin(&e))
		return;
	at_least_one(n);
#define BUCKET(size) if (n <= (size)) return packet_copy(ctx, &e, p, n, size)
	BUCKET(SMALL_MAX);
	BUCKET(128);
	BUCKET(192);
	BUCKET(256);
	BUCKET(512);
	BUCKET(1024);
	BUCKET(1536);
	BUCKET(2048);
	BUCKET(4096);
	BUCKET(9216);
	BUCKET(16384);
	BUCKET(32768);
	BUCKET(PACKET_MAX);
#undef BUCKET
	n = PACKET_MAX;
	packet_copy(ctx, &e, p, n, PACKET_MAX);
}

#endif
