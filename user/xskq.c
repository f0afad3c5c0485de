// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   descriptors from one rx ring; what xsk_books.c knows of frames that are not there.
 * Out:  records that lend the frames where they lie in the UMEM, loss records.
 * Owns: the socket, and the chunks that are not the kernel's.
 * Runs on: the thread of the handle.
 */
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf_load.h"
#include "clock.h"
#include "netdev.h"
#include "record_copy.h"
#include "xsk_books.h"
#include "xskq.h"

#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)		/* kernel 6.6 */
#endif

#define LOAD(what) __atomic_load_n(&(what), __ATOMIC_ACQUIRE)

#define AHEAD 8			/* descriptors: how far memory is fetched before use */
#define BATCH 64		/* chunks given back at once */
#define LOOK_BUSY (10 * NS_PER_MS)	/* how often the socket's counters are read: under load, */
#define IDLE_EVERY (NS_PER_MS / 20)	/* and when the ring is empty but the counts do not meet */
#define MARK_EVERY (5 * NS_PER_US)	/* how often the program's count is read for a watermark */
#define GONE_AFTER (200 * NS_PER_MS)	/* idle so long: is the interface still there? */
#define EXPECTED_FOR NS_PER_MS	/* missing frames may come at any moment: no sleep */
#define DEBT_AFTER (500 * NS_PER_MS)	/* frames missing so long are looked into */

/* ---- the way back: chunks to the kernel ---- */

static void poke(struct xskq *q)
{
	recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

void xskq_refill(struct xskq *q)
{
	umem_fill(&q->pool, &q->fill);
	if (xsk_ring_prod__needs_wakeup(&q->fill))
		poke(q);
}

void xskq_release(struct xskq *q, int n)
{
	if ((uint32_t)n > umem_lent(&q->pool))
		n = umem_lent(&q->pool);
	if (q->joined.area && n)
		joined_release(&q->joined, n);
	if (umem_release(&q->pool, n) >= BATCH)
		xskq_refill(q);
}

/* The reader holds all it may: what comes goes straight back, and is counted. Whole frames only. */
static uint32_t recycle(struct xskq *q)
{
	const struct xdp_desc *desc;
	uint32_t n, at, held = 0, used = 0;

	n = xsk_ring_cons__peek(&q->rx, BATCH, &at);
	for (uint32_t i = 0; i < n; i++) {
		if (xsk_ring_cons__rx_desc(&q->rx, at + i)->options & XDP_PKT_CONTD)
			continue;
		held++;
		for (; used <= i; used++) {
			desc = xsk_ring_cons__rx_desc(&q->rx, at + used);
			umem_recycle(&q->pool, desc->addr, &q->fill);
		}
	}
	xsk_ring_cons__cancel(&q->rx, n - used);
	if (!used)
		return 0;
	xsk_ring_cons__release(&q->rx, used);
	q->taken += held;
	xsk_books_lose(q, XCAP_DROP_HELD, held);
	if (xsk_ring_prod__needs_wakeup(&q->fill))
		poke(q);
	return used;
}

/* A little room is no room: else each frame would bring a loss record with it. */
static bool is_starved(struct xskq *q, uint32_t room)
{
	if (q->starved)
		q->starved = room < q->pool.max_lent / 16 + 1;
	else
		q->starved = !room;
	return q->starved;
}

/* ---- the way in: frames to the reader ---- */

static void stamp_missing(struct xskq *q, struct xcap_record *r)
{
	int64_t now = clock_mono_ns();

	r->mono_ns = now > q->last_ns ? now : q->last_ns;
	r->cpu = XCAP_CPU_UNKNOWN;
}

/* data is the frame, its stamp before it. */
static inline void fill_record(struct xskq *q, struct xcap_record *r, const uint8_t *data,
			       uint32_t len)
{
	const struct xcap_meta *meta = (const struct xcap_meta *)data - 1;

	record_copy(r, &q->plain, 0, RECORD_PAIRS);
	r->data = data;
	r->len = len;
	r->caplen = len < q->snaplen ? len : q->snaplen;
	r->mono_ns = meta->mono_ns;
	r->cpu = meta->cpu;
	if (__builtin_expect(meta->magic != XCAP_META_MAGIC, 0))
		stamp_missing(q, r);
}

static int take_whole(struct xskq *q, struct xcap_record *recs, int max)
{
	const struct xdp_desc *desc;
	uint32_t n, at;

	n = xsk_ring_cons__peek(&q->rx, max, &at);
	for (uint32_t i = 0; i < n; i++) {
		/* behind the end stand descriptors of earlier rounds: harmless */
		desc = xsk_ring_cons__rx_desc(&q->rx, at + i + AHEAD);
		__builtin_prefetch(q->area + desc->addr - sizeof(struct xcap_meta));
		__builtin_prefetch(q->area + desc->addr);
		desc = xsk_ring_cons__rx_desc(&q->rx, at + i);
		fill_record(q, &recs[i], q->area + desc->addr, desc->len);
		umem_lend(&q->pool, desc->addr);
	}
	if (!n)
		return 0;
	xsk_ring_cons__release(&q->rx, n);
	q->taken += n;
	q->last_ns = recs[n - 1].mono_ns;
	return n;
}

/* ---- frames in pieces (multi-buffer) ---- */

/* Frame of n descriptors from at on: copied together behind its stamp. */
static bool join(struct xskq *q, struct xcap_record *r, uint32_t at, uint32_t n, uint32_t len)
{
	struct joined *j = &q->joined;
	const struct xdp_desc *desc;
	uint32_t need = (sizeof(struct xcap_meta) + len + 7) & ~7u, done;
	uint8_t *to = joined_room(j, need);

	if (to) {
		desc = xsk_ring_cons__rx_desc(&q->rx, at);
		memcpy(to, q->area + desc->addr - sizeof(struct xcap_meta),
		       sizeof(struct xcap_meta));
		done = sizeof(struct xcap_meta);
		for (uint32_t i = 0; i < n; i++) {
			desc = xsk_ring_cons__rx_desc(&q->rx, at + i);
			memcpy(to + done, q->area + desc->addr, desc->len);
			done += desc->len;
		}
		fill_record(q, r, to + sizeof(struct xcap_meta), len);
		r->flags |= XCAP_REC_JOINED;
		umem_lend_nothing(&q->pool);
		joined_lend(j, need);
	} else {
		xsk_books_lose(q, XCAP_DROP_HELD, 1);
	}
	for (uint32_t i = 0; i < n; i++)
		umem_recycle(&q->pool, xsk_ring_cons__rx_desc(&q->rx, at + i)->addr, &q->fill);
	return to;
}

/* Descriptors of the frame at `at`. Return: 0 the rest of it is not published yet. */
static uint32_t nr_pieces(struct xskq *q, uint32_t at, uint32_t avail, uint32_t *len)
{
	const struct xdp_desc *desc;

	*len = 0;
	for (uint32_t i = 0; i < avail; i++) {
		desc = xsk_ring_cons__rx_desc(&q->rx, at + i);
		*len += desc->len;
		if (!(desc->options & XDP_PKT_CONTD))
			return i + 1;
	}
	return 0;
}

static int take_pieces(struct xskq *q, struct xcap_record *recs, int max)
{
	uint32_t avail, at = 0, pieces, len, used = 0;
	const struct xdp_desc *desc;
	int n = 0;

	avail = xsk_ring_cons__peek(&q->rx, q->rx.size, &at);
	while (n < max && (pieces = nr_pieces(q, at + used, avail - used, &len))) {
		desc = xsk_ring_cons__rx_desc(&q->rx, at + used);
		if (pieces == 1) {
			fill_record(q, &recs[n++], q->area + desc->addr, desc->len);
			umem_lend(&q->pool, desc->addr);
			joined_lend(&q->joined, 0);
		} else if (join(q, &recs[n], at + used, pieces, len)) {
			n++;
		}
		used += pieces;
		q->taken++;
	}
	xsk_ring_cons__cancel(&q->rx, avail - used);
	if (used)
		xsk_ring_cons__release(&q->rx, used);
	if (n)
		q->last_ns = recs[n - 1].mono_ns;
	return n;
}

/* ---- nothing there ---- */

/* Closing, and the ring is empty. */
static int lane_ended(struct xskq *q, struct xcap_record *recs, int max)
{
	if (!q->ended) {
		xsk_books_close(q);
		q->ended = true;
	}
	if (q->unsaid)
		return xsk_books_say(q, recs, max);
	if (!q->gone)
		return -ENODATA;
	return error_set(q->err, -ENETDOWN, "the interface of %s is gone; what was captured before "
			 "is complete", q->spec);
}

/* What its last polls published is still to be taken. */
static void interface_gone(struct xskq *q)
{
	bpf_load_await_running();
	q->gone = q->closing = true;
}

static int idle(struct xskq *q, struct xcap_record *recs, int max)
{
	int64_t now;

	if (q->closing)
		return lane_ended(q, recs, max);
	/* the program writes its counts for each frame: to read them all the time would slow it */
	now = clock_mono_ns();
	if (now - q->idled_ns < IDLE_EVERY)
		return 0;
	q->idled_ns = now;
	xskq_refill(q);
	if (xsk_books_debt(q) > 0 || q->counts->no_meta > q->lost[XCAP_DROP_NO_META])
		xsk_books_look(q, now);
	xsk_books_look_at_nic(q, now, false);
	if (xsk_books_debt(q) <= 0)
		q->owed_ns = 0;
	else if (!q->owed_ns)
		q->owed_ns = now;
	else if (now - q->owed_ns > DEBT_AFTER)
		xsk_books_settle(q);
	if (now - q->last_ns > GONE_AFTER && now - q->there_ns > GONE_AFTER) {
		q->there_ns = now;
		if (!netdev_exists(q->ifindex))
			interface_gone(q);
	}
	return 0;
}

/* Nothing can be lent, but the books go on: the watermark stands on them. */
static int starved(struct xskq *q, struct xcap_record *recs, int max)
{
	int64_t now;

	if (!recycle(q))
		return idle(q, recs, max);
	now = clock_mono_ns();
	if (now - q->looked_ns > LOOK_BUSY)
		xsk_books_look(q, now);
	return 0;
}

int xskq_peek(struct xskq *q, struct xcap_record *recs, int max)
{
	uint32_t room = umem_room(&q->pool);
	int n = 0, got;

	if (__builtin_expect(is_starved(q, room), 0))
		return starved(q, recs, max);
	if (__builtin_expect(q->unsaid, 0)) {
		n = xsk_books_say(q, recs, max);
		if (n == max)
			return n;
	}
	if ((uint32_t)(max - n) > room)
		max = n + room;
	got = q->joined.area ? take_pieces(q, recs + n, max - n) : take_whole(q, recs + n, max - n);
	if (!got && q->busy_poll) {
		poke(q);	/* runs the driver's poll here and now */
		got = q->joined.area ? take_pieces(q, recs + n, max - n) :
				       take_whole(q, recs + n, max - n);
	}
	if (!got && !n)
		return idle(q, recs, max);
	if (q->last_ns - q->looked_ns > LOOK_BUSY)
		xsk_books_look(q, q->last_ns);
	q->owed_ns = 0;
	return n + got;
}

/* ---- how far it has come ---- */

int64_t xskq_watermark(struct xskq *q)
{
	int64_t mark = q->mark_ns, now;

	if (q->ended && !q->unsaid)
		return INT64_MAX;
	/* frames of one CPU come in order of their stamps */
	if (q->in_order && q->last_ns > mark)
		mark = q->last_ns;
	if (q->waiting && q->taken + q->socket_lost >= q->wait_count) {
		if (q->wait_ns > mark)
			mark = q->wait_ns;
		q->waiting = false;
	}
	/*
	 * Behind the generic hook several CPUs run one queue, and the first to count is not
	 * always the first to deliver: as many frames as were counted may have come, but not
	 * the same ones. So the mark is that of frames which have had the slack to come in.
	 * Those of a batch that step back are flagged late.
	 */
	now = q->waiting ? 0 : clock_mono_ns() - CLOCK_MARGIN_NS - q->trail_ns;
	if (!q->waiting && now - q->wait_ns >= MARK_EVERY) {
		q->wait_ns = now;
		/* the program counts first and reads its clock second: here the other way round */
		q->wait_count = __atomic_load_n(&q->counts->redirected, __ATOMIC_ACQUIRE);
		q->waiting = q->taken + q->socket_lost < q->wait_count;
		if (!q->waiting && q->wait_ns > mark)
			mark = q->wait_ns;
	}
	q->mark_ns = mark;
	return mark;
}

/* Redirected but nowhere yet. What stays away for long is looked at now and then. */
static bool is_expecting(const struct xskq *q)
{
	return xsk_books_debt(q) > 0 &&
	       (!q->owed_ns || clock_mono_ns() - q->owed_ns < EXPECTED_FOR);
}

int xskq_is_due(struct xskq *q)
{
	uint32_t there = __atomic_load_n(q->rx.producer, __ATOMIC_ACQUIRE) - q->rx.cached_cons;

	if (q->closing)
		return !q->ended || q->unsaid;
	return q->busy_poll || there || (q->unsaid && !q->starved) || is_expecting(q);
}

void xskq_stop(struct xskq *q)
{
	q->closing = true;
}

void xskq_stats(const struct xskq *q, struct source_stats *st)
{
	uint64_t nic = LOAD(q->lost[XCAP_DROP_NIC_MISSED]), empty = LOAD(q->fill_ring_empty);
	uint64_t lost[XCAP_DROP_MAX];

	for (int i = 0; i < XCAP_DROP_MAX; i++)
		lost[i] = i == XCAP_DROP_NIC_MISSED ? nic : LOAD(q->lost[i]);
	if (!q->ended)
		xsk_books_ask_socket(q, lost, &empty);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		st->dropped[i] += lost[i];
	st->fill_ring_empty += empty;
	st->filtered += LOAD(q->counts->filtered);
	st->seen += LOAD(q->counts->seen) + nic;	/* last: no sum is larger */
}

/* ---- a socket that another process opened ---- */

static void *map_ring(int fd, size_t size, off_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

/* Layout: XDP_MMAP_OFFSETS, Documentation/networking/af_xdp.rst. libxdp maps its own only. */
static void set_rings(struct xskq *q, const struct xdp_mmap_offsets *off, uint32_t size)
{
	char *rx = q->rx_map, *fill = q->fill_map;

	q->rx.mask = q->fill.mask = size - 1;
	q->rx.size = q->fill.size = size;
	q->rx.producer = (__u32 *)(rx + off->rx.producer);
	q->rx.consumer = (__u32 *)(rx + off->rx.consumer);
	q->rx.flags = (__u32 *)(rx + off->rx.flags);
	q->rx.ring = rx + off->rx.desc;
	q->rx.cached_cons = *q->rx.consumer;
	q->rx.cached_prod = q->rx.cached_cons;
	q->fill.producer = (__u32 *)(fill + off->fr.producer);
	q->fill.consumer = (__u32 *)(fill + off->fr.consumer);
	q->fill.flags = (__u32 *)(fill + off->fr.flags);
	q->fill.ring = fill + off->fr.desc;
	q->fill.cached_prod = *q->fill.producer;
	q->fill.cached_cons = *q->fill.consumer + size;	/* libxdp's way: room at the end */
}

int xskq_take(struct xskq *q, int fd, uint32_t ring)
{
	struct xdp_mmap_offsets off = {};
	socklen_t len = sizeof(off);

	q->foreign = true;
	q->fd = fd;
	if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		return -errno;
	q->rx_size = off.rx.desc + ring * sizeof(struct xdp_desc);
	q->fill_size = off.fr.desc + ring * sizeof(__u64);
	q->rx_map = map_ring(fd, q->rx_size, XDP_PGOFF_RX_RING);
	q->fill_map = map_ring(fd, q->fill_size, XDP_UMEM_PGOFF_FILL_RING);
	if (!q->rx_map || !q->fill_map)
		return -ENOMEM;
	set_rings(q, &off, ring);
	umem_pool_filled(&q->pool, *q->fill.producer);
	return 0;
}

static void untake(struct xskq *q)
{
	if (q->rx_map)
		munmap(q->rx_map, q->rx_size);
	if (q->fill_map)
		munmap(q->fill_map, q->fill_size);
	close(q->fd);
	q->rx_map = q->fill_map = NULL;
	q->foreign = false;
}

void xskq_close(struct xskq *q)
{
	if (q->xsk)
		xsk_socket__delete(q->xsk);
	if (q->foreign)
		untake(q);
	umem_pool_close(&q->pool);
	joined_close(&q->joined);
	q->xsk = NULL;
}
