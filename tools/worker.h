/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that reads one queue of a cluster to its end, into a sink or into nothing. */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <xcap.h>

struct worker {
	/* from the command */
	const char *called;	/* for sentences on stderr */
	char spec[64];		/* "xcap:99@0" */
	const char *sink_spec;	/* where its records go; NULL: they are counted */
	int64_t delay_ns;	/* each record goes so long after it came */
	int cpu;		/* -1: any */

	/* when it has ended */
	bool failed;
	struct xcap_stats stats;

	pthread_t thread;
	bool runs;
};

/* Return: 0; -errno, said. */
int worker_start(struct worker *w);

/* Waits for its end, which comes with that of its queue. */
void worker_join(struct worker *w);

/* One line of what it read. */
void worker_account(const struct worker *w, FILE *out);

#endif
