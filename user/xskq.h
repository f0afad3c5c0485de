/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One AF_XDP queue: its socket, its rings, its chunks and its books. A lane of
 * source_xsk.c; the functions are those of struct source_ops.
 */
#ifndef XCAP_XSKQ_H
#define XCAP_XSKQ_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include <xcap_event.h>
#include <xdp/xsk.h>
#include "error.h"
#include "joined.h"
#include "source.h"
#include "umem.h"

struct xskq {
	/* touched for each batch */
	struct xsk_ring_cons rx;
	struct xsk_ring_prod fill;
	struct umem_pool pool;
	const uint8_t *area;
	struct xcap_record plain;	/* what all packets of this queue have in common */
	uint32_t snaplen;
	bool busy_poll;
	bool in_order;			/* one CPU at a time stamps this queue */
	int64_t trail_ns;		/* else the watermark stays behind the clock by this */
	bool starved;			/* the reader holds too much: recycling */
	bool ended;
	uint64_t taken;			/* frames from the rx ring, recycled ones included */
	int64_t last_ns;		/* stamp of the last of them */
	int64_t looked_ns;		/* last look at the socket's counters */
	int64_t mark_ns;		/* what xskq_watermark() said last */

	/* a clock and the count read after it: the next watermark, once the books meet */
	bool waiting;
	int64_t wait_ns;
	uint64_t wait_count;
	int64_t owed_ns;		/* since when frames are missing and nothing comes; 0 not */
	int64_t idled_ns;		/* when idle() last did its round */
	int64_t there_ns;		/* when the interface was last seen */

	const volatile struct xcap_cpu *counts;
	uint64_t lost[XCAP_DROP_MAX];	/* known */
	uint64_t said[XCAP_DROP_MAX];	/* of those, told by a loss record */
	bool unsaid;
	uint64_t socket_lost;		/* of lost: frames that redirected counts too */
	uint64_t fill_ring_empty;
	uint64_t nic_base;		/* rx_missed_errors at open; first queue only */
	int64_t nic_ns;
	bool asks_nic;
	bool closing;			/* nothing new comes: detached, or the interface is gone */
	bool gone;

	struct joined joined;	/* area NULL: frames are never in pieces */
	struct error *err;
	const char *spec;		/* of the source, for sentences */
	struct xsk_socket *xsk;
	struct xsk_ring_cons completion;	/* libxdp wants one */
	uint32_t ifindex;
	int fd;

	/* another process opened the socket: the descriptor and what is mapped are ours */
	bool foreign;
	void *rx_map, *fill_map;
	size_t rx_size, fill_size;
};

/* The fill ring gets what there is; a waiting driver is told. */
void xskq_refill(struct xskq *q);

int  xskq_peek(struct xskq *q, struct xcap_record *recs, int max);
void xskq_release(struct xskq *q, int n);
int64_t xskq_watermark(struct xskq *q);

/* Return: 1 there is or will soon be something to take; 0. */
int  xskq_is_due(struct xskq *q);

/* Detached, and no program is running any more: the lane ends when its ring is empty. */
void xskq_stop(struct xskq *q);
void xskq_stats(const struct xskq *q, struct source_stats *st);

/* Map the rings of a socket that another process opened. Return: 0; -errno. */
int  xskq_take(struct xskq *q, int fd, uint32_t ring);

/* Takes zeroed and half-built ones; the socket must be closed before the UMEM is. */
void xskq_close(struct xskq *q);

#endif
