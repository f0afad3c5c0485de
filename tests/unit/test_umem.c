// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   random orders of what a kernel, a reader and a refill do, on rings in plain memory.
 * Out:  pass when no chunk is ever lost and none is in two places.
 * Owns: the rings and the pool.
 * Runs on: one thread, no privilege.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "umem.h"

#define HEADROOM 256
#define FIRST 100	/* chunks of a second queue begin behind those of the first */

/* A kernel with one queue: takes from the fill ring, publishes what it received. */
struct world {
	struct umem_pool pool;
	struct xsk_ring_prod fill;
	uint64_t *ring;
	uint32_t producer, consumer, flags;
	uint32_t chunk_size, nr, max_lent;
	uint32_t *received;	/* chunks at the reader's door, a queue */
	uint32_t head, tail;
	uint8_t *lent;		/* 1: the reader has it */
	uint64_t seed;
};

static uint32_t rnd(struct world *w, uint32_t n)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return w->seed % n;
}

static void world_open(struct world *w, uint32_t nr, uint32_t ring, uint32_t chunk_size,
		       uint32_t keep, uint64_t seed)
{
	*w = (struct world){ .chunk_size = chunk_size, .nr = nr, .max_lent = nr - keep,
			     .seed = seed * 2654435769u + 1 };
	w->ring = calloc(ring, sizeof(*w->ring));
	w->received = calloc(nr, sizeof(*w->received));
	w->lent = calloc(nr, 1);
	w->fill = (struct xsk_ring_prod){ .mask = ring - 1, .size = ring, .cached_cons = ring,
					  .producer = &w->producer, .consumer = &w->consumer,
					  .ring = w->ring, .flags = &w->flags };
	assert_int_equal(umem_pool_open(&w->pool, FIRST, nr, chunk_size, keep), 0);
}

static void world_close(struct world *w)
{
	umem_pool_close(&w->pool);
	free(w->ring);
	free(w->received);
	free(w->lent);
}

static void count_chunk(const struct world *w, uint8_t *places, uint64_t chunk)
{
	assert_in_range(chunk, FIRST, FIRST + w->nr - 1);
	places[chunk - FIRST]++;
}

/* Each chunk in exactly one place: fill ring, kernel, lent or given back, spare. */
static void check(const struct world *w)
{
	const struct umem_pool *p = &w->pool;
	uint8_t *places = calloc(w->nr, 1);

	for (uint32_t i = w->consumer; i != w->producer; i++) {
		assert_int_equal(w->ring[i & w->fill.mask] % w->chunk_size, 0);
		count_chunk(w, places, w->ring[i & w->fill.mask] / w->chunk_size);
	}
	for (uint32_t i = w->head; i != w->tail; i++)
		count_chunk(w, places, w->received[i % w->nr]);
	for (uint32_t i = p->filled; i != p->lent; i++)
		if (p->order[i & p->mask] != UMEM_NOTHING)
			count_chunk(w, places, p->order[i & p->mask]);
	for (uint32_t i = 0; i < p->nr_spare; i++)
		count_chunk(w, places, p->spare[i]);
	for (uint32_t i = 0; i < w->nr; i++)
		assert_int_equal(places[i], 1);
	free(places);
}

static void kernel(struct world *w)
{
	for (uint32_t n = rnd(w, 80); n && w->consumer != w->producer; n--)
		w->received[w->tail++ % w->nr] =
			w->ring[w->consumer++ & w->fill.mask] / w->chunk_size;
}

/* As the rx ring has it: somewhere in the chunk. */
static uint64_t address(struct world *w, uint32_t chunk)
{
	return (uint64_t)chunk * w->chunk_size + HEADROOM + rnd(w, w->chunk_size - HEADROOM);
}

static void reader(struct world *w)
{
	for (uint32_t n = rnd(w, 80); n && umem_room(&w->pool); n--) {
		if (!rnd(w, 20)) {
			umem_lend_nothing(&w->pool);
		} else if (w->head != w->tail) {
			uint64_t addr = address(w, w->received[w->head++ % w->nr]);

			umem_lend(&w->pool, addr);
		}
	}
	while (!umem_room(&w->pool) && w->head != w->tail) {
		uint64_t addr = address(w, w->received[w->head++ % w->nr]);

		umem_recycle(&w->pool, addr, &w->fill);
	}
	assert_in_range(w->pool.lent - w->pool.released, 0, w->max_lent);
}

static void give_back(struct world *w)
{
	uint32_t lent = w->pool.lent - w->pool.released, n = lent ? rnd(w, lent + 1) : 0;

	if (umem_release(&w->pool, n) >= 64)
		umem_fill(&w->pool, &w->fill);
}

static void run(uint32_t nr, uint32_t ring, uint32_t chunk_size, uint32_t keep, uint64_t seed)
{
	struct world w;

	world_open(&w, nr, ring, chunk_size, keep, seed);
	check(&w);
	umem_fill(&w.pool, &w.fill);
	assert_int_equal(w.producer, nr < ring ? nr : ring);
	for (int i = 0; i < 4000; i++) {
		switch (rnd(&w, 4)) {
		case 0: kernel(&w); break;
		case 1: reader(&w); break;
		case 2: give_back(&w); break;
		case 3: umem_fill(&w.pool, &w.fill); break;
		}
		check(&w);
	}
	/* all comes home: the kernel is never left without */
	umem_release(&w.pool, w.pool.lent - w.pool.released);
	while (w.head != w.tail)
		umem_recycle(&w.pool, address(&w, w.received[w.head++ % w.nr]), &w.fill);
	umem_fill(&w.pool, &w.fill);
	check(&w);
	assert_in_range(w.producer - w.consumer, nr < ring ? nr : ring - ring / 8, ring);
	world_close(&w);
}

static void no_chunk_lost_none_twice(void **state)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		run(256, 128, 2048, 64, seed);
		run(128, 128, 2048, 64, seed);	/* as many as the ring holds */
		run(251, 64, 4096, 32, seed);	/* odd numbers */
		run(1000, 64, 4096, 1, seed);
	}
}

/* A reader that gives a batch back twice, whether or not something is lent behind it. */
static void given_back_twice(void **state)
{
	struct world w;

	world_open(&w, 128, 64, 2048, 32, 1);
	umem_fill(&w.pool, &w.fill);
	kernel(&w);
	reader(&w);
	for (int i = 0; i < 3; i++) {
		umem_release(&w.pool, w.nr);
		assert_int_equal(umem_room(&w.pool), w.max_lent);
		umem_fill(&w.pool, &w.fill);
		check(&w);
	}
	world_close(&w);
}

static void memory_is_one_file(void **state)
{
	struct error err;
	struct umem u;

	assert_int_equal(umem_open(&u, 64, 2048, &err), 0);
	assert_int_equal(u.area_size, 64 * 2048);
	assert_true(u.memfd >= 0);
	memset(u.area, 1, u.area_size);
	umem_close(&u);
	umem_close(&u);
	assert_null(u.area);
}

static void too_much_is_an_error(void **state)
{
	struct error err = { "" };
	struct umem u = { 0 };

	assert_true(umem_open(&u, UINT32_MAX, 1u << 31, &err) < 0);
	assert_true(err.text[0]);
	assert_null(u.area);
	umem_close(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_chunk_lost_none_twice),
		cmocka_unit_test(given_back_twice),
		cmocka_unit_test(memory_is_one_file),
		cmocka_unit_test(too_much_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
