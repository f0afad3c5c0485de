// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream.
 * Out:  rates while it runs, the account at its end; with -v the records too.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * Without -v no record is looked at here: the library has counted it already.
 */
#include <stddef.h>
#include <time.h>
#include <unistd.h>
#include "capture.h"
#include "cmd.h"
#include "text.h"

struct count {
	struct capture c;	/* first: the callbacks get it */
	int verbose;
	struct text text;
	/* at the last tick */
	struct xcap_stats before;
	int64_t before_ns;
};

#define ROW(letter, name, kind, field, value, help) \
	{ letter, name, kind, offsetof(struct count, field), value, help, 0, 0 }

static const struct option_row rows[] = {
	CAPTURE_ROWS(struct count),
	ROW('v', "verbose", OPTION_LEVEL, verbose, NULL, "print each record; twice: more of it"),
	ROW('q', "quiet", OPTION_FLAG, c.quiet, NULL, "only the account at the end"),
	{ 0 }
};

static int64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* "1.23 M" */
static void scaled(char *out, size_t size, double n)
{
	static const char suffixes[] = " kMGT";
	int i = 0;

	while (n >= 1000 && i < 4) {
		n /= 1000;
		i++;
	}
	if (i)
		snprintf(out, size, "%.*f %c", n < 10 ? 2 : n < 100 ? 1 : 0, n, suffixes[i]);
	else
		snprintf(out, size, "%.0f ", n);
}

/* One line a second, over the one before: what came since then. */
static void show_rates(struct capture *c)
{
	struct count *count = (struct count *)c;
	struct xcap_stats now = { .sz = sizeof(now) }, *old = &count->before;
	int64_t now_ns = mono_ns();
	double s = (now_ns - (count->before_ns ? count->before_ns : c->started_ns)) / 1e9;
	char packets[16], bits[16], calls[16];

	if (s <= 0 || xcap_stats(c->x, -1, &now))
		return;
	scaled(packets, sizeof(packets), (now.packets - old->packets) / s);
	scaled(bits, sizeof(bits), (now.bytes - old->bytes) * 8 / s);
	scaled(calls, sizeof(calls), (now.syscalls - old->syscalls) / s);
	fprintf(stderr, "\r%8.1f s  %spps  %sbit/s  %ssyscalls/s  %llu dropped\033[K",
		(now_ns - c->started_ns) / 1e9, packets, bits, calls, capture_dropped(&now));
	fflush(stderr);
	count->before = now;
	count->before_ns = now_ns;
}

static int print(struct capture *c, const struct xcap_record *recs, int nr)
{
	struct count *count = (struct count *)c;

	for (int i = 0; i < nr; i++)
		text_record(&count->text, &recs[i]);
	return capture_printed(c);
}

/* Records with -v, the live line on a terminal unless the records are there. */
static void prepare(struct count *count)
{
	struct capture *c = &count->c;
	bool live = isatty(STDERR_FILENO) && !c->quiet &&
		    !(count->verbose && isatty(STDOUT_FILENO));

	if (live)
		c->tick = show_rates;
	if (!count->verbose)
		return;
	capture_text(c, &count->text);
	count->text.verbose = count->verbose - 1;
	c->records = print;
	c->idle = capture_flush;
}

static void finish(struct count *count)
{
	struct capture *c = &count->c;

	if (count->before_ns) {
		fputs("\r\033[K", stderr);
		fflush(stderr);		/* before what stdout has for the same terminal */
	}
	if (c->json)
		capture_account_json(c, stdout);
	else
		capture_account(c, stderr);
	capture_flush(c);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct count count = { .c.called = cmd->called };
	struct capture *c = &count.c;
	int words, code = options_parse(cmd, argc, argv, &count, &words);

	if (code == OPTIONS_RUN && words < argc)
		code = options_wrong(cmd,
				     "'%s' is no option; a filter goes behind -f", argv[words]);
	if (code == OPTIONS_RUN && !c->specs)
		code = options_wrong(cmd, "-i is missing: it says what to capture");
	if (code == OPTIONS_RUN)
		code = capture_check(c, cmd, count.verbose);
	c->no_owners = !count.verbose;
	if (code == OPTIONS_RUN)
		code = capture_open(c);
	if (code == OPTIONS_RUN) {
		prepare(&count);
		capture_run(c);
		finish(&count);
		code = capture_exit_code(c);
	}
	capture_close(c);
	return code;
}

const struct command count_command = {
	.name = "count",
	.summary = "count what is captured: rates while it runs, the account at the end",
	.usage = "-i SPEC[,SPEC]... [OPTION]...",
	.rows = rows,
	.run = run,
};
