/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of a model, for top_model.c and top_pick.c. */
#ifndef TOP_TABLE_H
#define TOP_TABLE_H

#include "top_model.h"

#define TOP_CHUNK 512			/* rows */
#define TOP_NR_CHUNKS (TOP_MAX_ROWS / TOP_CHUNK)

struct top_table {
	struct top_row **buckets;
	uint32_t nr_buckets;		/* a power of two */
	uint32_t nr;			/* rows in use */
	uint32_t used;			/* rows of chunks that have ever been in use */
	struct top_row *chunks[TOP_NR_CHUNKS];
	struct top_row *free;
	uint64_t made, refused;
	int64_t hurried;		/* interval in which room was looked for */
	struct top_row other, gone;
};

struct top_order {
	double value;
	struct top_row *row;
};

struct top {
	int64_t interval_ns;
	uint32_t max_rows;
	int64_t idle;
	uint64_t seed;			/* of the hash: nobody can choose his bucket */
	bool begun;
	int64_t epoch_ns;
	int64_t interval;		/* the one that runs */
	int64_t value_ns;		/* top_value_of() */
	struct top_table tables[TOP_VIEWS];
	struct top_row sum;
	struct top_order *order;	/* room to sort in, kept */
	uint32_t order_size;
};

static inline struct top_row *top_table_row(const struct top_table *table, uint32_t i)
{
	return &table->chunks[i / TOP_CHUNK][i % TOP_CHUNK];
}

void top_roll(const struct top *t, struct top_row *row);

#endif
