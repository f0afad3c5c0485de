// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   tables and accounts with names of every kind.
 * Out:  that the page is one: each line of its grammar, each series once, bounded, and no word of
 *       a name anywhere but in its label.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "metrics.h"
#include "running.h"
#include "top_facts.h"

static struct running_account own = { .pid = 4242, .command = "xcap top" };

static char *page(bool open, struct top *t)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	metrics_page(out, open, t, &own);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static void add(struct top *t, uint32_t pid, const char *name, size_t name_len, uint32_t bytes)
{
	struct top_facts f = {
		.mono_ns = 1, .have = 1u << TOP_PROCESS, .packet = true, .where = 1,
		.add = { [TOP_PACKETS_IN] = 1, [TOP_BYTES_IN] = bytes },
	};

	f.key[TOP_PROCESS].len = 4;
	memcpy(f.key[TOP_PROCESS].bytes, &pid, 4);
	f.name[TOP_PROCESS] = name;
	f.name_len[TOP_PROCESS] = name_len;
	top_add(t, &f);
}

static struct top *table(void)
{
	struct top_opts opts = { 0 };
	struct top *t;

	assert_int_equal(top_new(&t, &opts), 0);
	return t;
}

static bool has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static int count(const char *text, const char *start)
{
	int nr = 0;

	for (const char *at = text; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		nr += !strncmp(at, start, strlen(start));
	return nr;
}

static void both_formats_are_as_they_should_be(void **state)
{
	struct top *t = table();
	char *text;

	add(t, 7, "nginx", 5, 1009);
	text = page(true, t);
	assert_true(has(text, "# TYPE xcap_process_packet_bytes counter"));
	assert_true(has(text, "# UNIT xcap_process_packet_bytes bytes"));
	assert_true(has(text, "xcap_process_packet_bytes_total{pid=\"7\",comm=\"nginx\","
			"direction=\"in\"} 1009"));
	assert_true(has(text, "xcap_packet_bytes_total{direction=\"in\"} 1009"));
	assert_true(has(text, "# TYPE xcap_build info"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	assert_int_equal(count(text, "# EOF"), 1);
	free(text);
	text = page(false, t);
	assert_true(has(text, "# TYPE xcap_process_packet_bytes_total counter"));
	assert_int_equal(count(text, "# UNIT"), 0);
	assert_int_equal(count(text, "# EOF"), 0);
	free(text);
	top_free(t);
}

static void names_stay_in_their_labels(void **state)
{
	static const struct { const char *name; size_t len; const char *label; } names[] = {
		{ "a\"} 5\nevil_total 1", 18, "a\\\"} 5\xef\xbf\xbd" "evil_total 1" },
		{ "b\\", 2, "b\\\\" },
		{ "c\xff\xfe", 3, "c\xef\xbf\xbd\xef\xbf\xbd" },
		{ "d\x1b[2J\r\t\x7f", 8, "d\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "e\xc2\x9b" "A", 4, "e\xef\xbf\xbd" "A" },		/* C1: CSI */
		{ "f\xf0\x9f\x90\xa7", 5, "f\xf0\x9f\x90\xa7" },
		{ "g\xe2\x80", 3, "g\xef\xbf\xbd\xef\xbf\xbd" },	/* cut */
		{ "h\n# EOF", 7, "h\xef\xbf\xbd# EOF" },
	};
	struct top *t = table();
	char line[256], *text;

	for (uint32_t i = 0; i < 8; i++)
		add(t, 100 + i, names[i].name, names[i].len, 11);
	text = page(true, t);
	for (uint32_t i = 0; i < 8; i++) {
		snprintf(line, sizeof(line), "xcap_process_packet_bytes_total{pid=\"%u\",comm=\"%s\","
			 "direction=\"in\"} 11", 100 + i, names[i].label);
		if (!has(text, line))
			fail_msg("no %s in %s", line, text);
	}
	assert_int_equal(count(text, "evil"), 0);
	assert_int_equal(count(text, "# EOF"), 1);
	free(text);
	top_free(t);
}

/* One label for two rows would be one series with two values, and no page at all to a scraper. */
static void what_looks_the_same_is_one(void **state)
{
	struct top *t = table();
	struct top_facts f = { .mono_ns = 1, .have = 1u << TOP_FILE, .where = 1,
			       .add = { [TOP_CALLS] = 1, [TOP_READ] = 13 } };
	static const char *const paths[] = { "/tmp/\xff", "/tmp/\xfe", "/tmp/\x01" };
	char *text;

	for (int i = 0; i < 3; i++) {
		f.key[TOP_FILE].len = 1;
		f.key[TOP_FILE].bytes[0] = i;
		f.name[TOP_FILE] = paths[i];
		f.name_len[TOP_FILE] = 6;
		top_add(t, &f);
	}
	text = page(true, t);
	assert_int_equal(count(text, "xcap_file_read_bytes_total"), 1);
	assert_true(has(text, "xcap_file_read_bytes_total{path=\"/tmp/\xef\xbf\xbd\"} 39"));
	free(text);
	top_free(t);
}

static void the_page_is_bounded(void **state)
{
	struct top *t = table();
	char line[128], *text;
	int nr;

	for (uint32_t i = 0; i < 20011; i++)
		add(t, i, "x", 1, i);
	text = page(true, t);
	nr = count(text, "xcap_process_packets_total");
	assert_true(nr >= 2 * METRICS_ROWS / 3 && nr <= 2 * METRICS_ROWS);
	snprintf(line, sizeof(line), "xcap_process_packet_bytes_total{pid=\"20010\",comm=\"x\","
		 "direction=\"in\"} 20010");
	assert_true(has(text, line));		/* the most */
	assert_true(has(text, "xcap_view_rows{view=\"process\"} 20011"));
	assert_true(has(text, "xcap_packets_total{direction=\"in\"} 20011"));
	assert_true(strlen(text) < 100000);
	free(text);
	top_free(t);
}

static void accounts_are_told_by_place(void **state)
{
	char *text;

	own.nr_sources = own.nr_all = 2;
	for (int i = 0; i < 2; i++) {
		snprintf(own.sources[i].spec, sizeof(own.sources[i].spec), "tap:\"\x1b\n");
		own.sources[i].stats.seen = 1009 + i;
		own.sources[i].stats.dropped[XCAP_DROP_RING_FULL] = 7 + i;
	}
	own.started_ns = 1732345678123456789;
	text = page(true, NULL);
	assert_true(has(text, "xcap_source_seen_records_total{pid=\"4242\",command=\"xcap top\","
			"index=\"0\",source=\"tap:\\\"\xef\xbf\xbd\xef\xbf\xbd\"} 1009"));
	assert_true(has(text, "xcap_source_dropped_records_total{pid=\"4242\","
			"command=\"xcap top\",index=\"1\",source=\"tap:\\\"\xef\xbf\xbd\xef\xbf\xbd\","
			"place=\"ring_full\"} 8"));
	assert_true(has(text, "xcap_capture_start_time_seconds{pid=\"4242\","
			"command=\"xcap top\"} 1732345678.123456789"));
	free(text);
	memset(own.sources, 0, sizeof(own.sources));
	own.nr_sources = own.nr_all = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_formats_are_as_they_should_be),
		cmocka_unit_test(names_stay_in_their_labels),
		cmocka_unit_test(what_looks_the_same_is_one),
		cmocka_unit_test(the_page_is_bounded),
		cmocka_unit_test(accounts_are_told_by_place),
	};

	setenv("XCAP_RUN_DIR", "/nowhere", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
