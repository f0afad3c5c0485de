// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a veth pair on which UDP packets of 10,000 flows come, 20,000 a second.
 * Out:  a table: the share of a core that xcap top takes while it draws them, and what a program
 *       takes that only counts them.
 * Owns: a network namespace, the sending thread, a pseudo-terminal, one child at a time.
 * Runs on: the sender on CPU 0, the child on CPU 1.
 *
 * Exit status: 1 it is more than promised.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"
#include "wire.h"

#define FLOWS 10000
#define RATE 20000
#define BURST 100		/* frames at once, each 5 ms */
#define SETTLE_NS (3 * NS_PER_S)
#define MEASURE_NS (5 * NS_PER_S)
#define MAX_ROUNDS 21
#define MOST_PERCENT 5

static char xcap[4096];
static int stop;

/* ---- the sender ---- */

static void *send_flows(void *arg)
{
	static uint8_t frames[BURST][64];
	struct mmsghdr msgs[BURST] = { 0 };
	struct iovec iov[BURST];
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("bench0"), .sll_halen = 6,
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), flow = 0;
	struct timespec at;

	bench_pin(BENCH_SEND_CPU);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "packet socket");
	clock_gettime(CLOCK_MONOTONIC, &at);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (int i = 0; i < BURST; i++, flow = (flow + 1) % FLOWS) {
			static const uint8_t head[] = {
				2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
				0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 0, 2,
				198, 18, 0, 1,
			};

			memcpy(frames[i], head, sizeof(head));
			frames[i][28] = flow >> 8;
			frames[i][29] = flow;
			frames[i][34] = 0x40 | flow >> 8;
			frames[i][35] = flow;
			frames[i][37] = 9;
			frames[i][39] = 30;
			iov[i] = (struct iovec){ frames[i], sizeof(frames[i]) };
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		if (sendmmsg(fd, msgs, BURST, 0) < 0 && errno != ENOBUFS)
			err(1, "sendmmsg");
		at.tv_nsec += NS_PER_S / (RATE / BURST);
		if (at.tv_nsec >= NS_PER_S) {
			at.tv_nsec -= NS_PER_S;
			at.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	close(fd);
	return NULL;
}

/* ---- the child ---- */

/* What it writes, until a time. Return: bytes. */
static uint64_t drain(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static char text[65536];
	uint64_t sum = 0;
	int64_t left;
	ssize_t n;

	while ((left = until - clock_ns(CLOCK_MONOTONIC)) > 0) {
		if (poll(&p, 1, left / 1000000 + 1) <= 0)
			continue;
		n = read(fd, text, sizeof(text));
		if (n <= 0)
			return sum;
		sum += n;
	}
	return sum;
}

/* The share of a core, in percent, that it takes on a terminal of 80x24; *bytes: that it draws. */
static double measure(const char *const argv[], double *bytes)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int64_t from, cpu_from, wall;
	clockid_t cpu;
	double share;
	int fd, status;
	pid_t pid = forkpty(&fd, NULL, NULL, &size);

	if (pid < 0)
		err(1, "forkpty");
	if (!pid) {
		bench_pin(BENCH_READ_CPU);
		setenv("TERM", "xterm", 1);
		execv(argv[0], (char *const *)argv);
		err(127, "%s", argv[0]);
	}
	clock_getcpuclockid(pid, &cpu);
	drain(fd, clock_ns(CLOCK_MONOTONIC) + SETTLE_NS);
	from = clock_ns(CLOCK_MONOTONIC);
	cpu_from = clock_ns(cpu);
	*bytes = (double)drain(fd, from + MEASURE_NS);
	wall = clock_ns(CLOCK_MONOTONIC) - from;
	share = 100.0 * (double)(clock_ns(cpu) - cpu_from) / (double)wall;
	*bytes /= (double)wall / NS_PER_S;
	kill(pid, SIGTERM);
	drain(fd, clock_ns(CLOCK_MONOTONIC) + NS_PER_S / 2);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "%s %s failed", argv[0], argv[1]);
	close(fd);
	return share;
}

/* Does it really have that many rows? */
static void check_flows(void)
{
	char line[8192], text[65536] = "", want[64];
	FILE *f;

	snprintf(line, sizeof(line), "%s top -q -b -n 3 --rows 1 --json -V flow -i tap:" BENCH_NIC
		 " 2>/dev/null", xcap);
	snprintf(want, sizeof(want), "\"nr_rows\":%d,", FLOWS);
	f = popen(line, "r");
	while (f && fgets(text, sizeof(text), f))
		;
	if (!f || pclose(f) || !strstr(text, want))
		errx(1, "it does not see %d flows: %.300s", FLOWS, text);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5, broken;
	static const char *const names[] = { "xcap top", "xcap count" };
	const char *const top[] = { xcap, "top", "-q", "-V", "flow", "-i", "tap:" BENCH_NIC, NULL };
	const char *const count[] = { xcap, "count", "-q", "-i", "tap:" BENCH_NIC, NULL };
	double shares[2][MAX_ROUNDS], bytes[2] = { 0 };
	pthread_t sender;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench_top [ROUNDS (1 to %d)]", MAX_ROUNDS);
	if (!realpath(argv[0], xcap))
		err(1, "%s", argv[0]);
	strcat(dirname(dirname(xcap)), "/xcap");
	setvbuf(stdout, NULL, _IOLBF, 0);
	wire_make();
	wire_up(1);
	errno = pthread_create(&sender, NULL, send_flows, NULL);
	if (errno)
		err(1, "thread");
	check_flows();
	for (int round = 0; round < rounds; round++) {
		fprintf(stderr, "top: round %d of %d\n", round + 1, rounds);
		shares[0][round] = measure(top, &bytes[0]);
		shares[1][round] = measure(count, &bytes[1]);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(sender, NULL);
	printf("\n%d flows, %d packets/s      %% of a core  [least most]  bytes drawn/s  promise\n",
	       FLOWS, RATE);
	for (int i = 0; i < 2; i++) {
		qsort(shares[i], rounds, sizeof(double), by_size);
		printf("%-32s %8.1f  [%5.1f %5.1f] %14.0f%s", names[i], shares[i][rounds / 2],
		       shares[i][0], shares[i][rounds - 1], bytes[i], i ? "\n" : "");
		if (i)
			continue;
		broken = shares[0][rounds / 2] > MOST_PERCENT;
		printf("  at most %d: %s\n", MOST_PERCENT, broken ? "BROKEN" : "kept");
	}
	return broken;
}
