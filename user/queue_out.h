/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   records for one queue; slots that its reader gives back.
 * Out:  slots in shared memory; the same records handed on to another queue, where it wants that.
 * Owns: the queue's memory, and the frames that its slots refer to.
 * Runs on: the thread of the stream.
 *
 * seen = delivered + filtered + dropped + no_reader + unread + what the reader has (backlog).
 */
#ifndef XCAP_QUEUE_OUT_H
#define XCAP_QUEUE_OUT_H

#include "filter.h"
#include "frames.h"
#include "queue.h"
#include "queue_names.h"

/* All that was ever offered to the queue, whoever read it. Counts are records. */
struct queue_totals {
	uint64_t seen;
	uint64_t delivered;	/* given back by a reader */
	uint64_t filtered;
	uint64_t dropped;	/* the reader was too slow */
	uint64_t no_reader;
	uint64_t unread;	/* left by readers that went away */
	uint64_t handed_on;	/* of delivered */
};

/* A record on its way to one or several queues; what is known of it is found out once. */
struct queue_item {
	const struct xcap_record *rec;
	uint32_t frame;			/* FRAME_NONE: not yet, or it has no bytes */
	int class;			/* of the frame, and where it is */
	struct frame_place place;
	uint32_t caplen;
	bool framed, named;
	struct queue_name process, cgroup;
	int fate;			/* of who did not get it: a place, or SINK_FILTERED */
};

/* What the master knows of a slot, wherever the slot's own lines are. */
struct queue_note {
	uint32_t frame;		/* what it refers to; FRAME_NONE */
	uint8_t class;
	bool counts;		/* it is a record, and none that tells of others */
};

struct queue_out {
	struct queue_writer w;		/* shared NULL: nobody reads */
	uint32_t size;			/* slots */
	struct queue_note *notes;	/* by slot */
	uint32_t *told;			/* by name: the generation that this reader knows */
	uint32_t in_use[FRAME_CLASSES];	/* frames that slots refer to */
	struct queue_books books;	/* of this reader */
	struct queue_totals totals;
	uint64_t owed[XCAP_DROP_MAX];	/* lost, and not yet told by a loss record */
	bool owes;
	int64_t owed_ns, owed_wall_ns;	/* when the last of them was */
	struct filter *filter;
	char *filter_text;
	bool changed;			/* something to publish */
	int wake_fd, epoll_fd;		/* the reader waits on the second, which holds the first */
	int head_fd, tail_fd;
	struct queue_tail *tail;
	const uint8_t *verdicts;
	struct queue_out *next;		/* what the reader says is handed on goes there */
	struct frames *memory;
	struct queue_names *names;
};

/* Return: 0; -ENOMEM. */
int queue_out_open(struct queue_out *q, uint32_t size, struct frames *f, struct queue_names *n);
void queue_out_close(struct queue_out *q);

/*
 * New memory for a new reader. Return: 0, with descriptors in head_fd (read-only), tail_fd and
 * epoll_fd; -errno.
 */
int queue_out_attach(struct queue_out *q, struct queue_out *next);

/* The descriptors have been sent: they are the reader's. */
void queue_out_handed(struct queue_out *q);

/*
 * Keep from the next record on what matches an expression; NULL or "": all. Return: 0; -errno with
 * a sentence, and the filter before stays.
 */
int queue_out_filter(struct queue_out *q, const char *expression, struct error *err);

/* The reader has gone: what it had comes back. */
void queue_out_detach(struct queue_out *q);

/* Return: true: the reader will get it; false: filtered or dropped, and counted. */
bool queue_out_offer(struct queue_out *q, struct queue_item *item);

/* All queues that an item was offered to have been asked. */
void queue_out_item_done(struct frames *f, struct queue_item *item);

/* The next record may find no room; of a class of frames, too. */
bool queue_out_is_full(const struct queue_out *q);

/* Take back what the reader gave back. Return: 0; -EPROTO: it writes nonsense. */
int queue_out_reap(struct queue_out *q);

/* When the oldest happened that the reader has, or none_ns if that is earlier. */
int64_t queue_out_oldest(const struct queue_out *q, int64_t none_ns);

/* Show the reader what there is, and wake it if it sleeps. */
void queue_out_publish(struct queue_out *q, int64_t watermark_ns);

/* The master is about to sleep. Return: true: slots have come back, do not. */
bool queue_out_sleep(struct queue_out *q, bool on);

/* Nothing more will come. */
void queue_out_end(struct queue_out *q);

/* Records that the reader has and has not given back. */
uint64_t queue_out_backlog(const struct queue_out *q);

#endif
