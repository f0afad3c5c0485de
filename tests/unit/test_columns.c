// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   lines of a probe with long and short, clean and hostile cells.
 * Out:  whether columns stay under their names, lines under 80, and nothing steers a terminal.
 * Owns: nothing.
 * Runs on: anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "probe.h"

static struct xcap_field text(const char *name, int width, const char *value)
{
	return (struct xcap_field){ .sz = sizeof(struct xcap_field), .name = name, .width = width,
		.kind = XCAP_FIELD_TEXT, .text = value, .text_len = strlen(value) };
}

static struct xcap_field number(const char *name, int width, int kind, uint64_t value)
{
	return (struct xcap_field){ .sz = sizeof(struct xcap_field), .name = name, .width = width,
		.kind = kind, .value = value };
}

/* Two lines: one as usual, one in which everything is too long. */
static char *print(bool wide)
{
	struct xcap_record rec = { .type = XCAP_PROBE, .pid = 77, .tid = 77, .comm = "nginx",
				   .wall_ns = 1732345678123456789 };
	struct columns c = { .wide = wide, .width = 79 };
	struct answer a = { .rec = &rec, .container = "", .nr = 6 };
	char *out;
	size_t size;

	setenv("TZ", "UTC", 1);
	c.out = open_memstream(&out, &size);
	a.fields[0] = text("state", 8, "OPEN");
	a.fields[1] = number("ret", 6, XCAP_FIELD_SIGNED, -2);
	a.fields[2] = number("age_ns", 7, XCAP_FIELD_DURATION, 1234567);
	a.fields[3] = number("hidden", XCAP_WIDTH_NEVER, XCAP_FIELD_UNSIGNED, 5);
	a.fields[4] = text("device", 30, "eth0");
	a.fields[5] = text("path", 0, "/etc/hosts");
	columns_line(&c, &a);
	strcpy(rec.comm, "a\x1b[2Jbcdefghijk");
	rec.pid = 0;
	a.fields[0] = text("state", 8, "ESTABLISHED");
	a.fields[4] = text("device", 30, "\xff\n");
	a.fields[5] = text("path", 0, "/a/path/that/is/so/long/that/it/has/no/place/in/a/line/of/79/columns");
	columns_line(&c, &a);
	fclose(c.out);
	return out;
}

static void narrow(void **state)
{
	char *out = print(false);

	(void)state;
	assert_string_equal(out,
		"TIME         PID COMM         STATE       RET     AGE\n"
		"                  DEVICE                         PATH\n"
		"07:07:58      77 nginx        OPEN     ENOENT  1.23ms\n"
		"                  eth0                           /etc/hosts\n"
		"07:07:58       - a\\x1b[2Jbcdefghijk ESTABLISHED ENOENT 1.23ms\n"
		"                  \\xff\\x0a                       /a/path/that/is/so/long/tha...\n");
	free(out);
}

static void wide(void **state)
{
	char *out = print(true);

	(void)state;
	assert_non_null(strstr(out, "TIME         PID COMM         STATE       RET     AGE HIDDEN DEVICE "));
	assert_non_null(strstr(out, "/in/a/line/of/79/columns\n"));
	free(out);
}

static void durations(void **state)
{
	static const struct { uint64_t ns; const char *text; } known[] = {
		{ 0, "0ns" }, { 999, "999ns" }, { 1000, "1.00us" }, { 12345, "12.3us" },
		{ 999499, "999us" }, { 1234567890, "1.23s" }, { UINT64_MAX, "18446744074s" },
	};
	char room[16];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(probe_duration(known[i].ns, room), known[i].text);
}

static void histogram(void **state)
{
	uint64_t slots[40] = { [0] = 1, [3] = 80, [39] = 2 };
	char *out;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	(void)state;
	probe_histogram(f, "x", slots, 40);
	fclose(f);
	assert_non_null(strstr(out, "     8ns - 16ns             80  ****************************************\n"));
	assert_non_null(strstr(out, "    16ns - 32ns              0\n"));
	assert_non_null(strstr(out, "    550s -                   2  *\n"));
	for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) < 80 && (!*line || line[strlen(line) - 1] != ' '));
	free(out);
	f = open_memstream(&out, &size);
	memset(slots, 0, sizeof(slots));
	probe_histogram(f, "x", slots, 40);
	fclose(f);
	assert_string_equal(out, "");
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(narrow),
		cmocka_unit_test(wide),
		cmocka_unit_test(durations),
		cmocka_unit_test(histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
