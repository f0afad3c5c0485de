// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream, or what of this host it should be if nobody says.
 * Out:  who does how much of what, each second: on a terminal, or as text.
 * Owns: nothing.
 * Runs on: the tool's first thread; a second one asks for names of hosts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "metrics.h"
#include "text.h"
#include "top_batch.h"
#include "top_screen.h"
#include "top_terminal.h"

#define DEFAULT_SNAPLEN 128	/* headers */
#define DEFAULT_INTERFACES 16
#define DEFAULT_ROWS 20
#define DEFAULT_COLUMNS 80

struct top_options {
	struct top_run run;	/* first, and its capture first in it */
	struct top_batch batch;
	bool is_batch, reverse, names;
	const char *serve;		/* where; NULL: nowhere */
	struct metrics *metrics;
	uint64_t screens, rows;
	char *views;
	const char *sort;
};

#define ROW(letter, name, kind, field, value, help) \
	{ letter, name, kind, offsetof(struct top_options, field), value, help, 0, 0 }

_Static_assert(offsetof(struct top_options, run) == 0, "rows of captures are of its start");

static const struct option_row rows[] = {
	CAPTURE_ROW_INTERFACE(struct top_run),
	CAPTURE_ROWS_EXTENT(struct top_run),
	{ 'd', "delay", OPTION_TIME, offsetof(struct top_options, run.interval_ns), "SECONDS",
	  "the interval that rates are of, and between two screens (1)", 100000000,
	  3600000000000 },
	ROW('V', "view", OPTION_LIST, views, "VIEW",
	    "what to begin with: process (if not given), container, flow, interface, syscall, "
	    "file, port or host; with -b several with commas between them, or all"),
	ROW(0, "sort", OPTION_TEXT, sort, "COLUMN",
	    "what rows are sorted by: name, packets, in, out, total, calls, errors, latency, "
	    "read, written, lost, lost-total or activity (if not given)"),
	ROW('r', "reverse", OPTION_FLAG, reverse, NULL, "the smallest first"),
	{ 0, "idle", OPTION_NUMBER, offsetof(struct top_options, run.idle), "N",
	  "forget rows that had nothing for so many intervals (60; of files 0); "
	  "0: never", 0, 1000000 },
	ROW(0, "names", OPTION_FLAG, names, NULL,
	    "names of hosts instead of addresses: asking for them makes packets"),
	ROW(0, "fast", OPTION_FLAG, run.fast, NULL,
	    "read files to their end at once, not as fast as they were written"),
	ROW('b', "batch", OPTION_FLAG, is_batch, NULL,
	    "no terminal: print screens one below the other"),
	{ 'n', "screens", OPTION_NUMBER, offsetof(struct top_options, screens), "N",
	  "with -b: end after so many", 1, 0 },
	{ 0, "rows", OPTION_NUMBER, offsetof(struct top_options, rows), "N",
	  "with -b: so many rows of each view at most (20)", 1, TOP_MAX_ROWS },
	ROW(0, "metrics", OPTION_TEXT, serve, "ADDRESS:PORT",
	    "serve what is seen to Prometheus, at /metrics there"),
	CAPTURE_ROWS_SIZES(struct top_run),
	CAPTURE_ROW_SELF(struct top_run),
	CAPTURE_ROWS_RESULT(struct top_run),
	ROW('q', "quiet", OPTION_FLAG, run.c.quiet, NULL, "less on standard error"),
	{ 0 }
};

/* ---- what to capture if nobody says ---- */

struct defaults {
	char *specs;
	int nr, left_out;
	bool failed;
};

static int add_interface(void *user, const struct xcap_iface *i)
{
	struct defaults *d = user;
	char *longer;

	if (!i->ifindex || !(i->flags & XCAP_IFACE_UP))
		return 0;
	/* a name that would be more than a name in a spec is for -i */
	if (d->nr == DEFAULT_INTERFACES || strpbrk(i->name, ",?\\+")) {
		d->left_out++;
		return 0;
	}
	if (asprintf(&longer, "%s%stap:%s", d->specs ?: "", d->specs ? "," : "", i->name) < 0)
		return -ENOMEM;
	free(d->specs);
	d->specs = longer;
	d->nr++;
	return 0;
}

static int choose(struct capture *c)
{
	static const char calls[] = "syscalls?data=0&switches=off";
	struct defaults d = { 0 };

	if (xcap_list(add_interface, &d)) {
		fprintf(stderr, "%s: %s\n", c->called, xcap_errmsg(NULL));
		free(d.specs);
		return EXIT_FAILED;
	}
	if (asprintf(&c->specs, "%s%s%s", d.specs ?: "", d.specs ? "," : "", calls) < 0)
		c->specs = NULL;
	free(d.specs);
	if (!c->specs)
		return EXIT_FAILED;
	if (!c->snaplen)
		c->snaplen = DEFAULT_SNAPLEN;
	if (c->quiet)
		return OPTIONS_RUN;
	fprintf(stderr, "xcap: no -i: copies of %d interface%s that %s up, %llu bytes of each "
		"packet, and system calls without their data\n", d.nr, d.nr == 1 ? "" : "s",
		d.nr == 1 ? "is" : "are", (unsigned long long)c->snaplen);
	if (d.left_out)
		fprintf(stderr, "xcap: %d more interface%s left out; -i names others\n", d.left_out,
			d.left_out == 1 ? " is" : "s are");
	return OPTIONS_RUN;
}

/* ---- options ---- */

/* Once each, in the order that they are named in. */
static void add_view(struct top_batch *b, int view)
{
	if (!memchr(b->views, view, b->nr_views))
		b->views[b->nr_views++] = view;
}

/* Words of --view; the first one is looked at first. */
static int parse_views(struct top_options *o, const struct command *cmd, struct top_look *look)
{
	char *save = NULL, *word;
	int view;

	for (word = o->views ? strtok_r(o->views, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save)) {
		view = top_view_find(word);
		if (!strcmp(word, "all") && o->is_batch)
			for (int v = 0; v < TOP_VIEWS; v++)
				add_view(&o->batch, v);
		else if (view < 0)
			return options_wrong(cmd, "--view: there is no view '%s'", word);
		else
			add_view(&o->batch, view);
	}
	if (!o->batch.nr_views)
		add_view(&o->batch, TOP_PROCESS);
	look->view = o->batch.views[0];
	if (o->batch.nr_views > 1 && !o->is_batch)
		return options_wrong(cmd, "--view: a terminal shows one at a time; several are "
				     "for -b");
	return OPTIONS_RUN;
}

/* A column that one of the views that are shown has. */
static int parse_sort(struct top_options *o, const struct command *cmd, struct top_look *look)
{
	bool found = !o->sort;

	for (int v = 0; v < TOP_VIEWS; v++) {
		int column = o->sort ? top_column_find(v, o->sort) : -1;

		if (column >= 0) {
			look->sort[v] = column;
			found |= memchr(o->batch.views, v, o->batch.nr_views) != NULL;
		}
		look->reverse[v] = o->reverse;
	}
	return found ? OPTIONS_RUN :
		       options_wrong(cmd, "--sort: the view has no column '%s'", o->sort);
}

static int check(struct top_options *o, const struct command *cmd, char *filter,
		 struct top_look *look)
{
	struct capture *c = &o->run.c;
	int code;

	if (filter && c->filter)
		return options_wrong(cmd, "a filter stands behind -f or at the end, not in both "
				     "places");
	if (filter)
		c->filter = filter;
	if ((o->screens || o->rows || c->json) && !o->is_batch)
		return options_wrong(cmd, "--%s is for -b, which prints",
				     o->screens ? "screens" : o->rows ? "rows" : "json");
	code = capture_check(c, cmd, true);
	code = code == OPTIONS_RUN ? parse_views(o, cmd, look) : code;
	code = code == OPTIONS_RUN ? parse_sort(o, cmd, look) : code;
	if (code == OPTIONS_RUN && o->serve && !o->is_batch && !top_terminal_possible()) {
		o->is_batch = true;	/* nothing but the page */
		o->batch.nr_views = 0;
	}
	if (code == OPTIONS_RUN && !o->is_batch && !top_terminal_possible())
		code = options_wrong(cmd, "it needs a terminal, and TERM to say of which kind; -b "
				     "prints");
	return code;
}

static int columns(void)
{
	const char *text = getenv("COLUMNS");
	uint64_t n;

	if (!text || options_number(text, OPTION_NUMBER, &n) || n < 40)
		return DEFAULT_COLUMNS;
	return n < TOP_COLUMNS_MAX ? n : TOP_COLUMNS_MAX;
}

static void say(const struct top_run *r, const char *message)
{
	if (!message[0])
		return;
	fprintf(stderr, "%s: ", r->c.called);
	text_safe(stderr, message, TOP_MESSAGE);
	putc('\n', stderr);
}

static void show(struct top_options *o, struct top_look *look)
{
	struct top_run *r = &o->run;

	look->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!o->is_batch) {
		top_screen_run(r, look, o->names);
	} else {
		look->columns = columns();
		o->batch.screens = o->screens;
		o->batch.rows = o->rows ? o->rows : DEFAULT_ROWS;
		o->batch.json = r->c.json;
		o->batch.names = o->names;
		top_batch_run(&o->batch, r, look);
	}
	r->message[0] = '\0';
	top_run_stop(r);
	say(r, r->failure);
	say(r, r->message);	/* of a recording that was under way */
	if (!r->c.quiet)
		capture_account(&r->c, stderr);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct top_options *o = calloc(1, sizeof(*o));
	struct top_look look = { 0 };
	char *filter = NULL;
	int words, code;

	if (!o || top_look_init(&look)) {
		fprintf(stderr, "%s: no memory\n", cmd->called);
		free(o);
		return EXIT_FAILED;
	}
	setlocale(LC_CTYPE, "");
	o->run.c.called = cmd->called;
	o->run.idle = TOP_IDLE_UNSET;
	code = options_parse(cmd, argc, argv, o, &words);
	if (code == OPTIONS_RUN) {
		filter = options_join(argc, argv, words);
		code = check(o, cmd, filter, &look);
	}
	if (code == OPTIONS_RUN && o->serve)
		code = metrics_open(&o->metrics, o->serve, cmd);
	if (code == OPTIONS_RUN && !o->run.c.specs)
		code = choose(&o->run.c);
	if (code == OPTIONS_RUN)
		code = top_run_open(&o->run);
	if (code == OPTIONS_RUN) {
		o->run.guest = metrics_guest(o->metrics, &o->run);
		show(o, &look);
		code = capture_exit_code(&o->run.c);
	}
	metrics_close(o->metrics);
	top_run_close(&o->run);
	top_look_free(&look);
	free(o->views);
	free(filter);
	free(o);
	return code;
}

const struct command top_command = {
	.name = "top",
	.summary = "who does how much of what: processes, flows, calls, files, each second",
	.usage = "[-i SPEC[,SPEC]...] [OPTION]... [FILTER]",
	.prose = "On a terminal h shows the keys. Without -i it captures copies of the packets of\n"
		 "all interfaces that are up, and system calls.\n",
	.rows = rows,
	.run = run,
};
