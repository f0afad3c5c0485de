// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   counters, one after the other, at two times.
 * Out:  rows that say what came in between.
 * Owns: nothing: the rows are the set's.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "drops_rows.h"

#define MAX_TEXT (16 << 20)	/* of a file in /proc */

struct drops_row *drops_add(struct drops_set *set, enum drops_layer layer, const char *where,
			    const char *name, uint64_t total, const struct drops_means *means)
{
	struct drops_row *row;

	if (!total && !set->all)
		return NULL;
	if (set->nr == set->room) {
		int room = set->room ? 2 * set->room : 64;

		row = reallocarray(set->rows, room, sizeof(*row));
		if (!row) {
			set->failed = true;
			return NULL;
		}
		set->rows = row;
		set->room = room;
	}
	row = &set->rows[set->nr++];
	memset(row, 0, sizeof(*row));
	row->layer = layer;
	row->flags = means->flags;
	row->total = total;
	row->means = means;
	snprintf(row->where, sizeof(row->where), "%s", where);
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

char *drops_text(const struct drops_set *set, const char *path)
{
	char full[512], *text = NULL;
	size_t size = 0, len = 0;
	ssize_t n = 1;
	int fd;

	snprintf(full, sizeof(full), "%s%s", set->root, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && len < MAX_TEXT) {
		if (len + 1 >= size) {
			char *more = realloc(text, size = size ? 2 * size : 16384);

			if (!more)
				break;
			text = more;
		}
		n = read(fd, text + len, size - len - 1);
		len += n > 0 ? n : 0;
	}
	if (fd >= 0)
		close(fd);
	if (text)
		text[len] = '\0';
	return text;
}

/* Nearly always they stand where they stood. */
static const struct drops_row *find(const struct drops_set *set, const struct drops_row *row,
				    int hint)
{
	for (int i = 0; i < set->nr; i++) {
		const struct drops_row *r = &set->rows[(hint + i) % set->nr];

		if (r->layer == row->layer && r->id == row->id && !strcmp(r->name, row->name) &&
		    !strcmp(r->where, row->where))
			return r;
	}
	return NULL;
}

uint64_t drops_since(const struct drops_row *row, uint64_t then)
{
	if (row->total >= then)
		return row->total - then;
	if (row->flags & DROPS_32BIT && then - row->total > UINT32_MAX / 2)
		return row->total + (1ULL << 32) - then;
	return row->total;
}

void drops_compare(struct drops_set *now, const struct drops_set *before, bool is_start)
{
	for (int i = 0; i < now->nr; i++) {
		struct drops_row *row = &now->rows[i];
		const struct drops_row *old = is_start ? row : find(before, row, i);
		uint64_t grown = old ? old->total - old->first : 0;

		row->before = old ? old->total : 0;
		/* a step back is no new beginning */
		if (row->flags & DROPS_REST && row->total < row->before &&
		    row->total >= row->before / 2)
			row->total = row->before;
		grown += drops_since(row, row->before);
		row->first = is_start ? row->total : row->total - grown;
	}
}
