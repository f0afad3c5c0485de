// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   argv and a command's table of options.
 * Out:  the command's struct, filled; help; the line that says what is wrong.
 * Owns: lists joined by commas, until the command frees them.
 * Runs on: the tool's only thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

#define HELP_COLUMN 26
#define WIDTH 79

/* In every table without being written there. */
static const struct option_row help_row = {
	'h', "help", OPTION_FLAG, 0, NULL, "print this help and exit", 0, 0
};

int options_wrong(const struct command *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", cmd->called);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "; %s --help lists the options\n", cmd->called);
	va_end(ap);
	return 2;
}

static const struct { const char *text; enum option_kind kind; uint64_t factor; } suffixes[] = {
	{ "",	OPTION_NUMBER, 1 },
	{ "",	OPTION_SIZE, 1 },
	{ "K",	OPTION_SIZE, 1 << 10 },
	{ "M",	OPTION_SIZE, 1 << 20 },
	{ "G",	OPTION_SIZE, 1 << 30 },
	{ "",	OPTION_TIME, 1000000000 },
	{ "ns",	OPTION_TIME, 1 },
	{ "us",	OPTION_TIME, 1000 },
	{ "ms",	OPTION_TIME, 1000000 },
	{ "s",	OPTION_TIME, 1000000000 },
	{ "m",	OPTION_TIME, 60000000000 },
	{ "h",	OPTION_TIME, 3600000000000 },
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, for times and sizes a fraction too, then the suffix; without floating point. */
int options_number(const char *text, enum option_kind kind, uint64_t *out)
{
	uint64_t whole = 0, fraction = 0, scale = 1, factor = 0;
	const char *p = text;

	if (!digit(*p))
		return -EINVAL;
	for (; digit(*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *p - '0', &whole))
			return -ERANGE;
	if (*p == '.' && kind != OPTION_NUMBER) {
		if (!digit(*++p))
			return -EINVAL;
		for (; digit(*p); p++)
			if (scale < 1000000000) {
				fraction = fraction * 10 + (*p - '0');
				scale *= 10;
			}
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (suffixes[i].kind == kind && !strcasecmp(suffixes[i].text, p))
			factor = suffixes[i].factor;
	if (!factor)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, factor, &whole))
		return -ERANGE;
	fraction = (unsigned __int128)fraction * factor / scale;
	return __builtin_add_overflow(whole, fraction, out) ? -ERANGE : 0;
}

/* "5ms" for 5000000: a number of a row's range as its user would write it. */
static void print_number(char *out, size_t size, enum option_kind kind, uint64_t n)
{
	const char *suffix = "";
	uint64_t best = 1;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (suffixes[i].kind == kind && suffixes[i].text[0] && n &&
		    n % suffixes[i].factor == 0 && suffixes[i].factor >= best) {
			best = suffixes[i].factor;
			suffix = suffixes[i].text;
		}
	snprintf(out, size, "%llu%s", (unsigned long long)(n / best), suffix);
}

static int wrong_value(const struct command *cmd, const struct option_row *row,
		       const char *value, int err)
{
	static const char *const example[] = {
		[OPTION_NUMBER] = "a whole number", [OPTION_SIZE] = "a size such as 64M",
		[OPTION_TIME] = "a time such as 10s or 2ms",
	};
	char min[32], max[32];

	if (err == -EINVAL)
		return options_wrong(cmd, "--%s: '%s' is not %s", row->name, value,
				     example[row->kind]);
	print_number(min, sizeof(min), row->kind, row->min);
	if (!row->max)
		return options_wrong(cmd, "--%s: '%s' is out of range, which begins at %s",
				     row->name, value, min);
	print_number(max, sizeof(max), row->kind, row->max);
	return options_wrong(cmd, "--%s: '%s' is not within %s and %s", row->name, value, min, max);
}

static int add_to_list(char **list, char between, const char *value)
{
	size_t old = *list ? strlen(*list) + 1 : 0;
	char *joined = realloc(*list, old + strlen(value) + 1);

	if (!joined)
		return -ENOMEM;
	if (old)
		joined[old - 1] = between;
	strcpy(joined + old, value);
	*list = joined;
	return 0;
}

static int set(const struct command *cmd, const struct option_row *row, const char *value,
	       void *fields)
{
	void *field = (char *)fields + row->offset;
	uint64_t n;
	int err;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return OPTIONS_RUN;
	case OPTION_LEVEL:
		++*(int *)field;
		return OPTIONS_RUN;
	case OPTION_TEXT:
		*(const char **)field = value;
		return OPTIONS_RUN;
	case OPTION_LIST:
	case OPTION_LINES:
		if (!*value)
			return options_wrong(cmd, "--%s: nothing is named", row->name);
		if (add_to_list(field, row->kind == OPTION_LIST ? ',' : '\n', value))
			return options_wrong(cmd, "--%s: no memory", row->name);
		return OPTIONS_RUN;
	default:
		err = options_number(value, row->kind, &n);
		if (!err && (n < row->min || (row->max && n > row->max)))
			err = -ERANGE;
		if (err)
			return wrong_value(cmd, row, value, err);
		*(uint64_t *)field = n;
		return OPTIONS_RUN;
	}
}

static const struct option_row *by_letter(const struct command *cmd, char letter)
{
	for (const struct option_row *row = cmd->rows; row->name; row++)
		if (row->letter == letter)
			return row;
	return letter == help_row.letter ? &help_row : NULL;
}

/* Exact, or the only one that begins so. */
static const struct option_row *by_name(const struct command *cmd, const char *name, size_t len)
{
	const struct option_row *found = NULL;
	int nr = 0;

	for (const struct option_row *row = cmd->rows; row->name; row++) {
		if (strncmp(row->name, name, len))
			continue;
		if (!row->name[len])
			return row;
		found = row;
		nr++;
	}
	if (len == strlen(help_row.name) && !strncmp(help_row.name, name, len))
		return &help_row;
	return nr == 1 && len ? found : NULL;
}

static bool has_value(const struct option_row *row)
{
	return row->kind != OPTION_FLAG && row->kind != OPTION_LEVEL;
}

/* --name, --name=value, --name value. *next: the argument after it. */
static int parse_long(const struct command *cmd, char *arg, char **argv, int argc, int *next,
		      void *fields, bool *help)
{
	char *value = strchr(arg, '=');
	size_t len = value ? (size_t)(value - arg) : strlen(arg);
	const struct option_row *row = by_name(cmd, arg, len);

	if (!row)
		return options_wrong(cmd, "--%.*s: no such option", (int)len, arg);
	if (row == &help_row) {
		*help = true;
		return OPTIONS_RUN;
	}
	if (!has_value(row) && value)
		return options_wrong(cmd, "--%s takes no value", row->name);
	if (has_value(row) && !value && *next >= argc)
		return options_wrong(cmd, "--%s needs a value", row->name);
	if (has_value(row) && !value)
		value = argv[(*next)++];
	else if (value)
		value++;
	return set(cmd, row, value, fields);
}

/* -v, -vv, -c5, -c 5, -qc5 */
static int parse_letters(const struct command *cmd, char *arg, char **argv, int argc, int *next,
			 void *fields, bool *help)
{
	for (; *arg; arg++) {
		const struct option_row *row = by_letter(cmd, *arg);
		int code;

		if (!row)
			return options_wrong(cmd, "-%c: no such option", *arg);
		if (row == &help_row) {
			*help = true;
			continue;
		}
		if (has_value(row)) {
			if (!arg[1] && *next >= argc)
				return options_wrong(cmd, "-%c needs a value", *arg);
			return set(cmd, row, arg[1] ? arg + 1 : argv[(*next)++], fields);
		}
		code = set(cmd, row, NULL, fields);
		if (code != OPTIONS_RUN)
			return code;
	}
	return OPTIONS_RUN;
}

/* Turn argv[from..to) to the right by its last nr elements, so that they come first. */
static void rotate(char **argv, int from, int to, int nr)
{
	for (; nr > 0; nr--) {
		char *last = argv[to - 1];

		memmove(&argv[from + 1], &argv[from], (to - 1 - from) * sizeof(*argv));
		argv[from] = last;
	}
}

int options_parse(const struct command *cmd, int argc, char **argv, void *fields, int *words)
{
	bool help = false;
	int i = 1, code;

	*words = 1;		/* argv[*words..i) are the words met so far */
	while (i < argc) {
		char *arg = argv[i];
		int next = i + 1;

		if (arg[0] != '-' || !arg[1]) {
			i++;
			continue;
		}
		if (!strcmp(arg, "--")) {
			rotate(argv, *words, next, 1);
			++*words;
			break;
		}
		if (arg[1] == '-')
			code = parse_long(cmd, arg + 2, argv, argc, &next, fields, &help);
		else
			code = parse_letters(cmd, arg + 1, argv, argc, &next, fields, &help);
		if (code != OPTIONS_RUN)
			return code;
		rotate(argv, *words, next, next - i);
		*words += next - i;
		i = next;
	}
	if (!help)
		return OPTIONS_RUN;
	options_help(cmd, stdout);
	return 0;
}

int options_leading(const struct command *cmd, int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		const char *arg = argv[i++];
		bool is_long = arg[1] == '-';
		const struct option_row *row;

		if (!strcmp(arg, "--"))
			break;
		row = is_long ? by_name(cmd, arg + 2, strcspn(arg + 2, "=")) :
				by_letter(cmd, arg[1]);
		if (row && has_value(row) && (is_long ? !strchr(arg, '=') : !arg[2]) && i < argc)
			i++;
	}
	return i;
}

/* Does the argument behind this one belong to it? */
static bool takes_next(const struct command *cmd, const char *arg)
{
	const struct option_row *row = NULL;

	if (arg[0] != '-' || !arg[1])
		return false;
	if (arg[1] == '-') {
		row = by_name(cmd, arg + 2, strcspn(arg + 2, "="));
		return row && has_value(row) && !strchr(arg, '=');
	}
	for (arg++; *arg; arg++) {
		row = by_letter(cmd, *arg);
		if (!row || has_value(row))
			break;
	}
	return *arg && row && !arg[1];
}

int options_command(const struct command *cmd, int argc, char **argv)
{
	int i = 1;

	while (i < argc && strcmp(argv[i], "--"))
		i += takes_next(cmd, argv[i]) ? 2 : 1;
	return i < argc ? i : argc;
}

/* Words of a text from the given column on; further lines begin at the same column. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	int at = column;

	while (*text) {
		int len = strcspn(text, " ");

		if (at > column && at + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			putc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", len, text);
		at += len;
		text += len + strspn(text + len, " ");
	}
	putc('\n', out);
}

static void help_line(FILE *out, const struct option_row *row)
{
	char left[64];
	int len;

	len = row->letter ? snprintf(left, sizeof(left), "  -%c, ", row->letter) :
			    snprintf(left, sizeof(left), "      ");
	len += snprintf(left + len, sizeof(left) - len, "--%s%s%s", row->name,
			row->value ? " " : "", row->value ? row->value : "");
	fputs(left, out);
	if (len > HELP_COLUMN - 2)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(out, "%*s", HELP_COLUMN - len, "");
	print_wrapped(out, row->help, HELP_COLUMN);
}

void options_help(const struct command *cmd, FILE *out)
{
	fprintf(out, "usage: %s %s\n\n%s\n\n", cmd->called, cmd->usage, cmd->summary);
	for (const struct option_row *row = cmd->rows; row->name; row++)
		help_line(out, row);
	help_line(out, &help_row);
	if (cmd->prose)
		fprintf(out, "\n%s", cmd->prose);
}

char *options_join(int argc, char **argv, int first)
{
	size_t size = 1;
	char *text, *end;

	if (first >= argc)
		return NULL;
	for (int i = first; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = end = malloc(size);
	if (!text)
		return NULL;
	for (int i = first; i < argc; i++) {
		if (i > first)
			*end++ = ' ';
		end = stpcpy(end, argv[i]);
	}
	return text;
}
