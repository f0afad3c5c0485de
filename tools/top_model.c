// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what records say, and the time.
 * Out:  for each view rows with totals, rates and a short history.
 * Owns: the rows, in chunks that are kept until the model is freed.
 * Runs on: one thread.
 *
 * A row is brought up to date when it is met, not each interval: thousands that are idle cost
 * nothing. What is no longer in a row stands in "gone", what never got one in "other", so that
 * the rows of a view with these two are always the sum of all that it was told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "top_facts.h"
#include "top_table.h"

#define FIRST_BUCKETS 1024
#define HURRY 8		/* intervals; who was idle for so long goes when a table is full */
#define NS_PER_SEC 1000000000LL

/* ---- intervals ---- */

static uint32_t clamp(uint64_t n)
{
	return n < UINT32_MAX ? n : UINT32_MAX;
}

/* Close the interval that the row is in, and all up to the one that runs. */
void top_roll(const struct top *t, struct top_row *row)
{
	int64_t gap = t->interval - row->interval;
	uint64_t *d = row->last;

	if (gap <= 0)
		return;
	for (int i = 0; i < TOP_COUNTERS; i++) {
		d[i] = row->total[i] - row->before[i];
		row->before[i] = row->total[i];
	}
	row->bytes[row->interval % TOP_HISTORY] = clamp(d[TOP_BYTES_IN] + d[TOP_BYTES_OUT]);
	row->events[row->interval % TOP_HISTORY] =
		clamp(d[TOP_PACKETS_IN] + d[TOP_PACKETS_OUT] + d[TOP_CALLS]);
	for (int64_t k = 1; k < gap && k <= TOP_HISTORY; k++) {
		row->bytes[(row->interval + k) % TOP_HISTORY] = 0;
		row->events[(row->interval + k) % TOP_HISTORY] = 0;
	}
	if (gap > 1)
		memset(d, 0, sizeof(row->last));
	row->interval = t->interval;
}

/* ---- rows ---- */

static uint32_t hash_key(const struct top *t, const struct top_key *key)
{
	uint64_t h = t->seed ^ key->len, word;

	for (int at = 0; at < key->len; at += 8) {
		memcpy(&word, key->bytes + at, 8);	/* behind len are zeros */
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h ^ h >> 32;
}

static bool same_key(const struct top_key *a, const struct top_key *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static struct top_row *find(const struct top *t, const struct top_table *table,
			    const struct top_key *key, uint32_t hash)
{
	struct top_row *row = table->buckets[hash & (table->nr_buckets - 1)];

	while (row && (row->hash != hash || !same_key(&row->key, key)))
		row = row->next;
	return row;
}

/* Twice the buckets, as soon as there are as many rows. Without memory chains get longer. */
static void grow(struct top_table *table)
{
	uint32_t nr = table->nr_buckets * 2;
	struct top_row **wider = calloc(nr, sizeof(*wider)), *row, *next;

	if (!wider)
		return;
	for (uint32_t i = 0; i < table->nr_buckets; i++)
		for (row = table->buckets[i]; row; row = next) {
			next = row->next;
			row->next = wider[row->hash & (nr - 1)];
			wider[row->hash & (nr - 1)] = row;
		}
	free(table->buckets);
	table->buckets = wider;
	table->nr_buckets = nr;
}

/* A row that is free; NULL: there are as many as there may be, or no memory. */
static struct top_row *take(const struct top *t, struct top_table *table)
{
	struct top_row *row = table->free;
	uint32_t chunk = table->used / TOP_CHUNK;

	if (row) {
		table->free = row->next;
		return row;
	}
	if (table->used >= t->max_rows)
		return NULL;
	if (!table->chunks[chunk])
		table->chunks[chunk] = calloc(TOP_CHUNK, sizeof(*row));
	if (!table->chunks[chunk])
		return NULL;
	return &table->chunks[chunk][table->used++ % TOP_CHUNK];
}

static void drop(struct top_table *table, struct top_row *row)
{
	struct top_row **at = &table->buckets[row->hash & (table->nr_buckets - 1)];

	while (*at != row)
		at = &(*at)->next;
	*at = row->next;
	for (int i = 0; i < TOP_COUNTERS; i++)
		table->gone.total[i] += row->total[i];
	memset(row, 0, sizeof(*row));	/* no key: not in use */
	row->next = table->free;
	table->free = row;
	table->nr--;
}

static void sweep(struct top *t, struct top_table *table, int64_t idle)
{
	for (uint32_t i = 0; i < table->used; i++) {
		struct top_row *row = top_table_row(table, i);

		if (row->key.len && t->interval - row->used > idle)
			drop(table, row);
	}
}

static struct top_row *make(struct top *t, struct top_table *table, const struct top_key *key,
			    uint32_t hash)
{
	struct top_row *row = take(t, table);

	if (!row && t->idle && table->hurried != t->interval) {
		table->hurried = t->interval;
		sweep(t, table, t->idle < HURRY ? t->idle : HURRY);
		row = take(t, table);
	}
	if (!row)
		return NULL;
	if (table->nr >= table->nr_buckets)
		grow(table);
	memset(row, 0, sizeof(*row));
	row->key = *key;
	row->hash = hash;
	row->number = table->made++;
	row->interval = t->interval;
	row->next = table->buckets[hash & (table->nr_buckets - 1)];
	table->buckets[hash & (table->nr_buckets - 1)] = row;
	table->nr++;
	return row;
}

/* ---- records ---- */

static void name(struct top_row *row, enum top_view view, const struct top_facts *f)
{
	uint8_t len = f->name_len[view];

	if (!f->name[view] || (row->name_len == len && !memcmp(row->name, f->name[view], len)))
		return;
	if (row->name_len && !(view == TOP_PROCESS && f->rename))
		return;
	memcpy(row->name, f->name[view], len);
	row->name_len = len;
}

static void count(const struct top *t, struct top_row *row, const struct top_facts *f, int way)
{
	top_roll(t, row);
	row->used = t->interval;
	if (f->packet) {
		row->total[TOP_PACKETS_IN + way]++;
		row->total[TOP_BYTES_IN + way] += f->add[TOP_BYTES_IN];
		return;
	}
	for (int i = TOP_CALLS; i < TOP_COUNTERS; i++)
		row->total[i] += f->add[i];
}

static void add(struct top *t, enum top_view view, const struct top_key *key,
		const struct top_facts *f, int way)
{
	struct top_table *table = &t->tables[view];
	uint32_t hash = hash_key(t, key);
	struct top_row *row = find(t, table, key, hash);

	if (!row) {
		row = make(t, table, key, hash);
		if (row)
			row->left = view == TOP_FLOW && f->left;
	}
	if (!row) {
		table->refused++;
		row = &table->other;
	} else {
		name(row, view, f);
	}
	if (view == TOP_FLOW && row != &table->other) {
		if (f->packet) {
			row->home[way] = f->where;
			row->home_used[way] = t->interval;
		}
		way ^= row->left;
	}
	count(t, row, f, way);
	row->total[TOP_CALLS] += view == TOP_FILE && f->opens;
}

/* On its way through this host a packet passes several interfaces: the first counts. */
bool top_again(struct top *t, const struct top_facts *f)
{
	const struct top_row *row;
	int way = f->way[TOP_FLOW];

	if (!f->packet || !(f->have & 1u << TOP_FLOW) || !t->begun)
		return false;
	row = find(t, &t->tables[TOP_FLOW], &f->key[TOP_FLOW], hash_key(t, &f->key[TOP_FLOW]));
	return row && row->home[way] && row->home[way] != f->where &&
	       row->home_used[way] >= t->interval - 1;
}

void top_add(struct top *t, const struct top_facts *f)
{
	if (!t->begun || f->mono_ns >= top_interval_end(t))
		top_time(t, f->mono_ns);
	for (int v = 0; v < TOP_VIEWS; v++)
		if (f->have & 1u << v && (!f->again || v == TOP_INTERFACE))
			add(t, v, &f->key[v], f, f->way[v]);
	if (f->again)
		return;
	if (f->packet && f->have & 1u << TOP_HOST)
		add(t, TOP_HOST, &f->host2, f, TOP_IN);
	count(t, &t->sum, f, f->way[TOP_INTERFACE]);
}

/* ---- time ---- */

void top_time(struct top *t, int64_t now_ns)
{
	int64_t interval, passed;

	if (!t->begun) {
		t->begun = true;
		t->epoch_ns = now_ns;
	}
	interval = (now_ns - t->epoch_ns) / t->interval_ns;
	passed = interval - t->interval;
	if (now_ns < t->epoch_ns || passed <= 0)
		return;
	t->interval = interval;
	t->value_ns = t->interval_ns;
	/* one view after the other, an interval each */
	for (int i = 0; t->idle && i < passed && i < TOP_VIEWS; i++)
		sweep(t, &t->tables[(interval - i) % TOP_VIEWS], t->idle);
}

void top_begin_as(struct top *t, const struct top *other)
{
	t->begun = other->begun;
	t->epoch_ns = other->epoch_ns;
	t->interval = t->sum.interval = other->interval;
}

int64_t top_interval_end(const struct top *t)
{
	return t->begun ? t->epoch_ns + (t->interval + 1) * t->interval_ns : INT64_MIN;
}

int64_t top_interval_ns(const struct top *t)
{
	return t->interval_ns;
}

/* ---- what is asked ---- */

uint32_t top_nr_rows(const struct top *t, enum top_view view)
{
	return t->tables[view].nr;
}

uint64_t top_refused(const struct top *t, enum top_view view)
{
	return t->tables[view].refused;
}

const struct top_row *top_other(struct top *t, enum top_view view)
{
	top_roll(t, &t->tables[view].other);
	return &t->tables[view].other;
}

const struct top_row *top_gone(struct top *t, enum top_view view)
{
	return &t->tables[view].gone;
}

const struct top_row *top_sum(struct top *t)
{
	top_roll(t, &t->sum);
	return &t->sum;
}

const struct top_row *top_find(struct top *t, enum top_view view, const struct top_key *key)
{
	struct top_row *row = find(t, &t->tables[view], key, hash_key(t, key));

	if (row)
		top_roll(t, row);
	return row;
}

/* ---- new, free ---- */

int top_new(struct top **out, const struct top_opts *opts)
{
	struct top *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->interval_ns = opts->interval_ns ? opts->interval_ns : NS_PER_SEC;
	t->value_ns = t->interval_ns;
	t->max_rows = opts->max_rows && opts->max_rows < TOP_MAX_ROWS ? opts->max_rows :
									TOP_MAX_ROWS;
	t->idle = opts->idle;
	if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
		t->seed = (uintptr_t)t;
	for (int v = 0; v < TOP_VIEWS; v++) {
		t->tables[v].hurried = -1;
		t->tables[v].nr_buckets = FIRST_BUCKETS;
		t->tables[v].buckets = calloc(FIRST_BUCKETS, sizeof(struct top_row *));
		if (!t->tables[v].buckets)
			goto fail;
	}
	*out = t;
	return 0;
fail:
	top_free(t);
	return -ENOMEM;
}

void top_free(struct top *t)
{
	if (!t)
		return;
	for (int v = 0; v < TOP_VIEWS; v++) {
		for (int i = 0; i < TOP_NR_CHUNKS; i++)
			free(t->tables[v].chunks[i]);
		free(t->tables[v].buckets);
	}
	free(t->order);
	free(t);
}

static int copy_table(struct top_table *to, const struct top_table *from)
{
	struct top_row *row;

	for (uint32_t i = 0; i < from->used; i++) {
		if (i % TOP_CHUNK == 0) {
			to->chunks[i / TOP_CHUNK] = calloc(TOP_CHUNK, sizeof(*row));
			if (!to->chunks[i / TOP_CHUNK])
				return -ENOMEM;
		}
		row = top_table_row(to, i);
		*row = *top_table_row(from, i);
		if (!row->key.len)
			continue;
		row->next = to->buckets[row->hash & (to->nr_buckets - 1)];
		to->buckets[row->hash & (to->nr_buckets - 1)] = row;
	}
	to->nr = from->nr;
	to->used = from->used;
	to->refused = from->refused;
	to->other = from->other;
	to->gone = from->gone;
	return 0;
}

int top_copy(struct top **out, const struct top *from)
{
	struct top_opts opts = { from->interval_ns, from->max_rows, from->idle };
	struct top *t;

	if (top_new(&t, &opts))
		return -ENOMEM;
	t->seed = from->seed;
	t->begun = from->begun;
	t->epoch_ns = from->epoch_ns;
	t->interval = from->interval;
	t->value_ns = from->value_ns;
	t->sum = from->sum;
	for (int v = 0; v < TOP_VIEWS; v++)
		if (copy_table(&t->tables[v], &from->tables[v])) {
			top_free(t);
			return -ENOMEM;
		}
	*out = t;
	return 0;
}

void top_reset(struct top *t)
{
	t->begun = false;
	t->interval = 0;
	t->value_ns = t->interval_ns;
	memset(&t->sum, 0, sizeof(t->sum));
	for (int v = 0; v < TOP_VIEWS; v++) {
		struct top_table *table = &t->tables[v];

		memset(table->buckets, 0, table->nr_buckets * sizeof(*table->buckets));
		for (uint32_t i = 0; i < table->used; i++)
			top_table_row(table, i)->key.len = 0;
		table->used = table->nr = 0;
		table->free = NULL;
		table->hurried = -1;
		table->refused = table->made = 0;
		memset(&table->other, 0, sizeof(table->other));
		memset(&table->gone, 0, sizeof(table->gone));
	}
}
