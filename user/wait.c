// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   sources that can wake a reader, a time until which records are held.
 * Out:  a reader that sleeps as long as it may and wakes when it must.
 * Owns: the epoll set of the handle, its eventfd and timerfd.
 * Runs on: the thread of the handle; xcap_break() on any.
 *
 * Waking a reader costs a program tens of times what a record costs. So while
 * records flow the reader naps for a fixed time and asks for nothing; only when a
 * nap brought nothing does it set the sleep flags, which the first record clears.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "clock.h"
#include "stream.h"

#define NAP_NS (1 * NS_PER_MS)		/* rings are sized for far more than this */
/* asleep, but for how long a source may be dead unnoticed */
#define LOOK_NS (200 * NS_PER_MS)
#define MAX_EVENTS 64

static int add(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int wait_open(struct xcap *x)
{
	int err = 0;

	x->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	x->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	x->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (x->epoll_fd < 0 || x->event_fd < 0 || x->timer_fd < 0)
		return -errno;
	err = add(x->epoll_fd, x->event_fd) ?: add(x->epoll_fd, x->timer_fd);
	for (int i = 0; i < x->nr_sources && !err; i++)
		if (x->sources[i]->ops->arm)
			err = x->sources[i]->ops->arm(x->sources[i], x->epoll_fd);
	return err;
}

void wait_close(struct xcap *x)
{
	int fds[] = { x->timer_fd, x->event_fd, x->epoll_fd };

	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Return: true: records are there already, nobody sleeps. */
static bool set_sleeping(struct xcap *x, bool on)
{
	bool there = false;

	for (int i = 0; i < x->nr_sources; i++)
		if (x->sources[i]->ops->sleep && x->sources[i]->ops->sleep(x->sources[i], on))
			there = true;
	return there;
}

static void set_timer(struct xcap *x, int64_t at_ns)
{
	struct itimerspec its = { 0 };

	if (at_ns != INT64_MAX) {
		its.it_value.tv_sec = at_ns / NS_PER_SEC;
		its.it_value.tv_nsec = at_ns % NS_PER_SEC;
	}
	timerfd_settime(x->timer_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

/* Takes the edges and empties the two descriptors of our own. */
static int sleep_until(struct xcap *x, int64_t until_ns)
{
	struct epoll_event events[MAX_EVENTS];
	int64_t ns = until_ns - clock_mono_ns();
	struct timespec ts = { .tv_sec = ns / NS_PER_SEC, .tv_nsec = ns % NS_PER_SEC };
	uint64_t count;
	int n;

	if (ns < 0)
		ts = (struct timespec){ 0 };
	n = epoll_pwait2(x->epoll_fd, events, MAX_EVENTS, &ts, NULL);
	if (n < 0 && errno == ENOSYS)	/* before Linux 5.11 */
		n = epoll_wait(x->epoll_fd, events, MAX_EVENTS, ns < 0 ? 0 : ns / NS_PER_MS + 1);
	if (n < 0)
		return -errno;
	if (read(x->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	if (read(x->timer_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	return n;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int wait_for(struct xcap *x, int64_t hold_until, int64_t deadline_ns)
{
	int64_t until = earlier(hold_until, deadline_ns), now = clock_mono_ns();
	int n;

	if (!x->idle || hold_until != INT64_MAX) {
		n = sleep_until(x, earlier(until, now + NAP_NS));
		x->idle = true;		/* until a record comes: see xcap_next_batch() */
	} else {
		if (set_sleeping(x, true)) {
			set_sleeping(x, false);
			return 0;
		}
		n = sleep_until(x, earlier(until, now + LOOK_NS));
		set_sleeping(x, false);
	}
	return n < 0 ? n : 0;
}

void wait_signal(struct xcap *x)
{
	uint64_t one = 1;

	/* it fails only when the counter is full, and then it is readable */
	if (write(x->event_fd, &one, sizeof(one)) < 0)
		return;
}

void wait_awake(struct xcap *x)
{
	if (!x->armed)
		return;
	x->armed = false;
	set_sleeping(x, false);
	set_timer(x, INT64_MAX);
	sleep_until(x, 0);	/* takes the edges */
}

void wait_keep_readable(struct xcap *x, bool more, int64_t hold_until)
{
	if (more) {
		if (!x->signalled)
			wait_signal(x);
		x->signalled = true;
		return;
	}
	if (x->signalled)
		sleep_until(x, 0);
	x->signalled = false;
	x->armed = true;
	set_timer(x, hold_until);
	if (set_sleeping(x, true) || __atomic_load_n(&x->broken, __ATOMIC_ACQUIRE))
		wait_signal(x);
}
