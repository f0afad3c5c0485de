// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a stream, keys, a guest's descriptor.
 * Out:  records fed when they are due, and the guest served; each wait is bounded.
 * Owns: nothing.
 * Runs on: the tool's first thread.
 *
 * While records come they are not waited for one by one: the loop naps and then reads what has come
 * meanwhile, a hundred times a second at most, unless there is more than a nap may leave lying.
 */
#include "top_loop.h"

#define NS_PER_MS 1000000LL
#define NAP_NS (10 * NS_PER_MS)
#define NAP_RECORDS 4096	/* more at once: there is no time for a nap */
#define WAIT_NS (200 * NS_PER_MS)
#define LATE_NS (30 * NS_PER_MS)	/* a nap, the slack, and some */

bool top_loop_over(const struct top_run *r)
{
	return capture_signal() ||
	       (r->c.duration_ns &&
		top_mono_ns() - r->c.started_ns >= (int64_t)r->c.duration_ns);
}

int64_t top_loop_date(const struct top_run *r)
{
	int64_t end = top_interval_end(r->levels[0].model), now = top_run_now(r);

	if (r->ended || end == INT64_MIN || now == INT64_MIN)
		return INT64_MAX;
	return top_mono_ns() + (end - now) + LATE_NS;
}

void top_loop_time(struct top_run *r)
{
	int64_t now = top_run_now(r);

	if (!r->ended && now != INT64_MIN)
		top_run_time(r, now - LATE_NS / 2);
}

/* How long to wait, and whether for records: *stream. */
static int64_t wait_ns(const struct top_run *r, int fed, bool *stream)
{
	int64_t due;

	*stream = false;
	if (fed >= NAP_RECORDS)
		return 0;
	if (r->ended)
		return WAIT_NS;
	if (r->clock == TOP_CLOCK_FILE) {
		if (r->at == r->nr || r->fast)
			return 0;
		due = r->recs[r->at].mono_ns - top_run_due(r);
		return due < NAP_NS ? NAP_NS : due;
	}
	if (fed)
		return NAP_NS;
	*stream = true;
	return WAIT_NS;
}

int top_loop_step(struct top_run *r, int key_fd, int64_t until_mono_ns)
{
	struct top_guest *g = r->guest;
	bool paced = r->clock == TOP_CLOCK_FILE && !r->fast, stream;
	int fed = r->ended ? 0 : top_run_read(r, paced ? top_run_due(r) : INT64_MAX);
	int64_t wait = wait_ns(r, fed < 0 ? 0 : fed, &stream), left = until_mono_ns - top_mono_ns();
	struct pollfd fds[3] = {
		{ .fd = key_fd, .events = POLLIN },
		{ .fd = g ? g->fd : -1, .events = g ? g->events : 0 },
		{ .fd = stream ? xcap_fd(r->c.x) : -1, .events = POLLIN },
	};

	capture_tell(&r->c);
	if (wait > WAIT_NS)
		wait = WAIT_NS;
	if (wait > left)
		wait = left > 0 ? left : 0;
	if (poll(fds, 3, (wait + NS_PER_MS - 1) / NS_PER_MS) < 0)
		return 0;
	if (fds[1].revents && g->ready)
		g->ready(g);
	return fds[0].revents;
}
