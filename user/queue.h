/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue: one writer (the master), one reader, in two pieces of shared memory.
 *
 *	head page, slots	written by the master, mapped read-only by the reader
 *	tail page, verdicts	written by the reader; the master believes none of it unchecked
 *
 * The master fills slots and publishes `head` behind them; the reader gives slots back by moving
 * `tail`. Both count up for ever and are masked. What a slot refers to lies in areas that every
 * reader of the cluster maps read-only; the master takes it back when all who got it have given
 * their slots back. The master writes what it knows of each slot's memory into a table of its own,
 * so no number that a reader writes is ever an address.
 */
#ifndef XCAP_QUEUE_H
#define XCAP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <xcap.h>
#include "record_copy.h"

#define QUEUE_LINE 64			/* bytes that CPUs hand to each other */
#define QUEUE_MAX_AREAS 64
#define QUEUE_SPINS 1000		/* looks at books that are being written, */
#define QUEUE_NAPS 10000		/* and then a second's */
#define QUEUE_RUN_DIR "/run/xcap"	/* sockets: CLUSTER.sock */
#define QUEUE_ARGS 48			/* bytes of six arguments */

/* slot.kind */
enum {
	QUEUE_RECORD	= 1,	/* rec is lent to the reader */
	QUEUE_PROCESS	= 2,	/* the name `id` means this process from here on */
	QUEUE_CGROUP	= 3,
};

/* A name that records refer to: told by a slot of its own before the first of them. 0: none. */
struct queue_name {
	uint32_t id;		/* place in the table of names */
	uint32_t generation;	/* what stands there, of all that stood there */
};

#define QUEUE_OVER(field) char before_##field[offsetof(struct xcap_record, field)]

/*
 * One record. What is a pointer in it, or the library's own, means nothing here and has other
 * things written over it; data and what rec.enter.args points to is at offset in the area. Most
 * records fill two lines, and neither side touches the third but for one that needs it.
 */
struct queue_slot {
	union {
		_Alignas(QUEUE_LINE) struct xcap_record rec;
		struct {
			QUEUE_OVER(data);
			uint64_t offset;
		};
		struct {
			QUEUE_OVER(trees);
			uint16_t kind;
			uint16_t has_args;	/* QUEUE_ARGS bytes, right before offset */
		};
		struct {
			QUEUE_OVER(process);
			struct queue_name process;
		};
		struct {
			QUEUE_OVER(cgroup);
			struct queue_name cgroup;
		};
		struct {
			QUEUE_OVER(place);
			uint32_t area;		/* rec.caplen bytes, or none */
			uint32_t bytes;		/* there, for who checks */
		};
	};
};
#undef QUEUE_OVER

_Static_assert(sizeof(struct queue_slot) == 3 * QUEUE_LINE, "whole lines");
_Static_assert(offsetof(struct queue_slot, bytes) + 4 == offsetof(struct xcap_record, packet),
	       "nothing is written over what a record says");

/* The third line holds nothing but for a switch. */
static inline void queue_copy(struct xcap_record *to, const struct xcap_record *from)
{
	enum { SHORT = 2 * QUEUE_LINE / sizeof(record_pair) };

	_Static_assert(offsetof(struct xcap_record, packet) +
		       sizeof(((struct xcap_record *)0)->packet) <= 2 * QUEUE_LINE, "short");
	record_copy(to, from, 0, SHORT);
	if (from->type == XCAP_SWITCH)
		record_copy(to, from, SHORT, RECORD_PAIRS);
}

/* What the queue was offered, since this reader came. */
struct queue_books {
	uint64_t seen;		/* = records in slots + filtered + dropped */
	uint64_t filtered;
	uint64_t dropped;	/* no room */
};

/* What the master writes. `version` is odd while head, books and watermark are changed together. */
struct queue_head {
	_Alignas(QUEUE_LINE) uint64_t head;
	int64_t watermark_ns;	/* nothing older comes behind head */
	uint32_t version;
	uint32_t ended;		/* nothing comes behind head at all */
	struct queue_books books;
	_Alignas(QUEUE_LINE) uint32_t master_sleeps;	/* it wants a word when slots come back */
};

/* What the reader writes. */
struct queue_tail {
	_Alignas(QUEUE_LINE) uint64_t tail;
	_Alignas(QUEUE_LINE) uint32_t reader_sleeps;	/* wake it; the master clears it */
};

/* A byte for each slot, behind the tail: is it to be handed on when it comes back? */
enum { QUEUE_DONE = 0, QUEUE_HAND_ON = 1 };

#define QUEUE_SLOTS_AT 4096		/* in the master's memory */
#define QUEUE_VERDICTS_AT 4096		/* in the reader's */

/* ---- the ring ---- */

/*
 * The master's end. head runs ahead of what is published by what the batch has added; tail is what
 * the reader was last seen to have given back. Readable by no other thread.
 */
struct queue_writer {
	struct queue_head *shared;
	struct queue_slot *slots;
	const struct queue_tail *theirs;
	uint32_t size;		/* slots; a power of two */
	uint64_t head, published, tail;
};

static inline uint32_t queue_writer_room(const struct queue_writer *w)
{
	return w->size - (uint32_t)(w->head - w->tail);
}

static inline struct queue_slot *queue_slot_at(const struct queue_writer *w, uint64_t at)
{
	return &w->slots[at & (w->size - 1)];
}

/*
 * Look how far the reader has come. Return: slots that came back, behind w->tail, which stays; -1
 * it claims to have given back what it never got.
 */
static inline int64_t queue_writer_look(const struct queue_writer *w)
{
	/* pairs with queue_reader_give(): the slots are not read any more */
	uint64_t tail = __atomic_load_n(&w->theirs->tail, __ATOMIC_ACQUIRE);

	return tail - w->tail > w->published - w->tail ? -1 : (int64_t)(tail - w->tail);
}

/* Show the reader what was written, with the books and the watermark that belong to it. */
static inline void queue_writer_publish(struct queue_writer *w, const struct queue_books *books,
					int64_t watermark_ns)
{
	struct queue_head *h = w->shared;

	__atomic_store_n(&h->version, h->version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&h->books.seen, books->seen, __ATOMIC_RELAXED);
	__atomic_store_n(&h->books.filtered, books->filtered, __ATOMIC_RELAXED);
	__atomic_store_n(&h->books.dropped, books->dropped, __ATOMIC_RELAXED);
	/* slots before head, head before the watermark: see queue_reader_watermark() */
	__atomic_store_n(&h->head, w->head, __ATOMIC_RELEASE);
	__atomic_store_n(&h->watermark_ns, watermark_ns, __ATOMIC_RELEASE);
	__atomic_store_n(&h->version, h->version + 1, __ATOMIC_RELEASE);
	w->published = w->head;
}

/* Return: the reader sleeps, and has to be woken: by this caller, once. */
static inline bool queue_writer_must_wake(struct queue_writer *w)
{
	/* pairs with queue_reader_sleep(): either we see its flag, or it sees our head */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&w->theirs->reader_sleeps, __ATOMIC_RELAXED);
}

/* The reader's end. next runs ahead of tail by what is lent. */
struct queue_reader {
	const struct queue_head *theirs;
	const struct queue_slot *slots;
	struct queue_tail *shared;
	uint8_t *verdicts;
	uint32_t size;
	uint64_t head;		/* seen */
	uint64_t next, tail;
};

/* Return: slots that can be read from r->next on. */
static inline uint32_t queue_reader_look(struct queue_reader *r)
{
	if (r->head == r->next)
		r->head = __atomic_load_n(&r->theirs->head, __ATOMIC_ACQUIRE);
	return (uint32_t)(r->head - r->next);
}

/* Give slots back: they are the master's from here on. */
static inline void queue_reader_give(struct queue_reader *r, uint32_t nr)
{
	r->tail += nr;
	__atomic_store_n(&r->shared->tail, r->tail, __ATOMIC_RELEASE);
}

/* Return: nothing older than this comes behind r->next; INT64_MIN: it cannot be said yet. */
static inline int64_t queue_reader_watermark(struct queue_reader *r)
{
	/* it was stored behind the head that it belongs to: a head read later is not older */
	int64_t mark = __atomic_load_n(&r->theirs->watermark_ns, __ATOMIC_ACQUIRE);

	r->head = __atomic_load_n(&r->theirs->head, __ATOMIC_ACQUIRE);
	return r->head == r->next ? mark : INT64_MIN;
}

/* About to sleep. Return: there is something already, do not. */
static inline bool queue_reader_sleep(struct queue_reader *r, bool on)
{
	__atomic_store_n(&r->shared->reader_sleeps, on, __ATOMIC_RELAXED);
	if (!on)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&r->theirs->head, __ATOMIC_ACQUIRE) != r->next ||
	       __atomic_load_n(&r->theirs->ended, __ATOMIC_ACQUIRE);
}

/* The books and the head of one instant. Return: false: the master is gone in the middle of it. */
static inline bool queue_reader_books(const struct queue_reader *r, struct queue_books *books,
				      uint64_t *head)
{
	const struct queue_head *h = r->theirs;

	for (int tries = 0; tries < QUEUE_SPINS + QUEUE_NAPS; tries++) {
		uint32_t version = __atomic_load_n(&h->version, __ATOMIC_ACQUIRE);

		/* it has been preempted, more likely than killed */
		if (tries >= QUEUE_SPINS)
			nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
		if (version & 1)
			continue;
		books->seen = __atomic_load_n(&h->books.seen, __ATOMIC_RELAXED);
		books->filtered = __atomic_load_n(&h->books.filtered, __ATOMIC_RELAXED);
		books->dropped = __atomic_load_n(&h->books.dropped, __ATOMIC_RELAXED);
		*head = __atomic_load_n(&h->head, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&h->version, __ATOMIC_RELAXED) == version)
			return true;
	}
	return false;
}

#endif
