// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream, live or from a file.
 * Out:  its records as text or JSON on standard output, or as pcapng to -w.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "cmd.h"
#include "follow.h"
#include "json.h"
#include "text.h"

#define BUFFER_SIZE (512 * 1024)	/* as a rule more than one batch of records */

struct dump {
	struct capture c;	/* first: the callbacks get it */
	const char *read_from;
	char *process_as;
	struct follow follow;
	int verbose;
	bool hex, ascii, line_buffered, numeric, print, explain;
	struct text text;
};

#define ROW(letter, name, kind, field, value, help) \
	{ letter, name, kind, offsetof(struct dump, field), value, help, 0, 0 }

static const struct option_row rows[] = {
	CAPTURE_ROWS(struct dump),
	ROW('r', "read", OPTION_TEXT, read_from, "FILE",
	    "read from a pcap or pcapng file; - is standard input"),
	ROW('p', "pid", OPTION_LIST, follow.pids, "PID[,PID]",
	    "only what these processes and their descendants do, to the end of the last of them"),
	ROW(0, "container", OPTION_LIST, follow.containers, "NAME",
	    "only what is done in the container of this name, or with an id that begins so"),
	ROW(0, "process-as", OPTION_LIST, process_as, "HOW",
	    "how -w says who is behind a packet: blocks, comments (both, if not given) or none"),
	ROW(0, "explain-filter", OPTION_FLAG, explain, NULL,
	    "say what of the filter the kernel decides and what this program does, and exit"),
	ROW('v', "verbose", OPTION_LEVEL, verbose, NULL, "more of each record"),
	ROW('q', "quiet", OPTION_FLAG, c.quiet, NULL, "shorter lines, and less on standard error"),
	ROW('x', "hex", OPTION_FLAG, hex, NULL, "the bytes of each packet too, in hexadecimal"),
	ROW('X', "ascii", OPTION_FLAG, ascii, NULL, "the same, with ASCII beside them"),
	ROW('l', "line-buffered", OPTION_FLAG, line_buffered, NULL,
	    "write each line at once, also where standard output is no terminal"),
	ROW(0, "print", OPTION_FLAG, print, NULL, "print the records also with -w"),
	ROW('n', "numeric", OPTION_FLAG, numeric, NULL,
	    "no names for addresses and ports: always so, taken for habit's sake"),
	{ 0 }
};

static void flush_each_second(struct capture *c)
{
	if (c->dirty)
		fflush(stdout);
}

static int print(struct capture *c, const struct xcap_record *recs, int nr)
{
	struct dump *dump = (struct dump *)c;

	for (int i = 0; i < nr; i++)
		if (c->json)
			json_record(&dump->text, &recs[i]);
		else
			text_record(&dump->text, &recs[i]);
	if (dump->follow.child)		/* what it writes itself comes between lines */
		fflush(stdout);
	return capture_printed(c);
}

/* With -w only where it is asked for. */
static bool prints(struct dump *dump)
{
	return !dump->c.write_to || dump->c.json || dump->print;
}

/* A path in a spec: what has a meaning there is taken as it is. NULL: no memory. */
static char *quoted(const char *path)
{
	char *text = malloc(2 * strlen(path) + 1), *to = text;

	for (; text && *path; *to++ = *path++)
		if (strchr(",?\\", *path))
			*to++ = '\\';
	if (text)
		*to = '\0';
	return text;
}

/* -r FILE is one source more. */
static int add_file(struct dump *dump)
{
	struct capture *c = &dump->c;
	char *specs, *path;
	int n;

	if (!dump->read_from)
		return 0;
	path = quoted(dump->read_from);
	if (!path)
		return -ENOMEM;
	n = asprintf(&specs, "%s%s%s%s", c->specs ? c->specs : "", c->specs ? "," : "",
		     strcmp(path, "-") ? "file:" : "", path);
	free(path);
	if (n < 0)
		return -ENOMEM;
	free(c->specs);
	c->specs = specs;
	return 0;
}

static const struct { const char *word; __u32 bit; } ways[] = {
	{ "blocks", XCAP_PROCESS_BLOCKS },
	{ "comments", XCAP_PROCESS_COMMENTS },
	{ "none", XCAP_PROCESS_NOWHERE },
};

/* Words of --process-as. "none" is no word among others. */
static int check_process_as(struct dump *dump, const struct command *cmd)
{
	struct capture *c = &dump->c;
	const char *word = dump->process_as;

	for (; word; word = *word ? word + 1 : NULL) {
		size_t len = strcspn(word, ","), i;

		for (i = 0; i < 3 && (strlen(ways[i].word) != len ||
				      memcmp(ways[i].word, word, len)); i++)
			;
		if (i == 3)
			return options_wrong(cmd, "--process-as: '%.*s' is neither blocks nor "
					     "comments nor none", (int)len, word);
		c->process_as |= ways[i].bit;
		word += len;
	}
	if (c->process_as > XCAP_PROCESS_NOWHERE)
		return options_wrong(cmd, "--process-as: none stands alone");
	if (c->process_as && !c->write_to)
		return options_wrong(cmd, "--process-as: only files have blocks and comments; "
				     "-w is missing");
	return OPTIONS_RUN;
}

static int wrong_filter(const struct capture *c)
{
	fprintf(stderr, "%s: %s\n", c->called, xcap_errmsg(NULL));
	return EXIT_USAGE;
}

/* Whose records: what is named, and where they are taken if nothing is said of that. */
static int check_follow(struct dump *dump, const struct command *cmd)
{
	struct capture *c = &dump->c;
	int code = follow_check(&dump->follow, cmd);

	if (code != OPTIONS_RUN || !follow_any(&dump->follow))
		return code;
	if (dump->read_from)
		return options_wrong(cmd, "-r: a file has no running processes; proc.pid= and "
				     "container= in a filter choose among its records");
	/* with what is put before and behind it, "a) or (b" would be one */
	if (c->filter && xcap_explain_filter(c->filter, NULL, 0) < 0)
		return wrong_filter(c);
	if (dump->follow.command && c->write_to && !strcmp(c->write_to, "-"))
		return options_wrong(cmd, "-w -: standard output is the command's; name a file");
	if (!c->specs)
		c->specs = follow_specs(&dump->follow);
	return c->specs ? OPTIONS_RUN : EXIT_FAILED;
}

/* Nothing is opened for it. */
static int explain(const struct capture *c, const struct command *cmd)
{
	int len;
	char *text;

	if (!c->filter)
		return options_wrong(cmd, "--explain-filter: there is no filter; it stands behind "
				     "the options");
	len = xcap_explain_filter(c->filter, NULL, 0);
	if (len < 0)
		return wrong_filter(c);
	text = malloc(len + 1);
	if (!text || xcap_explain_filter(c->filter, text, len + 1) != len)
		return options_wrong(cmd, "no memory");
	fputs(text, stdout);
	free(text);
	return EXIT_DONE;
}

static int check(struct dump *dump, const struct command *cmd, char *filter)
{
	struct capture *c = &dump->c;
	int code;

	if (filter && c->filter)
		return options_wrong(cmd,
				     "-f and the words '%s' are two filters; give one", filter);
	if (filter)
		c->filter = filter;
	if (dump->explain)
		return explain(c, cmd);
	code = check_follow(dump, cmd);
	if (code != OPTIONS_RUN)
		return code;
	if (add_file(dump))
		return options_wrong(cmd, "no memory");
	if (!c->specs)
		return options_wrong(cmd, "-i, -r, -p, --container or -- COMMAND is missing: "
				     "it says what to read");
	code = check_process_as(dump, cmd);
	return code == OPTIONS_RUN ? capture_check(c, cmd, prints(dump)) : code;
}

/* A command that we run writes to the same pipe, between our writes. */
static bool whole_lines(const struct dump *dump)
{
	return dump->line_buffered || isatty(STDOUT_FILENO) || dump->follow.command;
}

static void prepare(struct dump *dump)
{
	static char buffer[BUFFER_SIZE];	/* without one the C library takes its own size */
	struct capture *c = &dump->c;

	if (!prints(dump))
		return;
	setvbuf(stdout, buffer, whole_lines(dump) ? _IOLBF : _IOFBF, BUFFER_SIZE);
	capture_text(c, &dump->text);
	dump->text.verbose = dump->verbose;
	dump->text.quiet = c->quiet;
	dump->text.hex = dump->ascii ? 2 : dump->hex;
	c->records = print;
	c->idle = capture_flush;
	c->tick = flush_each_second;
}

/* ---- whose records ---- */

static void look(struct capture *c)
{
	struct dump *dump = (struct dump *)c;

	c->over = follow_is_over(&dump->follow, c->x, capture_running_ns(c));
}

/* The command is there, and waits. */
static int start(struct dump *dump)
{
	struct capture *c = &dump->c;
	int code;

	if (!follow_any(&dump->follow))
		return OPTIONS_RUN;
	code = follow_start(&dump->follow);
	if (code != OPTIONS_RUN)
		return code;
	code = follow_filter(&dump->follow, c->filter);
	if (code != OPTIONS_RUN)
		return code;
	c->filter = dump->follow.filter;
	if (dump->follow.child)
		capture_command(dump->follow.child);
	c->look = look;
	return OPTIONS_RUN;
}

static bool interrupted(void)
{
	return capture_signal();
}

/* The command's, which may go on when enough was captured; but for what failed here. */
static int exit_code(struct dump *dump)
{
	int ours = capture_exit_code(&dump->c), theirs;

	if (!dump->follow.child)
		return ours;
	follow_wait(&dump->follow, interrupted);
	theirs = follow_exit_code(&dump->follow);
	return theirs < 0 ? 128 + capture_signal() : theirs ? theirs : ours;
}

static void capture(struct dump *dump)
{
	struct capture *c = &dump->c;

	prepare(dump);
	follow_release(&dump->follow);
	capture_run(c);
	capture_flush(c);
	capture_account(c, stderr);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct dump dump = { .c.called = cmd->called, .follow.called = cmd->called };
	int words, code, last = options_command(cmd, argc, argv);
	struct capture *c = &dump.c;
	char *filter = NULL;

	if (last < argc)
		dump.follow.command = argv + last + 1;
	code = options_parse(cmd, last, argv, &dump, &words);
	if (code == OPTIONS_RUN && last == argc - 1)
		code = options_wrong(cmd, "no command stands behind --");
	if (code == OPTIONS_RUN) {
		filter = options_join(last, argv, words);
		code = check(&dump, cmd, filter);
	}
	if (code == OPTIONS_RUN)
		code = start(&dump);
	if (code == OPTIONS_RUN)
		code = capture_open(c);
	if (code == OPTIONS_RUN) {
		capture(&dump);
		code = exit_code(&dump);
	}
	capture_close(c);
	follow_close(&dump.follow);
	free(dump.process_as);
	free(filter);
	return code;
}

const struct command dump_command = {
	.name = "dump",
	.summary = "print records, or write them to a file",
	.usage = "[-i SPEC[,SPEC]...] [-r FILE] [OPTION]... [FILTER] [-- COMMAND [ARGUMENT]...]",
	.prose = "The words after the options are the filter, as with tcpdump. What follows -- is\n"
		 "a command that is run: only its packets and system calls are shown, and those\n"
		 "of whoever it starts. With a command, -p or --container, -i is every interface\n"
		 "that is up, and syscalls, if it is not given.\n",
	.rows = rows,
	.run = run,
};
