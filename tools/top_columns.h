/* SPDX-License-Identifier: BSD-2-Clause */
/* What the views of xcap top show: their columns, and numbers as they stand in them. */
#ifndef TOP_COLUMNS_H
#define TOP_COLUMNS_H

#include "top_model.h"

#define TOP_MAX_COLUMNS 9

struct top_column {
	const char *title;	/* "PKT/S" */
	const char *name;	/* "packets", as --sort and JSON call it */
	enum top_value by;
	int width;
};

struct top_view_columns {
	const struct top_column *columns[TOP_MAX_COLUMNS + 1];	/* the first is the name's */
	bool bytes;		/* the history is of bytes, else of packets and calls */
};

const struct top_view_columns *top_columns(enum top_view view);

/* Index in that list; -1: the view has no such column. */
int top_column_find(enum top_view view, const char *name);

/* The column that a view is sorted by if nobody says otherwise. */
int top_column_first(enum top_view view);

/* -1: there is no such view. */
int top_view_find(const char *name);

/* "1.23k"; "12.5us" for TOP_BY_LATENCY; out has room for 12. */
void top_number(char *out, enum top_value by, double value);

#endif
