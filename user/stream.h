/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files behind xcap.h share: the handle. Sources and merge do not see it. */
#ifndef XCAP_STREAM_H
#define XCAP_STREAM_H

#include <xcap.h>
#include "error.h"
#include "filter.h"
#include "merge.h"
#include "remote.h"
#include "sink.h"
#include "source.h"
#include "tables.h"

#define STREAM_PENDING 64	/* records that xcap_next() has in hand */

/* What a lane has lent to the reader, and what was skipped between. */
struct stream_lane {
	uint32_t outstanding;	/* records at the reader */
	uint32_t skipped;	/* older than none of those: go back with the last, or the next */
};

struct xcap {
	struct source **sources;	/* and behind them hidden, if there is one */
	int nr_sources;			/* those that were asked for */
	int nr_all;
	struct source *hidden;		/* fills the tables; or NULL */
	bool hidden_stopped;
	int64_t missed_ns;		/* until then it was asked what it has missed */
	bool owners;			/* packets name their process */
	bool asks_calls;		/* the filter says something of what is no packet */
	uint64_t netns;			/* cookie of the namespace that we are in */
	struct source_conf conf;
	uint32_t trees[FILTER_TREES];	/* conf.trees */
	struct merge *merge;
	struct tables *tables;
	struct filter *filter;
	bool kernels;			/* what passed a source's filter in the kernel matches it */
	struct stream_lane *lanes;
	struct xcap_stats *counts;	/* by source: what the stream counts itself */
	uint64_t *nr_inner;		/* by source: records for the tables */
	int64_t wall_offset_ns;
	int64_t wall_read_ns;		/* when the offset was read */
	int64_t last_ns;	/* of the last unflagged record: the check behind out_of_order */
	struct remote *remote;		/* the other process, which opened the sources; or NULL */
	bool remote_lost;		/* it has gone, and the reader is to be told */
	int pid;			/* who opened it */
	int wire;			/* packet socket to send on, for who asks; -1 none */
	struct error wire_err;		/* why there is none */
	int epoll_fd;
	int event_fd;		/* xcap_break(), and "there is more" for who polls */
	int timer_fd;		/* armed only while records are held */
	bool armed;		/* sources were told to make the descriptor readable */
	bool may_go;		/* a source is an interface, which can be removed */
	bool drained;		/* the last call left nothing behind */
	int64_t nap_ns, nap_max_ns;
	uint32_t since_nap;	/* records */
	bool in_vain;		/* the last look that was due found nothing */
	bool stopped;
	/* somebody polls: keep the descriptor readable while there is more */
	bool fd_used;
	bool signalled;		/* event_fd says there is more */
	int broken;		/* set by xcap_break() */
	struct sink_tender tender;	/* serve NULL: nobody */
	int64_t tended_ns;
	struct xcap_record pending[STREAM_PENDING];
	int pending_head, pending_nr;
	struct error err;
};

/*
 * xcap_open(), by way of another process. remote is the handle's on success and failure; NULL:
 * without.
 */
int stream_open(struct xcap **out, const char *specs, const struct xcap_opts *opts,
		struct remote *remote);

/*
 * A packet socket to send on the first of the interfaces: opened while there is privilege.
 * Return: fd, the handle's; -errno with a sentence.
 */
int stream_wire(struct xcap *x);

/* Another process, forked off, reads from here on. Return: 0; -errno with a sentence. */
int stream_adopt(struct xcap *x);

/* Where a failure that leaves no handle is told: xcap_errmsg(NULL). */
struct error *stream_last_error(void);

/* wait.c */
/* Be woken by fd, too, or no longer. Return: 0; -errno. */
int wait_also(struct xcap *x, int fd, bool on);
int wait_open(struct xcap *x);
void wait_close(struct xcap *x);
/* Look away while records gather. Return: 0; -EINTR. */
int wait_nap(struct xcap *x, int64_t until_ns);
/* Be woken by the next record, or look after a while. Return: 0; -EINTR. */
int wait_sleep(struct xcap *x, int64_t until_ns);
/* Takes back xcap_break(). Return: true: it was called. */
bool wait_broken(struct xcap *x);
/*
 * For a caller that polls xcap_fd(). more: a call may find something at once, stay
 * readable; else become so with the next record, or when hold_until is over.
 */
void wait_keep_readable(struct xcap *x, bool more, int64_t hold_until);
/* The caller is back: nobody need wake it. */
void wait_awake(struct xcap *x);
/* Make xcap_fd() readable. Safe in signal handlers. */
void wait_signal(struct xcap *x);

/* accounts.c: what the stream counts of a record; by is 1, or -1 to take it back. */
void accounts_count(struct xcap *x, const struct xcap_record *rec, int by);
/* Whoever opened the sources for us is told how they stand, when that is due. */
void accounts_tell(struct xcap *x);
/* Before a batch is joined with the tables: have these missed who took a socket over? */
void accounts_misses(struct xcap *x, const struct xcap_record *recs, int nr);

#endif
