/* SPDX-License-Identifier: BSD-2-Clause */
/* What an xsk source is opened with: its options, and defaults that follow from the interface. */
#ifndef XCAP_XSK_CONF_H
#define XCAP_XSK_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include "error.h"
#include "netdev.h"
#include "source.h"
#include "ssh.h"

struct xsk_conf {
	struct netdev dev;
	uint64_t ring, frames;		/* per queue */
	uint64_t chunk, snaplen;	/* bytes */
	uint32_t first, nr;		/* queues */
	bool sg;			/* frames may come in several chunks */
	bool busy_poll, promisc;
};

/* Return: 0; -errno with a sentence. */
int xsk_conf_parse(struct xsk_conf *c, const struct spec *spec, uint32_t snaplen,
		   struct error *err);

/* What such a capture does to the host, and what it does not see. */
void xsk_conf_note(const struct xsk_conf *c, const struct ssh_peer *ssh, char *note, size_t size);

/*
 * The sentence for a socket or a UMEM that the kernel refused. Return: err; a kernel's -EINVAL
 * is no mistake in the options, but something that it does not know: -EOPNOTSUPP.
 */
int xsk_conf_refused(const struct xsk_conf *c, int err, uint32_t queue, struct error *e);

#endif
