// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what a file tells of processes and cgroups, block by block.
 * Out:  which of it holds for a pid at a time.
 * Owns: all of it until the file is closed, because records lend it; within bounds.
 * Runs on: one thread per reader; no I/O.
 */
#include <errno.h>
#include <stdlib.h>
#include "hash.h"
#include "pcapng_known.h"

#define MAX_BYTES	(64u << 20)	/* of all that is kept; what comes then is not */
#define MAX_STEPS	256		/* of one search, newest first */
#define FIRST_BUCKETS	1024

/* Clocks that are read a little later than what they stamp. */
#define START_SLACK_NS	1000000000ll

/* ---- the table ---- */

static struct known **bucket_of(const struct pcapng_known *k, enum known_kind kind, uint64_t key)
{
	return &k->buckets[hash_mix(kind, key) & (k->nr_buckets - 1)];
}

int known_begin(struct pcapng_reader *d)
{
	struct pcapng_known *k;

	if (d->known)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->nr_buckets = FIRST_BUCKETS;
	k->buckets = calloc(k->nr_buckets, sizeof(*k->buckets));
	if (!k->buckets) {
		free(k);
		return -ENOMEM;
	}
	d->known = k;
	return 0;
}

/* Put what there is into more buckets; without memory for them the old ones will do. */
static void grow(struct pcapng_known *k)
{
	struct known **buckets = calloc(2 * (size_t)k->nr_buckets, sizeof(*buckets));
	struct known *e, **bucket;

	if (!buckets)
		return;
	free(k->buckets);
	k->buckets = buckets;
	k->nr_buckets *= 2;
	for (e = k->oldest; e; e = e->newer) {
		bucket = bucket_of(k, e->kind, e->key);
		e->next = *bucket;
		*bucket = e;
	}
}

int known_add(struct pcapng_reader *d, enum known_kind kind, uint64_t key, uint64_t print,
	       size_t strings_size, struct known **out)
{
	struct pcapng_known *k = d->known;
	size_t size = sizeof(**out) + strings_size;
	struct known *e, **bucket;

	*out = NULL;
	if (k->bytes + size > MAX_BYTES)
		return 0;
	e = calloc(1, size);
	if (!e)
		return -ENOMEM;
	if (k->nr >= k->nr_buckets)
		grow(k);
	e->kind = kind;
	e->key = key;
	e->print = print;
	e->section = d->section;
	e->uid = XCAP_UID_UNKNOWN;
	e->process.exe = e->process.args = "";
	*(k->newest ? &k->newest->newer : &k->oldest) = e;
	k->newest = e;
	bucket = bucket_of(k, kind, key);
	e->next = *bucket;
	*bucket = e;
	k->nr++;
	k->bytes += size;
	*out = e;
	return 0;
}

static struct known *step(const struct pcapng_reader *d, struct known *e, enum known_kind kind,
			  uint64_t key, int *steps)
{
	for (; e && (*steps)++ < MAX_STEPS; e = e->next)
		if (e->kind == kind && e->key == key && e->section == d->section)
			return e;
	return NULL;
}

struct known *known_newest(const struct pcapng_reader *d, enum known_kind kind, uint64_t key)
{
	int steps = 0;

	return d->known ? step(d, *bucket_of(d->known, kind, key), kind, key, &steps) : NULL;
}

const struct known *known_process(const struct pcapng_reader *d, uint32_t pid, int64_t wall_ns)
{
	const struct known *best = NULL, *soon = NULL;
	struct known *last = known_newest(d, KNOWN_PROCESS, pid), *e = last;
	int steps = 0;

	if (!last || !last->process.start_ns)
		return last;
	for (; e; e = step(d, e->next, KNOWN_PROCESS, pid, &steps)) {
		int64_t start_ns = e->process.start_ns;

		if (start_ns <= wall_ns && (!best || start_ns > best->process.start_ns))
			best = e;
		if (start_ns > wall_ns && start_ns - wall_ns <= START_SLACK_NS &&
		    (!soon || start_ns < soon->process.start_ns))
			soon = e;
	}
	return best ? best : soon;
}

void known_free(struct pcapng_known *k)
{
	struct known *e, *newer;

	if (!k)
		return;
	for (e = k->oldest; e; e = newer) {
		newer = e->newer;
		free(e);
	}
	free(k->darwin);
	free(k->buckets);
	free(k);
}
