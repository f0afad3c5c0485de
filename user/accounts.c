// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what the sources and their programs counted, what the stream handed out.
 * Out:  the accounts: seen = delivered + filtered + dropped by place.
 * Owns: nothing; the counts live in the handle.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <string.h>
#include "clock.h"
#include "opts.h"
#include "sink.h"
#include "stream.h"
#include "xcap_event.h"

_Static_assert((int)XCAP_DROP_MAX == XDROP_MAX && (int)XCAP_DROP_RING_FULL == XDROP_RING_FULL &&
	       (int)XCAP_DROP_REFUSED == XDROP_REFUSED &&
	       (int)XCAP_DROP_WIRE == XDROP_WIRE, "one numbering on both sides");

static const char *const drop_names[XCAP_DROP_MAX] = {
	[XCAP_DROP_NIC_MISSED] = "nic_missed",
	[XCAP_DROP_XSK_NO_FRAME] = "xsk_no_frame",
	[XCAP_DROP_XSK_RING_FULL] = "xsk_ring_full",
	[XCAP_DROP_RING_FULL] = "ring_full",
	[XCAP_DROP_RECURSION] = "recursion",
	[XCAP_DROP_NO_META] = "no_meta",
	[XCAP_DROP_HELD] = "held",
	[XCAP_DROP_UNREAD] = "unread",
	[XCAP_DROP_REDIRECT] = "redirect",
	[XCAP_DROP_REFUSED] = "refused",
	[XCAP_DROP_WIRE] = "wire",
	[XCAP_DROP_QUEUE] = "queue",
	[XCAP_DROP_NO_READER] = "no_reader",
	[XCAP_DROP_TABLE_FULL] = "table_full",
};

const char *xcap_drop_name(int where)
{
	return where >= 0 && where < XCAP_DROP_MAX ? drop_names[where] : "unknown";
}

void accounts_count(struct xcap *x, const struct xcap_record *rec, int by)
{
	struct xcap_stats *c = &x->counts[rec->source];

	switch (rec->type) {
	case XCAP_PACKET:
		c->packets += by;
		c->bytes += by * (__s64)rec->len;
		break;
	case XCAP_SYS_ENTER:
	case XCAP_SYS_EXIT:
		c->syscalls += by;
		break;
	case XCAP_SWITCH:
		c->switches += by;
		break;
	case XCAP_PROBE:
		c->probes += by;
		break;
	case XCAP_LOSS:
		c->losses += by;
		break;
	}
	if (rec->type != XCAP_LOSS)
		c->delivered += by;
	if (rec->flags & XCAP_REC_LATE) {
		c->late += by;
	} else if (by > 0) {
		/* the merge promises this never happens; counted where the reader stands */
		c->out_of_order += rec->mono_ns < x->last_ns;
		x->last_ns = rec->mono_ns;
	}
}

void accounts_take_back(struct xcap *x, const struct xcap_record *rec, int where)
{
	if (rec->type == XCAP_LOSS)	/* tells of others, and is in no account */
		return;
	accounts_count(x, rec, -1);
	if (where == SINK_FILTERED)
		x->counts[rec->source].filtered++;
	else
		x->counts[rec->source].dropped[where]++;
}

static void add(struct xcap_stats *to, const struct xcap_stats *c)
{
	to->seen += c->seen;
	to->delivered += c->delivered;
	to->filtered += c->filtered;
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		to->dropped[i] += c->dropped[i];
	to->packets += c->packets;
	to->syscalls += c->syscalls;
	to->switches += c->switches;
	to->probes += c->probes;
	to->bytes += c->bytes;
	to->late += c->late;
	to->out_of_order += c->out_of_order;
	to->losses += c->losses;
	to->fill_ring_empty += c->fill_ring_empty;
}

/* What the stream counted, what the source counted; records for the tables are in neither. */
static void one_source(struct xcap *x, int i, struct xcap_stats *out)
{
	struct source *s = x->sources[i];
	struct source_stats st = { 0 };
	uint64_t nr_inner = __atomic_load_n(&x->nr_inner[i], __ATOMIC_ACQUIRE);

	*out = x->counts[i];
	/* last, so that what was seen meanwhile is no debt: pcap_stats() asks at any time */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (s->ops->stats)
		s->ops->stats(s, &st);
	out->seen = st.seen - nr_inner;
	out->filtered += st.filtered;
	out->fill_ring_empty = st.fill_ring_empty;
	for (int d = 0; d < XCAP_DROP_MAX; d++)
		out->dropped[d] += st.dropped[d];
}

/* What the hidden source lost: no record of it is anybody's, but names may be missing. */
static uint64_t names_lost(struct xcap *x)
{
	struct source_stats st = { 0 };
	uint64_t sum = 0;

	if (x->hidden)
		x->hidden->ops->stats(x->hidden, &st);
	for (int d = 0; d < XCAP_DROP_MAX; d++)
		sum += st.dropped[d];
	return sum;
}

int xcap_stats(struct xcap *x, int source, struct xcap_stats *stats)
{
	struct xcap_stats total = { 0 }, one;

	if (source < -1 || source >= x->nr_sources)
		return error_set(&x->err, -EINVAL, "there is no source %d", source);
	for (int i = 0; i < x->nr_sources; i++) {
		if (source != -1 && source != i)
			continue;
		one_source(x, i, &one);
		add(&total, &one);
	}
	total.names_lost = source == -1 ? names_lost(x) : 0;
	return opts_out(stats, &total, sizeof(total));
}

int xcap_nr_sources(const struct xcap *x)
{
	return x->nr_sources;
}

int xcap_source_info(struct xcap *x, int source, struct xcap_source_info *info)
{
	struct source *s;

	if (source < 0 || source >= x->nr_sources)
		return error_set(&x->err, -EINVAL, "there is no source %d", source);
	s = x->sources[source];
	return opts_out(info, &(struct xcap_source_info){
		.spec = s->spec,
		.mode = s->mode,
		.note = s->note,
		.ifindex = s->ifindex,
		.linktype = s->linktype,
		.file_dev = s->file_dev,
		.file_ino = s->file_ino,
		.flags = s->flags,
	}, sizeof(*info));
}

void accounts_tell(struct xcap *x)
{
	struct remote_account *a = x->remote ? remote_account(x->remote, clock_mono_ns()) : NULL;

	if (!a)
		return;
	a->nr_all = x->nr_sources;
	a->nr_sources = a->nr_all < XCAP_TOLD_SOURCES ? a->nr_all : XCAP_TOLD_SOURCES;
	a->total.sz = sizeof(a->total);
	xcap_stats(x, -1, &a->total);
	for (uint32_t i = 0; i < a->nr_sources; i++) {
		struct remote_told *told = &a->sources[i];

		memcpy(told->spec, x->sources[i]->spec, sizeof(told->spec));
		memcpy(told->mode, x->sources[i]->mode, sizeof(told->mode));
		told->stats.sz = sizeof(told->stats);
		xcap_stats(x, i, &told->stats);
	}
	remote_tell(x->remote);
}

void accounts_misses(struct xcap *x, const struct xcap_record *recs, int nr)
{
	int64_t now;

	while (nr && recs[nr - 1].mono_ns <= x->missed_ns)
		nr--;
	if (!nr || !x->owners)
		return;
	/* what was missed before any of these is in the counts by now */
	now = clock_mono_ns();
	if (x->hidden->ops->missed(x->hidden))
		tables_unsure(x->tables, clock_mono_ns());
	x->missed_ns = now;
}
