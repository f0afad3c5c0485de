// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   lo of a private network namespace, packets that this program sends itself.
 * Out:  exit 0 when the handle does what xcap.h says of it: waiting, waking, breaking, accounts.
 * Owns: the captures it opens.
 * Runs on: any CPU; needs the privilege to capture.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xcap.h>

#define CHECK(x) do { if (!(x)) { \
	fprintf(stderr, "%s:%d: not so: %s\n", __func__, __LINE__, #x); exit(1); } } while (0)

static struct xcap *current;

static void send_udp(int n, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), sink = socket(AF_INET, SOCK_DGRAM, 0);

	/* somebody listens, so that no ICMP error comes back */
	CHECK(!bind(sink, (struct sockaddr *)&to, sizeof(to)));
	for (int i = 0; i < n; i++)
		CHECK(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)) == 5);
	close(fd);
	close(sink);
}

static bool readable(struct xcap *x, int timeout_ms)
{
	struct pollfd p = { .fd = xcap_fd(x), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static struct xcap *open_flags(const char *filter, __u32 flags)
{
	struct xcap_opts o = { .sz = sizeof(o), .filter = filter, .flags = flags };
	struct xcap *x;

	if (xcap_open(&x, "tap:lo", &o)) {
		fprintf(stderr, "%s\n", xcap_errmsg(NULL));
		exit(1);
	}
	return x;
}

static struct xcap *open_lo(const char *filter)
{
	return open_flags(filter, 0);
}

static void give_back(struct xcap *x, const struct xcap_record *r)
{
	xcap_release(x, r, 1);
}

static void timeouts_are_kept(void)
{
	struct xcap *x = open_lo(NULL);
	struct xcap_record r;
	long long t = now_ms();

	CHECK(xcap_next(x, &r, 0) == 0);
	CHECK(now_ms() - t < 1000);
	t = now_ms();
	CHECK(xcap_next(x, &r, 50) == 0);
	CHECK(now_ms() - t >= 50 && now_ms() - t < 2000);
	xcap_close(x);
}

/* Silent for so long, soon: now and then it looks whether the interface is still there. */
static bool falls_silent(struct xcap *x, int ms)
{
	long long until = now_ms() + 5000;
	struct xcap_record r;

	while (readable(x, ms)) {
		CHECK(xcap_next(x, &r, 0) == 0);
		if (now_ms() > until)
			return false;
	}
	return true;
}

/*
 * Silent while quiet; readable from the first packet until all are read; silent again. With owners
 * every process that begins or ends on this host wakes the reader, too.
 */
static void descriptor_follows_the_records(void)
{
	struct xcap *x = open_flags(NULL, XCAP_NO_OWNERS);
	struct xcap_record r;
	int got = 0, n;

	CHECK(readable(x, 1000));	/* nobody has looked yet */
	CHECK(xcap_next(x, &r, 0) == 0);
	CHECK(falls_silent(x, 50));
	for (int round = 0; round < 20; round++) {
		long long until = now_ms() + 5000;

		send_udp(3, 9999);
		for (got = 0; got < 3; ) {
			CHECK(readable(x, 5000));
			n = xcap_next(x, &r, 0);	/* one record for one event */
			CHECK(n >= 0 && now_ms() < until);
			if (n)
				give_back(x, &r);
			got += n;
		}
		CHECK(falls_silent(x, 5));
	}
	xcap_close(x);
}

static void *break_soon(void *x)
{
	usleep(50000);
	xcap_break(x);
	return NULL;
}

static void on_alarm(int sig)
{
	(void)sig;
	xcap_break(current);
}

static void break_ends_a_wait(void)
{
	struct xcap *x = open_lo(NULL);
	struct xcap_record r;
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, break_soon, x));
	CHECK(xcap_next(x, &r, -1) == -EINTR);
	pthread_join(t, NULL);
	CHECK(xcap_next(x, &r, 0) == 0);	/* it held once */

	current = x;
	signal(SIGALRM, on_alarm);
	ualarm(50000, 0);
	CHECK(xcap_next(x, &r, -1) == -EINTR);
	xcap_break(x);				/* before the call: it holds for the next */
	CHECK(xcap_next(x, &r, -1) == -EINTR);
	send_udp(2, 9999);
	CHECK(xcap_next(x, &r, 1000) == 1 || xcap_next(x, &r, 1000) == 1);
	give_back(x, &r);
	while (xcap_next(x, &r, 20) == 1)
		give_back(x, &r);
	for (int i = 0; i < 50; i++) {		/* between records, too, it holds once */
		send_udp(1, 9999);
		CHECK(xcap_next(x, &r, 1000) == 1);
		give_back(x, &r);
		ualarm(i * 20 + 1, 0);
		CHECK(xcap_next(x, &r, 1000) == -EINTR);
		CHECK(xcap_next(x, &r, 2) == 0);
	}
	xcap_close(x);
}

static int nr_handled;

static void break_at_ten(void *user, const struct xcap_record *r)
{
	(void)r;
	if (++nr_handled == 10)
		xcap_break(user);
}

static void break_ends_a_loop(void)
{
	struct xcap *x = open_lo(NULL);

	send_udp(101, 9999);
	CHECK(xcap_loop(x, 0, break_at_ten, x) == -EINTR);
	CHECK(nr_handled == 10);
	CHECK(xcap_loop(x, 91, break_at_ten, x) == 91);		/* nothing was lost by it */
	xcap_close(x);
}

static __u64 dropped(const struct xcap_stats *st)
{
	__u64 sum = 0;

	for (int i = 0; i < XCAP_DROP_MAX; i++)
		sum += st->dropped[i];
	return sum;
}

static struct xcap_stats stats_of(struct xcap *x)
{
	struct xcap_stats st = { .sz = sizeof(st) };

	CHECK(!xcap_stats(x, -1, &st));
	CHECK(st.sz == sizeof(st));
	CHECK(st.out_of_order == 0);
	return st;
}

static int drain(struct xcap *x)
{
	struct xcap_record recs[7];
	int n, total = 0;

	while ((n = xcap_next_batch(x, recs, 7, -1)) > 0) {
		xcap_release(x, recs, n);
		total += n;
	}
	CHECK(n == -ENODATA);
	return total;
}

static void filters_count_what_they_refuse(void)
{
	struct xcap *x = open_lo("udp port 5001");
	struct xcap_stats st;

	send_udp(211, 5001);
	send_udp(101, 5002);
	CHECK(xcap_set_filter(x, "no such word") == -EINVAL);
	CHECK(strstr(xcap_errmsg(x), "no such word"));
	xcap_stop(x);
	CHECK(drain(x) == 211);
	st = stats_of(x);
	CHECK(st.seen == 312 && st.delivered == 211 && st.filtered == 101 && dropped(&st) == 0);
	CHECK(st.packets == 211 && st.bytes == 211 * (14 + 20 + 8 + 5));
	xcap_close(x);
}

/* What came before a change and is read after it has been judged by both filters. */
static void filters_change(void)
{
	struct xcap *x = open_lo("udp port 5001 or port 5003");
	struct xcap_stats st;

	send_udp(11, 5001);
	send_udp(7, 5002);
	send_udp(5, 5003);
	CHECK(!xcap_set_filter(x, "udp port 5001 or port 5002"));
	send_udp(13, 5001);
	send_udp(17, 5002);
	send_udp(19, 5003);
	CHECK(xcap_set_filter(x, "udp portt 1") == -EINVAL);
	send_udp(23, 5002);
	send_udp(29, 5003);
	CHECK(!xcap_set_filter(x, NULL));
	send_udp(31, 5003);
	CHECK(!xcap_set_filter(x, ""));
	CHECK(!xcap_set_filter(x, "not udp"));
	send_udp(37, 5001);
	CHECK(!xcap_set_filter(x, NULL));
	send_udp(41, 5001);
	xcap_stop(x);
	/* at the end there is none, so what the kernel's filters kept is here */
	CHECK(drain(x) == 11 + 5 + 13 + 17 + 23 + 31 + 41);
	st = stats_of(x);
	CHECK(st.seen == 233 && st.filtered == 233 - 141 && dropped(&st) == 0);
	xcap_close(x);

	/* and here those that were on their way are judged again */
	x = open_lo("udp port 5001 or port 5003");
	send_udp(11, 5001);
	send_udp(5, 5003);
	CHECK(!xcap_set_filter(x, "udp port 5003"));
	send_udp(7, 5001);
	send_udp(3, 5003);
	xcap_stop(x);
	CHECK(drain(x) == 5 + 3);
	st = stats_of(x);
	CHECK(st.seen == 26 && st.filtered == 18 && dropped(&st) == 0);
	xcap_close(x);
}

/* A reader that stops early leaves an account that closes all the same. */
static void what_is_not_read_is_counted(void)
{
	struct xcap *x = open_lo(NULL);
	struct xcap_record r;
	struct xcap_stats st;

	send_udp(307, 5001);
	CHECK(xcap_next(x, &r, 1000) == 1);
	xcap_discard(x);
	CHECK(r.caplen == 47 && !memcmp(r.data + 42, "hello", 5));	/* still lent */
	give_back(x, &r);
	st = stats_of(x);
	CHECK(st.seen == 307 && st.delivered == 1);
	CHECK(st.dropped[XCAP_DROP_UNREAD] == 306 && dropped(&st) == 306);
	CHECK(xcap_next(x, &r, 0) == -ENODATA);
	xcap_close(x);
}

/* Reads what there is. Return: how many records its loss records tell of. */
static __u64 read_losses(struct xcap *x, int timeout_ms)
{
	struct xcap_record recs[64];
	__u64 told = 0;
	int n;

	while ((n = xcap_next_batch(x, recs, 64, timeout_ms)) > 0) {
		for (int i = 0; i < n; i++)
			if (recs[i].type == XCAP_LOSS)
				told += recs[i].loss.count;
		xcap_release(x, recs, n);
	}
	return told;
}

/* A ring of a page holds some tens of packets: the rest is lost, counted, and told. */
static void loss_is_counted_and_told(void)
{
	struct xcap_opts o = { .sz = sizeof(o), .ring_kb = 4 };
	struct xcap_stats st;
	struct xcap *x;
	__u64 told;

	CHECK(!xcap_open(&x, "tap:lo", &o));
	send_udp(409, 5001);
	told = read_losses(x, 100);
	send_udp(2, 5001);		/* room again: now the rest of the loss can be told */
	send_udp(201, 5001);		/* and one that nothing comes after */
	xcap_stop(x);
	told += read_losses(x, -1);
	st = stats_of(x);
	CHECK(st.seen == 612);
	CHECK(st.dropped[XCAP_DROP_RING_FULL] > 500 && st.dropped[XCAP_DROP_RING_FULL] == told);
	CHECK(st.seen == st.delivered + dropped(&st));
	xcap_close(x);
}

/* Older packets may be kept while the other source's records come and go. */
static void sources_are_released_on_their_own(void)
{
	struct xcap_record packets[10], r;
	struct xcap *x;
	int nr = 0, calls = 0;

	CHECK(!xcap_open(&x, "tap:lo,syscalls?self=on&switches=off", NULL));
	send_udp(10, 5001);
	while (nr < 10 || calls < 40) {
		CHECK(xcap_next(x, &r, 1000) == 1);
		if (r.source == 0) {
			CHECK(nr < 10);
			packets[nr++] = r;
			continue;
		}
		calls++;
		give_back(x, &r);
	}
	for (int i = 0; i < 10; i++) {
		CHECK(!memcmp(packets[i].data + 42, "hello", 5));
		give_back(x, &packets[i]);
	}
	xcap_close(x);
}

static void interface_that_goes_is_told(void)
{
	struct xcap_record r;
	struct xcap *x;
	int n;

	CHECK(!system("ip link add xt-gone type veth peer name xt-gone2 && "
		      "ip link set xt-gone up"));
	CHECK(!xcap_open(&x, "tap:xt-gone", NULL));
	CHECK(!system("ip link del xt-gone"));
	while ((n = xcap_next(x, &r, 5000)) == 1)
		give_back(x, &r);
	CHECK(n == -ENETDOWN);
	CHECK(strstr(xcap_errmsg(x), "xt-gone"));
	CHECK(xcap_next(x, &r, 1000) == -ENODATA);
	xcap_close(x);
}

/* A loop around poll() hears of it too. */
static void polled_interface_that_goes_is_told(void)
{
	long long until = now_ms() + 5000;
	struct xcap_record r;
	struct xcap *x;
	int n;

	CHECK(!system("ip link add xt-gone type veth peer name xt-gone2 && ip link set xt-gone up"));
	CHECK(!xcap_open(&x, "tap:xt-gone", NULL));
	while ((n = xcap_next(x, &r, 0)) == 1)
		give_back(x, &r);
	CHECK(n == 0);
	CHECK(!system("ip link del xt-gone"));
	do {
		CHECK(readable(x, 5000) && now_ms() < until);
		n = xcap_next(x, &r, 0);
		if (n == 1)
			give_back(x, &r);
	} while (n >= 0);
	CHECK(n == -ENETDOWN);
	xcap_close(x);
}

static void bad_input_gets_a_sentence(void)
{
	static const struct { const char *spec; int err; const char *word; } bad[] = {
		{ "tap:nosuch0", -ENODEV, "nosuch0" }, { "nosuch:lo", -EINVAL, "nosuch" },
		{ "tap:lo?colour=red", -EINVAL, "colour" }, { "", -EINVAL, "no source" },
		{ "tap:lo,", -EINVAL, "comma" }, { "syscalls?only=", -EINVAL, "only=" },
	};
	struct xcap_opts o = { .sz = sizeof(o), .filter = "(((" };
	struct xcap *x = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(xcap_open(&x, bad[i].spec, NULL) == bad[i].err);
		CHECK(strstr(xcap_errmsg(NULL), bad[i].word));
	}
	CHECK(xcap_open(&x, "tap:lo", &o) == -EINVAL);
	o.filter = NULL;
	o.flags = 1u << 31;
	CHECK(xcap_open(&x, "tap:lo", &o) == -EINVAL);
	CHECK(!x);
}

static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(!ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
}

int main(void)
{
	lo_up();
	timeouts_are_kept();
	descriptor_follows_the_records();
	break_ends_a_wait();
	break_ends_a_loop();
	filters_count_what_they_refuse();
	filters_change();
	what_is_not_read_is_counted();
	loss_is_counted_and_told();
	sources_are_released_on_their_own();
	interface_that_goes_is_told();
	polled_interface_that_goes_is_told();
	bad_input_gets_a_sentence();
	puts("the handle does what it says");
	return 0;
}
