// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   lanes of sources, each in time order (peek, watermark).
 * Out:  one sequence in time order (merge_take), late records flagged.
 * Owns: copies of the record headers on their way; bytes stay with the sources.
 * Runs on: the thread of the handle.
 *
 * A tree of winners stands over the lanes. A lane's key is the time of its oldest
 * record, or, when it has none, its watermark: the time before which nothing more
 * can come from it. The smallest key decides. If it belongs to a record, the
 * record goes, with all behind it in its lane up to the second smallest key. If it
 * belongs to an empty lane, that lane is asked again; when it cannot say more,
 * what others have is held until the slack is over. What then still comes from
 * the slow lane is late: it goes at once, flagged, with its true time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "merge.h"

#define ASKS 256		/* of each lane, in one call: some tens of microseconds */

struct lane {
	struct source *source;
	int id;			/* of the lane in its source */
	int head, nr;		/* records [head, nr) of buf wait */
	bool ended;
	unsigned int asked;	/* round in which it was last asked */
	int64_t bound_ns;	/* nothing older will come, or slack is over */
	struct xcap_record *buf;
};

struct merge {
	int nr;
	int leaves;		/* power of two, at least nr */
	struct lane *lanes;
	int64_t *keys;		/* by leaf */
	int *tree;		/* tree[1] wins; tree[leaves + i] is leaf i */
	int nr_ready;		/* lanes that have a record */
	unsigned int round;	/* calls of merge_take() */
	int64_t last_ns;	/* of the last record that was not late */
	int failed;		/* -errno of a source, to be told */
};

static int count_lanes(struct source **sources, int nr)
{
	int n = 0;

	for (int i = 0; i < nr; i++)
		n += sources[i]->nr_lanes;
	return n;
}

static inline bool has_record(const struct lane *l)
{
	return l->head < l->nr;
}

/* At equal times a record goes before a watermark: "nothing older" allows it. */
static inline int winner(const struct merge *m, int a, int b)
{
	if (m->keys[a] != m->keys[b])
		return m->keys[a] < m->keys[b] ? a : b;
	return a < m->nr && has_record(&m->lanes[a]) ? a : b;
}

static inline void rekey(struct merge *m, int leaf)
{
	struct lane *l = &m->lanes[leaf];

	if (has_record(l))
		m->keys[leaf] = l->buf[l->head].mono_ns;
	else
		m->keys[leaf] = l->ended ? INT64_MAX : l->bound_ns;
	for (int i = (m->leaves + leaf) / 2; i; i /= 2)
		m->tree[i] = winner(m, m->tree[2 * i], m->tree[2 * i + 1]);
}

/* Who lost against the winner on its way up: the smallest of them is second. */
static inline int64_t second_key(const struct merge *m, int leaf)
{
	int64_t second = INT64_MAX;

	for (int i = m->leaves + leaf; i > 1; i /= 2)
		if (m->keys[m->tree[i ^ 1]] < second)
			second = m->keys[m->tree[i ^ 1]];
	return second;
}

int merge_new(struct merge **out, struct source **sources, int nr)
{
	struct merge *m = calloc(1, sizeof(*m));
	int n = 0;

	if (!m)
		return -ENOMEM;
	m->nr = count_lanes(sources, nr);
	m->last_ns = INT64_MIN;
	for (m->leaves = 1; m->leaves < m->nr; )
		m->leaves *= 2;
	m->lanes = calloc(m->nr, sizeof(*m->lanes));
	m->keys = calloc(m->leaves, sizeof(*m->keys));
	m->tree = calloc(2 * m->leaves, sizeof(*m->tree));
	if (!m->lanes || !m->keys || !m->tree)
		goto fail;
	for (int i = 0; i < nr; i++) {
		for (int id = 0; id < sources[i]->nr_lanes; id++) {
			struct lane *l = &m->lanes[n++];

			l->source = sources[i];
			l->id = id;
			l->bound_ns = INT64_MIN;
			l->buf = malloc(MERGE_BATCH * sizeof(*l->buf));
			if (!l->buf)
				goto fail;
		}
	}
	for (int i = 0; i < m->leaves; i++) {
		m->keys[i] = i < m->nr ? INT64_MIN : INT64_MAX;
		m->tree[m->leaves + i] = i;
	}
	for (int i = m->leaves - 1; i; i--)
		m->tree[i] = winner(m, m->tree[2 * i], m->tree[2 * i + 1]);
	*out = m;
	return 0;
fail:
	merge_free(m);
	return -ENOMEM;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	for (int i = 0; m->lanes && i < m->nr; i++)
		free(m->lanes[i].buf);
	free(m->lanes);
	free(m->keys);
	free(m->tree);
	free(m);
}

/* Fill an empty lane. Return: as peek. */
static int fill(struct merge *m, struct lane *l)
{
	int n = l->source->ops->peek(l->source, l->id, l->buf, MERGE_BATCH);

	if (n > 0) {
		l->head = 0;
		l->nr = n;
		l->asked = m->round - 1;	/* there may be more behind these */
		m->nr_ready++;
	} else if (n < 0) {
		l->ended = true;
		if (n != -ENODATA)
			m->failed = n;
	}
	return n;
}

/* Return: true: the lane has a record, has ended, or knows more than before. */
static bool refresh(struct merge *m, int leaf)
{
	struct lane *l = &m->lanes[leaf];
	bool news = false;

	/* a watermark that says nothing new may have seen records come: look at them, ask again */
	for (int i = 0; i < 2 && !news; i++) {
		int64_t bound;

		if (fill(m, l)) {
			news = true;
			break;
		}
		bound = l->source->ops->watermark(l->source, l->id);
		if (bound > l->bound_ns) {
			l->bound_ns = bound;
			news = true;
		}
	}
	if (news)
		rekey(m, leaf);
	return news;
}

/* Of what is there, also in lanes whose turn to be asked has not come. */
static int64_t oldest_held(struct merge *m)
{
	int64_t oldest = INT64_MAX;

	for (int i = 0; i < m->nr; i++) {
		struct lane *l = &m->lanes[i];

		if (!has_record(l) && !l->ended && l->asked != m->round) {
			l->asked = m->round;
			refresh(m, i);
		}
		if (has_record(l) && m->keys[i] < oldest)
			oldest = m->keys[i];
	}
	return oldest;
}

/*
 * The winning lane is empty and says nothing new. Return: true: its slack is over
 * and it is passed over up to where that leads; else *hold_until is set.
 */
static bool pass_over(struct merge *m, int leaf, int64_t *hold_until)
{
	struct lane *l = &m->lanes[leaf];
	int64_t oldest = oldest_held(m), slack = l->source->slack_ns, now;

	*hold_until = INT64_MAX;
	if (oldest == INT64_MAX || slack == INT64_MAX)
		return false;
	now = clock_mono_ns();
	if (now - slack < oldest) {
		*hold_until = oldest + slack;
		return false;
	}
	l->bound_ns = now - slack;	/* more than it was: the others' oldest is behind it */
	rekey(m, leaf);
	return true;
}

/* The winner's records up to the second key. Return: how many were copied. */
static int take_run(struct merge *m, int leaf, struct xcap_record *recs, int max)
{
	struct lane *l = &m->lanes[leaf];
	int64_t limit = second_key(m, leaf);
	int n = 0;

	while (n < max && has_record(l) && l->buf[l->head].mono_ns <= limit) {
		struct xcap_record *r = &recs[n++];

		*r = l->buf[l->head++];
		r->lane = leaf;
		if (r->mono_ns < m->last_ns)
			r->flags |= XCAP_REC_LATE;
		else
			m->last_ns = r->mono_ns;
	}
	if (!has_record(l))
		m->nr_ready--;
	rekey(m, leaf);
	return n;
}

/* Told once, when the failed lane has nothing more. */
static int take_failure(struct merge *m)
{
	int err = m->failed;

	m->failed = 0;
	return err;
}

int merge_take(struct merge *m, struct xcap_record *recs, int max, int64_t *hold_until)
{
	int n = 0, asks = 0;

	*hold_until = INT64_MAX;
	m->round++;
	while (n < max && !m->failed) {
		int leaf = m->tree[1];
		struct lane *l = &m->lanes[leaf];

		if (m->keys[leaf] == INT64_MAX)
			return n ?: -ENODATA;
		if (has_record(l)) {
			n += take_run(m, leaf, &recs[n], max - n);
			continue;
		}
		/* a live lane always knows more a moment later: enough, if others wait for us */
		if (l->asked == m->round && (n || !m->nr_ready))
			break;
		l->asked = m->round;
		if (++asks > ASKS * m->nr) {	/* of the future, such as a file's record can be */
			*hold_until = oldest_held(m);
			break;
		}
		if (!refresh(m, leaf) && !pass_over(m, leaf, hold_until))
			break;
	}
	return n ?: take_failure(m);
}

struct source *merge_source(const struct merge *m, uint32_t lane)
{
	return m->lanes[lane].source;
}

int merge_source_lane(const struct merge *m, uint32_t lane)
{
	return m->lanes[lane].id;
}

bool merge_only(const struct merge *m, const struct source *s)
{
	for (int i = 0; i < m->nr; i++)
		if (m->lanes[i].source != s && (!m->lanes[i].ended || has_record(&m->lanes[i])))
			return false;
	return true;
}

int64_t merge_watermark(const struct merge *m)
{
	return m->keys[m->tree[1]];
}

int merge_nr_lanes(const struct merge *m)
{
	return m->nr;
}
