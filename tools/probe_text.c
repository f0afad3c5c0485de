// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   lines of fields; histograms.
 * Out:  columns under their names, 79 wide.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "probe.h"
#include "text.h"

#define INDENT 17		/* of what does not fit into the line: behind time and pid */
#define BAR 40
#define COMM 12
#define LONG 24			/* of what may be any length, at least so much is shown */

const char *probe_duration(uint64_t ns, char room[16])
{
	static const struct { uint64_t ns; const char *unit; } units[] = {
		{ 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" },
	};

	for (int i = 0; i < 3; i++) {
		double n = (double)ns / units[i].ns;

		if (ns < units[i].ns)
			continue;
		snprintf(room, 16, "%.*f%s", n < 10 ? 2 : n < 100 ? 1 : 0, n, units[i].unit);
		return room;
	}
	snprintf(room, 16, "%lluns", (unsigned long long)ns);
	return room;
}

/* ---- columns ---- */

/* What stands in a cell. room: for numbers. */
static size_t cell(const struct xcap_field *f, char room[32], const char **text)
{
	const char *error;

	*text = room;
	switch (f->kind) {
	case XCAP_FIELD_TEXT:
	case XCAP_FIELD_ADDRESS:
		*text = f->text_len ? f->text : "-";
		return f->text_len ? f->text_len : 1;
	case XCAP_FIELD_SIGNED:
		error = strcmp(f->name, "ret") ? NULL : xcap_errno_name(f->value);
		if (error)
			*text = error;
		else
			snprintf(room, 32, "%lld", (long long)f->value);
		break;
	case XCAP_FIELD_DURATION:
		probe_duration(f->value, room);
		break;
	default:
		snprintf(room, 32, "%llu", f->value);
	}
	return strlen(*text);
}

static bool is_shown(const struct columns *c, const struct xcap_field *f)
{
	return (c->wide || f->width != XCAP_WIDTH_NEVER) && f->kind != XCAP_FIELD_HISTOGRAM;
}

static bool is_number(const struct xcap_field *f)
{
	return f->kind != XCAP_FIELD_TEXT && f->kind != XCAP_FIELD_ADDRESS;
}

/* As it looks once it is escaped. Return: columns, taking one for each character. */
static int escaped(char **out, const char *text, size_t len)
{
	size_t size;
	FILE *f = open_memstream(out, &size);
	int columns = 0;

	if (!f) {
		*out = NULL;
		return 0;
	}
	/* a NUL would end it */
	text_safe(f, text, len);
	fclose(f);
	for (const char *p = *out; *p; p++)
		columns += (*p & 0xc0) != 0x80;
	return columns;
}

/* Cut so that it takes so many columns, the last of which say so. */
static void cut(char *text, int columns)
{
	char *p = text;
	int n = 0;

	for (; *p; p++)
		if ((*p & 0xc0) != 0x80 && n++ == columns - 3)
			break;
	n = strnlen(p, 3);	/* it may be shorter than what says that it is cut */
	memset(p, '.', n);
	p[n] = '\0';
}

/* How far a line has come. */
struct place {
	int at;
	int pad;	/* blanks that the last cell still wants behind it */
	int over;	/* columns that cells took too many: blanks of the next ones are saved */
};

/* Does a field that wide have a place behind what stands there? A long one can be cut. */
static bool fits(const struct columns *c, const struct place *p, const struct xcap_field *f,
		 int columns)
{
	int blanks = p->pad > p->over ? p->pad - p->over : 0;

	if (!f->width && columns > LONG)
		columns = LONG;
	return c->wide || p->at + blanks + 1 + columns <= c->width;
}

/* What is for programs only stands behind one another. */
static int pad_width(const struct xcap_field *f)
{
	return f->width == XCAP_WIDTH_NEVER ? strlen(f->name) : f->width;
}

/* Blanks stand before the next cell only: at the end of a line they would be noise. */
static void put_text(struct columns *c, struct place *p, bool right, int width, const char *text,
		     int columns)
{
	int left = width > columns ? width - columns : 0;
	int blanks = p->pad + (right ? left : 0);
	int saved = blanks < p->over ? blanks : p->over;

	fprintf(c->out, " %*s%s", blanks - saved, "", text);
	p->at += 1 + blanks - saved + columns;
	p->pad = right ? 0 : left;
	p->over += (width && columns > width ? columns - width : 0) - saved;
}

static void put_break(struct columns *c, struct place *p)
{
	fprintf(c->out, "\n%*s", INDENT, "");
	*p = (struct place){ .at = INDENT };
}

static void put_field(struct columns *c, struct place *p, int i, const struct xcap_field *f)
{
	char room[32], *safe;
	const char *text;
	size_t len = cell(f, room, &text);
	int columns = escaped(&safe, text, len), left;

	if (!safe)
		return;
	if (c->breaks[i] || !fits(c, p, f, columns))
		put_break(c, p);
	left = c->width - p->at - p->pad - 1;
	if (!c->wide && columns > left) {
		cut(safe, left > 3 ? left : 3);
		columns = left;
	}
	put_text(c, p, is_number(f), pad_width(f), safe, columns);
	free(safe);
}

/* "age_ns" is AGE: a cell has its unit. */
static void put_name(char name[32], const struct xcap_field *f)
{
	int len = strlen(f->name), k;

	if (f->kind == XCAP_FIELD_DURATION && len > 3 && !strcmp(f->name + len - 3, "_ns"))
		len -= 3;
	for (k = 0; k < len && k < 31; k++)
		name[k] = toupper(f->name[k]);
	name[k] = '\0';
}

/* Of a cell that has a name of so many columns. */
static int usual_width(const struct xcap_field *f, int name)
{
	int usual = f->width == XCAP_WIDTH_NEVER ? 0 : f->width ? f->width : LONG;

	return usual > name ? usual : name;
}

/* Where lines break is decided here, by the widths that are usual. */
static void put_head(struct columns *c, const struct answer *a)
{
	struct place p = { .at = fprintf(c->out, "%-8s %7s %-*s", "TIME", "PID", COMM, "COMM") };

	for (int i = 0; i < a->nr; i++) {
		const struct xcap_field *f = &a->fields[i];
		char name[32];
		int columns;

		if (!is_shown(c, f))
			continue;
		put_name(name, f);
		columns = strlen(name);
		c->breaks[i] = !fits(c, &p, f, usual_width(f, columns));
		if (c->breaks[i])
			put_break(c, &p);
		put_text(c, &p, is_number(f), pad_width(f), name, columns);
	}
	putc('\n', c->out);
}

void columns_line(struct columns *c, const struct answer *a)
{
	struct place p;
	char *comm;
	int columns;

	if (!c->started)
		put_head(c, a);
	c->started = true;
	fputs(text_clock(&c->clock, a->rec->wall_ns), c->out);
	if (a->rec->pid)
		fprintf(c->out, " %7u", a->rec->pid);
	else
		fprintf(c->out, " %7s", "-");
	columns = escaped(&comm, a->rec->comm[0] ? a->rec->comm : "-",
			  a->rec->comm[0] ? sizeof(a->rec->comm) : 1);
	fprintf(c->out, " %s", comm ? comm : "-");
	free(comm);
	p = (struct place){
		.at = 8 + 8 + 1 + columns,
		.pad = columns < COMM ? COMM - columns : 0,
		.over = columns > COMM ? columns - COMM : 0,
	};
	for (int i = 0; i < a->nr; i++)
		if (is_shown(c, &a->fields[i]))
			put_field(c, &p, i, &a->fields[i]);
	putc('\n', c->out);
}

/* ---- histograms ---- */

void probe_histogram(FILE *out, const char *title, const uint64_t *slots, int nr)
{
	int first = 0, last = nr - 1, stars;
	uint64_t most = 0;
	char from[16], to[16];

	while (first < nr && !slots[first])
		first++;
	while (last >= 0 && !slots[last])
		last--;
	if (first > last)
		return;
	for (int i = first; i <= last; i++)
		most = slots[i] > most ? slots[i] : most;
	fprintf(out, "\n%-19s %10s  %s\n", title, "COUNT", "DISTRIBUTION");
	for (int i = first; i <= last; i++) {
		stars = (slots[i] * BAR + most / 2) / most;
		fprintf(out, "%8s - %-8s %10llu%s%.*s\n",
			probe_duration(i ? 1ull << i : 0, from),
			i == nr - 1 ? "" : probe_duration(2ull << i, to),
			(unsigned long long)slots[i], stars ? "  " : "", stars,
			"****************************************");
	}
}
