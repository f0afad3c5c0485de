/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   lanes of sources, each in time order.
 * Out:  one sequence in time order; what came after its turn is flagged.
 * Owns: copies of the record headers on their way; bytes stay with the sources.
 * Runs on: the thread of the handle.
 */
#ifndef XCAP_MERGE_H
#define XCAP_MERGE_H

#include "source.h"

#define MERGE_BATCH 64		/* records taken from a lane at once */

struct merge;

/* sources stay the caller's and outlive the merge. Return: 0 or -ENOMEM. */
int merge_new(struct merge **out, struct source **sources, int nr);
void merge_free(struct merge *m);

/**
 * merge_take - lend the next records in time order
 * @m:          merge
 * @recs:       out; lane is set, so that merge_source() and the release find it
 * @max:        room at @recs
 * @hold_until: out, when 0 is returned: CLOCK_MONOTONIC ns at which the slack of
 *              what is held runs out; INT64_MAX: nothing is held
 *
 * Return: how many; 0 none may go yet; -ENODATA all lanes have ended; other
 *         -errno: a source failed, told once after its last record went out.
 */
int merge_take(struct merge *m, struct xcap_record *recs, int max, int64_t *hold_until);

/* Where a record's release goes. */
struct source *merge_source(const struct merge *m, uint32_t lane);
int merge_source_lane(const struct merge *m, uint32_t lane);

/* Every record older than this has been taken; INT64_MAX: all have. */
int64_t merge_watermark(const struct merge *m);

int merge_nr_lanes(const struct merge *m);

/* Have all lanes of all sources but this one ended, and their records been taken? */
bool merge_only(const struct merge *m, const struct source *s);

#endif
