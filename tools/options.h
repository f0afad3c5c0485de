/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as tables: one row is the parsing, the range and the help of one option. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What an option's value is, and the type of the field that it is written to. */
enum option_kind {
	OPTION_FLAG,	/* bool: no value */
	OPTION_LEVEL,	/* int: how often it was given, -vv */
	OPTION_TEXT,	/* const char *: lent from argv */
	OPTION_LIST,	/* char *: joined by commas when given again; the caller frees it */
	OPTION_LINES,	/* char *: the same, joined by newlines */
	OPTION_NUMBER,	/* uint64_t */
	OPTION_SIZE,	/* uint64_t: bytes; suffixes K, M, G */
	OPTION_TIME,	/* uint64_t: ns; suffixes ns, us, ms, s, m, h; alone it is seconds */
};

struct option_row {
	char letter;		/* 'i' for -i; 0 none */
	const char *name;	/* "interface" for --interface; NULL ends a table */
	enum option_kind kind;
	size_t offset;		/* of the field in the command's struct */
	const char *value;	/* what help calls the value; NULL: there is none */
	const char *help;
	uint64_t min, max;	/* range of numbers, in the field's unit; max 0: no limit */
};

/* A subcommand: one row in xcap.c. */
struct command {
	const char *name;	/* "count" */
	const char *summary;	/* one line, no full stop */
	const char *usage;	/* what follows the name, "-i SPEC [OPTION]..." */
	const char *prose;	/* after the options in its help; NULL none */
	const struct option_row *rows;
	int (*run)(const struct command *cmd, int argc, char **argv);
	const char *called;	/* as the user wrote it: "xcap count", "xdpcount" */
};

/* What options_parse() returns when the command is not to be run. */
enum { OPTIONS_RUN = -1 };	/* else an exit code: 0 help was shown, 2 wrong use */

/**
 * options_parse - fill the command's struct from argv
 * @cmd:    its table
 * @argc:   as main() has it; argv[0] is the command's name
 * @argv:   reordered: all that are no options come last, in their order
 * @fields: the struct that the rows' offsets are of
 * @words:  out: index of the first that is no option
 *
 * Return: OPTIONS_RUN; 0 help was asked for and printed; 2 wrong use, said on stderr.
 */
int options_parse(const struct command *cmd, int argc, char **argv, void *fields, int *words);

/*
 * For commands that begin another: how many of argv are this command's own, its name and the
 * options before the first word. "--" is one of them.
 */
int options_leading(const struct command *cmd, int argc, char **argv);

/*
 * The "--" behind which another command stands, whatever stands before it. Return: its index;
 * argc: there is none.
 */
int options_command(const struct command *cmd, int argc, char **argv);

/* Say on stderr, in one line, what is wrong and where help is. Return: 2. */
__attribute__((format(printf, 2, 3)))
int options_wrong(const struct command *cmd, const char *fmt, ...);

void options_help(const struct command *cmd, FILE *out);

/*
 * The words from argv[first] on with spaces between them; NULL if there are none. The
 * caller frees it.
 */
char *options_join(int argc, char **argv, int first);

/* A number with its suffix. Return: 0; -EINVAL no such number; -ERANGE too large. */
int options_number(const char *text, enum option_kind kind, uint64_t *out);

#endif
