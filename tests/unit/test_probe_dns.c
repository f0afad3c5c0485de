// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   questions of the domain name system as no resolver would send them.
 * Out:  names and types, or "?".
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>
#include "xcap_event.h"

static struct xprobe_dns row;
static struct xcap_record rec;

static const char *field(const char *name)
{
	static struct xcap_field f;

	f.sz = sizeof(f);
	for (int i = 0; xcap_probe_field(&rec, i, &f) == 1; i++)
		if (!strcmp(f.name, name)) {
			assert_int_equal(strlen(f.text), f.text_len);
			return f.text;
		}
	fail_msg("no field %s", name);
	return NULL;
}

/* len: so much of the question was there */
static void ask(const void *question, size_t len)
{
	memset(&row, 0, sizeof(row));
	row.question_len = len;
	memcpy(row.question, question, len < sizeof(row.question) ? len : sizeof(row.question));
	rec = (struct xcap_record){ .type = XCAP_PROBE, .data = (const uint8_t *)&row,
				    .caplen = sizeof(row), .probe.id = XPROBE_DNS };
}

#define ASK(question) ask(question, sizeof(question) - 1)

static void test_honest(void **state)
{
	ASK("\3www\7example\0\0\34\0\1");
	assert_string_equal(field("qname"), "www.example");
	assert_string_equal(field("qtype"), "AAAA");
	assert_string_equal(field("rcode"), "NOERROR");
	ASK("\0\0\2\0\1");
	assert_string_equal(field("qname"), ".");
	assert_string_equal(field("qtype"), "NS");
	ASK("\1a\0\377\376\0\1");
	assert_string_equal(field("qtype"), "TYPE65534");
	row.rcode = 15;
	assert_string_equal(field("rcode"), "RCODE15");
	row.rcode = XPROBE_DNS_NONE;
	assert_string_equal(field("rcode"), "TIMEOUT");
	row.rcode = 16;
	assert_string_equal(field("rcode"), "?");
	row.rcode = INT32_MIN;
	assert_string_equal(field("rcode"), "?");
}

static void test_strange_bytes(void **state)
{
	ASK("\3a.b\4\\\0\n\377\0\0\1\0\1");
	assert_string_equal(field("qname"), "a\\.b.\\\\\\000\\010\\255");
	assert_string_equal(field("qtype"), "A");
}

/* The longest name there is, of bytes that take four characters each. */
static void test_longest(void **state)
{
	char q[XPROBE_DNS_QUESTION];

	memset(q, 1, sizeof(q));
	for (int i = 0; i < 4; i++)
		q[64 * i] = i < 3 ? 63 : 61;
	memcpy(q + 254, "\0\0\1\0\1", 5);
	ask(q, 259);
	assert_int_equal(strlen(field("qname")), 4 * 250 + 3);
	assert_string_equal(field("qtype"), "A");
	/* one byte more than a name may have */
	memset(q, 1, sizeof(q));
	for (int i = 0; i < 4; i++)
		q[64 * i] = i < 3 ? 63 : 62;
	memcpy(q + 255, "\0\0\1\0\1", 5);
	ask(q, 260);
	assert_string_equal(field("qname"), "?");
}

static void test_hostile(void **state)
{
	static const struct { const char *q; size_t len; } none[] = {
		{ "", 0 },
		{ "\3ww", 3 },			/* it ends within a label */
		{ "\3www", 4 },			/* and before the last one */
		{ "\300\14\0\1\0\1", 6 },	/* it refers to itself */
		{ "\3www\300\14\0\1\0\1", 10 },
		{ "\100aaaa\0\0\1\0\1", 10 },	/* labels of kinds that nobody uses */
		{ "\77", 1 },
	};
	char q[XPROBE_DNS_QUESTION];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ask(none[i].q, none[i].len);
		assert_string_equal(field("qname"), "?");
		assert_string_equal(field("qtype"), "?");
	}
	ASK("\1a\0\0");		/* no type */
	assert_string_equal(field("qname"), "a");
	assert_string_equal(field("qtype"), "?");
	for (int b = 0; b < 256; b++) {
		memset(q, b, sizeof(q));
		for (size_t len = 0; len <= sizeof(q); len++) {
			ask(q, len);
			assert_true(*field("qname") && *field("qtype"));
		}
	}
	ask(q, sizeof(q));
	row.question_len = UINT16_MAX;	/* of a damaged file */
	assert_string_equal(field("qname"), "?");
	assert_string_equal(field("qtype"), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_strange_bytes),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
