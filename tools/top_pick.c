// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a model.
 * Out:  the first rows of a view, in the order of a value.
 * Owns: nothing; room to sort in is the model's.
 * Runs on: the model's thread.
 *
 * Of thousands of rows a screen shows some twenty: those are separated from the rest first
 * (quickselect), and only they are sorted.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include "top_names.h"
#include "top_table.h"

#define NS_PER_SEC 1e9

void top_value_of(struct top *t, int64_t ns)
{
	t->value_ns = ns;
}

bool top_value_is_sum(const struct top *t)
{
	return !t->value_ns;
}

double top_value(const struct top *t, const struct top_row *row, enum top_value by)
{
	const uint64_t *total = row->total, *last = t->value_ns ? row->last : total;
	double rate = t->value_ns ? NS_PER_SEC / t->value_ns : 1;

	switch (by) {
	case TOP_BY_EVENTS:
		return (last[TOP_PACKETS_IN] + last[TOP_PACKETS_OUT] + last[TOP_CALLS]) * rate;
	case TOP_BY_PACKETS:
		return (last[TOP_PACKETS_IN] + last[TOP_PACKETS_OUT]) * rate;
	case TOP_BY_BYTES:
		return (last[TOP_BYTES_IN] + last[TOP_BYTES_OUT]) * rate;
	case TOP_BY_BYTES_IN:
		return last[TOP_BYTES_IN] * rate;
	case TOP_BY_BYTES_OUT:
		return last[TOP_BYTES_OUT] * rate;
	case TOP_BY_CALLS:
		return last[TOP_CALLS] * rate;
	case TOP_BY_ERRORS:
		return last[TOP_ERRORS] * rate;
	case TOP_BY_READ:
		return last[TOP_READ] * rate;
	case TOP_BY_WRITTEN:
		return last[TOP_WRITTEN] * rate;
	case TOP_BY_LATENCY:
		return last[TOP_WAITED] ? (double)last[TOP_WAIT_NS] / last[TOP_WAITED] : 0;
	case TOP_BY_LOST:
		return last[TOP_LOST] * rate;
	case TOP_BY_TOTAL_EVENTS:
		return total[TOP_PACKETS_IN] + total[TOP_PACKETS_OUT] + total[TOP_CALLS];
	case TOP_BY_TOTAL_BYTES:
		return total[TOP_BYTES_IN] + total[TOP_BYTES_OUT];
	case TOP_BY_TOTAL_CALLS:
		return total[TOP_CALLS];
	case TOP_BY_TOTAL_LOST:
		return total[TOP_LOST];
	default:
		return 0;
	}
}

/* ---- which of two comes first ---- */

struct direction {
	enum top_view view;
	bool names, reverse;
};

/* Less than 0: a comes first. Never 0 for two rows. */
static int compare(const void *left, const void *right, void *direction)
{
	const struct top_order *a = left, *b = right;
	const struct direction *d = direction;
	int order = d->names ? top_row_compare(d->view, a->row, b->row) :
			       (a->value < b->value) - (a->value > b->value);

	if (d->reverse)
		order = -order;
	if (order)
		return order;
	return (a->row->number > b->row->number) - (a->row->number < b->row->number);
}

static void swap(struct top_order *a, struct top_order *b)
{
	struct top_order was = *a;

	*a = *b;
	*b = was;
}

/* The middle one of three goes to the end. */
static void choose_pivot(struct top_order *o, uint32_t nr, struct direction *d)
{
	struct top_order *first = o, *mid = o + nr / 2, *last = o + nr - 1;

	if (compare(mid, first, d) < 0)
		swap(mid, first);
	if (compare(last, first, d) < 0)
		swap(last, first);
	if (compare(mid, last, d) < 0)
		swap(mid, last);
}

/* Afterwards the first max of nr are those that come first, in any order. */
static void select_first(struct top_order *o, uint32_t nr, uint32_t max, struct direction *d)
{
	while (nr > max && max && nr > 1) {
		uint32_t at = 0;

		choose_pivot(o, nr, d);
		for (uint32_t i = 0; i < nr - 1; i++)
			if (compare(&o[i], &o[nr - 1], d) < 0)
				swap(&o[at++], &o[i]);
		swap(&o[at], &o[nr - 1]);
		if (at == max || at + 1 == max)
			return;
		if (at > max) {
			nr = at;
		} else {
			o += at + 1;
			nr -= at + 1;
			max -= at + 1;
		}
	}
}

static bool make_room(struct top *t, uint32_t nr)
{
	struct top_order *room;

	if (nr <= t->order_size)
		return true;
	room = realloc(t->order, 2 * nr * sizeof(*room));
	if (!room)
		return false;
	t->order = room;
	t->order_size = 2 * nr;
	return true;
}

uint32_t top_pick(struct top *t, enum top_view view, enum top_value by, bool reverse,
		  const struct top_row **rows, uint32_t max)
{
	struct direction d = { view, by == TOP_BY_NAME, reverse };
	struct top_table *table = &t->tables[view];
	uint32_t nr = 0;

	if (!table->nr || !make_room(t, table->nr))
		return 0;
	for (uint32_t i = 0; i < table->used; i++) {
		struct top_row *row = top_table_row(table, i);

		if (!row->key.len)
			continue;
		top_roll(t, row);
		t->order[nr++] = (struct top_order){ top_value(t, row, by), row };
	}
	select_first(t->order, nr, max, &d);
	if (nr > max)
		nr = max;
	qsort_r(t->order, nr, sizeof(*t->order), compare, &d);
	for (uint32_t i = 0; i < nr; i++)
		rows[i] = t->order[i].row;
	return nr;
}

uint32_t top_rank(struct top *t, enum top_view view, enum top_value by, bool reverse,
		  const struct top_row *row)
{
	struct direction d = { view, by == TOP_BY_NAME, reverse };
	struct top_order own = { top_value(t, row, by), (struct top_row *)row }, other;
	struct top_table *table = &t->tables[view];
	uint32_t rank = 0;

	for (uint32_t i = 0; i < table->used; i++) {
		other.row = top_table_row(table, i);
		if (!other.row->key.len || other.row == row)
			continue;
		top_roll(t, other.row);
		other.value = top_value(t, other.row, by);
		rank += compare(&other, &own, &d) < 0;
	}
	return rank;
}
