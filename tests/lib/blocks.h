/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   what a block shall say.
 * Out:  its bytes, in either byte order: a small writer of files.
 * Owns: nothing; files are the caller's.
 * Runs on: one thread.
 */
#ifndef XCAP_TEST_BLOCKS_H
#define XCAP_TEST_BLOCKS_H

#include <stdint.h>
#include <string.h>
#include "pcapng.h"

struct file {
	uint8_t bytes[1 << 16];
	size_t len;
	size_t block;		/* where the open block began */
	bool swapped;
};

static inline void w16(struct file *f, uint16_t v)
{
	v = f->swapped ? __builtin_bswap16(v) : v;
	memcpy(f->bytes + f->len, &v, 2);
	f->len += 2;
}

static inline void w32(struct file *f, uint32_t v)
{
	v = f->swapped ? __builtin_bswap32(v) : v;
	memcpy(f->bytes + f->len, &v, 4);
	f->len += 4;
}

static inline void w64(struct file *f, uint64_t v)
{
	v = f->swapped ? __builtin_bswap64(v) : v;
	memcpy(f->bytes + f->len, &v, 8);
	f->len += 8;
}

static inline void wbytes(struct file *f, const void *p, size_t len)
{
	memcpy(f->bytes + f->len, p, len);
	f->len += len;
	while ((f->len - f->block) & 3)
		f->bytes[f->len++] = 0;
}

static inline void begin(struct file *f, uint32_t type)
{
	f->block = f->len;
	w32(f, type);
	w32(f, 0);
}

static inline void end(struct file *f)
{
	size_t len = f->len - f->block + 4, at = f->len;

	w32(f, len);
	f->len = f->block + 4;
	w32(f, len);
	f->len = at + 4;
}

static inline void option(struct file *f, uint16_t code, const void *p, uint16_t len)
{
	w16(f, code);
	w16(f, len);
	wbytes(f, p, len);
}

static inline void section(struct file *f)
{
	begin(f, PCAPNG_SHB);
	w32(f, 0x1a2b3c4d);
	w16(f, 1);
	w16(f, 0);
	w64(f, UINT64_MAX);
	end(f);
}

static inline void interface(struct file *f, uint16_t linktype, uint32_t snaplen, uint8_t tsresol)
{
	begin(f, PCAPNG_IDB);
	w16(f, linktype);
	w16(f, 0);
	w32(f, snaplen);
	if (tsresol != 6)
		option(f, 9, &tsresol, 1);
	w32(f, 0);
	end(f);
}

static inline void packet(struct file *f, uint32_t interface, uint64_t t, const char *data)
{
	begin(f, PCAPNG_EPB);
	w32(f, interface);
	w32(f, t >> 32);
	w32(f, t);
	w32(f, strlen(data));
	w32(f, strlen(data) + 1);
	wbytes(f, data, strlen(data));
	end(f);
}

/* Step to the next record, or what stopped the way there. */
static inline int next(struct pcapng_reader *d, uint8_t *p, size_t len, size_t *at, struct xcap_record *r)
{
	size_t used;
	int ret;

	do {
		ret = pcapng_decode(d, p + *at, len - *at, &used, r);
		*at += used;
	} while (!ret);
	return ret;
}

#endif
