// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   rtnetlink's dump of queueing disciplines.
 * Out:  rows of what each dropped itself, without what those below it did.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 */
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drops_rows.h"

static const struct drops_means
	egress = { "the queue for sending was full, or its rule dropped it",
		   "send less; tc qdisc: a larger limit, another discipline", 0 },
	filter = { "a filter of tc dropped it",
		   "tc -s filter show dev IFACE ingress, and egress", 0 };

struct qdisc {
	uint32_t ifindex, handle, parent, drops;
	char kind[16];
};

struct qdiscs {
	struct drops_set *set;
	struct qdisc *v;
	int nr, room;
};

static int on_stats(const struct nlattr *attr, void *user)
{
	struct gnet_stats_queue q = { 0 };
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == TCA_STATS_QUEUE) {
		memcpy(&q, mnl_attr_get_payload(attr), len < sizeof(q) ? len : sizeof(q));
		*(uint32_t *)user = q.drops;
	}
	return MNL_CB_OK;
}

static int on_qdisc(const struct nlmsghdr *nlh, void *user)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct qdiscs *all = user;
	struct nlattr *attr;
	struct qdisc q = { .ifindex = tc->tcm_ifindex, .handle = tc->tcm_handle,
			   .parent = tc->tcm_parent };

	if (all->set->ifindex && all->set->ifindex != q.ifindex)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*tc)) {
		if (mnl_attr_get_type(attr) == TCA_KIND)
			snprintf(q.kind, sizeof(q.kind), "%.*s",
				 (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == TCA_STATS2)
			mnl_attr_parse_nested(attr, on_stats, &q.drops);
	}
	if (all->nr == all->room) {
		int room = all->room ? 2 * all->room : 64;
		struct qdisc *more = reallocarray(all->v, room, sizeof(*more));

		if (!more)
			return MNL_CB_OK;
		all->v = more;
		all->room = room;
	}
	all->v[all->nr++] = q;
	return MNL_CB_OK;
}

/* What those right below it dropped is in its own count. */
static uint32_t below(const struct qdiscs *all, const struct qdisc *q)
{
	uint32_t sum = 0;

	for (int i = 0; i < all->nr; i++)
		if (all->v[i].ifindex == q->ifindex && q->handle &&
		    all->v[i].parent != TC_H_ROOT && all->v[i].parent != TC_H_INGRESS &&
		    TC_H_MAJ(all->v[i].parent) == q->handle)
			sum += all->v[i].drops;
	return sum;
}

/* What it dropped, but for what those below it did. */
static void tell(struct drops_set *set, const struct qdisc *q, uint32_t lower)
{
	uint32_t drops = q->drops > lower ? q->drops - lower : 0;
	bool is_filter = q->parent == TC_H_INGRESS;	/* clsact's as well */
	char iface[IF_NAMESIZE] = "?", name[48];
	struct drops_row *row;

	if_indextoname(q->ifindex, iface);
	snprintf(name, sizeof(name), "%s %x:", q->kind, TC_H_MAJ(q->handle) >> 16);
	row = drops_add(set, DROPS_QDISC, iface, name, drops, is_filter ? &filter : &egress);
	if (!row)
		return;
	row->id = (uint64_t)q->ifindex << 32 | q->parent;
	row->flags |= lower ? DROPS_REST : DROPS_32BIT;
}

void drops_qdiscs(struct drops_set *set)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct qdiscs all = { .set = set };

	nlh->nlmsg_type = RTM_GETQDISC;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct tcmsg));
	drops_ask_again(NETLINK_ROUTE, nlh, on_qdisc, &all, &all.nr);
	for (int i = 0; i < all.nr; i++)
		tell(set, &all.v[i], all.v[i].drops ? below(&all, &all.v[i]) : 0);
	free(all.v);
}
