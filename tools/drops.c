// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the counters of all layers, an interval apart.
 * Out:  a table, or a line for each: how many died where, what that means, what to do.
 * Owns: the sets of rows of two times.
 * Runs on: the tool's only thread, without privilege.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "drops.h"
#include "drops_rows.h"
#include "json.h"
#include "privilege.h"
#include "text.h"

#define NS_PER_SEC 1000000000LL
#define COLUMNS 80
#define MARGIN 10

static const char *const layers[DROPS_LAYERS] = {
	[DROPS_NIC] = "nic", [DROPS_INTERFACE] = "interface", [DROPS_SOFTNET] = "softnet",
	[DROPS_QDISC] = "qdisc", [DROPS_NETFILTER] = "netfilter", [DROPS_IP] = "ip",
	[DROPS_UDP] = "udp", [DROPS_TCP] = "tcp", [DROPS_SOCKET] = "socket",
	[DROPS_PACKET] = "packet", [DROPS_XDP] = "xdp", [DROPS_XCAP] = "xcap",
};

struct drops {
	const struct drops_opts *opts;
	struct drops_set now, before;
	int64_t start_ns, before_ns, now_ns;	/* CLOCK_MONOTONIC */
	uint64_t round;
	bool screen;		/* a terminal: over what stood there */
};

static volatile sig_atomic_t over;

static void on_signal(int signal)
{
	over = 1;
}

static int64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static uint64_t new_since_start(const struct drops_row *row)
{
	return row->total - row->first;
}

static void collect(struct drops *d)
{
	struct drops_set empty = d->before;

	d->before = d->now;
	d->before_ns = d->now_ns;
	d->now = empty;		/* its memory once more */
	d->now.nr = 0;
	d->now.iface = d->opts->iface;
	d->now.ifindex = d->opts->iface ? if_nametoindex(d->opts->iface) : 0;
	d->now.root = d->opts->root ?: "";
	d->now.all = d->opts->all;
	if (!d->now.root[0])
		drops_interfaces(&d->now);
	drops_softnet(&d->now);
	if (!d->now.root[0])
		drops_qdiscs(&d->now);
	drops_netfilter(&d->now);
	drops_protocols(&d->now);
	drops_sockets(&d->now);
	if (!d->now.root[0])
		drops_captures(&d->now);
	d->now_ns = mono_ns();
	drops_compare(&d->now, &d->before, !d->start_ns);
	if (!d->start_ns)
		d->start_ns = d->now_ns;
}

/* ---- for people ---- */

static void meaning(const struct drops_row *row)
{
	const struct drops_means *m = row->means;
	const char *also = row->flags & DROPS_SIGN ? " (no loss by itself)" :
			   row->flags & DROPS_WITHIN ? " (counted above as well)" : "";
	size_t len = MARGIN + strlen(m->what) + strlen(also);
	bool one = m->todo && len + 2 + strlen(m->todo) <= COLUMNS;

	printf("%*s%s%s", MARGIN, "", m->what, also);
	if (one)
		printf("; %s", m->todo);
	else if (m->todo)
		printf("\n%*s%s", MARGIN, "", m->todo);
	putchar('\n');
}

static size_t put_place(const struct drops_row *row)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return 0;
	text_safe(f, row->where, sizeof(row->where));
	putc(' ', f);
	text_safe(f, row->name, sizeof(row->name));
	fclose(f);
	fputs(text, stdout);
	free(text);
	return size;
}

static void print_row(const struct drops_row *row)
{
	size_t len;

	printf("%-9s ", layers[row->layer]);
	len = put_place(row);
	if (len > 36)
		printf("\n%*s", MARGIN + 36, "");
	else
		printf("%*s", (int)(36 - len), "");
	printf(" %11llu %10llu %10llu\n", (unsigned long long)row->total,
	       (unsigned long long)new_since_start(row),
	       (unsigned long long)drops_since(row, row->before));
	meaning(row);
}

/* What is counted once, and is a loss. */
static bool is_loss(const struct drops_row *row)
{
	return !(row->flags & (DROPS_SIGN | DROPS_WITHIN));
}

static void print_verdict(const struct drops *d)
{
	const struct drops_row *most = NULL;
	uint64_t sum = 0;

	for (int i = 0; i < d->now.nr; i++) {
		const struct drops_row *row = &d->now.rows[i];

		if (!is_loss(row) || !new_since_start(row))
			continue;
		sum += new_since_start(row);
		if (!most || new_since_start(row) > new_since_start(most))
			most = row;
	}
	printf("%.1f s: ", (d->now_ns - d->start_ns) / 1e9);
	if (!most) {
		puts("nothing was dropped at any layer");
		return;
	}
	printf("%llu dropped, %llu of them at %s: ", (unsigned long long)sum,
	       (unsigned long long)new_since_start(most), layers[most->layer]);
	put_place(most);
	putchar('\n');
}

/* What was there before is told once: later tables have what has grown. */
static bool is_shown(const struct drops *d, const struct drops_row *row)
{
	return d->opts->all || (d->round == 1 && !d->opts->quiet) || new_since_start(row);
}

static void print_titles(const struct drops *d)
{
	double seconds = (d->now_ns - d->before_ns) / 1e9;
	char last[32];

	if (d->round > 1 && !d->screen)
		putchar('\n');
	snprintf(last, sizeof(last), seconds < 100 ? "IN %.2g s" : "IN %.0f s", seconds);
	printf("%-9s %-36s %11s %10s %10s\n", "LAYER", "WHERE", "TOTAL", "NEW", last);
}

static void print_table(const struct drops *d)
{
	int nr = 0;

	if (d->screen)
		fputs("\033[H\033[J", stdout);
	for (int layer = 0; layer < DROPS_LAYERS; layer++)
		for (int i = 0; i < d->now.nr; i++) {
			const struct drops_row *row = &d->now.rows[i];

			if ((int)row->layer != layer || !is_shown(d, row))
				continue;
			if (!nr++)
				print_titles(d);
			print_row(row);
		}
	print_verdict(d);
}

/* ---- for programs ---- */

static void print_json(const struct drops *d, const struct drops_row *row)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "type", "drop");
	json_unsigned(&j, "round", d->round);
	json_seconds(&j, "seconds", d->now_ns - d->start_ns);
	json_text(&j, "layer", layers[row->layer]);
	json_bytes(&j, "where", row->where, sizeof(row->where));
	json_bytes(&j, "name", row->name, sizeof(row->name));
	json_unsigned(&j, "total", row->total);
	json_unsigned(&j, "new", new_since_start(row));
	json_unsigned(&j, "last", drops_since(row, row->before));
	if (row->flags & DROPS_SIGN)
		json_true(&j, "no_loss");
	if (row->flags & DROPS_WITHIN)
		json_true(&j, "counted_above");
	json_text(&j, "means", row->means->what);
	if (row->means->todo)
		json_text(&j, "do", row->means->todo);
	json_close(&j, '}');
	json_line(&j);
}

static void print(const struct drops *d)
{
	if (!d->opts->json)
		return print_table(d);
	for (int layer = 0; layer < DROPS_LAYERS; layer++)
		for (int i = 0; i < d->now.nr; i++)
			if ((int)d->now.rows[i].layer == layer)
				print_json(d, &d->now.rows[i]);
}

/* ---- the rounds ---- */

static void wait_until(int64_t until_ns)
{
	struct timespec ts = { .tv_sec = until_ns / NS_PER_SEC, .tv_nsec = until_ns % NS_PER_SEC };

	while (!over && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int run(struct drops *d)
{
	int64_t interval = d->opts->interval_ns ?: NS_PER_SEC, due;

	collect(d);
	due = d->start_ns;
	while (!over && (!d->opts->rounds || d->round < d->opts->rounds)) {
		due += interval;
		if (due < d->now_ns)	/* stopped, or so many counters: not all at once then */
			due = d->now_ns;
		wait_until(due);
		collect(d);
		d->round++;
		print(d);
		fflush(stdout);
		if (ferror(stdout))
			return errno == EPIPE ? EXIT_DONE : EXIT_FAILED;
	}
	if (d->now.failed)
		fprintf(stderr, "%s: no memory: rows are missing\n", d->opts->called);
	return d->now.failed ? EXIT_FAILED : EXIT_DONE;
}

int drops_run(const struct drops_opts *opts)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct drops d = { .opts = opts };
	int code;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	d.screen = !opts->json && opts->rounds != 1 && isatty(STDOUT_FILENO);
	privilege_drop(false);		/* all is open to everybody */
	code = run(&d);
	free(d.now.rows);
	free(d.before.rows);
	return code;
}
