/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   the command line of a receiver.
 * Out:  its counters while it runs. tcpdump is a receiver that only tells at its end.
 * Owns: the child process.
 * Runs on: the driver's thread; the child on the reading CPU.
 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

struct receiver {
	pid_t pid;
	clockid_t cpu;		/* CPU time of the child */
	struct bench_share *share;
	int share_fd;
	int err_fd;		/* tcpdump's talk */
};

static inline pid_t spawn(const char *const argv[], int share_fd, int err_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	bench_pin(BENCH_READ_CPU);
	if (share_fd >= 0 && dup2(share_fd, BENCH_SHARE_FD) < 0)
		err(1, "dup2");
	if (err_fd >= 0 && dup2(err_fd, STDERR_FILENO) < 0)
		err(1, "dup2");
	execvp(argv[0], (char *const *)argv);
	err(127, "%s", argv[0]);
}

/* Return: 0 it is attached; -1 it ended before that, having said why. */
static inline int receiver_start(struct receiver *r, const char *const argv[])
{
	r->share_fd = memfd_create("bench", 0);
	if (r->share_fd < 0 || ftruncate(r->share_fd, sizeof(struct bench_share)))
		err(1, "memfd");
	r->share = bench_share_map(r->share_fd);
	r->pid = spawn(argv, r->share_fd, -1);
	clock_getcpuclockid(r->pid, &r->cpu);
	/* pairs with bench_ready() */
	while (!__atomic_load_n(&r->share->ready, __ATOMIC_ACQUIRE)) {
		if (waitpid(r->pid, NULL, WNOHANG) == r->pid) {
			munmap(r->share, sizeof(*r->share));
			close(r->share_fd);
			return -1;
		}
		usleep(1000);
	}
	return 0;
}

/* Return: the memory it held, if it is one that tells. */
static inline struct bench_memory receiver_stop(struct receiver *r)
{
	struct bench_memory memory;
	int status;

	__atomic_store_n(&r->share->stop, 1, __ATOMIC_RELAXED);
	if (waitpid(r->pid, &status, 0) != r->pid || status)
		errx(1, "a receiver failed");
	memory = r->share->memory;
	munmap(r->share, sizeof(*r->share));
	close(r->share_fd);
	return memory;
}

/* Of several readers: what all of them have. */
static inline uint64_t receiver_count(const struct receiver *r)
{
	uint64_t least = UINT64_MAX, n;

	for (uint32_t i = 0; i < r->share->nr_readers; i++) {
		n = __atomic_load_n(&r->share->readers[i].received, __ATOMIC_RELAXED);
		least = n < least ? n : least;
	}
	return r->share->nr_readers ? least :
	       __atomic_load_n(&r->share->received, __ATOMIC_RELAXED);
}

/* Return: CPU time of its readers, where they are processes of their own. */
static inline int64_t receiver_readers_ns(const struct receiver *r)
{
	int64_t sum = 0;
	clockid_t cpu;

	for (uint32_t i = 0; i < r->share->nr_readers; i++)
		if (!clock_getcpuclockid(r->share->readers[i].pid, &cpu))
			sum += clock_ns(cpu);
	return sum;
}

/* Waits until target records came, or none came for 50 ms. Return: how many are there. */
static inline uint64_t receiver_drain(const struct receiver *r, uint64_t target)
{
	uint64_t count = receiver_count(r), before;
	int quiet_ms;

	for (quiet_ms = 0; count < target && quiet_ms < 50; quiet_ms++) {
		before = count;
		usleep(1000);
		count = receiver_count(r);
		if (count != before)
			quiet_ms = 0;
	}
	return count;
}

/* argv: of tcpdump, or of what becomes it. Return: 0 it listens. */
static inline int tcpdump_start(struct receiver *r, const char *const argv[])
{
	char text[512];
	ssize_t len;
	int fds[2];

	if (pipe(fds))
		err(1, "pipe");
	r->pid = spawn(argv, -1, fds[1]);
	clock_getcpuclockid(r->pid, &r->cpu);
	close(fds[1]);
	r->err_fd = fds[0];
	do {
		len = read(r->err_fd, text, sizeof(text) - 1);
		if (len <= 0) {
			waitpid(r->pid, NULL, 0);
			close(r->err_fd);
			return -1;
		}
		text[len] = 0;
	} while (!strstr(text, "listening on"));
	return 0;
}

/* Ends it. Return: frames that the kernel handed to it. */
static inline uint64_t tcpdump_stop(struct receiver *r)
{
	unsigned long long received = 0, dropped = 0;
	char text[1024] = "", *line;
	size_t used = 0;
	ssize_t len;

	kill(r->pid, SIGINT);
	while ((len = read(r->err_fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)len;
	close(r->err_fd);
	waitpid(r->pid, NULL, 0);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strstr(line, "received by filter"))
			received = strtoull(line, NULL, 10);
		if (strstr(line, "dropped by kernel"))
			dropped = strtoull(line, NULL, 10);
	}
	return received - dropped;
}

#endif
