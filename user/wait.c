// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   sources that can wake a reader, a time until which records are held.
 * Out:  a reader that sleeps as long as it may and wakes when it must.
 * Owns: the epoll set of the handle, its eventfd and timerfd.
 * Runs on: the thread of the handle; xcap_break() on any.
 *
 * Waking a reader costs a program tens of times what a record costs. So while
 * records flow the reader naps between batches and asks for nothing; only when a
 * nap brought nothing does it set the sleep flags, which the first record clears.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "clock.h"
#include "stream.h"

#define NAP_MAX_NS (1 * NS_PER_MS)	/* unless a source bears less */
#define NAP_MIN_NS (50 * NS_PER_US)	/* the kernel's timers are not finer */
#define NAP_MANY 1024			/* records of one nap: shorten it */
#define NAP_FEW 256			/* lengthen it */
/* asleep, but for how long a source may be dead unnoticed */
#define LOOK_NS (200 * NS_PER_MS)
#define MAX_EVENTS 64

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int add(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int wait_also(struct xcap *x, int fd, bool on)
{
	if (on)
		return add(x->epoll_fd, fd);
	return epoll_ctl(x->epoll_fd, EPOLL_CTL_DEL, fd, NULL) ? -errno : 0;
}

int wait_open(struct xcap *x)
{
	int err = 0;

	x->nap_ns = NAP_MIN_NS;
	x->nap_max_ns = NAP_MAX_NS;
	for (int i = 0; i < x->nr_all; i++) {
		if (x->sources[i]->nap_ns)
			x->nap_max_ns = earlier(x->nap_max_ns, x->sources[i]->nap_ns);
		x->may_go |= x->sources[i]->ifindex != 0;
	}
	x->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	x->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	x->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (x->epoll_fd < 0 || x->event_fd < 0 || x->timer_fd < 0)
		return -errno;
	err = add(x->epoll_fd, x->event_fd) ?: add(x->epoll_fd, x->timer_fd);
	if (x->remote && !err)
		err = add(x->epoll_fd, remote_fd(x->remote));
	for (int i = 0; i < x->nr_all && !err; i++)
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

	for (int i = 0; i < x->nr_all; i++)
		if (x->sources[i]->ops->sleep && x->sources[i]->ops->sleep(x->sources[i], on))
			there = true;
	if (x->tender.serve && x->tender.sleep(x->tender.arg, on))
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
	if (n < 0)
		return -errno;
	if (read(x->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	if (read(x->timer_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	x->signalled = false;
	return n;
}

/*
 * Records flow: look away for a while, so that they come in batches and nobody is
 * woken for them. The nap follows what the last one brought, and never lasts longer
 * than the rings can bear.
 */
int wait_nap(struct xcap *x, int64_t until_ns)
{
	struct pollfd broken = { .fd = x->event_fd, .events = POLLIN };
	struct timespec ts = { 0 };
	int64_t ns;

	if (x->signalled)	/* by ourselves, for who polls; nobody does now */
		sleep_until(x, 0);
	if (x->since_nap > NAP_MANY && x->nap_ns > NAP_MIN_NS)
		x->nap_ns /= 2;
	else if (x->since_nap < NAP_FEW && x->nap_ns < x->nap_max_ns)
		x->nap_ns *= 2;
	x->nap_ns = earlier(x->nap_ns, x->nap_max_ns);
	x->since_nap = 0;
	ns = earlier(x->nap_ns, until_ns - clock_mono_ns());
	ts.tv_nsec = ns > 0 ? ns : 0;
	return ppoll(&broken, 1, &ts, NULL) < 0 ? -errno : 0;
}

/*
 * Who is woken again and again, by one who naps himself, does better to nap as well: for long
 * enough that the next nap brings something. After a long sleep what comes may come fast.
 */
static int64_t nap_after(const struct xcap *x, int64_t slept_ns)
{
	if (slept_ns > x->nap_max_ns || 2 * slept_ns < NAP_MIN_NS)
		return NAP_MIN_NS;
	return earlier(2 * slept_ns, x->nap_max_ns);
}

int wait_sleep(struct xcap *x, int64_t until_ns)
{
	int64_t began = clock_mono_ns();
	int n = 0;

	x->nap_ns = NAP_MIN_NS;
	if (!set_sleeping(x, true)) {
		n = sleep_until(x, earlier(until_ns, began + LOOK_NS));
		x->nap_ns = nap_after(x, clock_mono_ns() - began);
	} else if (x->in_vain) {	/* on its way, not there yet: no reason to run in circles */
		n = wait_nap(x, until_ns);
	} else {
		x->in_vain = true;
	}
	set_sleeping(x, false);
	return n < 0 ? n : 0;
}

bool wait_broken(struct xcap *x)
{
	if (!__atomic_load_n(&x->broken, __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(&x->broken, 0, __ATOMIC_ACQ_REL))
		return false;
	sleep_until(x, 0);
	return true;
}

void wait_signal(struct xcap *x)
{
	uint64_t one = 1;
	int saved = errno;	/* of what a signal handler interrupted */

	/* it fails only when the counter is full, and then it is readable */
	if (write(x->event_fd, &one, sizeof(one)) < 0)
		errno = saved;
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
	x->armed = true;
	/* an interface that goes away wakes nobody, so there is a look now and then */
	set_timer(x, x->may_go ? earlier(hold_until, clock_mono_ns() + LOOK_NS) : hold_until);
	if (set_sleeping(x, true) || __atomic_load_n(&x->broken, __ATOMIC_ACQUIRE))
		wait_signal(x);
}
