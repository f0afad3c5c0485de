// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a BPF ring buffer map.
 * Out:  its records, lent in place, oldest first.
 * Owns: the mappings; the bytes are the kernel's again once released.
 * Runs on: the thread of the handle; the kernel writes on any CPU.
 *
 * Layout and the meaning of the header bits: kernel/bpf/ringbuf.c and
 * Documentation/bpf/ringbuf.rst. A consumer page (writable), a producer page and
 * the data area mapped twice (read only).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ringbuf.h"

#define BUSY_SPINS 200		/* about a microsecond: a record is committed in less */
/* consumer_pos moves by 1/64 of the ring at least, or when all is back */
#define TELL_BYTES_SHIFT 6

static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("" ::: "memory");
#endif
}

int ringbuf_open(struct ringbuf *rb, int map_fd, size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *p;

	*rb = (struct ringbuf){ .size = bytes };
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	rb->consumer_pos = p;
	p = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, map_fd, page);
	if (p == MAP_FAILED) {
		int err = -errno;

		ringbuf_close(rb);
		return err;
	}
	rb->producer_pos = p;
	rb->data = (const uint8_t *)p + page;
	return 0;
}

static inline uint32_t header(const struct ringbuf *rb, uint64_t pos)
{
	/* pairs with the xchg that commits the record: its bytes come before the header */
	return __atomic_load_n((const uint32_t *)(rb->data + (pos & (rb->size - 1))),
			       __ATOMIC_ACQUIRE);
}

static inline uint64_t step(uint32_t head)
{
	uint64_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	return (len + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
}

static bool wait_commit(struct ringbuf *rb, uint64_t pos)
{
	for (int i = 0; i < BUSY_SPINS; i++) {
		if (!(header(rb, pos) & BPF_RINGBUF_BUSY_BIT))
			return true;
		relax();
	}
	rb->busy++;
	return false;
}

uint32_t ringbuf_peek(struct ringbuf *rb, const void **rec)
{
	while (rb->peek_pos < ringbuf_producer(rb)) {
		uint64_t pos = rb->peek_pos;
		uint32_t head = header(rb, pos);

		if (head & BPF_RINGBUF_BUSY_BIT) {
			if (!wait_commit(rb, pos))
				return 0;
			head = header(rb, pos);
		}
		rb->peek_pos += step(head);
		if (head & BPF_RINGBUF_DISCARD_BIT)
			continue;
		*rec = rb->data + (pos & (rb->size - 1)) + BPF_RINGBUF_HDR_SZ;
		return head;
	}
	return 0;
}

void ringbuf_release(struct ringbuf *rb, int n)
{
	while (n > 0 && rb->free_pos < rb->peek_pos) {
		uint32_t head = header(rb, rb->free_pos);

		rb->free_pos += step(head);
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			n--;
	}
	if (rb->free_pos != rb->peek_pos &&
	    rb->free_pos - rb->told_pos < rb->size >> TELL_BYTES_SHIFT)
		return;
	rb->told_pos = rb->free_pos;
	/* pairs with the acquire in the kernel's reserve: our reads come before it overwrites */
	__atomic_store_n(rb->consumer_pos, rb->free_pos, __ATOMIC_RELEASE);
}

uint64_t ringbuf_producer(const struct ringbuf *rb)
{
	/* pairs with the release store of the kernel's reserve */
	return __atomic_load_n(rb->producer_pos, __ATOMIC_ACQUIRE);
}

void ringbuf_close(struct ringbuf *rb)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (rb->producer_pos)
		munmap((void *)rb->producer_pos, page + 2 * rb->size);
	if (rb->consumer_pos)
		munmap(rb->consumer_pos, page);
	*rb = (struct ringbuf){ 0 };
}
