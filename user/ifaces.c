// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what netdev.c finds in this network namespace.
 * Out:  each interface with what its plain name would mean, and why.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <stdio.h>
#include <xcap.h>
#include "netdev.h"
#include "stream.h"

struct list {
	xcap_lister fn;
	void *user;
};

static __u32 flags_of(const struct netdev *dev)
{
	return (dev->up ? XCAP_IFACE_UP : 0) | (dev->running ? XCAP_IFACE_RUNNING : 0) |
	       (dev->promisc ? XCAP_IFACE_PROMISC : 0);
}

static int list_netdev(const struct netdev *dev, void *user)
{
	struct list *l = user;
	char spec[32], why[192], reason[160];
	bool take = netdev_may_take(dev, reason, sizeof(reason));

	snprintf(spec, sizeof(spec), "%s:%s", take ? "xsk" : "tap", dev->name);
	snprintf(why, sizeof(why), "%s: it %s", take ? "exclusive" : "a copy", reason);
	return l->fn(l->user, &(struct xcap_iface){
		.sz = sizeof(struct xcap_iface),
		.name = dev->name,
		.driver = dev->driver,
		.kind = dev->kind,
		.spec = spec,
		.why = why,
		.ifindex = dev->ifindex,
		.mtu = dev->mtu,
		.queues = dev->nr_rx_queues,
		.flags = flags_of(dev),
		.xdp_prog_id = dev->xdp_prog_id,
	});
}

int xcap_list(xcap_lister fn, void *user)
{
	struct list l = { fn, user };
	int err = netdev_each(list_netdev, &l, stream_last_error());

	if (err)
		return err;
	return fn(user, &(struct xcap_iface){
		.sz = sizeof(struct xcap_iface),
		.name = "syscalls",
		.driver = "",
		.kind = "",
		.spec = "syscalls",
		.why = "system calls and context switches of the whole host",
		.flags = XCAP_IFACE_UP | XCAP_IFACE_RUNNING,
	});
}
