/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   the same work under one observer after another, the first of which is nobody.
 * Out:  a table: ns that each observer adds; ratios.
 * Owns: nothing.
 * Runs on: the driver.
 */
#ifndef OBSERVERS_H
#define OBSERVERS_H

#include "bench.h"

enum { MAX_ROUNDS = 25, MAX_OBSERVERS = 8 };

struct observer {
	const char *name;
	double (*run)(void);	/* Return: ns that a unit of the work took */
};

struct ratio {
	int of, against;	/* observers */
	double most;		/* promised; 0: only shown */
};

struct observed {
	const char *work, *unit;	/* "two processes, one core", "CPU ns a switch" */
	const struct observer *observers;
	int nr_observers;
	const struct ratio *ratios;
	int nr_ratios;
	double added[MAX_OBSERVERS][MAX_ROUNDS];
};

static inline void observers_added(const struct observed *b, int rounds)
{
	double ns[MAX_ROUNDS];

	printf("\n%-29s %15s  %s\n", b->work, b->unit, "[least most]");
	for (int i = 0; i < b->nr_observers; i++) {
		double median;

		memcpy(ns, b->added[i], sizeof(ns));	/* rounds stay in order for the ratios */
		median = bench_median(ns, rounds);
		printf("%s%-33s %10.1f  [%.1f %.1f]\n", i ? "+" : " ", b->observers[i].name,
		       median, ns[0], ns[rounds - 1]);
	}
}

/* argv: [ROUNDS]. Return: the exit status: 1 a ratio is above its promise. */
static inline int observers_main(struct observed *b, int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5, broken = 0;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: %s [ROUNDS (1 to %d)]", argv[0], MAX_ROUNDS);
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_pin(BENCH_READ_CPU);
	b->observers[0].run();		/* the first is slow */
	for (int n = 0; n < rounds; n++) {
		fprintf(stderr, "%s: round %d of %d\n", b->work, n + 1, rounds);
		for (int i = 0; i < b->nr_observers; i++)
			b->added[i][n] = b->observers[i].run() - (i ? b->added[0][n] : 0);
	}
	observers_added(b, rounds);
	printf("\n%-61s %6s  %15s  %s\n", "ratio of ns added", "median", "[least most]", "promise");
	for (int i = 0; i < b->nr_ratios; i++) {
		const struct ratio *r = &b->ratios[i];

		broken += bench_ratio(b->observers[r->of].name, b->observers[r->against].name,
				      b->added[r->of], b->added[r->against], rounds, r->most);
	}
	return broken ? 1 : 0;
}

#endif
