// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a name and an MTU, then frames.
 * Out:  a TAP device that shows them to packet sockets.
 * Owns: the device.
 * Runs on: the thread of the stream.
 *
 * Frames that are for another station reach no protocol. Ours are (forms.c), and whatever
 * else comes along, broadcasts above all, a BPF program at the ingress makes so. It drops
 * nothing: sockets of one protocol (ETH_P_IP) and other programs come behind it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "attach.h"
#include "bpf_load.h"
#include "ifacedev.h"
#include "netdev.h"
#include "nobody.skel.h"

#define ADDR_GEN_NONE 1		/* IN6_ADDR_GEN_MODE_NONE */

/* ---- the device ---- */

static int check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);

	if (!len || len >= IFNAMSIZ || strpbrk(name, "/:% \t\n\r\v\f") || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return error_set(err, -EINVAL, "'%s' is no name for an interface; take up to %d "
				 "characters without blanks and / : %%", name, IFNAMSIZ - 1);
	return 0;
}

static int say_why_not(const char *name, int ret, struct error *err)
{
	switch (ret) {
	case -EBUSY:
	case -EEXIST:
		return error_set(err, -EEXIST, "there is an interface '%s' already; choose another "
				 "name", name);
	case -EPERM:
		return error_set(err, ret, "making the interface '%s' is not permitted; run as "
				 "root, or with CAP_NET_ADMIN", name);
	}
	return error_set(err, ret, "cannot make the interface '%s': %s", name, strerror(-ret));
}

static int make(struct ifacedev *d, const char *name, struct error *err)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL };
	int ret;

	d->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (d->fd < 0) {
		ret = -errno;
		return error_set(err, ret, "cannot open /dev/net/tun: %s; run as root, and see "
				 "that the module tun is loaded and the device is there",
				 strerror(-ret));
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(d->fd, TUNSETIFF, &ifr))
		return say_why_not(name, -errno, err);
	snprintf(d->name, sizeof(d->name), "%s", ifr.ifr_name);
	d->ifindex = if_nametoindex(d->name);
	return d->ifindex ? 0 : say_why_not(name, -errno, err);
}

/*
 * Random, locally administered, and none that frames of forms.c are sent to: those have a 0
 * in their second byte.
 */
static void make_mac(uint8_t *mac)
{
	if (getrandom(mac, 6, 0) != 6)
		memcpy(mac, "\2xcap!", 6);
	mac[0] = (mac[0] & 0xfc) | 2;
	mac[1] |= 1;
}

/* ---- what it is like: rtnetlink, because /proc/sys may be read-only ---- */

static struct nlmsghdr *link_request(char *buf, const struct ifacedev *d, unsigned int flags,
				     unsigned int change)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = d->ifindex;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = d->ifindex;
	ifi->ifi_flags = flags;
	ifi->ifi_change = change;
	return nlh;
}

/* No link-local address either. A kernel that has no IPv6 knows no such attribute. */
static int without_ipv6(struct ifacedev *d)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_request(buf, d, 0, 0);
	struct nlattr *all = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *six = mnl_attr_nest_start(nlh, AF_INET6);
	int ret;

	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_NONE);
	mnl_attr_nest_end(nlh, six);
	mnl_attr_nest_end(nlh, all);
	ret = netdev_ask(nlh, NULL, NULL);
	return ret == -EAFNOSUPPORT ? 0 : ret;
}

static int configure(struct ifacedev *d, uint32_t mtu)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = link_request(buf, d, IFF_NOARP, IFF_NOARP | IFF_MULTICAST);

	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(d->mac), d->mac);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	mnl_attr_put_str(nlh, IFLA_IFALIAS, NETDEV_SHOWS);
	return without_ipv6(d) ?: netdev_ask(nlh, NULL, NULL);
}

static int set_up(struct ifacedev *d)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	return netdev_ask(link_request(buf, d, IFF_UP, IFF_UP), NULL, NULL);
}

/*
 * Readers that see an interface join frames (libpcap does) make room for 64 KiB in each place
 * of their rings, thirty times what is needed. That it may fail is no matter.
 */
static void joins_nothing(const struct ifacedev *d)
{
	static const uint32_t commands[] = { ETHTOOL_SGRO, ETHTOOL_SGSO };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value off;
	struct ifreq ifr = { .ifr_data = (void *)&off };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", d->name);
	for (size_t i = 0; fd >= 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		off = (struct ethtool_value) { .cmd = commands[i] };
		ioctl(fd, SIOCETHTOOL, &ifr);
	}
	if (fd >= 0)
		close(fd);
}

/* ---- nobody's frames ---- */

/* Before TCX: a filter of clsact is not held by a descriptor, but goes with the device. */
static int attach_clsact(struct ifacedev *d, int prog_fd, struct error *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = d->ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd);
	int ret = bpf_tc_hook_create(&hook);

	ret = ret ?: bpf_tc_attach(&hook, &opts);
	if (ret)
		return error_set(err, ret, "cannot keep the frames of '%s' from this host: %s; the "
				 "kernel needs TCX (Linux 6.6), or sch_ingress and cls_bpf",
				 d->name, strerror(-ret));
	return 0;
}

static int keep_from_host(struct ifacedev *d, struct error *err)
{
	int ret;

	bpf_load_quiet();
	d->skel = nobody_bpf__open_and_load();
	if (!d->skel)
		return bpf_load_failed(-errno, "the device", err);
	ret = attach_tcx(bpf_program__fd(d->skel->progs.nobodys), d->ifindex, false, err);
	if (ret == -EOPNOTSUPP)
		return attach_clsact(d, bpf_program__fd(d->skel->progs.nobodys), err);
	if (ret < 0)
		return ret;
	d->hook_fd = ret;
	return 0;
}

/* ---- open, put, close ---- */

int ifacedev_open(struct ifacedev *d, const char *name, uint32_t mtu, struct error *err)
{
	int ret;

	*d = (struct ifacedev) { .fd = -1, .hook_fd = -1 };
	make_mac(d->mac);
	ret = check_name(name, err) ?: make(d, name, err);
	if (!ret) {
		joins_nothing(d);
		ret = configure(d, mtu);
		if (ret)
			say_why_not(name, ret, err);
	}
	ret = ret ?: keep_from_host(d, err);
	if (!ret) {
		ret = set_up(d);
		if (ret)
			say_why_not(name, ret, err);
	}
	if (ret)
		ifacedev_close(d);
	return ret;
}

int ifacedev_put(struct ifacedev *d, const uint8_t *frame, size_t len)
{
	ssize_t n;

	do
		n = write(d->fd, frame, len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EBADFD || errno == EBADF))
		return -ENODEV;
	return n >= 0;
}

void ifacedev_close(struct ifacedev *d)
{
	if (d->hook_fd >= 0)
		close(d->hook_fd);
	nobody_bpf__destroy(d->skel);
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct ifacedev) { .fd = -1, .hook_fd = -1 };
}
