// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   one source spec, read through the library and its merge: bench_library poll|busy SPEC
 *       [FILTER], FILTER one that refuses every frame.
 * Out:  a count, of what was refused if there is a filter; what the library's own account says was
 *       lost, the memory it holds.
 * Owns: the capture, until the driver says stop.
 * Runs on: the reading CPU.
 */
#define _GNU_SOURCE
#include <xcap.h>
#include "bench.h"
#include "memory.h"

enum { BATCH = 256, WAIT_MS = 100, FILTER_WAIT_MS = 2 };

int main(int argc, char **argv)
{
	struct bench_share *share = bench_share_map(BENCH_SHARE_FD);
	struct xcap_source_info info = { .sz = sizeof(info) };
	struct xcap_stats stats = { .sz = sizeof(stats) };
	struct xcap_opts opts = { .sz = sizeof(opts), .filter = argc == 4 ? argv[3] : NULL };
	struct xcap_record recs[BATCH];
	int nr, i, timeout_ms = opts.filter ? FILTER_WAIT_MS : WAIT_MS;
	uint64_t received = 0, owned = 0, times = 0;
	struct xcap *x;

	if (argc != 3 && argc != 4)
		errx(2, "usage: bench_library poll|busy SPEC [FILTER]");
	if (!strcmp(argv[1], "busy"))
		timeout_ms = 0;
	bench_pin(BENCH_READ_CPU);
	if (xcap_open(&x, argv[2], &opts))
		errx(1, "%s", xcap_errmsg(NULL));
	xcap_source_info(x, 0, &info);
	snprintf(share->note, sizeof(share->note), "%s", info.mode);
	bench_ready(share);
	while (!bench_stopped(share)) {
		nr = xcap_next_batch(x, recs, BATCH, timeout_ms);
		if (nr < 0 && nr != -EINTR)
			errx(1, "%s", xcap_errmsg(x));
		for (i = 0; i < nr; i++) {
			times += recs[i].mono_ns + (recs[i].data ? recs[i].data[0] : 0);
			received += recs[i].type != XCAP_LOSS;
			owned += recs[i].owner != XCAP_OWNER_NONE;
		}
		if (nr > 0) {
			xcap_release(x, recs, nr);
			bench_count(share, received);
		}
		if (opts.filter) {
			xcap_stats(x, -1, &stats);
			bench_count(share, stats.filtered);
		}
	}
	memory_of_self(&share->memory);
	xcap_discard(x);
	xcap_stats(x, -1, &stats);
	for (i = 0; i < XCAP_DROP_MAX; i++)
		share->lost += i == XCAP_DROP_UNREAD ? 0 : stats.dropped[i];
	xcap_close(x);
	if (strstr(argv[2], "owner=on") && owned != received)
		errx(1, "%llu of %llu packets have an owner", (unsigned long long)owned,
		     (unsigned long long)received);
	return times == 1;	/* keeps the reads; never so */
}
