// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   one queue of a cluster.
 * Out:  its records in a sink, now or after a while; or a count.
 * Owns: its handle, its sink.
 * Runs on: a thread of its own, without privilege once all is open.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include "privilege.h"
#include "worker.h"

#define BATCH 256
#define NS_PER_SEC 1000000000LL
#define WAIT_MS 1000

static void failed(struct worker *w, struct xcap *x)
{
	fprintf(stderr, "%s: %s\n", w->called, xcap_errmsg(x));
	w->failed = true;
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
	int err = 0;

	if (!w->delay_ns) {
		err = sink ? xcap_sink_put(sink, recs, nr) : 0;
		xcap_release(x, recs, nr);
		return err;
	}
	for (int i = 0; i < nr && !err; i++) {
		sleep_until(recs[i].mono_ns + w->delay_ns);
		err = sink ? xcap_sink_put(sink, &recs[i], 1) : 0;
		err = err || !sink ? err : xcap_sink_flush(sink);
		xcap_release(x, &recs[i], 1);
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
			err = pass(w, x, sink, recs, n);
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

static void *run(void *arg)
{
	struct xcap_sink *sink = NULL;
	struct worker *w = arg;
	struct xcap *x;
	int err;

	pin(w);
	if (xcap_open(&x, w->spec, NULL)) {
		failed(w, NULL);
		return NULL;
	}
	if (w->sink_spec && xcap_sink_open(&sink, w->sink_spec, x))
		failed(w, x);
	err = privilege_drop(false);
	if (err) {
		fprintf(stderr, "%s: cannot give up privileges: %s\n", w->called, strerror(-err));
		w->failed = true;
	}
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
int worker_start(struct worker *w)
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

void worker_join(struct worker *w)
{
	if (w->runs)
		pthread_join(w->thread, NULL);
	w->runs = false;
}

void worker_account(const struct worker *w, FILE *out)
{
	const struct xcap_stats *s = &w->stats;
	bool any = false;

	fprintf(out, "  %s%s%s  seen %llu = delivered %llu + filtered %llu", w->spec,
		w->sink_spec ? " to " : "", w->sink_spec ?: "", s->seen, s->delivered,
		s->filtered);
	for (int d = 0; d < XCAP_DROP_MAX; d++) {
		if (s->dropped[d])
			fprintf(out, "%s %s %llu", any ? "," : " + dropped", xcap_drop_name(d),
				s->dropped[d]);
		any |= s->dropped[d] != 0;
	}
	fputs(any ? "\n" : " + dropped 0\n", out);
}
