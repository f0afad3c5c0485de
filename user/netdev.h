/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of an interface, by rtnetlink (libmnl) and ethtool ioctls: no
 * sysfs, which shows another namespace.
 */
#ifndef XCAP_NETDEV_H
#define XCAP_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "error.h"

/* Alias of the devices that ifacedev.c makes. */
#define NETDEV_SHOWS "xcap iface: records as packets, xcap-linktypes(7)"

struct netdev {
	uint32_t ifindex;
	char name[16];
	char driver[32];	/* "" unknown */
	char kind[32];		/* IFLA_INFO_KIND: "veth", "bridge"; "" none */
	uint16_t arphrd;	/* ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_NONE, ... */
	uint32_t mtu;
	uint32_t nr_rx_queues;	/* RX channels in use, at least 1 */
	uint32_t rx_ring;	/* descriptors of an RX ring of the NIC; 0 unknown */
	bool up;		/* IFF_UP */
	bool running;		/* operstate up or unknown, carrier there */
	bool promisc;		/* somebody asked for all frames */
	bool overheard;		/* and that is not only its own flag: ip link set promisc on */
	bool strips_tags;	/* the NIC takes VLAN tags out of the frame (rxvlan) */
	uint32_t xdp_prog_id;	/* another's or ours; 0 none */
	/*
	 * why taking its frames would hurt: "has the address 10.0.0.1/24", "is a port of
	 * br0"; "" free
	 */
	char busy[128];
};

/* By name or altname. Return: 0; -ENODEV with a sentence; other -errno. */
int netdev_get(const char *name, struct netdev *dev, struct error *err);

/* Calls fn for each interface in ifindex order. Return: 0, fn's first non-zero, or -errno. */
int netdev_each(int (*fn)(const struct netdev *dev, void *user), void *user, struct error *err);

/*
 * "Do no harm": may its frames be taken from the host? why is filled either way, to follow
 * the interface's name: "has the address 10.0.0.1/24".
 */
bool netdev_may_take(const struct netdev *dev, char *why, size_t size);

/* rx_missed_errors: the NIC had no buffer. 0 when gone. */
uint64_t netdev_rx_missed(uint32_t ifindex);

/*
 * Is what leaves one interface captured at another: itself, the other end of a pair, what
 * carries it, what is a port of it, and so on from there? Bridges forward elsewhere, and
 * other hosts do: that is not known here. Return: 1 it is; 0; -errno with a sentence.
 */
int netdev_passes(uint32_t leaves, uint32_t captured, struct error *err);

struct nlmsghdr;
typedef int (*netdev_answer)(const struct nlmsghdr *nlh, void *user);

/* One request to rtnetlink, all its answers to fn, as mnl_cb_run() does. Return: 0 or -errno. */
int netdev_ask(struct nlmsghdr *nlh, netdev_answer fn, void *user);

/* Return: 1 the interface exists, or that cannot be found out; 0 it is gone. */
int netdev_exists(uint32_t ifindex);

#endif
