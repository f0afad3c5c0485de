// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   rtnetlink dumps of links, addresses and forwarding entries, ethtool ioctls.
 * Out:  struct netdev, and whether taking an interface's frames would hurt.
 * Owns: nothing that outlives a call.
 * Runs on: any thread; the answers are of its network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <net/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netdev.h"
#include "ssh.h"

#define OPERSTATE_UNKNOWN 0
#define OPERSTATE_UP 6
#define NR_ALTNAMES 8
#define DUMPS 10		/* tries */

struct link {
	struct netdev dev;
	uint32_t master, lower;		/* ifindex; 0 none */
	bool lower_elsewhere;		/* lower is an index of another namespace */
	uint8_t mac[6];
	char altnames[NR_ALTNAMES][128];
	int nr_altnames;
};

struct links {
	struct link *v;
	int nr, size;
	bool failed;		/* out of memory in a callback */
	struct ssh_peer ssh;
};

/* ---- rtnetlink ---- */

int netdev_ask(struct nlmsghdr *nlh, netdev_answer fn, void *user)
{
	char buf[32768];
	struct mnl_socket *nl;
	int ret = 0, n;

	nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0) {
		ret = -errno;
		goto out;
	}
	do {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n < 0) {
			ret = -errno;
			break;
		}
		n = mnl_cb_run(buf, n, nlh->nlmsg_seq, mnl_socket_get_portid(nl), fn, user);
		if (n < 0)
			ret = -errno;
	} while (n > 0 && (nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP);
out:
	mnl_socket_close(nl);
	return ret;
}

static void read_props(struct link *l, const struct nlattr *list)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, list)
		if (mnl_attr_get_type(a) == IFLA_ALT_IFNAME && l->nr_altnames < NR_ALTNAMES)
			snprintf(l->altnames[l->nr_altnames++], sizeof(l->altnames[0]), "%s",
				 mnl_attr_get_str(a));
}

static void read_info(struct netdev *d, const struct nlattr *info)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, info)
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			snprintf(d->kind, sizeof(d->kind), "%s", mnl_attr_get_str(a));
}

static void read_xdp(struct netdev *d, const struct nlattr *xdp)
{
	const struct nlattr *a;

	/* One program: IFLA_XDP_PROG_ID. One for each mode: only those of the modes. */
	mnl_attr_for_each_nested(a, xdp)
		switch (mnl_attr_get_type(a)) {
		case IFLA_XDP_PROG_ID:
		case IFLA_XDP_DRV_PROG_ID:
		case IFLA_XDP_SKB_PROG_ID:
		case IFLA_XDP_HW_PROG_ID:
			d->xdp_prog_id = mnl_attr_get_u32(a);
		}
}

static int on_link(const struct nlmsghdr *nlh, void *user)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	uint8_t operstate = OPERSTATE_UNKNOWN, carrier = 1;
	struct links *ls = user;
	struct link *l, *grown;
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (ls->nr == ls->size) {
		grown = realloc(ls->v, (ls->size + 64) * sizeof(*grown));
		if (!grown) {
			ls->failed = true;
			return MNL_CB_STOP;
		}
		ls->v = grown;
		ls->size += 64;
	}
	l = &ls->v[ls->nr++];
	*l = (struct link){ .dev = { .ifindex = ifi->ifi_index, .arphrd = ifi->ifi_type,
				     .up = ifi->ifi_flags & IFF_UP, .nr_rx_queues = 1 } };
	mnl_attr_for_each(a, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			snprintf(l->dev.name, sizeof(l->dev.name), "%s", mnl_attr_get_str(a));
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(a) == sizeof(l->mac))
				memcpy(l->mac, mnl_attr_get_payload(a), sizeof(l->mac));
			break;
		case IFLA_MTU:
			l->dev.mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_NUM_RX_QUEUES:
			l->dev.nr_rx_queues = mnl_attr_get_u32(a) ?: 1;
			break;
		case IFLA_PROMISCUITY:
			/* its own flag, which says nothing of who listens, counts as one */
			l->dev.promisc = mnl_attr_get_u32(a) > 0;
			l->dev.overheard = mnl_attr_get_u32(a) >
					   (ifi->ifi_flags & IFF_PROMISC ? 1 : 0);
			break;
		case IFLA_OPERSTATE:
			operstate = mnl_attr_get_u8(a);
			break;
		case IFLA_CARRIER:
			carrier = mnl_attr_get_u8(a);
			break;
		case IFLA_MASTER:
			l->master = mnl_attr_get_u32(a);
			break;
		case IFLA_LINK:
			l->lower = mnl_attr_get_u32(a);
			break;
		case IFLA_LINK_NETNSID:
			l->lower_elsewhere = true;
			break;
		case IFLA_LINKINFO:
			read_info(&l->dev, a);
			break;
		case IFLA_IFALIAS:
			if (!strcmp(mnl_attr_get_str(a), NETDEV_SHOWS))
				strcpy(l->dev.busy, "shows system calls to programs made for "
				       "packets (xcap iface)");
			break;
		case IFLA_XDP:
			read_xdp(&l->dev, a);
			break;
		case IFLA_PROP_LIST:
			read_props(l, a);
			break;
		}
	}
	l->dev.running = carrier && (operstate == OPERSTATE_UP || operstate == OPERSTATE_UNKNOWN);
	return MNL_CB_OK;
}

/* ---- busy: why taking its frames would hurt ---- */

static struct link *find(struct links *ls, uint32_t ifindex)
{
	for (int i = 0; i < ls->nr; i++)
		if (ls->v[i].dev.ifindex == ifindex)
			return &ls->v[i];
	return NULL;
}

/*
 * An IPv6 link-local address does not count: the kernel gives one to every
 * interface that is up, a mirror port's too, and nobody chose it; but the one
 * that we are logged in by counts. So do all others, 169.254.0.0/16 as well:
 * somebody put it there.
 */
static int on_addr(const struct nlmsghdr *nlh, void *user)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const void *local = NULL, *addr = NULL;
	char text[INET6_ADDRSTRLEN];
	struct links *ls = user;
	const struct nlattr *a;
	struct link *l;
	bool linklocal;

	if (nlh->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	l = find(ls, ifa->ifa_index);
	if (!l || l->dev.busy[0])
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(*ifa)) {
		if (mnl_attr_get_type(a) == IFA_LOCAL)
			local = mnl_attr_get_payload(a);
		else if (mnl_attr_get_type(a) == IFA_ADDRESS)
			addr = mnl_attr_get_payload(a);
	}
	local = local ?: addr;
	if (!local)
		return MNL_CB_OK;
	linklocal = ifa->ifa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(local);
	if (linklocal && (!ls->ssh.remote_port || memcmp(local, ls->ssh.local, 16)))
		return MNL_CB_OK;
	if (inet_ntop(ifa->ifa_family, local, text, sizeof(text)))
		snprintf(l->dev.busy, sizeof(l->dev.busy), "has the address %s/%u%s", text,
			 ifa->ifa_prefixlen, linklocal ? " of our ssh connection" : "");
	return MNL_CB_OK;
}

/*
 * The unicast addresses that an interface takes frames for beside its own: those of
 * what stands on it, in whatever namespace. An all-zero one, or one with a destination,
 * is a tunnel's.
 */
static int on_fdb(const struct nlmsghdr *nlh, void *user)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	static const uint8_t none[6];
	const uint8_t *mac = NULL;
	struct links *ls = user;
	const struct nlattr *a;
	struct link *l;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || !(nd->ndm_flags & NTF_SELF) ||
	    !(nd->ndm_state & NUD_PERMANENT))
		return MNL_CB_OK;
	l = find(ls, nd->ndm_ifindex);
	if (!l || l->dev.busy[0])
		return MNL_CB_OK;
	mnl_attr_for_each(a, nlh, sizeof(*nd)) {
		if (mnl_attr_get_type(a) == NDA_DST)
			return MNL_CB_OK;
		if (mnl_attr_get_type(a) == NDA_LLADDR &&
		    mnl_attr_get_payload_len(a) == sizeof(none))
			mac = mnl_attr_get_payload(a);
	}
	if (!mac || mac[0] & 1 || !memcmp(mac, none, sizeof(none)) ||
	    !memcmp(mac, l->mac, sizeof(l->mac)))
		return MNL_CB_OK;
	snprintf(l->dev.busy, sizeof(l->dev.busy),
		 "carries an interface in another namespace (%02x:%02x:%02x:%02x:%02x:%02x)",
		 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return MNL_CB_OK;
}

/* Pairs name their other end as "link"; nothing stands on anything there. */
static bool is_pair(const struct netdev *d)
{
	return !strcmp(d->kind, "veth") || !strcmp(d->kind, "netkit") || !strcmp(d->kind, "vxcan");
}

static void mark_busy(struct links *ls)
{
	struct link *l, *other;

	for (int i = 0; i < ls->nr; i++) {
		l = &ls->v[i];
		if (l->dev.arphrd == ARPHRD_LOOPBACK && !l->dev.busy[0])
			snprintf(l->dev.busy, sizeof(l->dev.busy), "is the loopback device");
		if (l->master && !l->dev.busy[0]) {
			other = find(ls, l->master);
			snprintf(l->dev.busy, sizeof(l->dev.busy), "is a port of %s",
				 other ? other->dev.name : "another interface");
		}
		if (!l->lower || l->lower_elsewhere || l->lower == l->dev.ifindex ||
		    is_pair(&l->dev))
			continue;
		other = find(ls, l->lower);
		if (other && !other->dev.busy[0])
			snprintf(other->dev.busy, sizeof(other->dev.busy),
				 "carries the interface %s",
				 l->dev.name);
	}
}

/* ---- ethtool ---- */

static void ask_driver(struct netdev *d)
{
	struct ethtool_drvinfo drv = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq ifr = {};
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", d->name);
	ifr.ifr_data = (void *)&drv;
	if (!ioctl(fd, SIOCETHTOOL, &ifr))
		snprintf(d->driver, sizeof(d->driver), "%s", drv.driver);
	ifr.ifr_data = (void *)&ch;
	if (!ioctl(fd, SIOCETHTOOL, &ifr) && ch.rx_count + ch.combined_count)
		d->nr_rx_queues = ch.rx_count + ch.combined_count;
	ifr.ifr_data = (void *)&ring;
	if (!ioctl(fd, SIOCETHTOOL, &ifr))
		d->rx_ring = ring.rx_pending;
	ifr.ifr_data = (void *)&flags;
	if (!ioctl(fd, SIOCETHTOOL, &ifr))
		d->strips_tags = flags.data & ETH_FLAG_RXVLAN;
	close(fd);
}

/* ---- what others call ---- */

static int by_ifindex(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return (x->dev.ifindex > y->dev.ifindex) - (x->dev.ifindex < y->dev.ifindex);
}

static int dump(uint16_t type, uint8_t family, size_t header, struct links *ls, mnl_cb_t fn)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *gen;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = type;
	gen = mnl_nlmsg_put_extra_header(nlh, header);
	gen->rtgen_family = family;
	return netdev_ask(nlh, fn, ls);
}

static int dump_all(struct links *ls)
{
	int ret;

	ls->nr = 0;
	ret = dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), ls, on_link);
	if (!ret && ls->failed)
		ret = -ENOMEM;
	ret = ret ?: dump(RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), ls, on_addr);
	if (ret)
		return ret;
	/* what is here has better names than its hardware address */
	mark_busy(ls);
	ret = dump(RTM_GETNEIGH, AF_BRIDGE, sizeof(struct ndmsg), ls, on_fdb);
	return ret == -EOPNOTSUPP ? 0 : ret;
}

static int load(struct links *ls, struct error *err)
{
	int ret = -EINTR;

	*ls = (struct links){};
	ssh_find(&ls->ssh);
	/* EINTR: an interface came or went meanwhile, the dump is not of one moment */
	for (int i = 0; i < DUMPS && ret == -EINTR; i++)
		ret = dump_all(ls);
	if (ret) {
		free(ls->v);
		return error_set(err, ret, "cannot list the interfaces by rtnetlink: %s",
				 strerrordesc_np(-ret));
	}
	qsort(ls->v, ls->nr, sizeof(*ls->v), by_ifindex);
	return 0;
}

static bool is_called(const struct link *l, const char *name)
{
	if (!strcmp(l->dev.name, name))
		return true;
	for (int i = 0; i < l->nr_altnames; i++)
		if (!strcmp(l->altnames[i], name))
			return true;
	return false;
}

int netdev_get(const char *name, struct netdev *dev, struct error *err)
{
	struct links ls;
	int ret;

	ret = load(&ls, err);
	if (ret)
		return ret;
	ret = -ENODEV;
	for (int i = 0; i < ls.nr && ret; i++) {
		if (!is_called(&ls.v[i], name))
			continue;
		*dev = ls.v[i].dev;
		ask_driver(dev);
		ret = 0;
	}
	free(ls.v);
	if (ret)
		return error_set(err, ret,
				 "there is no interface '%s' here: "
				 "`xcap list` names those that are",
				 name);
	return 0;
}

int netdev_each(int (*fn)(const struct netdev *dev, void *user), void *user, struct error *err)
{
	struct links ls;
	int ret;

	ret = load(&ls, err);
	if (ret)
		return ret;
	for (int i = 0; i < ls.nr && !ret; i++) {
		ask_driver(&ls.v[i].dev);
		ret = fn(&ls.v[i].dev, user);
	}
	free(ls.v);
	return ret;
}

/* One step: what leaves a leaves b too, or comes in there. */
static bool leads_to(const struct link *a, const struct link *b)
{
	return (a->lower == b->dev.ifindex && !a->lower_elsewhere) ||
	       b->master == a->dev.ifindex;
}

/* seen is of all links; what it leads to from there is seen as well. */
static void see_on(const struct links *ls, bool *seen)
{
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < ls->nr; i++)
			for (int j = 0; j < ls->nr && seen[i]; j++) {
				if (seen[j] || !leads_to(&ls->v[i], &ls->v[j]))
					continue;
				seen[j] = more = true;
			}
	}
}

int netdev_passes(uint32_t leaves, uint32_t captured, struct error *err)
{
	struct links ls;
	int passes = leaves == captured, ret;
	bool *seen;

	if (passes)
		return 1;
	ret = load(&ls, err);
	if (ret)
		return ret;
	seen = calloc(ls.nr + 1, sizeof(*seen));
	if (!seen) {
		free(ls.v);
		return error_set(err, -ENOMEM, "no memory to list the interfaces");
	}
	for (int i = 0; i < ls.nr; i++)
		seen[i] = ls.v[i].dev.ifindex == leaves;
	see_on(&ls, seen);
	for (int i = 0; i < ls.nr; i++)
		passes |= seen[i] && ls.v[i].dev.ifindex == captured;
	free(seen);
	free(ls.v);
	return passes;
}

static int on_stats(const struct nlmsghdr *nlh, void *user)
{
	struct rtnl_link_stats64 st = {};
	const struct nlattr *a;
	size_t len;

	mnl_attr_for_each(a, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(a) != IFLA_STATS64)
			continue;
		len = mnl_attr_get_payload_len(a);
		memcpy(&st, mnl_attr_get_payload(a), len < sizeof(st) ? len : sizeof(st));
		*(uint64_t *)user = st.rx_missed_errors;
	}
	return MNL_CB_OK;
}

bool netdev_may_take(const struct netdev *dev, char *why, size_t size)
{
	if (dev->busy[0])
		snprintf(why, size, "%s", dev->busy);
	else if (dev->xdp_prog_id)
		snprintf(why, size, "has another XDP program (id %u)", dev->xdp_prog_id);
	else if (dev->arphrd != ARPHRD_ETHER)
		snprintf(why, size, "is no Ethernet interface");
	else if (dev->overheard)
		snprintf(why, size, "is promiscuous, for somebody else who listens to it");
	else
		return snprintf(why, size, "has no address and nothing stands on it") > 0;
	return false;
}

uint64_t netdev_rx_missed(uint32_t ifindex)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;
	uint64_t missed = 0;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = ifindex;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return netdev_ask(nlh, on_stats, &missed) ? 0 : missed;
}

int netdev_exists(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	/* any other reason, descriptors for one, says nothing about the interface */
	return if_indextoname(ifindex, name) || (errno != ENXIO && errno != ENODEV);
}
