// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a stream.
 * Out:  screens as plain text, or an object per line, on standard output.
 * Owns: nothing.
 * Runs on: the tool's first thread.
 *
 * What is read from files is not waited for: their records say what time it is. The last screen
 * as text is of all of a file, or of as much of an interval as there was.
 */
#include <string.h>
#include "json.h"
#include "top_batch.h"
#include "top_hosts.h"
#include "top_loop.h"

#define SILENT 60	/* intervals without a record, one after the other, that are shown */

static double age(const struct top_run *r)
{
	int64_t end = top_interval_end(r->levels[0].model);

	if (end == INT64_MIN)
		return 0;
	end -= top_interval_ns(r->levels[0].model);
	/* what was cut is closed, but has not lasted so long */
	if (r->cut_ns)
		end += r->cut_ns - top_interval_ns(r->levels[0].model);
	return (end - r->first_ns) / 1e9;
}

/* ---- text ---- */

static void put_line(void *user, int y, const struct top_line *l, enum top_style style)
{
	size_t len = l->len;

	while (len && l->text[len - 1] == ' ')
		len--;
	printf("%.*s\n", (int)len, l->text);
}

static void print_text(struct top_run *r, struct top_look *look)
{
	struct top_head head = {
		.model = top_run_model(r), .seconds = age(r), .crumbs = "all",
		.filter = r->filter, .stats.sz = sizeof(head.stats),
		.told = top_sum(r->levels[0].model)->total[TOP_LOST],
	};

	head.state = top_value_is_sum(head.model) ? "ended" : "";
	xcap_stats(r->c.x, -1, &head.stats);
	top_page(look, &head, put_line, NULL);
	putchar('\n');
}

/* ---- JSON ---- */

static const char *const counters[TOP_COUNTERS] = {
	[TOP_PACKETS_IN] = "packets_in", [TOP_PACKETS_OUT] = "packets_out",
	[TOP_BYTES_IN] = "bytes_in", [TOP_BYTES_OUT] = "bytes_out", [TOP_CALLS] = "calls",
	[TOP_ERRORS] = "errors", [TOP_READ] = "read", [TOP_WRITTEN] = "written",
	[TOP_WAITED] = "waited", [TOP_WAIT_NS] = "wait_ns", [TOP_LOST] = "lost",
};

static void json_counters(struct json *j, const char *key, const uint64_t *n)
{
	json_open(j, key, '{');
	for (int i = 0; i < TOP_COUNTERS; i++)
		if (n[i])
			json_unsigned(j, counters[i], n[i]);
	json_close(j, '}');
}

static void json_row(struct json *j, enum top_view view, const struct top_row *row)
{
	char text[TOP_TEXT_MAX];
	const char *part;

	json_open(j, NULL, '{');
	for (int i = 0; (part = top_row_part(view, row, i, text, sizeof(text))); i++)
		json_text(j, part, text);
	json_counters(j, "last", row->last);
	json_counters(j, "total", row->total);
	json_close(j, '}');
}

static void json_losses(struct json *j, const struct xcap_stats *s)
{
	json_unsigned(j, "seen", s->seen);
	json_unsigned(j, "delivered", s->delivered);
	json_unsigned(j, "filtered", s->filtered);
	json_open(j, "dropped", '{');
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		if (s->dropped[i])
			json_unsigned(j, xcap_drop_name(i), s->dropped[i]);
	json_close(j, '}');
}

static void print_json(struct top_run *r, struct top_look *look)
{
	struct json j = { .out = stdout };
	struct xcap_stats s = { .sz = sizeof(s) };
	struct top *model = top_run_model(r);

	xcap_stats(r->c.x, -1, &s);
	top_look_pick(look, model);
	json_open(&j, NULL, '{');
	json_text(&j, "view", top_view_name(look->view));
	json_seconds(&j, "age", (int64_t)(age(r) * 1e9));
	json_seconds(&j, "interval", r->cut_ns ?: top_interval_ns(model));
	json_losses(&j, &s);
	json_counters(&j, "last", top_sum(model)->last);
	json_counters(&j, "total", top_sum(model)->total);
	json_unsigned(&j, "nr_rows", top_nr_rows(model, look->view));
	json_open(&j, "rows", '[');
	for (uint32_t i = 0; i < look->nr_rows; i++)
		json_row(&j, look->view, look->rows[i]);
	json_close(&j, ']');
	json_counters(&j, "other", top_other(model, look->view)->total);
	json_counters(&j, "gone", top_gone(model, look->view)->total);
	json_close(&j, '}');
	json_line(&j);
}

/* ---- both ---- */

/* Return: false: the reader is gone, or all is printed. */
static bool print(struct top_batch *b, struct top_run *r, struct top_look *look)
{
	for (int i = 0; i < b->nr_views; i++) {
		look->view = b->views[i];
		look->lines = top_page_lines(b->rows);
		if (b->json)
			print_json(r, look);
		else
			print_text(r, look);
	}
	if (r->guest && r->guest->tick)
		r->guest->tick(r->guest, r->levels[0].model);
	return !capture_flush(&r->c) && (++b->printed < b->screens || !b->screens);
}

/*
 * A screen for each interval of the records' own time, and one for the last, which is cut. Of a
 * silence of years, which whoever writes a file can claim, there is no end of screens otherwise.
 */
static void run_file(struct top_batch *b, struct top_run *r, struct top_look *look)
{
	int64_t end;
	int silent = 0, fed;

	top_run_read(r, INT64_MIN);
	while (!top_loop_over(r) && !r->ended) {
		end = top_interval_end(r->levels[0].model);
		fed = top_run_read(r, end);
		silent = fed ? 0 : silent + 1;
		if (r->at == r->nr)
			continue;
		top_run_time(r, silent > SILENT ? r->recs[r->at].mono_ns : end);
		if (!r->ended && !print(b, r, look))
			return;
	}
	if (!r->ended)
		top_run_cut(r);
	print(b, r, look);
}

static void run_live(struct top_batch *b, struct top_run *r, struct top_look *look)
{
	int64_t date = top_loop_date(r);

	while (!top_loop_over(r) && !r->ended) {
		top_loop_step(r, -1, date);
		if (date == INT64_MAX)
			date = top_loop_date(r);
		if (r->ended || top_mono_ns() < date)
			continue;
		top_loop_time(r);
		if (!print(b, r, look))
			return;
		date = top_loop_date(r);
	}
	top_run_stop(r);	/* what is under way still counts */
	if (!top_value_is_sum(r->levels[0].model))
		top_run_cut(r);
	print(b, r, look);
}

static const char *host_name(void *user, int family, const uint8_t *address)
{
	return top_hosts_name(user, family, address);
}

void top_batch_run(struct top_batch *b, struct top_run *r, struct top_look *look)
{
	struct top_hosts *hosts = NULL;
	struct top_resolver resolver = { host_name, NULL };

	if (b->names && !top_hosts_new(&hosts)) {
		resolver.user = hosts;
		look->resolver = &resolver;
	}
	if (r->clock == TOP_CLOCK_FILE)
		run_file(b, r, look);
	else
		run_live(b, r, look);
	look->resolver = NULL;
	top_hosts_free(hosts);
}
