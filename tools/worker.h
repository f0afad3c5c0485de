/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that read a queue of a cluster each, to its end: into a sink, a queue, or nowhere. */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "capture.h"

struct worker {
	/* from the command */
	const char *called;	/* for sentences on stderr */
	char spec[64];		/* "xcap:99@0" */
	const char *sink_spec;	/* where its records go; NULL: they are counted */
	unsigned int next;	/* queue of the cluster that they are handed on to; 0: none */
	const char *filter;	/* what does not match goes no further; NULL: all */
	int64_t delay_ns;	/* each record goes so long after it came */
	int cpu;		/* -1: any */
	bool quiet;		/* how the sink sends is not said */

	/* when it has ended */
	bool failed;
	struct xcap_stats stats;

	pthread_t thread;
	bool runs;
	bool ready;		/* it reads, or has failed; by the thread */
};

/* Start all, and serve them by the cluster's sink until they read. Return: 0; -errno, said. */
int workers_start(struct worker *workers, int nr, struct xcap_sink *sink);

/* One that cannot read is a failure of the whole. */
bool workers_failed(const struct worker *workers, int nr);

/*
 * Closes the cluster's sink, with which their queues end, and waits for them; who failed makes c
 * fail.
 */
void workers_join(struct worker *workers, int nr, struct capture *c);

/* The account of c, and what each of them read, as lines or objects. Return: records they lost. */
uint64_t workers_account(const struct worker *workers, int nr, struct capture *c);

#endif
