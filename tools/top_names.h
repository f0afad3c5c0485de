/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows as text, with hosts by their names where those are known. */
#ifndef TOP_NAMES_H
#define TOP_NAMES_H

#include "top_model.h"

struct top_resolver {
	/* NULL: it has none, or it is not known yet */
	const char *(*name)(void *user, int family, const uint8_t *address);
	void *user;
};

size_t top_row_text_with(enum top_view view, const struct top_row *row,
			 const struct top_resolver *r, char *buf, size_t size);

/* Which comes first by what it is: names by their bytes, addresses and ports as numbers. */
int top_row_compare(enum top_view view, const struct top_row *a, const struct top_row *b);

#endif
