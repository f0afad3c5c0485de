/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   records of a stream that several readers are to get.
 * Out:  their bytes in memory that readers can map, and nobody but the writer can change.
 * Owns: the areas, and how many slots refer to each frame in them.
 * Runs on: the thread of the stream.
 *
 * Frames of AF_XDP stay where the NIC has put them: the UMEM is an area. All else is copied,
 * once, into chunks of a few sizes. Chunks are never split or joined: whatever a slow reader holds,
 * there is room of the same size for what others may hold.
 */
#ifndef XCAP_FRAMES_H
#define XCAP_FRAMES_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "error.h"
#include "queue.h"

#define FRAME_NONE UINT32_MAX
#define FRAME_AREA_SHIFT 24	/* of a frame's number: area, then chunk */
#define FRAME_CHUNK_MASK ((1u << FRAME_AREA_SHIFT) - 1)

/* Sizes of chunks, and behind them what is not copied. */
enum { FRAME_COPIED = 5, FRAME_KEPT = FRAME_COPIED, FRAME_CLASSES };

struct frame_class {
	uint32_t size;			/* bytes of a chunk */
	uint32_t first, nr;		/* chunks, by number in the area */
	uint64_t offset;		/* of the first */
	uint32_t *free, nr_free;	/* a stack: what was used last is used next */
};

struct frame_area {
	int memfd;
	const uint8_t *base;
	uint64_t size;
	uint32_t chunk_shift;
	uint16_t *refs;			/* by chunk */
	int source;			/* whose UMEM it is; -1: copies */
	uint32_t kept, most;		/* chunks that are kept, and may be */
};

struct frames {
	struct xcap *x;
	struct frame_area areas[QUEUE_MAX_AREAS];
	int nr_areas;
	uint8_t *copies;		/* the first area, to write */
	struct frame_class classes[FRAME_COPIED];
	uint32_t quota[FRAME_CLASSES];	/* of each queue */
	uint64_t nr_copied, nr_kept;	/* ever */
};

/* What a slot says of a frame. */
struct frame_place {
	uint32_t area, bytes;
	uint64_t offset;
};

/**
 * frames_open - memory for so many queues
 * @f:       out
 * @queues:  that may hold frames, each up to its quota
 * @slots:   of each
 * @names:   chunks that belong to no queue: the names of processes
 * @x:       its sources whose frames need not be copied are mapped as they are
 * @err:     sentence
 *
 * Return: 0; -ENOMEM.
 */
int frames_open(struct frames *f, uint32_t queues, uint32_t slots, uint32_t names,
		struct xcap *x, struct error *err);
void frames_close(struct frames *f);

/* The record's own memory, with one reference. FRAME_NONE: it has to be copied. */
uint32_t frames_keep(struct frames *f, const struct xcap_record *rec);

/*
 * A copy, with one reference, of so many bytes @before, and then of the record's; FRAME_NONE there
 * is no room. *caplen: bytes of the record that are copied: what has no chunk of its size is cut.
 */
uint32_t frames_take(struct frames *f, const struct xcap_record *rec, const void *before,
		     uint32_t before_len, uint32_t *caplen);

/* The same of plain bytes. */
uint32_t frames_copy(struct frames *f, const void *bytes, uint32_t len);

static inline void frames_get(struct frames *f, uint32_t frame)
{
	f->areas[frame >> FRAME_AREA_SHIFT].refs[frame & FRAME_CHUNK_MASK]++;
}

/* Nobody refers to it any more. */
void frames_back(struct frames *f, uint32_t frame);

static inline void frames_put(struct frames *f, uint32_t frame)
{
	uint16_t *refs = &f->areas[frame >> FRAME_AREA_SHIFT].refs[frame & FRAME_CHUNK_MASK];

	assert(*refs);
	if (!--*refs)
		frames_back(f, frame);
}


/* Which class a frame is of, and which so many copied bytes would be. */
int frames_class(const struct frames *f, uint32_t frame);
int frames_class_of(const struct frames *f, uint32_t bytes);

void frames_place(const struct frames *f, uint32_t frame, const struct xcap_record *rec,
		  struct frame_place *place);

/* Chunks in all and free, of copies; and kept, of frames that were not copied. */
void frames_count(const struct frames *f, uint64_t *total, uint64_t *free, uint64_t *kept);

#endif
