// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   /proc/net/udp and its like, sock_diag's dumps of listeners, packet and AF_XDP sockets.
 * Out:  rows of sockets that lost something.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 *
 * What a packet socket with a ring (PACKET_RX_RING) lost only its own program can ask for, and
 * asking sets it to zero: it is not here.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_xdp.h>
#include <linux/inet_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/xdp_diag.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drops_rows.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#define TCP_LISTEN_STATE 10

static const struct drops_means
	datagram = { "its receive buffer was full: its program reads too slowly",
		     "larger SO_RCVBUF, net.core.rmem_max", DROPS_WITHIN },
	raw = { "its receive buffer was full: its program reads too slowly",
		"larger SO_RCVBUF, net.core.rmem_max", 0 },
	listener = { "SYNs or ACKs it did not take, most for a full accept queue",
		     "a larger listen() backlog and net.core.somaxconn", DROPS_WITHIN },
	packet = { "a program that captures or routes (AF_PACKET) reads too slowly",
		   "larger SO_RCVBUF, or a ring: PACKET_RX_RING; xcap", 0 },
	xdp_full = { "AF_XDP: the receive ring was full", "a larger ring, a faster reader", 0 },
	xdp_dropped = { "AF_XDP: no frame was free", "more frames in the fill ring, sooner", 0 },
	xdp_invalid = { "AF_XDP: a descriptor that is none", "an error of that program", 0 },
	xdp_fill = { "AF_XDP: the fill ring was found empty", "fill it sooner", DROPS_SIGN };

/* ---- /proc/net ---- */

/* "0100007F:1F90", in the machine's order of bytes within each word. */
static void address(const char *hex, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "?", word[9];
	size_t digits = strcspn(hex, ":");
	uint32_t words[4] = { 0 };

	for (size_t i = 0; i < 4 && 8 * i + 8 <= digits; i++) {
		snprintf(word, sizeof(word), "%.8s", hex + 8 * i);
		words[i] = strtoul(word, NULL, 16);
	}
	inet_ntop(digits == 8 ? AF_INET : AF_INET6, words, text, sizeof(text));
	snprintf(out, size, digits == 8 ? "%s:%lu" : "[%s]:%lu", text,
		 hex[digits] ? strtoul(hex + digits + 1, NULL, 16) : 0);
}

/* sl local remote st queues timer retransmits uid timeout inode ref pointer drops */
enum { LOCAL = 1, INODE = 9, DROPS = 12, COLUMNS };

static void table(struct drops_set *set, const char *name, const char *kind,
		  const struct drops_means *means)
{
	char path[64], *text, *save = NULL, *line;

	snprintf(path, sizeof(path), "/proc/net/%s", name);
	text = drops_text(set, path);
	line = text ? strtok_r(text, "\n", &save) : NULL;
	for (line = line ? strtok_r(NULL, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *words[COLUMNS] = { NULL }, *at = NULL, where[80];
		struct drops_row *row;
		int n = 0;

		for (char *w = strtok_r(line, " ", &at); w && n < COLUMNS;
		     w = strtok_r(NULL, " ", &at))
			words[n++] = w;
		if (n < COLUMNS)
			continue;
		address(words[LOCAL], where, sizeof(where));
		row = drops_add(set, DROPS_SOCKET, where, kind, strtoull(words[DROPS], NULL, 10),
				means);
		if (row)
			row->id = strtoull(words[INODE], NULL, 10);
	}
	free(text);
}

/* ---- sock_diag ---- */

static uint64_t drops_of(const struct nlattr *meminfo)
{
	const uint32_t *v = mnl_attr_get_payload(meminfo);

	return mnl_attr_get_payload_len(meminfo) > SK_MEMINFO_DROPS * sizeof(*v) ?
	       v[SK_MEMINFO_DROPS] : 0;
}

static int on_listener(const struct nlmsghdr *nlh, void *user)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	char text[INET6_ADDRSTRLEN] = "?", where[64];
	struct drops_row *row;
	struct nlattr *attr;
	uint64_t drops = 0;

	mnl_attr_for_each(attr, nlh, sizeof(*m))
		if (mnl_attr_get_type(attr) == INET_DIAG_SKMEMINFO)
			drops = drops_of(attr);
	inet_ntop(m->idiag_family, m->id.idiag_src, text, sizeof(text));
	snprintf(where, sizeof(where), m->idiag_family == AF_INET ? "%s:%u" : "[%s]:%u", text,
		 ntohs(m->id.idiag_sport));
	row = drops_add(user, DROPS_SOCKET, where, "tcp listen", drops, &listener);
	if (row)
		row->id = m->idiag_inode;
	return MNL_CB_OK;
}

static void listeners(struct drops_set *set, int family)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1);
	req->idiag_states = 1 << TCP_LISTEN_STATE;
	drops_ask_again(NETLINK_SOCK_DIAG, nlh, on_listener, set, &set->nr);
}

static int on_packet(const struct nlmsghdr *nlh, void *user)
{
	const struct packet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	char iface[IF_NAMESIZE] = "*", name[32];
	struct drops_set *set = user;
	struct drops_row *row;
	uint32_t ifindex = 0;
	struct nlattr *attr;
	uint64_t drops = 0;

	mnl_attr_for_each(attr, nlh, sizeof(*m)) {
		if (mnl_attr_get_type(attr) == PACKET_DIAG_MEMINFO)
			drops = drops_of(attr);
		if (mnl_attr_get_type(attr) == PACKET_DIAG_INFO &&
		    mnl_attr_get_payload_len(attr) >= sizeof(struct packet_diag_info))
			ifindex = ((const struct packet_diag_info *)
				   mnl_attr_get_payload(attr))->pdi_index;
	}
	if (set->ifindex && ifindex && set->ifindex != ifindex)
		return MNL_CB_OK;
	if (ifindex)
		if_indextoname(ifindex, iface);
	snprintf(name, sizeof(name), "socket:[%u]", m->pdiag_ino);
	row = drops_add(set, DROPS_PACKET, iface, name, drops, &packet);
	if (row)
		row->id = m->pdiag_ino;
	return MNL_CB_OK;
}

static void packets(struct drops_set *set)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct packet_diag_req *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = AF_PACKET;
	req->pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO;
	drops_ask_again(NETLINK_SOCK_DIAG, nlh, on_packet, set, &set->nr);
}

static int on_xdp(const struct nlmsghdr *nlh, void *user)
{
	const struct xdp_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct { const char *name; uint64_t n; const struct drops_means *means; } rows[4];
	struct xdp_diag_stats s = { 0 };
	struct xdp_diag_info info = { 0 };
	char iface[IF_NAMESIZE] = "?", where[64];
	struct drops_set *set = user;
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*m)) {
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == XDP_DIAG_INFO && len >= sizeof(info))
			memcpy(&info, mnl_attr_get_payload(attr), sizeof(info));
		if (mnl_attr_get_type(attr) == XDP_DIAG_STATS && len >= sizeof(s))
			memcpy(&s, mnl_attr_get_payload(attr), sizeof(s));
	}
	if (set->ifindex && set->ifindex != info.ifindex)
		return MNL_CB_OK;
	if_indextoname(info.ifindex, iface);
	snprintf(where, sizeof(where), "%s queue %u socket:[%u]", iface, info.queue_id,
		 m->xdiag_ino);
	rows[0] = (typeof(rows[0])){ "rx_ring_full", s.n_rx_full, &xdp_full };
	rows[1] = (typeof(rows[0])){ "rx_dropped", s.n_rx_dropped, &xdp_dropped };
	rows[2] = (typeof(rows[0])){ "rx_invalid", s.n_rx_invalid, &xdp_invalid };
	rows[3] = (typeof(rows[0])){ "fill_ring_empty", s.n_fill_ring_empty, &xdp_fill };
	for (int i = 0; i < 4; i++)
		drops_add(set, DROPS_XDP, where, rows[i].name, rows[i].n, rows[i].means);
	return MNL_CB_OK;
}

/* Where the kernel has it (CONFIG_XDP_SOCKETS_DIAG); else nothing is answered. */
static void xdp(struct drops_set *set)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct xdp_diag_req *req;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = AF_XDP;
	req->xdiag_show = XDP_SHOW_INFO | XDP_SHOW_STATS;
	drops_ask_again(NETLINK_SOCK_DIAG, nlh, on_xdp, set, &set->nr);
}

void drops_sockets(struct drops_set *set)
{
	table(set, "udp", "udp", &datagram);
	table(set, "udp6", "udp", &datagram);
	table(set, "raw", "raw", &raw);
	table(set, "raw6", "raw", &raw);
	table(set, "icmp", "ping", &raw);
	table(set, "icmp6", "ping", &raw);
	if (set->root[0])
		return;
	listeners(set, AF_INET);
	listeners(set, AF_INET6);
	packets(set);
	xdp(set);
}
