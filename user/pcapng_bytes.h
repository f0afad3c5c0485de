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
/* A line of it, if it is a probe's: into r. What is lent lies in the line. */
bool pcapng_decode_probe(const struct pcapng_reader *d, uint8_t *line, size_t len,
			 struct xcap_record *r);

int pcapng_decode_journal(struct pcapng_reader *d, uint8_t *p, uint32_t len,
			  struct xcap_record *r);

/* ---- pcapng_comment.c: what ptcpdump and we write into comments ---- */

/* Empty where nothing is said; what is said last counts. */
struct pcapng_comment {
	uint32_t pid, tid, ppid, uid;	/* uid: XCAP_UID_UNKNOWN */
	struct pcapng_span cmd, args, thread, container, container_name, pod;
};

/* Add what a comment says. Return: true: something of it. */
bool pcapng_comment_read(struct pcapng_comment *c, struct pcapng_span text);

/* ---- pcapng_who.c: who is behind records, as far as a file has told ---- */

#define PCAPNG_MAX_COMMENTS 16	/* of a packet, that are looked at */

/* What the options of a packet say about it. */
struct pcapng_hints {
	bool own;			/* xcap's own option: what is not in it is not known */
	bool darwin;			/* index is set */
	uint32_t index;			/* of a Darwin block in the section */
	int nr_comments;
	struct pcapng_span comments[PCAPNG_MAX_COMMENTS];
};

/* Custom blocks, those of others too. Return: 0; -ENOMEM. */
int pcapng_who_custom(struct pcapng_reader *d, uint8_t *p, uint32_t len);
int pcapng_who_darwin(struct pcapng_reader *d, uint8_t *p, uint32_t len);

/* Another section: indices begin again, and pids are another machine's. */
void pcapng_who_section(struct pcapng_reader *d);

/* Process and cgroup of a record whose ids and time are set. Return: 0; -ENOMEM. */
int pcapng_who_resolve(struct pcapng_reader *d, const struct pcapng_hints *h,
			 struct xcap_record *r);

#endif
