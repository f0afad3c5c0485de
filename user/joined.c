// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   lengths of frames that came in several chunks.
 * Out:  contiguous room for each, until it is given back in order.
 * Owns: the memory.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <stdlib.h>

#include "joined.h"

#define SIZE_MIN (1u << 18)	/* a few frames of 64 KiB */
#define SIZE_MAX_BYTES (1u << 28)

int joined_open(struct joined *j, uint64_t size, uint32_t nr)
{
	*j = (struct joined){ .size = SIZE_MIN, .mask = nr - 1 };
	while (2 * (uint64_t)j->size <= size && j->size < SIZE_MAX_BYTES)
		j->size *= 2;
	j->ends = calloc(nr, sizeof(*j->ends));
	j->area = malloc(j->size);
	if (j->ends && j->area)
		return 0;
	joined_close(j);
	return -ENOMEM;
}

void joined_close(struct joined *j)
{
	free(j->area);
	free(j->ends);
	*j = (struct joined){};
}

uint8_t *joined_room(struct joined *j, uint32_t len)
{
	uint32_t left = j->size - (j->head & (j->size - 1));

	if (len > left && j->head + left + len - j->tail <= j->size)
		j->head += left;	/* the rest is too short: begin again at the front */
	else if (len > left)
		return NULL;
	return j->head + len - j->tail <= j->size ? j->area + (j->head & (j->size - 1)) : NULL;
}

void joined_lend(struct joined *j, uint32_t len)
{
	j->head += len;
	j->ends[j->next++ & j->mask] = j->head;
}

void joined_release(struct joined *j, int n)
{
	j->first += n;
	j->tail = j->ends[(j->first - 1) & j->mask];
}
