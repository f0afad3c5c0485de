// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   "xsk:eth0?queues=0-3&ring=4096", and what the interface is.
 * Out:  sizes that fit each other, the driver and the MTU.
 * Owns: nothing.
 * Runs on: the thread that opens the handle.
 */
#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "xsk_conf.h"

#define HEADERS 22		/* Ethernet and two tags, which the MTU leaves out */
#define CHUNK_HEADROOM 256	/* XDP_PACKET_HEADROOM, in each chunk */
#define SG_ABOVE 3072		/* longer frames: drivers want a program for frames in pieces */
#define MAX_QUEUES 1024

static int parse_queues(const struct spec *spec, struct xsk_conf *c, struct error *err)
{
	const char *text = spec_option(spec, "queues");
	unsigned int first, last;
	char rest;
	int n;

	c->first = 0;
	c->nr = c->dev.nr_rx_queues;
	if (!text)
		return 0;
	n = sscanf(text, "%u-%u%c", &first, &last, &rest);
	if (n != 2) {
		n = sscanf(text, "%u%c", &first, &rest) == 1 ? 2 : 0;
		last = first;
	}
	if (n != 2 || first > last || last >= MAX_QUEUES)
		return error_set(err, -EINVAL,
				 "queues=%.40s is no queue (2) and no range of them (0-3)",
				 text);
	if (last >= c->dev.nr_rx_queues)
		return error_set(err, -EINVAL,
				 "%s has the queues 0-%u, and no queue %u", c->dev.name,
				 c->dev.nr_rx_queues - 1, last);
	c->first = first;
	c->nr = last - first + 1;
	return 0;
}

/*
 * igb and igc round a receive buffer down to whole KiB: 2048 less headroom would cut
 * frames at 1024.
 */
static bool wants_pages(const struct netdev *dev)
{
	return !strcmp(dev->driver, "igb") || !strcmp(dev->driver, "igc");
}

static int parse_sizes(const struct spec *spec, struct xsk_conf *c, struct error *err)
{
	uint32_t frame = c->dev.mtu + HEADERS;
	int ret;

	c->sg = frame > SG_ABOVE;
	c->chunk = frame > 2048 - CHUNK_HEADROOM || wants_pages(&c->dev) ? 4096 : 2048;
	ret = spec_number(spec, "chunk", 2048, 4096, &c->chunk, err);
	if (!ret && c->chunk != 2048 && c->chunk != 4096)
		ret = error_set(err, -EINVAL, "chunk=%llu is neither 2048 nor 4096",
				(unsigned long long)c->chunk);
	if (!ret && c->chunk == 2048 && wants_pages(&c->dev))
		ret = error_set(err, -EINVAL, "%s would cut frames in two in chunks of 2048: "
				"leave ?chunk out", c->dev.driver);
	/* the first queue may use 32 MiB and more, each further one 16 MiB */
	c->ring = c->chunk == 2048 ? 8192 : c->sg ? 2048 : 4096;
	if (c->nr > 1)
		c->ring /= 2;
	while (c->ring < c->dev.rx_ring)	/* the NIC takes as many at once */
		c->ring *= 2;
	ret = ret ?: spec_number(spec, "ring", 64, 1 << 17, &c->ring, err);
	c->frames = 2 * c->ring;
	ret = ret ?: spec_number(spec, "frames", 128, 1 << 22, &c->frames, err);
	if (ret)
		return ret;
	if (c->ring & (c->ring - 1))
		return error_set(err, -EINVAL, "ring=%llu is no power of two",
				 (unsigned long long)c->ring);
	if (c->frames < c->ring)
		return error_set(err, -EINVAL,
				 "%llu frames cannot fill a ring of %llu: ask for as many at least",
				 (unsigned long long)c->frames, (unsigned long long)c->ring);
	if (c->frames * c->nr > UINT32_MAX)
		return error_set(err, -EINVAL, "%u queues of %llu frames are too many", c->nr,
				 (unsigned long long)c->frames);
	return 0;
}

int xsk_conf_parse(struct xsk_conf *c, const struct spec *spec, uint32_t snaplen, struct error *err)
{
	uint64_t busy_poll = 0;
	int ret;

	*c = (struct xsk_conf){ .promisc = true, .snaplen = snaplen };
	ret = netdev_get(spec->name, &c->dev, err);
	if (ret)
		return ret;
	if (c->dev.arphrd != ARPHRD_ETHER && c->dev.arphrd != ARPHRD_LOOPBACK)
		return error_set(err, -EOPNOTSUPP, "%s is no Ethernet interface: copy with tap:%s",
				 c->dev.name, c->dev.name);
	ret = parse_queues(spec, c, err);
	ret = ret ?: parse_sizes(spec, c, err);
	ret = ret ?: spec_number(spec, "snaplen", 1, 1 << 30, &c->snaplen, err);
	ret = ret ?: spec_number(spec, "busy_poll", 0, 1, &busy_poll, err);
	ret = ret ?: spec_bool(spec, "promisc", &c->promisc, err);
	c->busy_poll = busy_poll;
	return ret;
}

/* A tag that is not in the frame, but in what the kernel has beside it, is lost on this way. */
static const char *tags_note(const struct netdev *dev)
{
	if (!dev->strips_tags)
		return "";
	if (!dev->kind[0])
		return "; the NIC takes VLAN tags out: ethtool -K can switch rxvlan off";
	if (!strcmp(dev->kind, "veth"))
		return "; tags of VLAN devices on the other end are not seen: "
		       "ethtool -K there can switch txvlan off";
	return "; VLAN tags that the kernel keeps beside the frame are not seen";
}

void xsk_conf_note(const struct xsk_conf *c, const struct ssh_peer *ssh, char *note, size_t size)
{
	const char *name = c->dev.name;
	char queues[48];

	if (c->nr == 1)
		snprintf(queues, sizeof(queues), "queue %u", c->first);
	else
		snprintf(queues, sizeof(queues), "queues %u-%u", c->first, c->first + c->nr - 1);
	if (!c->dev.busy[0])
		snprintf(note, size, "takes all frames of %s, %s%s%s%s; tap:%s would copy them%s",
			 name, queues, c->dev.up ? "" : ", which is down",
			 ssh->remote_port ? ", but for ssh from " : "",
			 ssh->text, name, tags_note(&c->dev));
	else
		snprintf(note, size,
			 "%s %s: the host loses what comes in at %s, but for ARP, "
			 "neighbour discovery%s%s; tap:%s takes nothing from it%s",
			 name, c->dev.busy, queues,
			 ssh->remote_port ? " and ssh from " : " (no ssh connection is known)",
			 ssh->text, name, tags_note(&c->dev));
}

int xsk_conf_refused(const struct xsk_conf *c, int err, uint32_t queue, struct error *e)
{
	const char *name = c->dev.name;

	switch (err) {
	case -EBUSY:
		return error_set(e, err,
				 "queue %u of %s is held by another AF_XDP socket: "
				 "end its program, or copy with tap:%s",
				 queue, name, name);
	case -EPERM:
		return error_set(e, err,
				 "AF_XDP sockets are not permitted: run as root, "
				 "or with CAP_NET_RAW and CAP_NET_ADMIN");
	case -ENOBUFS:
	case -ENOMEM:
		return error_set(e, err,
				 "the memory of %llu frames cannot be locked: raise `ulimit -l`, "
				 "or ask for fewer with ?frames=",
				 (unsigned long long)c->frames * c->nr);
	case -EAFNOSUPPORT:
		return error_set(e, err, "this kernel has no AF_XDP: copy with tap:%s", name);
	}
	return error_set(e, err == -EINVAL ? -EOPNOTSUPP : err,
			 "cannot bind an AF_XDP socket to queue %u of %s: %s; "
			 "tap:%s copies instead",
			 queue, name, strerrordesc_np(-err), name);
}
