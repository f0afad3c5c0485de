/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record says to the views of xcap top: whose it is and what it counts. */
#ifndef TOP_FACTS_H
#define TOP_FACTS_H

#include "top_model.h"

#define TOP_PENDING 65536	/* calls that have not ended, by thread; the newer one stays */

enum { TOP_IN, TOP_OUT };

struct top_facts {
	int64_t mono_ns;
	uint32_t have;		/* bit for each view that it is about */
	bool packet;
	uint32_t where;		/* interface or source that saw it, never 0 */
	struct top_key key[TOP_VIEWS];
	struct top_key host2;	/* a packet has two: the one that it goes to */
	uint8_t way[TOP_VIEWS];	/* TOP_IN, TOP_OUT: of packets */
	uint8_t left;		/* top_row.left of a new flow */
	bool again;		/* the packet has been counted at another interface */
	const char *name[TOP_VIEWS];	/* for rows that are named; lent as the record is */
	uint8_t name_len[TOP_VIEWS];
	bool opens;		/* an exit whose result is the file: only now it is one */
	bool rename;		/* a process has its own name, not one of a thread */
	uint64_t add[TOP_COUNTERS];	/* packets and bytes stand at IN */
};

struct top_facts_state;

int top_facts_new(struct top_facts_state **out);
void top_facts_free(struct top_facts_state *s);

/* Name of a source, as it is shown: "eth0"; not kept. */
void top_facts_source(struct top_facts_state *s, int source, const char *spec);

/* Forget what has begun. */
void top_facts_reset(struct top_facts_state *s);

/* Return: false: the record says nothing to any view. */
bool top_facts(struct top_facts_state *s, struct top_facts *f, const struct xcap_record *rec);

/* Do all conditions hold? */
bool top_facts_match(const struct top_facts *f, const struct top_condition *c, int nr);

#endif
