/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of xcap top share: the stream, the models of what is looked at, the loop. */
#ifndef TOP_H
#define TOP_H

#include <poll.h>
#include "capture.h"
#include "top_facts.h"
#include "top_model.h"

#define TOP_LEVELS 5		/* all, and four steps into it */
#define TOP_BATCH 256
#define TOP_MESSAGE 256
#define TOP_IDLE_UNSET UINT64_MAX

/*
 * Something else that the loop serves: a descriptor, and a call after each interval. NULL: nothing
 * to do. It runs on the loop's thread, where models may be read.
 */
struct top_guest {
	int fd;				/* -1: none */
	short events;			/* POLLIN, ... */
	void (*ready)(struct top_guest *g);
	void (*tick)(struct top_guest *g, struct top *all);
};

/* What is looked at: all, or what one row has of the level before. */
struct top_level {
	struct top *model;
	struct top_condition condition;
	char title[TOP_TEXT_MAX];	/* of the row; bytes of any kind */
};

/* Whose clock it is. */
enum top_clock {
	TOP_CLOCK_LIVE,
	TOP_CLOCK_FILE,	/* files: they can be read again, and time goes as in their records */
	TOP_CLOCK_PIPE,	/* what comes from elsewhere, now */
};

struct top_run {
	struct capture c;		/* first: options are written to it */
	uint64_t interval_ns;
	uint64_t idle;			/* intervals; TOP_IDLE_UNSET: as the clock has it */
	bool fast;			/* files: to their end at once */
	char *filter;			/* the one in force, own; NULL: none */

	struct top_facts_state *facts;
	struct top_level levels[TOP_LEVELS];
	int nr_levels;			/* at least 1: [0] is all that the stream has */
	struct top_guest *guest;	/* NULL: none */

	enum top_clock clock;
	bool ended;			/* all has been read */
	bool begun;
	int64_t first_ns;		/* the first record's time, by the records' clock */
	int64_t begun_ns;		/* CLOCK_MONOTONIC when it was read */
	int64_t last_ns, arrived_ns;	/* the same of the last */
	int64_t cut_ns;			/* of an interval that was cut; 0: none */
	bool behind;			/* more is due than could be read at once */
	bool again;			/* files are read again, and are not yet where they were */
	int64_t again_ns;		/* CLOCK_MONOTONIC when that began */

	struct xcap_record recs[TOP_BATCH];
	int at, nr;			/* of those, what has not been fed */

	/* what is recorded */
	struct xcap_sink *sink;
	char path[256];
	uint64_t nr_recorded;
	struct top_condition wanted[TOP_LEVELS];
	int nr_wanted;

	char message[TOP_MESSAGE];	/* what there is to say; bytes of any kind */
	char failure[TOP_MESSAGE];	/* why the stream ended before its end */
};

int64_t top_mono_ns(void);

/* Everything is open, and privilege given up. Return: OPTIONS_RUN, or an exit code, said. */
int top_run_open(struct top_run *r);
void top_run_close(struct top_run *r);

/* Detach, and read what there is left, in bounds. */
void top_run_stop(struct top_run *r);

/* What time it is for the records that have been read. */
int64_t top_run_now(const struct top_run *r);

/* Up to when records of files are due. */
int64_t top_run_due(const struct top_run *r);

/*
 * Feed records that are due, those before until_ns; not without end. Return: how many; r->ended is
 * set when there will be no more; -errno with a sentence in r->message.
 */
int top_run_read(struct top_run *r, int64_t until_ns);

/* It is that late, for all levels. */
void top_run_time(struct top_run *r, int64_t now_ns);

/* Close the interval that runs, though it is not over: rates are of so much of it. */
void top_run_cut(struct top_run *r);

/*
 * Each says in r->message what it did, or why it did not. Files are read again from their start, so
 * that what is shown is of all that was read.
 */
int top_run_filter(struct top_run *r, const char *expression);
int top_run_enter(struct top_run *r, enum top_view view, const struct top_row *row);
int top_run_back(struct top_run *r);
int top_run_record(struct top_run *r, const char *path);
int top_run_record_end(struct top_run *r);

struct top *top_run_model(const struct top_run *r);	/* of the last level */

/* "all > nginx[99]" */
void top_run_crumbs(const struct top_run *r, char *buf, size_t size);

__attribute__((format(printf, 2, 3)))
void top_run_say(struct top_run *r, const char *fmt, ...);

#endif
