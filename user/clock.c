// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the kernel's clocks.
 * Out:  monotonic nanoseconds, and the offset to wall time.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <time.h>
#include "clock.h"

static int64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

static int64_t offset_to(clockid_t id)
{
	int64_t best = INT64_MAX, offset = 0;

	/* the tightest of a few sandwiches: being scheduled away in one does not matter */
	for (int i = 0; i < 5; i++) {
		int64_t a = read_ns(id), w = read_ns(CLOCK_REALTIME), b = read_ns(id);

		if (b - a < best) {
			best = b - a;
			offset = w - (a + (b - a) / 2);
		}
	}
	return offset;
}

int64_t clock_wall_offset_ns(void)
{
	return offset_to(CLOCK_MONOTONIC);
}

int64_t clock_boot_offset_ns(void)
{
	return offset_to(CLOCK_BOOTTIME);
}
