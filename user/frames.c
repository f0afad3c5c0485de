// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records; slots that come back.
 * Out:  frames in areas, counted.
 * Owns: the areas.
 * Runs on: the thread of the stream.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "frames.h"
#include "sink.h"

/*
 * Calls and small packets; full packets; jumbo frames; what offloads make, and calls with all the
 * data that may be asked for; the largest packet. A queue gets fewer of the large ones: memory
 * that nobody has touched is none, but readers map it all.
 */
static const struct { uint32_t size, of_slots, least; } sizes[FRAME_COPIED] = {
	{ 256, 1, 16 }, { 2048, 1, 16 }, { 16384, 16, 16 }, { 73728, 64, 8 }, { 266240, 1024, 2 },
};

static uint32_t quota_of(int class, uint32_t slots)
{
	uint32_t n = slots / sizes[class].of_slots;

	return n > sizes[class].least ? n : sizes[class].least;
}

static int open_classes(struct frames *f, uint32_t queues, uint32_t slots, uint32_t names)
{
	uint64_t offset = 0;
	uint32_t nr = 0;

	for (int i = 0; i < FRAME_COPIED; i++) {
		struct frame_class *c = &f->classes[i];

		f->quota[i] = quota_of(i, slots);
		c->size = sizes[i].size;
		c->first = nr;
		c->nr = f->quota[i] * queues + (i < 3 ? names : 0);
		c->offset = offset;
		c->free = malloc(c->nr * sizeof(*c->free));
		if (!c->free)
			return -ENOMEM;
		for (c->nr_free = 0; c->nr_free < c->nr; c->nr_free++)
			c->free[c->nr_free] = nr + c->nr - 1 - c->nr_free;
		nr += c->nr;
		offset += (uint64_t)c->nr * c->size;
	}
	f->areas[0].size = offset;
	f->areas[0].refs = calloc(nr, sizeof(*f->areas[0].refs));
	return nr > FRAME_CHUNK_MASK || !f->areas[0].refs ? -ENOMEM : 0;
}

/* From here on nobody can map it to write, or make it smaller under who reads it. */
static int seal(int memfd)
{
	return fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
		     F_SEAL_SEAL) ? -errno : 0;
}

static int open_copies(struct frames *f)
{
	struct frame_area *a = &f->areas[0];
	void *p;

	f->nr_areas = 1;
	a->memfd = memfd_create("xcap-copies", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (a->memfd < 0 || ftruncate(a->memfd, a->size))
		return -errno;
	p = mmap(NULL, a->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, a->memfd, 0);
	if (p == MAP_FAILED)
		return -errno;
	a->base = f->copies = p;
	return seal(a->memfd);
}

/* Sources that cannot share their memory, or are too many, are copied from. */
static int add_memory(struct frames *f, int source)
{
	struct frame_area *a = &f->areas[f->nr_areas];
	struct memory m;

	if (f->nr_areas == QUEUE_MAX_AREAS || sink_memory(f->x, source, &m))
		return 0;
	if (m.size / m.chunk_size > FRAME_CHUNK_MASK || seal(m.memfd))
		return 0;
	a->refs = calloc(m.size / m.chunk_size, sizeof(*a->refs));
	if (!a->refs)
		return -ENOMEM;
	a->memfd = m.memfd;
	a->base = m.base;
	a->size = m.size;
	a->chunk_shift = __builtin_ctz(m.chunk_size);
	a->source = source;
	a->most = m.nr_keep;
	f->nr_areas++;
	return 0;
}

int frames_open(struct frames *f, uint32_t queues, uint32_t slots, uint32_t names,
		struct xcap *x, struct error *err)
{
	uint32_t most = 0;
	int ret;

	*f = (struct frames){ .x = x, .areas[0] = { .memfd = -1, .source = -1 } };
	ret = open_classes(f, queues, slots, names) ?: open_copies(f);
	for (int i = 0; i < xcap_nr_sources(x) && !ret; i++)
		ret = add_memory(f, i);
	for (int i = 1; i < f->nr_areas; i++)
		most += f->areas[i].most;
	f->quota[FRAME_KEPT] = most / queues;
	if (!ret)
		return 0;
	frames_close(f);
	return error_set(err, ret, "no memory for %u queues of %u slots: %s; ask for fewer slots",
			 queues, slots, strerrordesc_np(-ret));
}

void frames_close(struct frames *f)
{
	if (f->copies)
		munmap(f->copies, f->areas[0].size);
	if (f->nr_areas && f->areas[0].memfd >= 0)
		close(f->areas[0].memfd);
	for (int i = 0; i < FRAME_COPIED; i++)
		free(f->classes[i].free);
	for (int i = 0; i < QUEUE_MAX_AREAS; i++)
		free(f->areas[i].refs);
	*f = (struct frames){ .areas[0].memfd = -1 };
}

/* ---- where a frame is ---- */

static struct frame_area *area_of(struct frames *f, uint32_t frame)
{
	return &f->areas[frame >> FRAME_AREA_SHIFT];
}

/* Return: 0: nowhere that can be shared. */
static int area_with(const struct frames *f, const struct xcap_record *rec)
{
	for (int i = 1; i < f->nr_areas; i++)
		if (rec->data >= f->areas[i].base &&
		    rec->data < f->areas[i].base + f->areas[i].size)
			return i;
	return 0;
}

static int class_with(const struct frames *f, uint32_t chunk)
{
	int i = 0;

	while (chunk >= f->classes[i].first + f->classes[i].nr)
		i++;
	return i;
}

int frames_class(const struct frames *f, uint32_t frame)
{
	return frame >> FRAME_AREA_SHIFT ? FRAME_KEPT : class_with(f, frame & FRAME_CHUNK_MASK);
}

int frames_class_of(const struct frames *f, uint32_t bytes)
{
	int i = 0;

	while (i < FRAME_COPIED - 1 && bytes > f->classes[i].size)
		i++;
	return i;
}

static uint64_t offset_of(const struct frames *f, uint32_t chunk)
{
	const struct frame_class *c = &f->classes[class_with(f, chunk)];

	return c->offset + (uint64_t)(chunk - c->first) * c->size;
}

void frames_place(const struct frames *f, uint32_t frame, const struct xcap_record *rec,
		  struct frame_place *place)
{
	const struct frame_area *a = &f->areas[frame >> FRAME_AREA_SHIFT];

	place->area = frame >> FRAME_AREA_SHIFT;
	if (place->area) {
		place->offset = rec->data - a->base;
		place->bytes = rec->caplen;
	} else {
		place->offset = offset_of(f, frame & FRAME_CHUNK_MASK);
		place->bytes = f->classes[class_with(f, frame & FRAME_CHUNK_MASK)].size;
	}
}

/* ---- coming and going ---- */

static uint32_t chunk_new(struct frames *f, uint32_t bytes)
{
	struct frame_class *c = &f->classes[frames_class_of(f, bytes)];
	uint32_t chunk;

	if (!c->nr_free)
		return FRAME_NONE;
	chunk = c->free[--c->nr_free];
	f->areas[0].refs[chunk] = 1;
	return chunk;
}

uint32_t frames_keep(struct frames *f, const struct xcap_record *rec)
{
	int i = area_with(f, rec);
	struct frame_area *a = &f->areas[i];
	uint32_t chunk;

	if (!i || a->kept == a->most)
		return FRAME_NONE;
	chunk = (rec->data - a->base) >> a->chunk_shift;
	if (!sink_keep(f->x, a->source, chunk))
		return FRAME_NONE;
	a->kept++;
	a->refs[chunk] = 1;
	f->nr_kept++;
	return (uint32_t)i << FRAME_AREA_SHIFT | chunk;
}

uint32_t frames_take(struct frames *f, const struct xcap_record *rec, const void *before,
		     uint32_t before_len, uint32_t *caplen)
{
	uint32_t frame = chunk_new(f, before_len + rec->caplen), most;
	uint8_t *to;

	if (frame == FRAME_NONE)
		return frame;
	most = f->classes[class_with(f, frame)].size - before_len;
	*caplen = rec->caplen < most ? rec->caplen : most;
	to = f->copies + offset_of(f, frame);
	if (before_len)
		memcpy(to, before, before_len);
	if (*caplen)
		memcpy(to + before_len, rec->data, *caplen);
	f->nr_copied++;
	return frame;
}

uint32_t frames_copy(struct frames *f, const void *bytes, uint32_t len)
{
	uint32_t frame = chunk_new(f, len);

	if (frame != FRAME_NONE)
		memcpy(f->copies + offset_of(f, frame), bytes, len);
	return frame;
}

void frames_back(struct frames *f, uint32_t frame)
{
	struct frame_area *a = area_of(f, frame);
	uint32_t chunk = frame & FRAME_CHUNK_MASK;
	struct frame_class *c;

	if (a->source >= 0) {
		a->kept--;
		sink_unkeep(f->x, a->source, chunk);
		return;
	}
	c = &f->classes[class_with(f, chunk)];
	c->free[c->nr_free++] = chunk;
}

void frames_count(const struct frames *f, uint64_t *total, uint64_t *free, uint64_t *kept)
{
	*total = *free = *kept = 0;
	for (int i = 0; i < FRAME_COPIED; i++) {
		*total += f->classes[i].nr;
		*free += f->classes[i].nr_free;
	}
	for (int i = 1; i < f->nr_areas; i++)
		*kept += f->areas[i].kept;
}
