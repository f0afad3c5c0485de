// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  who is behind them, as members of their objects; what is not known is left out.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <string.h>
#include <xcap.h>
#include "json.h"

static void put_text(struct json *j, const char *key, const char *text)
{
	if (text && *text)
		json_text(j, key, text);
}

static void put_process(struct json *j, const struct xcap_process *p)
{
	if (p->ppid)
		json_unsigned(j, "ppid", p->ppid);
	if (p->start_ns)
		json_time(j, "started", p->start_ns);
	put_text(j, "exe", p->exe);
	if (!p->args_len)
		return;
	json_open(j, "cmdline", '[');
	for (__u32 at = 0, len; at < p->args_len; at += len + 1) {
		len = strnlen(p->args + at, p->args_len - at);
		json_bytes(j, NULL, p->args + at, len);
	}
	json_close(j, ']');
}

static void put_cgroup(struct json *j, const struct xcap_cgroup *g)
{
	put_text(j, "cgroup", g->path);
	put_text(j, "runtime", g->runtime);
	put_text(j, "container", g->container);
	put_text(j, "container_name", g->container_name);
	put_text(j, "pod", g->pod);
	put_text(j, "unit", g->unit);
}

void json_owner(struct json *j, const struct xcap_record *rec)
{
	/* 0 is the idle task, which has no id, or a packet's that is not known */
	if (rec->pid || rec->type == XCAP_SWITCH)
		json_unsigned(j, "pid", rec->pid);
	if (rec->tid || rec->type == XCAP_SWITCH)
		json_unsigned(j, "tid", rec->tid);
	if (rec->comm[0])
		json_bytes(j, "comm", rec->comm, sizeof(rec->comm));
	if (rec->comm[0] && rec->uid != XCAP_UID_UNKNOWN) {
		json_unsigned(j, "uid", rec->uid);
		put_text(j, "user", xcap_user_name(rec->uid));
	}
	if (rec->type == XCAP_PACKET)
		put_text(j, "owner", xcap_owner_name(rec->owner));
	if (rec->process)
		put_process(j, rec->process);
	/* a double does not hold it */
	if (rec->cgroup_id)
		json_format(j, "cgroup_id", "%llu", rec->cgroup_id);
	if (rec->cgroup)
		put_cgroup(j, rec->cgroup);
}
