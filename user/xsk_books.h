/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books of one AF_XDP queue: each frame that the program redirected is taken
 * from the ring, or lost somewhere, or not there yet.
 */
#ifndef XCAP_XSK_BOOKS_H
#define XCAP_XSK_BOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include "xskq.h"

/* Frames that the program redirected and that have not come out anywhere yet. */
static inline int64_t xsk_books_debt(const struct xskq *q)
{
	return q->counts->redirected - q->taken - q->socket_lost;
}

/* We lost n ourselves. */
void xsk_books_lose(struct xskq *q, int where, uint64_t n);

/* Raise counts to what socket and program say now; nothing is remembered. On any thread. */
void xsk_books_ask_socket(const struct xskq *q, uint64_t lost[XCAP_DROP_MAX], uint64_t *empty);

/* What the socket and the program have counted since. */
void xsk_books_look(struct xskq *q, int64_t now);

/* The NIC's count, which takes a request: seldom, unless it must be. */
void xsk_books_look_at_nic(struct xskq *q, int64_t now, bool must);

/* Frames have been missing for long: do they still come? Takes some tens of milliseconds. */
void xsk_books_settle(struct xskq *q);

/* No program runs any more and the ring is empty: what is missing is lost. */
void xsk_books_close(struct xskq *q);

/* Records of losses not told yet. Return: how many. */
int  xsk_books_say(struct xskq *q, struct xcap_record *recs, int max);

#endif
