// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records in stream order.
 * Out:  frames that leave by a network interface: packets byte for byte, all else in its
 *       Ethernet form.
 * Owns: the way out (wire_ways.h).
 * Runs on: the thread of the stream. Everything privileged happens in open.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "clock.h"
#include "forms.h"
#include "sink.h"
#include "wire_ways.h"

#define MAX_CAPTURED 64		/* interfaces of one source */
#define STILL_NS (100 * NS_PER_MS)	/* nothing moves */
#define BEHIND_NS (100 * NS_PER_MS)	/* it moves, but slower than records come */
#define FILE_NS NS_PER_SEC		/* the same of files, which can wait, in one call */
#define NAP_NS (100 * NS_PER_US)
#define HEADER 14
#define TAG 4

struct out {
	struct wire wire;
	uint32_t frame_max;	/* without a tag */
	uint32_t self;		/* our pid, as records have it */
	bool chunks;		/* frames have to fit one */
	uint8_t forms[FORM_SIZE_MAX];
};

/* ---- for both ways ---- */

void wire_lost(struct wire *w, const struct xcap_record *rec, int where)
{
	accounts_take_back(w->x, rec, where);
}

void wire_moves(struct wire *w)
{
	w->still_ns = 0;
}

void wire_caught_up(struct wire *w)
{
	w->still_ns = w->behind_ns = 0;
}

bool wire_wait(struct wire *w)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	int64_t now = clock_mono_ns();

	w->still_ns = w->still_ns ?: now + STILL_NS;
	w->behind_ns = w->behind_ns ?: now + (w->files ? FILE_NS : BEHIND_NS);
	if (now >= w->still_ns || now >= w->behind_ns)
		return false;
	nanosleep(&nap, NULL);
	return true;
}

int wire_gone(struct wire *w, int err)
{
	if (!netdev_exists(w->dev.ifindex))
		return error_set(w->err, -ENODEV, "the interface %s has gone away, nothing can be "
				 "sent out of it any more", w->dev.name);
	return error_set(w->err, err, "%s takes no frames any more: %s; see that it is up "
			 "(ip link set %s up) and start again", w->dev.name, strerrordesc_np(-err),
			 w->dev.name);
}

/* ---- open ---- */

/* "eth1" or "eth1?mode=packet". Return: 0; -EINVAL with a sentence. */
static int parse(struct xcap_sink *s, const char *arg, char *name, size_t size,
		 const char **mode)
{
	size_t len = strcspn(arg, "?");

	if (!len || len >= size)
		return error_set(s->err, -EINVAL, "wire:%.40s names no interface; write wire:eth1",
				 arg);
	memcpy(name, arg, len);
	name[len] = '\0';
	if (!arg[len])
		return 0;
	if (strncmp(arg + len, "?mode=", 6))
		return error_set(s->err, -EINVAL, "wire:%s has no option '%.40s'; it knows: mode",
				 name, arg + len + 1);
	*mode = arg + len + 6;
	if (strcmp(*mode, "auto") && strcmp(*mode, "xsk") && strcmp(*mode, "packet"))
		return error_set(s->err, -EINVAL, "mode=%.40s is neither auto nor xsk nor packet",
				 *mode);
	return 0;
}

static int check_device(struct xcap_sink *s, const struct netdev *dev)
{
	if (dev->arphrd != ARPHRD_ETHER && dev->arphrd != ARPHRD_LOOPBACK)
		return error_set(s->err, -EOPNOTSUPP, "%s is no Ethernet interface, and what is "
				 "sent are Ethernet frames; name another", dev->name);
	if (!dev->up)
		return error_set(s->err, -ENETDOWN, "%s is down: ip link set %s up", dev->name,
				 dev->name);
	return 0;
}

/* What is captured where it was sent would be sent for ever. */
static int check_source(struct xcap_sink *s, const struct netdev *dev, int source,
			const char *spec)
{
	uint32_t ifindexes[MAX_CAPTURED];
	int nr = sink_captures(s->x, source, ifindexes, MAX_CAPTURED), ret = 0;

	for (int i = 0; i < nr && !ret; i++)
		ret = netdev_passes(dev->ifindex, ifindexes[i], s->err);
	if (ret <= 0)
		return ret;
	return error_set(s->err, -ELOOP, "%s captures at %s itself, or where what leaves it comes "
			 "by: it would be sent again and again; send it out of another interface",
			 spec, dev->name);
}

static int check_sources(struct xcap_sink *s, const struct netdev *dev)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	struct out *o = s->priv;
	int ret = 0;

	o->wire.files = true;
	for (int i = 0; i < xcap_nr_sources(s->x) && !ret; i++) {
		if (xcap_source_info(s->x, i, &info))
			continue;
		o->wire.files &= !strcmp(info.mode, "file");
		ret = check_source(s, dev, i, info.spec);
	}
	return ret;
}

static int open_way(struct xcap_sink *s, const struct wire_ops *ops)
{
	struct out *o = s->priv;
	int ret = ops->open(&o->wire, s->note, sizeof(s->note));

	if (!ret)
		o->wire.ops = ops;
	return ret;
}

/* AF_XDP where it is to be had and takes what the interface does. */
static int choose_way(struct xcap_sink *s, const char *mode)
{
	struct out *o = s->priv;
	const char *name = o->wire.dev.name;
	bool fits = o->frame_max + TAG <= WIRE_CHUNK;
	char why[160];
	int ret;

	if (!strcmp(mode, "packet"))
		return open_way(s, &wire_packet_ops);
	if (strcmp(mode, "auto") || fits) {
		ret = open_way(s, &wire_xsk_ops);
		o->chunks = !ret;
		if (!ret || strcmp(mode, "auto"))
			return ret;
		snprintf(why, sizeof(why), "%.150s", s->err->text);
	} else {
		snprintf(why, sizeof(why), "frames of an MTU of %u do not fit AF_XDP",
			 o->wire.dev.mtu);
	}
	ret = open_way(s, &wire_packet_ops);
	if (ret)
		return ret;
	s->err->text[0] = '\0';		/* of the way that this one made up for */
	snprintf(s->note, sizeof(s->note), "packet socket at %s; %s", name, why);
	return 0;
}

static int sink_wire_close(struct xcap_sink *s)
{
	struct out *o = s->priv;

	if (o->wire.ops)
		o->wire.ops->close(&o->wire);
	free(o);
	s->priv = NULL;
	return 0;
}

static int sink_wire_open(struct xcap_sink *s, const char *arg)
{
	struct out *o = calloc(1, sizeof(*o));
	const char *mode = "auto";
	char name[128];		/* altnames are that long */
	int ret;

	if (!o)
		return error_set(s->err, -ENOMEM, "no memory to send out of %s", arg);
	s->priv = o;
	o->wire.x = s->x;
	o->wire.err = s->err;
	o->wire.fd = -1;
	o->self = xcap_pid(getpid());
	ret = parse(s, arg, name, sizeof(name), &mode);
	ret = ret ?: netdev_get(name, &o->wire.dev, s->err);
	ret = ret ?: check_device(s, &o->wire.dev);
	ret = ret ?: check_sources(s, &o->wire.dev);
	o->frame_max = o->wire.dev.mtu + HEADER;
	ret = ret ?: choose_way(s, mode);
	if (ret)
		sink_wire_close(s);
	return ret;
}

/* ---- put ---- */

/* A tag comes on top of what the MTU allows. */
static bool fits(const struct out *o, const uint8_t *frame, uint32_t len)
{
	bool tagged = len >= HEADER && ((frame[12] == 0x81 && frame[13] == 0x00) ||
					(frame[12] == 0x88 && frame[13] == 0xa8));

	return len >= HEADER && len <= o->frame_max + (tagged ? TAG : 0) &&
	       (!o->chunks || len <= WIRE_CHUNK);
}

/* A packet that was cut is another one. Return: its frame's length; 0: it cannot leave. */
static uint32_t frame_of(struct out *o, const struct xcap_record *rec, const uint8_t **frame)
{
	int len;

	if (rec->type == XCAP_PACKET &&
	    (rec->packet.linktype != XCAP_LINK_ETHERNET || rec->caplen < rec->len))
		return 0;
	len = form_frame(rec, o->forms, sizeof(o->forms), frame);
	return len > 0 && fits(o, *frame, len) ? len : 0;
}

/* Sending is calls of ours, which ?self=on captures. */
static bool is_own_call(const struct out *o, const struct xcap_record *rec)
{
	return rec->type == XCAP_SWITCH ? rec->pid == o->self || rec->sw.next_pid == o->self :
	       rec->type != XCAP_PACKET && rec->pid == o->self;
}

/* Return: 0; -errno: nothing can be sent any more, said. */
static int send_one(struct out *o, const struct xcap_record *rec)
{
	const uint8_t *frame;
	uint32_t len;

	if (rec->type == XCAP_LOSS)
		return 0;
	if (is_own_call(o, rec)) {
		wire_lost(&o->wire, rec, SINK_FILTERED);
		return 0;
	}
	len = frame_of(o, rec, &frame);
	if (len)
		return o->wire.ops->put(&o->wire, frame, len, rec);
	wire_lost(&o->wire, rec, XCAP_DROP_REFUSED);
	return 0;
}

static int sink_wire_put(struct xcap_sink *s, const struct xcap_record *recs, int nr)
{
	struct out *o = s->priv;
	int ret = 0, err;

	if (o->wire.files)
		o->wire.behind_ns = 0;
	for (int i = 0; i < nr; i++)
		if (ret)
			wire_lost(&o->wire, &recs[i], XCAP_DROP_WIRE);
		else
			ret = send_one(o, &recs[i]);
	err = o->wire.ops->push(&o->wire);
	return ret ?: err;
}

static int sink_wire_flush(struct xcap_sink *s)
{
	struct out *o = s->priv;

	return o->wire.ops->push(&o->wire);
}

const struct sink_ops sink_wire_ops = {
	.scheme = "wire",
	.open = sink_wire_open,
	.put = sink_wire_put,
	.flush = sink_wire_flush,
	.close = sink_wire_close,
};
