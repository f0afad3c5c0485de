/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of xcap top share: the stream, the models of what is looked at, the loop. */
#ifndef TOP_H
#define TOP_H

#include <poll.h>
#include "capture.h"
#include "top_facts.h"
#include "top_model.h"

#define TOP_LEVELS 5		/* all, and four steps into it */

/*
 * Something else that the loop serves: a descriptor, and a call after each interval. NULL: nothing
 * to do. It runs on the loop's thread, where models may be read.
 */
struct top_guest {
	int fd;				/* -1: none */
	short events;			/* POLLIN, ... */
	void (*ready)(struct top_guest *g);
	void (*tick)(struct top_guest *g, struct top *all);
};

struct top_level {
	struct top *model;
	struct top_condition condition;	/* beside those of the levels before it; [0] has none */
};

/* What the loop feeds and asks. */
struct top_run {
	struct capture c;		/* first: options are written to it */
	uint64_t interval_ns;
	uint64_t idle;			/* intervals */
	struct top_facts_state *facts;
	struct top_level levels[TOP_LEVELS];
	int nr_levels;			/* at least 1: [0] is all that the stream has */
	struct top_guest *guest;	/* NULL: none */
};

#endif
