/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of one BPF ring buffer that lends records in place and takes them back
 * in batches. libbpf's reader gives each record back when its callback returns,
 * so nothing could be held there.
 */
#ifndef XCAP_RINGBUF_H
#define XCAP_RINGBUF_H

#include <stddef.h>
#include <stdint.h>

struct ringbuf {
	uint64_t *consumer_pos;		/* shared: what the kernel may overwrite */
	const uint64_t *producer_pos;	/* shared: end of what is reserved */
	const uint8_t *data;		/* mapped twice in a row, so no record wraps */
	uint64_t size;			/* of the data area */
	uint64_t peek_pos;		/* next record to lend */
	uint64_t free_pos;		/* oldest lent record */
	uint64_t told_pos;		/* what consumer_pos says */
	uint64_t busy;			/* times an uncommitted record was waited for in vain */
};

/* Map a BPF_MAP_TYPE_RINGBUF of so many bytes. Return: 0 or -errno. */
int ringbuf_open(struct ringbuf *rb, int map_fd, size_t bytes);

/* The oldest record not yet lent. Return: its bytes; 0: none now. */
uint32_t ringbuf_peek(struct ringbuf *rb, const void **rec);

/* Give the n oldest lent records back. */
void ringbuf_release(struct ringbuf *rb, int n);

/* Where the next reservation will start. Read it after the clock for a watermark. */
uint64_t ringbuf_producer(const struct ringbuf *rb);

void ringbuf_close(struct ringbuf *rb);

#endif
