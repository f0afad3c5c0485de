// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a queue's ring between two threads; frames, names and kept chunks in random orders.
 * Out:  that nothing is lost, torn or slept through, and that all memory comes back.
 * Owns: nothing.
 * Runs on: no root, no kernel state. Under ThreadSanitizer with fewer slots.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "frames.h"
#include "queue.h"
#include "queue_names.h"
#include "sink.h"
#include "source.h"
#include "stream.h"
#include "umem.h"

#ifdef __SANITIZE_THREAD__
#define MANY 300000
#else
#define MANY 3000000
#endif
#define SIZE 256

static uint32_t rnd(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 16) % n;
}

/* ---- the ring ---- */

struct ring {
	struct queue_head head;
	struct queue_tail tail;
	struct queue_slot slots[SIZE];
	sem_t bell;
	uint64_t start;		/* positions begin here */
	uint64_t nr_rings;
};

static void ring_open(struct ring *r, uint64_t start)
{
	memset(r, 0, sizeof(*r));
	sem_init(&r->bell, 0, 0);
	r->start = start;
	r->head.head = r->tail.tail = start;
}

static void publish(struct ring *r, struct queue_writer *w)
{
	uint64_t n = w->head - r->start;

	queue_writer_publish(w, &(struct queue_books){ n, 2 * n, 3 * n }, n);
	if (!queue_writer_must_wake(w))
		return;
	__atomic_store_n(&r->tail.reader_sleeps, 0, __ATOMIC_RELAXED);
	r->nr_rings++;
	sem_post(&r->bell);
}

static void *writer(void *arg)
{
	struct ring *r = arg;
	struct queue_writer w = { .shared = &r->head, .slots = r->slots, .theirs = &r->tail,
				  .size = SIZE, .head = r->start, .published = r->start,
				  .tail = r->start };
	uint64_t seed = 7, left = MANY;

	while (left) {
		uint32_t n = 1 + rnd(&seed, rnd(&seed, 8) ? 16 : SIZE);
		int64_t back = queue_writer_look(&w);

		if (back < 0)
			break;		/* the reader's books tell */
		w.tail += back;
		if (!queue_writer_room(&w))
			sched_yield();
		for (; n && left && queue_writer_room(&w); n--, left--) {
			struct queue_slot *s = queue_slot_at(&w, w.head++);

			s->kind = QUEUE_RECORD;
			s->rec.mono_ns = w.head - r->start;
			s->offset = ~s->rec.mono_ns;
		}
		publish(r, &w);
		if (!rnd(&seed, 4000))	/* long enough to be slept through */
			nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	publish(r, &w);
	__atomic_store_n(&r->head.ended, 1, __ATOMIC_RELEASE);
	sem_post(&r->bell);
	return NULL;
}

/* Return: nobody rang for half a minute. */
static bool slept_through(struct ring *r, struct queue_reader *q)
{
	struct timespec until;
	int ret = 0;

	if (!queue_reader_sleep(q, true)) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 30;
		do
			ret = sem_timedwait(&r->bell, &until);
		while (ret && errno == EINTR);
	}
	queue_reader_sleep(q, false);
	return ret;
}

static void check_books(struct queue_reader *q, uint64_t start, uint64_t *before)
{
	struct queue_books b;
	uint64_t head = 0;
	int64_t mark;

	assert_true(queue_reader_books(q, &b, &head));
	assert_int_equal(b.seen, head - start);
	assert_int_equal(b.filtered, 2 * b.seen);
	assert_int_equal(b.dropped, 3 * b.seen);
	assert_true(b.seen >= *before);
	*before = b.seen;
	mark = queue_reader_watermark(q);	/* of a head that is behind us, if it is one */
	assert_true(mark == INT64_MIN || (uint64_t)mark <= q->next - start);
}

static void read_ring(struct ring *r)
{
	struct queue_reader q = { .theirs = &r->head, .slots = r->slots, .shared = &r->tail,
				  .size = SIZE, .head = r->start, .next = r->start,
				  .tail = r->start };
	uint64_t seed = 3, seen = 0, expected = 0;

	for (;;) {
		uint32_t n = queue_reader_look(&q);

		if (!n && __atomic_load_n(&r->head.ended, __ATOMIC_ACQUIRE) &&
		    !queue_reader_look(&q))
			break;
		if (!n)
			assert_false(slept_through(r, &q));
		for (n = n ? 1 + rnd(&seed, n) : 0; n; n--, q.next++) {
			const struct queue_slot *s = &q.slots[q.next & (SIZE - 1)];

			expected++;
			if ((uint64_t)s->rec.mono_ns != expected || s->offset != ~expected)
				fail_msg("slot %lu holds %ld", expected, (long)s->rec.mono_ns);
		}
		if (q.next != q.tail)
			queue_reader_give(&q, 1 + rnd(&seed, q.next - q.tail));
		if (!rnd(&seed, 16))
			check_books(&q, r->start, &seen);
	}
	assert_int_equal(expected, MANY);
	assert_int_equal(q.next - r->start, MANY);
}

static void two_threads(uint64_t start)
{
	struct ring *r = aligned_alloc(QUEUE_LINE, (sizeof(*r) + 63) / 64 * 64);
	pthread_t thread;

	ring_open(r, start);
	assert_int_equal(pthread_create(&thread, NULL, writer, r), 0);
	read_ring(r);
	pthread_join(thread, NULL);
	assert_true(r->nr_rings > 10);
	free(r);
}

static void ring_between_threads(void **state)
{
	two_threads(0);
}

/* Positions never wrap in this life; nothing breaks if they do. */
static void ring_wraps_around(void **state)
{
	two_threads(UINT64_MAX - MANY / 2);
}

static void tails_that_are_none(void **state)
{
	struct queue_head head = { 0 };
	struct queue_tail tail = { .tail = 100 };
	struct queue_writer w = { .shared = &head, .theirs = &tail, .size = SIZE, .head = 160,
				  .published = 150, .tail = 100 };
	const uint64_t bad[] = { 99, 0, 151, 160, 1u << 31, 1ull << 63, UINT64_MAX,
				 100 + (1ull << 32), 100 - SIZE };

	for (uint64_t t = 100; t <= 150; t++) {
		tail.tail = t;
		assert_int_equal(queue_writer_look(&w), t - 100);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tail.tail = bad[i];
		assert_int_equal(queue_writer_look(&w), -1);
	}
}

static void master_that_died_while_it_wrote(void **state)
{
	struct queue_head head = { .version = 7 };
	struct queue_reader q = { .theirs = &head };
	struct queue_books b;
	uint64_t at;

	assert_false(queue_reader_books(&q, &b, &at));
}

/* ---- frames ---- */

#ifdef __SANITIZE_THREAD__		/* without the stream, and all that it needs */
int xcap_nr_sources(const struct xcap *x)
{
	return x->nr_sources;
}

int sink_memory(struct xcap *x, int source, struct memory *m)
{
	return x->sources[source]->ops->memory(x->sources[source], m);
}

bool sink_keep(struct xcap *x, int source, uint32_t chunk)
{
	return x->sources[source]->ops->keep(x->sources[source], chunk);
}

void sink_unkeep(struct xcap *x, int source, uint32_t chunk)
{
	x->sources[source]->ops->unkeep(x->sources[source], chunk);
}
#endif

#define CHUNKS 64

struct fake {
	struct source s, *source;
	struct xcap x;
	uint8_t area[CHUNKS * 2048];
	uint8_t kept[CHUNKS];
	int memfd;
};

static int fake_memory(struct source *s, struct memory *m)
{
	struct fake *f = (struct fake *)s;

	*m = (struct memory){ f->memfd, f->area, sizeof(f->area), 2048, CHUNKS / 2 };
	return 0;
}

static bool fake_keep(struct source *s, uint32_t chunk)
{
	struct fake *f = (struct fake *)s;

	if (f->kept[chunk])
		return false;
	f->kept[chunk] = true;
	return true;
}

static void fake_unkeep(struct source *s, uint32_t chunk)
{
	struct fake *f = (struct fake *)s;

	assert_true(f->kept[chunk]);
	f->kept[chunk] = false;
}

static const struct source_ops fake_ops = { .memory = fake_memory, .keep = fake_keep,
					    .unkeep = fake_unkeep };

static void frames_new(struct frames *f, struct fake *fake, uint32_t queues, uint32_t slots)
{
	struct error err;

	*fake = (struct fake){ .s.ops = &fake_ops,
			       .memfd = memfd_create("test", MFD_ALLOW_SEALING) };
	assert_true(fake->memfd >= 0);
	fake->source = &fake->s;
	fake->x.sources = &fake->source;
	fake->x.nr_sources = 1;
	assert_int_equal(frames_open(f, queues, slots, 8, &fake->x, &err), 0);
}

static void frames_end(struct frames *f, struct fake *fake)
{
	uint64_t total, left, kept;

	frames_count(f, &total, &left, &kept);
	assert_int_equal(total, left);
	assert_int_equal(kept, 0);
	for (int i = 0; i < CHUNKS; i++)
		assert_false(fake->kept[i]);
	frames_close(f);
	close(fake->memfd);
}

static void frames_come_and_go(void **state)
{
	static uint8_t bytes[300000];
	struct { uint32_t frame, refs, len; uint8_t first; } held[400];
	struct fake *fake = malloc(sizeof(*fake));
	uint64_t seed = 11, total, left, kept;
	uint32_t nr = 0, len;
	struct frames f;

	frames_new(&f, fake, 3, 64);
	for (int turn = 0; turn < 200000; turn++) {
		struct xcap_record rec = { .data = bytes };
		uint32_t at = nr ? rnd(&seed, nr) : 0;

		switch (rnd(&seed, 4)) {
		case 0:		/* one more, kept or copied */
			if (nr == 400)
				break;
			rec.caplen = len = 1 + rnd(&seed, rnd(&seed, 9) ? 2000 : 299000);
			if (rnd(&seed, 2))
				rec.data = fake->area + 2048 * rnd(&seed, CHUNKS);
			bytes[0] = turn;
			held[nr].frame = rec.data == bytes ? FRAME_NONE : frames_keep(&f, &rec);
			if (held[nr].frame == FRAME_NONE && rec.data == bytes)
				held[nr].frame = frames_take(&f, &rec, NULL, 0, &len);
			if (held[nr].frame == FRAME_NONE)
				break;
			held[nr].refs = 1;
			held[nr].len = rec.data == bytes ? len : 0;
			held[nr++].first = turn;
			break;
		case 1:
			if (nr) {
				frames_get(&f, held[at].frame);
				held[at].refs++;
			}
			break;
		default:
			if (!nr)
				break;
			if (held[at].len) {
				struct frame_place place;

				frames_place(&f, held[at].frame, NULL, &place);
				assert_true(place.bytes >= held[at].len);
				assert_int_equal(f.copies[place.offset], held[at].first);
			}
			frames_put(&f, held[at].frame);
			if (!--held[at].refs)
				held[at] = held[--nr];
		}
		frames_count(&f, &total, &left, &kept);
		assert_int_equal(total - left + kept, nr);
	}
	for (; nr; held[nr - 1].refs ? 0 : nr--)
		if (held[nr - 1].refs--)
			frames_put(&f, held[nr - 1].frame);
	frames_end(&f, fake);
	free(fake);
}

/* What one queue may hold leaves as much for the others, of every size. */
static void frames_of_a_quota(void **state)
{
	static uint8_t bytes[266240];
	struct fake *fake = malloc(sizeof(*fake));
	struct frames f;

	frames_new(&f, fake, 5, 128);
	for (int class = 0; class < FRAME_COPIED; class++) {
		struct xcap_record rec = { .data = bytes, .caplen = f.classes[class].size };
		uint32_t n = 5 * f.quota[class], first = FRAME_NONE, len;

		assert_true(f.quota[class] > 0 && f.classes[class].nr >= n);
		assert_int_equal(frames_class_of(&f, rec.caplen), class);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t frame = frames_take(&f, &rec, NULL, 0, &len);

			assert_int_not_equal(frame, FRAME_NONE);
			assert_int_equal(frames_class(&f, frame), class);
			assert_int_equal(len, rec.caplen);
			first = frame < first ? frame : first;
		}
		for (uint32_t i = 0; i < n; i++)
			frames_put(&f, first + i);
	}
	frames_end(&f, fake);
	free(fake);
}

/* ---- names ---- */

static void names_that_change(void **state)
{
	struct xcap_process p = { .pid = 1, .exe = "/bin/one", .args = "one\0x", .args_len = 5 };
	struct fake *fake = malloc(sizeof(*fake));
	struct queue_name first, second;
	struct queue_names *t;
	struct frames f;
	uint32_t bytes;

	frames_new(&f, fake, 1, 64);
	t = queue_names_new(&f);
	first = queue_names_process(t, &p);
	assert_true(first.id && first.generation);
	assert_int_equal(queue_names_count(t), 1);
	queue_names_batch(t);
	second = queue_names_process(t, &p);	/* the same still */
	assert_memory_equal(&first, &second, sizeof(first));
	frames_get(&f, queue_names_frame(t, first, &bytes));	/* a slot tells it */
	assert_string_equal(queue_names_as_process(t, first)->exe, "/bin/one");
	p.exe = "/bin/two";
	p.pid = 2;
	queue_names_batch(t);
	second = queue_names_process(t, &p);	/* another, at the same place */
	assert_int_equal(second.id, first.id);
	assert_int_not_equal(second.generation, first.generation);
	assert_int_equal(queue_names_frame(t, first, &bytes), FRAME_NONE);
	assert_null(queue_names_as_process(t, first));
	assert_int_equal(queue_names_as_process(t, second)->pid, 2);
	assert_int_equal(queue_names_count(t), 1);
	assert_int_equal(queue_names_process(t, NULL).id, 0);
	for (uint32_t i = 0; i < f.classes[0].nr + f.classes[1].nr; i++)	/* the one told */
		if (f.areas[0].refs[i] == 1 && i != queue_names_frame(t, second, &bytes))
			frames_put(&f, i);
	queue_names_free(t);
	frames_end(&f, fake);
	free(fake);
}

/* ---- chunks that are kept ---- */

#define POOL 256
#define POOL_RING 128

struct pool {
	struct umem_pool p;
	struct xsk_ring_prod fill;
	uint64_t ring[POOL_RING];
	uint32_t producer, consumer, flags;
	uint32_t fifo[POOL], oldest, youngest;	/* lent */
	uint32_t kept[POOL], nr_kept;
};

/* Every chunk is in one place at least, and in two only while it is lent and kept. */
static void check_pool(const struct pool *w)
{
	uint8_t places[POOL] = { 0 };

	for (uint32_t i = w->consumer; i != w->producer; i++)
		places[w->ring[i % POOL_RING] / 2048]++;
	for (uint32_t i = w->p.filled; i != w->p.lent; i++)
		places[w->p.order[i & w->p.mask]]++;
	for (uint32_t i = 0; i < w->p.nr_spare; i++)
		places[w->p.spare[i]]++;
	for (uint32_t i = 0; i < w->nr_kept; i++)
		places[w->kept[i]] += !places[w->kept[i]];
	for (int i = 0; i < POOL; i++)
		assert_int_equal(places[i], 1);
}

static void pool_turn(struct pool *w, uint64_t *seed)
{
	uint32_t i;

	switch (rnd(seed, 4)) {
	case 0:		/* the kernel takes one, and it is lent */
		if (w->consumer == w->producer || !umem_room(&w->p))
			break;
		w->fifo[w->youngest % POOL] = w->ring[w->consumer % POOL_RING] / 2048;
		umem_lend(&w->p, w->ring[w->consumer++ % POOL_RING]);
		w->youngest++;
		break;
	case 1:
		if (w->oldest == w->youngest)
			break;
		i = w->fifo[(w->oldest + rnd(seed, w->youngest - w->oldest)) % POOL];
		if (umem_keep(&w->p, i))
			w->kept[w->nr_kept++] = i;
		break;
	case 2:		/* oldest first */
		i = rnd(seed, w->youngest - w->oldest + 1);
		umem_release(&w->p, i);
		w->oldest += i;
		umem_fill(&w->p, &w->fill);
		break;
	case 3:		/* in any order */
		if (!w->nr_kept)
			break;
		i = rnd(seed, w->nr_kept);
		umem_unkeep(&w->p, w->kept[i]);
		w->kept[i] = w->kept[--w->nr_kept];
	}
}

static void chunks_that_are_kept(void **state)
{
	struct pool *w = calloc(1, sizeof(*w));
	uint64_t seed = 5;

	assert_int_equal(umem_pool_open(&w->p, 0, POOL, 2048, 64), 0);
	w->fill = (struct xsk_ring_prod){ .mask = POOL_RING - 1, .size = POOL_RING,
					  .cached_cons = POOL_RING, .producer = &w->producer,
					  .consumer = &w->consumer, .ring = w->ring,
					  .flags = &w->flags };
	umem_fill(&w->p, &w->fill);
	for (int i = 0; i < 200000; i++) {
		pool_turn(w, &seed);
		check_pool(w);
	}
	umem_release(&w->p, w->youngest - w->oldest);
	while (w->nr_kept)
		umem_unkeep(&w->p, w->kept[--w->nr_kept]);
	umem_fill(&w->p, &w->fill);
	check_pool(w);
	assert_int_equal(w->p.nr_spare + w->producer - w->consumer, POOL);
	assert_int_equal(w->p.nr_kept, 0);
	umem_pool_close(&w->p);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_between_threads),
		cmocka_unit_test(ring_wraps_around),
		cmocka_unit_test(tails_that_are_none),
		cmocka_unit_test(master_that_died_while_it_wrote),
		cmocka_unit_test(frames_come_and_go),
		cmocka_unit_test(frames_of_a_quota),
		cmocka_unit_test(names_that_change),
		cmocka_unit_test(chunks_that_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
