// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records made by hand, of every system call there is, and hostile ones.
 * Out:  that their lines say what they should, fit, and are cut safely anywhere.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>

#define LONGEST 8192	/* all flags by name at once */

static char line[LONGEST];

static const char *text(const struct xcap_record *r)
{
	int len = xcap_record_text(r, line, sizeof(line));

	assert_in_range(len, 1, sizeof(line) - 1);
	assert_int_equal(len, strlen(line));
	return line;
}

static void what_it_says(void **state)
{
	static const __u64 args[6] = { 8, 0x7ffc0010, 4096 };
	struct xcap_record r = { .type = XCAP_SYS_ENTER, .pid = 1, .tid = 1292, .comm = "nginx",
				 .enter.nr = 1, .enter.args = args };

	assert_string_equal(text(&r), "nginx[1292] > write(fd=8, buf=0x7ffc0010, count=4096)");
	r.flags = XCAP_REC_COMPAT;
	assert_string_equal(text(&r), "nginx[1292] > exit/32(status=8)");
	r = (struct xcap_record) { .type = XCAP_SYS_EXIT, .tid = 7, .comm = "curl",
				   .exit = { .nr = 42, .ret = -115 } };
	assert_string_equal(text(&r), "curl[7] < connect = -115 EINPROGRESS");
	r.exit.ret = INT64_MIN;
	assert_string_equal(text(&r), "curl[7] < connect = -9223372036854775808");
	r.exit.nr = 9;
	assert_string_equal(text(&r), "curl[7] < mmap = 0x8000000000000000");
	r = (struct xcap_record) { .type = XCAP_SWITCH, .tid = 7, .comm = "curl",
				   .sw = { .next_tid = 0, .prev_state = 1, .next_comm = "swapper/0" } };
	assert_string_equal(text(&r), "curl[7] -> swapper/0[0] (S)");
	r = (struct xcap_record) { .type = XCAP_LOSS, .loss = { .count = -1ull, .where = 3 } };
	assert_string_equal(text(&r), "--- 18446744073709551615 lost (ring_full)");
	r.loss.where = 4711;
	assert_string_equal(text(&r), "--- 18446744073709551615 lost (unknown)");
}

static void what_has_no_line(void **state)
{
	struct xcap_record r = { .type = XCAP_PACKET };

	assert_int_equal(xcap_record_text(&r, line, sizeof(line)), -EINVAL);
	r.type = 0;
	assert_int_equal(xcap_record_text(&r, line, sizeof(line)), -EINVAL);
	r.type = 77;
	assert_int_equal(xcap_record_text(&r, NULL, 0), -EINVAL);
}

/* The longest of everything at once. */
static void every_call_fits(void **state)
{
	static const __u64 args[6] = { -1ull, -1ull, -1ull, -1ull, -1ull, -1ull };
	struct xcap_record r = { .tid = UINT32_MAX, .cpu = UINT16_MAX, .enter.args = args };
	int longest = 0, len;

	memset(r.comm, 1, sizeof(r.comm));
	for (__u32 nr = 0; nr < 520; nr++)
		for (int compat = 0; compat < 2; compat++) {
			r.flags = compat ? XCAP_REC_COMPAT : 0;
			r.type = XCAP_SYS_ENTER;
			r.enter.nr = nr;
			r.enter.args = args;
			len = strlen(text(&r));
			longest = len > longest ? len : longest;
			r.type = XCAP_SYS_EXIT;
			r.exit.ret = INT64_MIN + 1;
			text(&r);
		}
	assert_in_range(longest, 200, sizeof(line) - 100);	/* room for longer names to come */
	r.type = XCAP_SWITCH;
	memset(r.sw.next_comm, 1, sizeof(r.sw.next_comm));
	r.sw.next_tid = UINT32_MAX;
	assert_in_range(strlen(text(&r)), 100, XCAP_TEXT_MAX - 100);
}

static void what_names_cannot_do(void **state)
{
	static const struct { const char comm[17], *text; } all[] = {
		{ "\033[2J", "\\x1b[2J" },
		{ "a\nb\r\t\x7f", "a\\x0ab\\x0d\\x09\\x7f" },
		{ "gr\xc3\xbcn", "gr\xc3\xbcn" },
		{ "\xff\xc3", "\\xff\\xc3" },
		{ "\xc2\x9b" "1m", "\\xc2\\x9b1m" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "0123456789abcdef", "0123456789abcdef" },
		{ "0123456789abcd\xe2\x82", "0123456789abcd\\xe2\\x82" },
	};
	char want[128];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct xcap_record r = { .type = XCAP_SWITCH };

		memcpy(r.comm, all[i].comm, sizeof(r.comm));
		memcpy(r.sw.next_comm, all[i].comm, sizeof(r.comm));
		snprintf(want, sizeof(want), "%s[0] -> %s[0] (R)", all[i].text, all[i].text);
		assert_string_equal(text(&r), want);
	}
}

/* Cut at each place: whole characters, whole escapes, the same length told, nothing behind. */
static void cut_anywhere(void **state)
{
	struct xcap_record r = { .type = XCAP_SYS_EXIT, .exit = { .nr = 1, .ret = -32 } };
	char cut[XCAP_TEXT_MAX];
	int len, n;

	memcpy(r.comm, "\xe2\x82\xac\033\xc3\xbc\xff\xf0\x9f\x90\x9d\\", 13);
	len = strlen(text(&r));
	assert_string_equal(line, "\xe2\x82\xac\\x1b\xc3\xbc\\xff\xf0\x9f\x90\x9d\\[0] < write = -32 EPIPE");
	assert_int_equal(xcap_record_text(&r, NULL, 0), len);
	for (int size = 1; size <= len + 1; size++) {
		memset(cut, 'z', sizeof(cut));
		assert_int_equal(xcap_record_text(&r, cut, size), len);
		n = strlen(cut);
		assert_true(n < size && n >= size - 5);
		assert_memory_equal(cut, line, n);
		for (int i = size; i < len + 2; i++)
			assert_int_equal(cut[i], 'z');
		for (int at = 0, c; at < n; at += c)
			assert_true((c = xcap_utf8(cut + at, n - at)) > 0);
		assert_true(n < 3 || memcmp(cut + n - 3, "\\x1", 3));
		assert_true(n < 2 || memcmp(cut + n - 2, "\\x", 2));
	}
	assert_string_equal(cut, line);
}

static void arguments(void **state)
{
	static const __u64 args[6] = { 0xffffff9c, 2, -5ull };
	struct xcap_record r = { .type = XCAP_SYS_ENTER, .enter = { .nr = 257, .args = args } };
	struct xcap_arg arg;

	assert_int_equal(xcap_record_arg(&r, 0, &arg), 1);
	assert_string_equal(arg.name, "dirfd");
	assert_int_equal(arg.kind, 'f');
	assert_int_equal(arg.number, -100);
	assert_int_equal(arg.value, 0xffffff9c);
	assert_int_equal(xcap_record_arg(&r, 4, &arg), 0);
	assert_int_equal(xcap_record_arg(&r, -1, &arg), 0);
	assert_int_equal(xcap_record_arg(&r, 6, &arg), 0);
	r.enter.nr = 4711;
	assert_int_equal(xcap_record_arg(&r, 5, &arg), 1);
	assert_string_equal(arg.name, "arg5");
	r.type = XCAP_SYS_EXIT;
	assert_int_equal(xcap_record_arg(&r, 0, &arg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says),
		cmocka_unit_test(what_has_no_line),
		cmocka_unit_test(every_call_fits),
		cmocka_unit_test(what_names_cannot_do),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
