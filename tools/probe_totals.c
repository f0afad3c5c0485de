// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of totals, each of which replaces the one before it of the same row.
 * Out:  the last of each row, the largest first.
 * Owns: copies.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "probe.h"

/* Who it is of, and its fields of text, name the row. */
struct row {
	char *name;
	char *container;
	struct xcap_record rec;
	struct answer answer;
};

struct totals {
	void *by_name;		/* tree of struct row */
	struct row **rows;
	int nr, room;
};

struct totals *totals_new(void)
{
	return calloc(1, sizeof(struct totals));
}

static void free_row(struct row *r)
{
	for (int i = 0; i < r->answer.nr; i++)
		if (r->answer.fields[i].kind == XCAP_FIELD_TEXT)
			free((void *)r->answer.fields[i].text);
	free(r->container);
	free(r->name);
	free(r);
}

static void keep_row(void *p)
{
	(void)p;
}

void totals_free(struct totals *t)
{
	if (!t)
		return;
	tdestroy(t->by_name, keep_row);
	for (int i = 0; i < t->nr; i++)
		free_row(t->rows[i]);
	free(t->rows);
	free(t);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static char *name_of(const struct answer *a)
{
	size_t size;
	char *name;
	FILE *f = open_memstream(&name, &size);

	if (!f)
		return NULL;
	fprintf(f, "%u", a->rec->pid);
	for (int i = 0; i < a->nr; i++)
		if (a->fields[i].kind == XCAP_FIELD_TEXT)
			fprintf(f, "\n%.*s", (int)a->fields[i].text_len, a->fields[i].text);
	return fclose(f) ? NULL : name;
}

static struct row *row_of(struct totals *t, const struct answer *a)
{
	struct row *r = calloc(1, sizeof(*r)), **at = NULL, **more;

	if (r)
		r->name = name_of(a);
	if (r && r->name)
		at = (struct row **)tsearch(r, &t->by_name, by_name);
	if (!at || *at != r) {
		if (r)
			free_row(r);
		return at ? *at : NULL;
	}
	if (t->nr == t->room) {
		more = realloc(t->rows, (t->room + 256) * sizeof(struct row *));
		if (!more) {
			tdelete(r, &t->by_name, by_name);
			free_row(r);
			return NULL;
		}
		t->rows = more;
		t->room += 256;
	}
	t->rows[t->nr++] = r;
	return r;
}

/* The first number is how often, of all these probes. */
static uint64_t weight(const struct answer *a)
{
	for (int i = 0; i < a->nr; i++)
		if (a->fields[i].kind == XCAP_FIELD_UNSIGNED)
			return a->fields[i].value;
	return 0;
}

int totals_put(struct totals *t, const struct answer *a)
{
	struct row *r = row_of(t, a);

	/* totals only grow: it is another process, with the number of one that has ended */
	if (r && weight(a) < weight(&r->answer)) {
		tdelete(r, &t->by_name, by_name);
		r = row_of(t, a);
	}
	if (!r)
		return -ENOMEM;
	r->rec = *a->rec;
	r->rec.data = NULL;
	r->rec.process = NULL;
	r->rec.cgroup = NULL;
	for (int i = 0; i < a->nr; i++) {
		struct xcap_field *f = &r->answer.fields[i];
		const char *text = f->text;

		*f = a->fields[i];
		if (f->kind == XCAP_FIELD_TEXT)		/* part of the name: as it was */
			f->text = text ? text : strndup(f->text, f->text_len);
		else if (f->kind == XCAP_FIELD_ADDRESS)
			f->text = memcpy(f->room, f->text, f->text_len + 1);
	}
	if (!r->container)
		r->container = strdup(a->container);
	r->answer.container = r->container ? r->container : "";
	r->answer.rec = &r->rec;
	r->answer.nr = a->nr;
	return 0;
}

/* What they are sorted by: time, where it is counted, else how often. */
static uint64_t rank(const struct answer *a)
{
	for (int i = 0; i < a->nr; i++)
		if (a->fields[i].kind == XCAP_FIELD_DURATION)
			return a->fields[i].value;
	return weight(a);
}

static int by_weight(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (rank(&x->answer) != rank(&y->answer))
		return rank(&x->answer) < rank(&y->answer) ? 1 : -1;
	return strcmp(x->name, y->name);
}

int totals_sort(struct totals *t)
{
	if (t->nr)
		qsort(t->rows, t->nr, sizeof(*t->rows), by_weight);
	return t->nr;
}

const struct answer *totals_at(const struct totals *t, int i)
{
	return &t->rows[i]->answer;
}
