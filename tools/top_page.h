/* SPDX-License-Identifier: BSD-2-Clause */
/* A screen of xcap top, line by line: for a terminal and for a file alike. */
#ifndef TOP_PAGE_H
#define TOP_PAGE_H

#include "top_cells.h"
#include "top_columns.h"
#include "top_names.h"

enum top_style { TOP_PLAIN, TOP_BOLD, TOP_REVERSE, TOP_ALARM };

/* What is looked at, and how. */
struct top_look {
	enum top_view view;
	int sort[TOP_VIEWS];		/* index of a column */
	bool reverse[TOP_VIEWS];
	int columns, lines;		/* of the screen */
	bool utf8;
	uint32_t cursor, offset;	/* the row that is chosen, and the first that is shown */
	bool follow;			/* the row is chosen by its key, wherever it goes */
	struct top_key chosen;
	const struct top_resolver *resolver;
	const struct top_row **rows;	/* room for TOP_MAX_ROWS; those up to the last shown */
	uint32_t nr_rows;
};

/* What stands above the rows. */
struct top_head {
	struct top *model;		/* what is looked at */
	struct xcap_stats stats;
	uint64_t told;			/* records lost, by loss records of all that was read */
	const char *state;		/* "", "frozen", "ended" */
	double seconds;			/* the stream's age */
	char crumbs[512];		/* "all > nginx[99]"; bytes of any kind */
	const char *filter;		/* NULL: none */
};

#define TOP_HEAD_LINES 4	/* above the rows */
#define TOP_FOOT_LINES 1	/* below, which are the terminal's */

int top_look_init(struct top_look *look);
void top_look_free(struct top_look *look);

/* Rows in order, as far as they are shown; the cursor is moved to where it may be. */
void top_look_pick(struct top_look *look, struct top *model);

typedef void (*top_put)(void *user, int y, const struct top_line *line, enum top_style style);

/* All lines from 0 on but the foot. Return: how many. */
int top_page(struct top_look *look, const struct top_head *head, top_put put, void *user);

/* Lines of top_page() for so many rows. */
int top_page_lines(uint32_t nr_rows);

#endif
