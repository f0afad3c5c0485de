// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   rtnetlink dumps of links, ethtool's statistics.
 * Out:  rows of drops of interfaces and their drivers.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 *
 * What is counted at two places is told at one: a sum over queues not beside the queues, an
 * interface's counter without what its driver tells more of.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "drops_rows.h"

#define MAX_COUNTERS 65536	/* of a driver */
#define ANSWER_S 2
#define TRIES 7		/* for a dump that nothing comes in between of */

/* ---- asking ---- */

int drops_ask(int protocol, struct nlmsghdr *nlh, drops_answer fn, void *user)
{
	struct mnl_socket *nl = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	struct timeval wait = { .tv_sec = ANSWER_S };
	char buf[32768];
	int n, ret = 0;

	if (!nl)
		return -errno;
	nlh->nlmsg_seq = time(NULL);
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		ret = -errno;
	for (n = ret ? -1 : MNL_CB_OK; n > MNL_CB_STOP;) {
		ssize_t len = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		n = len < 0 ? -1 : mnl_cb_run(buf, len, nlh->nlmsg_seq,
					      mnl_socket_get_portid(nl), fn, user);
		if (n < 0)
			ret = -errno;
	}
	mnl_socket_close(nl);
	return ret;
}

int drops_ask_again(int protocol, struct nlmsghdr *nlh, drops_answer fn, void *user, int *nr)
{
	int before = *nr, ret = -EINTR;

	for (int i = 0; i < TRIES && ret == -EINTR; i++) {
		*nr = before;
		ret = drops_ask(protocol, nlh, fn, user);
	}
	return ret;
}

/* ---- the driver ---- */

struct link {
	char name[IF_NAMESIZE], driver[32];
	struct rtnl_link_stats64 stats;
	uint64_t told[sizeof(struct rtnl_link_stats64) / sizeof(uint64_t)];	/* by the driver */
};

static const struct drops_means
	rx_dropped = { "the stack had no room (softnet below), or no protocol wanted it",
		       "xcap doctor; a capture on all protocols tells which", 0 },
	tx_dropped = { "not sent: the queue was full, the link or the other end down",
		       "ethtool -G IFACE tx MAX; of a veth: who reads at its other end?", 0 },
	rx_missed = { "no receive buffer was free: the host came too late",
		      "ethtool -G IFACE rx MAX; more queues; IRQs on their own CPUs", 0 },
	rx_fifo = { "the NIC's own memory was full", "ethtool -G IFACE rx MAX", 0 },
	rx_bad = { "a damaged frame", "change cable, optics or port", 0 },
	rx_size = { "a frame that is too long or too short",
		    "make the MTU the same on the wire", 0 },
	rx_other = { "an error that the driver has no name for", "ethtool -S IFACE", 0 },
	rx_nohandler = { "came in by an inactive port of a bond or team", NULL, 0 },
	rx_otherhost = { "for another host: promiscuous, or a switch floods",
			 NULL, DROPS_SIGN },
	tx_bad = { "a collision, a lost carrier, or the driver's reset",
		   "both ends full duplex? dmesg", 0 },
	tx_other = { "an error in sending that the driver has no name for", "ethtool -S IFACE", 0 };

#define FIELD(name, means) { #name, offsetof(struct rtnl_link_stats64, name), means }
static const struct { const char *name; size_t offset; const struct drops_means *means; }
fields[] = {
	FIELD(rx_missed_errors, &rx_missed),
	FIELD(rx_over_errors, &rx_fifo),
	FIELD(rx_fifo_errors, &rx_fifo),
	FIELD(rx_crc_errors, &rx_bad),
	FIELD(rx_frame_errors, &rx_bad),
	FIELD(rx_length_errors, &rx_size),
	FIELD(rx_errors, &rx_other),
	FIELD(rx_nohandler, &rx_nohandler),
	FIELD(rx_dropped, &rx_dropped),
	FIELD(tx_aborted_errors, &tx_bad),
	FIELD(tx_carrier_errors, &tx_bad),
	FIELD(tx_fifo_errors, &tx_other),
	FIELD(tx_heartbeat_errors, &tx_bad),
	FIELD(tx_window_errors, &tx_bad),
	FIELD(tx_errors, &tx_other),
	FIELD(tx_dropped, &tx_dropped),
	FIELD(rx_otherhost_dropped, &rx_otherhost),
};
#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

static uint64_t *told(struct link *l, const char *field)
{
	for (size_t i = 0; i < NR_FIELDS; i++)
		if (!strcmp(fields[i].name, field))
			return &l->told[fields[i].offset / sizeof(uint64_t)];
	return NULL;
}

static int ethtool(int fd, const char *iface, void *data)
{
	struct ifreq ifr = { .ifr_data = data };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	return ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
}

/* "rx0_drops", "rx_queue_0_drops": the name of their sum, "rx_drops". Return: false: no queue's. */
static bool sum_name(const char *name, char *out, size_t size)
{
	const char *digit = strpbrk(name, "0123456789"), *rest;
	size_t head;

	if (!digit)
		return false;
	head = digit - name;
	rest = digit + strspn(digit, "0123456789");
	if (head >= 7 && !strncmp(digit - 7, "_queue_", 7))
		head -= 7;
	else if (head && strchr("_-.", name[head - 1]))
		head--;
	snprintf(out, size, "%.*s%s", (int)head, name, rest);
	return true;
}

/* Is there a row of a queue that this name is the sum of? */
static bool told_by_queues(const struct drops_set *set, int from, const char *where,
			   const char *name)
{
	char sum[ETH_GSTRING_LEN + 1];

	for (int i = from; i < set->nr; i++)
		if (sum_name(set->rows[i].name, sum, sizeof(sum)) && !strcmp(sum, name))
			return true;
	return false;
}

static void drop_sums(struct drops_set *set, struct link *l, int from)
{
	int to = from;

	for (int i = from; i < set->nr; i++) {
		struct drops_row *row = &set->rows[i];
		const char *same = drops_nic_same(l->driver, row->name);
		uint64_t *field = same ? told(l, same) : NULL;

		if (told_by_queues(set, from, l->name, row->name)) {
			row->name[0] = '\0';
			continue;
		}
		if (field)
			*field += row->total;
	}
	for (int i = from; i < set->nr; i++)
		if (set->rows[i].name[0])
			set->rows[to++] = set->rows[i];
	set->nr = to;
}

static void add_counters(struct drops_set *set, const struct link *l,
			 const struct ethtool_gstrings *names, const struct ethtool_stats *stats)
{
	for (uint32_t i = 0; i < names->len && i < stats->n_stats; i++) {
		const char *text = (const char *)names->data + i * ETH_GSTRING_LEN;
		const struct drops_means *means;
		char name[ETH_GSTRING_LEN + 1];

		while (*text == ' ')		/* some drivers indent */
			text++;
		snprintf(name, sizeof(name), "%.*s",
			 (int)((const char *)names->data + (i + 1) * ETH_GSTRING_LEN - text), text);
		means = drops_nic_means(l->driver, name);
		if (means)
			drops_add(set, DROPS_NIC, l->name, name, stats->data[i], means);
	}
}

static void driver_counters(struct drops_set *set, struct link *l)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), from = set->nr;
	struct ethtool_gstrings *names = NULL;
	struct ethtool_stats *stats = NULL;
	uint32_t nr = 0;

	if (fd >= 0 && !ethtool(fd, l->name, &info)) {
		/* the kernel gives all there are, whatever is asked for */
		nr = info.n_stats <= MAX_COUNTERS ? info.n_stats : 0;
		snprintf(l->driver, sizeof(l->driver), "%.31s", info.driver);
	}
	/* a device may have come by more of them meanwhile: twice the room */
	names = nr ? calloc(1, sizeof(*names) + 2 * nr * ETH_GSTRING_LEN) : NULL;
	stats = nr ? calloc(1, sizeof(*stats) + 2 * nr * sizeof(uint64_t)) : NULL;
	if (names && stats) {
		*names = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS,
						    .string_set = ETH_SS_STATS, .len = nr };
		*stats = (struct ethtool_stats){ .cmd = ETHTOOL_GSTATS, .n_stats = nr };
		if (!ethtool(fd, l->name, names) && !ethtool(fd, l->name, stats) &&
		    names->len <= 2 * nr && stats->n_stats <= 2 * nr)
			add_counters(set, l, names, stats);
	}
	drop_sums(set, l, from);
	free(names);
	free(stats);
	if (fd >= 0)
		close(fd);
}

/* ---- the interface ---- */

/* What rx_errors and tx_errors count beside those that have a name. */
static uint64_t unnamed(const struct link *l, const char *sum, const char *direction)
{
	uint64_t all = 0, named = 0;

	for (size_t i = 0; i < NR_FIELDS; i++) {
		uint64_t n = *(const uint64_t *)((const char *)&l->stats + fields[i].offset);
		const char *name = fields[i].name;

		if (!strcmp(name, sum))
			all = n;
		else if (!strncmp(name, direction, 3) && strstr(name, "_errors"))
			named += n;
	}
	return all > named ? all - named : 0;
}

static void interface_counters(struct drops_set *set, struct link *l)
{
	for (size_t i = 0; i < NR_FIELDS; i++) {
		const char *name = fields[i].name;
		uint64_t n = *(const uint64_t *)((const char *)&l->stats + fields[i].offset);
		uint64_t elsewhere = l->told[fields[i].offset / sizeof(uint64_t)];
		struct drops_row *row;

		if (!strcmp(name, "rx_errors"))
			n = unnamed(l, name, "rx_");
		if (!strcmp(name, "tx_errors"))
			n = unnamed(l, name, "tx_");
		row = drops_add(set, DROPS_INTERFACE, l->name, name,
				n > elsewhere ? n - elsewhere : 0, fields[i].means);
		if (row && (elsewhere || strstr(name, "x_errors")))
			row->flags |= DROPS_REST;
	}
}

static int on_link(const struct nlmsghdr *nlh, void *user)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct link l = { .name = "" };
	struct drops_set *set = user;
	struct nlattr *attr;

	if (set->ifindex && set->ifindex != (unsigned int)ifi->ifi_index)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(l.name, sizeof(l.name), "%.*s", (int)len,
				 mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == IFLA_STATS64)	/* older kernels have fewer */
			memcpy(&l.stats, mnl_attr_get_payload(attr),
			       len < sizeof(l.stats) ? len : sizeof(l.stats));
	}
	driver_counters(set, &l);
	interface_counters(set, &l);
	return MNL_CB_OK;
}

void drops_interfaces(struct drops_set *set)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	drops_ask_again(NETLINK_ROUTE, nlh, on_link, set, &set->nr);
}
