/* SPDX-License-Identifier: BSD-2-Clause */
/* What the writers of blocks share: numbers in this machine's order, options, padding. */
#ifndef XCAP_PCAPNG_PUT_H
#define XCAP_PCAPNG_PUT_H

#include <stdint.h>
#include <string.h>
#include "pcapng.h"

#define PCAPNG_OPT_END 0

static inline void put16(uint8_t **w, uint16_t v)
{
	memcpy(*w, &v, 2);
	*w += 2;
}

static inline void put32(uint8_t **w, uint32_t v)
{
	memcpy(*w, &v, 4);
	*w += 4;
}

static inline void put64(uint8_t **w, uint64_t v)
{
	memcpy(*w, &v, 8);
	*w += 8;
}

static inline void put_bytes(uint8_t **w, const void *p, size_t len)
{
	if (len)
		memcpy(*w, p, len);
	*w += len;
}

/* Zeros up to the next multiple of 4, seen from the start of the block. */
static inline void put_pad(uint8_t **w, const uint8_t *block)
{
	while ((*w - block) & 3)
		*(*w)++ = 0;
}

/* Begin with the type; the length is filled in by put_finish(). */
static inline uint8_t *put_begin(uint8_t *dst, uint32_t type)
{
	uint8_t *w = dst;

	put32(&w, type);
	put32(&w, 0);
	return w;
}

static inline size_t put_finish(uint8_t *dst, uint8_t *w)
{
	uint32_t len;

	put_pad(&w, dst);
	len = w - dst + 4;
	put32(&w, len);
	memcpy(dst + 4, &len, 4);
	return len;
}

static inline void put_option(uint8_t **w, const uint8_t *block, uint16_t code, const void *p,
			      size_t len)
{
	put16(w, code);
	put16(w, len);
	put_bytes(w, p, len);
	put_pad(w, block);
}

/* An option whose value is written piece by piece: its length is filled in at the end. */
static inline uint8_t *put_option_begin(uint8_t **w, uint16_t code)
{
	put16(w, code);
	put16(w, 0);
	return *w;
}

static inline void put_option_end(uint8_t **w, const uint8_t *block, uint8_t *value)
{
	uint16_t len = *w - value;

	memcpy(value - 2, &len, 2);
	put_pad(w, block);
}

/* Our own option without its code and length, and what follows the fixed part (pcapng_write.c). */
void pcapng_put_fixed(uint8_t **w, const struct xcap_record *r);

#endif
