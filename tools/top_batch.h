/* SPDX-License-Identifier: BSD-2-Clause */
/* xcap top without a terminal: screens one below the other, or JSON. */
#ifndef TOP_BATCH_H
#define TOP_BATCH_H

#include "top.h"
#include "top_page.h"

struct top_batch {
	uint64_t screens;	/* 0: no limit */
	uint8_t views[TOP_VIEWS];	/* in their order */
	int nr_views;
	uint32_t rows;		/* of each view */
	bool json, names;
	uint64_t printed;
};

/* Until the stream ends, an end is asked for, or all screens are printed. */
void top_batch_run(struct top_batch *b, struct top_run *r, struct top_look *look);

#endif
