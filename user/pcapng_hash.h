/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash that tells what has been said from what has not: quick, and nobody's secret. */
#ifndef XCAP_PCAPNG_HASH_H
#define XCAP_PCAPNG_HASH_H

#include <stdint.h>
#include <string.h>

static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t v = 0;

	h = hash_mix(h, len);
	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&v, p, 8);
		h = hash_mix(h, v);
	}
	if (!len)
		return h;
	v = 0;
	memcpy(&v, p, len);
	return hash_mix(h, v);
}

#endif
