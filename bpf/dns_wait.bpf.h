/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   queries that were sent, and what was found to have become of them.
 * Out:  a record for each.
 * Owns: those that wait, and the clock that gives them up.
 * Runs on: any context.
 */
#ifndef DNS_WAIT_BPF_H
#define DNS_WAIT_BPF_H

#include "dns.bpf.h"

#define WAIT_NS		5000000000ULL	/* for an answer, since it was sent last */
#define ALL_NS		30000000000ULL	/* since it was sent first: somebody may ask for ever */
#define CLOCK_MONOTONIC	1

#define LOOK_NS		500000000ULL	/* how often it is looked for those that waited so long */

struct query {
	struct xprobe_dns row;	/* as it will be told */
	__u64 cookie;
	__u64 sent_ns;		/* 0: not all of it is there */
	__u64 again_ns;		/* when it was sent last */
	__u32 told;		/* 1: somebody does, or has */
	__u32 reserved;
};

/* Written and read by the programs. Full: the query is not told, which is counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct dns_key);
	__type(value, struct query);
} queries SEC(".maps");

/* what a query begins as: zeros, which nobody writes */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct query);
} none SEC(".maps");

struct clock {
	struct bpf_timer timer;
};

/* One for all: what the kernel has no memory for at once is asked for again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct clock);
} clocks SEC(".maps");

__u64 ticks = 0;	/* 1: the clock does */
__u64 waiting = 0;	/* queries; while it is 0, packets that come in are none of our business */

static __always_inline void tell(struct dns_key *key, struct query *q, __s32 rcode, __u32 answers)
{
	struct xcap_ev_probe *r;
	struct xprobe_dns *x;
	struct emit e;

	if (__sync_val_compare_and_swap(&q->told, 0, 1))
		return;
	r = probe_reserve(&e, sizeof(*x));
	if (r) {
		r->cookie = q->cookie;
		x = (void *)r->data;
		__builtin_memcpy(x, &q->row, sizeof(*x));
		x->latency_ns = r->ev.mono_ns - q->sent_ns;
		x->rcode = rcode;
		x->answers = answers;
		emit_submit(r);
	}
	if (!bpf_map_delete_elem(&queries, key))
		__sync_fetch_and_add(&waiting, -1);
}

static int look(void *map, struct dns_key *key, struct query *q, __u64 *now)
{
	if (q->sent_ns && (*now > q->again_ns + WAIT_NS || *now > q->sent_ns + ALL_NS))
		tell(key, q, XPROBE_DNS_NONE, 0);
	return 0;
}

static int tick(void *map, __u32 *zero, struct clock *c)
{
	__u64 now = bpf_ktime_get_ns();

	if (waiting)
		bpf_for_each_map_elem(&queries, look, &now, 0);
	bpf_timer_start(&c->timer, LOOK_NS, 0);
	return 0;
}

static __always_inline void start_clock(void)
{
	__u32 zero = 0;
	struct clock *c = bpf_map_lookup_elem(&clocks, &zero);

	if (!c)
		return;
	bpf_timer_init(&c->timer, &clocks, CLOCK_MONOTONIC);
	if (!bpf_timer_set_callback(&c->timer, tick) && !bpf_timer_start(&c->timer, LOOK_NS, 0))
		ticks = 1;
}

#endif
