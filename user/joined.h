/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for frames that AF_XDP delivered in several chunks: a ring of bytes in
 * which each frame is contiguous. Its records are lent and given back in the
 * same order as all others of their queue, so each record has an entry here.
 */
#ifndef XCAP_JOINED_H
#define XCAP_JOINED_H

#include <stdint.h>

struct joined {
	uint8_t *area;
	uint32_t size;		/* bytes, power of two */
	uint64_t head, tail;	/* run freely; tail: oldest byte still lent */
	uint64_t *ends;		/* head behind each record lent */
	uint32_t mask, first, next;
};

/*
 * A power of two of bytes near size; nr, a power of two, is more than are ever lent at
 * once. Return: 0 or -ENOMEM.
 */
int joined_open(struct joined *j, uint64_t size, uint32_t nr);

/* Takes zeroed ones. */
void joined_close(struct joined *j);

/* Contiguous room for one frame. Return: NULL none: the reader holds too much. */
uint8_t *joined_room(struct joined *j, uint32_t len);

/* The next record; len 0: its bytes are elsewhere. */
void joined_lend(struct joined *j, uint32_t len);

/* The n oldest, at least one. */
void joined_release(struct joined *j, int n);

#endif
