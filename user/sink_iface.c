// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records in stream order.
 * Out:  frames on a network interface that is made for them: packets as they are, all else
 *       in its Ethernet form, for every program that can read packets.
 * Owns: the interface, and who reads it.
 * Runs on: the thread of the stream.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "forms.h"
#include "ifacedev.h"
#include "readers.h"
#include "sink.h"

#define MTU_CALLS 1500		/* readers make rings of places as large as this */
#define MTU_PACKETS 65521	/* the most that a TAP device may have */

struct shown {
	struct ifacedev dev;
	struct readers *readers;
	uint64_t refused;	/* since the interface took one last */
	uint8_t frame[FORM_SIZE_MAX];
};

/* The interface is Ethernet: others' packets are refused before anything is made. */
static int check_sources(struct xcap_sink *s, bool *packets)
{
	struct xcap_source_info info = { .sz = sizeof(info) };

	*packets = false;
	for (int i = 0; i < xcap_nr_sources(s->x); i++) {
		if (xcap_source_info(s->x, i, &info) || !strcmp(info.mode, "syscalls"))
			continue;
		if (info.linktype != XCAP_LINK_ETHERNET)
			return error_set(s->err, -EOPNOTSUPP, "%s has packets of link type %u, "
					 "and an interface shows Ethernet; leave it out",
					 info.spec, info.linktype);
		*packets = true;
	}
	return 0;
}

static int sink_iface_close(struct xcap_sink *s)
{
	struct shown *o = s->priv;

	readers_close(o->readers);
	ifacedev_close(&o->dev);
	free(o);
	s->priv = NULL;
	return 0;
}

static int sink_iface_open(struct xcap_sink *s, const char *name)
{
	struct shown *o = calloc(1, sizeof(*o));
	bool packets;
	int err;

	if (!o)
		return error_set(s->err, -ENOMEM, "no memory for the interface %s", name);
	s->priv = o;
	o->dev.fd = o->dev.hook_fd = -1;
	err = check_sources(s, &packets);
	err = err ?: ifacedev_open(&o->dev, name, packets ? MTU_PACKETS : MTU_CALLS, s->err);
	err = err ?: readers_open(&o->readers, o->dev.mac, s->err);
	if (err)
		sink_iface_close(s);
	return err;
}

/* What a reader does would make it do more. So would our own writing, with ?self=on. */
static bool left_out(const struct shown *o, const struct xcap_record *rec)
{
	switch (rec->type) {
	case XCAP_PACKET:
		return rec->packet.linktype != XCAP_LINK_ETHERNET;
	case XCAP_SWITCH:
		if (readers_have(o->readers, rec->sw.next_pid))
			return true;
		/* fall through */
	case XCAP_SYS_ENTER:
	case XCAP_SYS_EXIT:
		return readers_have(o->readers, rec->pid);
	}
	return false;
}

/* Return: as ifacedev_put(). */
static int put_one(struct shown *o, const struct xcap_record *rec)
{
	const uint8_t *frame;
	int len = form_frame(rec, o->frame, sizeof(o->frame), &frame);

	return len < 0 ? 0 : ifacedev_put(&o->dev, frame, len);
}

/* Once it takes frames again, the first says how many it did not. Return: as ifacedev_put(). */
static int tell_refused(struct shown *o)
{
	struct xcap_record loss = {
		.type = XCAP_LOSS, .cpu = XCAP_CPU_UNKNOWN,
		.loss = { .count = o->refused, .where = XCAP_DROP_REFUSED },
	};
	int ret = o->refused ? put_one(o, &loss) : 1;

	if (ret > 0)
		o->refused = 0;
	return ret;
}

/* Return: as ifacedev_put(); 1 too when it is left out. */
static int show(struct xcap_sink *s, const struct xcap_record *rec)
{
	struct shown *o = s->priv;
	int ret;

	if (left_out(o, rec)) {
		accounts_take_back(s->x, rec, SINK_FILTERED);
		return 1;
	}
	ret = tell_refused(o);
	ret = ret > 0 ? put_one(o, rec) : ret;
	if (ret <= 0) {
		accounts_take_back(s->x, rec, XCAP_DROP_REFUSED);
		o->refused++;
	}
	return ret;
}

static int sink_iface_put(struct xcap_sink *s, const struct xcap_record *recs, int nr)
{
	struct shown *o = s->priv;
	int ret = readers_look(o->readers, clock_mono_ns(), s->err);

	for (int i = 0; i < nr; i++)
		if (show(s, &recs[i]) == -ENODEV)
			ret = error_set(s->err, -ENODEV, "somebody deleted the interface %s",
					o->dev.name);
	return ret;
}

const struct sink_ops sink_iface_ops = {
	.scheme = "iface",
	.open = sink_iface_open,
	.put = sink_iface_put,
	.close = sink_iface_close,
};
