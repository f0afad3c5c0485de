// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   frames.
 * Out:  the same out of an interface, by an AF_XDP socket that only sends.
 * Owns: the socket, its rings and its UMEM; a copy of the record of each frame in flight.
 * Runs on: the thread of the stream.
 *
 * A chunk is free, or with the kernel: from the tx ring to the completion ring. Without zero
 * copy the kernel sends in our calls, a few frames in each, and says of the last of them if
 * the driver did not take it (EBUSY). With it the queue receives into our UMEM as well, also
 * what is for the host; so the fill ring has chunks of its own, which come back by themselves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>
#include "bpf_load.h"
#include "clock.h"
#include "umem.h"
#include "wire_ways.h"

#define NR_CHUNKS 4096
#define NR_TX 2048		/* of them; the rest is the fill ring's */
#define TX_RING (2 * NR_TX)	/* the kernel gives places back later than chunks */
#define A_CALL 32		/* frames that one call sends */
#define CLOSE_NS NS_PER_SEC
#define BUSY_NS NS_PER_SEC	/* sockets that were just closed still hold their queue */
#define LINK_NS (10 * NS_PER_SEC)	/* a link that a queue's reset took down comes back */
#define NAP_US 1000

struct xsk_way {
	struct umem umem;
	struct xsk_umem *xdp_umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod tx, fill;
	struct xsk_ring_cons completion;
	bool zero_copy;
	uint32_t owed;			/* frames not taken whose chunk has not come back yet */
	uint32_t nr_free;
	uint32_t free[NR_TX];
	bool in_flight[NR_TX];
	struct xcap_record recs[NR_TX];	/* their bytes are gone */
};

/* ---- chunks and calls ---- */

/* Chunks that are sent come back. Return: the last of them; -1: none came. */
static int drain(struct wire *w)
{
	struct xsk_way *x = w->priv;
	uint32_t at, n = xsk_ring_cons__peek(&x->completion, NR_TX, &at);
	int chunk = -1;

	for (uint32_t i = 0; i < n; i++) {
		chunk = *xsk_ring_cons__comp_addr(&x->completion, at + i) / WIRE_CHUNK;
		x->in_flight[chunk] = false;
		x->free[x->nr_free++] = chunk;
		if (x->owed) {
			x->owed--;
			wire_lost(w, &x->recs[chunk], XCAP_DROP_WIRE);
		}
	}
	if (n) {
		xsk_ring_cons__release(&x->completion, n);
		wire_moves(w);
	}
	return chunk;
}

/* The kernel took a frame and freed it: its chunk came back last. */
static void not_taken(struct wire *w)
{
	struct xsk_way *x = w->priv;
	int chunk = drain(w);

	if (chunk >= 0)
		wire_lost(w, &x->recs[chunk], XCAP_DROP_WIRE);
	else
		x->owed++;
}

/*
 * One call. Return: 0 all that is in the ring was taken, or will be by itself; -EAGAIN there
 * is more; other -errno: it cannot be.
 */
static int kick(struct wire *w)
{
	struct xsk_way *x = w->priv;

	if (x->nr_free == NR_TX || !xsk_ring_prod__needs_wakeup(&x->tx))
		return 0;
	if (sendto(w->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
		return 0;
	switch (errno) {
	case EBUSY:
		if (!x->zero_copy)
			not_taken(w);
		return -EAGAIN;
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
		return -EAGAIN;
	}
	return -errno;
}

/* As many calls as it takes if each gets on. Return: as kick(). */
static int kick_all(struct wire *w)
{
	struct xsk_way *x = w->priv;
	uint32_t calls = (NR_TX - x->nr_free) / A_CALL + 2, before;
	int ret;

	do {
		before = x->nr_free;
		drain(w);
		ret = kick(w);
		drain(w);
		calls += x->nr_free > before;
	} while (ret == -EAGAIN && --calls);
	if (x->nr_free == NR_TX)
		wire_caught_up(w);
	return ret;
}

static int wire_xsk_push(struct wire *w)
{
	int ret;

	do
		ret = kick_all(w);
	while (ret == -EAGAIN && wire_wait(w));
	return ret && ret != -EAGAIN ? wire_gone(w, ret) : 0;
}

static bool has_room(struct xsk_way *x)
{
	return x->nr_free && xsk_prod_nb_free(&x->tx, 1);
}

/* Return: 0, there may be room; -errno: nothing can be sent any more, said. */
static int make_room(struct wire *w)
{
	int ret;

	do {
		ret = kick_all(w);
		if (ret && ret != -EAGAIN)
			return wire_gone(w, ret);
	} while (!has_room(w->priv) && wire_wait(w));
	return 0;
}

static int wire_xsk_put(struct wire *w, const uint8_t *frame, uint32_t len,
			const struct xcap_record *rec)
{
	struct xsk_way *x = w->priv;
	int ret = has_room(x) ? 0 : make_room(w);
	uint32_t chunk, at = 0;

	if (ret || !has_room(x)) {
		wire_lost(w, rec, XCAP_DROP_WIRE);
		return ret;
	}
	chunk = x->free[--x->nr_free];
	x->in_flight[chunk] = true;
	x->recs[chunk] = *rec;
	memcpy(x->umem.area + (uint64_t)chunk * WIRE_CHUNK, frame, len);
	xsk_ring_prod__reserve(&x->tx, 1, &at);
	*xsk_ring_prod__tx_desc(&x->tx, at) = (struct xdp_desc){
		.addr = (uint64_t)chunk * WIRE_CHUNK, .len = len,
	};
	xsk_ring_prod__submit(&x->tx, 1);
	return 0;
}

/* ---- open and close ---- */

/* What is in flight has a second to leave; then it is lost, whatever becomes of it. */
static void settle(struct wire *w)
{
	int64_t deadline = clock_mono_ns() + CLOSE_NS;
	struct xsk_way *x = w->priv;
	int ret = 0;

	while (x->nr_free < NR_TX && (!ret || ret == -EAGAIN)) {
		ret = kick_all(w);
		if (x->nr_free == NR_TX || clock_mono_ns() > deadline)
			break;
		usleep(NAP_US);
	}
	for (int i = 0; i < NR_TX; i++)
		if (x->in_flight[i])
			wire_lost(w, &x->recs[i], XCAP_DROP_WIRE);
}

static void close_all(struct wire *w)
{
	struct xsk_way *x = w->priv;

	if (x->xsk)
		xsk_socket__delete(x->xsk);
	if (x->xdp_umem)
		xsk_umem__delete(x->xdp_umem);
	umem_close(&x->umem);
	free(x);
	w->priv = NULL;
	w->fd = -1;
}

static void wire_xsk_close(struct wire *w)
{
	settle(w);
	close_all(w);
}

static int open_umem(struct wire *w)
{
	struct xsk_umem_config conf = { .fill_size = NR_CHUNKS - NR_TX, .comp_size = NR_TX,
					.frame_size = WIRE_CHUNK };
	struct xsk_way *x = w->priv;
	uint32_t at = 0;
	int ret = umem_open(&x->umem, NR_CHUNKS, WIRE_CHUNK, w->err);

	ret = ret ?: xsk_umem__create(&x->xdp_umem, x->umem.area, x->umem.area_size, &x->fill,
				      &x->completion, &conf);
	if (ret)
		return ret;
	for (x->nr_free = 0; x->nr_free < NR_TX; x->nr_free++)
		x->free[x->nr_free] = NR_TX - 1 - x->nr_free;
	xsk_ring_prod__reserve(&x->fill, NR_CHUNKS - NR_TX, &at);
	for (uint32_t i = 0; i < NR_CHUNKS - NR_TX; i++)
		*xsk_ring_prod__fill_addr(&x->fill, at + i) = (uint64_t)(NR_TX + i) * WIRE_CHUNK;
	xsk_ring_prod__submit(&x->fill, NR_CHUNKS - NR_TX);
	return 0;
}

static int bind_socket(struct wire *w, uint16_t how)
{
	struct xsk_socket_config conf = {
		.tx_size = TX_RING,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP | how,
	};
	int64_t deadline = clock_mono_ns() + BUSY_NS;
	struct xsk_way *x = w->priv;
	int ret;

	while ((ret = xsk_socket__create(&x->xsk, w->dev.name, 0, x->xdp_umem, NULL, &x->tx,
					 &conf)) == -EBUSY && clock_mono_ns() < deadline)
		usleep(NAP_US);
	if (ret) {
		x->xsk = NULL;
		return ret;
	}
	w->fd = xsk_socket__fd(x->xsk);
	return 0;
}

/* Drivers that send by rings which only an XDP program makes say so when they are called. */
static int try_call(const struct wire *w)
{
	if (sendto(w->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno == EAGAIN ||
	    errno == EBUSY || errno == ENOBUFS)
		return 0;
	return -errno;
}

/* A UMEM is bound once, so each try has its own. */
static int try_open(struct wire *w, uint16_t how)
{
	struct xsk_way *x = calloc(1, sizeof(*x));
	int ret;

	if (!x)
		return -ENOMEM;
	w->priv = x;
	x->umem.memfd = -1;
	x->zero_copy = how == XDP_ZEROCOPY;
	ret = open_umem(w);
	ret = ret ?: bind_socket(w, how);
	ret = ret ?: try_call(w);
	if (ret)
		close_all(w);
	return ret;
}

static int refused(struct wire *w, int err)
{
	switch (err) {
	case -EBUSY:
		return error_set(w->err, err, "queue 0 of %s is held by another AF_XDP socket",
				 w->dev.name);
	case -EPERM:
		return error_set(w->err, err, "AF_XDP sockets are not permitted: run as root, or "
				 "with CAP_NET_RAW");
	case -ENOMEM:
	case -ENOBUFS:
		return error_set(w->err, err, "16 MiB for AF_XDP cannot be locked: raise "
				 "`ulimit -l`");
	}
	return error_set(w->err, err == -EINVAL ? -EOPNOTSUPP : err,
			 "no AF_XDP socket can be bound to queue 0 of %s: %s", w->dev.name,
			 strerrordesc_np(-err));
}

/* Zero copy restarts the queue, and with many a NIC the link. */
static void await_link(const struct wire *w)
{
	int64_t deadline = clock_mono_ns() + LINK_NS;
	struct netdev dev = w->dev;

	if (!w->dev.running)
		return;
	while (!netdev_get(w->dev.name, &dev, NULL) && !dev.running && clock_mono_ns() < deadline)
		usleep(NAP_US);
}

static int wire_xsk_open(struct wire *w, char *note, size_t size)
{
	bool zero_copy = true;
	int ret;

	bpf_load_quiet();
	ret = try_open(w, XDP_ZEROCOPY);
	if (ret && ret != -EBUSY && ret != -EPERM) {
		zero_copy = false;
		ret = try_open(w, XDP_COPY);
	}
	if (ret)
		return refused(w, ret);
	if (zero_copy)
		await_link(w);
	snprintf(note, size, "AF_XDP %s at queue 0 of %s", zero_copy ? "zero-copy" : "copy",
		 w->dev.name);
	return 0;
}

const struct wire_ops wire_xsk_ops = {
	.open = wire_xsk_open,
	.put = wire_xsk_put,
	.push = wire_xsk_push,
	.close = wire_xsk_close,
};
