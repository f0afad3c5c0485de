/* SPDX-License-Identifier: BSD-2-Clause */
/* What a probe answers, on its way from records to lines. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <xcap.h>
#include "text.h"

#define PROBE_FIELDS 16

/* One line. Strings are lent until the next one is made. */
struct answer {
	const struct xcap_record *rec;	/* when, and who */
	const char *container;		/* its name or id; "" none */
	int nr;
	struct xcap_field fields[PROBE_FIELDS];
};

/* The name of the container that a record is of, or its id; "" none. */
const char *probe_container(const struct xcap_record *rec);

/* ---- probe_calls.c: probes that are made of system calls ---- */

struct calls;

/* Return: NULL: no memory. */
struct calls *calls_new(const char *probe);
void calls_free(struct calls *c);

/* An entry is remembered, an exit makes a line. Return: true: *a is one. */
bool calls_answer(struct calls *c, const struct xcap_record *rec, struct answer *a);

/* Results whose entry came before the probe, or was lost. */
uint64_t calls_unpaired(const struct calls *c);

/* ---- probe_text.c: lines of columns ---- */

struct columns {
	FILE *out;
	bool wide;		/* all fields, and lines as long as they are */
	int width;		/* else so many columns */
	bool started;		/* the head is written */
	bool breaks[PROBE_FIELDS];	/* the field begins another line, in the head too */
	struct text_clock clock;
};

void columns_line(struct columns *c, const struct answer *a);

/* "1.5us": three digits. room: 16 bytes. */
const char *probe_duration(uint64_t ns, char room[16]);

/* Bars of stars: how many lie between two powers of two. Nothing, if nothing does. */
void probe_histogram(FILE *out, const char *title, const uint64_t *slots, int nr);

/* ---- probe_totals.c: the last record of each row of a table ---- */

struct totals;

/* Return: NULL: no memory. */
struct totals *totals_new(void);
void totals_free(struct totals *t);

/* Kept in the place of the one before it of the same row. Return: 0; -ENOMEM. */
int totals_put(struct totals *t, const struct answer *a);

/* The largest first. Return: how many. */
int totals_sort(struct totals *t);
const struct answer *totals_at(const struct totals *t, int i);

#endif
