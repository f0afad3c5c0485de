/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UMEM: the memory that AF_XDP writes frames to, cut into chunks. Each queue
 * has chunks of its own, and each of them is in one place at any time:
 *
 *	fill ring -> kernel -> rx ring -> lent to the reader -> fill ring
 *	     ^------------------ spare, when the fill ring is full --v
 */
#ifndef XCAP_UMEM_H
#define XCAP_UMEM_H

#include <stdbool.h>
#include <stdint.h>
#include <xdp/xsk.h>
#include "error.h"

struct umem {
	uint8_t *area;
	uint64_t area_size;	/* bytes */
	uint32_t chunk_size;	/* 2048 or 4096 */
	int memfd;		/* the area: one for all queues, can be handed on */
};

/* One memfd of nr_chunks chunks, mapped shared. Return: 0 or -errno with a sentence. */
int umem_open(struct umem *u, uint32_t nr_chunks, uint32_t chunk_size, struct error *err);

/* The same memory, opened by another process: to read. memfd is ours. Return: 0 or -errno. */
int umem_take(struct umem *u, int memfd, uint32_t nr_chunks, uint32_t chunk_size);

/* Takes zeroed and half-built ones. */
void umem_close(struct umem *u);

/* A lent record without a chunk: a loss notice, a frame that was joined elsewhere. */
#define UMEM_NOTHING UINT32_MAX

/*
 * The chunks of one queue. order[] holds what is lent, oldest first, and behind
 * it what was given back but is not in the fill ring yet; the three positions
 * run freely and are masked: filled <= released <= lent.
 */
struct umem_pool {
	uint32_t *order;	/* chunk numbers, or UMEM_NOTHING */
	uint32_t mask;
	uint32_t filled, released, lent;
	uint32_t nr_nothing;	/* between filled and lent */
	uint32_t shift;		/* of the chunk size */
	uint32_t max_lent;	/* more would starve the kernel */
	uint32_t nr_chunks;
	uint32_t nr_spare;
	uint32_t *spare;
	uint32_t first;
	uint32_t nr_kept;	/* chunks that somebody keeps, whether they have come back or not */
	uint8_t *kept;		/* by chunk - first: UMEM_ below; NULL: none ever was */
};

/* A chunk that is kept longer than its record is lent. */
enum { UMEM_KEPT = 1, UMEM_KEPT_ALONE = 2 };

/**
 * umem_pool_open - take chunks for a queue; all are spare at first
 * @p:          out
 * @first:      number of the first chunk
 * @nr:         how many
 * @chunk_size: bytes
 * @keep:       chunks that the kernel has in any case, less than @nr
 *
 * Return: 0 or -ENOMEM.
 */
int umem_pool_open(struct umem_pool *p, uint32_t first, uint32_t nr, uint32_t chunk_size,
		   uint32_t keep);
void umem_pool_close(struct umem_pool *p);

/* So many chunks, the first to go, are with the kernel already. */
void umem_pool_filled(struct umem_pool *p, uint32_t nr);

/* Move what was given back, then what is spare, to the fill ring. Return: chunks moved. */
uint32_t umem_fill(struct umem_pool *p, struct xsk_ring_prod *fill);

/* Give a chunk that was never lent back at once. */
void umem_recycle(struct umem_pool *p, uint64_t addr, struct xsk_ring_prod *fill);

/*
 * A lent chunk is to stay as it is, also when its record comes back, until umem_unkeep(). Return:
 * false: no memory, or kept already.
 */
bool umem_keep(struct umem_pool *p, uint32_t chunk);
void umem_unkeep(struct umem_pool *p, uint32_t chunk);

static inline uint32_t umem_lent(const struct umem_pool *p)
{
	return p->lent - p->released;
}

/* Records that may still be lent. */
static inline uint32_t umem_room(const struct umem_pool *p)
{
	uint32_t lent = umem_lent(p) + p->nr_kept;

	return lent < p->max_lent ? p->max_lent - lent : 0;
}

/* addr as the rx ring has it: the offset of the frame in its chunk is dropped here. */
static inline void umem_lend(struct umem_pool *p, uint64_t addr)
{
	p->order[p->lent++ & p->mask] = addr >> p->shift;
}

static inline void umem_lend_nothing(struct umem_pool *p)
{
	p->order[p->lent++ & p->mask] = UMEM_NOTHING;
	p->nr_nothing++;
}

/*
 * The n oldest come back; a caller who gives back more than is lent cannot hand the kernel
 * a chunk twice. Return: how many now wait for umem_fill().
 */
static inline uint32_t umem_release(struct umem_pool *p, uint32_t n)
{
	uint32_t lent = umem_lent(p);

	p->released += n < lent ? n : lent;
	return p->released - p->filled;
}

#endif
