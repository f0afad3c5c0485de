// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   routes, the user's ssh connection, what interfaces are parts of.
 * Out:  whether the host hangs on an interface, by itself or by one that it is part of.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "doctor.h"

#define DEPTH 4			/* a VLAN of a bridge of a bond */
#define ANCESTORS 64
#define NR_CARRIERS 64
#define TRIES 7			/* for a dump that nothing comes in between of */

struct carriers {
	struct { unsigned int index; const char *what; } v[NR_CARRIERS];
	int nr;
	const char *what;	/* of those being added */
	bool unknown;		/* there may be more than these */
};

static void add(struct carriers *c, unsigned int index)
{
	c->unknown |= c->nr == NR_CARRIERS;
	if (index && c->nr < NR_CARRIERS) {
		c->v[c->nr].index = index;
		c->v[c->nr++].what = c->what;
	}
}

/* A route: that of the answer, or a default of a dump; with all its next hops. */
static int route(const struct nlmsghdr *nlh, void *user)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct carriers *c = user;
	struct nlattr *attr;

	if (nlh->nlmsg_flags & NLM_F_MULTI && (m->rtm_dst_len || m->rtm_type != RTN_UNICAST))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*m)) {
		if (mnl_attr_get_type(attr) == RTA_OIF && !mnl_attr_validate(attr, MNL_TYPE_U32))
			add(c, mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH) {
			const struct rtnexthop *nh = mnl_attr_get_payload(attr);
			int left = mnl_attr_get_payload_len(attr);

			for (; RTNH_OK(nh, left); left -= NLMSG_ALIGN(nh->rtnh_len),
			     nh = RTNH_NEXT(nh))
				add(c, nh->rtnh_ifindex);
		}
	}
	return MNL_CB_OK;
}

/* to NULL: all, and the defaults of them are taken */
static int ask_once(struct carriers *c, int family, const void *to)
{
	size_t len = family == AF_INET ? 4 : 16;
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *m;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | (to ? NLM_F_ACK : NLM_F_DUMP);
	m = mnl_nlmsg_put_extra_header(nlh, sizeof(*m));
	m->rtm_family = family;
	if (to) {
		m->rtm_dst_len = len * 8;
		mnl_attr_put(nlh, RTA_DST, len, to);
	}
	return netlink_talk(NETLINK_ROUTE, nlh, route, c);
}

/* Who is not told all cannot say that the host does not hang on an interface. */
static void ask(struct carriers *c, int family, const void *to)
{
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++)
		err = ask_once(c, family, to);
	c->unknown |= !to && err && err != -EAFNOSUPPORT && err != -EOPNOTSUPP;
}

/* "SSH_CONNECTION=client port server port" in an environment. Return: the client's address. */
static bool ssh_client(int proc, int pid, char client[64])
{
	static const char name[] = "SSH_CONNECTION=";
	char path[64], *env = malloc(1 << 20);
	ssize_t n = -1, at = 0;
	bool found = false;
	int fd;

	snprintf(path, sizeof(path), "%d/environ", pid);
	fd = env ? openat(proc, path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		n = read(fd, env, (1 << 20) - 1);
		close(fd);
	}
	for (; at < n && !found; at += strlen(env + at) + 1) {
		env[n] = '\0';
		found = !strncmp(env + at, name, sizeof(name) - 1) &&
			sscanf(env + at + sizeof(name) - 1, "%63s", client) == 1;
	}
	free(env);
	return found;
}

static int parent(int proc, int pid)
{
	char line[512], *end;
	int up = 0;

	if (doctor_line(proc, line, sizeof(line), "%d/stat", pid) < 0)
		return 0;
	end = strrchr(line, ')');	/* the name before it may hold anything */
	return end && sscanf(end + 1, " %*c %d", &up) == 1 ? up : 0;
}

/* Ours or an ancestor's: sudo takes it from us. */
static void ssh(struct doctor *d, struct carriers *c)
{
	uint8_t addr[16];
	char client[64];
	int pid = getpid();

	for (int i = 0; i < ANCESTORS && pid > 0; i++, pid = parent(d->proc, pid)) {
		if (!ssh_client(d->proc, pid, client))
			continue;
		client[strcspn(client, "%")] = '\0';
		if (inet_pton(AF_INET, client, addr) == 1)
			ask(c, AF_INET, addr);
		else if (inet_pton(AF_INET6, client, addr) == 1)
			ask(c, AF_INET6, addr);
		return;
	}
}

struct climb {
	struct doctor *d;
	const struct carriers *c;
	int depth;
};

static void climb(struct doctor *d, const struct carriers *c, const char *name, int depth);

static void upper(void *user, const char *name)
{
	struct climb *up = user;

	if (!strncmp(name, "upper_", 6))
		climb(up->d, up->c, name + 6, up->depth + 1);
}

static void climb(struct doctor *d, const struct carriers *c, const char *name, int depth)
{
	struct climb up = { d, c, depth };
	unsigned int index = if_nametoindex(name);
	char path[64];

	for (int i = 0; i < c->nr && !d->on.carries_host; i++) {
		if (!index || c->v[i].index != index)
			continue;
		d->on.carries_host = true;
		snprintf(d->on.carries, sizeof(d->on.carries), "%s%s%.15s%s", c->v[i].what,
			 depth ? ", by " : "", depth ? name : "", depth ? "," : "");
	}
	snprintf(path, sizeof(path), "class/net/%.15s", name);
	if (depth < DEPTH)
		doctor_names(d->sys, path, upper, &up);
}

void doctor_carries(struct doctor *d)
{
	struct carriers c = { .what = "the default route" };

	d->on.carries_host = false;
	d->on.carries[0] = '\0';
	if (d->fixture)
		return;
	ask(&c, AF_INET, NULL);
	ask(&c, AF_INET6, NULL);
	c.what = "your ssh connection";
	ssh(d, &c);
	climb(d, &c, d->on.name, 0);
	if (!c.unknown || d->on.carries_host)
		return;
	d->on.carries_host = true;
	strcpy(d->on.carries, "perhaps the default route");
}
