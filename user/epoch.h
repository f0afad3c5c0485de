/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When may memory go that lent records point to? Records are lent in an epoch and come back in
 * any order; what is retired in one epoch is freed once all records of it and of those before
 * have come back. Two epochs are enough: the next begins when the one before the last is empty.
 */
#ifndef XCAP_EPOCH_H
#define XCAP_EPOCH_H

#include <stdint.h>

struct retired {
	struct retired *next;
	void (*free)(void *p);
	void *p;
};

struct epoch {
	uint32_t now;			/* its parity is what records carry */
	uint32_t lent[2];		/* records that have not come back, by parity */
	struct retired *retired[2];
};

/* A record is lent. Return: what it must come back with. */
static inline uint8_t epoch_lend(struct epoch *e)
{
	e->lent[e->now & 1]++;
	return e->now & 1;
}

static inline void epoch_back(struct epoch *e, uint8_t parity)
{
	e->lent[parity & 1]--;
}

/* free(p) when no lent record can know it. Without memory to remember it, it stays for good. */
void epoch_retire(struct epoch *e, void *p, void (*free)(void *p));

/* Free what can be freed: called now and then, when nobody is in the middle of a lookup. */
void epoch_turn(struct epoch *e);

/* The end: nothing is lent any more. */
void epoch_close(struct epoch *e);

#endif
