// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   socket records as the programs make them, frames made here.
 * Out:  that packets find their process, and no other.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "clock.h"
#include "flow.h"

#define HERE 77			/* network namespace */
#define FAR 78
#define IFINDEX 3

static void put(uint8_t to[16], const char *address)
{
	uint8_t v4[16] = { [10] = 0xff, [11] = 0xff };

	for (int i = 0; i < 4; i++, address++)
		v4[12 + i] = strtoul(address, (char **)&address, 10);
	memcpy(to, v4, 16);
}

static void tell(struct owners *t, int64_t ns, uint8_t what, uint64_t cookie, uint32_t pid,
		 uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
		 uint16_t remote_port, uint64_t netns)
{
	struct xcap_ev_sock ev = {
		.ev = { .mono_ns = ns, .pid = pid, .tid = pid }, .cookie = cookie, .netns = netns,
		.what = what, .family = AF_INET, .protocol = protocol, .local_port = local_port,
		.remote_port = remote_port,
		.flags = protocol == IPPROTO_TCP && !remote_port && local_port ? XSOCK_LISTENS : 0,
	};

	put(ev.local, local);
	put(ev.remote, remote);
	owners_apply(t, &ev, NULL);
}

/* pid of its owner, 0: not known; how it is known. */
static uint32_t ask(struct owners *t, int64_t ns, uint64_t cookie, bool out, uint8_t protocol,
		    const char *src, uint16_t src_port, const char *dst, uint16_t dst_port,
		    int *how)
{
	struct owner_flow f = { .cookie = cookie, .netns = HERE, .out = out, .protocol = protocol,
				.ifindex = IFINDEX, .src_port = src_port, .dst_port = dst_port };
	struct owner o = { 0 };
	bool sure;

	put(f.src, src);
	put(f.dst, dst);
	*how = owners_find(t, &f, ns, &o, &sure) ? o.how : XCAP_OWNER_NONE;
	return o.pid;
}

#define ANY "0.0.0.0"
#define ME "10.0.0.1"
#define PEER "10.0.0.2"

static void a_client_is_known_from_its_first_packet(void **state)
{
	struct owners *t = owners_new();
	int how;

	tell(t, 100, XSOCK_BORN, 5, 1292, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_TCP, PEER, 80, ME, 4000, &how), 0);
	assert_int_equal(ask(t, 120, 5, true, IPPROTO_TCP, ME, 4000, PEER, 80, &how), 1292);
	assert_int_equal(how, XCAP_OWNER_SOCKET);
	assert_int_equal(ask(t, 130, 0, false, IPPROTO_TCP, PEER, 80, ME, 4000, &how), 1292);
	tell(t, 140, XSOCK_CLOSED, 5, 0, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 150, 0, false, IPPROTO_TCP, PEER, 80, ME, 4000, &how), 1292);
	assert_int_equal(how, XCAP_OWNER_CLOSED);
	assert_int_equal(ask(t, 150, 0, true, IPPROTO_TCP, ME, 4000, PEER, 80, &how), 1292);
	owners_free(t);
}

static void a_server_listens_then_accepts_then_hands_on(void **state)
{
	struct owners *t = owners_new();
	int how;

	tell(t, 100, XSOCK_BORN, 5, 10, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
	tell(t, 101, XSOCK_STATE, 5, 0, IPPROTO_TCP, ANY, 80, ANY, 0, HERE);
	/* not for this host as far as is known */
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 0);
	owners_add_address(t, HERE, (const uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 0, 1 });
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 10);
	assert_int_equal(how, XCAP_OWNER_LISTENER);
	tell(t, 120, XSOCK_STATE, 6, 0, IPPROTO_TCP, ME, 80, PEER, 9, HERE);
	assert_int_equal(ask(t, 121, 0, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 10);
	assert_int_equal(how, XCAP_OWNER_LISTENER);
	tell(t, 130, XSOCK_USED, 6, 11, IPPROTO_TCP, ME, 80, PEER, 9, HERE);
	assert_int_equal(ask(t, 131, 6, true, IPPROTO_TCP, ME, 80, PEER, 9, &how), 11);
	assert_int_equal(how, XCAP_OWNER_SOCKET);
	tell(t, 140, XSOCK_USED, 6, 12, IPPROTO_TCP, ME, 80, PEER, 9, HERE);
	assert_int_equal(ask(t, 141, 0, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 12);
	assert_int_equal(ask(t, 135, 0, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 11);
	owners_free(t);
}

/* Who took a socket over may have been missed: nobody is named until somebody is seen using it. */
static void after_a_miss_nobody_is_named_unseen(void **state)
{
	struct owners *t = owners_new();
	int how;

	tell(t, 100, XSOCK_BORN, 5, 1292, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
	tell(t, 110, XSOCK_BORN, 6, 1293, IPPROTO_UDP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 120, 5, true, IPPROTO_TCP, ME, 4000, PEER, 80, &how), 1292);
	assert_int_equal(ask(t, 120, 6, true, IPPROTO_UDP, ME, 4000, PEER, 53, &how), 1293);
	owners_unsure(t, 130);
	assert_int_equal(ask(t, 125, 5, true, IPPROTO_TCP, ME, 4000, PEER, 80, &how), 0);
	assert_int_equal(ask(t, 140, 0, false, IPPROTO_UDP, PEER, 53, ME, 4000, &how), 0);
	/* the state is told in whatever task it changes, and says nothing of whose it is */
	tell(t, 145, XSOCK_STATE, 5, 0, IPPROTO_TCP, ME, 4000, PEER, 80, HERE);
	assert_int_equal(ask(t, 146, 5, true, IPPROTO_TCP, ME, 4000, PEER, 80, &how), 0);
	/* a use from before is told late: it says nothing of what came after */
	tell(t, 129, XSOCK_USED, 6, 1293, IPPROTO_UDP, ME, 4000, ANY, 0, HERE);
	assert_int_equal(ask(t, 147, 6, true, IPPROTO_UDP, ME, 4000, PEER, 53, &how), 0);
	tell(t, 150, XSOCK_USED, 5, 1292, IPPROTO_TCP, ME, 4000, PEER, 80, HERE);
	tell(t, 150, XSOCK_USED, 6, 1300, IPPROTO_UDP, ME, 4000, ANY, 0, HERE);
	assert_int_equal(ask(t, 151, 0, false, IPPROTO_TCP, PEER, 80, ME, 4000, &how), 1292);
	assert_int_equal(ask(t, 151, 6, true, IPPROTO_UDP, ME, 4000, PEER, 53, &how), 1300);
	owners_free(t);
}

static void the_same_addresses_elsewhere_are_another(void **state)
{
	struct owners *t = owners_new();
	int how;

	tell(t, 100, XSOCK_USED, 5, 10, IPPROTO_TCP, ME, 80, PEER, 9, FAR);
	/* it passes by here, and one only can be meant */
	assert_int_equal(ask(t, 110, 0, true, IPPROTO_TCP, PEER, 9, ME, 80, &how), 10);
	tell(t, 120, XSOCK_USED, 6, 11, IPPROTO_TCP, ME, 80, PEER, 9, FAR + 1);
	assert_int_equal(ask(t, 130, 0, true, IPPROTO_TCP, PEER, 9, ME, 80, &how), 0);
	tell(t, 140, XSOCK_USED, 7, 12, IPPROTO_TCP, ME, 80, PEER, 9, HERE);
	assert_int_equal(ask(t, 150, 0, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 12);
	/* what still has the cookie of a sender elsewhere belongs to who takes it here */
	assert_int_equal(ask(t, 150, 5, false, IPPROTO_TCP, PEER, 9, ME, 80, &how), 12);
	owners_free(t);
}

static void udp_is_found_by_its_port(void **state)
{
	struct owners *t = owners_new();
	int how;

	tell(t, 100, XSOCK_SEED, 5, 10, IPPROTO_UDP, ME, 53, ANY, 0, HERE);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 999, ME, 53, &how), 10);
	assert_int_equal(how, XCAP_OWNER_SEEDED);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 999, ME, 54, &how), 0);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_TCP, PEER, 999, ME, 53, &how), 0);
	tell(t, 120, XSOCK_BORN, 6, 11, IPPROTO_UDP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 121, 6, true, IPPROTO_UDP, ME, 4000, PEER, 53, &how), 11);
	assert_int_equal(ask(t, 122, 0, false, IPPROTO_UDP, PEER, 53, ME, 4000, &how), 11);
	owners_free(t);
}

/* A bound socket of IPv6, for any address. */
static void tell6(struct owners *t, uint64_t cookie, uint32_t pid, uint16_t port, uint8_t flags,
		  uint32_t device)
{
	struct xcap_ev_sock ev = {
		.ev = { .mono_ns = 100, .pid = pid, .tid = pid }, .cookie = cookie, .netns = HERE,
		.what = XSOCK_USED, .family = AF_INET6, .protocol = IPPROTO_UDP,
		.local_port = port, .flags = flags, .device = device,
	};

	owners_apply(t, &ev, NULL);
}

static struct owners *with_my_address(void)
{
	struct owners *t = owners_new();

	owners_add_address(t, HERE, (const uint8_t[16]){ [10] = 0xff, 0xff, 10, 0, 0, 1 });
	return t;
}

static void sockets_of_ipv6_may_take_ipv4(void **state)
{
	struct owners *t = with_my_address();
	int how;

	tell6(t, 5, 10, 53, 0, 0);
	tell6(t, 6, 11, 54, XSOCK_ONLY6, 0);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 9, ME, 53, &how), 10);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 9, ME, 54, &how), 0);
	/* one of IPv4 goes before it */
	tell(t, 120, XSOCK_USED, 7, 12, IPPROTO_UDP, ANY, 53, ANY, 0, HERE);
	assert_int_equal(ask(t, 130, 0, false, IPPROTO_UDP, PEER, 9, ME, 53, &how), 12);
	owners_free(t);
}

static void what_is_bound_to_a_device_takes_nothing_elsewhere(void **state)
{
	struct owners *t = with_my_address();
	int how;

	tell6(t, 5, 10, 68, 0, IFINDEX + 1);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 67, ME, 68, &how), 0);
	tell6(t, 6, 11, 68, 0, IFINDEX);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 67, ME, 68, &how), 11);
	owners_free(t);
}

static void of_two_at_a_port_none_is_chosen(void **state)
{
	struct owners *t = with_my_address();
	int how;

	tell(t, 100, XSOCK_USED, 5, 10, IPPROTO_UDP, ANY, 53, ANY, 0, HERE);
	tell(t, 100, XSOCK_USED, 6, 10, IPPROTO_UDP, ANY, 53, ANY, 0, HERE);
	assert_int_equal(ask(t, 110, 0, false, IPPROTO_UDP, PEER, 9, ME, 53, &how), 10);
	tell(t, 120, XSOCK_USED, 7, 11, IPPROTO_UDP, ANY, 53, ANY, 0, HERE);
	tell(t, 120, XSOCK_USED, 8, 12, IPPROTO_UDP, PEER, 9, ME, 53, FAR);
	assert_int_equal(ask(t, 130, 0, false, IPPROTO_UDP, PEER, 9, ME, 53, &how), 0);
	/* nor is who sent it, in another namespace, in their place */
	assert_int_equal(ask(t, 130, 8, false, IPPROTO_UDP, PEER, 9, ME, 53, &how), 0);
	/* who sends is known by its cookie */
	assert_int_equal(ask(t, 130, 7, true, IPPROTO_UDP, ME, 53, PEER, 9, &how), 11);
	owners_free(t);
}

static void a_port_that_was_left_is_the_next_ones(void **state)
{
	struct owners *t = with_my_address();
	int how;

	tell(t, 100, XSOCK_USED, 5, 10, IPPROTO_UDP, ME, 4000, PEER, 53, HERE);
	tell(t, 110, XSOCK_CLOSED, 5, 0, IPPROTO_UDP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 120, 0, false, IPPROTO_UDP, PEER, 53, ME, 4000, &how), 10);
	assert_int_equal(how, XCAP_OWNER_CLOSED);
	tell(t, 130, XSOCK_USED, 6, 11, IPPROTO_UDP, ANY, 4000, ANY, 0, HERE);
	assert_int_equal(ask(t, 140, 0, false, IPPROTO_UDP, PEER, 53, ME, 4000, &how), 11);
	tell(t, 150, XSOCK_CLOSED, 6, 0, IPPROTO_UDP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 160, 0, false, IPPROTO_UDP, PEER, 53, ME, 4000, &how), 11);
	owners_free(t);
}

/* Fragments, tunnels and what raw sockets make: the cookie is enough, and teaches nothing. */
static void a_cookie_needs_no_ports(void **state)
{
	struct owners *t = owners_new();
	int how;

	tell(t, 100, XSOCK_BORN, 5, 10, IPPROTO_UDP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(ask(t, 110, 5, true, 0, ANY, 0, ANY, 0, &how), 10);
	assert_int_equal(ask(t, 110, 5, true, IPPROTO_TCP, ME, 9, PEER, 9, &how), 10);
	assert_int_equal(ask(t, 120, 0, false, IPPROTO_UDP, PEER, 9, ME, 9, &how), 0);
	assert_int_equal(ask(t, 120, 5, false, 0, ANY, 0, ANY, 0, &how), 0);
	owners_free(t);
}

static void the_table_stays_small(void **state)
{
	struct owners *t = owners_new();
	int how;

	for (uint32_t i = 1; i <= 200000; i++) {
		tell(t, i, XSOCK_BORN, i, i, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
		tell(t, i, XSOCK_STATE, i, 0, IPPROTO_TCP, ME, i & 0xffff, PEER, 80, HERE);
		tell(t, i, XSOCK_CLOSED, i, 0, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
	}
	assert_in_range(owners_count(t), 60000, 66000);
	assert_int_equal(ask(t, 200001, 0, true, IPPROTO_TCP, ME, 200000 & 0xffff, PEER, 80, &how),
			 200000);
	tell(t, 100 * NS_PER_SEC, XSOCK_BORN, 1 << 20, 7, IPPROTO_TCP, ANY, 0, ANY, 0, HERE);
	assert_int_equal(owners_count(t), 1);
	owners_free(t);
}

static bool parse(const uint8_t *frame, uint32_t len, struct owner_flow *f)
{
	struct xcap_record r = { .type = XCAP_PACKET, .data = frame, .caplen = len,
				 .packet.linktype = XCAP_LINK_ETHERNET };

	return flow_parse(&r, f);
}

static void frames_tell_their_addresses(void **state)
{
	uint8_t frame[64] = { [12] = 0x81, 0x00, 0, 5, 0x08, 0x00, 0x46, [27] = IPPROTO_UDP,
			      [30] = 10, 0, 0, 1, 10, 0, 0, 2, [42] = 0x10, 0x01, 0x00, 0x35 };
	struct owner_flow f = { 0 };
	uint8_t want[16];

	assert_true(parse(frame, sizeof(frame), &f));
	put(want, ME);
	assert_memory_equal(f.src, want, 16);
	assert_int_equal(f.src_port, 0x1001);
	assert_int_equal(f.dst_port, 53);
	frame[25] = 1;			/* a later fragment has no ports */
	assert_false(parse(frame, sizeof(frame), &f));
	frame[25] = 0;
	for (uint32_t len = 0; len < 46; len++) {
		uint8_t *cut = malloc(len + 1);	/* under ASan: nothing behind it is read */

		memcpy(cut, frame, len);
		assert_false(parse(cut, len, &f));
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_known_from_its_first_packet),
		cmocka_unit_test(a_server_listens_then_accepts_then_hands_on),
		cmocka_unit_test(after_a_miss_nobody_is_named_unseen),
		cmocka_unit_test(the_same_addresses_elsewhere_are_another),
		cmocka_unit_test(udp_is_found_by_its_port),
		cmocka_unit_test(sockets_of_ipv6_may_take_ipv4),
		cmocka_unit_test(what_is_bound_to_a_device_takes_nothing_elsewhere),
		cmocka_unit_test(of_two_at_a_port_none_is_chosen),
		cmocka_unit_test(a_port_that_was_left_is_the_next_ones),
		cmocka_unit_test(a_cookie_needs_no_ports),
		cmocka_unit_test(the_table_stays_small),
		cmocka_unit_test(frames_tell_their_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
