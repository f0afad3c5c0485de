// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the records of one probe.
 * Out:  a line or an object for each thing that it tells, and a summary at the end.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "capture.h"
#include "cmd.h"
#include "follow.h"
#include "json.h"
#include "probe.h"
#include "text.h"

#define LINES 40	/* of totals, where people read */
#define HISTOGRAMS 8

struct probe {
	struct capture c;	/* first: the callbacks get it */
	struct follow follow;
	const char *comm;
	bool list, wide;

	struct xcap_probe_row row;
	char *specs, *filter;
	struct calls *calls;	/* XCAP_PROBE_CALLS */
	struct totals *totals;	/* XCAP_PROBE_TOTALS */
	uint64_t count;
	struct columns columns;
	uint64_t nr_events;
	/* of the first duration that its lines have */
	char duration[32];
	uint64_t slots[64];
};

#define ROW(letter, name, kind, field, value, help) \
	{ letter, name, kind, offsetof(struct probe, field), value, help, 0, 0 }

static const struct option_row rows[] = {
	ROW(0, "list", OPTION_FLAG, list, NULL,
	    "say what each probe answers, and what it costs, and exit"),
	{ 0, "duration", OPTION_TIME, offsetof(struct probe, c.duration_ns), "SECONDS",
	  "end after this time; also 500ms, 2m, 1h", 1000000, 0 },
	{ 'c', "count", OPTION_NUMBER, offsetof(struct probe, count), "COUNT",
	  "end after so many lines; of totals, show the largest so many", 1, 0 },
	ROW('p', "pid", OPTION_LIST, follow.pids, "PID[,PID]",
	    "only what these processes and their descendants do, to the end of the last of them"),
	ROW(0, "comm", OPTION_TEXT, comm, "NAME", "only what tasks of this name do"),
	ROW(0, "container", OPTION_LIST, follow.containers, "NAME",
	    "only what is done in the container of this name, or with an id that begins so"),
	ROW(0, "wide", OPTION_FLAG, wide, NULL,
	    "all fields, and lines as long as they are, not cut at column 79"),
	{ 0, "ring", OPTION_SIZE, offsetof(struct probe, c.ring_bytes), "BYTES",
	  "BPF ring buffer of each CPU, a power of two (8M)", 4096, 1u << 30 },
	ROW('q', "quiet", OPTION_FLAG, c.quiet, NULL, "less on standard error"),
	CAPTURE_ROWS_RESULT(struct probe),
	{ 0 }
};

const char *probe_container(const struct xcap_record *rec)
{
	if (!rec->cgroup)
		return "";
	return rec->cgroup->container_name[0] ? rec->cgroup->container_name :
						rec->cgroup->container;
}

/* ---- --list ---- */

static const char *kind_of(const struct xcap_probe_row *row)
{
	static const char *const kinds[] = {
		[XCAP_PROBE_EVENTS] = "events", [XCAP_PROBE_TOTALS] = "totals",
		[XCAP_PROBE_ONCE] = "once", [XCAP_PROBE_CALLS] = "calls",
	};

	return kinds[row->kind];
}

static int list(const struct probe *p)
{
	struct xcap_probe_row row = { .sz = sizeof(row) };

	for (int i = 0; xcap_probe_row(i, &row) == 1; i++) {
		struct json j = { .out = stdout };

		if (!p->c.json) {
			printf("%-10s %s\n%11scosts %s\n", row.name, row.answers, "", row.costs);
			continue;
		}
		json_open(&j, NULL, '{');
		json_text(&j, "probe", row.name);
		json_text(&j, "kind", kind_of(&row));
		json_text(&j, "answers", row.answers);
		json_text(&j, "costs", row.costs);
		json_close(&j, '}');
		json_line(&j);
	}
	return EXIT_DONE;
}

/* ---- lines ---- */

static bool answer_of(struct probe *p, const struct xcap_record *rec, struct answer *a)
{
	if (p->calls)
		return calls_answer(p->calls, rec, a);
	if (rec->type != XCAP_PROBE)
		return false;
	*a = (struct answer){ .rec = rec, .container = probe_container(rec) };
	for (; a->nr < PROBE_FIELDS; a->nr++) {
		a->fields[a->nr].sz = sizeof(a->fields[a->nr]);
		if (xcap_probe_field(rec, a->nr, &a->fields[a->nr]) != 1)
			break;
	}
	return true;
}

static void json_answer(const struct probe *p, const struct answer *a)
{
	const struct xcap_record *rec = a->rec;
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_time(&j, "time", rec->wall_ns);
	json_text(&j, "probe", p->row.name);
	if (rec->pid) {
		json_unsigned(&j, "pid", rec->pid);
		json_unsigned(&j, "tid", rec->tid);
	}
	if (rec->comm[0])
		json_bytes(&j, "comm", rec->comm, sizeof(rec->comm));
	if (rec->comm[0] && rec->uid != XCAP_UID_UNKNOWN)
		json_unsigned(&j, "uid", rec->uid);
	if (a->container[0])
		json_text(&j, "container", a->container);
	for (int i = 0; i < a->nr; i++)
		json_field(&j, &a->fields[i]);
	json_close(&j, '}');
	json_line(&j);
}

static void json_loss(const struct probe *p, const struct xcap_record *rec)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_time(&j, "time", rec->wall_ns);
	json_text(&j, "probe", p->row.name);
	json_text(&j, "type", "loss");
	json_unsigned(&j, "lost", rec->loss.count);
	json_text(&j, "where", xcap_drop_name(rec->loss.where));
	json_close(&j, '}');
	json_line(&j);
}

static void line(struct probe *p, const struct answer *a)
{
	if (p->c.json)
		json_answer(p, a);
	else
		columns_line(&p->columns, a);
}

static void note_loss(const struct probe *p, const struct xcap_record *rec)
{
	if (p->c.json)
		json_loss(p, rec);
	else
		printf("--- %llu lost (%s)\n", rec->loss.count, xcap_drop_name(rec->loss.where));
}

/* How the durations of all lines are spread. */
static void note_duration(struct probe *p, const struct answer *a)
{
	for (int i = 0; i < a->nr; i++) {
		const struct xcap_field *f = &a->fields[i];

		if (f->kind != XCAP_FIELD_DURATION)
			continue;
		if (!f->value)		/* it is not known */
			return;
		p->slots[63 - __builtin_clzll(f->value)]++;
		snprintf(p->duration, sizeof(p->duration), "%s", f->name);
		return;
	}
}

static int print(struct capture *c, const struct xcap_record *recs, int nr)
{
	struct probe *p = (struct probe *)c;
	struct answer a;

	for (int i = 0; i < nr; i++) {
		if (recs[i].type == XCAP_LOSS)
			note_loss(p, &recs[i]);
		if (recs[i].type == XCAP_LOSS || !answer_of(p, &recs[i], &a))
			continue;
		if (p->totals) {
			if (totals_put(p->totals, &a))
				return -ENOMEM;
			continue;
		}
		if (p->count && p->nr_events == p->count)
			break;		/* what came before it had ended */
		p->nr_events++;
		c->over |= p->nr_events == p->count;
		note_duration(p, &a);
		line(p, &a);
	}
	return capture_printed(c);
}

/* ---- the end ---- */

static const struct xcap_field *histogram_of(const struct answer *a)
{
	for (int i = 0; i < a->nr; i++)
		if (a->fields[i].kind == XCAP_FIELD_HISTOGRAM)
			return &a->fields[i];
	return NULL;
}

static const char *label_of(const struct answer *a, const char *otherwise)
{
	for (int i = 0; i < a->nr; i++)
		if (a->fields[i].kind == XCAP_FIELD_TEXT)
			return a->fields[i].text;
	return otherwise;
}

static void sum_slots(const struct probe *p, int nr, const char *label, uint64_t *slots)
{
	for (int i = 0; i < nr; i++) {
		const struct answer *a = totals_at(p->totals, i);
		const struct xcap_field *h = histogram_of(a);

		if (!h || strcmp(label_of(a, p->row.name), label))
			continue;
		for (int k = 0; k < h->nr_slots; k++)
			slots[k] += h->slots[k];
	}
}

static bool came_before(const struct probe *p, int i)
{
	const char *label = label_of(totals_at(p->totals, i), p->row.name);

	for (int k = 0; k < i; k++)
		if (!strcmp(label_of(totals_at(p->totals, k), p->row.name), label))
			return true;
	return false;
}

/* One for each call, vector, ...: of all processes. */
static void draw_histograms(const struct probe *p, int nr, int shown)
{
	int drawn = 0;

	for (int i = 0; i < shown && drawn < HISTOGRAMS; i++) {
		const char *label = label_of(totals_at(p->totals, i), p->row.name);
		uint64_t slots[64] = { 0 };

		if (came_before(p, i))
			continue;
		sum_slots(p, nr, label, slots);
		probe_histogram(stdout, label, slots, 64);
		drawn++;
	}
}

static void print_totals(struct probe *p)
{
	int nr = p->totals ? totals_sort(p->totals) : 0;

	uint64_t most = p->count ? p->count : p->c.json ? UINT64_MAX : LINES;
	int shown = most < (uint64_t)nr ? (int)most : nr;

	for (int i = 0; i < shown; i++)
		line(p, totals_at(p->totals, i));
	if (!p->c.json && shown < nr)
		printf("... and %d row%s more; -c %d shows them\n", nr - shown,
		       nr - shown == 1 ? "" : "s", nr);
	if (p->totals)
		p->nr_events = nr;
	if (!p->c.json)
		draw_histograms(p, nr, shown);
}

static void json_slots(struct json *j, const struct probe *p)
{
	struct xcap_field f = { .name = p->duration, .kind = XCAP_FIELD_HISTOGRAM, .nr_slots = 40 };

	for (int i = 0; i < 64; i++)
		f.slots[i < 40 ? i : 39] += p->slots[i];
	json_open(j, "histogram", '{');
	json_field(j, &f);
	json_close(j, '}');
}

static void json_summary(const struct probe *p, const struct xcap_stats *s, int64_t ns)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "type", "summary");
	json_text(&j, "probe", p->row.name);
	json_unsigned(&j, p->totals ? "rows" : "events", p->nr_events);
	json_seconds(&j, "seconds", ns);
	json_unsigned(&j, "filtered", s->filtered);
	json_unsigned(&j, "dropped", capture_dropped(s));
	if (p->calls)
		json_unsigned(&j, "unpaired", calls_unpaired(p->calls));
	if (p->duration[0])
		json_slots(&j, p);
	json_close(&j, '}');
	json_line(&j);
}

static void text_summary(const struct probe *p, const struct xcap_stats *s, int64_t ns)
{
	uint64_t nr = p->nr_events;

	if (p->duration[0])
		probe_histogram(stdout, p->duration, p->slots, 64);
	printf("\n%s: %llu %s%s in %.3f s; %llu filtered, %llu dropped", p->row.name,
	       (unsigned long long)nr, p->totals ? "row" : "event", nr == 1 ? "" : "s", ns / 1e9,
	       s->filtered, capture_dropped(s));
	if (p->calls && calls_unpaired(p->calls))
		printf("; %llu calls had begun before",
		       (unsigned long long)calls_unpaired(p->calls));
	putchar('\n');
}

static void summary(struct probe *p)
{
	struct xcap_stats s = { .sz = sizeof(s) };
	int64_t ns = p->c.ended_ns - p->c.started_ns;

	print_totals(p);
	xcap_stats(p->c.x, -1, &s);
	if (p->c.json)
		json_summary(p, &s, ns);
	else
		text_summary(p, &s, ns);
}

/* ---- what is asked for ---- */

static int unknown(const struct command *cmd, const char *name)
{
	return options_wrong(cmd, "there is no probe '%s'; --list names them", name);
}

static int find_row(struct probe *p, const struct command *cmd, const char *name)
{
	p->row.sz = sizeof(p->row);
	for (int i = 0; xcap_probe_row(i, &p->row) == 1; i++)
		if (!strcmp(p->row.name, name))
			return OPTIONS_RUN;
	return unknown(cmd, name);
}

/* A filter that stands beside those of -p and --container. */
static int add_comm(struct probe *p, const struct command *cmd)
{
	char quoted[2 * 15 + 1], *to = quoted;

	if (!p->comm)
		return OPTIONS_RUN;
	if (!*p->comm)
		return options_wrong(cmd, "--comm: a name is missing");
	if (strlen(p->comm) > 15)
		return options_wrong(cmd, "--comm: '%s' is longer than the 15 bytes that the "
				     "kernel keeps of a name", p->comm);
	for (const char *c = p->comm; *c; c++) {
		if (*c == '\'' || *c == '\\')
			*to++ = '\\';
		*to++ = *c;
	}
	*to = '\0';
	if (asprintf(&p->filter, "proc.name='%s'", quoted) < 0)
		return options_wrong(cmd, "no memory");
	p->c.filter = p->filter;
	return OPTIONS_RUN;
}

static void look(struct capture *c)
{
	struct probe *p = (struct probe *)c;

	c->over = follow_is_over(&p->follow, c->x, capture_running_ns(c));
}

/* Totals of other names need no room in the kernel; what a spec cannot have, the filter does. */
static int make_spec(struct probe *p, const char *name)
{
	bool plain = p->comm && !p->comm[strspn(p->comm, "abcdefghijklmnopqrstuvwxyz"
						"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/")];

	return p->row.kind == XCAP_PROBE_TOTALS && plain ?
	       asprintf(&p->specs, "probe:%s?comm=%s", name, p->comm) :
	       asprintf(&p->specs, "probe:%s", name);
}

static int check(struct probe *p, const struct command *cmd, const char *name)
{
	int code = find_row(p, cmd, name);

	if (code == OPTIONS_RUN && p->row.nobody && (p->comm || follow_any(&p->follow)))
		code = options_wrong(cmd, "%s is no process's doing: --pid, --comm and --container "
				     "have nothing to choose from", name);

	if (code == OPTIONS_RUN)
		code = follow_check(&p->follow, cmd);
	if (code == OPTIONS_RUN)
		code = add_comm(p, cmd);
	if (code == OPTIONS_RUN && follow_any(&p->follow)) {
		code = follow_filter(&p->follow, p->c.filter);
		p->c.filter = p->follow.filter;
		p->c.look = look;
	}
	if (code == OPTIONS_RUN && make_spec(p, name) < 0)
		code = options_wrong(cmd, "no memory");
	p->c.specs = p->specs;
	return code == OPTIONS_RUN ? capture_check(&p->c, cmd, true) : code;
}

static void flush_each_second(struct capture *c)
{
	if (c->dirty)
		fflush(stdout);
}

/* As ps and ls have it: COLUMNS, if it is exported. */
static int width(void)
{
	const char *text = getenv("COLUMNS");
	int n = text ? atoi(text) : 0;

	return n > 80 && n < 10000 ? n - 1 : 79;
}

static int prepare(struct probe *p)
{
	struct capture *c = &p->c;

	p->columns.out = stdout;
	p->columns.wide = p->wide;
	p->columns.width = width();
	c->records = print;
	c->idle = capture_flush;
	c->tick = flush_each_second;
	if (p->row.kind == XCAP_PROBE_CALLS && !(p->calls = calls_new(p->row.name)))
		return -ENOMEM;
	if (p->row.kind == XCAP_PROBE_TOTALS && !(p->totals = totals_new()))
		return -ENOMEM;
	return 0;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct probe p = { .c.called = cmd->called, .follow.called = cmd->called };
	int words, code = options_parse(cmd, argc, argv, &p, &words);

	if (code == OPTIONS_RUN && p.list && words == argc)
		return list(&p);
	if (code == OPTIONS_RUN && words != argc - 1)
		code = options_wrong(cmd, words == argc ? "no probe is named; --list names them" :
				     "one probe at a time: -i probe:NAME,probe:NAME of xcap dump "
				     "takes several");
	if (code == OPTIONS_RUN)
		code = check(&p, cmd, argv[words]);
	if (code == OPTIONS_RUN && prepare(&p))
		code = options_wrong(cmd, "no memory");
	if (code == OPTIONS_RUN)
		code = capture_open(&p.c);
	if (code == OPTIONS_RUN) {
		capture_run(&p.c);
		summary(&p);
		capture_flush(&p.c);
		code = capture_exit_code(&p.c);
	}
	capture_close(&p.c);
	calls_free(p.calls);
	totals_free(p.totals);
	follow_close(&p.follow);
	free(p.filter);
	return code;
}

const struct command probe_command = {
	.name = "probe",
	.summary = "ask one question: who runs, opens, connects, is slow, drops what",
	.usage = "NAME [OPTION]... | --list",
	.rows = rows,
	.run = run,
};
