/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a seed.
 * Out:  random flows, frames of them, and what unit tests do with such frames.
 * Owns: the seed.
 * Runs on: one thread. BALANCE_SEED repeats a run.
 */
#ifndef BALANCE_RANDOM_H
#define BALANCE_RANDOM_H

#include <stdio.h>
#include <time.h>
#include "balance_frames.h"

#define NR_SOME 2000		/* flows of each kind of tunnel, message, fragment */
#define NR_QUEUES 8

static uint64_t seed;

static inline void sow(void)
{
	const char *given = getenv("BALANCE_SEED");

	seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 0x9e3779b97f4a7c15 | 1;
	printf("BALANCE_SEED=%#llx\n", (unsigned long long)seed);
	fflush(stdout);
}

static inline uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static inline struct talk random_talk(bool is6)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
					     IPPROTO_UDPLITE, IPPROTO_DCCP };
	struct talk t = { .is6 = is6, .protocol = protocols[rnd() % 5],
			  .src_port = rnd() % 60000 + 5000, .dst_port = rnd() % 2000 + 1 };

	for (int i = 0; i < 16; i++) {
		t.src[i] = rnd();
		t.dst[i] = rnd();
	}
	return t;
}

/* The same conversation with all that may stand before and between its headers. */
static inline struct frame adorned(const struct talk *t)
{
	static const uint16_t tags[] = { 0x8100, 0x88a8, 0x9100 };
	struct frame f = { .len = 0 };
	uint32_t nr_tags = rnd() % 4;

	add_ethernet(&f, rnd(), rnd(), nr_tags ? tags[rnd() % 3] : type_of(t));
	for (uint32_t i = 0; i < nr_tags; i++) {
		add16(&f, rnd());
		add16(&f, i + 1 < nr_tags ? tags[rnd() % 3] : type_of(t));
	}
	if (t->is6) {
		add_ip6(&f, t, IPPROTO_HOPOPTS);
		add8(&f, IPPROTO_ROUTING);
		add8(&f, 1);			/* 16 bytes */
		for (int i = 0; i < 14; i++)
			add8(&f, 0xff);
		add8(&f, IPPROTO_FRAGMENT);
		add8(&f, 0);
		add_zeros(&f, 6);
		add8(&f, IPPROTO_DSTOPTS);	/* a fragment that is the whole */
		add_zeros(&f, 7);
		add8(&f, t->protocol);
		add_zeros(&f, 7);
	} else {
		add_ip4(&f, t, 0, rnd() % 11);
	}
	add_upper(&f, t);
	add_zeros(&f, rnd() % 100);
	return f;
}

/* From a router to who sent it. keep: bytes of the quoted packet. */
static inline struct frame message_about(const struct frame *about, bool is6, uint8_t type, uint32_t keep)
{
	struct talk t = { .is6 = is6, .protocol = is6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			  .src = { rnd(), 1, 2, 3 }, .dst = { 9, 8, 7 } };
	struct frame f = { .len = 0 };

	add_ethernet(&f, 5, 6, type_of(&t));
	add_ip(&f, &t);
	add8(&f, type);
	add8(&f, 1);
	add_zeros(&f, 6);
	add(&f, about->bytes + 14, keep < about->len - 14 ? keep : about->len - 14);
	return f;
}

/* As frames of all links, in all modes: there is an instance, and nothing else is read. */
static inline void cut_everywhere(const struct frame *whole)
{
	static const uint32_t links[] = { 1, 101, 0, 108, 113, 276, 228, 229, 147 };
	struct frame f = *whole;

	for (f.len = 0; f.len <= whole->len; f.len++)
		for (int mode = BALANCE_DEFAULT; mode <= BALANCE_FIFO; mode++)
			for (int k = 0; k < (int)(sizeof(links) / sizeof(*links)); k++)
				if (mode != BALANCE_FANOUT)
					assert_in_range(pick_link(mode, &f, links[k], NR_QUEUES),
							0, NR_QUEUES - 1);
}

#endif
