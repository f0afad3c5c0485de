/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   records in stream order.
 * Out:  a file, a pipe, an interface.
 * Owns: nothing of the records; a sink copies what it keeps.
 * Runs on: the thread of the stream.
 *
 * A new sink is one sink_*.c with one `const struct sink_ops`, and one row in
 * sink.c. Sinks know records and xcap.h, and neither merge nor stream.
 */
#ifndef XCAP_SINK_H
#define XCAP_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "error.h"
#include "chunk_memory.h"

struct xcap_sink {
	const struct sink_ops *ops;
	struct xcap *x;		/* for xcap_source_info() and xcap_stats() only */
	struct error *err;
	struct xcap_sink_opts opts;	/* no zero means default here */
	void *priv;
	char note[256];		/* how records leave, for people; "" nothing to say */
};

struct sink_ops {
	const char *scheme;	/* "pcapng" */
	int (*open)(struct xcap_sink *s, const char *arg);
	int (*put)(struct xcap_sink *s, const struct xcap_record *recs, int nr);
	int (*flush)(struct xcap_sink *s);	/* NULL: nothing to do */
	/* Of one queue. NULL: there are none. */
	int (*filter)(struct xcap_sink *s, unsigned int queue, const char *expression);
	int (*close)(struct xcap_sink *s);	/* takes half-built ones */
};

#define SINK_FILTERED -1	/* where: passed over on purpose */

/*
 * accounts.c: a record that was put went no further. It is not delivered then, but dropped
 * at that place (enum xcap_drop), or filtered.
 */
void accounts_take_back(struct xcap *x, const struct xcap_record *rec, int where);

/* ---- for sinks that others read from: stream.c ---- */

/* Who has to be looked after by the thread of the stream, also while nothing comes. */
struct sink_tender {
	void (*serve)(void *arg, int64_t watermark_ns);
	bool (*sleep)(void *arg, bool on);	/* true: do not; there is something to serve */
	int fd;					/* readable: serve */
	void *arg;
};

/* One at a time; NULL: nobody. Return: 0; -EBUSY there is one; -errno. */
int sink_tend(struct xcap *x, const struct sink_tender *tender);

/* Nothing older than this will be put, but flagged late. */
int64_t sink_watermark(const struct xcap *x);

/* The interfaces of this network namespace whose packets a source brings. Return: how many. */
int sink_captures(struct xcap *x, int source, uint32_t *ifindexes, int max);

/* Cookie of the network namespace that we are in; 0 not known. */
uint64_t sink_netns(void);

/* Was it opened with XCAP_SELF? */
bool sink_shows_self(const struct xcap *x);

/*
 * The memory of a source's packets. A lent packet's chunk that is kept is not used again when the
 * record is released, but when it is given up, in any order. Return: 0; -errno: bytes have to be
 * copied. keep: false: the source needs it.
 */
int sink_memory(struct xcap *x, int source, struct memory *m);
bool sink_keep(struct xcap *x, int source, uint32_t chunk);
void sink_unkeep(struct xcap *x, int source, uint32_t chunk);

extern const struct sink_ops sink_pcapng_ops;
extern const struct sink_ops sink_iface_ops;
extern const struct sink_ops sink_wire_ops;
extern const struct sink_ops sink_queue_ops;

#endif
