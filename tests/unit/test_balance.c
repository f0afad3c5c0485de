// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records and frames made here, of random flows.
 * Out:  that what belongs together stays together, that all else spreads, and that no byte
 *       behind a frame's end is read.
 * Owns: nothing.
 * Runs on: one thread, no privilege. BALANCE_SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "balance_random.h"

#define NR_FLOWS 100000

static void modes_have_names(void **state)
{
	char list[200] = "";

	for (int mode = BALANCE_FLOW; mode <= BALANCE_FIFO; mode++) {
		const char *name = balance_mode_name(mode);

		assert_int_equal(balance_mode_of(name), mode);
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			 list[0] ? ", " : "", name);
	}
	assert_string_equal(list, balance_mode_list());
	assert_int_equal(balance_mode_of("round-robin"), BALANCE_RR);
	assert_int_equal(balance_mode_of("default"), -1);
	assert_int_equal(balance_mode_of("flo"), -1);
	assert_int_equal(balance_mode_of(""), -1);
	assert_string_equal(balance_mode_name(BALANCE_DEFAULT), "default");
	assert_string_equal(balance_mode_name(-1), "unknown");
	assert_string_equal(balance_mode_name(BALANCE_FIFO + 1), "unknown");
}

static void a_flow_is_one_in_both_directions(void **state)
{
	uint32_t met = 0, met_ip = 0, last = MANY, last_ip = MANY;

	for (int i = 0; i < NR_FLOWS; i++) {
		struct talk t = random_talk(i & 1), back = answer_to(t);
		struct frame f = plain(&t), b = plain(&back), a = adorned(&t), ab = adorned(&back);
		uint32_t flow = pick(BALANCE_FLOW, &f), ip = pick(BALANCE_IP, &f);

		assert_in_range(flow, 0, MANY - 1);
		assert_int_equal(pick(BALANCE_FLOW, &b), flow);
		assert_int_equal(pick(BALANCE_FLOW, &a), flow);
		assert_int_equal(pick(BALANCE_FLOW, &ab), flow);
		assert_int_equal(pick(BALANCE_DEFAULT, &ab), flow);
		assert_int_equal(pick(BALANCE_INNER, &ab), flow);
		assert_int_equal(pick(BALANCE_IP, &ab), ip);
		met += flow == last;
		met_ip += ip == last_ip;
		last = flow;
		last_ip = ip;
	}
	assert_in_range(met + met_ip, 0, 10);
}

/* Each part of a flow counts, and in IP's mode the addresses only. */
static void what_differs_goes_elsewhere(void **state)
{
	uint32_t met[4] = { 0 };

	for (int i = 0; i < NR_SOME; i++) {
		struct talk t = random_talk(i & 1), other[4] = { t, t, t, t };
		struct frame f = plain(&t), g;

		other[0].src_port ^= 1 << rnd() % 16;
		other[1].dst_port ^= 1 << rnd() % 16;
		other[2].protocol = t.protocol == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
		other[3].dst[rnd() % (t.is6 ? 16 : 4)] ^= 1 << rnd() % 8;
		for (int k = 0; k < 4; k++) {
			g = plain(&other[k]);
			met[k] += pick(BALANCE_FLOW, &f) == pick(BALANCE_FLOW, &g);
			if (k < 3)
				assert_int_equal(pick(BALANCE_IP, &f), pick(BALANCE_IP, &g));
		}
		met[3] += pick(BALANCE_IP, &f) == pick(BALANCE_IP, &g);
	}
	for (int k = 0; k < 4; k++)
		assert_in_range(met[k], 0, 3);
}

/* ---- spread ---- */

static void count_in(uint32_t *counts, enum balance_mode mode, const struct talk *t, uint32_t nr)
{
	struct frame f = plain(t);
	uint32_t i = pick_link(mode, &f, XCAP_LINK_ETHERNET, nr);

	assert_in_range(i, 0, nr - 1);
	counts[i]++;
}

static void assert_even(const uint32_t *counts, uint32_t nr, const char *what)
{
	for (uint32_t i = 0; i < nr; i++) {
		double off = counts[i] * (double)nr / NR_FLOWS - 1;

		if (off > 0.05 || off < -0.05)
			fail_msg("%s: queue %u of %u is off by %.1f %%", what, i, nr, off * 100);
	}
}

enum { RANDOM, ADDRESSES, BOTH_ADDRESSES, PORTS, BOTH_PORTS, CROSSED, SUBNETS, NR_SERIES };

static const char *const series_names[] = { "random", "addresses", "both addresses", "ports",
					    "both ports", "one up, one down", "subnets" };

/* The i-th flow of a series that counts up. */
static struct talk in_series(int series, bool is6, uint32_t i)
{
	struct talk t = { .is6 = is6, .protocol = IPPROTO_TCP, .src = { 10, 1, 0, 0 },
			  .dst = { 192, 168, 1, 1 }, .src_port = 1024, .dst_port = 443 };
	int low = is6 ? 15 : 3;		/* where addresses end */

	if (series == RANDOM)
		return random_talk(is6);
	if (series == PORTS || series == BOTH_PORTS) {
		t.src_port += i % 50000;
		t.dst_port += series == BOTH_PORTS ? i % 50000 : 0;
		t.dst[low] += i / 50000;
		return t;
	}
	if (series == SUBNETS) {	/* a step in the upper half of the address */
		t.src[1] = i >> 8;
		t.src[2] = i;
		t.src_port += i >> 16;
		return t;
	}
	t.src[low] = i;
	t.src[low - 1] = i >> 8;
	t.src[low - 2] = i >> 16;
	if (series == BOTH_ADDRESSES) {
		t.dst[low] = i;
		t.dst[low - 1] = i >> 8;
		t.dst[low - 2] = i >> 16;
	}
	if (series == CROSSED) {
		t.dst[low] = -i;
		t.dst[low - 1] = -i >> 8;
	}
	return t;
}

static void flows_spread(void **state)
{
	for (int series = 0; series < NR_SERIES; series++) {
		for (int is6 = 0; is6 < 2; is6++) {
			uint32_t counts[NR_QUEUES] = { 0 }, ip[NR_QUEUES] = { 0 }, three[3] = { 0 };

			for (uint32_t i = 0; i < NR_FLOWS; i++) {
				struct talk t = in_series(series, is6, i);

				count_in(counts, BALANCE_FLOW, &t, NR_QUEUES);
				count_in(three, BALANCE_INNER, &t, 3);
				if (series < PORTS || series == CROSSED)
					count_in(ip, BALANCE_IP, &t, NR_QUEUES);
			}
			assert_even(counts, NR_QUEUES, series_names[series]);
			assert_even(three, 3, series_names[series]);
			if (series < PORTS || series == CROSSED)
				assert_even(ip, NR_QUEUES, series_names[series]);
		}
	}
}

static void tasks_spread(void **state)
{
	static const enum balance_mode modes[] = { BALANCE_PID, BALANCE_TID, BALANCE_CGROUP };

	for (int k = 0; k < 3; k++) {
		uint32_t counts[NR_QUEUES] = { 0 };

		for (uint32_t i = 1; i <= NR_FLOWS; i++) {
			struct xcap_record rec = { .type = XCAP_SYS_ENTER, .pid = i, .tid = i,
						   .cgroup_id = i };

			counts[balance_pick(modes[k], &rec, NR_QUEUES, NULL)]++;
		}
		assert_even(counts, NR_QUEUES, balance_mode_name(modes[k]));
	}
}

/* ---- fragments ---- */

static void fragments_stay_together(void **state)
{
	uint32_t met = 0;

	for (int i = 0; i < NR_SOME; i++) {
		struct talk t = random_talk(i & 1), back = answer_to(t), other = t;
		struct frame first = fragment(&t, 0, true), f;
		uint32_t at = pick(BALANCE_FLOW, &first);

		f = fragment(&t, 100, true);
		memset(f.bytes + f.len - 20, rnd(), 20);	/* no ports there */
		assert_int_equal(pick(BALANCE_FLOW, &f), at);
		f = fragment(&t, 200, false);
		memset(f.bytes + f.len - 20, rnd(), 20);
		assert_int_equal(pick(BALANCE_FLOW, &f), at);
		f.len -= 20;
		assert_int_equal(pick(BALANCE_FLOW, &f), at);
		f = fragment(&back, 0, true);
		assert_int_equal(pick(BALANCE_FLOW, &f), at);
		other.src_port++;
		f = fragment(&other, 0, true);
		assert_int_equal(pick(BALANCE_FLOW, &f), at);
		f = plain(&t);
		met += pick(BALANCE_FLOW, &f) == at;
		assert_int_equal(pick(BALANCE_IP, &f), pick(BALANCE_IP, &first));
	}
	assert_in_range(met, 0, 3);
}

/* Options may stand in the part that is cut to pieces: then only the first has the upper layer. */
static void fragmented_options_are_not_read(void **state)
{
	struct talk t = random_talk(true);
	struct frame later, first;

	t.protocol = IPPROTO_DSTOPTS;
	later = fragment(&t, 9, false);
	first = fragment(&t, 0, true);
	first.bytes[14 + 40 + 8] = IPPROTO_TCP;
	first.bytes[14 + 40 + 9] = 0;
	assert_int_equal(pick(BALANCE_FLOW, &first), pick(BALANCE_FLOW, &later));
}

/* ---- ICMP ---- */

static void errors_go_with_their_flow(void **state)
{
	static const uint8_t types[2][5] = { { 3, 4, 5, 11, 12 }, { 1, 2, 3, 4, 100 } };

	for (int i = 0; i < NR_SOME; i++) {
		bool is6 = i & 1;
		struct talk t = random_talk(is6);
		struct frame f = i & 2 ? plain(&t) : fragment(&t, 0, true);
		uint8_t type = types[is6][rnd() % 5];
		uint32_t header = f.len - 20 - 14;
		struct frame message = message_about(&f, is6, type, header + 8), same;

		assert_int_equal(pick(BALANCE_FLOW, &message), pick(BALANCE_FLOW, &f));
		assert_int_equal(pick(BALANCE_INNER, &message), pick(BALANCE_FLOW, &f));
		/* with no ports in it, it goes with the fragments; else by its own addresses */
		message.len -= 5;
		f = fragment(&t, 0, true);
		assert_int_equal(pick(BALANCE_FLOW, &message), pick(BALANCE_FLOW, &f));
		message.len = 14 + (is6 ? 40 + 8 + 39 : 20 + 8 + 19);
		same = message;
		same.len = 14 + (is6 ? 40 : 20);
		assert_int_equal(pick(BALANCE_FLOW, &message), pick(BALANCE_FLOW, &same));
		assert_int_not_equal(pick(BALANCE_FLOW, &same), pick(BALANCE_FLOW, &f));
	}
}

static void echoes_go_by_their_number(void **state)
{
	for (int i = 0; i < NR_SOME; i++) {
		bool is6 = i & 1;
		struct talk t = random_talk(is6), back;
		struct frame request, reply, message;
		uint32_t at;

		t.protocol = is6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		back = answer_to(t);
		back.src_port = t.src_port;
		request = plain(&t);
		reply = plain(&back);
		reply.bytes[reply.len - 16] = is6 ? 129 : 0;
		at = pick(BALANCE_FLOW, &request);
		assert_int_equal(pick(BALANCE_FLOW, &reply), at);
		message = message_about(&request, is6, is6 ? 1 : 3, 48);
		assert_int_equal(pick(BALANCE_FLOW, &message), at);
		t.src_port ^= 0x5a5a;
		request = plain(&t);
		assert_int_not_equal(pick(BALANCE_FLOW, &request), at);
	}
}

/* ---- VLANs ---- */

static struct frame tagged(const struct talk *t, uint16_t outer, uint16_t inner)
{
	struct frame f = { .len = 0 };

	add_ethernet(&f, rnd(), rnd(), 0x88a8);
	add16(&f, outer);
	add16(&f, 0x8100);
	add16(&f, inner);
	add16(&f, type_of(t));
	add_ip(&f, t);
	add_upper(&f, t);
	return f;
}

static void vlans_go_by_the_outer_number(void **state)
{
	struct frame sll = { .len = 0 };
	uint32_t met = 0, at, last = MANY;

	for (int id = 1; id < 4096; id++) {
		struct talk t = random_talk(id & 1), u = random_talk(id & 2);
		struct frame f = tagged(&t, id | 0x6000, rnd()), g = tagged(&u, id, rnd());

		at = pick(BALANCE_VLAN, &f);
		assert_int_equal(pick(BALANCE_VLAN, &g), at);
		met += at == last;
		last = at;
		f = tagged(&t, 0xe000, id);	/* a priority, and no VLAN */
		g = plain(&u);
		assert_int_equal(pick(BALANCE_VLAN, &f), pick(BALANCE_VLAN, &g));
		met += at == pick(BALANCE_VLAN, &f);
	}
	assert_in_range(met, 0, 3);
	add_zeros(&sll, 14);
	add16(&sll, 0x8100);
	add16(&sll, 4095);
	assert_int_equal(pick_link(BALANCE_VLAN, &sll, 113, MANY), last);
}

/* ---- links ---- */

static void frames_of_other_links(void **state)
{
	static const uint32_t raw[] = { 101, 228, 229 }, four[] = { 0, 108 };
	struct talk t, u;
	struct frame f, r, other;

	for (int is6 = 0; is6 < 2; is6++) {
		t = random_talk(is6);
		u = answer_to(t);
		f = plain(&t);
		other = plain(&u);
		for (int mode = BALANCE_FLOW; mode <= BALANCE_IP; mode++) {
			uint32_t at = pick(mode, &other);

			r.len = 0;
			add(&r, f.bytes + 14, f.len - 14);
			assert_int_equal(pick_link(mode, &r, raw[0], MANY), at);
			assert_int_equal(pick_link(mode, &r, raw[1 + is6], MANY), at);
			r.len = 0;
			add32(&r, is6 ? 30 : 2);
			add(&r, f.bytes + 14, f.len - 14);
			assert_int_equal(pick_link(mode, &r, four[0], MANY), at);
			assert_int_equal(pick_link(mode, &r, four[1], MANY), at);
			r.len = 0;
			add_zeros(&r, 14);
			add(&r, f.bytes + 12, f.len - 12);
			assert_int_equal(pick_link(mode, &r, 113, MANY), at);
			r.len = 0;
			add16(&r, type_of(&t));
			add_zeros(&r, 18);
			add(&r, f.bytes + 14, f.len - 14);
			assert_int_equal(pick_link(mode, &r, 276, MANY), at);
		}
	}
	/* of what is not known only the interface counts */
	for (int mode = BALANCE_DEFAULT; mode <= BALANCE_INNER; mode++)
		if (mode != BALANCE_RR && mode != BALANCE_FANOUT)
			assert_int_equal(pick_link(mode, &f, 147, MANY),
					 pick_link(BALANCE_FLOW, &r, 105, MANY));
}

static void other_frames_go_by_hardware_addresses(void **state)
{
	struct frame ask = { .len = 0 }, reply = { .len = 0 }, other = { .len = 0 };

	add_ethernet(&ask, 11, 12, 0x0806);
	add_zeros(&ask, 28);
	add_ethernet(&reply, 12, 11, 0x0806);
	add_ethernet(&other, 12, 13, 0x0806);
	for (int mode = BALANCE_FLOW; mode <= BALANCE_IP; mode++) {
		assert_int_equal(pick(mode, &ask), pick(mode, &reply));
		assert_int_not_equal(pick(mode, &ask), pick(mode, &other));
		reply.len = 12;
		assert_int_equal(pick(mode, &ask), pick(mode, &reply));
		reply.len = 11;
		assert_int_equal(pick(mode, &reply), pick_link(mode, &ask, 147, MANY));
		reply.len = 14;
	}
}

/* ---- frames that are cut ---- */

static void a_cut_frame_goes_by_what_is_left(void **state)
{
	struct frame arp = { .len = 0 };

	add_ethernet(&arp, 2, 1, 0x0806);
	for (int i = 0; i < 200; i++) {
		struct talk t = random_talk(i & 1);
		struct frame whole = plain(&t), part = fragment(&t, 0, true), f = whole;
		uint32_t header = 14 + (t.is6 ? 40 : 20);

		for (f.len = 12; f.len <= whole.len; f.len++)
			assert_int_equal(pick(BALANCE_FLOW, &f), f.len < header ?
					 pick(BALANCE_FLOW, &arp) :
					 f.len < header + 4 ? pick(BALANCE_FLOW, &part) :
					 pick(BALANCE_FLOW, &whole));
	}
}

static void no_byte_behind_the_end_is_read(void **state)
{
	for (int i = 0; i < 40; i++) {
		struct talk t = random_talk(i & 1);
		struct frame bare = plain(&t), f = adorned(&t);

		cut_everywhere(&f);
		for (uint32_t k = 14; k < f.len; k++)
			f.bytes[k] = rnd();
		cut_everywhere(&f);
		f = message_about(&bare, t.is6, t.is6 ? 1 : 3, bare.len);
		cut_everywhere(&f);
		t.protocol = t.is6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		bare = plain(&t);
		cut_everywhere(&bare);
	}
}

/* ---- records ---- */

static uint32_t of(enum balance_mode mode, struct xcap_record rec)
{
	return balance_pick(mode, &rec, MANY, NULL);
}

static void calls_and_switches_go_by_their_task(void **state)
{
	static const enum balance_mode by_pid[] = { BALANCE_DEFAULT, BALANCE_FLOW, BALANCE_IP,
						    BALANCE_VLAN, BALANCE_INNER, BALANCE_PID };

	for (uint32_t id = 1; id < 1000; id++) {
		struct xcap_record a = { .type = XCAP_SYS_ENTER, .pid = id, .tid = id + 5,
					 .cgroup_id = id + 9, .cpu = 1 };
		struct xcap_record b = { .type = XCAP_SYS_EXIT, .pid = id, .tid = id + 6,
					 .cgroup_id = id + 8, .cpu = 2 };
		struct xcap_record s = { .type = XCAP_SWITCH, .pid = id, .tid = id + 5,
					 .cgroup_id = id + 9, .sw.next_pid = 7, .sw.next_tid = 7 };

		for (int k = 0; k < 6; k++) {
			assert_int_equal(of(by_pid[k], a), of(by_pid[k], b));
			assert_int_equal(of(by_pid[k], a), of(by_pid[k], s));
			assert_int_equal(of(by_pid[k], a), of(BALANCE_PID, a));
		}
		assert_int_equal(of(BALANCE_TID, a), of(BALANCE_TID, s));
		assert_int_not_equal(of(BALANCE_TID, a), of(BALANCE_TID, b));
		assert_int_equal(of(BALANCE_CGROUP, a), of(BALANCE_CGROUP, s));
		assert_int_not_equal(of(BALANCE_CGROUP, a), of(BALANCE_CGROUP, b));
		b.pid++;
		assert_int_not_equal(of(BALANCE_DEFAULT, a), of(BALANCE_DEFAULT, b));
	}
}

static void packets_go_with_their_owner(void **state)
{
	struct talk t = random_talk(false);
	struct frame f = plain(&t);
	struct xcap_record call = { .type = XCAP_SYS_ENTER, .pid = 7, .tid = 8, .cgroup_id = 9 };
	struct xcap_record owned = call, unknown = { .type = XCAP_PACKET };
	uint32_t flow = pick(BALANCE_FLOW, &f);

	owned.type = unknown.type = XCAP_PACKET;
	owned.data = unknown.data = f.bytes;
	owned.caplen = unknown.caplen = f.len;
	owned.packet.linktype = unknown.packet.linktype = XCAP_LINK_ETHERNET;
	for (int mode = BALANCE_PID; mode <= BALANCE_CGROUP; mode++) {
		assert_int_equal(of(mode, owned), of(mode, call));
		assert_int_not_equal(of(mode, owned), flow);
		assert_int_equal(of(mode, unknown), flow);
	}
	assert_int_equal(of(BALANCE_DEFAULT, owned), flow);
	assert_int_equal(of(BALANCE_FLOW, owned), flow);
	owned.cgroup_id = 0;
	assert_int_equal(of(BALANCE_CGROUP, owned), flow);
}

static void cpus_turns_and_all(void **state)
{
	struct talk t = random_talk(true);
	struct frame f = plain(&t);
	struct xcap_record rec = { .type = XCAP_PACKET, .cpu = 13, .data = f.bytes, .caplen = f.len,
				   .pid = 7, .packet.linktype = XCAP_LINK_ETHERNET };
	struct xcap_record lost = { .type = XCAP_LOSS, .cpu = 13 };
	struct balance_rr rr = { 0 };

	assert_int_equal(balance_pick(BALANCE_CPU, &rec, 8, NULL), 5);
	rec.type = XCAP_SWITCH;
	assert_int_equal(balance_pick(BALANCE_CPU, &rec, 8, NULL), 5);
	rec.cpu = XCAP_CPU_UNKNOWN;
	assert_int_equal(of(BALANCE_CPU, rec), of(BALANCE_PID, rec));
	rec.type = XCAP_PACKET;
	assert_int_equal(of(BALANCE_CPU, rec), pick(BALANCE_FLOW, &f));
	for (uint32_t i = 0; i < 30; i++) {
		assert_int_equal(balance_pick(BALANCE_RR, &rec, 7, &rr), i % 7);
		assert_int_equal(balance_pick(BALANCE_RR, &lost, 7, &rr), BALANCE_ALL);
		assert_int_equal(balance_pick(BALANCE_FIFO, &rec, 7, &rr), 0);
	}
	rr.next = 6;			/* there are fewer now */
	assert_in_range(balance_pick(BALANCE_RR, &rec, 3, &rr), 0, 2);
	assert_int_equal(of(BALANCE_FANOUT, rec), BALANCE_ALL);
	for (int mode = BALANCE_DEFAULT; mode <= BALANCE_FIFO; mode++)
		assert_int_equal(of(mode, lost), BALANCE_ALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_have_names),
		cmocka_unit_test(a_flow_is_one_in_both_directions),
		cmocka_unit_test(what_differs_goes_elsewhere),
		cmocka_unit_test(flows_spread),
		cmocka_unit_test(tasks_spread),
		cmocka_unit_test(fragments_stay_together),
		cmocka_unit_test(fragmented_options_are_not_read),
		cmocka_unit_test(errors_go_with_their_flow),
		cmocka_unit_test(echoes_go_by_their_number),
		cmocka_unit_test(vlans_go_by_the_outer_number),
		cmocka_unit_test(frames_of_other_links),
		cmocka_unit_test(other_frames_go_by_hardware_addresses),
		cmocka_unit_test(a_cut_frame_goes_by_what_is_left),
		cmocka_unit_test(no_byte_behind_the_end_is_read),
		cmocka_unit_test(calls_and_switches_go_by_their_task),
		cmocka_unit_test(packets_go_with_their_owner),
		cmocka_unit_test(cpus_turns_and_all),
	};

	sow();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
