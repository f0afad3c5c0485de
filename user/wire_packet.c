// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   frames.
 * Out:  the same out of an interface, by a packet socket that receives nothing.
 * Owns: the socket, and a batch of frames between put and push.
 * Runs on: the thread of the stream.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "attach.h"
#include "forms.h"
#include "wire_ways.h"

#define BATCH 64

struct packet_way {
	int nr;
	struct mmsghdr msgs[BATCH];
	struct iovec frames[BATCH];
	const struct xcap_record *recs[BATCH];
	uint8_t forms[BATCH][FORM_SIZE_MAX];
};

static void wire_packet_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	free(w->priv);
	w->priv = NULL;
}

/*
 * Past the queue: that takes frames also where the interface has no carrier, and does not
 * say that it threw them away. Without the option they are sent all the same.
 */
static int wire_packet_open(struct wire *w, char *note, size_t size)
{
	struct packet_way *p = calloc(1, sizeof(*p));
	const int on = 1;

	if (!p)
		return error_set(w->err, -ENOMEM, "no memory to send out of %s", w->dev.name);
	for (int i = 0; i < BATCH; i++)
		p->msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &p->frames[i], .msg_iovlen = 1 };
	w->priv = p;
	w->fd = attach_wire(w->dev.ifindex, w->err);
	if (w->fd < 0) {
		int ret = w->fd;

		wire_packet_close(w);
		return ret;
	}
	setsockopt(w->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	snprintf(note, size, "packet socket at %s", w->dev.name);
	return 0;
}

/*
 * The first of those that are left did not go. Return: 0 try on; 1 it is lost; -errno: so are
 * all, said.
 */
static int failed(struct wire *w, const struct xcap_record *rec, int err)
{
	switch (err) {
	case EINTR:
		return 0;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		if (wire_wait(w))
			return 0;
		wire_lost(w, rec, XCAP_DROP_WIRE);
		return 1;
	case EMSGSIZE:
	case EINVAL:
		wire_lost(w, rec, XCAP_DROP_REFUSED);
		return 1;
	}
	return wire_gone(w, -err);
}

static int wire_packet_push(struct wire *w)
{
	struct packet_way *p = w->priv;
	int at = 0, n, ret = 0;

	while (at < p->nr && ret >= 0) {
		n = sendmmsg(w->fd, &p->msgs[at], p->nr - at, MSG_DONTWAIT);
		if (n > 0) {
			if (n == p->nr)
				wire_caught_up(w);
			wire_moves(w);
			at += n;
			continue;
		}
		ret = failed(w, p->recs[at], errno);
		at += ret > 0;
	}
	for (; at < p->nr; at++)
		wire_lost(w, p->recs[at], XCAP_DROP_WIRE);
	p->nr = 0;
	return ret < 0 ? ret : 0;
}

static int wire_packet_put(struct wire *w, const uint8_t *frame, uint32_t len,
			   const struct xcap_record *rec)
{
	struct packet_way *p = w->priv;
	int ret = p->nr == BATCH ? wire_packet_push(w) : 0;

	if (ret) {
		wire_lost(w, rec, XCAP_DROP_WIRE);
		return ret;
	}
	if (frame != rec->data)		/* the next form is made in the same place */
		frame = memcpy(p->forms[p->nr], frame, len);
	p->frames[p->nr] = (struct iovec){ .iov_base = (void *)frame, .iov_len = len };
	p->recs[p->nr++] = rec;
	return 0;
}

const struct wire_ops wire_packet_ops = {
	.open = wire_packet_open,
	.put = wire_packet_put,
	.push = wire_packet_push,
	.close = wire_packet_close,
};
