// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an interface, and who else is at it: XDP and TC programs, packet sockets.
 * Out:  their names.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "doctor.h"
#include "running.h"

/* linux/bpf.h, newer than Debian 12's */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

#define NAMES_SIZE 200
#define MORE ", ..."

static void add(char names[NAMES_SIZE], const char *fmt, const char *name, unsigned int id)
{
	char one[64];
	size_t len = strlen(names), more = snprintf(one, sizeof(one), fmt, name, id);
	bool full = len + 2 + more + sizeof(MORE) > NAMES_SIZE;

	/* what is too much is said once */
	if (len < sizeof(MORE) || strcmp(names + len + 1 - sizeof(MORE), MORE))
		snprintf(names + len, NAMES_SIZE - len, "%s%s", len ? ", " : "",
			 full ? "..." : one);
}

/* ---- programs ---- */

static void program(char names[NAMES_SIZE], uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len))
		info.name[0] = '\0';
	if (fd >= 0)
		close(fd);
	add(names, "%s (id %u)", info.name[0] ? info.name : "a program", id);
}

/* Return: the link that holds the program there; 0: none does, it was put there by its id. */
static uint32_t link_of(struct doctor *d, uint32_t prog_id)
{
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		bool ours;

		if (fd < 0)
			continue;
		ours = !bpf_obj_get_info_by_fd(fd, &info, &len) &&
		       info.type == BPF_LINK_TYPE_XDP && info.prog_id == prog_id &&
		       info.xdp.ifindex == d->on.index;
		close(fd);
		if (ours)
			return id;
	}
	return 0;
}

static void xdp_program(struct doctor *d, const struct check *c)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	char names[NAMES_SIZE] = "";
	struct finding *f;
	uint32_t link;

	if (d->fixture || bpf_xdp_query(d->on.index, 0, &opts) || !opts.attach_mode)
		return;
	if (opts.prog_id)
		program(names, opts.prog_id);
	if (opts.skb_prog_id && opts.skb_prog_id != opts.prog_id)
		program(names, opts.skb_prog_id);
	if (opts.hw_prog_id && opts.hw_prog_id != opts.prog_id)
		program(names, opts.hw_prog_id);
	f = doctor_say(d, c, LEVEL_WARN, "%s is attached", names);
	link = link_of(d, opts.prog_id);
	if (link)
		doctor_remedy(f, "bpftool link detach id %u", link);
	else
		doctor_remedy(f, "ip link set %s xdp%s off", d->on.name,
			      opts.attach_mode == XDP_ATTACHED_SKB ? "generic" :
			      opts.attach_mode == XDP_ATTACHED_HW ? "offload" : "");
}

static void tcx_programs(struct doctor *d, int hook, char names[NAMES_SIZE])
{
	/* the first fields of the query, as long as TCX needs them */
	struct {
		__u32 ifindex, attach_type, query_flags, attach_flags;
		__u64 ids;
		__u32 nr, pad;
		__u64 more[5];
	} attr = { .ifindex = d->on.index, .attach_type = hook };
	__u32 ids[64];

	attr.ids = (uintptr_t)ids;
	attr.nr = 64;
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)))
		return;
	for (__u32 i = 0; i < attr.nr && i < 64; i++)
		program(names, ids[i]);
}

static int filter(const struct nlmsghdr *nlh, void *user)
{
	const struct tcmsg *m = mnl_nlmsg_get_payload(nlh);
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*m))
		if (mnl_attr_get_type(attr) == TCA_KIND && m->tcm_handle &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			add(user, "%s filter (pref %u)", mnl_attr_get_str(attr),
			    TC_H_MAJ(m->tcm_info) >> 16);
	return MNL_CB_OK;
}

static void filters(struct doctor *d, uint32_t parent, char names[NAMES_SIZE])
{
	char buf[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *m;

	nlh->nlmsg_type = RTM_GETTFILTER;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m = mnl_nlmsg_put_extra_header(nlh, sizeof(*m));
	m->tcm_ifindex = d->on.index;
	m->tcm_parent = parent;
	netlink_talk(NETLINK_ROUTE, nlh, filter, names);
}

struct two_ways {
	struct doctor *d;
	bool is;
};

static int qdisc(const struct nlmsghdr *nlh, void *user)
{
	const struct tcmsg *m = mnl_nlmsg_get_payload(nlh);
	struct two_ways *two = user;
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*m))
		if (m->tcm_ifindex == (int)two->d->on.index &&
		    mnl_attr_get_type(attr) == TCA_KIND &&
		    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
			two->is |= !strcmp(mnl_attr_get_str(attr), "clsact");
	return MNL_CB_OK;
}

/* Of "clsact"; "ingress" has one way, and answers with it whichever is asked for. */
static bool has_egress(struct doctor *d)
{
	char buf[128];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct two_ways two = { d, false };

	nlh->nlmsg_type = RTM_GETQDISC;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct tcmsg));
	netlink_talk(NETLINK_ROUTE, nlh, qdisc, &two);
	return two.is;
}

static void tc_programs(struct doctor *d, const struct check *c)
{
	char names[NAMES_SIZE] = "";

	if (d->fixture)
		return;
	tcx_programs(d, TCX_INGRESS, names);
	tcx_programs(d, TCX_EGRESS, names);
	filters(d, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), names);
	if (has_egress(d))
		filters(d, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), names);
	if (names[0])
		doctor_say(d, c, LEVEL_NOTE, "%s", names);
}

/* ---- packet sockets ---- */

#define MAX_SOCKETS 64		/* that are named */

struct holders {
	struct doctor *d;
	unsigned long inodes[MAX_SOCKETS];
	int nr, pid;
	char names[NAMES_SIZE];
	bool found;
};

static void descriptor(void *user, const char *fd)
{
	struct holders *h = user;
	char path[64], link[64];
	unsigned long inode;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/fd/%.20s", h->pid, fd);
	n = h->found ? -1 : readlinkat(h->d->proc, path, link, sizeof(link) - 1);
	if (n <= 0)
		return;
	link[n] = '\0';
	if (sscanf(link, "socket:[%lu]", &inode) != 1)
		return;
	for (int i = 0; i < h->nr; i++)
		h->found |= h->inodes[i] == inode;
}

static void process(void *user, const char *pid)
{
	struct holders *h = user;
	char path[64], name[32];

	h->pid = atoi(pid);
	if (h->pid <= 0)
		return;
	h->found = false;
	snprintf(path, sizeof(path), "%d/fd", h->pid);
	doctor_names(h->d->proc, path, descriptor, h);
	if (h->found && doctor_line(h->d->proc, name, sizeof(name), "%d/comm", h->pid) > 0)
		add(h->names, "%s[%u]", name, h->pid);
}

/* Those of all protocols; DHCP and the like take their own and cost nothing. */
static void packet_sockets(struct doctor *d, const struct check *c)
{
	char *text = doctor_text(d->proc, d->fixture ? "net/packet" : "self/net/packet");
	char *line = text ? strchr(text, '\n') : NULL;
	struct holders h = { .d = d };
	unsigned int proto, index;
	unsigned long inode;

	for (; line && line[1] && h.nr < MAX_SOCKETS; line = strchr(line + 1, '\n'))
		if (sscanf(line + 1, "%*s %*d %*d %x %u %*d %*d %*d %lu", &proto, &index,
			   &inode) == 3 && proto == 3 && (!index || index == d->on.index))
			h.inodes[h.nr++] = inode;
	free(text);
	if (!h.nr)
		return;
	doctor_names(d->proc, ".", process, &h);	/* once: a host can have many */
	doctor_say(d, c, LEVEL_NOTE, "%s", h.names[0] ? h.names : "one of a process that cannot "
		   "be seen from here");
}

/* ---- captures of ours, which have published what they do ---- */

struct ours {
	struct doctor *d;
	char names[NAMES_SIZE];
};

/* "tap:eth0?hook=xdp", "eth0" */
static bool is_at(const char *spec, const char *iface)
{
	const char *colon = strchr(spec, ':');
	size_t len = strlen(iface);

	spec = colon ? colon + 1 : spec;
	return !strncmp(spec, iface, len) && (!spec[len] || spec[len] == '?');
}

static int capture(void *user, const struct running_account *a)
{
	struct ours *ours = user;

	for (uint32_t i = 0; i < a->nr_sources && i < RUNNING_SOURCES; i++)
		if (is_at(a->sources[i].spec, ours->d->on.name)) {
			add(ours->names, "%.32s[%u]", a->command, a->pid);
			break;
		}
	return 0;
}

static void xcap_captures(struct doctor *d, const struct check *c)
{
	struct ours ours = { .d = d };

	if (!d->fixture)
		running_list(capture, &ours);
	if (ours.names[0])
		doctor_say(d, c, LEVEL_NOTE, "%s", ours.names);
}

const struct check other_checks[] = {
	{ "xdp_program", xdp_program, "xsk: and tap:?hook=xdp find the place taken", BY_HAND,
	  NULL, 0, 0 },
	{ "tc_programs", tc_programs, "they can change or take packets before tap: sees them",
	  BY_HAND, NULL, 0, 0 },
	{ "captures", packet_sockets, "each packet is handed to them as well", BY_HAND,
	  NULL, 0, 0 },
	{ "xcap", xcap_captures, "they share the cores with the next; xcap balance captures once "
	  "for many", BY_HAND, NULL, 0, 0 },
	{ 0 }
};
