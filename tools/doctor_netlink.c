// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   rtnetlink, and the kernel's family for network devices.
 * Out:  what a driver can do with XDP; addresses, routes and neighbours as they can be put back.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include "doctor.h"

/* linux/netdev.h, which Debian 12 has not */
#define NETDEV_FAMILY "netdev"
enum { NETDEV_CMD_DEV_GET = 1 };
enum { NETDEV_A_DEV_IFINDEX = 1, NETDEV_A_DEV_XDP_FEATURES = 3, NETDEV_A_DEV_ZC_SEGS,
	NETDEV_A_DEV_METADATA };

int netlink_talk(int protocol, struct nlmsghdr *nlh, netlink_answer fn, void *user)
{
	const struct timeval wait = { .tv_sec = 5 };
	struct mnl_socket *nl;
	char buf[32768];
	int err = 0, n;

	nl = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	nlh->nlmsg_seq = 1;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		err = -errno;
	while (!err) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (n >= 0)
			n = mnl_cb_run(buf, n, 1, mnl_socket_get_portid(nl), fn, user);
		if (n < 0)
			err = -errno;
		/* a dump ends with its own message, all else with the acknowledgement */
		if (n <= 0)
			break;
	}
	mnl_socket_close(nl);
	return err;
}

/* ---- XDP features ---- */

static int family_id(const struct nlmsghdr *nlh, void *user)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, GENL_HDRLEN)
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    !mnl_attr_validate(attr, MNL_TYPE_U16))
			*(uint16_t *)user = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int device(const struct nlmsghdr *nlh, void *user)
{
	struct netdev_xdp *out = user;
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, GENL_HDRLEN) {
		int type = mnl_attr_get_type(attr);

		if (type == NETDEV_A_DEV_ZC_SEGS && !mnl_attr_validate(attr, MNL_TYPE_U32))
			out->zc_segs = mnl_attr_get_u32(attr);
		if (mnl_attr_get_payload_len(attr) < sizeof(uint64_t))
			continue;
		if (type == NETDEV_A_DEV_XDP_FEATURES)
			out->features = mnl_attr_get_u64(attr);
		if (type == NETDEV_A_DEV_METADATA)
			out->metadata = mnl_attr_get_u64(attr);
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *generic(char *buf, uint16_t family, uint8_t command)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = 1;
	return nlh;
}

int netlink_xdp(struct doctor *d, struct netdev_xdp *out)
{
	char buf[256];
	struct nlmsghdr *nlh = generic(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	uint16_t id = 0;
	int err;

	if (d->fixture)
		return -EOPNOTSUPP;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	err = netlink_talk(NETLINK_GENERIC, nlh, family_id, &id);
	if (err || !id)
		return err == -ENOENT || !err ? -ENOENT : err;
	memset(out, 0, sizeof(*out));
	nlh = generic(buf, id, NETDEV_CMD_DEV_GET);
	mnl_attr_put_u32(nlh, NETDEV_A_DEV_IFINDEX, d->on.index);
	return netlink_talk(NETLINK_GENERIC, nlh, device, out);
}

/* ---- addresses, routes, neighbours ---- */

static const struct object {
	const char *kind;
	uint16_t get, make, remove;
	uint16_t flags;		/* to make it */
	size_t header;
	uint16_t address[2];	/* attributes, the first that is there names it */
	int prefix;		/* where its length stands in the header; 0 it has none */
	bool (*ours)(const struct nlmsghdr *nlh, unsigned int ifindex);
} objects[];

struct dump {
	const struct object *o;
	unsigned int ifindex;
	void (*object)(void *user, const char *hex, int family, bool late);
	void *user;
};

static bool our_address(const struct nlmsghdr *nlh, unsigned int ifindex)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);

	/* temporary ones are made anew by who makes them */
	return m->ifa_index == ifindex &&
	       (m->ifa_family == AF_INET || !(m->ifa_flags & IFA_F_TEMPORARY));
}

static bool our_neighbour(const struct nlmsghdr *nlh, unsigned int ifindex)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(nlh);

	return m->ndm_ifindex == (int)ifindex && m->ndm_state & NUD_PERMANENT;
}

/* All next hops of it are there; what is a state of them is cleared. */
static bool hops_at(const struct nlattr *attr, uint32_t ifindex)
{
	struct rtnexthop *nh = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);
	bool ours = true;

	for (; RTNH_OK(nh, left); left -= NLMSG_ALIGN(nh->rtnh_len), nh = RTNH_NEXT(nh)) {
		ours &= nh->rtnh_ifindex == (int)ifindex;
		nh->rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	}
	return ours;
}

/* The kernel's own come with the addresses, those of router advertisements with the next. */
static bool our_route(const struct nlmsghdr *nlh, unsigned int ifindex)
{
	struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr;
	bool ours = false;

	if (m->rtm_protocol == RTPROT_KERNEL || m->rtm_protocol == RTPROT_RA ||
	    m->rtm_table == RT_TABLE_LOCAL || m->rtm_flags & RTM_F_CLONED)
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(*m)) {
		if (mnl_attr_get_type(attr) == RTA_OIF && !mnl_attr_validate(attr, MNL_TYPE_U32))
			ours |= mnl_attr_get_u32(attr) == ifindex;
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			ours |= hops_at(attr, ifindex);
	}
	m->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;	/* others are states */
	return ours;
}

static const struct object objects[] = {
	{ "address", RTM_GETADDR, RTM_NEWADDR, RTM_DELADDR, NLM_F_CREATE | NLM_F_EXCL,
	  sizeof(struct ifaddrmsg), { IFA_LOCAL, IFA_ADDRESS }, 1, our_address },
	{ "route", RTM_GETROUTE, RTM_NEWROUTE, RTM_DELROUTE, NLM_F_CREATE,
	  sizeof(struct rtmsg), { RTA_DST, RTA_DST }, 1, our_route },
	{ "neighbour", RTM_GETNEIGH, RTM_NEWNEIGH, RTM_DELNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
	  sizeof(struct ndmsg), { NDA_DST, NDA_DST }, 0, our_neighbour },
};

static const struct object *object_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (!strcmp(objects[i].kind, kind))
			return &objects[i];
	return NULL;
}

/* Where a route goes: told beside its next hop's number as well, and not to be said then. */
static bool is_way(const struct nlattr *attr)
{
	static const uint16_t ways[] = { RTA_OIF, RTA_GATEWAY, RTA_VIA, RTA_MULTIPATH, RTA_ENCAP,
					 RTA_ENCAP_TYPE };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (mnl_attr_get_type(attr) == ways[i])
			return true;
	return false;
}

/* Behind the digits there so far. */
static void add_hex(char *hex, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	hex += strlen(hex);
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static int one_object(const struct nlmsghdr *nlh, void *user)
{
	struct dump *dump = user;
	const uint8_t *bytes = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	bool is_route = dump->o->get == RTM_GETROUTE, late = false, numbered = false;
	struct nlattr *attr;
	char *hex;

	if (len < dump->o->header || !dump->o->ours(nlh, dump->ifindex))
		return MNL_CB_OK;
	hex = calloc(1, 2 * len + 1);
	if (!hex)
		return MNL_CB_ERROR;
	mnl_attr_for_each(attr, nlh, dump->o->header) {
		numbered |= is_route && mnl_attr_get_type(attr) == RTA_NH_ID;
		late |= is_route && is_way(attr) && mnl_attr_get_type(attr) != RTA_OIF;
	}
	add_hex(hex, bytes, dump->o->header);
	/* each is padded, as the kernel makes them */
	mnl_attr_for_each(attr, nlh, dump->o->header)
		if (!numbered || !is_way(attr))
			add_hex(hex, attr, MNL_ALIGN(attr->nla_len));
	dump->object(dump->user, hex, bytes[0], late);	/* the family is each one's first byte */
	free(hex);
	return MNL_CB_OK;
}

int netlink_objects(unsigned int ifindex, const char *kind,
		    void (*object)(void *user, const char *hex, int family, bool late), void *user)
{
	struct dump dump = { object_of(kind), ifindex, object, user };
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		char buf[128];
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
		uint8_t *header;

		nlh->nlmsg_type = dump.o->get;
		nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		header = mnl_nlmsg_put_extra_header(nlh, dump.o->header);
		header[0] = families[i];
		err = netlink_talk(NETLINK_ROUTE, nlh, one_object, &dump);
		if (err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
			err = 0;	/* no IPv6 here */
	}
	return err;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A request with the object in it; the caller frees it. Return: NULL no such object, no memory. */
static struct nlmsghdr *request(const struct object *o, const char *hex)
{
	size_t len = strlen(hex) / 2;
	struct nlmsghdr *nlh;
	uint8_t *bytes;
	char *buf;

	if (!o || len < o->header || len > 16384)
		return NULL;
	buf = calloc(1, MNL_ALIGN(sizeof(*nlh)) + MNL_ALIGN(len));
	if (!buf)
		return NULL;
	nlh = mnl_nlmsg_put_header(buf);
	bytes = mnl_nlmsg_put_extra_header(nlh, len);
	for (size_t i = 0; i < len; i++)
		bytes[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
	return nlh;
}

int netlink_object(const char *kind, const char *hex, bool there)
{
	const struct object *o = object_of(kind);
	struct nlmsghdr *nlh = request(o, hex);
	int err;

	if (!nlh)
		return -EINVAL;
	nlh->nlmsg_type = there ? o->make : o->remove;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | (there ? o->flags : 0);
	err = netlink_talk(NETLINK_ROUTE, nlh, NULL, NULL);
	free(nlh);
	if (there)
		return err == -EEXIST ? 0 : err;
	return err == -ESRCH || err == -ENOENT || err == -EADDRNOTAVAIL ? 0 : err;
}

void netlink_object_text(const char *kind, const char *hex, char *out, size_t size)
{
	const struct object *o = object_of(kind);
	struct nlmsghdr *nlh = request(o, hex);
	const uint8_t *header = nlh ? mnl_nlmsg_get_payload(nlh) : NULL;
	size_t len = nlh && header[0] == AF_INET ? 4 : 16;
	char text[INET6_ADDRSTRLEN] = "default";
	struct nlattr *attr;

	for (int i = 1; nlh && i >= 0; i--)
		mnl_attr_for_each(attr, nlh, o->header)
			if (mnl_attr_get_type(attr) == o->address[i] &&
			    mnl_attr_get_payload_len(attr) >= len)
				inet_ntop(header[0], mnl_attr_get_payload(attr), text,
					  sizeof(text));
	snprintf(out, size, "%s", text);
	if (nlh && o->prefix && strcmp(text, "default"))
		snprintf(out, size, "%s/%u", text, header[o->prefix]);
	free(nlh);
}
