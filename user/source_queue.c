// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a queue of a cluster, which another process fills: "xcap:99@0", "xcap:99@auto".
 * Out:  its records, in place: in memory that the master and all readers share.
 * Owns: the connection, the mappings, the names that records point to.
 * Runs on: the thread of the handle.
 *
 * The master is trusted as far as who captures has to be; what it wrote is checked all the same,
 * so that a slot which was never finished is an end and not a crash.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "clock.h"
#include "cluster.h"
#include "queue.h"
#include "queue_names.h"
#include "remote.h"
#include "source.h"

#define NS_A_RECORD 100LL	/* they may come so fast: half of the ring is full after a nap */
#define AHEAD 4				/* slots that are fetched before they are read */
#define ASK_NS NS_PER_MS	/* between questions how far the stream has come */
#define MASTER_NS (10 * NS_PER_MS)	/* it naps, and holds records for sources of its own */
#define LOOK_NS (10 * NS_PER_MS)	/* between looks whether the master is still there */

/* A process or cgroup that is told no more, but lent. */
struct retired {
	struct retired *next;
	uint64_t until;		/* slots before this one may refer to it */
	void *name;
};

struct area {
	const uint8_t *base;
	uint64_t size;
};

struct in {
	int fd, bell_fd;	/* the connection; readable: records */
	struct queue_reader r;
	void *head_map, *tail_map;
	size_t head_size, tail_size;
	struct area areas[QUEUE_MAX_AREAS];
	uint32_t nr_areas;
	void *names[QUEUE_NAMES + 1];
	uint32_t generations[QUEUE_NAMES + 1];	/* of names */
	struct retired *retired, **last_retired;
	uint32_t nr_lent;
	bool hands_on;
	uint64_t handed;	/* slots before this one may be handed on */
	struct parcel *word;	/* to the master */
	bool ended, stopped, gone;
	uint64_t stop_at;	/* stopped: the head by then */
	struct queue_books books;	/* stopped: those that belong to it */
	uint32_t nr_ifindexes, ifindexes[CLUSTER_IFACES];	/* captured by the master */
	int64_t looked_ns;
	int64_t asked_ns;	/* when the master was asked how far it is */
};

/* ---- opening ---- */

static int parse_name(const struct spec *spec, uint32_t *number, uint32_t *queue, struct error *err)
{
	const char *at = spec->name;
	uint32_t n;

	*queue = CLUSTER_ANY_QUEUE;
	if (cluster_number(&at, number) && *at == '@') {
		at++;
		if (!strcmp(at, "auto"))
			return 0;
		if (cluster_number(&at, &n) && !*at) {
			*queue = n;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "'%s' is no queue: xcap:CLUSTER@QUEUE, as in xcap:99@0, or "
			 "xcap:99@auto", spec->text);
}

static int source_queue_check(const struct spec *spec, struct error *err)
{
	uint32_t number, queue;

	return parse_name(spec, &number, &queue, err);
}

static void *map(int fd, size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, 0);

	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static int map_all(struct in *in, const struct cluster_welcome *w, struct parcel *p)
{
	in->head_size = QUEUE_SLOTS_AT + (size_t)w->size * sizeof(struct queue_slot);
	in->tail_size = QUEUE_VERDICTS_AT + w->size;
	in->head_map = map(parcel_take_fd(p), in->head_size, PROT_READ);
	in->tail_map = map(parcel_take_fd(p), in->tail_size, PROT_READ | PROT_WRITE);
	in->bell_fd = parcel_take_fd(p);
	for (in->nr_areas = 0; in->nr_areas < w->nr_areas; in->nr_areas++) {
		struct area *a = &in->areas[in->nr_areas];

		a->size = w->areas[in->nr_areas];
		a->base = map(parcel_take_fd(p), a->size, PROT_READ);
		if (!a->base)
			return -ENOMEM;
	}
	if (!in->head_map || !in->tail_map)
		return -ENOMEM;
	in->r = (struct queue_reader){
		.theirs = in->head_map,
		.slots = (void *)((uint8_t *)in->head_map + QUEUE_SLOTS_AT),
		.shared = in->tail_map,
		.verdicts = (uint8_t *)in->tail_map + QUEUE_VERDICTS_AT,
		.size = w->size,
	};
	return 0;
}

static int option_next(const struct spec *spec, uint32_t *next, struct error *err)
{
	uint64_t n = CLUSTER_NO_NEXT;
	int ret = spec_number(spec, "next", 0, CLUSTER_MAX_NUMBER, &n, err);

	*next = n;
	return ret;
}

static int attach(struct source *s, struct in *in, const struct spec *spec)
{
	struct parcel *p = parcel_new();
	uint32_t number = 0, queue, next = CLUSTER_NO_NEXT;
	struct cluster_welcome w;
	int ret = p ? 0 : error_set(s->err, -ENOMEM, "no memory to read a queue");

	ret = ret ?: parse_name(spec, &number, &queue, s->err) ?: option_next(spec, &next, s->err);
	if (!ret) {
		in->fd = cluster_attach(number, queue, next, &w, p, s->err);
		ret = in->fd < 0 ? in->fd : 0;
	}
	if (!ret && (ret = map_all(in, &w, p)))
		error_set(s->err, ret, "no memory to map queue %u of cluster %u; the master's "
			  "memory may be too large: fewer slots", w.queue, number);
	in->hands_on = next != CLUSTER_NO_NEXT;
	if (!ret) {
		in->word = parcel_new();
		ret = in->word ? 0 : -ENOMEM;
	}
	if (!ret) {
		s->linktype = w.linktype;
		if (w.netns && w.netns == remote_netns())
			in->nr_ifindexes = w.nr_ifindexes;
		memcpy(in->ifindexes, w.ifindexes, sizeof(in->ifindexes));
		snprintf(s->spec, sizeof(s->spec), "xcap:%u@%u", number, w.queue);
		snprintf(s->mode, sizeof(s->mode), "queue");
		w.text[sizeof(w.text) - 1] = '\0';
		snprintf(s->note, sizeof(s->note), "queue %u of cluster %u, which captures %s",
			 w.queue, number, w.text);
	}
	parcel_free(p);
	return ret;
}

static void free_names(struct in *in)
{
	struct retired *r, *next;

	for (r = in->retired; r; r = next) {
		next = r->next;
		free(r->name);
		free(r);
	}
	for (int i = 0; i <= QUEUE_NAMES; i++)
		free(in->names[i]);
}

static void source_queue_close(struct source *s)
{
	struct in *in = s->priv;

	if (!in)
		return;
	if (in->fd >= 0)
		close(in->fd);
	if (in->bell_fd >= 0)
		close(in->bell_fd);
	if (in->head_map)
		munmap(in->head_map, in->head_size);
	if (in->tail_map)
		munmap(in->tail_map, in->tail_size);
	for (int i = 0; i < QUEUE_MAX_AREAS; i++)
		if (in->areas[i].base)
			munmap((void *)in->areas[i].base, in->areas[i].size);
	free_names(in);
	parcel_free(in->word);
	free(in);
	s->priv = NULL;
}

static int source_queue_open(struct source *s, const struct spec *spec)
{
	struct in *in = calloc(1, sizeof(*in));
	int ret;

	if (!in)
		return error_set(s->err, -ENOMEM, "no memory to read a queue");
	in->fd = in->bell_fd = -1;
	in->last_retired = &in->retired;
	s->priv = in;
	ret = attach(s, in, spec);
	if (ret) {
		source_queue_close(s);
		return ret;
	}
	s->nr_lanes = 1;
	s->slack_ns = s->conf->slack_ns + MASTER_NS;
	s->nap_ns = in->r.size / 2 * NS_A_RECORD;
	return 0;
}

/* ---- names ---- */

/* Records that were lent before may point to it: it goes when they have come back. */
static void retire(struct in *in, void *name)
{
	struct retired *r = name ? malloc(sizeof(*r)) : NULL;

	if (!r)
		return;		/* without memory to remember it, it stays for good */
	*r = (struct retired){ .until = in->r.next, .name = name };
	*in->last_retired = r;
	in->last_retired = &r->next;
}

static void free_retired(struct in *in)
{
	struct retired *r;

	while ((r = in->retired) && r->until <= in->r.tail) {
		in->retired = r->next;
		if (!in->retired)
			in->last_retired = &in->retired;
		free(r->name);
		free(r);
	}
}

static const uint8_t *bytes_of(const struct in *in, const struct queue_slot *s, uint32_t len)
{
	const struct area *a;

	if (s->area >= in->nr_areas || len > s->bytes)
		return NULL;
	a = &in->areas[s->area];
	return s->offset <= a->size && len <= a->size - s->offset ? a->base + s->offset : NULL;
}

static void learn(struct in *in, const struct queue_slot *s)
{
	const uint8_t *bytes = bytes_of(in, s, s->bytes);
	uint32_t id = s->process.id;

	if (!bytes || !id || id > QUEUE_NAMES)
		return;
	retire(in, in->names[id]);
	in->generations[id] = s->process.generation;
	in->names[id] = s->kind == QUEUE_PROCESS ?
			(void *)queue_names_read_process(bytes, s->bytes) :
			(void *)queue_names_read_cgroup(bytes, s->bytes);
}

/* What was not told, or was before something else at its place, has no name here. */
static void *name_of(const struct in *in, struct queue_name name)
{
	return name.id <= QUEUE_NAMES && in->generations[name.id] == name.generation ?
	       in->names[name.id] : NULL;
}

/* ---- records ---- */

/* Return: false: the slot makes no sense. */
static bool read_slot(const struct source *s, const struct in *in, const struct queue_slot *slot,
		      struct xcap_record *rec)
{
	queue_copy(rec, &slot->rec);
	rec->data = bytes_of(in, slot, rec->caplen);
	if (rec->caplen && !rec->data)
		return false;
	if (rec->type == XCAP_SYS_ENTER)
		rec->enter.args = slot->has_args && slot->offset >= QUEUE_ARGS && rec->data ?
				  (const __u64 *)(const void *)(rec->data - QUEUE_ARGS) : NULL;
	rec->process = name_of(in, slot->process);
	rec->cgroup = name_of(in, slot->cgroup);
	rec->source = s->index;
	rec->trees = 0;
	rec->place = in->r.next;
	return rec->type >= XCAP_PACKET && rec->type <= XCAP_PROBE &&
	       (rec->type != XCAP_SYS_ENTER || rec->enter.args);
}

/* Slots that are no records go back with the records before them, or at once. */
static void give_back(struct in *in, int nr)
{
	const struct queue_slot *slots = in->r.slots;
	uint32_t mask = in->r.size - 1, n = 0;
	uint64_t at = in->r.tail;

	in->nr_lent -= nr;
	for (; nr; at++, n++)
		nr -= slots[at & mask].kind == QUEUE_RECORD;
	for (; at != in->r.next && slots[at & mask].kind != QUEUE_RECORD; at++, n++)
		;
	if (n)
		queue_reader_give(&in->r, n);
	free_retired(in);
}

static bool is_over(struct in *in)
{
	if (in->stopped)
		return in->r.next >= in->stop_at;
	return __atomic_load_n(&in->r.theirs->ended, __ATOMIC_ACQUIRE) &&
	       !queue_reader_look(&in->r);
}

static bool has_hung_up(const struct in *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

/* Nothing there: is it the end? Return: as peek. */
static int look_around(struct source *s, struct in *in)
{
	int64_t now;

	if (is_over(in)) {
		in->ended = true;
		return -ENODATA;
	}
	now = clock_mono_ns();
	if (now - in->looked_ns < LOOK_NS)
		return 0;
	in->looked_ns = now;
	if (!has_hung_up(in) || queue_reader_look(&in->r) || is_over(in))
		return 0;
	in->ended = in->gone = true;
	return error_set(s->err, -EPIPE, "the master of %s is gone; what it captured before is "
			 "complete", s->spec);
}

/* It may be one that is not written yet: harmless. */
static void fetch(const struct in *in, uint64_t at)
{
	const char *slot = (const char *)&in->r.slots[at & (in->r.size - 1)];

	__builtin_prefetch(slot);
	__builtin_prefetch(slot + QUEUE_LINE);
}

static int source_queue_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct in *in = s->priv;
	uint32_t there = queue_reader_look(&in->r);
	int n = 0;

	(void)lane;
	if (in->ended)
		return -ENODATA;
	if (in->stopped && there > in->stop_at - in->r.next)
		there = in->stop_at - in->r.next;
	for (; there && n < max; there--, in->r.next++) {
		uint64_t at = in->r.next & (in->r.size - 1);
		const struct queue_slot *slot = &in->r.slots[at];

		fetch(in, in->r.next + AHEAD);
		if (in->hands_on)
			in->r.verdicts[at] = QUEUE_DONE;
		if (slot->kind != QUEUE_RECORD) {
			learn(in, slot);
			continue;
		}
		if (!read_slot(s, in, slot, &recs[n])) {
			in->ended = true;
			return n ?: error_set(s->err, -EPROTO, "%s holds what is no record",
					      s->spec);
		}
		n++;
	}
	in->nr_lent += n;
	if (!n && !in->nr_lent)
		give_back(in, 0);
	return n ?: look_around(s, in);
}

/* ---- handing on ---- */

static int source_queue_hand_on(struct source *s, const struct xcap_record *rec)
{
	struct in *in = s->priv;

	if (!in->hands_on)
		return error_set(s->err, -EINVAL, "%s hands nothing on; name the queue that gets "
				 "it: %s?next=QUEUE", s->spec, s->spec);
	if (rec->place - in->r.tail >= in->r.next - in->r.tail)
		return error_set(s->err, -EINVAL, "that record has been released");
	in->r.verdicts[rec->place & (in->r.size - 1)] = QUEUE_HAND_ON;
	if (in->handed <= rec->place)
		in->handed = rec->place + 1;
	return 0;
}

/* The master may be asleep: then it hears of it. It has so many words unread at most. */
static void kick(struct in *in)
{
	/* pairs with queue_out_sleep(): either it sees our tail, or we see that it sleeps */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&in->r.theirs->master_sleeps, __ATOMIC_RELAXED))
		return;
	parcel_empty(in->word, CLUSTER_KICK);
	parcel_send(in->fd, in->word);
}

/*
 * Others hold records until we say how far we are, and the master, which knows, may sleep: it is
 * asked, now and then.
 */
static void ask_mark(struct in *in)
{
	int64_t now = clock_mono_ns();

	if (now - in->asked_ns < ASK_NS)
		return;
	in->asked_ns = now;
	kick(in);
}

static void source_queue_release(struct source *s, int lane, int nr)
{
	struct in *in = s->priv;
	uint64_t before = in->r.tail;

	(void)lane;
	give_back(in, nr < (int)in->nr_lent ? nr : (int)in->nr_lent);
	if (before < in->handed)
		kick(in);
}

static int64_t source_queue_watermark(struct source *s, int lane)
{
	struct in *in = s->priv;

	(void)lane;
	if (in->ended)
		return INT64_MAX;
	if (s->conf->merged)
		ask_mark(in);
	return queue_reader_watermark(&in->r);
}

/* ---- sleeping ---- */

static int source_queue_arm(struct source *s, int epoll_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct in *in = s->priv;

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, in->bell_fd, &ev))
		return -errno;
	ev.events = EPOLLRDHUP | EPOLLET;
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, in->fd, &ev) ? -errno : 0;
}

static int source_queue_sleep(struct source *s, bool on)
{
	struct in *in = s->priv;
	struct epoll_event ev;

	if (!on)
		epoll_wait(in->bell_fd, &ev, 1, 0);	/* takes the edge */
	if (in->ended)
		return 0;
	if (in->stopped)
		return on;
	if (!on)
		return queue_reader_sleep(&in->r, false);
	in->looked_ns = 0;	/* who was woken looks whether it was by the master's end, */
	return queue_reader_sleep(&in->r, true) || has_hung_up(in);	/* which rings once */
}

static int source_queue_captures(struct source *s, uint32_t *ifindexes, int max)
{
	struct in *in = s->priv;
	int n = (int)in->nr_ifindexes < max ? (int)in->nr_ifindexes : max;

	memcpy(ifindexes, in->ifindexes, n * sizeof(*ifindexes));
	return n;
}

/* ---- the end ---- */

static void source_queue_stop(struct source *s)
{
	struct in *in = s->priv;

	if (in->stopped)
		return;
	if (!queue_reader_books(&in->r, &in->books, &in->stop_at))
		in->stop_at = in->r.next;	/* it died in the middle of a sentence */
	in->stopped = true;
}

static void source_queue_stats(struct source *s, struct source_stats *st)
{
	const struct in *in = s->priv;
	struct queue_books b = in->books;
	uint64_t head;

	if (!in->stopped && !queue_reader_books(&in->r, &b, &head))
		return;
	st->seen = b.seen;
	st->filtered = b.filtered;
	st->dropped[XCAP_DROP_QUEUE] = b.dropped;
}

static const char *const options[] = { "next", NULL };

const struct source_ops source_queue_ops = {
	.scheme = "xcap",
	.help = "a queue of a cluster, in shared memory: xcap:99@0",
	.options = options,
	.events = true,
	.check = source_queue_check,
	.open = source_queue_open,
	.peek = source_queue_peek,
	.release = source_queue_release,
	.watermark = source_queue_watermark,
	.arm = source_queue_arm,
	.sleep = source_queue_sleep,
	.captures = source_queue_captures,
	.hand_on = source_queue_hand_on,
	.stop = source_queue_stop,
	.stats = source_queue_stats,
	.close = source_queue_close,
};
