/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a BPF ring buffer map.
 * Out:  its records, one call each: the shortest reader there can be.
 * Owns: the mapping, from open to close.
 * Runs on: one thread.
 */
#ifndef BARE_RING_H
#define BARE_RING_H

#include <linux/bpf.h>
#include <unistd.h>
#include "bench.h"

#define BARE_NAP_US 500		/* a reader on the writer's heels costs it cache lines */
#define BARE_COMMIT (256 << 10)	/* bytes taken before the kernel hears of it */

struct bare_ring {
	uint64_t *consumer;
	const uint64_t *producer;
	const char *data;
	uint64_t taken;
};

static inline void bare_ring_open(struct bare_ring *r, int map_fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *ro;

	memset(r, 0, sizeof(*r));
	r->consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	ro = mmap(NULL, page + 2 * BENCH_RING_BYTES, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (r->consumer == MAP_FAILED || ro == MAP_FAILED)
		err(1, "ring buffer");
	r->producer = (const uint64_t *)ro;
	r->data = ro + page;
}

static inline void bare_ring_close(struct bare_ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(r->consumer, page);
	munmap((char *)r->data - page, page + 2 * BENCH_RING_BYTES);
}

/* Takes what is complete. */
static inline void bare_ring_take(struct bare_ring *r, void (*take)(const void *rec))
{
	/* pairs with the kernel's release of the producer position */
	uint64_t end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	uint64_t pos = *r->consumer, committed = pos;

	while (pos < end) {
		const uint32_t *header = (const void *)(r->data + (pos & (BENCH_RING_BYTES - 1)));
		/* pairs with the kernel's exchange of the length at submit */
		uint32_t len = __atomic_load_n(header, __ATOMIC_ACQUIRE);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			take(header + 2);
			r->taken++;
		}
		pos += ((len & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
		if (pos - committed < BARE_COMMIT)
			continue;
		/* pairs with the kernel's acquire when it looks for room */
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
		committed = pos;
	}
	__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);	/* as above */
}

#endif
