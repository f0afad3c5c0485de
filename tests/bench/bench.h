/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   nothing. What every program of the bench needs.
 * Out:  clocks, pinning, medians, and the page a receiver shares with the driver.
 * Owns: nothing.
 * Runs on: any thread.
 */
#ifndef BENCH_H
#define BENCH_H

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "bench_shared.h"

#define BENCH_NIC "bench1"	/* the receiving end; bench0 sends */
#define BENCH_ADDRESS "192.0.2.1"	/* and port of a UDP socket of the driver's */
#define BENCH_PORT 7777
#define BENCH_SEND_CPU 0
#define BENCH_READ_CPU 1
#define BENCH_SHARE_FD 3	/* a receiver is born with it */
#define BENCH_READERS 4		/* at most, of one queue bench */
#define NS_PER_S 1000000000LL

/* Bytes a capture holds. */
struct bench_memory {
	uint64_t umem, xsk_rings, maps, rss_anon;
};

/* One of several processes that read the same: each writes into lines of its own. */
struct bench_reader {
	_Alignas(64) uint64_t received;
	uint64_t lost;		/* it was told of */
	uint32_t ready;		/* it reads */
	int32_t pid;
};

/* A receiver's answers, in memory shared with the driver. */
struct bench_share {
	uint32_t ready;		/* receiver: everything is attached */
	uint32_t stop;		/* driver: detach, drain, end */
	uint64_t received;	/* receiver: records so far */
	uint64_t lost;		/* receiver: records it knows were lost */
	struct bench_memory memory;	/* library: before it closes */
	char note[128];		/* receiver: mode, sizes */
	uint32_t open;		/* receiver, for its own readers: they can come */
	uint32_t nr_readers;	/* receiver: 0: it reads itself, and counts in received */
	struct bench_reader readers[BENCH_READERS];
};

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static inline void bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
}

static inline struct bench_share *bench_share_map(int fd)
{
	void *page = mmap(NULL, sizeof(struct bench_share), PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);

	if (page == MAP_FAILED)
		err(1, "shared page (this program is started by bench_packets)");
	return page;
}

/* One writer, one reader, no order needed between the counters. */
static inline void bench_count(struct bench_share *share, uint64_t received)
{
	__atomic_store_n(&share->received, received, __ATOMIC_RELAXED);
}

static inline int bench_stopped(const struct bench_share *share)
{
	return __atomic_load_n(&share->stop, __ATOMIC_RELAXED);
}

/* Pairs with the driver's acquire: the note is complete before ready is seen. */
static inline void bench_ready(struct bench_share *share)
{
	__atomic_store_n(&share->ready, 1, __ATOMIC_RELEASE);
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts. Return: the median. */
static inline double bench_median(double *values, int n)
{
	qsort(values, n, sizeof(*values), bench_compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/*
 * The line of a ratio that was taken in each round. most: what is promised; 0: it is only shown.
 * Return: 1: the promise is broken.
 */
static inline int bench_ratio(const char *name, const char *against_name, const double *of,
			      const double *against, int rounds, double most)
{
	double ratio[rounds], median;

	for (int n = 0; n < rounds; n++)
		ratio[n] = against[n] ? of[n] / against[n] : 0;
	median = bench_median(ratio, rounds);
	printf("%-28s / %-30s %6.3f  [%6.3f %6.3f]  ", name, against_name, median, ratio[0],
	       ratio[rounds - 1]);
	if (most > 0)
		printf("at most %.2f: %s", most, median <= most ? "kept" : "BROKEN");
	putchar('\n');
	return most > 0 && median > most;
}

#endif
