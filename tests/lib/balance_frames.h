/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   what a frame should say.
 * Out:  its bytes, header by header.
 * Owns: nothing.
 * Runs on: any thread.
 */
#ifndef BALANCE_FRAMES_H
#define BALANCE_FRAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "balance.h"

#define FRAME_MAX 1024
#define MANY (1u << 31)		/* instances: two flows meet in one by luck only */

struct frame {
	uint8_t bytes[FRAME_MAX];
	uint32_t len;
};

/* Of IPv4 the first four bytes of each address are used. */
struct talk {
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint8_t protocol;
	bool is6;
};

static inline void add(struct frame *f, const void *bytes, uint32_t len)
{
	if (f->len + len > FRAME_MAX)
		abort();
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

static inline void add8(struct frame *f, uint8_t v)
{
	add(f, &v, 1);
}

static inline void add16(struct frame *f, uint16_t v)
{
	add8(f, v >> 8);
	add8(f, v);
}

static inline void add32(struct frame *f, uint32_t v)
{
	add16(f, v >> 16);
	add16(f, v);
}

static inline void add_zeros(struct frame *f, uint32_t n)
{
	while (n--)
		add8(f, 0);
}

static inline struct talk answer_to(struct talk t)
{
	struct talk back = t;

	memcpy(back.src, t.dst, 16);
	memcpy(back.dst, t.src, 16);
	back.src_port = t.dst_port;
	back.dst_port = t.src_port;
	return back;
}

static inline uint16_t type_of(const struct talk *t)
{
	return t->is6 ? 0x86dd : 0x0800;
}

/* Hardware addresses are numbers. */
static inline void add_ethernet(struct frame *f, uint16_t dst, uint16_t src, uint16_t type)
{
	add32(f, 0x02000000);
	add16(f, dst);
	add32(f, 0x02000000);
	add16(f, src);
	add16(f, type);
}

/* flags: IPv4's 16 bits of fragment flags and offset; options: words of them. */
static inline void add_ip4(struct frame *f, const struct talk *t, uint16_t flags, uint32_t options)
{
	add8(f, 0x45 + options);
	add8(f, 0);
	add16(f, 1000);
	add16(f, 7);
	add16(f, flags);
	add8(f, 64);
	add8(f, t->protocol);
	add16(f, 0);
	add(f, t->src, 4);
	add(f, t->dst, 4);
	for (uint32_t i = 0; i < options; i++)
		add32(f, 0x01010101);
}

static inline void add_ip6(struct frame *f, const struct talk *t, uint8_t next)
{
	add32(f, 0x60012345);
	add16(f, 1000);
	add8(f, next);
	add8(f, 64);
	add(f, t->src, 16);
	add(f, t->dst, 16);
}

/* The header of either version, without extensions. */
static inline void add_ip(struct frame *f, const struct talk *t)
{
	if (t->is6)
		add_ip6(f, t, t->protocol);
	else
		add_ip4(f, t, 0x4000, 0);
}

/* What stands behind IP: ports, of a length that TCP's header has; an echo's identifier. */
static inline void add_upper(struct frame *f, const struct talk *t)
{
	if (t->protocol == IPPROTO_ICMP || t->protocol == IPPROTO_ICMPV6) {
		add8(f, t->protocol == IPPROTO_ICMP ? 8 : 128);
		add8(f, 0);
		add16(f, 0);
		add16(f, t->src_port);
		add_zeros(f, 10);
		return;
	}
	add16(f, t->src_port);
	add16(f, t->dst_port);
	add_zeros(f, 16);
}

static inline struct frame plain(const struct talk *t)
{
	struct frame f = { .len = 0 };

	add_ethernet(&f, 1, 2, type_of(t));
	add_ip(&f, t);
	add_upper(&f, t);
	return f;
}

/* offset: in eights of bytes, and whether more follow. */
static inline struct frame fragment(const struct talk *t, uint16_t offset, bool more)
{
	struct frame f = { .len = 0 };

	add_ethernet(&f, 1, 2, type_of(t));
	if (t->is6) {
		add_ip6(&f, t, IPPROTO_FRAGMENT);
		add8(&f, t->protocol);
		add8(&f, 0);
		add16(&f, offset << 3 | more);
		add32(&f, 99);
	} else {
		add_ip4(&f, t, offset | more << 13, 0);
	}
	add_upper(&f, t);
	return f;
}

/* In memory of just that size, so that ASan sees one byte too far. */
static inline uint32_t pick_link(enum balance_mode mode, const struct frame *f, uint32_t linktype,
				 uint32_t nr)
{
	struct xcap_record rec = { .type = XCAP_PACKET, .caplen = f->len, .len = f->len,
				   .cpu = XCAP_CPU_UNKNOWN, .ifindex = 3,
				   .packet.linktype = linktype };
	uint8_t *exact = malloc(f->len ? f->len : 1);
	struct balance_rr rr = { 0 };
	uint32_t i;

	if (!exact)
		abort();
	memcpy(exact, f->bytes, f->len);
	rec.data = exact;
	i = balance_pick(mode, &rec, nr, &rr);
	free(exact);
	return i;
}

static inline uint32_t pick(enum balance_mode mode, const struct frame *f)
{
	return pick_link(mode, f, XCAP_LINK_ETHERNET, MANY);
}

#endif
