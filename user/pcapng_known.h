/* SPDX-License-Identifier: BSD-2-Clause */
/* What a file has told of processes and cgroups so far: the table behind pcapng_who.c. */
#ifndef XCAP_PCAPNG_KNOWN_H
#define XCAP_PCAPNG_KNOWN_H

#include "pcapng_bytes.h"

enum known_kind { KNOWN_PROCESS, KNOWN_COMMENT, KNOWN_CGROUP };

struct known {
	struct known *next;	/* in its bucket, newer ones before older ones */
	struct known *newer;	/* of all */
	uint64_t key;		/* pid, the cgroup's id, the comment's print */
	uint64_t print;		/* of what was told */
	uint32_t section;
	enum known_kind kind;
	uint32_t uid;		/* XCAP_UID_UNKNOWN */
	char comm[16];
	struct xcap_process process;
	struct xcap_cgroup group;		/* of KNOWN_CGROUP and KNOWN_COMMENT */
	const struct xcap_cgroup *cgroup;	/* in which the process is, or NULL */
	char strings[];
};

struct pcapng_known {
	struct known **buckets;
	uint32_t nr_buckets, nr;
	struct known *oldest, *newest;
	size_t bytes;
	struct known **darwin;	/* by index in the section; NULL where there was no room */
	uint32_t nr_darwin, darwin_size;
};

/* Make the table, if there is none yet. Return: 0; -ENOMEM. */
int known_begin(struct pcapng_reader *d);
void known_free(struct pcapng_known *k);

/* Return: 0 and *out, which is NULL when the table's bound is reached; -ENOMEM. */
int known_add(struct pcapng_reader *d, enum known_kind kind, uint64_t key, uint64_t print,
	      size_t strings_size, struct known **out);

/* The newest of a key in this section, or NULL. */
struct known *known_newest(const struct pcapng_reader *d, enum known_kind kind, uint64_t key);

/*
 * Of several processes that had the pid, one after the other, the last that had begun by then;
 * of several programs of one process the last that was told. Without start times, and where the
 * last one has none, that is it.
 */
const struct known *known_process(const struct pcapng_reader *d, uint32_t pid, int64_t wall_ns);

#endif
