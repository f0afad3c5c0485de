// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   memory that nothing new will point to.
 * Out:  the same, freed when no lent record points to it either.
 * Owns: what was retired, until then.
 * Runs on: the thread of the handle.
 */
#include <stdlib.h>
#include "epoch.h"

void epoch_retire(struct epoch *e, void *p, void (*free_it)(void *p))
{
	struct retired *r = malloc(sizeof(*r)), **list = &e->retired[e->now & 1];

	if (!r)
		return;
	*r = (struct retired){ .next = *list, .free = free_it, .p = p };
	*list = r;
}

static void free_all(struct retired **list)
{
	struct retired *r, *next;

	for (r = *list; r; r = next) {
		next = r->next;
		r->free(r->p);
		free(r);
	}
	*list = NULL;
}

void epoch_turn(struct epoch *e)
{
	uint32_t last = (e->now + 1) & 1;	/* and next: there are two */

	if (e->lent[last])
		return;
	free_all(&e->retired[last]);
	if (e->retired[e->now & 1])
		e->now++;
}

void epoch_close(struct epoch *e)
{
	free_all(&e->retired[0]);
	free_all(&e->retired[1]);
}
