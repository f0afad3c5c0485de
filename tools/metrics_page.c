// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the tables of xcap top, the accounts of captures.
 * Out:  a page of metrics: OpenMetrics 1.0, or Prometheus' older text.
 * Owns: what it makes the page of, until that is written.
 * Runs on: the tool's first thread, where models may be read.
 *
 * Of each view there are a bounded number of rows: those with the most bytes and the most calls so
 * far, and those with the most now. Names are bytes of any kind; labels are valid UTF-8 without
 * control characters, and two rows whose labels became the same are one.
 */
#include <stdlib.h>
#include <string.h>
#include "metrics.h"
#include "running.h"

#define LABELS_MAX 1024
#define EACH_ORDER (METRICS_ROWS / 3)
#define NS_PER_SEC 1000000000ULL

struct page {
	FILE *out;
	bool open;
};

/* ---- the two formats ---- */

/* "counter", "gauge", "summary". unit: the name ends in it; NULL none. */
static void family(const struct page *p, const char *name, const char *type, const char *unit,
		   const char *help)
{
	const char *suffix = !p->open && !strcmp(type, "counter") ? "_total" : "";

	fprintf(p->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, type);
	if (p->open && unit)
		fprintf(p->out, "# UNIT %s %s\n", name, unit);
}

/* labels: `a="b",c="d"`, or "". */
static void sample(const struct page *p, const char *name, const char *suffix, const char *labels,
		   const char *more, uint64_t value)
{
	bool both = labels[0] && more[0];

	fprintf(p->out, "%s%s", name, suffix);
	if (labels[0] || more[0])
		fprintf(p->out, "{%s%s%s}", labels, both ? "," : "", more);
	fprintf(p->out, " %llu\n", (unsigned long long)value);
}

static void seconds(const struct page *p, const char *name, const char *suffix,
		    const char *labels, uint64_t ns)
{
	fprintf(p->out, "%s%s%s%s%s %llu.%09llu\n", name, suffix, labels[0] ? "{" : "", labels,
		labels[0] ? "}" : "", (unsigned long long)(ns / NS_PER_SEC),
		(unsigned long long)(ns % NS_PER_SEC));
}

/* One more label, or none if the value is empty. What does not fit leaves the value shorter. */
static void label(char *labels, const char *name, const char *value)
{
	size_t at = strlen(labels), left = strlen(value);

	if (!left || at + strlen(name) + 16 > LABELS_MAX)
		return;
	at += snprintf(labels + at, LABELS_MAX - at, "%s%s=\"", at ? "," : "", name);
	while (left && at + 8 < LABELS_MAX) {
		int len = xcap_utf8(value, left), bytes = len < 0 ? -len : len ? len : 1;

		if (len <= 0) {
			memcpy(labels + at, "\xef\xbf\xbd", 3);	/* U+FFFD */
			at += 3;
		} else {
			if (*value == '"' || *value == '\\')
				labels[at++] = '\\';
			memcpy(labels + at, value, len);
			at += len;
		}
		value += bytes;
		left -= bytes;
	}
	memcpy(labels + at, "\"", 2);
}

/* ---- views ---- */

struct line {
	char labels[LABELS_MAX];
	uint64_t total[TOP_COUNTERS];
};

struct lines {
	struct line v[METRICS_ROWS];
	uint64_t number[METRICS_ROWS];	/* of the rows that are in them */
	int nr, nr_numbers;
};

static void add_row(struct lines *l, enum top_view view, const struct top_row *row)
{
	char text[TOP_TEXT_MAX], labels[LABELS_MAX] = "";
	struct line *line = NULL;
	const char *part;

	for (int i = 0; i < l->nr_numbers; i++)
		if (l->number[i] == row->number)
			return;
	l->number[l->nr_numbers++] = row->number;
	for (int i = 0; (part = top_row_part(view, row, i, text, sizeof(text))); i++)
		label(labels, part, text);
	if (!labels[0])
		label(labels, top_view_name(view), "unknown");
	for (int i = 0; i < l->nr && !line; i++)
		if (!strcmp(l->v[i].labels, labels))
			line = &l->v[i];
	if (!line) {
		line = &l->v[l->nr++];
		memset(line, 0, sizeof(*line));
		strcpy(line->labels, labels);
	}
	for (int i = 0; i < TOP_COUNTERS; i++)
		line->total[i] += row->total[i];
}

static void pick(struct lines *l, struct top *t, enum top_view view)
{
	static const enum top_value orders[] = { TOP_BY_TOTAL_BYTES, TOP_BY_TOTAL_CALLS,
						 TOP_BY_EVENTS };
	const struct top_row *rows[EACH_ORDER];

	l->nr = l->nr_numbers = 0;
	for (int i = 0; i < 3; i++) {
		uint32_t nr = top_pick(t, view, orders[i], false, rows, EACH_ORDER);

		for (uint32_t n = 0; n < nr; n++)
			add_row(l, view, rows[n]);
	}
}

/* in, out: counters for each direction; in alone: one. */
static const struct counter {
	const char *name, *unit, *help;
	int in, out;
	bool packets, calls;	/* views of what it is told */
} counters[] = {
	{ "packets", NULL, "Packets.", TOP_PACKETS_IN, TOP_PACKETS_OUT, true, false },
	{ "packet_bytes", "bytes", "Bytes of packets on the wire.", TOP_BYTES_IN, TOP_BYTES_OUT,
	  true, false },
	{ "calls", NULL, "System calls.", TOP_CALLS, -1, false, true },
	{ "call_errors", NULL, "System calls that failed.", TOP_ERRORS, -1, false, true },
	{ "read_bytes", "bytes", "Bytes that system calls read or received.", TOP_READ, -1, false,
	  true },
	{ "written_bytes", "bytes", "Bytes that system calls wrote or sent.", TOP_WRITTEN, -1,
	  false, true },
};

static bool is_of(const struct counter *c, int view)
{
	const int packets = 1 << TOP_PROCESS | 1 << TOP_CONTAINER | 1 << TOP_FLOW |
			    1 << TOP_INTERFACE | 1 << TOP_PORT | 1 << TOP_HOST;
	const int calls = 1 << TOP_PROCESS | 1 << TOP_CONTAINER | 1 << TOP_SYSCALL |
			  1 << TOP_FILE;

	return (c->packets && packets & 1 << view) || (c->calls && calls & 1 << view);
}

static void counter_of(const struct page *p, const char *prefix, const struct counter *c,
		       const struct line *lines, int nr)
{
	char name[64];

	snprintf(name, sizeof(name), "xcap_%s%s", prefix, c->name);
	family(p, name, "counter", c->unit, c->help);
	for (int i = 0; i < nr; i++) {
		const struct line *l = &lines[i];

		if (l->labels[0] && !l->total[c->in] && (c->out < 0 || !l->total[c->out]))
			continue;		/* hundreds of zeros */
		if (c->out < 0) {
			sample(p, name, "_total", l->labels, "", l->total[c->in]);
		} else {
			sample(p, name, "_total", l->labels, "direction=\"in\"", l->total[c->in]);
			sample(p, name, "_total", l->labels, "direction=\"out\"", l->total[c->out]);
		}
	}
}

static void durations(const struct page *p, const char *prefix, const struct line *lines, int nr)
{
	char name[64];

	snprintf(name, sizeof(name), "xcap_%scall_duration_seconds", prefix);
	family(p, name, "summary", "seconds", "Time between entry and exit of system calls.");
	for (int i = 0; i < nr; i++) {
		if (lines[i].labels[0] && !lines[i].total[TOP_WAITED])
			continue;
		sample(p, name, "_count", lines[i].labels, "", lines[i].total[TOP_WAITED]);
		seconds(p, name, "_sum", lines[i].labels, lines[i].total[TOP_WAIT_NS]);
	}
}

static void view_page(const struct page *p, struct top *t, enum top_view view, struct lines *l)
{
	char prefix[32];

	pick(l, t, view);
	snprintf(prefix, sizeof(prefix), "%s_", top_view_name(view));
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (is_of(&counters[i], view))
			counter_of(p, prefix, &counters[i], l->v, l->nr);
	if (is_of(&counters[2], view))
		durations(p, prefix, l->v, l->nr);
}

static void all_page(const struct page *p, struct top *t)
{
	struct line all = { .labels = "" };

	memcpy(all.total, top_sum(t)->total, sizeof(all.total));
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		counter_of(p, "", &counters[i], &all, 1);
	durations(p, "", &all, 1);
	family(p, "xcap_view_rows", "gauge", NULL, "Rows that a view has; the page tells of some.");
	for (int v = 0; v < TOP_VIEWS; v++) {
		char labels[LABELS_MAX] = "";

		label(labels, "view", top_view_name(v));
		sample(p, "xcap_view_rows", "", labels, "", top_nr_rows(t, v));
	}
}

/* ---- captures ---- */

#define MAX_CAPTURES 64

struct captures {
	struct running_account *v;
	int nr;
	uint32_t own;
};

static int add_capture(void *user, const struct running_account *a)
{
	struct captures *c = user;

	if (a->pid != c->own)
		c->v[c->nr++] = *a;
	return c->nr == MAX_CAPTURES;
}

static void capture_labels(char *labels, const struct running_account *a)
{
	char pid[16];

	labels[0] = '\0';
	snprintf(pid, sizeof(pid), "%u", a->pid);
	label(labels, "pid", pid);
	label(labels, "command", a->command);
}

/* The number tells apart what has the same spec. */
static void source_labels(char *labels, const struct running_account *a, uint32_t i)
{
	char index[16];

	capture_labels(labels, a);
	snprintf(index, sizeof(index), "%u", i);
	label(labels, "index", index);
	label(labels, "source", a->sources[i].spec);
}

#define FIELD(field) offsetof(struct xcap_stats, field)
static const struct { const char *name, *unit, *help; size_t field; } books[] = {
	{ "seen_records", NULL, "Records that the source saw.", FIELD(seen) },
	{ "delivered_records", NULL, "Records that were handed to the reader.", FIELD(delivered) },
	{ "filtered_records", NULL, "Records that were passed over on purpose.", FIELD(filtered) },
	{ "late_records", NULL, "Records that came after their turn.", FIELD(late) },
	{ "packets", NULL, "Packets among those delivered.", FIELD(packets) },
	{ "packet_bytes", "bytes", "Bytes on the wire of packets delivered.", FIELD(bytes) },
	{ "calls", NULL, "Entries and exits of system calls delivered.", FIELD(syscalls) },
};

static void source_counter(const struct page *p, const struct captures *c, size_t book)
{
	char name[64], labels[LABELS_MAX];

	snprintf(name, sizeof(name), "xcap_source_%s", books[book].name);
	family(p, name, "counter", books[book].unit, books[book].help);
	for (int n = 0; n < c->nr; n++)
		for (uint32_t i = 0; i < c->v[n].nr_sources; i++) {
			source_labels(labels, &c->v[n], i);
			sample(p, name, "_total", labels, "",
			       *(const __u64 *)((const char *)&c->v[n].sources[i].stats +
						books[book].field));
		}
}

static void source_drops(const struct page *p, const struct captures *c)
{
	char labels[LABELS_MAX], place[64];

	family(p, "xcap_source_dropped_records", "counter", NULL, "Records lost, by place.");
	for (int n = 0; n < c->nr; n++)
		for (uint32_t i = 0; i < c->v[n].nr_sources; i++)
			for (int d = 0; d < XCAP_DROP_MAX; d++) {
				source_labels(labels, &c->v[n], i);
				snprintf(place, sizeof(place), "place=\"%s\"", xcap_drop_name(d));
				sample(p, "xcap_source_dropped_records", "_total", labels, place,
				       c->v[n].sources[i].stats.dropped[d]);
			}
}

static void captures_page(const struct page *p, const struct running_account *own)
{
	struct captures c = { .v = calloc(MAX_CAPTURES + 1, sizeof(*own)), .own = own->pid };
	char labels[LABELS_MAX];

	if (!c.v)
		return;
	c.v[c.nr++] = *own;
	running_list(add_capture, &c);
	family(p, "xcap_capture_start_time_seconds", "gauge", "seconds",
	       "When the capture began, since the epoch.");
	for (int n = 0; n < c.nr; n++) {
		capture_labels(labels, &c.v[n]);
		seconds(p, "xcap_capture_start_time_seconds", "", labels, c.v[n].started_ns);
	}
	for (size_t i = 0; i < sizeof(books) / sizeof(books[0]); i++)
		source_counter(p, &c, i);
	source_drops(p, &c);
	free(c.v);
}

void metrics_page(FILE *out, bool open, struct top *t, const struct running_account *own)
{
	struct page p = { .out = out, .open = open };
	struct lines *l = malloc(sizeof(*l));

	family(&p, open ? "xcap_build" : "xcap_build_info", open ? "info" : "gauge", NULL,
	       "The version of xcap.");
	fprintf(out, "xcap_build_info{version=\"%s\"} 1\n", xcap_version());
	if (t)
		all_page(&p, t);
	for (int v = 0; t && l && v < TOP_VIEWS; v++)
		view_page(&p, t, v, l);
	captures_page(&p, own);
	if (open)
		fputs("# EOF\n", out);
	free(l);
}
