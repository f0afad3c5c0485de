/* SPDX-License-Identifier: BSD-2-Clause */
/* Records by plain moves: an assignment becomes "rep movs", which takes longer than the rest. */
#ifndef XCAP_RECORD_COPY_H
#define XCAP_RECORD_COPY_H

#include <stdint.h>
#include <xcap.h>

typedef uint64_t record_pair __attribute__((vector_size(16), aligned(8), may_alias));
enum { RECORD_PAIRS = sizeof(struct xcap_record) / sizeof(record_pair) };
_Static_assert(sizeof(struct xcap_record) == RECORD_PAIRS * sizeof(record_pair) + 8,
	       "lane and span are left");

/* Pairs first to last - 1; lane and span, behind all pairs, are not copied. */
static inline void record_copy(struct xcap_record *to, const struct xcap_record *from, int first,
			       int last)
{
	for (int i = first; i < last; i++)
		((record_pair *)to)[i] = ((const record_pair *)from)[i];
}

#endif
