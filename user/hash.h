/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash that tells what has been said from what has not: quick, and nobody's secret. */
#ifndef XCAP_HASH_H
#define XCAP_HASH_H

#include <stdint.h>
#include <string.h>

static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

/* Two lanes: a multiplication waits for the one before it. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t v[2] = { 0 }, other = 1;

	h = hash_mix(h, len);
	for (; len >= 16; p += 16, len -= 16) {
		memcpy(v, p, 16);
		h = hash_mix(h, v[0]);
		other = hash_mix(other, v[1]);
	}
	if (len) {
		v[0] = v[1] = 0;
		memcpy(v, p, len);
		h = hash_mix(h, v[0]);
		other = hash_mix(other, v[1]);
	}
	return hash_mix(h, other);
}

#endif
