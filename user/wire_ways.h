/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two ways out of an interface for sink_wire.c: an AF_XDP ring (wire_xsk.c), and a packet
 * socket (wire_packet.c) where there is none to be had.
 *
 * What a way was given it sends, or it calls wire_lost() with the record: in that call, or
 * by the end of close.
 */
#ifndef XCAP_WIRE_H
#define XCAP_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "error.h"
#include "netdev.h"

#define WIRE_CHUNK 4096		/* no frame is longer by AF_XDP */

struct wire {
	const struct wire_ops *ops;
	struct netdev dev;
	struct xcap *x;
	struct error *err;
	int fd;			/* what the way sends by */
	int64_t still_ns;	/* nothing moves: it is waited for until then; 0: it moves */
	int64_t behind_ns;	/* until then it may catch up; 0: it is not behind */
	bool files;		/* nothing is lost at the sources if they wait */
	void *priv;		/* of the way */
};

struct wire_ops {
	/* note: how, for people. Return: 0; -errno with a sentence, and nothing is open. */
	int (*open)(struct wire *w, char *note, size_t size);

	/* frame is read until push returns. Return: 0; -errno: no more can be sent, said. */
	int (*put)(struct wire *w, const uint8_t *frame, uint32_t len,
		   const struct xcap_record *rec);

	/* All that was put goes out now. Return: as put. */
	int (*push)(struct wire *w);

	void (*close)(struct wire *w);
};

extern const struct wire_ops wire_xsk_ops;
extern const struct wire_ops wire_packet_ops;

/* ---- sink_wire.c, for both ---- */

/* The record did not leave: dropped at that place (enum xcap_drop). */
void wire_lost(struct wire *w, const struct xcap_record *rec, int where);

/* It went on. */
void wire_moves(struct wire *w);

/* Nothing is left that was put. */
void wire_caught_up(struct wire *w);

/* It does not: wait a moment for it. Return: false it has been waited for long enough. */
bool wire_wait(struct wire *w);

/* The interface takes nothing any more. Return: err, with a sentence. */
int wire_gone(struct wire *w, int err);

#endif
