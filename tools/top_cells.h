/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of a screen, made of cells: nothing that is put into it can be wider than it says. */
#ifndef TOP_CELLS_H
#define TOP_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_COLUMNS_MAX 400			/* of a terminal that are used */
#define TOP_LINE_SIZE (TOP_COLUMNS_MAX * 4 + 1)

struct top_line {
	char text[TOP_LINE_SIZE];	/* UTF-8, or ASCII where the terminal has no more */
	size_t len;
	int at;				/* columns in use */
	int width;			/* columns that there are */
	bool utf8;
};

void top_line_start(struct top_line *l, int width, bool utf8);

/* Text of ours, ASCII; what has no room is left out. */
void top_line_put(struct top_line *l, const char *text);
__attribute__((format(printf, 2, 3)))
void top_line_print(struct top_line *l, const char *fmt, ...);

/*
 * Bytes of any kind in exactly that many columns: what steers, has no width or is no character is
 * written \xNN; what is too long ends in "~".
 */
void top_line_bytes(struct top_line *l, const char *bytes, size_t len, int columns);

/* The same, but of what is too long the end is shown, behind a "~". */
void top_line_tail(struct top_line *l, const char *bytes, size_t len, int columns);

/* As top_line_bytes() without padding. */
void top_line_some(struct top_line *l, const char *bytes, size_t len, int columns);

/* Text of ours at the right of so many columns. */
void top_line_right(struct top_line *l, const char *text, int columns);

/* A bar for each value, as high as it is to the largest of them. */
void top_line_bars(struct top_line *l, const uint32_t *values, int nr);

/* Blanks to this column. */
void top_line_pad(struct top_line *l, int column);

#endif
