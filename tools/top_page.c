// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a model, and what of it is looked at.
 * Out:  the lines of a screen.
 * Owns: the order of the rows that are shown.
 * Runs on: the thread that draws.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "top_page.h"

#define MIN_NAME 16
#define WIDE 100	/* columns from which on the history is as long as it can be */

int top_look_init(struct top_look *look)
{
	look->rows = calloc(TOP_MAX_ROWS, sizeof(*look->rows));
	for (int v = 0; v < TOP_VIEWS; v++)
		look->sort[v] = top_column_first(v);
	return look->rows ? 0 : -ENOMEM;
}

void top_look_free(struct top_look *look)
{
	free(look->rows);
	look->rows = NULL;
}

/* ---- which rows ---- */

static int room(const struct top_look *look)
{
	int n = look->lines - TOP_HEAD_LINES - TOP_FOOT_LINES;

	return n > 0 ? n : 0;
}

static bool has_other(struct top *model, enum top_view view)
{
	return top_refused(model, view) > 0;
}

void top_look_pick(struct top_look *look, struct top *model)
{
	enum top_view view = look->view;
	enum top_value by = top_columns(view)->columns[look->sort[view]]->by;
	uint32_t nr = top_nr_rows(model, view), shown = room(look);
	const struct top_row *row;

	shown -= shown && has_other(model, view);
	row = look->follow ? top_find(model, view, &look->chosen) : NULL;
	if (row)
		look->cursor = top_rank(model, view, by, look->reverse[view], row);
	if (look->cursor >= nr)
		look->cursor = nr ? nr - 1 : 0;
	if (look->cursor < look->offset)
		look->offset = look->cursor;
	if (look->cursor >= look->offset + shown)
		look->offset = look->cursor - (shown ? shown - 1 : 0);
	if (look->offset && look->offset + shown > nr)
		look->offset = nr > shown ? nr - shown : 0;
	look->nr_rows = top_pick(model, view, by, look->reverse[view], look->rows,
				 look->offset + shown < TOP_MAX_ROWS ? look->offset + shown :
								       TOP_MAX_ROWS);
}

/* ---- the head ---- */

static void put_rates(struct top_line *l, struct top *model)
{
	static const struct { enum top_value by; const char *unit; } rates[] = {
		{ TOP_BY_PACKETS, " pkt" }, { TOP_BY_BYTES, "B" },
		{ TOP_BY_CALLS, " call" }, { TOP_BY_ERRORS, " err" },
	};
	const char *per = top_value_is_sum(model) ? "" : "/s";
	const struct top_row *sum = top_sum(model);
	char text[12];

	for (int i = 0; i < 4; i++) {
		top_number(text, rates[i].by, top_value(model, sum, rates[i].by));
		top_line_print(l, "%s%s%s%s", text, rates[i].unit, per, i < 3 ? "  " : "");
	}
}

static uint64_t dropped(const struct xcap_stats *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < XCAP_DROP_MAX; i++)
		sum += s->dropped[i];
	return sum;
}

/* What was lost comes first, whatever has room; a file may tell of losses of its own. */
static enum top_style put_losses(struct top_line *l, const struct top_head *head)
{
	const struct xcap_stats *s = &head->stats;
	uint64_t lost = dropped(s), told = head->told;
	const char *before = " (";

	top_line_print(l, "dropped %llu", (unsigned long long)lost);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		if (s->dropped[i]) {
			top_line_print(l, "%s%s %llu", before, xcap_drop_name(i),
				       (unsigned long long)s->dropped[i]);
			before = ", ";
		}
	top_line_put(l, before[0] == ',' ? ")" : "");
	if (told > lost)
		top_line_print(l, "  lost before %llu", (unsigned long long)(told - lost));
	top_line_print(l, "  seen %llu  delivered %llu  filtered %llu",
		       (unsigned long long)s->seen, (unsigned long long)s->delivered,
		       (unsigned long long)s->filtered);
	if (s->late)
		top_line_print(l, "  late %llu", (unsigned long long)s->late);
	return lost || told ? TOP_ALARM : TOP_PLAIN;
}

static void put_crumbs(struct top_line *l, const struct top_look *look,
		       const struct top_head *head)
{
	int left = look->columns;
	char own[32];

	snprintf(own, sizeof(own), " > %s", top_view_name(look->view));
	left -= strlen(own) + (head->filter ? 11 : 0);
	top_line_some(l, head->crumbs, strlen(head->crumbs),
		      head->filter && left > 40 ? left * 2 / 3 : left);
	top_line_put(l, own);
	if (!head->filter)
		return;
	top_line_put(l, "  filter: ");
	top_line_some(l, head->filter, strlen(head->filter), look->columns - l->at);
}

/* ---- columns and rows ---- */

static int history_cells(const struct top_look *look)
{
	return look->columns >= WIDE ? TOP_HISTORY : TOP_HISTORY / 2;
}

static int width_of(const struct top_look *look, const struct top_column *c)
{
	return strcmp(c->name, "activity") ? c->width : history_cells(look);
}

/*
 * The total of what has many columns, and calls beside what is counted in bytes, need much room, or
 * rows that are sorted by them. Where sums are shown, what is lost needs no second column.
 */
static bool is_shown(const struct top_look *look, const struct top *model, int i)
{
	const struct top_column *c = top_columns(look->view)->columns[i];

	if (top_value_is_sum(model) && c->by == TOP_BY_TOTAL_LOST)
		return false;
	if (c->by != TOP_BY_TOTAL_EVENTS &&
	    (c->by != TOP_BY_CALLS || !top_columns(look->view)->bytes))
		return true;
	return look->columns >= WIDE || i == look->sort[look->view];
}

/* How many columns have room beside the name, and what is left to that. */
static int layout(const struct top_look *look, const struct top *model, int *name)
{
	const struct top_column *const *c = top_columns(look->view)->columns;
	int nr = 1, used = 0;

	for (; c[nr]; nr++) {
		if (!is_shown(look, model, nr))
			continue;
		if (used + 1 + width_of(look, c[nr]) + MIN_NAME > look->columns)
			break;
		used += 1 + width_of(look, c[nr]);
	}
	*name = look->columns - used;
	return nr;
}

/* "PKT/Sv": what the rows are in the order of has a mark; of sums it is "PKTv". */
static void put_title(struct top_line *l, const struct top_look *look, const struct top *model,
		      int i)
{
	const struct top_column *c = top_columns(look->view)->columns[i];
	bool sorted = i == look->sort[look->view];
	char text[16];

	snprintf(text, sizeof(text), "%.*s%s",
		 (int)(top_value_is_sum(model) ? strcspn(c->title, "/") : strlen(c->title)),
		 c->title,
		 !sorted ? "" : look->reverse[look->view] ? "^" : "v");
	if (strcmp(c->name, "activity"))
		return top_line_right(l, text, 1 + c->width);
	top_line_put(l, " ");
	top_line_bytes(l, text, strlen(text), width_of(look, c));
}

static void put_titles(struct top_line *l, const struct top_look *look, struct top *model)
{
	bool sorted = !look->sort[look->view];
	int name, nr = layout(look, model, &name);
	char text[48];

	snprintf(text, sizeof(text), "%s%s (%u)", top_columns(look->view)->columns[0]->title,
		 !sorted ? "" : look->reverse[look->view] ? "^" : "v",
		 top_nr_rows(model, look->view));
	top_line_bytes(l, text, strlen(text), name);
	for (int i = 1; i < nr; i++)
		if (is_shown(look, model, i))
			put_title(l, look, model, i);
}

static void put_history(struct top_line *l, const struct top_look *look,
			const struct top_row *row, bool bytes)
{
	uint32_t values[TOP_HISTORY];
	int nr = history_cells(look);

	for (int i = 0; i < nr; i++) {
		int64_t at = row->interval - nr + i;

		values[i] = at < 0 ? 0 : (bytes ? row->bytes : row->events)[at % TOP_HISTORY];
	}
	top_line_bars(l, values, nr);
}

static void put_row(struct top_line *l, const struct top_look *look, const struct top *model,
		    const struct top_row *row, const char *text, size_t len)
{
	const struct top_view_columns *v = top_columns(look->view);
	int name, nr = layout(look, model, &name);
	char number[12];

	if (look->view == TOP_FILE)	/* paths begin alike */
		top_line_tail(l, text, len, name);
	else
		top_line_bytes(l, text, len, name);
	for (int i = 1; i < nr; i++) {
		const struct top_column *c = v->columns[i];

		if (!is_shown(look, model, i))
			continue;
		top_line_put(l, " ");
		if (!strcmp(c->name, "activity")) {
			put_history(l, look, row, v->bytes);
			continue;
		}
		top_number(number, c->by, top_value(model, row, c->by));
		top_line_right(l, number, c->width);
	}
}

/* ---- the page ---- */

static int put_rows(struct top_look *look, const struct top_head *head, top_put put, void *user,
		    int y)
{
	struct top_line l;
	char text[TOP_TEXT_MAX];
	size_t len;

	for (uint32_t i = look->offset; i < look->nr_rows; i++) {
		len = top_row_text_with(look->view, look->rows[i], look->resolver, text,
					sizeof(text));
		top_line_start(&l, look->columns, look->utf8);
		put_row(&l, look, head->model, look->rows[i], text, len);
		put(user, y++, &l, i == look->cursor ? TOP_REVERSE : TOP_PLAIN);
	}
	if (!has_other(head->model, look->view))
		return y;
	len = snprintf(text, sizeof(text), "(other: no room for a row, %llu times)",
		       (unsigned long long)top_refused(head->model, look->view));
	top_line_start(&l, look->columns, look->utf8);
	put_row(&l, look, head->model, top_other(head->model, look->view), text, len);
	put(user, y++, &l, TOP_ALARM);
	return y;
}

int top_page_lines(uint32_t nr_rows)
{
	return TOP_HEAD_LINES + nr_rows + TOP_FOOT_LINES;
}

int top_page(struct top_look *look, const struct top_head *head, top_put put, void *user)
{
	enum top_style style;
	struct top_line l;
	int y = 0;

	top_look_pick(look, head->model);
	top_line_start(&l, look->columns, look->utf8);
	top_line_print(&l, "xcap top  %.0f s  ", head->seconds);
	put_rates(&l, head->model);
	if (head->state[0])
		top_line_print(&l, "  [%s]", head->state);
	put(user, y++, &l, TOP_BOLD);
	top_line_start(&l, look->columns, look->utf8);
	style = put_losses(&l, head);
	put(user, y++, &l, style);
	top_line_start(&l, look->columns, look->utf8);
	put_crumbs(&l, look, head);
	put(user, y++, &l, TOP_PLAIN);
	top_line_start(&l, look->columns, look->utf8);
	put_titles(&l, look, head->model);
	put(user, y++, &l, TOP_BOLD);
	return put_rows(look, head, put, user, y);
}
