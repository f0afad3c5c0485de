// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   one source spec, read through the library and spread over queues: bench_queue fifo|fanout
 *       READERS SPEC.
 * Out:  counts of the readers, each a process of its own that reads a queue.
 * Owns: the capture, the cluster, its readers, until the driver says stop; a mount namespace, in
 *       which the cluster's socket is, so that nothing is left of it.
 * Runs on: the reading CPU, and so do all readers.
 */
#define _GNU_SOURCE
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include <xcap.h>
#include "bench.h"

enum { BATCH = 256, WAIT_MS = 100 };

static struct bench_share *share;

static void fail(struct xcap *x)
{
	errx(1, "%s", xcap_errmsg(x));
}

/* ---- a reader ---- */

static int take(struct xcap *x, struct bench_reader *r, uint64_t *sum)
{
	struct xcap_record recs[BATCH];
	uint64_t records = 0, lost = 0;
	int nr = xcap_next_batch(x, recs, BATCH, WAIT_MS);

	for (int i = 0; i < nr; i++) {
		*sum += recs[i].mono_ns + (recs[i].data ? recs[i].data[0] : 0);
		records += recs[i].type != XCAP_LOSS;
		lost += recs[i].type == XCAP_LOSS ? recs[i].loss.count : 0;
	}
	if (nr <= 0)
		return nr;
	xcap_release(x, recs, nr);
	__atomic_store_n(&r->lost, r->lost + lost, __ATOMIC_RELAXED);
	__atomic_store_n(&r->received, r->received + records, __ATOMIC_RELAXED);
	return nr;
}

static int reader(int number, pid_t master)
{
	struct bench_reader *r = &share->readers[number];
	uint64_t sum = 0;
	struct xcap *x;
	char spec[32];
	int ret;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != master)
		return 1;
	while (!__atomic_load_n(&share->open, __ATOMIC_ACQUIRE))
		usleep(1000);
	snprintf(spec, sizeof(spec), "xcap:0@%d", number);
	if (xcap_open(&x, spec, NULL))
		fail(NULL);
	__atomic_store_n(&r->ready, 1, __ATOMIC_RELEASE);
	do
		ret = take(x, r, &sum);
	while (ret >= 0 || ret == -EINTR);
	if (ret != -ENODATA)
		fail(x);
	xcap_close(x);
	return sum == 1;	/* keeps the reads; never so */
}

static void start_readers(int nr)
{
	pid_t self = getpid(), pid;

	for (int i = 0; i < nr; i++) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid)
			_exit(reader(i, self));
		share->readers[i].pid = pid;
	}
	share->nr_readers = nr;
}

static int are_ready(int nr)
{
	for (int i = 0; i < nr; i++)
		if (!__atomic_load_n(&share->readers[i].ready, __ATOMIC_ACQUIRE))
			return 0;
	return 1;
}

/* ---- the master ---- */

static void no_traces(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/run", "tmpfs", 0, NULL))
		err(1, "a mount namespace (be root)");
}

static int pass_on(struct xcap *x, struct xcap_sink *sink)
{
	struct xcap_record recs[BATCH];
	int nr = xcap_next_batch(x, recs, BATCH, WAIT_MS);

	if (nr <= 0)
		return nr;
	if (xcap_sink_put(sink, recs, nr))
		fail(x);
	xcap_release(x, recs, nr);
	return nr;
}

static void run(struct xcap *x, struct xcap_sink *sink, int readers)
{
	int ready = 0, ret;

	while (!bench_stopped(share)) {
		ret = pass_on(x, sink);
		if (ret < 0 && ret != -EINTR)
			fail(x);
		if (!ready && are_ready(readers)) {
			ready = 1;
			bench_ready(share);
		}
	}
	xcap_stop(x);
	do
		ret = pass_on(x, sink);
	while (ret >= 0 || ret == -EINTR);
	if (ret != -ENODATA)
		fail(x);
}

int main(int argc, char **argv)
{
	struct xcap_sink_opts opts = { .sz = sizeof(opts) };
	int readers = argc == 4 ? atoi(argv[2]) : 0, status, failed = 0;
	struct xcap_sink *sink;
	struct xcap *x;

	if (readers < 1 || readers > BENCH_READERS)
		errx(2, "usage: bench_queue fifo|fanout READERS (1 to %d) SPEC", BENCH_READERS);
	share = bench_share_map(BENCH_SHARE_FD);
	bench_pin(BENCH_READ_CPU);
	no_traces();
	start_readers(readers);
	opts.modes = argv[1];
	opts.instances = argv[2];
	if (xcap_open(&x, argv[3], NULL))
		fail(NULL);
	if (xcap_sink_open_opts(&sink, "xcap:0", x, &opts))
		fail(x);
	__atomic_store_n(&share->open, 1, __ATOMIC_RELEASE);
	run(x, sink, readers);
	xcap_sink_close(sink);
	xcap_close(x);
	for (int i = 0; i < readers; i++)
		failed |= waitpid(share->readers[i].pid, &status, 0) < 0 || status;
	return failed;
}
