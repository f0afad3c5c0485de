// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what the merge lends.
 * Out:  records for the reader: named, dated, filtered, counted.
 * Owns: nothing: the handle is stream_open.c's.
 * Runs on: the thread of the handle; xcap_break() on any.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include "clock.h"
#include "stream.h"
#include "xcap_event.h"

#define WALL_REFRESH_NS (NS_PER_SEC / 4)
#define DISCARD_NS NS_PER_SEC	/* longest wait for what is to be thrown away */
#define TEND_NS (2 * NS_PER_MS)	/* longest time that a tender waits while records flow */
#define LOOKS 64		/* in a row at what the filter refuses, before time is looked at */

/* one numbering on both sides */
_Static_assert((int)XCAP_PACKET == XEV_PACKET && (int)XCAP_SYS_ENTER == XEV_ENTER &&
	       (int)XCAP_SYS_EXIT == XEV_EXIT && (int)XCAP_SWITCH == XEV_SWITCH &&
	       (int)XCAP_LOSS == XEV_LOSS && (int)XCAP_PROBE == XEV_PROBE &&
	       (int)SOURCE_TASK == XEV_TASK, "record types");

/* ---- settling what the merge gave ---- */

static void give_back(struct xcap *x, uint32_t lane, int n)
{
	struct source *s = merge_source(x->merge, lane);

	s->ops->release(s, merge_source_lane(x->merge, lane), n);
}

/* The reader will not see it: it goes back with what was lent before it, or at once. */
static void skip(struct xcap *x, const struct xcap_record *rec)
{
	struct stream_lane *l = &x->lanes[rec->lane];

	l->skipped++;
	if (l->outstanding)
		return;
	give_back(x, rec->lane, l->skipped);
	l->skipped = 0;
}

static inline void lend(struct xcap *x, struct xcap_record *rec)
{
	struct stream_lane *l = &x->lanes[rec->lane];

	rec->span = 1 + l->skipped;
	rec->epoch = epoch_lend(tables_epoch(x->tables));
	l->skipped = 0;
	l->outstanding++;
}

static inline bool matches(struct xcap *x, const struct xcap_record *rec)
{
	if (!x->filter || (x->kernels && rec->mono_ns >= x->sources[rec->source]->filter_ns))
		return true;
	return filter_match(x->filter, rec);
}

static void own(struct xcap *x, struct xcap_record *rec)
{
	const struct source *s = x->sources[rec->source];

	if (s->wants & SOURCE_WANTS_SOCKETS)
		tables_own(x->tables, rec, x->netns, s->loopback);
}

/* Of a task, or of a socket whose process is looked for. */
static void join_probe(struct xcap *x, struct xcap_record *rec)
{
	if (rec->pid)
		tables_join(x->tables, rec);
	else if (rec->probe.cookie && x->owners)
		tables_own_socket(x->tables, rec, rec->probe.cookie);
}

/* Return: true: the reader gets it. */
static inline bool settle(struct xcap *x, struct xcap_record *rec)
{
	bool keep = true;

	if (rec->type >= SOURCE_TASK) {
		x->nr_inner[rec->source]++;
		tables_apply(x->tables, rec);
		return false;
	}
	if (rec->source >= x->nr_sources)
		return false;	/* a loss of records for the tables: in the accounts */
	switch (rec->type) {
	case XCAP_PACKET:
		if (x->owners)
			own(x, rec);
		keep = matches(x, rec);
		break;
	case XCAP_SYS_ENTER:
	case XCAP_SYS_EXIT:
	case XCAP_SWITCH:
		if (!rec->wall_ns)	/* else of a file: other tasks, another host */
			tables_join(x->tables, rec);
		keep = !x->asks_calls || filter_match(x->filter, rec);
		break;
	case XCAP_PROBE:
		if (!rec->wall_ns)
			join_probe(x, rec);
		keep = !x->filter || filter_match(x->filter, rec);
	}
	if (!keep) {
		x->counts[rec->source].filtered++;
		return false;
	}
	if (!rec->wall_ns)
		rec->wall_ns = rec->mono_ns + x->wall_offset_ns;
	return true;
}

static void refresh_wall(struct xcap *x, int64_t mono_ns)
{
	if (mono_ns - x->wall_read_ns < WALL_REFRESH_NS)
		return;
	x->wall_offset_ns = clock_wall_offset_ns();
	x->wall_read_ns = clock_mono_ns();
}

/* Return: how many of the records are left for the reader, moved together. */
static int settle_all(struct xcap *x, struct xcap_record *recs, int nr)
{
	int n = 0;

	refresh_wall(x, recs[nr - 1].mono_ns);
	accounts_misses(x, recs, nr);
	epoch_turn(tables_epoch(x->tables));
	for (int i = 0; i < nr; i++) {
		if (!settle(x, &recs[i])) {
			skip(x, &recs[i]);
			continue;
		}
		if (n != i)
			recs[n] = recs[i];
		lend(x, &recs[n]);
		accounts_count(x, &recs[n], 1);
		n++;
	}
	accounts_tell(x);
	return n;
}

/* ---- next, release ---- */

static int take_pending(struct xcap *x, struct xcap_record *recs, int max)
{
	int n = x->pending_nr - x->pending_head;

	if (n > max)
		n = max;
	memcpy(recs, &x->pending[x->pending_head], n * sizeof(*recs));
	x->pending_head += n;
	return n;
}

static int64_t deadline_of(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : clock_mono_ns() + timeout_ms * NS_PER_MS;
}

/*
 * What there is without waiting. Return: as xcap_next_batch(); 0 with *more: all of it was for
 * the task table, or filtered, and there may be more; else with *hold_until.
 */
static int take(struct xcap *x, struct xcap_record *recs, int max, int64_t *hold_until, bool *more)
{
	int n = merge_take(x->merge, recs, max, hold_until);

	*more = n > 0;
	if (n <= 0)
		return n;
	x->since_nap += n;
	x->in_vain = false;
	x->drained = n < max;
	return settle_all(x, recs, n);
}

static void stop_source(struct xcap *x, struct source *s)
{
	if (s->ops->stop && !(s == x->hidden && x->hidden_stopped))
		s->ops->stop(s);
	x->hidden_stopped |= s == x->hidden;
}

/* The other half has gone, and with it what was attached: what there is can still be read. */
static void mind_remote(struct xcap *x)
{
	if (!x->remote || x->stopped || !remote_is_gone(x->remote))
		return;
	x->remote_lost = true;
	epoll_ctl(x->epoll_fd, EPOLL_CTL_DEL, remote_fd(x->remote), NULL);
	xcap_stop(x);
}

/* Nothing that was asked for is left: the tables need no more either, and the stream ends. */
static void mind_hidden(struct xcap *x)
{
	if (x->hidden && !x->hidden_stopped && merge_only(x->merge, x->hidden))
		stop_source(x, x->hidden);
}

static int tell_end(struct xcap *x)
{
	if (!x->remote_lost)
		return -ENODATA;
	x->remote_lost = false;
	return error_set(&x->err, -EPIPE, "xcap run, which captured for this program, is gone; "
			 "what was captured before is complete");
}

/* Return: as xcap_next_batch(). */
static int look(struct xcap *x, struct xcap_record *recs, int max, int64_t *hold_until, bool *more)
{
	int n;

	for (int i = 0; i < LOOKS; i++) {
		n = take(x, recs, max, hold_until, more);
		if (n || !*more)
			break;
	}
	if (!n) {
		mind_remote(x);
		accounts_tell(x);
		mind_hidden(x);
	}
	return n == -ENODATA ? tell_end(x) : n;
}

int sink_tend(struct xcap *x, const struct sink_tender *tender)
{
	int err = 0;

	if (tender && x->tender.serve)
		return -EBUSY;
	if (x->tender.serve)
		wait_also(x, x->tender.fd, false);
	x->tender = (struct sink_tender){ 0 };
	if (tender)
		err = wait_also(x, tender->fd, true);
	if (tender && !err)
		x->tender = *tender;
	return err;
}

int64_t sink_watermark(const struct xcap *x)
{
	int64_t mark = merge_watermark(x->merge);

	/* taken, and not handed out yet */
	for (int i = x->pending_head; i < x->pending_nr; i++)
		if (x->pending[i].mono_ns < mark)
			mark = x->pending[i].mono_ns;
	return mark;
}

int sink_captures(struct xcap *x, int source, uint32_t *ifindexes, int max)
{
	struct source *s = x->sources[source];

	if (s->ops->captures)
		return s->ops->captures(s, ifindexes, max);
	if (!s->ifindex || max < 1)
		return 0;
	ifindexes[0] = s->ifindex;
	return 1;
}

uint64_t sink_netns(void)
{
	return remote_netns();
}

bool sink_shows_self(const struct xcap *x)
{
	return x->conf.self;
}

int sink_memory(struct xcap *x, int source, struct memory *m)
{
	struct source *s = x->sources[source];

	return s->ops->memory ? s->ops->memory(s, m) : -EOPNOTSUPP;
}

bool sink_keep(struct xcap *x, int source, uint32_t chunk)
{
	return x->sources[source]->ops->keep(x->sources[source], chunk);
}

void sink_unkeep(struct xcap *x, int source, uint32_t chunk)
{
	x->sources[source]->ops->unkeep(x->sources[source], chunk);
}

static void tend(struct xcap *x)
{
	x->tended_ns = clock_mono_ns();
	x->tender.serve(x->tender.arg, sink_watermark(x));
}

/* Records may come so fast that nobody ever waits. */
static void tend_if_due(struct xcap *x)
{
	if (x->tender.serve && clock_mono_ns() - x->tended_ns > TEND_NS)
		tend(x);
}

/* After a call that left nothing behind the first look comes after a nap. Return: as look(). */
static int wait_and_take(struct xcap *x, struct xcap_record *recs, int max, int timeout_ms,
			 int64_t *hold_until, bool *more)
{
	int64_t deadline = deadline_of(timeout_ms);
	int n = x->drained ? wait_nap(x, deadline) : 0;

	if (wait_broken(x))
		n = -EINTR;
	while (!n) {
		x->drained = false;
		n = look(x, recs, max, hold_until, more);
		if (n || clock_mono_ns() >= deadline)
			break;
		if (*hold_until != INT64_MAX)
			n = wait_nap(x, *hold_until < deadline ? *hold_until : deadline);
		else if (x->drained)
			n = wait_nap(x, deadline);
		else if (!*more)
			n = wait_sleep(x, deadline);
		if (x->tender.serve)
			tend(x);
		if (wait_broken(x))
			n = -EINTR;
	}
	return n;
}

int xcap_next_batch(struct xcap *x, struct xcap_record *recs, int max, int timeout_ms)
{
	int64_t hold_until = INT64_MAX;
	bool more = false;
	int n;

	if (max < 1)
		return error_set(&x->err, -EINVAL, "room for at least one record is needed");
	if (wait_broken(x))
		return -EINTR;
	n = take_pending(x, recs, max);
	if (n)
		return n;
	wait_awake(x);
	tend_if_due(x);
	if (timeout_ms)
		n = wait_and_take(x, recs, max, timeout_ms, &hold_until, &more);
	else
		n = look(x, recs, max, &hold_until, &more);
	if (x->fd_used)
		wait_keep_readable(x, n || more, hold_until);
	return n;
}

int xcap_next(struct xcap *x, struct xcap_record *rec, int timeout_ms)
{
	int n;

	if (wait_broken(x))
		return -EINTR;
	if (x->pending_head == x->pending_nr) {
		n = xcap_next_batch(x, x->pending, STREAM_PENDING, timeout_ms);
		if (n <= 0)
			return n;
		x->pending_head = 0;
		x->pending_nr = n;
	}
	*rec = x->pending[x->pending_head++];
	return 1;
}

void xcap_release(struct xcap *x, const struct xcap_record *recs, int nr)
{
	int i = 0;

	while (i < nr) {
		uint32_t lane = recs[i].lane, spans = 0, n = 0;
		struct stream_lane *l = &x->lanes[lane];

		for (; i < nr && recs[i].lane == lane; i++, n++) {
			spans += recs[i].span;
			epoch_back(tables_epoch(x->tables), recs[i].epoch);
		}
		l->outstanding -= n;
		if (!l->outstanding) {
			spans += l->skipped;
			l->skipped = 0;
		}
		give_back(x, lane, spans);
	}
}

int xcap_loop(struct xcap *x, int max, xcap_handler handler, void *user)
{
	struct xcap_record rec;
	int n = 0, ret;

	while (max <= 0 || n < max) {
		ret = xcap_next(x, &rec, -1);
		if (ret == -ENODATA)
			break;
		if (ret < 0)
			return ret;
		handler(user, &rec);
		xcap_release(x, &rec, 1);
		n++;
	}
	return n;
}

int xcap_followed(struct xcap *x)
{
	const uint32_t *pids;

	if (!x->filter || !filter_trees(x->filter, &pids))
		return error_set(&x->err, -ENOENT, "no filter names a tree of processes");
	return tables_followed(x->tables);
}

void xcap_break(struct xcap *x)
{
	__atomic_store_n(&x->broken, 1, __ATOMIC_RELEASE);
	wait_signal(x);
}

int xcap_fd(struct xcap *x)
{
	if (!x->fd_used)	/* readable until the first xcap_next() has looked */
		wait_keep_readable(x, true, INT64_MAX);
	x->fd_used = true;
	return x->epoll_fd;
}

/* ---- the end ---- */

void xcap_stop(struct xcap *x)
{
	if (x->stopped)
		return;
	x->stopped = true;
	if (x->remote && !x->remote_lost && remote_stop(x->remote))
		x->remote_lost = true;	/* told when the rings are read */
	for (int i = 0; i < x->nr_all; i++)
		stop_source(x, x->sources[i]);
}

static void discard(struct xcap *x, struct xcap_record *rec)
{
	if (rec->type >= SOURCE_TASK)
		x->nr_inner[rec->source]++;
	else if (rec->type == XCAP_LOSS)
		x->counts[rec->source].losses++;
	else
		x->counts[rec->source].dropped[XCAP_DROP_UNREAD]++;
}

void xcap_discard(struct xcap *x)
{
	struct xcap_record recs[STREAM_PENDING];
	int64_t hold_until, deadline;
	int n;

	xcap_stop(x);
	while ((n = take_pending(x, recs, STREAM_PENDING)) > 0) {
		for (int i = 0; i < n; i++) {
			accounts_count(x, &recs[i], -1);
			discard(x, &recs[i]);
		}
		xcap_release(x, recs, n);
	}
	deadline = clock_mono_ns() + DISCARD_NS;
	for (;;) {
		n = merge_take(x->merge, recs, STREAM_PENDING, &hold_until);
		if (n == -ENODATA)
			return;
		for (int i = 0; i < n; i++) {
			discard(x, &recs[i]);
			skip(x, &recs[i]);
		}
		if (n)
			deadline = clock_mono_ns() + DISCARD_NS;
		else if (clock_mono_ns() > deadline)
			return;		/* a pipe whose other end is silent */
		else
			wait_nap(x, hold_until);
	}
}

int xcap_hand_on(struct xcap *x, const struct xcap_record *rec)
{
	struct source *s = rec->source < x->nr_sources ? x->sources[rec->source] : NULL;

	if (!s || !s->ops->hand_on)
		return error_set(&x->err, -EINVAL, "only what is read from a queue can be handed "
				 "on: xcap:CLUSTER@QUEUE?next=QUEUE");
	return s->ops->hand_on(s, rec);
}
