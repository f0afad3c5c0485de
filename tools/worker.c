// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   one queue of a cluster.
 * Out:  its records in a sink, now or after a while; in the next queue; or a count.
 * Owns: its handle, its sink.
 * Runs on: a thread of its own, without privilege once all is open.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include "capture.h"
#include "json.h"
#include "privilege.h"
#include "worker.h"

#define BATCH 256
#define NS_PER_SEC 1000000000LL
#define WAIT_MS 1000
#define START_MS 10000	/* until all of them read */

static void failed(struct worker *w, struct xcap *x)
{
	fprintf(stderr, "%s: %s\n", w->called, xcap_errmsg(x));
	w->failed = true;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static void sleep_until(int64_t mono_ns)
{
	struct timespec ts = { .tv_sec = mono_ns / NS_PER_SEC, .tv_nsec = mono_ns % NS_PER_SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

/* Return: 0; -errno. */
static int pass(struct worker *w, struct xcap *x, struct xcap_sink *sink,
		const struct xcap_record *recs, int nr)
{
	int err = sink ? xcap_sink_put(sink, recs, nr) : 0;

	for (int i = 0; i < nr && !err && w->next; i++)
		err = xcap_hand_on(x, &recs[i]);
	xcap_release(x, recs, nr);
	return err;
}

/* The same of each when its time has come; what left before is on its way while we sleep. */
static int pass_later(struct worker *w, struct xcap *x, struct xcap_sink *sink,
		      const struct xcap_record *recs, int nr)
{
	int64_t now = now_ns(), due;
	int err = 0;

	for (int i = 0; i < nr; i++) {
		due = recs[i].mono_ns + w->delay_ns;
		if (due > now + w->delay_ns)	/* a file's, from the future */
			due = now + w->delay_ns;
		if (due > now && !err) {
			err = sink ? xcap_sink_flush(sink) : 0;
			sleep_until(due);
			now = now_ns();
		}
		if (err)
			xcap_release(x, &recs[i], 1);
		else
			err = pass(w, x, sink, &recs[i], 1);
	}
	return err;
}

static void read_all(struct worker *w, struct xcap *x, struct xcap_sink *sink)
{
	struct xcap_record recs[BATCH];
	bool dirty = false;
	int n, err = 0;

	while (!err) {
		n = xcap_next_batch(x, recs, BATCH, dirty ? 0 : WAIT_MS);
		if (n > 0) {
			err = (w->delay_ns ? pass_later : pass)(w, x, sink, recs, n);
			dirty = sink;
		} else if (n == 0) {
			err = dirty ? xcap_sink_flush(sink) : 0;
			dirty = false;
		} else if (n == -ENODATA) {
			return;
		} else if (n != -EINTR) {
			break;
		}
	}
	failed(w, x);
	xcap_discard(x);
}

static void pin(const struct worker *w)
{
	cpu_set_t set;

	if (w->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fprintf(stderr, "%s: cannot run on CPU %d: %s; it runs on any\n", w->called,
			w->cpu, strerror(errno));
}

static int open_queue(const struct worker *w, struct xcap **x)
{
	struct xcap_opts opts = { .sz = sizeof(opts), .filter = w->filter };
	char spec[sizeof(w->spec) + 16];

	snprintf(spec, sizeof(spec), "%s", w->spec);
	if (w->next)
		snprintf(spec, sizeof(spec), "%s?next=%u", w->spec, w->next);
	return xcap_open(x, spec, &opts);
}

static void ready(struct worker *w)
{
	__atomic_store_n(&w->ready, true, __ATOMIC_RELEASE);
}

static void *run(void *arg)
{
	struct xcap_sink *sink = NULL;
	struct worker *w = arg;
	struct xcap *x;
	int err;

	pin(w);
	if (open_queue(w, &x)) {
		failed(w, NULL);
		ready(w);
		return NULL;
	}
	if (w->sink_spec && xcap_sink_open(&sink, w->sink_spec, x))
		failed(w, x);
	else if (sink && !w->quiet && xcap_sink_note(sink)[0])
		fprintf(stderr, "xcap: %s: %s\n", w->sink_spec, xcap_sink_note(sink));
	err = privilege_drop(false);
	if (err) {
		fprintf(stderr, "%s: cannot give up privileges: %s\n", w->called, strerror(-err));
		w->failed = true;
	}
	ready(w);
	if (!w->failed)
		read_all(w, x, sink);
	xcap_stop(x);
	if (xcap_sink_close(sink) && !w->failed)
		failed(w, x);
	w->stats.sz = sizeof(w->stats);
	xcap_stats(x, -1, &w->stats);
	xcap_close(x);
	return NULL;
}

/* Signals are for the thread that has the stream. */
static int start(struct worker *w)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->runs = !errno;
	if (!errno)
		return 0;
	fprintf(stderr, "%s: no thread for %s: %s\n", w->called, w->spec, strerror(errno));
	return -errno;
}

/* Return: how many do not read yet; -1: one has failed. */
static int nr_missing(const struct worker *workers, int nr)
{
	int missing = 0;

	for (int i = 0; i < nr; i++) {
		if (!__atomic_load_n(&workers[i].ready, __ATOMIC_ACQUIRE))
			missing++;
		else if (workers[i].failed)
			return -1;
	}
	return missing;
}

int workers_start(struct worker *workers, int nr, struct xcap_sink *sink)
{
	int err = 0, missing = nr;

	for (int i = 0; i < nr && !err; i++)
		err = start(&workers[i]);
	for (int ms = 0; !err && missing > 0 && ms < START_MS; ms++) {
		err = xcap_sink_flush(sink);
		nanosleep(&(struct timespec){ .tv_nsec = NS_PER_SEC / 1000 }, NULL);
		missing = nr_missing(workers, nr);
	}
	if (!err && missing > 0)
		fprintf(stderr, "%s: %d of %d threads do not start\n", workers->called, missing,
			nr);
	return err ?: missing ? -ETIMEDOUT : 0;
}

bool workers_failed(const struct worker *workers, int nr)
{
	bool any = false;

	for (int i = 0; i < nr; i++)
		any |= workers[i].failed;
	return any;
}

void workers_join(struct worker *workers, int nr, struct capture *c)
{
	xcap_sink_close(c->sink);
	c->sink = NULL;
	for (int i = 0; i < nr; i++) {
		if (workers[i].runs)
			pthread_join(workers[i].thread, NULL);
		workers[i].runs = false;
	}
	c->failed |= workers_failed(workers, nr);
}

static void print_target(const struct worker *w, char *text, size_t size)
{
	text[0] = '\0';
	if (w->sink_spec)
		snprintf(text, size, "%s", w->sink_spec);
	else if (w->next)
		snprintf(text, size, "%.*s@%u", (int)strcspn(w->spec, "@"), w->spec, w->next);
}

static void account(const struct worker *w, FILE *out)
{
	const struct xcap_stats *s = &w->stats;
	const char *before = " (";
	char to[128];

	print_target(w, to, sizeof(to));
	fprintf(out, "  %s%s%s  seen %llu = delivered %llu + filtered %llu + dropped %llu", w->spec,
		to[0] ? " to " : "", to, s->seen, s->delivered, s->filtered,
		(unsigned long long)capture_dropped(s));
	for (int d = 0; d < XCAP_DROP_MAX; d++) {
		if (!s->dropped[d])
			continue;
		fprintf(out, "%s%s %llu", before, xcap_drop_name(d), s->dropped[d]);
		before = ", ";
	}
	fputs(before[0] == ',' ? ")\n" : "\n", out);
}

static void account_json(const struct worker *w, FILE *out)
{
	const struct xcap_stats *s = &w->stats;
	struct json j = { .out = out };
	char to[128];

	print_target(w, to, sizeof(to));
	json_open(&j, NULL, '{');
	json_text(&j, "queue", w->spec);
	if (to[0])
		json_text(&j, "to", to);
	json_unsigned(&j, "seen", s->seen);
	json_unsigned(&j, "delivered", s->delivered);
	json_unsigned(&j, "filtered", s->filtered);
	json_open(&j, "dropped", '{');
	for (int d = 0; d < XCAP_DROP_MAX; d++)
		if (s->dropped[d])
			json_unsigned(&j, xcap_drop_name(d), s->dropped[d]);
	json_close(&j, '}');
	json_unsigned(&j, "late", s->late);
	json_unsigned(&j, "out_of_order", s->out_of_order);
	json_close(&j, '}');
	json_line(&j);
}

uint64_t workers_account(const struct worker *workers, int nr, struct capture *c)
{
	uint64_t lost = 0;

	if (!c->json)
		capture_account(c, stderr);
	for (int i = 0; i < nr; i++) {
		if (c->json)
			account_json(&workers[i], stdout);
		else
			account(&workers[i], stderr);
		lost += capture_dropped(&workers[i].stats);
	}
	if (c->json)
		capture_account_json(c, stdout);
	capture_flush(c);
	return lost;
}
