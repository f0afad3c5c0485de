// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   counts of the XDP program, of the socket and of the NIC.
 * Out:  which frames are lost, where, and the records that say so.
 * Owns: nothing; the books are part of the queue.
 * Runs on: the thread of the handle; what only asks, on any.
 */
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf_load.h"
#include "clock.h"
#include "netdev.h"
#include "xsk_books.h"

#define NIC_EVERY (250 * NS_PER_MS)

/* Of so many frames that the program redirected: those that have not come out anywhere yet. */
static int64_t missing(const struct xskq *q, uint64_t redirected)
{
	return redirected - q->taken - q->socket_lost;
}

static void set_lost(struct xskq *q, int where, uint64_t total)
{
	if (total <= q->lost[where])
		return;
	q->lost[where] = total;
	q->unsaid = true;
}

void xsk_books_lose(struct xskq *q, int where, uint64_t n)
{
	set_lost(q, where, q->lost[where] + n);
}

void xsk_books_look_at_nic(struct xskq *q, int64_t now, bool must)
{
	uint64_t missed;

	if (!q->asks_nic || (!must && now - q->nic_ns < NIC_EVERY))
		return;
	q->nic_ns = now;
	missed = netdev_rx_missed(q->ifindex);
	if (missed > q->nic_base)	/* not so when the interface is gone */
		set_lost(q, XCAP_DROP_NIC_MISSED, missed - q->nic_base);
}

static void raise(uint64_t *count, uint64_t to)
{
	if (to > *count)
		*count = to;
}

void xsk_books_ask_socket(const struct xskq *q, uint64_t lost[XCAP_DROP_MAX], uint64_t *empty)
{
	struct xdp_statistics st = {};
	socklen_t len = sizeof(st);

	raise(&lost[XCAP_DROP_NO_META], q->counts->no_meta);
	if (getsockopt(q->fd, SOL_XDP, XDP_STATISTICS, &st, &len))
		return;
	raise(&lost[XCAP_DROP_XSK_NO_FRAME], st.rx_dropped);
	raise(&lost[XCAP_DROP_XSK_RING_FULL], st.rx_ring_full);
	raise(empty, st.rx_fill_ring_empty_descs);
}

void xsk_books_look(struct xskq *q, int64_t now)
{
	uint64_t lost[XCAP_DROP_MAX] = {};

	q->looked_ns = now;
	/*
	 * A drop counts at once, a frame before it is published with its batch
	 * only: losses may stand against a count that was read after them, never
	 * against one read before.
	 */
	q->waiting = false;
	xsk_books_ask_socket(q, lost, &q->fill_ring_empty);
	set_lost(q, XCAP_DROP_XSK_NO_FRAME, lost[XCAP_DROP_XSK_NO_FRAME]);
	set_lost(q, XCAP_DROP_XSK_RING_FULL, lost[XCAP_DROP_XSK_RING_FULL]);
	q->socket_lost = q->lost[XCAP_DROP_XSK_NO_FRAME] + q->lost[XCAP_DROP_XSK_RING_FULL] +
			 q->lost[XCAP_DROP_REDIRECT];
	set_lost(q, XCAP_DROP_NO_META, lost[XCAP_DROP_NO_META]);
	xsk_books_look_at_nic(q, now, false);
}

/*
 * Who counted these frames has ended and so has its poll, and the ring is empty: what is
 * missing never comes. Said earlier it could not be taken back.
 */
static void write_off(struct xskq *q, uint64_t redirected)
{
	int64_t owed;

	xsk_books_look(q, clock_mono_ns());
	owed = missing(q, redirected);
	if (owed <= 0)
		return;
	xsk_books_lose(q, XCAP_DROP_REDIRECT, owed);
	q->socket_lost += owed;
}

/* A CPU of a guest may stand still for seconds: time alone proves nothing. */
void xsk_books_settle(struct xskq *q)
{
	uint64_t redirected = __atomic_load_n(&q->counts->redirected, __ATOMIC_ACQUIRE);

	bpf_load_await_running();
	if (!xsk_cons_nb_avail(&q->rx, 1))
		write_off(q, redirected);
	q->owed_ns = 0;
}

void xsk_books_close(struct xskq *q)
{
	write_off(q, q->counts->redirected);
	xsk_books_look_at_nic(q, clock_mono_ns(), true);
}

static void lend_nothing(struct xskq *q)
{
	umem_lend_nothing(&q->pool);
	if (q->joined.area)
		joined_lend(&q->joined, 0);
}

/* Not older than anything said or lent, not younger than what comes next. */
static int64_t loss_time(const struct xskq *q)
{
	return q->last_ns > q->mark_ns ? q->last_ns : q->mark_ns;
}

int xsk_books_say(struct xskq *q, struct xcap_record *recs, int max)
{
	int n = 0;

	q->unsaid = false;
	for (int where = 0; where < XCAP_DROP_MAX; where++) {
		if (q->lost[where] == q->said[where])
			continue;
		if (n == max) {
			q->unsaid = true;
			break;
		}
		recs[n] = q->plain;
		recs[n].type = XCAP_LOSS;
		recs[n].direction = XCAP_DIR_NONE;
		recs[n].mono_ns = loss_time(q);
		memset(&recs[n].packet, 0, sizeof(recs[n].packet));
		recs[n].loss.count = q->lost[where] - q->said[where];
		recs[n].loss.where = where;
		recs[n].loss.reserved = 0;
		q->said[where] = q->lost[where];
		lend_nothing(q);
		n++;
	}
	return n;
}
