// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   tunnels of all kinds with random flows in them.
 * Out:  that each goes where the packet in it goes, and what carries nothing where it went before.
 * Owns: nothing.
 * Runs on: one thread, no privilege. BALANCE_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "balance_random.h"

enum { IPIP, GRE, GRE_FULL, GRE_ETHERNET, VXLAN, GENEVE_ETHERNET, GENEVE_IP, GTP, GTP_LONG,
       NR_TUNNELS };

static bool has_ethernet(int kind)
{
	return kind == GRE_ETHERNET || kind == VXLAN || kind == GENEVE_ETHERNET;
}

static void add_udp(struct frame *f, struct talk *t, uint16_t port)
{
	t->protocol = IPPROTO_UDP;
	t->dst_port = port;
	add_ip(f, t);
	add16(f, t->src_port);
	add16(f, port);
	add32(f, 0);
}

static void add_gre(struct frame *f, struct talk *t, uint16_t flags, uint16_t type)
{
	t->protocol = IPPROTO_GRE;
	add_ip(f, t);
	add16(f, flags);
	add16(f, type);
	add_zeros(f, 4 * __builtin_popcount(flags & 0xb000));
}

static void add_geneve(struct frame *f, struct talk *t, uint16_t type)
{
	add_udp(f, t, 6081);
	add16(f, 2 << 8);	/* two words of options */
	add16(f, type);
	add32(f, 77 << 8);
	add_zeros(f, 8);
}

static void add_gtp(struct frame *f, struct talk *t, bool extended)
{
	add_udp(f, t, 2152);
	add16(f, (extended ? 0x34 : 0x30) << 8 | 255);
	add16(f, 1000);
	add32(f, rnd());
	if (!extended)
		return;
	add32(f, 0x85);		/* number, and what follows: PDU session, then one of two words */
	add32(f, 0x0110098c);
	add32(f, 0x02010203);
	add32(f, 0x04050600);
}

/* The outer network layer and all headers up to what is carried. */
static void add_tunnel(struct frame *f, int kind, struct talk *outer, const struct talk *inner)
{
	switch (kind) {
	case IPIP:
		outer->protocol = inner->is6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
		add_ip(f, outer);
		break;
	case GRE:
		add_gre(f, outer, rnd() & 0xb000, type_of(inner));
		break;
	case GRE_FULL:
		add_gre(f, outer, 0xb000, type_of(inner));
		break;
	case GRE_ETHERNET:
		add_gre(f, outer, 0x2000, 0x6558);
		break;
	case VXLAN:
		add_udp(f, outer, 4789);
		add32(f, 0x08000000);
		add32(f, rnd() << 8);
		break;
	case GENEVE_ETHERNET:
	case GENEVE_IP:
		add_geneve(f, outer, kind == GENEVE_IP ? type_of(inner) : 0x6558);
		break;
	case GTP:
	case GTP_LONG:
		add_gtp(f, outer, kind == GTP_LONG);
		break;
	}
}

static struct frame tunnel(int kind, struct talk *outer, const struct talk *inner,
			   const struct frame *bare)
{
	struct frame f = { .len = 0 };
	uint32_t from = has_ethernet(kind) ? 0 : 14;

	add_ethernet(&f, 3, 4, type_of(outer));
	add_tunnel(&f, kind, outer, inner);
	add(&f, bare->bytes + from, bare->len - from);
	return f;
}

static void tunnels_go_by_what_is_in_them(void **state)
{
	for (int i = 0; i < NR_SOME * NR_TUNNELS; i++) {
		int kind = i % NR_TUNNELS;
		struct talk outer = random_talk(i & 1), inner = random_talk(i & 2);
		struct talk outer_back = answer_to(outer), back = answer_to(inner);
		struct frame bare = i & 4 ? plain(&inner) : fragment(&inner, 0, true), f;
		struct frame bare_back = i & 4 ? plain(&back) : fragment(&back, 5, false);
		uint32_t at = pick(BALANCE_FLOW, &bare), by_outer;

		f = tunnel(kind, &outer, &inner, &bare);
		by_outer = pick(BALANCE_FLOW, &f);
		assert_int_equal(pick(BALANCE_INNER, &f), at);
		f.len = f.len - bare.len + (has_ethernet(kind) ? 0 : 14);
		assert_int_equal(pick(BALANCE_INNER, &f), by_outer);	/* nothing inside */
		assert_int_equal(pick(BALANCE_FLOW, &f), by_outer);
		assert_int_not_equal(by_outer, at);
		f = tunnel(kind, &outer_back, &back, &bare_back);
		assert_int_equal(pick(BALANCE_INNER, &f), at);
	}
}

static void tunnels_carry_other_frames_too(void **state)
{
	struct talk t = random_talk(false);
	struct frame arp = { .len = 0 }, f;

	add_ethernet(&arp, 70, 71, 0x0806);
	add_zeros(&arp, 28);
	for (int kind = 0; kind < NR_TUNNELS; kind++) {
		struct talk outer = random_talk(kind & 1);

		if (!has_ethernet(kind))
			continue;
		f = tunnel(kind, &outer, &t, &arp);
		assert_int_equal(pick(BALANCE_INNER, &f), pick(BALANCE_FLOW, &arp));
		assert_int_not_equal(pick(BALANCE_FLOW, &f), pick(BALANCE_FLOW, &arp));
	}
}

/* To the fourth level, and no further. */
static void tunnels_are_nested(void **state)
{
	for (int i = 0; i < NR_SOME; i++) {
		struct talk t = random_talk(i & 1);
		struct frame bare = plain(&t), f = bare, once;

		for (int level = 1; level <= 5; level++) {
			struct talk outer = random_talk(rnd() & 1);

			f = tunnel(rnd() % NR_TUNNELS, &outer, &t, &f);
			t = outer;
			if (level == 1)
				once = f;
			if (level <= 4)
				assert_int_equal(pick(BALANCE_INNER, &f), pick(BALANCE_FLOW, &bare));
		}
		assert_int_equal(pick(BALANCE_INNER, &f), pick(BALANCE_FLOW, &once));
	}
}

/* Changes one byte behind the outer IPv4 header: there is no tunnel then. */
static void assert_no_tunnel(int kind, uint32_t at, uint8_t value)
{
	struct talk outer = random_talk(false), inner = random_talk(false);
	struct frame bare = plain(&inner), f = tunnel(kind, &outer, &inner, &bare);

	assert_int_equal(pick(BALANCE_INNER, &f), pick(BALANCE_FLOW, &bare));
	f.bytes[14 + at] = value;
	assert_int_equal(pick(BALANCE_INNER, &f), pick(BALANCE_FLOW, &f));
	assert_int_not_equal(pick(BALANCE_INNER, &f), pick(BALANCE_FLOW, &bare));
}

static void what_carries_nothing_goes_by_itself(void **state)
{
	assert_no_tunnel(GRE_FULL, 21, 1);		/* version 1 */
	assert_no_tunnel(GRE_FULL, 20, 0xf0);		/* routing */
	assert_no_tunnel(GRE_FULL, 22, 0x88);		/* of what is not known */
	assert_no_tunnel(GRE_FULL, 36, 0x65);		/* not the version that its type says */
	assert_no_tunnel(VXLAN, 28, 0);			/* no number */
	assert_no_tunnel(VXLAN, 23, 0);			/* another port */
	assert_no_tunnel(GENEVE_IP, 29, 0x80);		/* control */
	assert_no_tunnel(GENEVE_IP, 28, 0x42);		/* version 1 */
	assert_no_tunnel(GENEVE_IP, 28, 0x3f);		/* options without end */
	assert_no_tunnel(GTP, 29, 1);			/* an echo */
	assert_no_tunnel(GTP, 28, 0x50);		/* version 2 */
	assert_no_tunnel(GTP_LONG, 40, 0);		/* an extension of no length */
	assert_no_tunnel(GTP_LONG, 40, 255);		/* and of too much */
	assert_no_tunnel(IPIP, 20, 0x55);
	for (int kind = 0; kind < NR_TUNNELS; kind++)
		assert_no_tunnel(kind, 6, 0x20);	/* a fragment */
}

static void no_byte_behind_the_end_is_read(void **state)
{
	for (int i = 0; i < NR_TUNNELS * 4; i++) {
		struct talk outer = random_talk(i & 1), inner = random_talk(i & 2);
		struct frame bare = plain(&inner), f;

		if (has_ethernet(i % NR_TUNNELS))	/* with tags, of which others have none */
			bare = adorned(&inner);
		f = tunnel(i % NR_TUNNELS, &outer, &inner, &bare);
		cut_everywhere(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnels_go_by_what_is_in_them),
		cmocka_unit_test(tunnels_carry_other_frames_too),
		cmocka_unit_test(tunnels_are_nested),
		cmocka_unit_test(what_carries_nothing_goes_by_itself),
		cmocka_unit_test(no_byte_behind_the_end_is_read),
	};

	sow();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
