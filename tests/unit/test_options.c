// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   argument lists, right and wrong.
 * Out:  what the option table makes of them.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "options.h"

struct fields {
	bool flag;
	int level;
	const char *text;
	char *list, *lines;
	uint64_t number, size, time;
};

static const struct option_row rows[] = {
	{ 'q', "quiet", OPTION_FLAG, offsetof(struct fields, flag), NULL, "a flag", 0, 0 },
	{ 'v', "verbose", OPTION_LEVEL, offsetof(struct fields, level), NULL, "a level", 0, 0 },
	{ 'w', "write", OPTION_TEXT, offsetof(struct fields, text), "FILE", "a text", 0, 0 },
	{ 'i', "interface", OPTION_LIST, offsetof(struct fields, list), "SPEC", "a list", 0, 0 },
	{ 'l', "line", OPTION_LINES, offsetof(struct fields, lines), "TEXT", "lines", 0, 0 },
	{ 'c', "count", OPTION_NUMBER, offsetof(struct fields, number), "N", "a number", 1, 1000 },
	{ 's', "size", OPTION_SIZE, offsetof(struct fields, size), "BYTES", "a size", 0, 0 },
	{ 0, "interval", OPTION_TIME, offsetof(struct fields, time), "TIME",
	  "a time, whose help is so long that it goes on in the line below its first", 1000, 0 },
	{ 0 }
};

static const struct command cmd = {
	.name = "try", .summary = "nothing", .usage = "[OPTION]...", .rows = rows,
	.called = "xcap try",
};

static char *words[32];
static int nr_words, first_word;
static char said[4096], shown[4096];

static void keep(char *to, FILE *from)
{
	size_t n;

	rewind(from);
	n = fread(to, 1, 4095, from);
	to[n] = '\0';
	fclose(from);
}

/* The command line's words, split at single spaces, through the parser. */
static int parse(struct fields *f, const char *line)
{
	static char text[1024];
	FILE *out = stdout, *err = stderr;
	char *save;
	int code;

	free(f->list);
	free(f->lines);
	memset(f, 0, sizeof(*f));
	snprintf(text, sizeof(text), "try %s", line);
	nr_words = 0;
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[nr_words++] = w;
	stdout = tmpfile();
	stderr = tmpfile();
	code = options_parse(&cmd, nr_words, words, f, &first_word);
	keep(shown, stdout);
	keep(said, stderr);
	stdout = out;
	stderr = err;
	return code;
}

static void each_kind(void **state)
{
	struct fields f = { 0 };

	assert_int_equal(parse(&f, "-q -vv -w file -i a,b -i c -l d,e -l f -c 12 -s 64K --interval 2ms"),
			 OPTIONS_RUN);
	assert_true(f.flag);
	assert_int_equal(f.level, 2);
	assert_string_equal(f.text, "file");
	assert_string_equal(f.list, "a,b,c");
	assert_string_equal(f.lines, "d,e\nf");
	assert_int_equal(f.number, 12);
	assert_int_equal(f.size, 65536);
	assert_int_equal(f.time, 2000000);
	assert_int_equal(first_word, nr_words);
	assert_string_equal(said, "");
	free(f.list);
	free(f.lines);
}

static void forms_of_a_value(void **state)
{
	static const char *const lines[] = {
		"-c12", "-c 12", "--count 12", "--count=12", "--cou=12", "-qvc12", "-qvc 12",
	};
	struct fields f = { 0 };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(&f, lines[i]), OPTIONS_RUN);
		assert_int_equal(f.number, 12);
	}
	assert_int_equal(parse(&f, "--write="), OPTIONS_RUN);
	assert_string_equal(f.text, "");
}

static void words_keep_their_order(void **state)
{
	struct fields f = { 0 };
	char *joined;

	assert_int_equal(parse(&f, "tcp -c 3 port -q 80 -w - or - udp"), OPTIONS_RUN);
	joined = options_join(nr_words, words, first_word);
	assert_string_equal(joined, "tcp port 80 or - udp");
	free(joined);
	assert_string_equal(f.text, "-");
	assert_int_equal(f.number, 3);

	assert_int_equal(parse(&f, "host -q -- -c 5 -v"), OPTIONS_RUN);
	joined = options_join(nr_words, words, first_word);
	assert_string_equal(joined, "host -c 5 -v");
	free(joined);
	assert_int_equal(f.number, 0);

	assert_int_equal(parse(&f, "-q"), OPTIONS_RUN);
	assert_null(options_join(nr_words, words, first_word));
}

static void wrong_use_names_the_option(void **state)
{
	static const struct { const char *line, *says; } wrong[] = {
		{ "--nosuch", "--nosuch" }, { "--nosuch=1", "--nosuch:" }, { "-z", "-z" },
		{ "-qz", "-z" }, { "--quiet=1", "--quiet" }, { "-c", "-c" },
		{ "--count", "--count" }, { "-c 0", "'0'" }, { "-c 1001", "1 and 1000" },
		{ "-c 1k", "'1k'" }, { "-c -1", "'-1'" }, { "-c 1.5", "'1.5'" }, { "-c=", "'='" },
		{ "-s 1T", "--size" }, { "--interval 1", NULL }, { "--interval 1ns", "1us" },
		{ "--interval 10d", "'10d'" }, { "--inter", "--inter" }, { "--int 5", "--int" },
		{ "-s 99999999999G", "begins at 0" },
		{ "--interface=", "--interface" }, { "--", NULL }, { "-", NULL },
		{ "--=5", "--:" },
	};
	struct fields f = { 0 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int code = parse(&f, wrong[i].line);

		if (!wrong[i].says) {
			assert_int_equal(code, OPTIONS_RUN);
			continue;
		}
		if (code != 2 || !strstr(said, wrong[i].says))
			fail_msg("'%s': %d, %s", wrong[i].line, code, said);
		/* one line, which begins with the command and ends with what to do */
		assert_int_equal(strncmp(said, "xcap try: ", 10), 0);
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
		assert_non_null(strstr(said, "xcap try --help"));
		assert_string_equal(shown, "");
	}
}

static void help_has_every_row(void **state)
{
	struct fields f = { 0 };
	char line[128];

	assert_int_equal(parse(&f, "-h"), 0);
	assert_string_equal(said, "");
	for (const struct option_row *row = rows; row->name; row++) {
		snprintf(line, sizeof(line), "--%s", row->name);
		assert_non_null(strstr(shown, line));
	}
	for (char *at = shown; *at; at += strcspn(at, "\n") + 1)
		assert_in_range(strcspn(at, "\n"), 0, 79);
	assert_int_equal(parse(&f, "-q --help -v"), 0);
	assert_int_equal(parse(&f, "-qhv"), 0);
}

static void numbers(void **state)
{
	static const struct { enum option_kind kind; const char *text; uint64_t n; } right[] = {
		{ OPTION_NUMBER, "0", 0 }, { OPTION_NUMBER, "18446744073709551615", UINT64_MAX },
		{ OPTION_SIZE, "1", 1 }, { OPTION_SIZE, "1k", 1024 }, { OPTION_SIZE, "1.5M", 1572864 },
		{ OPTION_SIZE, "4G", 4ull << 30 }, { OPTION_TIME, "1", 1000000000 },
		{ OPTION_TIME, "0.25", 250000000 }, { OPTION_TIME, "0.000000001", 1 },
		{ OPTION_TIME, "1.5ms", 1500000 }, { OPTION_TIME, "250us", 250000 },
		{ OPTION_TIME, "7ns", 7 }, { OPTION_TIME, "2m", 120000000000 },
		{ OPTION_TIME, "1h", 3600000000000 }, { OPTION_TIME, "0.1234567891", 123456789 },
	};
	static const struct { enum option_kind kind; const char *text; int err; } wrong[] = {
		{ OPTION_NUMBER, "", -EINVAL }, { OPTION_NUMBER, " 1", -EINVAL },
		{ OPTION_NUMBER, "+1", -EINVAL }, { OPTION_NUMBER, "0x10", -EINVAL },
		{ OPTION_NUMBER, "1 ", -EINVAL }, { OPTION_NUMBER, "18446744073709551616", -ERANGE },
		{ OPTION_NUMBER, "99999999999999999999999", -ERANGE },
		{ OPTION_SIZE, "1.", -EINVAL }, { OPTION_SIZE, "1.k", -EINVAL },
		{ OPTION_SIZE, ".5k", -EINVAL }, { OPTION_SIZE, "1kk", -EINVAL },
		{ OPTION_SIZE, "17179869184G", -ERANGE }, { OPTION_TIME, "1k", -EINVAL },
		{ OPTION_TIME, "18446744073709551615", -ERANGE },
	};
	uint64_t n;

	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		n = 42;
		assert_int_equal(options_number(right[i].text, right[i].kind, &n), 0);
		assert_int_equal(n, right[i].n);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (options_number(wrong[i].text, wrong[i].kind, &n) != wrong[i].err)
			fail_msg("'%s'", wrong[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind),
		cmocka_unit_test(forms_of_a_value),
		cmocka_unit_test(words_keep_their_order),
		cmocka_unit_test(wrong_use_names_the_option),
		cmocka_unit_test(help_has_every_row),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
