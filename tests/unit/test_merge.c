// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   lanes made of arrays, with watermarks that are honest, silent or stuck.
 * Out:  that the merge keeps its promises: order, completeness, slack, late.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "clock.h"
#include "merge.h"

#define MAX_LANES 9
#define MAX_RECORDS 4000

struct fake_lane {
	int64_t times[MAX_RECORDS];
	int nr;			/* records it will ever have */
	int visible;		/* peek sees so many */
	int peeked;
	int end;		/* what peek says at nr: -ENODATA, or another error */
	int64_t watermark;	/* INT64_MIN: says nothing; INT64_MAX: honest, by what is visible */
};

struct fake {
	struct source s;
	struct fake_lane lanes[MAX_LANES];
};

static int fake_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct fake_lane *l = &((struct fake *)s)->lanes[lane];
	int n = 0;

	for (; n < max && l->peeked < l->visible; n++)
		recs[n] = (struct xcap_record){ .mono_ns = l->times[l->peeked++],
						.type = XCAP_PACKET, .tid = lane };
	return n || l->peeked < l->nr ? n : l->end;
}

static int64_t fake_watermark(struct source *s, int lane)
{
	struct fake_lane *l = &((struct fake *)s)->lanes[lane];

	if (l->watermark != INT64_MAX)
		return l->watermark;
	return l->peeked < l->nr ? l->times[l->peeked] : INT64_MAX;
}

static const struct source_ops fake_ops = { .peek = fake_peek, .watermark = fake_watermark };

static struct fake *fake_new(int nr_lanes, int64_t slack_ns)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->s.ops = &fake_ops;
	f->s.nr_lanes = nr_lanes;
	f->s.slack_ns = slack_ns;
	for (int i = 0; i < nr_lanes; i++) {
		f->lanes[i].end = -ENODATA;
		f->lanes[i].watermark = INT64_MAX;
	}
	return f;
}

static void add_times(struct fake_lane *l, int nr, int64_t first, int64_t step)
{
	for (int i = 0; i < nr; i++)
		l->times[i] = first + i * step;
	l->nr = l->visible = nr;
}

static struct merge *merge_of(struct fake *f)
{
	struct source *sources[] = { &f->s };
	struct merge *m;

	assert_int_equal(merge_new(&m, sources, 1), 0);
	return m;
}

/* Lanes grow at random; each honest watermark is a promise about the next record. */
static void random_lanes_come_out_in_order(void **state)
{
	for (unsigned int seed = 1; seed <= 60; seed++) {
		int nr_lanes = 1 + seed % MAX_LANES, total = 0, got = 0, n;
		int per_lane[MAX_LANES] = { 0 };
		struct fake *f = fake_new(nr_lanes, INT64_MAX);
		struct xcap_record recs[37];
		int64_t last = INT64_MIN, hold;
		struct merge *m;

		srand(seed);
		for (int i = 0; i < nr_lanes; i++) {
			struct fake_lane *l = &f->lanes[i];
			int64_t t = rand() % 50;

			l->nr = rand() % (MAX_RECORDS / 4);
			for (int r = 0; r < l->nr; r++, t += rand() % 3)
				l->times[r] = t;
			total += l->nr;
		}
		m = merge_of(f);
		while ((n = merge_take(m, recs, 1 + rand() % 37, &hold)) != -ENODATA) {
			assert_in_range(n, 0, 37);
			for (int i = 0; i < n; i++, got++) {
				assert_true(recs[i].mono_ns >= last);
				assert_false(recs[i].flags & XCAP_REC_LATE);
				last = recs[i].mono_ns;
				per_lane[merge_source_lane(m, recs[i].lane)]++;
				assert_int_equal(recs[i].tid, merge_source_lane(m, recs[i].lane));
			}
			for (int i = 0; i < nr_lanes; i++) {
				struct fake_lane *l = &f->lanes[i];

				l->visible += rand() % 9;
				if (l->visible > l->nr)
					l->visible = l->nr;
			}
		}
		assert_int_equal(got, total);
		for (int i = 0; i < nr_lanes; i++)
			assert_int_equal(per_lane[i], f->lanes[i].nr);
		merge_free(m);
		free(f);
	}
}

static void silent_lane_holds_others_until_its_slack(void **state)
{
	struct fake *f = fake_new(2, 30 * NS_PER_MS);
	int64_t now = clock_mono_ns(), hold;
	struct xcap_record recs[8];
	struct merge *m;

	add_times(&f->lanes[0], 3, now, 1);
	f->lanes[1].nr = 1;		/* has one, shows none, says nothing */
	f->lanes[1].times[0] = now + 1;
	f->lanes[1].watermark = INT64_MIN;
	m = merge_of(f);
	assert_int_equal(merge_take(m, recs, 8, &hold), 0);
	assert_int_equal(hold, now + 30 * NS_PER_MS);
	while (clock_mono_ns() < hold)
		;
	/* all that the slack is over for, and not more */
	assert_in_range(merge_take(m, recs, 8, &hold), 1, 3);
	while (clock_mono_ns() < now + 31 * NS_PER_MS)
		;
	merge_take(m, recs, 8, &hold);
	f->lanes[1].visible = 1;
	assert_int_equal(merge_take(m, recs, 8, &hold), 1);
	assert_int_equal(recs[0].mono_ns, now + 1);
	assert_true(recs[0].flags & XCAP_REC_LATE);
	assert_int_equal(merge_take(m, recs, 8, &hold), -ENODATA);
	merge_free(m);
	free(f);
}

static void lane_without_bound_is_waited_for(void **state)
{
	struct fake *f = fake_new(2, INT64_MAX);
	struct xcap_record recs[8];
	struct merge *m;
	int64_t hold;

	add_times(&f->lanes[0], 3, 100, 1);
	f->lanes[1].nr = 1;
	f->lanes[1].times[0] = 50;
	f->lanes[1].watermark = INT64_MIN;
	m = merge_of(f);
	for (int i = 0; i < 10; i++)
		assert_int_equal(merge_take(m, recs, 8, &hold), 0);
	f->lanes[1].visible = 1;
	assert_int_equal(merge_take(m, recs, 8, &hold), 4);
	assert_int_equal(recs[0].mono_ns, 50);
	assert_int_equal(recs[3].mono_ns, 102);
	merge_free(m);
	free(f);
}

/* A watermark lets records of its own instant go: only older ones are excluded. */
static void watermark_equal_to_a_record_lets_it_go(void **state)
{
	struct fake *f = fake_new(2, INT64_MAX);
	struct xcap_record recs[8];
	struct merge *m;
	int64_t hold;

	add_times(&f->lanes[0], 2, 100, 1);
	f->lanes[1].nr = 1;
	f->lanes[1].times[0] = 100;
	f->lanes[1].watermark = 100;
	m = merge_of(f);
	assert_int_equal(merge_take(m, recs, 8, &hold), 1);
	assert_int_equal(recs[0].mono_ns, 100);
	assert_int_equal(merge_take(m, recs, 8, &hold), 0);
	f->lanes[1].visible = 1;
	assert_int_equal(merge_take(m, recs, 8, &hold), 2);
	assert_false(recs[0].flags & XCAP_REC_LATE);
	merge_free(m);
	free(f);
}

static void failure_is_told_once_after_the_records(void **state)
{
	struct fake *f = fake_new(2, INT64_MAX);
	struct xcap_record recs[8];
	struct merge *m;
	int64_t hold;

	add_times(&f->lanes[0], 2, 1, 10);
	add_times(&f->lanes[1], 2, 2, 10);
	f->lanes[0].end = -ENETDOWN;
	m = merge_of(f);
	assert_int_equal(merge_take(m, recs, 8, &hold), 3);	/* lane 0 fails behind 11 */
	assert_int_equal(merge_take(m, recs, 8, &hold), -ENETDOWN);
	assert_int_equal(merge_take(m, recs, 8, &hold), 1);
	assert_int_equal(merge_take(m, recs, 8, &hold), -ENODATA);
	assert_int_equal(merge_take(m, recs, 8, &hold), -ENODATA);
	merge_free(m);
	free(f);
}

/* Steps back inside one lane are late, not out of order, and nothing is lost. */
static void step_back_in_a_lane_is_flagged(void **state)
{
	static const int64_t times[] = { 10, 20, 15, 20, 5, 30 };
	static const int late[] = { 0, 0, 1, 0, 1, 0 };
	struct fake *f = fake_new(1, INT64_MAX);
	struct xcap_record recs[8];
	struct merge *m;
	int64_t hold;

	memcpy(f->lanes[0].times, times, sizeof(times));
	f->lanes[0].nr = f->lanes[0].visible = 6;
	m = merge_of(f);
	assert_int_equal(merge_take(m, recs, 8, &hold), 6);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(recs[i].mono_ns, times[i]);
		assert_int_equal(!!(recs[i].flags & XCAP_REC_LATE), late[i]);
	}
	merge_free(m);
	free(f);
}

static void record_of_the_future_does_not_spin(void **state)
{
	struct fake *f = fake_new(1, INT64_MAX), *live = fake_new(1, 2 * NS_PER_MS);
	struct source *sources[] = { &f->s, &live->s };
	int64_t future = clock_mono_ns() + 3600 * NS_PER_SEC, hold;
	struct xcap_record recs[8];
	struct merge *m;

	add_times(&f->lanes[0], 1, future, 0);
	live->lanes[0].nr = 1;		/* lives, has nothing yet */
	live->lanes[0].watermark = clock_mono_ns();
	assert_int_equal(merge_new(&m, sources, 2), 0);
	assert_int_equal(merge_take(m, recs, 8, &hold), 0);
	assert_true(hold > clock_mono_ns());
	merge_free(m);
	free(f);
	free(live);
}

static void no_lanes_have_ended(void **state)
{
	struct fake *f = fake_new(0, INT64_MAX);
	struct xcap_record rec;
	struct merge *m = merge_of(f);
	int64_t hold;

	assert_int_equal(merge_take(m, &rec, 1, &hold), -ENODATA);
	merge_free(m);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lanes_come_out_in_order),
		cmocka_unit_test(silent_lane_holds_others_until_its_slack),
		cmocka_unit_test(lane_without_bound_is_waited_for),
		cmocka_unit_test(watermark_equal_to_a_record_lets_it_go),
		cmocka_unit_test(failure_is_told_once_after_the_records),
		cmocka_unit_test(step_back_in_a_lane_is_flagged),
		cmocka_unit_test(record_of_the_future_does_not_spin),
		cmocka_unit_test(no_lanes_have_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
