// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records for the tables, and those that are joined with them, in stream order.
 * Out:  records that know their task, process and cgroup.
 * Owns: the tables.
 * Runs on: the thread of the handle.
 */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "cgroups.h"
#include "clock.h"
#include "flow.h"
#include "owner.h"
#include "processes.h"
#include "tables.h"
#include "tasks.h"

#define ASK_NS (100 * NS_PER_MS)	/* how often addresses are asked for */

struct tables {
	struct epoch epoch;
	struct tasks *tasks;
	struct processes *processes;
	struct cgroups *cgroups;
	struct owners *owners;		/* NULL: no packet wants one */
	int64_t asked_ns;		/* when the addresses of this host were asked for */
	bool follows;			/* somebody */
};

struct tables *tables_new(bool sockets)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->tasks = tasks_new();
	t->processes = processes_new(&t->epoch);
	t->cgroups = cgroups_new();
	t->owners = sockets ? owners_new() : NULL;
	if (t->tasks && t->processes && t->cgroups && (t->owners || !sockets))
		return t;
	tables_free(t);
	return NULL;
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	tasks_free(t->tasks);
	processes_free(t->processes);
	cgroups_free(t->cgroups);
	owners_free(t->owners);
	epoch_close(&t->epoch);
	free(t);
}

struct epoch *tables_epoch(struct tables *t)
{
	return &t->epoch;
}

/* ---- filling ---- */

static void apply_image(struct tables *t, const struct xcap_ev_image *ev, uint32_t len)
{
	if (len >= sizeof(*ev) && ev->exe_len && ev->exe_len <= XCAP_IMAGE_EXE &&
	    ev->args_len <= XCAP_IMAGE_ARGS && len - sizeof(*ev) >= ev->exe_len + ev->args_len)
		processes_image(t->processes, ev);
}

static void apply_cgroup(struct tables *t, const struct xcap_ev_cgroup *ev, uint32_t len)
{
	if (len >= sizeof(*ev) && len - sizeof(*ev) >= ev->path_len)
		cgroups_apply(t->cgroups, ev);
}

static void apply_sock(struct tables *t, const struct xcap_ev_sock *ev)
{
	const struct task_name *n = tasks_at(t->tasks, ev->ev.tid, ev->ev.mono_ns);

	owners_apply(t->owners, ev, n ? n->comm : NULL);
}

/* The rings are written by our programs; what does not fit its own size is left alone. */
void tables_apply(struct tables *t, const struct xcap_record *rec)
{
	const void *ev = rec->data;

	switch (rec->type) {
	case XEV_TASK:
		if (rec->caplen < sizeof(struct xcap_ev_task))
			return;
		tasks_apply(t->tasks, ev);
		processes_task(t->processes, ev);
		return;
	case XEV_IMAGE:
		apply_image(t, ev, rec->caplen);
		return;
	case XEV_CGROUP:
		apply_cgroup(t, ev, rec->caplen);
		return;
	case XEV_SOCK:
		if (t->owners && rec->caplen >= sizeof(struct xcap_ev_sock))
			apply_sock(t, ev);
	}
}

/* ---- joining ---- */

static void join_switch(struct tables *t, struct xcap_record *rec)
{
	const struct task_name *n = tasks_at(t->tasks, rec->sw.next_tid, rec->mono_ns);

	if (n)
		memcpy(rec->sw.next_comm, n->comm, sizeof(rec->sw.next_comm));
	rec->trees |= processes_trees(processes_at(t->processes, rec->sw.next_pid, rec->mono_ns));
}

void tables_follow(struct tables *t, const uint32_t *pids, int nr)
{
	processes_follow(t->processes, pids, nr);
	t->follows = nr;
}

int tables_followed(const struct tables *t)
{
	return processes_followed(t->processes);
}

void tables_join(struct tables *t, struct xcap_record *rec)
{
	const struct task_name *n = tasks_at(t->tasks, rec->tid, rec->mono_ns);

	if (n) {
		memcpy(rec->comm, n->comm, sizeof(rec->comm));
		rec->cgroup_id = n->cgroup_id;
		rec->uid = n->uid;
		rec->cgroup = cgroups_get(t->cgroups, n->cgroup_id);
	}
	rec->process = processes_at(t->processes, rec->pid, rec->mono_ns);
	rec->trees = processes_trees(rec->process);
	if (rec->type == XCAP_SWITCH)
		join_switch(t, rec);
}

/* ---- owners ---- */

/*
 * What is bound to any address takes packets to this host's own, which may change at any time.
 * Return: true: there may be new ones.
 */
static bool ask_addresses(struct tables *t, uint64_t netns, int64_t now_ns)
{
	struct ifaddrs *list, *a;

	if (t->asked_ns && now_ns - t->asked_ns < ASK_NS)
		return false;
	t->asked_ns = now_ns;
	if (getifaddrs(&list))
		return false;
	for (a = list; a; a = a->ifa_next) {
		uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
			memcpy(bytes + 12, &((struct sockaddr_in *)a->ifa_addr)->sin_addr, 4);
		else if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET6)
			memcpy(bytes, &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr, 16);
		else
			continue;
		owners_add_address(t->owners, netns, bytes);
	}
	freeifaddrs(list);
	return true;
}

/* The one that used the socket: its number may be another's by now. */
static const struct xcap_process *process_of(struct tables *t, const struct owner *o,
					     int64_t mono_ns)
{
	const struct xcap_process *now = processes_at(t->processes, o->pid, mono_ns);
	const struct xcap_process *then = processes_at(t->processes, o->pid, o->from_ns);

	return now && then && now->start_ns != then->start_ns ? then : now;
}

/* Both ends of a packet on lo are here, and who is followed may be the other one. */
static uint32_t trees_of_receiver(struct tables *t, const struct owner_flow *flow,
				  int64_t mono_ns)
{
	struct owner_flow in = *flow;
	struct owner o;
	bool sure;

	in.cookie = 0;
	in.out = false;
	return owners_find(t->owners, &in, mono_ns, &o, &sure) ?
	       processes_trees(process_of(t, &o, mono_ns)) : 0;
}

static void name_owner(struct tables *t, struct xcap_record *rec, const struct owner *o)
{
	const struct task_name *n = tasks_at(t->tasks, o->tid, rec->mono_ns);

	rec->pid = o->pid;
	rec->tid = o->tid;
	rec->owner = o->how;
	rec->uid = n ? n->uid : o->uid;
	rec->cgroup_id = n ? n->cgroup_id : o->cgroup_id;
	memcpy(rec->comm, n ? n->comm : o->comm, sizeof(rec->comm));
	rec->cgroup = cgroups_get(t->cgroups, rec->cgroup_id);
	rec->process = process_of(t, o, rec->mono_ns);
	rec->trees = processes_trees(rec->process);
}

void tables_own(struct tables *t, struct xcap_record *rec, uint64_t netns, bool loopback)
{
	struct owner_flow flow = {
		.cookie = rec->packet.cookie,
		.netns = netns,
		.ifindex = rec->ifindex,
		.out = loopback || rec->direction == XCAP_DIR_OUT,
	};
	struct owner o;
	bool sure, found;

	if (!t->owners)
		return;
	if (!flow_parse(rec, &flow))
		flow.protocol = 0;
	found = owners_find(t->owners, &flow, rec->mono_ns, &o, &sure);
	if (!sure && ask_addresses(t, netns, rec->mono_ns))
		found = owners_find(t->owners, &flow, rec->mono_ns, &o, &sure);
	if (found)
		name_owner(t, rec, &o);
	if (loopback && t->follows && flow.protocol)
		rec->trees |= trees_of_receiver(t, &flow, rec->mono_ns);
}
