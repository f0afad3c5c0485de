// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   frames, whole, cut at every length, and with bytes that lie.
 * Out:  what decode.c reads from them, and that it reads nothing behind them.
 * Owns: a copy of each frame of exactly its length, so that ASan sees one byte more.
 * Runs on: no root, no kernel state.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "decode.h"

#define ETHERNET 1
#define MACS "\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
#define IP4(len, proto) "\x45\0\0" len "\0\x01\0\0\x40" proto "\0\0\x0a\0\0\x01\x0a\0\0\x07"
#define IP6(len, next) "\x60\0\0\0\0" len next "\x40" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
#define TCP_SYN "\xc7\xb2\x01\xbb\0\0\x03\xe8\0\0\0\0\x50\x02\xfa\xf0\0\0\0\0"
#define UDP(len) "\x14\xe9\0\x35\0" len "\0\0"

struct frame {
	const char *what, *bytes;
	size_t len;
};
#define FRAME(what, bytes) { what, bytes, sizeof(bytes) - 1 }

static const struct frame frames[] = {
	FRAME("tcp", MACS "\x08\0" IP4("\x28", "\x06") TCP_SYN),
	FRAME("tcp over ipv6", MACS "\x86\xdd" IP6("\x14", "\x06") TCP_SYN),
	FRAME("qinq", MACS "\x88\xa8\x40\xc8\x81\0\x01\x2c\x08\0" IP4("\x20", "\x11") UDP("\x0c") "quux"),
	FRAME("options", MACS "\x86\xdd" IP6("\x10", "\0") "\x3a\0\x05\x02\0\0\x01\0" "\x80\0\0\0\x12\x34\0\x02"),
	FRAME("arp", MACS "\x08\x06\0\x01\x08\0\x06\x04\0\x02\x02\0\0\0\0\x01\x0a\0\0\x07\x02\0\0\0\0\x02\x0a\0\0\x01"),
	FRAME("padded", MACS "\x08\0" IP4("\x1c", "\x11") UDP("\x08") "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	FRAME("authentication header", MACS "\x86\xdd" IP6("\x2c", "\x33")
	      "\x06\x04\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0" TCP_SYN),
};
#define NR_FRAMES (sizeof(frames) / sizeof(frames[0]))

/* Decodes the first len bytes in a block that ends where they end. */
static struct decoded decode(const char *bytes, size_t len, uint32_t linktype)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct decoded d;

	memcpy(exact, bytes, len);
	assert_true(decode_packet(&d, exact, len, linktype));
	free(exact);
	return d;
}

static struct decoded decode_frame(const char *what)
{
	for (size_t i = 0; i < NR_FRAMES; i++)
		if (!strcmp(frames[i].what, what))
			return decode(frames[i].bytes, frames[i].len, ETHERNET);
	fail_msg("no frame %s", what);
	return (struct decoded){ 0 };
}

static const char *address(const struct decoded *d, const uint8_t *a)
{
	static char text[INET6_ADDRSTRLEN];

	decode_address(d, a, text);
	return text;
}

static void tcp(void **state)
{
	struct decoded d = decode_frame("tcp");

	assert_int_equal(d.have, DECODED_MAC | DECODED_ETHERTYPE | DECODED_IP | DECODED_UPPER |
			 DECODED_PORTS | DECODED_TCP | DECODED_PAYLOAD);
	assert_string_equal(d.proto, "tcp");
	assert_string_equal(address(&d, d.src), "10.0.0.1");
	assert_string_equal(address(&d, d.dst), "10.0.0.7");
	assert_int_equal(d.sport, 51122);
	assert_int_equal(d.dport, 443);
	assert_int_equal(d.seq, 1000);
	assert_int_equal(d.window, 64240);
	assert_int_equal(d.tcp_flags, 2);
	assert_int_equal(d.payload_len, 0);
	assert_int_equal(d.ttl, 64);
}

static void tcp_over_ipv6(void **state)
{
	struct decoded d = decode_frame("tcp over ipv6");

	assert_int_equal(d.family, AF_INET6);
	assert_string_equal(d.proto, "tcp");
	assert_string_equal(address(&d, d.dst), "2001:db8::7");
	assert_int_equal(d.dport, 443);
	d = decode_frame("authentication header");
	assert_string_equal(d.proto, "tcp");
	assert_int_equal(d.dport, 443);
	assert_int_equal(d.payload_len, 0);
}

static void tags(void **state)
{
	struct decoded d = decode_frame("qinq");

	assert_int_equal(d.nr_vlans, 2);
	assert_int_equal(d.vlans[0], 200);
	assert_int_equal(d.vlans[1], 300);
	assert_string_equal(d.proto, "udp");
	assert_int_equal(d.payload_len, 4);
}

static void options_of_ipv6(void **state)
{
	struct decoded d = decode_frame("options");

	assert_string_equal(d.proto, "icmp6");
	assert_true(d.have & DECODED_ECHO);
	assert_int_equal(d.icmp_id, 0x1234);
	assert_int_equal(d.icmp_seq, 2);
	assert_string_equal(decode_icmp_name(&d), "echo-request");
}

static void arp(void **state)
{
	struct decoded d = decode_frame("arp");

	assert_true(d.have & DECODED_ARP);
	assert_int_equal(d.arp_op, 2);
	assert_string_equal(address(&d, d.src), "10.0.0.7");
	assert_string_equal(address(&d, d.dst), "10.0.0.1");
}

static void padding_is_no_payload(void **state)
{
	struct decoded d = decode_frame("padded");

	assert_string_equal(d.proto, "udp");
	assert_true(d.have & DECODED_PAYLOAD);
	assert_int_equal(d.payload_len, 0);
}

static void other_link_types(void **state)
{
	static const char ip[] = IP4("\x28", "\x06") TCP_SYN;
	static const struct { uint32_t type; const char *head; size_t len; } links[] = {
		{ 101, "", 0 }, { 228, "", 0 }, { 0, "\x02\0\0\0", 4 }, { 108, "\0\0\0\x02", 4 },
		{ 113, "\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0\x08\0", 16 },
		{ 276, "\x08\0\0\0\0\0\0\x02\0\x01\0\x06\x02\0\0\0\0\x01\0\0", 20 },
	};
	char bytes[128];
	struct decoded d;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		memcpy(bytes, links[i].head, links[i].len);
		memcpy(bytes + links[i].len, ip, sizeof(ip) - 1);
		d = decode(bytes, links[i].len + sizeof(ip) - 1, links[i].type);
		assert_string_equal(d.proto, "tcp");
		assert_int_equal(d.dport, 443);
		assert_false(d.have & DECODED_MAC);
	}
	assert_false(decode_packet(&d, (const uint8_t *)ip, sizeof(ip) - 1, 4711));
	assert_int_equal(d.have, 0);
}

/* Shorter by any number of bytes: nothing that is claimed comes from behind the end. */
static void cut_anywhere(void **state)
{
	for (size_t i = 0; i < NR_FRAMES; i++) {
		struct decoded whole = decode(frames[i].bytes, frames[i].len, ETHERNET);

		for (size_t len = 0; len < frames[i].len; len++) {
			struct decoded d = decode(frames[i].bytes, len, ETHERNET);

			assert_int_equal(d.have & ~(whole.have | DECODED_CUT), 0);
			if (len < 14)
				assert_int_equal(d.have, DECODED_CUT);
			if (d.have & DECODED_PORTS)
				assert_int_equal(d.dport, whole.dport);
			/* what is missing is missed, unless it was padding or payload */
			assert_true((d.have & DECODED_CUT) || d.have == whole.have);
		}
	}
}

/* Each byte of each frame set to each value, the frame cut at some length. */
static void lies_anywhere(void **state)
{
	char bytes[256];

	for (size_t i = 0; i < NR_FRAMES; i++)
		for (size_t at = 12; at < frames[i].len; at++)
			for (int value = 0; value < 256; value++) {
				size_t len = frames[i].len - (at * 7 + value) % 5;
				struct decoded d;

				memcpy(bytes, frames[i].bytes, frames[i].len);
				bytes[at] = value;
				d = decode(bytes, len, ETHERNET);
				if (d.have & DECODED_PAYLOAD)
					assert_in_range(d.payload_len, 0, 65535);
				assert_in_range(d.nr_vlans, 0, 64);
			}
}

static void noise(void **state)
{
	static const uint32_t linktypes[] = { 0, 1, 101, 108, 113, 228, 229, 276 };
	uint32_t seed = 1;
	char bytes[200];

	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = seed >> 24;
		}
		/* most of it would end at an unknown ethertype */
		if (round % 2)
			memcpy(bytes + 12, round % 4 == 1 ? "\x86\xdd\x60" : "\x08\0\x45", 3);
		decode(bytes, seed % sizeof(bytes), linktypes[round % 8]);
	}
}

static void contradictions(void **state)
{
	static const struct frame bad[] = {
		FRAME("IHL of 2", MACS "\x08\0\x42\0\0\x28\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x07" TCP_SYN),
		FRAME("version 9", MACS "\x08\0\x95\0\0\x28\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x07" TCP_SYN),
		FRAME("total below header", MACS "\x08\0" IP4("\x08", "\x06") TCP_SYN),
		FRAME("TCP in 8 bytes", MACS "\x08\0" IP4("\x1c", "\x06") TCP_SYN),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!(decode(bad[i].bytes, bad[i].len, ETHERNET).have & (DECODED_BAD | DECODED_CUT)))
			fail_msg("%s is believed", bad[i].what);
}

static void flags(void **state)
{
	char text[9];

	decode_tcp_flags(0x12, text);
	assert_string_equal(text, "S.");
	decode_tcp_flags(0xff, text);
	assert_string_equal(text, "FSRP.UEW");
	decode_tcp_flags(0, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp),
		cmocka_unit_test(tcp_over_ipv6),
		cmocka_unit_test(tags),
		cmocka_unit_test(options_of_ipv6),
		cmocka_unit_test(arp),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(other_link_types),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(lies_anywhere),
		cmocka_unit_test(noise),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
