// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   arguments of calls, with what they refer to as the kernel half would hand it over.
 * Out:  that each form writes what it should, and nothing else whatever it is given.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>
#include "arg_forms.h"
#include "syscall_table.h"
#include "xcap_event.h"

static const struct { const char *name; const struct arg_form *form; } forms[] = {
#define FORM(name) { #name, &arg_form_##name },
#include "arg_forms.list"
#undef FORM
};

#define NR_FORMS (sizeof(forms) / sizeof(forms[0]))

static const char *const calls[] = {
#define C(name, ...) #name,
#include "syscall_names.h"
#undef C
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

/* ---- records made by hand ---- */

static __u8 room[1 << 17];
static __u32 used;

static void add_item(int arg, int kind, int flags, const void *bytes, __u32 len, __u64 whole)
{
	struct xcap_ev_item head = { .arg = arg, .kind = kind, .flags = flags, .len = len,
				     .whole = whole };

	memcpy(room + used, &head, sizeof(head));
	memcpy(room + used + sizeof(head), bytes, len);
	used += sizeof(head) + len;
	memset(room + used, 0, 7);
	used = (used + 7) & ~7u;
}

/* The bytes are where ASan sees the first one behind them, and at an odd address. */
static __u8 *as_data(struct xcap_record *rec)
{
	__u8 *copy = malloc(used + 1);

	assert_non_null(copy);
	memcpy(copy + 1, room, used);
	rec->data = copy + 1;
	rec->caplen = used;
	return copy;
}

static const char *arg_is(const struct xcap_record *rec, int arg)
{
	static char text[65536];
	int len = xcap_record_arg_text(rec, arg, text, sizeof(text));

	assert_in_range(len, 1, sizeof(text) - 1);
	assert_int_equal(strlen(text), len);
	return text;
}

/* ---- one value of each form ---- */

struct one {
	const char *call;
	int arg;
	const char *text;
	__u64 value;		/* of the register */
	const char *hex;	/* the memory, NULL none */
	__u64 other;		/* of all arguments before it */
	bool exit, compat;
	__s64 ret;
};

static const struct one all[] = {
#include "arg_forms_known.h"
};

static __u32 from_hex(const char *hex, __u8 *bytes)
{
	__u32 n = 0;
	int repeat;

	for (; *hex; n++) {
		if (*hex == ' ') {
			hex++, n--;
		} else if (sscanf(hex, "*%d ", &repeat) == 1) {	/* so many zeros */
			memset(bytes + n, 0, repeat);
			n += repeat - 1;
			hex += strcspn(hex, " ");
		} else {
			sscanf(hex, "%2hhx", &bytes[n]);
			hex += 2;
		}
	}
	return n;
}

static void make(const struct one *t, struct xcap_record *rec, __u64 args[6])
{
	__u8 bytes[4096];
	int nr = xcap_syscall_nr(t->call, t->compat);

	if (nr < 0)
		fail_msg("%s: no such call", t->call);
	for (int i = 0; i < 6; i++)
		args[i] = i < t->arg ? t->other : t->value;
	if (t->hex && !t->value)
		args[t->arg] = 0x7ffc1000;
	*rec = (struct xcap_record) { .type = t->exit ? XCAP_SYS_EXIT : XCAP_SYS_ENTER,
				      .flags = t->compat ? XCAP_REC_COMPAT : 0 };
	if (t->exit) {
		rec->exit.nr = nr;
		rec->exit.ret = t->ret;
	} else {
		rec->enter.nr = nr;
		rec->enter.args = args;
	}
	used = 0;
	if (t->hex) {
		__u32 len = from_hex(t->hex, bytes);

		add_item(t->arg, XITEM_BYTES, 0, bytes, len, len);
	}
}

static const struct arg_form *form_of(const struct one *t)
{
	struct call_row row;

	syscall_table_row(xcap_syscall_nr(t->call, t->compat), t->compat, &row);
	return row.args[t->arg].form;
}

static void what_is_known(void **state)
{
	bool seen[NR_FORMS] = { false };
	int bad = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct xcap_record rec;
		__u64 args[6];
		__u8 *copy;
		const char *text;

		make(&all[i], &rec, args);
		copy = as_data(&rec);
		text = arg_is(&rec, all[i].arg);
		if (strcmp(text, all[i].text)) {
			print_error("%s, argument %d: \"%s\", not \"%s\"\n", all[i].call, all[i].arg,
				    text, all[i].text);
			bad++;
		}
		free(copy);
		for (size_t f = 0; f < NR_FORMS; f++)
			if (forms[f].form == form_of(&all[i]))
				seen[f] = true;
	}
	for (size_t f = 0; f < NR_FORMS; f++)
		if (!seen[f] && ++bad)
			print_error("%s: no value of it is tried\n", forms[f].name);
	assert_int_equal(bad, 0);
}

/* ---- the table ---- */

static void every_form_is_used_and_in_order(void **state)
{
	int uses[NR_FORMS] = { 0 };

	for (size_t f = 1; f < NR_FORMS; f++)
		if (strcmp(forms[f - 1].name, forms[f].name) >= 0)
			fail_msg("%s stands before %s", forms[f - 1].name, forms[f].name);
	for (int compat = 0; compat < 2; compat++)
		for (__u32 nr = 0; nr < 512; nr++) {
			struct call_row row;

			if (!syscall_table_row(nr, compat, &row))
				continue;
			for (int i = 0; i < 7; i++)
				for (size_t f = 0; f < NR_FORMS; f++)
					uses[f] += row.args[i].form == forms[f].form;
		}
	for (size_t f = 0; f < NR_FORMS; f++)
		if (!uses[f])
			fail_msg("%s: no argument has it", forms[f].name);
}

/* Calls of 64 bits of which an argument is more than a number or a descriptor. */
static void enough_calls_are_typed(void **state)
{
	int typed = 0, arguments = 0;

	for (__u32 nr = 0; nr < 512; nr++) {
		struct call_row row;
		int here = 0;

		if (!syscall_table_row(nr, 0, &row))
			continue;
		for (int i = 0; i < 6; i++)
			here += row.args[i].form || (row.args[i].how && row.args[i].kind != 'f');
		typed += here > 0;
		arguments += here;
	}
	print_message("%d calls have typed arguments, %d of them, in %zu forms\n", typed,
		      arguments, NR_FORMS);
	assert_true(typed >= 150);
}

/* ---- whatever comes ---- */

static uint64_t seed = 88172645463325252ull;

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* A number no set has; every bit; structures of noise, too short ones and none. */
static void what_is_not_known(void **state)
{
	static const __u64 values[] = { 0, 0x7badcafe, 0xffffffff, -1ull, 0x123456789abcdef };
	static char text[1 << 16];
	__u8 noise[512];

	for (size_t c = 0; c < NR_CALLS; c++)
		for (int i = 0; i < 6; i++)
			for (size_t v = 0; v < 4 * sizeof(values) / sizeof(values[0]); v++) {
				struct one t = { .call = calls[c], .arg = i, .compat = v & 1,
						 .value = values[v / 4], .exit = v & 2 };
				struct xcap_record rec;
				__u64 args[6];
				__u8 *copy;
				int len;

				if (xcap_syscall_nr(t.call, t.compat) < 0)
					continue;
				make(&t, &rec, args);
				for (size_t n = 0; n < sizeof(noise); n++)
					noise[n] = dice();
				used = 0;
				if (v & 2 || dice() & 1)
					add_item(i, XITEM_BYTES, dice() & 3, noise,
						 dice() & 1 ? dice() % 512 : dice() % 24, dice());
				copy = as_data(&rec);
				len = xcap_record_arg_text(&rec, i, text, sizeof(text));
				assert_true(len == -EINVAL || len > 0);
				if (len > 0)
					assert_in_range(len, 1, sizeof(text) - 1);
				free(copy);
			}
}

/* Items of which every field may be anything, in any call, cut anywhere. */
static void noise_makes_no_harm(void **state)
{
	static char text[1 << 16];
	static const __u64 args[6] = { 1, 2, 3, 4, 5, 6 };

	for (int round = 0; round < 60000; round++) {
		bool exit = dice() & 1;
		struct xcap_record rec = { .type = exit ? XCAP_SYS_EXIT : XCAP_SYS_ENTER,
					   .flags = dice() & 1 ? XCAP_REC_COMPAT : 0 };
		__u8 noise[256], *copy;
		int len;

		if (exit) {
			rec.exit.nr = dice() % 480;
			rec.exit.ret = dice() % 5;
		} else {
			rec.enter.nr = dice() % 480;
			rec.enter.args = args;
		}
		used = 0;
		for (int n = dice() % 5; n; n--) {
			for (size_t i = 0; i < sizeof(noise); i++)
				noise[i] = dice() % 3 ? dice() : 0;
			add_item(dice() % 8, 1 + dice() % 5, dice() & 3, noise, dice() % 256,
				 dice());
		}
		if (used && dice() % 4 == 0)
			room[dice() % used] = dice();
		if (used && dice() % 4 == 0)
			used -= dice() % used;
		copy = as_data(&rec);
		len = xcap_record_text(&rec, text, sizeof(text));
		assert_in_range(len, 1, sizeof(text) - 1);
		assert_int_equal(strlen(text), len);
		for (int at = 0, c; at < len; at += c)
			assert_true((c = xcap_utf8(text + at, len - at)) > 0);
		assert_int_equal(xcap_record_text(&rec, text, dice() % 100), len);
		free(copy);
	}
}

/* ---- strings, data, descriptors ---- */

static void put_file(int arg, int kind, int family, const char *path)
{
	struct xcap_ev_file f = { .kind = kind, .family = family, .local = { 10, 0, 0, 1 },
				  .remote = { 10, 0, 0, 7 }, .local_port = 443,
				  .remote_port = 51122 };
	__u8 bytes[256];

	memcpy(bytes, &f, sizeof(f));
	memcpy(bytes + sizeof(f), path, strlen(path));
	add_item(arg, XITEM_FILE, 0, bytes, sizeof(f) + strlen(path), 0);
}

static void line_is(struct xcap_record *rec, const char *want)
{
	__u8 *copy = as_data(rec);
	char text[4096];

	xcap_record_text(rec, text, sizeof(text));
	assert_string_equal(text, want);
	free(copy);
	used = 0;
}

static void whole_lines(void **state)
{
	__u64 args[6] = { 8, 0x7000, 5 };
	struct xcap_record rec = { .type = XCAP_SYS_ENTER, .comm = "a", .tid = 1,
				   .enter = { .nr = 1, .args = args } };

	used = 0;
	put_file(0, XFILE_SOCKET, 2, "");
	add_item(1, XITEM_BYTES, XITEM_CUT, "a\n\xff\xc3\xbc", 5, 80);
	line_is(&rec, "a[1] > write(fd=8(10.0.0.1:443\xe2\x86\x92""10.0.0.7:51122), "
		      "buf=\"a\\n\\xff\xc3\xbc\"..., count=5)");
	rec.enter.nr = 59;
	add_item(0, XITEM_BYTES, 0, "/bin/ls", 7, 7);
	add_item(1, XITEM_STRINGS, 0, "ls\0-l", 6, 6);
	line_is(&rec, "a[1] > execve(pathname=\"/bin/ls\", argv=[\"ls\", \"-l\"], envp=0x5)");
	add_item(1, XITEM_STRINGS, XITEM_CUT, "ls", 2, 9);
	line_is(&rec, "a[1] > execve(pathname=0x8, argv=[\"ls\", ...], envp=0x5)");
	rec.enter.nr = 257;
	args[0] = -100;
	args[2] = 02000000;
	add_item(1, XITEM_BYTES, 0, "/etc/passwd", 11, 11);
	line_is(&rec, "a[1] > openat(dirfd=AT_FDCWD, pathname=\"/etc/passwd\", "
		      "flags=O_RDONLY|O_CLOEXEC)");
	rec.type = XCAP_SYS_EXIT;
	rec.exit.nr = 257;
	rec.exit.ret = 3;
	put_file(XITEM_RESULT, XFILE_PATH, 0, "/etc/\033[2Jpasswd");
	line_is(&rec, "a[1] < openat = 3(/etc/\\x1b[2Jpasswd)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known),
		cmocka_unit_test(every_form_is_used_and_in_order),
		cmocka_unit_test(enough_calls_are_typed),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(noise_makes_no_harm),
		cmocka_unit_test(whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
