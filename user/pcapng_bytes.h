/* SPDX-License-Identifier: BSD-2-Clause */
/* What the readers of blocks share: numbers in the section's order, options, limits. */
#ifndef XCAP_PCAPNG_BYTES_H
#define XCAP_PCAPNG_BYTES_H

#include <string.h>
#include "pcapng.h"

/* A piece of a block whose bounds have been checked. */
struct pcapng_span {
	uint8_t *p;
	size_t len;
};

static inline uint16_t get16(const struct pcapng_reader *d, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return d->swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t get32(const struct pcapng_reader *d, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return d->swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t get64(const struct pcapng_reader *d, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return d->swapped ? __builtin_bswap64(v) : v;
}

#define PCAPNG_MAX_NS (INT64_MAX / 2)	/* the year 2116: differences do not overflow */

static inline int64_t clamp_ns(__int128 ns)
{
	return ns > PCAPNG_MAX_NS ? PCAPNG_MAX_NS : ns < -PCAPNG_MAX_NS ? -PCAPNG_MAX_NS : ns;
}

/* Step through options. Return: false at the end, or where they make no sense. */
bool pcapng_next_option(const struct pcapng_reader *d, struct pcapng_span *rest, uint16_t *code,
			struct pcapng_span *value);

/* ---- pcapng_own.c: what only xcap writes; len is the block's, at least 12 ---- */

/* Our option of a packet, whose type is set. Return: true it was ours and whole. */
bool pcapng_decode_option(const struct pcapng_reader *d, struct pcapng_span o,
			  struct xcap_record *r);

/* Return: 1 a record; 0 somebody else's. */
int pcapng_decode_event(struct pcapng_reader *d, uint8_t *p, uint32_t len, struct xcap_record *r);
int pcapng_decode_journal(struct pcapng_reader *d, uint8_t *p, uint32_t len,
			  struct xcap_record *r);

#endif
