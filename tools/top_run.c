// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the stream.
 * Out:  the models of what is looked at, fed; and the file that is recorded.
 * Owns: the models, the records in hand, the sink of the recording.
 * Runs on: the tool's first thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "top.h"

#define NS_PER_SEC 1000000000LL
#define BATCHES 64		/* in a row, before keys are looked at */
#define DRAIN_NS NS_PER_SEC
#define DEFAULT_IDLE 60

int64_t top_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

void top_run_say(struct top_run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->message, sizeof(r->message), fmt, ap);
	va_end(ap);
}

struct top *top_run_model(const struct top_run *r)
{
	return r->levels[r->nr_levels - 1].model;
}

void top_run_crumbs(const struct top_run *r, char *buf, size_t size)
{
	size_t at = snprintf(buf, size, "all");

	for (int i = 1; i < r->nr_levels && at < size; i++)
		at += snprintf(buf + at, size - at, " > %s %s",
			       top_view_name(r->levels[i].condition.view), r->levels[i].title);
}

/* ---- time ---- */

int64_t top_run_due(const struct top_run *r)
{
	return r->begun ? r->first_ns + (top_mono_ns() - r->begun_ns) : INT64_MIN;
}

int64_t top_run_now(const struct top_run *r)
{
	if (!r->begun)
		return INT64_MIN;
	if (r->behind || (r->clock == TOP_CLOCK_FILE && r->fast))
		return r->last_ns;
	if (r->clock == TOP_CLOCK_PIPE)
		return r->last_ns + (top_mono_ns() - r->arrived_ns);
	return top_run_due(r);
}

void top_run_time(struct top_run *r, int64_t now_ns)
{
	for (int i = 0; i < r->nr_levels && now_ns > INT64_MIN; i++)
		top_time(r->levels[i].model, now_ns);
}

/* The interval that runs is over, and values are of so much time; 0: of all there was. */
static void finish(struct top_run *r, int64_t ns)
{
	top_run_time(r, top_interval_end(r->levels[0].model));
	for (int i = 0; i < r->nr_levels; i++)
		top_value_of(r->levels[i].model, ns);
}

void top_run_cut(struct top_run *r)
{
	const struct top *t = r->levels[0].model;
	int64_t now = r->clock == TOP_CLOCK_FILE ? r->last_ns : top_run_now(r);
	int64_t cut = now - (top_interval_end(t) - top_interval_ns(t));

	if (top_interval_end(t) == INT64_MIN || now == INT64_MIN || cut <= 0)
		return;
	r->cut_ns = cut;
	finish(r, cut);
}

/* ---- feeding ---- */

static void record_failed(struct top_run *r)
{
	top_run_say(r, "%s: %s", r->path, xcap_errmsg(r->c.x));
	xcap_sink_close(r->sink);
	r->sink = NULL;
}

static bool is_wanted(const struct top_run *r, const struct top_facts *f,
		      const struct xcap_record *rec, bool known)
{
	if (!r->nr_wanted || rec->type == XCAP_LOSS)
		return true;
	return known && top_facts_match(f, r->wanted, r->nr_wanted);
}

static void feed(struct top_run *r, const struct xcap_record *rec)
{
	struct top_facts f;
	bool known = top_facts(r->facts, &f, rec);

	if (known) {
		f.again = top_again(r->levels[0].model, &f);
		top_add(r->levels[0].model, &f);
	}
	for (int i = 1; known && i < r->nr_levels; i++) {
		if (!top_facts_match(&f, &r->levels[i].condition, 1))
			break;
		top_add(r->levels[i].model, &f);
	}
	if (!r->sink || !is_wanted(r, &f, rec, known))
		return;
	if (xcap_sink_put(r->sink, rec, 1))
		record_failed(r);
	else
		r->nr_recorded += rec->type != XCAP_LOSS;
}

/* Of the records in hand those that are due. Return: how many. */
static int feed_due(struct top_run *r, int64_t until_ns)
{
	int from = r->at;

	while (r->at < r->nr && r->recs[r->at].mono_ns < until_ns) {
		feed(r, &r->recs[r->at++]);
		r->c.nr_records++;
	}
	if (r->at > from && r->recs[r->at - 1].mono_ns > r->last_ns)
		r->last_ns = r->recs[r->at - 1].mono_ns;
	xcap_release(r->c.x, &r->recs[from], r->at - from);
	return r->at - from;
}

static void begin(struct top_run *r)
{
	int64_t now = top_mono_ns();

	if (!r->begun) {
		r->begun = true;
		r->begun_ns = now;
		r->first_ns = r->clock == TOP_CLOCK_LIVE ? now : r->recs[0].mono_ns;
		top_run_time(r, r->first_ns);
	}
	r->arrived_ns = now;
}

static int batch_size(const struct top_run *r)
{
	uint64_t left = r->c.count ? r->c.count - r->c.nr_records : TOP_BATCH;

	return left < TOP_BATCH ? left : TOP_BATCH;
}

int top_run_read(struct top_run *r, int64_t until_ns)
{
	int n, nr = 0;

	r->behind = false;
	for (int i = 0; i < BATCHES && !r->ended; i++) {
		if (r->at == r->nr) {
			n = xcap_next_batch(r->c.x, r->recs, batch_size(r), 0);
			r->at = 0;
			r->nr = n > 0 ? n : 0;
			if (n == 0 || n == -EINTR)
				break;
			if (n < 0 && n != -ENODATA) {
				top_run_say(r, "%s", xcap_errmsg(r->c.x));
				strcpy(r->failure, r->message);
				r->c.failed = true;
				r->ended = true;
				return n;
			}
			r->ended = n == -ENODATA;
			if (r->nr)
				begin(r);
		}
		nr += feed_due(r, until_ns);
		if (r->c.count && r->c.nr_records >= r->c.count)
			r->ended = true;
		r->behind = i == BATCHES - 1 && r->at == r->nr;
		if (r->at < r->nr)
			break;
	}
	r->again &= r->behind;
	if (r->ended) {
		if (r->clock != TOP_CLOCK_LIVE)
			finish(r, 0);	/* all is there: what there was in it */
		if (r->sink && r->clock == TOP_CLOCK_FILE)
			top_run_record_end(r);
	}
	return nr;
}

/* ---- levels ---- */

static int add_level(struct top_run *r)
{
	struct top_opts opts = { .interval_ns = r->interval_ns, .idle = r->idle };
	struct top_level *l = &r->levels[r->nr_levels];
	int err = top_new(&l->model, &opts);

	if (err)
		return err;
	if (r->nr_levels++)
		top_begin_as(l->model, r->levels[0].model);
	return 0;
}

static void reset(struct top_run *r)
{
	int64_t now = top_run_now(r);

	for (int i = 0; i < r->nr_levels; i++)
		top_reset(r->levels[i].model);
	top_facts_reset(r->facts);
	top_run_time(r, r->clock == TOP_CLOCK_FILE && r->begun ? r->first_ns : now);
}

/* Files from their start again, up to where they were. */
static int read_again(struct top_run *r)
{
	int err;

	if (r->sink)
		top_run_record_end(r);
	xcap_release(r->c.x, &r->recs[r->at], r->nr - r->at);
	r->at = r->nr = 0;
	r->c.nr_records = 0;
	r->c.filter = r->filter;
	err = capture_reopen(&r->c);
	if (err) {
		top_run_say(r, "%s", xcap_errmsg(NULL));
		return err;
	}
	r->ended = false;
	r->last_ns = r->first_ns;
	r->again = true;
	r->again_ns = top_mono_ns();
	reset(r);
	return 0;
}

int top_run_filter(struct top_run *r, const char *expression)
{
	char *copy = *expression ? strdup(expression) : NULL;
	int err;

	if (*expression && !copy)
		return -ENOMEM;
	err = xcap_set_filter(r->c.x, copy);
	if (err) {
		top_run_say(r, "%s", xcap_errmsg(r->c.x));
		free(copy);
		return err;
	}
	free(r->filter);
	r->filter = copy;
	r->c.filter = copy;
	top_run_say(r, copy ? "the filter is set" : "there is no filter any more");
	if (r->clock == TOP_CLOCK_FILE)
		return read_again(r);
	reset(r);
	return 0;
}

int top_run_enter(struct top_run *r, enum top_view view, const struct top_row *row)
{
	struct top_level *l = &r->levels[r->nr_levels];
	size_t len;
	int err;

	if (r->nr_levels == TOP_LEVELS) {
		top_run_say(r, "deeper it does not go; Backspace leads back");
		return -E2BIG;
	}
	l->condition = (struct top_condition){ view, row->key };
	len = top_row_text(view, row, l->title, sizeof(l->title));
	l->title[len] = '\0';
	err = add_level(r);
	if (err) {
		top_run_say(r, "no memory");
		return err;
	}
	err = r->clock == TOP_CLOCK_FILE ? read_again(r) : 0;
	if (err)
		top_run_back(r);
	if (err || r->clock == TOP_CLOCK_FILE)
		return err;
	top_run_say(r, "what it does from now on; Backspace leads back");
	return 0;
}

int top_run_back(struct top_run *r)
{
	if (r->nr_levels == 1)
		return -ENOENT;
	r->nr_levels--;
	top_free(r->levels[r->nr_levels].model);
	r->levels[r->nr_levels].model = NULL;
	return 0;
}

/* ---- recording ---- */

int top_run_record(struct top_run *r, const char *path)
{
	char spec[sizeof(r->path) + 8];
	int err;

	if (strlen(path) >= sizeof(r->path)) {
		top_run_say(r, "the name is too long");
		return -ENAMETOOLONG;
	}
	if (!access(path, F_OK)) {
		top_run_say(r, "%s exists; name another file", path);
		return -EEXIST;
	}
	if (r->clock == TOP_CLOCK_FILE) {
		err = read_again(r);
		if (err)
			return err;
	}
	strcpy(r->path, path);
	snprintf(spec, sizeof(spec), "pcapng:%s", path);
	err = xcap_sink_open(&r->sink, spec, r->c.x);
	if (err) {
		top_run_say(r, "%s", xcap_errmsg(r->c.x));
		r->sink = NULL;
		return err;
	}
	r->nr_recorded = 0;
	r->nr_wanted = r->nr_levels - 1;
	for (int i = 1; i < r->nr_levels; i++)
		r->wanted[i - 1] = r->levels[i].condition;
	return 0;
}

int top_run_record_end(struct top_run *r)
{
	int err = xcap_sink_close(r->sink);

	r->sink = NULL;
	if (err)
		top_run_say(r, "%s: %s", r->path, xcap_errmsg(r->c.x));
	else
		top_run_say(r, "%llu records are in %s", (unsigned long long)r->nr_recorded,
			    r->path);
	return err;
}

/* ---- begin and end ---- */

/* The path in "file:PATH", where a backslash takes the meaning from what follows it. */
static bool is_regular(const char *spec)
{
	char path[4096];
	struct stat st;
	size_t n = 0;

	if (strncmp(spec, "file:", 5))
		return false;
	for (spec += 5; *spec && *spec != '?' && n < sizeof(path) - 1; spec++) {
		if (*spec == '\\' && spec[1])
			spec++;
		path[n++] = *spec;
	}
	path[n] = '\0';
	return !stat(path, &st) && S_ISREG(st.st_mode);
}

static void know_sources(struct top_run *r)
{
	struct xcap_source_info info = { .sz = sizeof(info) };

	r->clock = TOP_CLOCK_FILE;
	for (int i = 0; i < xcap_nr_sources(r->c.x); i++) {
		if (xcap_source_info(r->c.x, i, &info))
			continue;
		top_facts_source(r->facts, i, info.spec);
		if (strcmp(info.mode, "file"))
			r->clock = TOP_CLOCK_LIVE;
		else if (r->clock == TOP_CLOCK_FILE && !is_regular(info.spec))
			r->clock = TOP_CLOCK_PIPE;
	}
}

static int no_memory(const struct top_run *r)
{
	fprintf(stderr, "%s: no memory\n", r->c.called);
	return EXIT_FAILED;
}

int top_run_open(struct top_run *r)
{
	int code;

	r->last_ns = INT64_MIN;
	if (top_facts_new(&r->facts))
		return no_memory(r);
	r->filter = r->c.filter ? strdup(r->c.filter) : NULL;
	code = capture_open(&r->c);
	if (code != OPTIONS_RUN)
		return code;
	know_sources(r);
	if (r->idle == TOP_IDLE_UNSET)	/* what was in a file is asked at its end */
		r->idle = r->clock == TOP_CLOCK_FILE ? 0 : DEFAULT_IDLE;
	if (add_level(r))
		return no_memory(r);
	r->c.started_ns = top_mono_ns();
	if (r->clock == TOP_CLOCK_LIVE)
		begin(r);
	return OPTIONS_RUN;
}

void top_run_stop(struct top_run *r)
{
	int64_t until = top_mono_ns() + DRAIN_NS;

	r->c.ended_ns = top_mono_ns();
	if (r->ended || r->clock == TOP_CLOCK_FILE) {
		xcap_release(r->c.x, &r->recs[r->at], r->nr - r->at);
		r->at = r->nr = 0;
		xcap_discard(r->c.x);
	} else {
		xcap_stop(r->c.x);
		while (!r->ended && top_mono_ns() < until)
			top_run_read(r, INT64_MAX);
	}
	if (r->sink)
		top_run_record_end(r);
}

void top_run_close(struct top_run *r)
{
	xcap_sink_close(r->sink);
	capture_close(&r->c);
	while (r->nr_levels)
		top_free(r->levels[--r->nr_levels].model);
	top_facts_free(r->facts);
	free(r->filter);
}
