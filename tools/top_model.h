/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What xcap top knows: for each view a table of rows with counters, fed with records. No
 * allocation for each record: rows come from chunks, as many as there have been at once.
 */
#ifndef TOP_MODEL_H
#define TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcap.h>

#define TOP_MAX_ROWS 65536	/* of each view; what does not fit counts in its row "other" */
#define TOP_HISTORY 16		/* intervals */
#define TOP_KEY_MAX 40
#define TOP_NAME_MAX 96
#define TOP_TEXT_MAX 160	/* room for what top_row_text() and top_row_part() write */

enum top_view {
	TOP_PROCESS,
	TOP_CONTAINER,
	TOP_FLOW,
	TOP_INTERFACE,	/* and other sources: "syscalls" */
	TOP_SYSCALL,
	TOP_FILE,
	TOP_PORT,
	TOP_HOST,
	TOP_VIEWS
};

/* In is what comes to whom the row is about, out what leaves it. A flow's out is to the right. */
enum top_counter {
	TOP_PACKETS_IN,
	TOP_PACKETS_OUT,
	TOP_BYTES_IN,	/* of packets, on the wire */
	TOP_BYTES_OUT,
	TOP_CALLS,	/* entries of system calls */
	TOP_ERRORS,	/* their exits with an error */
	TOP_READ,	/* bytes that calls read or received */
	TOP_WRITTEN,
	TOP_WAITED,	/* calls whose entry and exit were both seen */
	TOP_WAIT_NS,	/* the time between those */
	TOP_LOST,	/* records, by loss records; of TOP_INTERFACE only */
	TOP_COUNTERS
};

struct top_key {
	uint8_t len;
	uint8_t bytes[TOP_KEY_MAX];
};

struct top_row {
	uint64_t total[TOP_COUNTERS];	/* since the row was made */
	uint64_t last[TOP_COUNTERS];	/* in the last whole interval */
	uint64_t before[TOP_COUNTERS];	/* total when the interval began */
	/* of past intervals, each at number % TOP_HISTORY: bytes; packets and calls */
	uint32_t bytes[TOP_HISTORY];
	uint32_t events[TOP_HISTORY];
	int64_t interval;		/* up to which the above is right */
	int64_t used;			/* interval of its last record */
	uint64_t number;		/* of rows made before it: unique */
	struct top_row *next;		/* in its bucket, or free */
	uint32_t hash;
	uint32_t home[2];		/* flows: where each way is counted, top_facts.where */
	int64_t home_used[2];		/* flows: interval of the last record there */
	struct top_key key;
	uint8_t left;			/* flows: 1: the second address of the key stands left */
	uint8_t name_len;
	char name[TOP_NAME_MAX];	/* bytes of any kind; a long path's end */
};

struct top;

/* What of a stream is let into a model: all of these hold. */
struct top_condition {
	enum top_view view;
	struct top_key key;
};

struct top_opts {
	int64_t interval_ns;	/* what rates are means of; 0: a second */
	uint32_t max_rows;	/* of each view; 0: TOP_MAX_ROWS */
	uint32_t idle;		/* intervals after which a row without records goes; 0: never */
};

int top_new(struct top **out, const struct top_opts *opts);
void top_free(struct top *t);

/* Forget all rows and totals, and begin at the next record or time told. */
void top_reset(struct top *t);

/* Its intervals are those of another that has begun. */
void top_begin_as(struct top *t, const struct top *other);

struct top_facts;

/*
 * Count what a record says (top_facts.h). Its time is that of the record, but never before a time
 * that was told.
 */
void top_add(struct top *t, const struct top_facts *f);

/* A model as this one is now, for looking at; -ENOMEM. */
int top_copy(struct top **out, const struct top *t);

/* Has the packet been counted at another interface? For top_facts.again, by the model of all. */
bool top_again(struct top *t, const struct top_facts *f);

/* It is now_ns on the records' clock (mono_ns): intervals that are over close, idle rows go. */
void top_time(struct top *t, int64_t now_ns);

/* When the interval that runs will be over; INT64_MIN: nothing has begun. */
int64_t top_interval_end(const struct top *t);
int64_t top_interval_ns(const struct top *t);

/* How many rows a view has, other and gone not among them. */
uint32_t top_nr_rows(const struct top *t, enum top_view view);

/* What did not fit, and how many times a row could not be made (total[] of it is right). */
const struct top_row *top_other(struct top *t, enum top_view view);
uint64_t top_refused(const struct top *t, enum top_view view);

/* Totals of rows that are gone because they were idle. */
const struct top_row *top_gone(struct top *t, enum top_view view);

/* Of all records, each once. */
const struct top_row *top_sum(struct top *t);

/* The row of a key; NULL: there is none. Its rates are brought up to date. */
const struct top_row *top_find(struct top *t, enum top_view view, const struct top_key *key);

/* ---- top_pick.c: rows in order ---- */

/* What rows are put in order by, largest first. Rates but for the totals. */
enum top_value {
	TOP_BY_EVENTS,		/* packets and calls */
	TOP_BY_PACKETS,
	TOP_BY_BYTES,
	TOP_BY_BYTES_IN,
	TOP_BY_BYTES_OUT,
	TOP_BY_CALLS,
	TOP_BY_ERRORS,
	TOP_BY_READ,
	TOP_BY_WRITTEN,
	TOP_BY_LATENCY,		/* mean ns of a call */
	TOP_BY_LOST,
	TOP_BY_TOTAL_EVENTS,	/* packets and calls */
	TOP_BY_TOTAL_BYTES,	/* of packets */
	TOP_BY_TOTAL_CALLS,
	TOP_BY_TOTAL_LOST,
	TOP_BY_NAME,		/* smallest first */
	TOP_VALUES
};

/*
 * What top_value() is of, until the next interval is over: the interval before, which was as long
 * as ns; or, with ns 0, of all there was, and no rates but sums.
 */
void top_value_of(struct top *t, int64_t ns);
bool top_value_is_sum(const struct top *t);

/* A value of a row: units a second, ns, or units. */
double top_value(const struct top *t, const struct top_row *row, enum top_value by);

/*
 * The first rows of a view in that order; only those are sorted. Rows with equal values come in
 * the order in which they were made. Valid until the next call of top_add() or top_time().
 *
 * Return: how many, at most max.
 */
uint32_t top_pick(struct top *t, enum top_view view, enum top_value by, bool reverse,
		  const struct top_row **rows, uint32_t max);

/* How many rows come before this one in that order. */
uint32_t top_rank(struct top *t, enum top_view view, enum top_value by, bool reverse,
		  const struct top_row *row);

/* ---- top_names.c: what a row is, as text; bytes are as they came and may be of any kind ---- */

/* "process", "container", ... */
const char *top_view_name(enum top_view view);

/* "nginx[1292]", "10.0.0.1:80 > 10.0.0.2:4242 tcp". Return: bytes without the NUL, cut to size. */
size_t top_row_text(enum top_view view, const struct top_row *row, char *buf, size_t size);

/*
 * The i-th part of it: "pid" and "1292", "comm" and "nginx"; "proto", "left", "left_port", "right",
 * "right_port"; ... Return: the part's name, its value's bytes in buf; NULL: there is no i-th.
 */
const char *top_row_part(enum top_view view, const struct top_row *row, int i, char *buf,
			 size_t size);

#endif
