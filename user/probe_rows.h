/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a probe that do not come by a ring: what an iterator tells once, and totals that the
 * kernel keeps in a table. One lane.
 */
#ifndef XCAP_PROBE_ROWS_H
#define XCAP_PROBE_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include "source.h"
#include "xcap_event.h"

struct batch;

struct probe_rows {
	int totals_fd;		/* of the table; -1: none */
	uint32_t value_size;
	uint32_t max_entries;
	void *told;		/* tree: how often each row had changed when it was last told */
	struct batch *first, *last;
	int64_t read_ns;	/* when totals were last read */
	uint64_t nr_made;	/* records */
	uint32_t nr_rows;	/* of the table, when it was last read */
	bool forgets;		/* it is half full: rows of processes that have ended go */
	bool ended;		/* nothing follows what is in the batches */
};

/* All that the iterator writes. Return: 0; -errno. */
int probe_rows_once(struct probe_rows *p, int iter_link_fd);

/*
 * Rows that have changed since they were last told. last: it is the end. What is lent may still
 * be: nothing is read anew before it has come back, but at the end. Return: 0; -errno.
 */
int probe_rows_totals(struct probe_rows *p, bool last);

/* As the ops of the same names in source.h. */
int probe_rows_peek(struct probe_rows *p, const struct source *s, struct xcap_record *recs,
		    int max);
void probe_rows_release(struct probe_rows *p, int n);
int64_t probe_rows_watermark(const struct probe_rows *p);

void probe_rows_close(struct probe_rows *p);

#endif
