// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a record of each probe, with the longest addresses, numbers and names.
 * Out:  no line of columns is wider than 79, and of the long field there is always something.
 * Owns: nothing.
 * Runs on: anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>
#include "probe.h"

static char *lines_of(uint32_t id, int byte)
{
	uint64_t data[1024];
	struct xcap_record rec = {
		.type = XCAP_PROBE, .data = (const __u8 *)data, .pid = 4194303, .tid = 4194303,
		.caplen = sizeof(data), .len = sizeof(data), .probe = { .id = id },
	};
	struct answer a = { .rec = &rec, .container = "" };
	char *text;
	size_t size;
	struct columns c = { .out = open_memstream(&text, &size), .width = 79 };

	assert_non_null(c.out);
	memset(data, byte, sizeof(data));
	memset(rec.comm, byte, sizeof(rec.comm) - 1);
	do
		a.fields[a.nr].sz = sizeof(a.fields[0]);
	while (xcap_probe_field(&rec, a.nr, &a.fields[a.nr]) == 1 && ++a.nr < PROBE_FIELDS);
	columns_line(&c, &a);
	assert_int_equal(fclose(c.out), 0);
	return text;
}

static void width(void **state)
{
	struct xcap_probe_row row = { .sz = sizeof(row) };
	char *text, *line, *end;

	(void)state;
	for (int i = 0; xcap_probe_row(i, &row) == 1; i++)
		for (int byte = 0; row.id && byte < 256; byte++) {
			text = lines_of(row.id, byte);
			for (line = text; (end = strchr(line, '\n')); line = end + 1) {
				*end = '\0';
				if (end - line > 79)
					fail_msg("%s: '%s'", row.name, line);
			}
			free(text);
		}
}

/* Where there is no room for it, it has a line of its own. */
static void long_field(void **state)
{
	struct xcap_record rec = { .type = XCAP_PROBE, .pid = 1, .tid = 1, .comm = "init" };
	struct answer a = { .rec = &rec, .container = "", .nr = 2, .fields = {
		{ .name = "state", .kind = XCAP_FIELD_TEXT, .width = 45, .text = "x", .text_len = 1 },
		{ .name = "reason", .kind = XCAP_FIELD_TEXT, .text = "NO_SOCKET", .text_len = 9 },
	} };
	char *text;
	size_t size;
	struct columns c = { .out = open_memstream(&text, &size), .width = 79 };

	(void)state;
	assert_non_null(c.out);
	columns_line(&c, &a);
	assert_int_equal(fclose(c.out), 0);
	assert_non_null(strstr(text, " NO_SOCKET\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(width), cmocka_unit_test(long_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
