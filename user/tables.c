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

#define NR_RECENT 256			/* flows; a power of two */
#define ASK_NS (100 * NS_PER_MS)	/* how often addresses are asked for */

/*
 * Who was found for a flow. It is so for whatever comes later, until the tables change: then
 * nr_applied or what the owners learned from packets has; or until until_ns.
 */
struct named {
	struct owner_flow flow;
	uint64_t state;			/* 0: never was */
	int64_t from_ns, until_ns;
	uint32_t pid, tid, uid;
	uint8_t how;			/* XCAP_OWNER_ */
	char comm[16];
	uint64_t cgroup_id;
	const struct xcap_cgroup *cgroup;
	const struct xcap_process *process;
};

struct tables {
	struct epoch epoch;
	struct tasks *tasks;
	struct processes *processes;
	struct cgroups *cgroups;
	struct owners *owners;		/* NULL: no packet wants one */
	int64_t asked_ns;		/* when the addresses of this host were asked for */
	bool follows;			/* somebody */
	uint64_t nr_applied;		/* records, and 1 */
	struct named recent[NR_RECENT];
};

struct tables *tables_new(bool sockets)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->nr_applied = 1;
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

	t->nr_applied++;
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
	} else if (rec->cgroup_id) {	/* a probe's: it brings the name */
		rec->cgroup = cgroups_get(t->cgroups, rec->cgroup_id);
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

static void name_owner(struct tables *t, int64_t mono_ns, const struct owner *o, struct named *as)
{
	const struct task_name *n = tasks_at(t->tasks, o->tid, mono_ns);

	as->pid = o->pid;
	as->tid = o->tid;
	as->how = o->how;
	as->uid = n ? n->uid : o->uid;
	as->cgroup_id = n ? n->cgroup_id : o->cgroup_id;
	memcpy(as->comm, n ? n->comm : o->comm, sizeof(as->comm));
	as->cgroup = cgroups_get(t->cgroups, as->cgroup_id);
	as->process = process_of(t, o, mono_ns);
}

static void put_owner(struct xcap_record *rec, const struct named *as)
{
	rec->pid = as->pid;
	rec->tid = as->tid;
	rec->owner = as->how;
	rec->uid = as->uid;
	rec->cgroup_id = as->cgroup_id;
	memcpy(rec->comm, as->comm, sizeof(rec->comm));
	rec->cgroup = as->cgroup;
	rec->process = as->process;
	rec->trees = processes_trees(rec->process);
}

/*
 * These two are run for each packet, right after the flow is written: what is read in one piece was
 * written in one piece, or the CPU waits until it has arrived in the cache.
 */
static inline uint64_t word(const uint8_t *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

static inline struct named *recent(struct tables *t, const struct owner_flow *flow)
{
	/* no product waits for another */
	uint64_t h = flow->cookie * 0x9e3779b97f4a7c15 + flow->netns * 0xbf58476d1ce4e5b9 +
		     flow->ifindex * 0x94d049bb133111eb + flow->protocol * 0xd6e8feb86659fd93 +
		     flow->out * 0xff51afd7ed558ccd + flow->src_port * 0xc4ceb9fe1a85ec53 +
		     flow->dst_port * 0xa0761d6478bd642f + word(flow->src) * 0xe7037ed1a0b428db +
		     word(flow->src + 8) * 0x8ebc6af09c88c6e3 +
		     word(flow->dst) * 0x589965cc75374cc3 +
		     word(flow->dst + 8) * 0x1d8e4e27c47d124f;

	return &t->recent[(h ^ h >> 29) >> 24 & (NR_RECENT - 1)];
}

static inline bool is_same(const struct owner_flow *a, const struct owner_flow *b)
{
	return a->cookie == b->cookie && a->netns == b->netns && a->ifindex == b->ifindex &&
	       a->protocol == b->protocol && a->out == b->out && a->src_port == b->src_port &&
	       a->dst_port == b->dst_port && word(a->src) == word(b->src) &&
	       word(a->src + 8) == word(b->src + 8) && word(a->dst) == word(b->dst) &&
	       word(a->dst + 8) == word(b->dst + 8);
}

/* Return: *as says who it is, or that nobody is known. */
static void find_owner(struct tables *t, const struct owner_flow *flow, int64_t mono_ns,
		       struct named *as)
{
	struct owner o;
	bool sure, found;

	found = owners_find(t->owners, flow, mono_ns, &o, &sure);
	if (!sure && ask_addresses(t, flow->netns, mono_ns))
		found = owners_find(t->owners, flow, mono_ns, &o, &sure);
	as->how = XCAP_OWNER_NONE;
	if (found)
		name_owner(t, mono_ns, &o, as);
	/* what it taught the table is part of the state that the answer is of */
	as->state = t->nr_applied + owners_nr_learned(t->owners);
	as->from_ns = mono_ns;
	as->until_ns = sure ? INT64_MAX : t->asked_ns + ASK_NS;
	as->flow = *flow;
}

void tables_unsure(struct tables *t, int64_t mono_ns)
{
	t->nr_applied++;
	owners_unsure(t->owners, mono_ns);
}

void tables_own_socket(struct tables *t, struct xcap_record *rec, uint64_t cookie)
{
	struct owner_flow flow = { .cookie = cookie, .out = true };
	struct named as;

	if (!t->owners)
		return;
	find_owner(t, &flow, rec->mono_ns, &as);
	if (as.how != XCAP_OWNER_NONE)
		put_owner(rec, &as);
}

void tables_own(struct tables *t, struct xcap_record *rec, uint64_t netns, bool loopback)
{
	struct owner_flow flow = {
		.cookie = rec->packet.cookie,
		.netns = netns,
		.ifindex = rec->ifindex,
		.out = loopback || rec->direction == XCAP_DIR_OUT,
	};
	struct named *as;

	if (!t->owners)
		return;
	if (!flow_parse(rec, &flow))
		flow.protocol = 0;
	as = recent(t, &flow);
	if (as->state != t->nr_applied + owners_nr_learned(t->owners) ||
	    rec->mono_ns < as->from_ns || rec->mono_ns >= as->until_ns ||
	    !is_same(&as->flow, &flow))
		find_owner(t, &flow, rec->mono_ns, as);
	if (as->how != XCAP_OWNER_NONE)
		put_owner(rec, as);
	if (loopback && t->follows && flow.protocol)
		rec->trees |= trees_of_receiver(t, &flow, rec->mono_ns);
}
