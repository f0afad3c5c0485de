// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a queue of a cluster.
 * Out:  what matches, in another queue of it: descriptors move, records stay where they are.
 * Owns: the command that decides, if there is one.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "cmd.h"
#include "json.h"
#include "verdict.h"

#define BATCH 256

struct bounce {
	struct capture c;	/* first: the callbacks get it */
	const char *from, *to;
	const char *command;

	struct verdict verdict;
	bool command_over;
	uint64_t handed_on, kept_back;
};

#define ROW(letter, name, kind, field, value, help, min) \
	{ letter, name, kind, offsetof(struct bounce, field), value, help, min, 0 }

static const struct option_row rows[] = {
	ROW('i', "interface", OPTION_TEXT, from, "xcap:CLUSTER@QUEUE", "the queue to take from", 0),
	ROW('o', "out", OPTION_TEXT, to, "xcap:CLUSTER@QUEUE",
	    "the queue to hand on to: a higher one of the same cluster", 0),
	ROW('f', "filter", OPTION_TEXT, c.filter, "FILTER", "what does not match goes no further",
	    0),
	ROW(0, "exec", OPTION_TEXT, command, "COMMAND",
	    "what decides: it reads each record as a JSON line and answers each with a line, y if "
	    "it goes on", 0),
	ROW('c', "count", OPTION_NUMBER, c.count, "COUNT", "end after so many records", 1),
	ROW(0, "duration", OPTION_TIME, c.duration_ns, "SECONDS",
	    "end after this time; also 500ms, 2m, 1h", 1000000),
	CAPTURE_ROWS_RESULT(struct bounce),
	ROW('q', "quiet", OPTION_FLAG, c.quiet, NULL, "only the account at the end", 0),
	{ 0 }
};

/* ---- what is asked for ---- */

/* "xcap:99@1". Return: what stands behind the @; NULL: it is not of that form. */
static const char *split(const char *spec, unsigned long *cluster)
{
	char *end;

	if (strncmp(spec, "xcap:", 5) || spec[5] < '0' || spec[5] > '9')
		return NULL;
	*cluster = strtoul(spec + 5, &end, 10);
	return *end == '@' ? end + 1 : NULL;
}

static int parse(const struct command *cmd, struct bounce *b)
{
	unsigned long from, to;
	const char *queue, *next;
	uint64_t number;

	if (!b->from || !b->to)
		return options_wrong(cmd, "-%c is missing: it says %s, such as xcap:99@%c",
				     b->from ? 'o' : 'i', b->from ? "what it is handed on to" :
				     "what is taken from", b->from ? '1' : '0');
	queue = split(b->from, &from);
	next = split(b->to, &to);
	if (!queue || strpbrk(queue, "?,+"))
		return options_wrong(cmd, "-i %s: that is no queue, such as xcap:99@0", b->from);
	if (!next || options_number(next, OPTION_NUMBER, &number))
		return options_wrong(cmd, "-o %s: that is no queue, such as xcap:99@1", b->to);
	if (from != to)
		return options_wrong(cmd, "%s and %s are of two clusters, and what is handed on "
				     "stays in its own", b->from, b->to);
	return asprintf(&b->c.specs, "%s?next=%s", b->from, next) < 0 ? EXIT_FAILED : OPTIONS_RUN;
}

/* ---- records ---- */

/* What the command says; losses it is not asked about. */
static int decide(struct bounce *b, const struct xcap_record *recs, int nr, bool *yes)
{
	int err;

	for (int i = 0, n; i < nr; i += n) {
		if (recs[i].type == XCAP_LOSS) {
			yes[i] = true;
			n = 1;
			continue;
		}
		for (n = 1; i + n < nr && recs[i + n].type != XCAP_LOSS; n++)
			;
		err = verdict_ask(&b->verdict, &recs[i], n, &yes[i]);
		if (err)
			return err;
	}
	return 0;
}

static int bounce(struct capture *c, const struct xcap_record *recs, int nr)
{
	struct bounce *b = (struct bounce *)c;
	bool yes[BATCH];
	int err = 0;

	memset(yes, !b->command, sizeof(yes));
	if (b->command)
		err = decide(b, recs, nr, yes);
	for (int i = 0; i < nr; i++) {
		bool counts = recs[i].type != XCAP_LOSS;

		if (yes[i] && xcap_hand_on(c->x, &recs[i])) {
			capture_failed(c);
			return -EIO;
		}
		b->handed_on += counts && yes[i];
		b->kept_back += counts && !yes[i];
	}
	b->command_over |= err == -ENODATA;
	return err == -ENODATA ? -EPIPE : err;	/* nobody is there to decide, which is an end */
}

static int opened(struct capture *c)
{
	struct bounce *b = (struct bounce *)c;

	b->verdict.called = c->called;
	return verdict_start(&b->verdict, b->command) ? EXIT_FAILED : OPTIONS_RUN;
}

static void look(struct capture *c)
{
	struct bounce *b = (struct bounce *)c;

	b->command_over = c->over = verdict_is_over(&b->verdict);
}

/* ---- the end ---- */

static void end_command(struct bounce *b)
{
	bool was_running = b->verdict.pid;
	int code = verdict_end(&b->verdict);

	if (!was_running || !b->command_over)
		return;
	if (code)
		fprintf(stderr, "%s: the command has ended with %d, and nobody decides any more\n",
			b->c.called, code);
	else
		fprintf(stderr, "%s: the command has ended, and nobody decides any more\n",
			b->c.called);
	b->c.failed |= code;
}

static void account(struct bounce *b)
{
	struct json j = { .out = stdout };

	if (!b->c.json) {
		capture_account(&b->c, stderr);
		fprintf(stderr, "xcap: %llu handed on to %s, %llu kept back\n",
			(unsigned long long)b->handed_on, b->to,
			(unsigned long long)b->kept_back);
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "to", b->to);
	json_unsigned(&j, "handed_on", b->handed_on);
	json_unsigned(&j, "kept_back", b->kept_back);
	json_close(&j, '}');
	json_line(&j);
	capture_account_json(&b->c, stdout);
	capture_flush(&b->c);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct bounce b = { .c.called = cmd->called };
	int words, code = options_parse(cmd, argc, argv, &b, &words);

	if (code == OPTIONS_RUN && words < argc)
		code = options_wrong(cmd, "'%s' is no option; a filter goes behind -f",
				     argv[words]);
	code = code == OPTIONS_RUN ? parse(cmd, &b) : code;
	if (code == OPTIONS_RUN) {
		b.c.records = bounce;
		b.c.opened = b.command ? opened : NULL;
		b.c.look = b.command ? look : NULL;
		code = capture_open(&b.c);
	}
	if (code == OPTIONS_RUN) {
		capture_run(&b.c);
		end_command(&b);
		account(&b);
		code = capture_exit_code(&b.c);
	}
	verdict_end(&b.verdict);
	capture_close(&b.c);
	return code;
}

const struct command bounce_command = {
	.name = "bounce",
	.summary = "hand on from one queue of a cluster to the next what matches",
	.usage = "-i xcap:CLUSTER@QUEUE -o xcap:CLUSTER@QUEUE [OPTION]...",
	.prose = "  xcap bounce -i xcap:99@0 -o xcap:99@1 -f 'not port 22'\n"
		 "  xcap bounce -i xcap:99@0 -o xcap:99@1 --exec ./decide\n",
	.rows = rows,
	.run = run,
};
