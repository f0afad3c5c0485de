// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records for one queue; slots that its reader gives back.
 * Out:  slots in shared memory, and a reader that is awake.
 * Owns: the queue's memory, and the frames that its slots refer to.
 * Runs on: the thread of the stream.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "queue_out.h"
#include "sink.h"

/* Slots that a record may need beside its own: two names, what was lost at each place. */
#define EXTRA (2 + XCAP_DROP_MAX)
#define AHEAD 4			/* slots that are fetched before they are written */

static size_t head_bytes(const struct queue_out *q)
{
	return QUEUE_SLOTS_AT + (size_t)q->size * sizeof(struct queue_slot);
}

static size_t tail_bytes(const struct queue_out *q)
{
	return QUEUE_VERDICTS_AT + q->size;
}

int queue_out_open(struct queue_out *q, uint32_t size, struct frames *f, struct queue_names *n)
{
	*q = (struct queue_out){ .size = size, .memory = f, .names = n, .wake_fd = -1,
				 .epoll_fd = -1, .head_fd = -1, .tail_fd = -1 };
	q->notes = malloc(size * sizeof(*q->notes));
	q->told = calloc(QUEUE_NAMES + 1, sizeof(*q->told));
	return q->notes && q->told ? 0 : -ENOMEM;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void queue_out_close(struct queue_out *q)
{
	if (!q->size)
		return;		/* never opened: its descriptors are nobody's */
	queue_out_detach(q);
	filter_free(q->filter);
	free(q->filter_text);
	free(q->notes);
	free(q->told);
	*q = (struct queue_out){ 0 };
}

/* ---- a reader comes ---- */

static void *shared(int *fd, const char *name, size_t bytes, int seals)
{
	void *p;

	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0 || ftruncate(*fd, bytes))
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	/* without it a reader could cut off what we are about to read or write */
	if (!fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | seals))
		return p;
	munmap(p, bytes);
	return NULL;
}

/*
 * The reader is handed an epoll set in which the eventfd is, edge-triggered, and not the eventfd:
 * whoever has that could fill its counter, and make it block, and the master with it.
 */
static int open_bell(struct queue_out *q)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (q->wake_fd < 0 || q->epoll_fd < 0)
		return -errno;
	return epoll_ctl(q->epoll_fd, EPOLL_CTL_ADD, q->wake_fd, &ev) ? -errno : 0;
}

int queue_out_attach(struct queue_out *q, struct queue_out *next)
{
	int ret = open_bell(q);
	void *head;

	head = ret ? NULL : shared(&q->head_fd, "xcap-queue", head_bytes(q), F_SEAL_FUTURE_WRITE);
	if (head) {
		q->w = (struct queue_writer){ .shared = head, .size = q->size,
			.slots = (struct queue_slot *)((uint8_t *)head + QUEUE_SLOTS_AT) };
		q->tail = shared(&q->tail_fd, "xcap-tail", tail_bytes(q), 0);
	}
	if (!head || !q->tail) {
		ret = ret ?: errno ? -errno : -ENOMEM;
		queue_out_detach(q);
		return ret;
	}
	q->w.theirs = q->tail;
	q->verdicts = (const uint8_t *)q->tail + QUEUE_VERDICTS_AT;
	q->next = next;
	memset(q->owed, 0, sizeof(q->owed));
	q->owes = false;
	q->books = (struct queue_books){ 0 };
	memset(q->told, 0, (QUEUE_NAMES + 1) * sizeof(*q->told));
	return 0;
}

void queue_out_handed(struct queue_out *q)
{
	close_fd(&q->epoll_fd);
	close_fd(&q->head_fd);
	close_fd(&q->tail_fd);
}

int queue_out_filter(struct queue_out *q, const char *expression, struct error *err)
{
	const uint32_t ethernet = XCAP_LINK_ETHERNET, *pids;
	struct filter *f = NULL;
	char *text = NULL;
	int ret = 0;

	if (expression && *expression) {
		text = strdup(expression);
		ret = text ? filter_compile(&f, expression, &ethernet, 1, err) :
			     error_set(err, -ENOMEM, "no memory for a filter");
	}
	if (!ret && f && filter_trees(f, &pids)) {
		filter_free(f);
		ret = error_set(err, -EOPNOTSUPP, "a queue cannot follow a tree of processes; "
				"let the reader filter by proc.tree of its own");
	}
	if (ret) {
		free(text);
		return ret;
	}
	filter_free(q->filter);
	free(q->filter_text);
	q->filter = f;
	q->filter_text = text;
	return 0;
}

/* ---- slots come back ---- */

static void drop_frame(struct queue_out *q, struct queue_note *note)
{
	if (note->frame == FRAME_NONE)
		return;
	q->in_use[note->class]--;
	frames_put(q->memory, note->frame);
	note->frame = FRAME_NONE;
}

/* A record of the slot once more, its pointers and what is the library's own ours. */
static void revive(struct queue_out *q, const struct queue_slot *s, struct xcap_record *rec)
{
	const uint8_t *bytes = q->memory->areas[s->area].base + s->offset;

	queue_copy(rec, &s->rec);
	rec->trees = 0;
	rec->place = 0;
	rec->data = rec->caplen ? bytes : NULL;
	if (s->has_args)
		rec->enter.args = (const __u64 *)(const void *)(bytes - QUEUE_ARGS);
	rec->process = queue_names_as_process(q->names, s->process);
	rec->cgroup = queue_names_as_cgroup(q->names, s->cgroup);
}

static void hand_on(struct queue_out *q, const struct queue_slot *s, const struct queue_note *note)
{
	uint32_t before = s->has_args ? QUEUE_ARGS : 0;
	struct xcap_record rec = { 0 };
	struct queue_item item = {
		.rec = &rec, .frame = note->frame, .class = note->class,
		.place = { .area = s->area, .offset = s->offset - before,
			   .bytes = s->bytes + before },
		.caplen = s->rec.caplen, .framed = true, .named = true,
		.process = s->process, .cgroup = s->cgroup,
	};

	if (item.frame != FRAME_NONE)
		frames_get(q->memory, item.frame);
	revive(q, s, &rec);
	q->totals.handed_on += rec.type != XCAP_LOSS;
	queue_out_offer(q->next, &item);
	queue_out_item_done(q->memory, &item);
}

int queue_out_reap(struct queue_out *q)
{
	int64_t n = q->w.shared ? queue_writer_look(&q->w) : 0;

	if (n < 0)
		return -EPROTO;
	for (; n; n--, q->w.tail++) {
		uint32_t at = q->w.tail & (q->size - 1);
		struct queue_note *note = &q->notes[at];

		q->totals.delivered += note->counts;
		if (q->next && q->verdicts[at] == QUEUE_HAND_ON &&
		    q->w.slots[at].kind == QUEUE_RECORD)
			hand_on(q, &q->w.slots[at], note);
		drop_frame(q, note);
	}
	return 0;
}

int64_t queue_out_oldest(const struct queue_out *q, int64_t none_ns)
{
	for (uint64_t at = q->w.tail; at != q->w.head; at++) {
		const struct queue_slot *s = queue_slot_at(&q->w, at);

		if (s->kind == QUEUE_RECORD)
			return s->rec.mono_ns < none_ns ? s->rec.mono_ns : none_ns;
	}
	return none_ns;
}

/* What it gave back goes on as it said; what it had and did not give back is nobody's now. */
void queue_out_detach(struct queue_out *q)
{
	if (q->tail)
		queue_out_reap(q);
	for (; q->w.shared && q->w.tail != q->w.head; q->w.tail++) {
		struct queue_note *note = &q->notes[q->w.tail & (q->size - 1)];

		q->totals.unread += note->counts;
		drop_frame(q, note);
	}
	if (q->w.shared)
		munmap(q->w.shared, head_bytes(q));
	if (q->tail)
		munmap(q->tail, tail_bytes(q));
	q->w = (struct queue_writer){ 0 };
	q->tail = NULL;
	q->next = NULL;
	q->changed = false;
	close_fd(&q->wake_fd);
	close_fd(&q->epoll_fd);
	close_fd(&q->head_fd);
	close_fd(&q->tail_fd);
}

/* ---- records go in ---- */

/* The next slot, with a reference to the frame; all else in it is to be written by the caller. */
static struct queue_slot *next_slot(struct queue_out *q, uint32_t frame, int class, bool counts)
{
	uint64_t at = q->w.head++;

	q->notes[at & (q->size - 1)] = (struct queue_note){ frame, class, counts };
	if (frame != FRAME_NONE) {
		q->in_use[class]++;
		frames_get(q->memory, frame);
	}
	q->changed = true;
	/* another CPU has its lines: it hands them over while others are written */
	for (int i = 0; i < 2; i++)
		__builtin_prefetch((char *)queue_slot_at(&q->w, at + AHEAD) + i * QUEUE_LINE, 1);
	return queue_slot_at(&q->w, at);
}

static void put_place(struct queue_slot *s, const struct frame_place *place)
{
	s->area = place->area;
	s->offset = place->offset;
	s->bytes = place->bytes;
	s->has_args = 0;
}

static bool is_told(const struct queue_out *q, struct queue_name name)
{
	return !name.id || q->told[name.id] == name.generation;
}

static bool is_over(const struct queue_out *q, int class)
{
	return q->in_use[class] >= q->memory->quota[class];
}

static void tell(struct queue_out *q, uint32_t kind, struct queue_name name)
{
	struct frame_place place;
	struct queue_slot *s;
	uint32_t bytes, frame;

	frame = queue_names_frame(q->names, name, &bytes);
	/* old names that a slow reader holds are of its quota, too: it goes without new ones */
	if (frame == FRAME_NONE || is_over(q, frames_class(q->memory, frame)))
		return;
	s = next_slot(q, frame, frames_class(q->memory, frame), false);
	frames_place(q->memory, frame, NULL, &place);
	place.bytes = bytes;
	put_place(s, &place);
	s->kind = kind;
	s->process = name;
	q->told[name.id] = name.generation;
}

static void tell_loss(struct queue_out *q, int where)
{
	struct queue_slot *s = next_slot(q, FRAME_NONE, 0, false);

	s->rec = (struct xcap_record){
		.type = XCAP_LOSS, .mono_ns = q->owed_ns, .wall_ns = q->owed_wall_ns,
		.uid = XCAP_UID_UNKNOWN, .cpu = XCAP_CPU_UNKNOWN,
		.loss = { .count = q->owed[where], .where = where },
	};
	s->kind = QUEUE_RECORD;
	s->process = s->cgroup = (struct queue_name){ 0 };
	put_place(s, &(struct frame_place){ 0 });
	q->owed[where] = 0;
}

/* What was lost is told as soon as there is room, at the time of what could not be told last. */
static void tell_losses(struct queue_out *q)
{
	for (int where = 0; where < XCAP_DROP_MAX; where++)
		if (q->owed[where])
			tell_loss(q, where);
	q->owes = false;
}

/* It could not be told: here, or what another place had to tell. */
static void owe(struct queue_out *q, const struct xcap_record *rec)
{
	if (rec->type != XCAP_LOSS)
		q->owed[XCAP_DROP_QUEUE]++;
	else if (rec->loss.where < XCAP_DROP_MAX)
		q->owed[rec->loss.where] += rec->loss.count;
	q->owes = true;
	if (rec->flags & XCAP_REC_LATE && rec->mono_ns < q->owed_ns)
		return;
	q->owed_ns = rec->mono_ns;
	q->owed_wall_ns = rec->wall_ns;
}

static const void *args_of(const struct xcap_record *rec)
{
	return rec->type == XCAP_SYS_ENTER ? rec->enter.args : NULL;
}

/* Return: false: there is no memory for it. */
static bool find_frame(struct queue_out *q, struct queue_item *item)
{
	const struct xcap_record *rec = item->rec;
	uint32_t before = args_of(rec) ? QUEUE_ARGS : 0;

	item->framed = true;
	item->caplen = rec->caplen;
	if (!before && !rec->caplen)
		return true;
	if (!is_over(q, FRAME_KEPT))
		item->frame = frames_keep(q->memory, rec);
	if (item->frame == FRAME_NONE &&
	    !is_over(q, frames_class_of(q->memory, before + rec->caplen)))
		item->frame = frames_take(q->memory, rec, args_of(rec), before, &item->caplen);
	item->framed = item->frame != FRAME_NONE;
	if (!item->framed)
		return false;
	item->class = frames_class(q->memory, item->frame);
	frames_place(q->memory, item->frame, rec, &item->place);
	return true;
}

/* Room for the record and what has to go before it, and frames of its own quota. */
static bool has_room(struct queue_out *q, struct queue_item *item)
{
	if (queue_writer_room(&q->w) <= EXTRA && (queue_out_reap(q) ||
						   queue_writer_room(&q->w) <= EXTRA))
		return false;
	/* others may hold on to it where it is: this queue gets a copy, and who comes behind it */
	if (item->framed && item->class == FRAME_KEPT && is_over(q, FRAME_KEPT)) {
		queue_out_item_done(q->memory, item);
		item->frame = FRAME_NONE;
		item->framed = false;
	}
	if (!item->framed)
		return find_frame(q, item);
	return item->frame == FRAME_NONE || !is_over(q, item->class);
}

bool queue_out_is_full(const struct queue_out *q)
{
	bool full = queue_writer_room(&q->w) <= EXTRA;

	for (int i = 0; i < FRAME_COPIED; i++)
		full |= is_over(q, i);
	return full;
}

static void name(struct queue_out *q, struct queue_item *item)
{
	if (!item->named) {
		item->process = queue_names_process(q->names, item->rec->process);
		item->cgroup = queue_names_cgroup(q->names, item->rec->cgroup);
		item->named = true;
	}
	if (!is_told(q, item->process))
		tell(q, QUEUE_PROCESS, item->process);
	if (!is_told(q, item->cgroup))
		tell(q, QUEUE_CGROUP, item->cgroup);
}

static void put_record(struct queue_out *q, const struct queue_item *item, bool counts)
{
	struct queue_slot *s = next_slot(q, item->frame, item->class, counts);

	queue_copy(&s->rec, item->rec);
	s->rec.caplen = item->caplen;
	put_place(s, &item->place);
	s->kind = QUEUE_RECORD;
	s->process = item->process;
	s->cgroup = item->cgroup;
	if (!args_of(item->rec))
		return;
	s->has_args = 1;
	s->offset += QUEUE_ARGS;
	s->bytes -= QUEUE_ARGS;
}

bool queue_out_offer(struct queue_out *q, struct queue_item *item)
{
	bool counts = item->rec->type != XCAP_LOSS;	/* tells of others */

	q->totals.seen += counts;
	if (!q->w.shared) {
		q->totals.no_reader += counts;
		item->fate = XCAP_DROP_NO_READER;
		return false;
	}
	q->books.seen += counts;
	if (counts && q->filter && !filter_match(q->filter, item->rec)) {
		q->books.filtered++;
		q->totals.filtered++;
		item->fate = SINK_FILTERED;
		q->changed = true;
		return false;
	}
	if (!has_room(q, item)) {
		q->books.dropped += counts;
		q->totals.dropped += counts;
		item->fate = XCAP_DROP_QUEUE;
		owe(q, item->rec);
		q->changed = true;
		return false;
	}
	if (q->owes)
		tell_losses(q);
	name(q, item);
	put_record(q, item, counts);
	return true;
}

void queue_out_item_done(struct frames *f, struct queue_item *item)
{
	if (item->framed && item->frame != FRAME_NONE)
		frames_put(f, item->frame);
}

/* ---- and out ---- */

static void ring(struct queue_out *q)
{
	uint64_t one = 1;

	/* cleared by us too, so that one sleep is rung for once; nobody reads the counter */
	__atomic_store_n(&q->tail->reader_sleeps, 0, __ATOMIC_RELAXED);
	if (write(q->wake_fd, &one, sizeof(one)) < 0)
		return;		/* full after 2^64 of them */
}

void queue_out_publish(struct queue_out *q, int64_t watermark_ns)
{
	bool news;

	if (!q->w.shared)
		return;
	if (q->owes && queue_writer_room(&q->w) > EXTRA)
		tell_losses(q);
	news = q->changed;
	q->changed = false;
	queue_writer_publish(&q->w, &q->books, watermark_ns);
	if (news && queue_writer_must_wake(&q->w))
		ring(q);
}

bool queue_out_sleep(struct queue_out *q, bool on)
{
	if (!q->w.shared)
		return false;
	__atomic_store_n(&q->w.shared->master_sleeps, on, __ATOMIC_RELAXED);
	/* pairs with the reader's, between giving back and looking at the flag */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return on && q->next && queue_writer_look(&q->w);
}

void queue_out_end(struct queue_out *q)
{
	if (!q->w.shared)
		return;
	queue_out_publish(q, INT64_MAX);
	__atomic_store_n(&q->w.shared->ended, 1, __ATOMIC_RELEASE);
	ring(q);
}

uint64_t queue_out_backlog(const struct queue_out *q)
{
	return q->totals.seen - q->totals.delivered - q->totals.filtered - q->totals.dropped -
	       q->totals.no_reader - q->totals.unread;
}
