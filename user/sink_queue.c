// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records in stream order; readers that come and go.
 * Out:  each record in the queues of those who are to get it, not copied but for what lies in BPF
 *       rings; slots that readers hand on, in the next queue.
 * Owns: the cluster, its queues and their memory.
 * Runs on: the thread of the stream, which looks after readers also while nothing comes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "balance.h"
#include "clock.h"
#include "cluster.h"
#include "out.h"
#include "queue_out.h"
#include "sink.h"

#define MAX_QUEUES 64
#define SLOTS_DEFAULT 8192
#define SLOTS_LEAST 64
#define SLOTS_MOST (1u << 20)
/* At the end: for readers that do nothing, and for all of them. */
#define QUIET_NS (500 * NS_PER_MS)
#define DRAIN_NS (5 * NS_PER_SEC)
#define ROOM_NS (200 * NS_PER_US)

/* Somebody who gets all records, spread over its instances. */
struct app {
	uint32_t first, nr;	/* queues */
	int mode;
	struct balance_rr rr;
};

struct fan {
	struct xcap *x;
	uint32_t number;	/* of the cluster */
	struct app apps[MAX_QUEUES];
	uint32_t nr_apps, nr_queues, slots;
	struct queue_out queues[MAX_QUEUES];
	struct cluster_peer peers[MAX_QUEUES];
	struct frames frames;
	struct queue_names *names;
	struct cluster *cluster;
	struct cluster_rule rule;
	bool shows_self;	/* calls of readers, too */
	bool patient;		/* only files are read: readers can be waited for */
	bool tended;		/* the stream looks after us */
	uint64_t given_up[MAX_QUEUES];	/* and in vain: its tail by then, plus 1 */
	uint64_t nr_records;
	uint64_t nr_readers_own;	/* of them: calls of readers, left out */
	uint64_t netns;		/* what is captured, and where */
	uint32_t nr_ifindexes, ifindexes[CLUSTER_IFACES];
	char text[256];
};

/* ---- what is asked for ---- */

/* "2,1": an application each. */
static int parse_instances(struct fan *f, const char *text, struct error *err)
{
	const char *at = text;
	char *end;

	while (f->nr_apps < MAX_QUEUES) {
		unsigned long n = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;

		if (!n || n > MAX_QUEUES - f->nr_queues)
			break;
		f->apps[f->nr_apps++] = (struct app){ .first = f->nr_queues, .nr = n };
		f->nr_queues += n;
		if (!*end)
			return 0;
		if (*end != ',')
			break;
		at = end + 1;
	}
	return error_set(err, -EINVAL, "'%s' is no list of numbers of queues, %d in all at most; "
			 "\"2,1\" is two for one application and one for another", text,
			 MAX_QUEUES);
}

static int parse_modes(struct fan *f, const char *text, struct error *err)
{
	char name[32];
	size_t len;
	int mode = BALANCE_DEFAULT;

	for (uint32_t i = 0; i < f->nr_apps; i++) {
		if (*text) {
			len = strcspn(text, ",");
			snprintf(name, sizeof(name), "%.*s", (int)len, text);
			mode = balance_mode_of(name);
			if (mode < 0)
				return error_set(err, -EINVAL, "no mode is called '%s'; there are "
						 "%s", name, balance_mode_list());
			text += len + (text[len] == ',');
		}
		f->apps[i].mode = mode;
	}
	if (*text)
		return error_set(err, -EINVAL, "there are more modes than applications: '%s' is "
				 "left", text);
	return 0;
}

static int parse(struct fan *f, const char *arg, const struct xcap_sink_opts *o, struct error *err)
{
	const char *at = arg;
	int ret;

	if (!cluster_number(&at, &f->number) || *at)
		return error_set(err, -EINVAL, "'%s' is no number of a cluster, 0 to %d", arg,
				 CLUSTER_MAX_NUMBER);
	f->slots = o->slots ?: SLOTS_DEFAULT;
	if (f->slots < SLOTS_LEAST || f->slots > SLOTS_MOST || f->slots & (f->slots - 1))
		return error_set(err, -EINVAL, "%u is no number of slots: a power of two, %u to %u",
				 f->slots, SLOTS_LEAST, SLOTS_MOST);
	f->rule = (struct cluster_rule){ .uid = o->allow_uid, .gid = o->allow_gid };
	f->nr_queues = o->first < MAX_QUEUES ? o->first : MAX_QUEUES;
	ret = parse_instances(f, o->instances ?: "1", err);
	ret = ret ?: parse_modes(f, o->modes ?: "", err);
	if (!ret && o->more > MAX_QUEUES - f->nr_queues)
		ret = error_set(err, -EINVAL, "%u queues more are too many: %d in all", o->more,
				MAX_QUEUES);
	f->nr_queues += o->more;
	return ret;
}

/* ---- readers ---- */

static int choose(struct fan *f, const struct cluster_hello *h, uint32_t *queue, struct error *err)
{
	if (*queue == CLUSTER_ANY_QUEUE)
		for (*queue = f->apps[0].first;
		     *queue < f->nr_queues && f->queues[*queue].w.shared; )
			++*queue;
	if (h->queue == CLUSTER_ANY_QUEUE && *queue == f->nr_queues)
		return error_set(err, -EBUSY, "all %u queues of cluster %u have readers",
				 f->nr_queues, f->number);
	if (*queue >= f->nr_queues)
		return error_set(err, -ENOENT, "cluster %u has no queue %u; it has 0 to %u",
				 f->number, *queue, f->nr_queues - 1);
	if (f->queues[*queue].w.shared)
		return error_set(err, -EBUSY, "queue %u of cluster %u is read by process %d; "
				 "xcap:%u@auto takes a free one", *queue, f->number,
				 (int)f->peers[*queue].pid, f->number);
	/* upwards only: else a record could go round and round */
	if (h->next != CLUSTER_NO_NEXT && (h->next >= f->nr_queues || h->next <= *queue))
		return error_set(err, -EINVAL, "queue %u cannot be handed on to %u: to a higher "
				 "one, up to %u", *queue, h->next, f->nr_queues - 1);
	return 0;
}

static int fan_attach(void *arg, const struct cluster_hello *h, const struct cluster_peer *peer,
		      uint32_t *queue, struct parcel *answer, struct error *err)
{
	struct cluster_welcome w = { .linktype = XCAP_LINK_ETHERNET };
	struct fan *f = arg;
	struct queue_out *q;
	int ret = choose(f, h, queue, err);

	if (ret)
		return ret;
	q = &f->queues[*queue];
	ret = queue_out_attach(q, h->next == CLUSTER_NO_NEXT ? NULL : &f->queues[h->next]);
	if (ret)
		return error_set(err, ret, "the master has no memory for a reader: %s",
				 strerror(-ret));
	f->peers[*queue] = *peer;
	f->given_up[*queue] = 0;
	w.queue = *queue;
	w.size = q->size;
	w.nr_areas = f->frames.nr_areas;
	w.netns = f->netns;
	w.nr_ifindexes = f->nr_ifindexes;
	memcpy(w.ifindexes, f->ifindexes, sizeof(w.ifindexes));
	memcpy(w.text, f->text, sizeof(w.text));
	for (int i = 0; i < f->frames.nr_areas; i++)
		w.areas[i] = f->frames.areas[i].size;
	parcel_put(answer, &w, sizeof(w));
	parcel_put_fd(answer, q->head_fd);
	parcel_put_fd(answer, q->tail_fd);
	parcel_put_fd(answer, q->epoll_fd);
	for (int i = 0; i < f->frames.nr_areas; i++)
		parcel_put_fd(answer, f->frames.areas[i].memfd);
	return 0;
}

static void fan_attached(void *arg, uint32_t queue)
{
	queue_out_handed(&((struct fan *)arg)->queues[queue]);
}

static void fan_detach(void *arg, uint32_t queue)
{
	queue_out_detach(&((struct fan *)arg)->queues[queue]);
}

static void fan_kick(void *arg, uint32_t queue)
{
	queue_out_reap(&((struct fan *)arg)->queues[queue]);
}

static int fan_filter(void *arg, uint32_t queue, const char *expression, struct error *err)
{
	struct fan *f = arg;

	if (queue >= f->nr_queues)
		return error_set(err, -ENOENT, "cluster %u has no queue %u; it has 0 to %u",
				 f->number, queue, f->nr_queues - 1);
	return queue_out_filter(&f->queues[queue], expression, err);
}

/* ---- the status, for people and programs ---- */

static void put_field(struct out *o, const char *name, uint64_t n)
{
	out_text(o, name);
	out_number(o, n, 10);
}

static void put_peer(struct out *o, const struct cluster_peer *p)
{
	put_field(o, ",\"pid\":", p->pid);
	put_field(o, ",\"uid\":", p->uid);
}

static void put_queue(struct out *o, const struct fan *f, uint32_t i, bool filter)
{
	const struct queue_out *q = &f->queues[i];
	const struct queue_totals *t = &q->totals;

	put_field(o, "{\"queue\":", i);
	if (q->w.shared)
		put_peer(o, &f->peers[i]);
	put_field(o, ",\"seen\":", t->seen);
	put_field(o, ",\"delivered\":", t->delivered);
	put_field(o, ",\"filtered\":", t->filtered);
	put_field(o, ",\"dropped\":", t->dropped);
	put_field(o, ",\"no_reader\":", t->no_reader);
	put_field(o, ",\"unread\":", t->unread);
	put_field(o, ",\"handed_on\":", t->handed_on);
	put_field(o, ",\"backlog\":", queue_out_backlog(q));
	if (filter && q->filter_text) {
		out_text(o, ",\"filter\":");
		out_json(o, q->filter_text);
	}
	out_char(o, '}');
}

static void put_apps(struct out *o, const struct fan *f)
{
	for (uint32_t i = 0; i < f->nr_apps; i++) {
		put_field(o, i ? ",{\"first\":" : "{\"first\":", f->apps[i].first);
		put_field(o, ",\"queues\":", f->apps[i].nr);
		out_text(o, ",\"mode\":\"");
		out_text(o, balance_mode_name(f->apps[i].mode));
		out_text(o, "\"}");
	}
}

static void put_status(struct out *o, const struct fan *f, bool filters)
{
	uint64_t total, free, kept;

	frames_count(&f->frames, &total, &free, &kept);
	put_field(o, "{\"cluster\":", f->number);
	put_field(o, ",\"records\":", f->nr_records);
	put_field(o, ",\"readers_own\":", f->nr_readers_own);
	put_field(o, ",\"slots\":", f->slots);
	put_field(o, ",\"frames\":{\"total\":", total);
	put_field(o, ",\"free\":", free);
	put_field(o, ",\"names\":", queue_names_count(f->names));
	put_field(o, ",\"kept\":", kept);
	put_field(o, ",\"copied_ever\":", f->frames.nr_copied);
	put_field(o, ",\"kept_ever\":", f->frames.nr_kept);
	out_text(o, "},\"applications\":[");
	put_apps(o, f);
	out_text(o, "],\"queues\":[");
	for (uint32_t i = 0; i < f->nr_queues; i++) {
		if (i)
			out_char(o, ',');
		put_queue(o, f, i, filters);
	}
	out_text(o, "]}");
}

/* Long filters of many queues do not fit: then without them. */
static void fan_status(void *arg, char *buf, size_t size)
{
	struct out o = { buf, size, 0 };

	put_status(&o, arg, true);
	if (o.len >= size) {
		o.len = 0;
		put_status(&o, arg, false);
	}
	out_end(&o);
}

static const struct cluster_ops fan_ops = {
	.attach = fan_attach,
	.attached = fan_attached,
	.detach = fan_detach,
	.kick = fan_kick,
	.status = fan_status,
	.filter = fan_filter,
};

/* ---- looking after them ---- */

/*
 * What a reader writes into its own memory is its business, until it is nonsense. The connection
 * goes with it: else its end would be taken for that of the queue's next reader.
 */
static void reap_all(struct fan *f)
{
	for (uint32_t i = 0; i < f->nr_queues; i++)
		if (queue_out_reap(&f->queues[i]))
			cluster_drop(f->cluster, i);
}

/* A reader may still hand on what it has; that goes to a higher queue, whose turn is later. */
static void publish_all(struct fan *f, int64_t watermark_ns)
{
	int64_t marks[MAX_QUEUES], oldest;

	for (uint32_t i = 0; i < f->nr_queues; i++)
		marks[i] = watermark_ns;
	for (uint32_t i = 0; i < f->nr_queues; i++) {
		const struct queue_out *q = &f->queues[i];

		queue_out_publish(&f->queues[i], marks[i]);
		if (!q->next)
			continue;
		oldest = queue_out_oldest(q, marks[i]);
		if (oldest < marks[q->next - f->queues])
			marks[q->next - f->queues] = oldest;
	}
}

static void fan_serve(void *arg, int64_t watermark_ns)
{
	struct fan *f = arg;

	cluster_serve(f->cluster);
	reap_all(f);
	publish_all(f, watermark_ns);
}

/*
 * Who hands on tells us, if we sleep, and so does who merges a queue with something else and waits
 * to hear how far the stream has come: so that is said before.
 */
static bool fan_sleep(void *arg, bool on)
{
	struct fan *f = arg;
	bool there = on && cluster_rests(f->cluster);	/* its descriptor would wake us at once */

	if (on)
		publish_all(f, sink_watermark(f->x));
	for (uint32_t i = 0; i < f->nr_queues; i++)
		there |= queue_out_sleep(&f->queues[i], on);
	return there;
}

/* ---- the sink ---- */

/* What readers have and have not given back. Without memory nobody reads, and has nothing. */
static uint64_t backlog(const struct fan *f)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < f->nr_queues; i++)
		if (f->queues[i].w.shared)
			sum += queue_out_backlog(&f->queues[i]);
	return sum;
}

/* It is waited for: not a reader that has stood still for as long as that is done. */
static bool is_awaited(const struct fan *f, uint32_t i)
{
	const struct queue_out *q = &f->queues[i];

	return q->w.shared && queue_out_is_full(q) && f->given_up[i] != q->w.tail + 1;
}

static bool has_room(const struct fan *f)
{
	for (uint32_t i = 0; i < f->nr_queues; i++)
		if (is_awaited(f, i))
			return false;
	return true;
}

/* A file can wait, in bounds: for readers that come on. */
static void make_room(struct fan *f)
{
	int64_t quiet = clock_mono_ns() + QUIET_NS;
	uint64_t left = backlog(f), before;

	while (left && !has_room(f) && clock_mono_ns() < quiet) {
		before = left;
		nanosleep(&(struct timespec){ .tv_nsec = ROOM_NS }, NULL);
		fan_serve(f, INT64_MIN);
		left = backlog(f);
		if (left != before)
			quiet = clock_mono_ns() + QUIET_NS;
	}
	for (uint32_t i = 0; i < f->nr_queues; i++)
		if (is_awaited(f, i))
			f->given_up[i] = f->queues[i].w.tail + 1;
}

static void describe(struct fan *f)
{
	struct out o = { f->text, sizeof(f->text), 0 };

	f->patient = true;
	f->netns = sink_netns();
	for (int i = 0; i < xcap_nr_sources(f->x); i++) {
		struct xcap_source_info info = { .sz = sizeof(info) };

		xcap_source_info(f->x, i, &info);
		out_text(&o, i ? "," : "");
		out_text(&o, info.spec);
		f->patient &= !strcmp(info.mode, "file");
		f->nr_ifindexes += sink_captures(f->x, i, f->ifindexes + f->nr_ifindexes,
						 CLUSTER_IFACES - f->nr_ifindexes);
	}
	out_end(&o);
}

static int open_queues(struct fan *f, struct error *err)
{
	int ret = frames_open(&f->frames, f->nr_queues, f->slots, QUEUE_NAMES, f->x, err);

	if (ret)
		return ret;
	f->names = queue_names_new(&f->frames);
	ret = f->names ? 0 : -ENOMEM;
	for (uint32_t i = 0; i < f->nr_queues && !ret; i++)
		ret = queue_out_open(&f->queues[i], f->slots, &f->frames, f->names);
	return ret ? error_set(err, ret, "no memory for %u queues", f->nr_queues) : 0;
}

/* Readers get to the end, as long as they come nearer to it; what they hand on is read as well. */
static void drain(struct fan *f)
{
	uint64_t left = backlog(f), before;
	int64_t deadline = clock_mono_ns() + DRAIN_NS, quiet = clock_mono_ns() + QUIET_NS;

	while (left && clock_mono_ns() < deadline && clock_mono_ns() < quiet) {
		before = left;
		nanosleep(&(struct timespec){ .tv_nsec = NS_PER_MS }, NULL);
		fan_serve(f, INT64_MAX);
		left = backlog(f);
		if (left != before)
			quiet = clock_mono_ns() + QUIET_NS;
	}
}

static int sink_queue_close(struct xcap_sink *s)
{
	struct fan *f = s->priv;

	if (f->tended)
		sink_tend(f->x, NULL);
	if (f->cluster)
		drain(f);
	for (uint32_t i = 0; i < f->nr_queues; i++)
		queue_out_end(&f->queues[i]);
	cluster_close(f->cluster);
	for (uint32_t i = 0; i < f->nr_queues; i++)
		queue_out_close(&f->queues[i]);
	queue_names_free(f->names);
	frames_close(&f->frames);
	free(f);
	return 0;
}

static int sink_queue_open(struct xcap_sink *s, const char *arg)
{
	struct fan *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return error_set(s->err, -ENOMEM, "no memory for a cluster");
	s->priv = f;
	f->x = s->x;
	f->shows_self = sink_shows_self(s->x);
	f->frames.areas[0].memfd = -1;
	ret = parse(f, arg, &s->opts, s->err) ?: open_queues(f, s->err);
	describe(f);
	ret = ret ?: cluster_open(&f->cluster, f->number, &f->rule, &fan_ops, f, s->err);
	if (!ret) {
		ret = sink_tend(f->x, &(struct sink_tender){
			.serve = fan_serve, .sleep = fan_sleep, .fd = cluster_fd(f->cluster),
			.arg = f });
		f->tended = !ret;
		if (ret)
			error_set(s->err, ret, "a stream feeds one cluster");
	}
	if (ret)
		sink_queue_close(s);
	return ret;
}

/* Return: the reader of one queue at least gets it. */
static bool spread(struct fan *f, struct app *app, struct queue_item *item)
{
	uint32_t to = balance_pick(app->mode, item->rec, app->nr, &app->rr);
	bool taken = false;

	if (to != BALANCE_ALL)
		return queue_out_offer(&f->queues[app->first + to], item);
	for (uint32_t i = 0; i < app->nr; i++)
		taken |= queue_out_offer(&f->queues[app->first + i], item);
	return taken;
}

static bool is_reader(const struct fan *f, uint32_t pid)
{
	for (uint32_t i = 0; pid && i < f->nr_queues; i++)	/* 0: of another pid namespace */
		if (f->queues[i].w.shared && (uint32_t)f->peers[i].pid == pid)
			return true;
	return false;
}

/* A reader that is shown its own calls makes more of them: as for the capturing process itself. */
static bool is_readers_own(const struct fan *f, const struct xcap_record *rec)
{
	switch (rec->type) {
	case XCAP_SYS_ENTER:
	case XCAP_SYS_EXIT:
		return is_reader(f, rec->pid);
	case XCAP_SWITCH:
		return is_reader(f, rec->pid) || is_reader(f, rec->sw.next_pid);
	}
	return false;
}

static void put_one(struct fan *f, const struct xcap_record *rec)
{
	struct queue_item item = { .rec = rec, .frame = FRAME_NONE };
	bool taken = false;

	f->nr_records++;
	if (!f->shows_self && is_readers_own(f, rec)) {
		f->nr_readers_own++;
		return accounts_take_back(f->x, rec, SINK_FILTERED);
	}
	for (uint32_t i = 0; i < f->nr_apps; i++)
		taken |= spread(f, &f->apps[i], &item);
	queue_out_item_done(&f->frames, &item);
	if (!taken)
		accounts_take_back(f->x, rec, item.fate);
}

static int sink_queue_put(struct xcap_sink *s, const struct xcap_record *recs, int nr)
{
	struct fan *f = s->priv;

	queue_names_batch(f->names);
	reap_all(f);
	for (int i = 0; i < nr; i++) {
		if (f->patient && !has_room(f))
			make_room(f);
		put_one(f, &recs[i]);
	}
	publish_all(f, nr ? recs[nr - 1].mono_ns : INT64_MIN);
	return 0;
}

static int sink_queue_flush(struct xcap_sink *s)
{
	fan_serve(s->priv, sink_watermark(s->x));
	return 0;
}

static int sink_queue_filter(struct xcap_sink *s, unsigned int queue, const char *expression)
{
	return fan_filter(s->priv, queue, expression, s->err);
}

const struct sink_ops sink_queue_ops = {
	.scheme = "xcap",
	.open = sink_queue_open,
	.put = sink_queue_put,
	.flush = sink_queue_flush,
	.filter = sink_queue_filter,
	.close = sink_queue_close,
};
