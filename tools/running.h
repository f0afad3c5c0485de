/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures of this host, and where the records of each go: published by who captures, read by
 * whoever may enter the directory. /run/xcap/PID.account, another directory by XCAP_RUN_DIR.
 */
#ifndef RUNNING_H
#define RUNNING_H

#include <stdint.h>
#include <sys/types.h>
#include <xcap.h>

#define RUNNING_SOURCES 32	/* the rest stands in the total alone */
#define RUNNING_EVERY_NS 500000000LL	/* how often it is to be told anew */

struct running_source {
	char spec[128];		/* cut where it is longer; has its NUL, as all texts here */
	char mode[32];
	struct xcap_stats stats;
};

struct running_account {
	uint32_t pid;		/* as the capture sees itself: in its pid namespace */
	uint32_t nr_sources;	/* told below */
	uint32_t nr_all;	/* the capture's */
	uint32_t uid;		/* whose file it is: taken from there, whatever is written */
	int64_t started_ns;	/* wall clock */
	int64_t updated_ns;	/* CLOCK_MONOTONIC */
	char command[32];	/* "xcap dump" */
	char sink[128];		/* where records go: "xcap:99", a file; "" nowhere else */
	struct xcap_stats total;
	struct running_source sources[RUNNING_SOURCES];
};

/* ---- who captures ---- */

struct running;

/*
 * Before privilege is given up. sink: NULL none. Return: NULL: the directory cannot be written, and
 * nothing is told; all below take it.
 */
struct running *running_open(const char *command, const char *sink);

/* How it stands; a few copies in memory and xcap_stats(). */
void running_update(struct running *r, struct xcap *x);

/* The same for who tells it otherwise: that it begins now; how it stands. */
void running_begin(struct running_account *a);
void running_tell(struct running_account *a, struct xcap *x);

/* The same for the stream of another process, which tells how it stands. */
void running_told(struct running *r, const struct xcap_told *told);

/* It is gone from the directory; after an end of another kind whoever lists next removes it. */
void running_close(struct running *r);

/* ---- who asks ---- */

/* What is written there is another process's word: escape it. Not 0 ends the list. */
typedef int (*running_lister)(void *user, const struct running_account *a);

/*
 * Each capture that runs, in the order of the process ids; what killed ones left behind is removed
 * where that is allowed. Return: 0; what fn returned when that was not 0; -errno.
 */
int running_list(running_lister fn, void *user);

/* The numbers of the clusters that have a socket there, in their order. Return: how many. */
int running_clusters(unsigned int *numbers, int max);

#endif
