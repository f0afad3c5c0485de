// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   queues between a master and readers that this test plays, frames that can be kept.
 * Out:  that who holds too much of a NIC's memory gets copies, that what was handed on arrives
 *       whoever leaves, that no name stands in another's way.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "queue_out.h"
#include "sink.h"
#include "source.h"
#include "stream.h"

#define CHUNKS 64
#define SLOTS 128
#define QUEUES 2

/* A source whose frames stay where they are, and two queues for them. */
struct bench {
	struct source s, *source;
	struct xcap x;
	uint8_t area[CHUNKS * 2048];
	bool kept[CHUNKS];
	int memfd;
	struct frames frames;
	struct queue_names *names;
	struct queue_out q[QUEUES];
};

static int bench_memory(struct source *s, struct memory *m)
{
	struct bench *b = (struct bench *)s;

	*m = (struct memory){ b->memfd, b->area, sizeof(b->area), 2048, CHUNKS / 2 };
	return 0;
}

static bool bench_keep(struct source *s, uint32_t chunk)
{
	bool *kept = &((struct bench *)s)->kept[chunk];
	bool was = *kept;

	*kept = true;
	return !was;
}

static void bench_unkeep(struct source *s, uint32_t chunk)
{
	assert_true(((struct bench *)s)->kept[chunk]);
	((struct bench *)s)->kept[chunk] = false;
}

static const struct source_ops bench_ops = { .memory = bench_memory, .keep = bench_keep,
					     .unkeep = bench_unkeep };

static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct error err;

	b->s.ops = &bench_ops;
	b->source = &b->s;
	b->x.sources = &b->source;
	b->x.nr_sources = 1;
	b->memfd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(frames_open(&b->frames, QUEUES, SLOTS, QUEUE_NAMES, &b->x, &err), 0);
	b->names = queue_names_new(&b->frames);
	for (int i = 0; i < QUEUES; i++) {
		struct queue_out *next = i + 1 < QUEUES ? &b->q[i + 1] : NULL;

		assert_int_equal(queue_out_open(&b->q[i], SLOTS, &b->frames, b->names), 0);
		assert_int_equal(queue_out_attach(&b->q[i], next), 0);
	}
	return b;
}

static void bench_free(struct bench *b)
{
	uint64_t total, left, kept;

	for (int i = 0; i < QUEUES; i++) {
		queue_out_close(&b->q[i]);
		assert_int_equal(queue_out_backlog(&b->q[i]), 0);
	}
	queue_names_free(b->names);
	frames_count(&b->frames, &total, &left, &kept);
	assert_int_equal(total, left);
	assert_int_equal(kept, 0);
	for (int i = 0; i < CHUNKS; i++)
		assert_false(b->kept[i]);
	frames_close(&b->frames);
	close(b->memfd);
	free(b);
}

/* A packet in this chunk, offered to all queues. Return: a bit for each that gets it. */
static int offer(struct bench *b, uint32_t chunk)
{
	struct xcap_record rec = { .type = XCAP_PACKET, .mono_ns = 1, .len = 100, .caplen = 100,
				   .data = b->area + 2048 * chunk };
	struct queue_item item = { .rec = &rec, .frame = FRAME_NONE };
	int taken = 0;

	memset(b->area + 2048 * chunk, chunk + 1, 100);
	for (int i = 0; i < QUEUES; i++)
		taken |= queue_out_offer(&b->q[i], &item) << i;
	queue_out_item_done(&b->frames, &item);
	for (int i = 0; i < QUEUES; i++)
		queue_out_publish(&b->q[i], 1);
	return taken;
}

/* The reader gives so many back. */
static void give(struct queue_out *q, uint64_t nr)
{
	__atomic_store_n(&q->tail->tail, q->tail->tail + nr, __ATOMIC_RELEASE);
}

static uint8_t byte_at(const struct bench *b, const struct queue_out *q, uint64_t at)
{
	const struct queue_slot *s = queue_slot_at(&q->w, at);

	return b->frames.areas[s->area].base[s->offset];
}

/* The first queue is quick and the second holds all: half of what may be kept is its share. */
static void who_holds_too_much_gets_copies(void **state)
{
	struct bench *b = bench_new();
	uint32_t share = b->frames.quota[FRAME_KEPT], n = share + 20;

	assert_true(share > 0 && n < CHUNKS);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(offer(b, i), 3);
		give(&b->q[0], 1);
		assert_int_equal(queue_out_reap(&b->q[0]), 0);
	}
	assert_int_equal(b->q[1].in_use[FRAME_KEPT], share);
	assert_int_equal(b->frames.nr_copied, 20);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(byte_at(b, &b->q[1], i), i + 1);
	bench_free(b);
}

/* The same of what one reader hands on to another. */
static void what_is_handed_on_is_copied_then(void **state)
{
	struct bench *b = bench_new();
	uint32_t share = b->frames.quota[FRAME_KEPT];
	struct queue_out *next = b->q[0].next;

	for (uint32_t i = 0; i < share; i++)
		assert_int_equal(offer(b, i), 3);
	give(&b->q[0], share - 1);
	((uint8_t *)b->q[0].verdicts)[share - 1] = QUEUE_HAND_ON;
	give(&b->q[0], 1);
	assert_int_equal(queue_out_reap(&b->q[0]), 0);
	assert_int_equal(b->q[0].totals.handed_on, 1);
	assert_int_equal(next->totals.dropped, 0);
	assert_int_equal(next->totals.seen, share + 1);
	assert_int_equal(byte_at(b, next, share), share);
	bench_free(b);
}

/* It said so, gave it back, and went, before the master looked. */
static void what_was_handed_on_outlives_the_reader(void **state)
{
	struct bench *b = bench_new();
	struct queue_out *q = &b->q[0], *next = q->next;

	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(offer(b, i), 3);
	memset((uint8_t *)q->verdicts, QUEUE_HAND_ON, 3);
	give(q, 2);
	queue_out_detach(q);
	assert_int_equal(q->totals.delivered, 2);
	assert_int_equal(q->totals.handed_on, 2);
	assert_int_equal(q->totals.unread, 1);
	assert_int_equal(next->totals.seen, 3 + 2);
	assert_int_equal(byte_at(b, next, 3), 1);
	assert_int_equal(byte_at(b, next, 4), 2);
	bench_free(b);
}

/* As when a sink cannot be opened half way: the first descriptor is the program's. */
static void a_queue_that_was_never_opened(void **state)
{
	struct queue_out q = { 0 };
	int spare = fcntl(0, F_GETFD) < 0 ? open("/dev/null", O_RDONLY) : -1;

	queue_out_close(&q);
	assert_true(fcntl(0, F_GETFD) >= 0);
	if (spare >= 0)
		close(spare);
}

#define CGROUPS 50000

/* Wherever in memory both are: a table of so many places has these meet. */
static void a_process_beside_its_cgroup(void **state)
{
	struct xcap_process p = { .pid = 7, .exe = "/bin/true", .args = "" };
	struct xcap_cgroup *g = calloc(CGROUPS, sizeof(*g));
	struct bench *b = bench_new();
	struct queue_name name;
	uint32_t bytes;

	for (int i = 0; i < CGROUPS; i++) {
		g[i] = (struct xcap_cgroup){ .id = i, .path = "/a", .runtime = "",
					     .container = "", .container_name = "", .pod = "",
					     .unit = "" };
		name = queue_names_process(b->names, &p);
		assert_int_not_equal(queue_names_cgroup(b->names, &g[i]).id, 0);
		assert_int_not_equal(queue_names_frame(b->names, name, &bytes), FRAME_NONE);
	}
	bench_free(b);
	free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_holds_too_much_gets_copies),
		cmocka_unit_test(what_is_handed_on_is_copied_then),
		cmocka_unit_test(what_was_handed_on_outlives_the_reader),
		cmocka_unit_test(a_queue_that_was_never_opened),
		cmocka_unit_test(a_process_beside_its_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
