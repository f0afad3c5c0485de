// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   sizes; addresses of frames from the rx ring.
 * Out:  chunks in the fill ring, in batches.
 * Owns: the memfd and its mapping; where each chunk is.
 * Runs on: the thread of the handle.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "umem.h"

int umem_open(struct umem *u, uint32_t nr_chunks, uint32_t chunk_size, struct error *err)
{
	int ret;

	*u = (struct umem){ .chunk_size = chunk_size, .memfd = -1,
			    .area_size = (uint64_t)nr_chunks * chunk_size };
	u->memfd = memfd_create("xcap-umem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (u->memfd < 0 || ftruncate(u->memfd, u->area_size))
		goto fail;
	u->area = mmap(NULL, u->area_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       u->memfd, 0);
	if (u->area != MAP_FAILED)
		return 0;
	u->area = NULL;
fail:
	ret = -errno;
	error_set(err, ret, "no memory for %u frames of %u bytes: %s; ask for fewer with ?frames=",
		  nr_chunks, chunk_size, strerrordesc_np(-ret));
	umem_close(u);
	return ret;
}

int umem_take(struct umem *u, int memfd, uint32_t nr_chunks, uint32_t chunk_size)
{
	void *area;

	*u = (struct umem){ .chunk_size = chunk_size, .memfd = memfd,
			    .area_size = (uint64_t)nr_chunks * chunk_size };
	area = mmap(NULL, u->area_size, PROT_READ, MAP_SHARED | MAP_POPULATE, memfd, 0);
	if (area == MAP_FAILED)
		return -errno;
	u->area = area;
	return 0;
}

void umem_close(struct umem *u)
{
	if (u->area)
		munmap(u->area, u->area_size);
	if (u->area_size && u->memfd >= 0)
		close(u->memfd);
	*u = (struct umem){ .memfd = -1 };
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

int umem_pool_open(struct umem_pool *p, uint32_t first, uint32_t nr, uint32_t chunk_size,
		   uint32_t keep)
{
	/* all lent, all of these given back, and a few loss notices: twice nr holds that */
	uint32_t size = power_of_two(2 * nr + 64);

	assert(keep < nr);
	*p = (struct umem_pool){ .mask = size - 1, .shift = __builtin_ctz(chunk_size),
				 .nr_chunks = nr, .nr_spare = nr, .max_lent = nr - keep,
				 .first = first };
	p->order = calloc(size, sizeof(*p->order));
	p->spare = calloc(nr, sizeof(*p->spare));
	if (!p->order || !p->spare) {
		umem_pool_close(p);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < nr; i++)	/* a stack: the lowest goes first */
		p->spare[i] = first + nr - 1 - i;
	return 0;
}

void umem_pool_filled(struct umem_pool *p, uint32_t nr)
{
	p->nr_spare -= nr < p->nr_spare ? nr : p->nr_spare;
}

void umem_pool_close(struct umem_pool *p)
{
	free(p->order);
	free(p->spare);
	free(p->kept);
	*p = (struct umem_pool){};
}

static void put_spare(struct umem_pool *p, uint32_t chunk)
{
	assert(p->nr_spare < p->nr_chunks);
	p->spare[p->nr_spare++] = chunk;
}

/* Nothing but chunks, and room for all of them: nearly always so. */
static void fill_all(struct umem_pool *p, struct xsk_ring_prod *fill, uint32_t n)
{
	uint32_t at = 0;

	xsk_ring_prod__reserve(fill, n, &at);
	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(fill, at + i) =
			(uint64_t)p->order[(p->filled + i) & p->mask] << p->shift;
	p->filled += n;
}

static uint32_t fill_some(struct umem_pool *p, struct xsk_ring_prod *fill, uint32_t room)
{
	uint32_t moved = 0, at = 0, chunk;

	while (p->filled != p->released) {
		chunk = p->order[p->filled++ & p->mask];
		if (chunk == UMEM_NOTHING) {
			p->nr_nothing--;
		} else if (p->nr_kept && p->kept[chunk - p->first]) {
			p->kept[chunk - p->first] = UMEM_KEPT_ALONE;
		} else if (moved < room) {
			xsk_ring_prod__reserve(fill, 1, &at);
			*xsk_ring_prod__fill_addr(fill, at) = (uint64_t)chunk << p->shift;
			moved++;
		} else {
			put_spare(p, chunk);
		}
	}
	return moved;
}

static uint32_t fill_spare(struct umem_pool *p, struct xsk_ring_prod *fill, uint32_t room)
{
	uint32_t n = room < p->nr_spare ? room : p->nr_spare, at;

	if (!n || !xsk_ring_prod__reserve(fill, n, &at))
		return 0;
	for (uint32_t i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(fill, at + i) =
			(uint64_t)p->spare[--p->nr_spare] << p->shift;
	return n;
}

uint32_t umem_fill(struct umem_pool *p, struct xsk_ring_prod *fill)
{
	uint32_t n = p->released - p->filled, want = n, room, moved;

	/* a ring filled to the brim would send every second batch through the spare ones */
	if (p->nr_spare)
		want += fill->size / 8;
	room = xsk_prod_nb_free(fill, want);
	if (room >= n && !p->nr_nothing && !p->nr_kept) {
		fill_all(p, fill, n);
		moved = n;
	} else {
		moved = fill_some(p, fill, room);
	}
	if (room >= want)
		moved += fill_spare(p, fill, room - moved);
	if (moved)
		xsk_ring_prod__submit(fill, moved);
	return moved;
}

void umem_recycle(struct umem_pool *p, uint64_t addr, struct xsk_ring_prod *fill)
{
	uint32_t at;

	if (!xsk_ring_prod__reserve(fill, 1, &at)) {
		put_spare(p, addr >> p->shift);
		return;
	}
	*xsk_ring_prod__fill_addr(fill, at) = addr >> p->shift << p->shift;
	xsk_ring_prod__submit(fill, 1);
}

/* ---- kept ---- */

bool umem_keep(struct umem_pool *p, uint32_t chunk)
{
	if (!p->kept)
		p->kept = calloc(p->nr_chunks, 1);
	if (!p->kept || p->kept[chunk - p->first])
		return false;
	p->kept[chunk - p->first] = UMEM_KEPT;
	p->nr_kept++;
	return true;
}

/* If its record is still lent, it goes on with that. */
void umem_unkeep(struct umem_pool *p, uint32_t chunk)
{
	uint8_t was = p->kept[chunk - p->first];

	p->kept[chunk - p->first] = 0;
	p->nr_kept--;
	if (was == UMEM_KEPT_ALONE)
		put_spare(p, chunk);
}
