// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the table of probes; records of each, whole, cut and random.
 * Out:  every row and field can be read, none reads beyond its record, and none can steer a
 *       terminal.
 * Owns: nothing.
 * Runs on: anything.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>
#include "probe_table.h"

/* On the heap, so that a byte read beyond it is found. */
static struct xcap_record record(uint32_t id, size_t len, int byte)
{
	uint8_t *data = malloc(len + !len);

	memset(data, byte, len);
	return (struct xcap_record) {
		.type = XCAP_PROBE, .data = data, .caplen = len, .len = len, .probe = { .id = id },
	};
}

static void rows(void **state)
{
	struct xcap_probe_row row = { .sz = sizeof(row) };
	int nr = 0;

	(void)state;
	for (; xcap_probe_row(nr, &row) == 1; nr++) {
		assert_true(strlen(row.name) <= 10);
		assert_true(strlen(row.answers) <= 68 && strlen(row.costs) <= 62);
		assert_true(row.kind >= XCAP_PROBE_EVENTS && row.kind <= XCAP_PROBE_CALLS);
		assert_int_equal(!row.id, row.kind == XCAP_PROBE_CALLS);
		if (row.id)
			assert_string_equal(xcap_probe_name(row.id), row.name);
		for (int i = 0; i < nr; i++)
			assert_string_not_equal(probe_row_at(i)->name, row.name);
	}
	assert_true(nr >= 5);
	assert_int_equal(xcap_probe_row(-1, &row), 0);
	row.sz = 1;
	assert_int_equal(xcap_probe_row(0, &row), -EINVAL);
	assert_null(xcap_probe_name(0));
	assert_null(xcap_probe_name(12345));
}

/* Fields lie in the layout, have names of their own that are not those of every line. */
static void fields(void **state)
{
	static const char *const common[] = { "time", "type", "probe", "pid", "tid", "comm", "uid",
		"user", "source", "cpu", "ppid", "started", "exe", "cmdline", "container" };
	const struct probe_row *row;

	(void)state;
	for (int i = 0; (row = probe_row_at(i)); i++) {
		const struct probe_field *f = row->fields;

		for (; f && f->name; f++) {
			assert_true(f->offset + f->size <= row->size);
			assert_true(f->name_of || f->size);
			for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++)
				assert_string_not_equal(f->name, common[k]);
			for (const struct probe_field *g = row->fields; g != f; g++)
				assert_string_not_equal(g->name, f->name);
		}
		assert_int_equal(row->size % 8, 0);
	}
}

static void read_all(const struct xcap_record *r)
{
	struct xcap_field f = { .sz = sizeof(f) };
	char line[XCAP_TEXT_MAX];
	int i = 0, len;

	for (; xcap_probe_field(r, i, &f) == 1; i++) {
		assert_non_null(f.name);
		if (f.kind == XCAP_FIELD_TEXT || f.kind == XCAP_FIELD_ADDRESS)
			assert_true(f.text && !memchr(f.text, 0, f.text_len));
	}
	assert_true(i);
	len = xcap_record_text(r, line, sizeof(line));
	assert_true(len > 0);
	for (const char *p = line; *p; p++)
		assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void whole_and_cut(void **state)
{
	struct xcap_field f = { .sz = sizeof(f) };
	const struct probe_row *row;

	(void)state;
	for (int i = 0; (row = probe_row_at(i)); i++) {
		if (!row->id)
			continue;
		for (int byte = 0; byte < 256; byte += 5) {
			struct xcap_record r = record(row->id, row->size, byte);

			read_all(&r);
			free((void *)r.data);
		}
		for (size_t len = 0; len < row->size; len++) {
			struct xcap_record r = record(row->id, len, 0xff);

			assert_int_equal(xcap_probe_field(&r, 0, &f), -EINVAL);
			free((void *)r.data);
		}
	}
}

static void no_records(void **state)
{
	struct xcap_field f = { .sz = sizeof(f) };
	struct xcap_record r = record(XPROBE_EXIT, sizeof(struct xprobe_exit), 0);

	(void)state;
	assert_int_equal(xcap_probe_field(&r, -1, &f), 0);
	assert_int_equal(xcap_probe_field(&r, 99, &f), 0);
	f.sz = 3;
	assert_int_equal(xcap_probe_field(&r, 0, &f), -EINVAL);
	f.sz = sizeof(f);
	r.type = XCAP_PACKET;
	assert_int_equal(xcap_probe_field(&r, 0, &f), -EINVAL);
	r.type = XCAP_PROBE;
	r.probe.id = 4711;
	assert_int_equal(xcap_probe_field(&r, 0, &f), -EINVAL);
	free((void *)r.data);
}

static void one_line(void **state)
{
	struct xprobe_exit x = { .status = -1, .signal = 9, .age_ns = 1500000, .ppid = 7 };
	struct xcap_record r = {
		.type = XCAP_PROBE, .tid = 8, .comm = "a\x1b[m", .data = (const __u8 *)&x,
		.caplen = sizeof(x), .probe = { .id = XPROBE_EXIT },
	};
	char line[XCAP_TEXT_MAX];

	(void)state;
	xcap_record_text(&r, line, sizeof(line));
	assert_string_equal(line, "a\\x1b[m[8] * exit status=-1 signal=KILL parent=7 age=1.5ms core=0");
	r.tid = 0;
	xcap_record_text(&r, line, sizeof(line));
	assert_string_equal(line, "* exit status=-1 signal=KILL parent=7 age=1.5ms core=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(fields),
		cmocka_unit_test(whole_and_cut),
		cmocka_unit_test(no_records),
		cmocka_unit_test(one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
