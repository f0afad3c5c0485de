/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of a source in which its frames stay, so that other processes can map it. */
#ifndef XCAP_CHUNK_MEMORY_H
#define XCAP_CHUNK_MEMORY_H

#include <stdint.h>

struct memory {
	int memfd;		/* the source's */
	const uint8_t *base;
	uint64_t size;		/* bytes */
	uint32_t chunk_size;	/* a power of two */
	uint32_t nr_keep;	/* chunks that may be kept at a time */
};

#endif
