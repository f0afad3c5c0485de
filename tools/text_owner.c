// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  who is behind them: shortly on packets, and what more is known of them.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <string.h>
#include "text.h"

static void put_safe(FILE *out, const char *word, const char *s)
{
	if (!*s)
		return;
	fprintf(out, " %s", word);
	text_safe(out, s, strlen(s));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void text_owner(struct text *t, const struct xcap_record *rec)
{
	const char *exe = rec->process ? base_name(rec->process->exe) : "";
	__u32 id = rec->pid ? rec->pid : rec->tid;

	if (!id && !rec->comm[0])
		return;
	putc(' ', t->out);
	if (rec->comm[0])
		text_safe(t->out, rec->comm, sizeof(rec->comm));
	else
		text_safe(t->out, exe, strlen(exe));
	fprintf(t->out, "[%u]", id);
}

static void put_ids(struct text *t, const struct xcap_record *rec)
{
	const char *owner = rec->type == XCAP_PACKET ? xcap_owner_name(rec->owner) : NULL;
	const char *user = xcap_user_name(rec->uid);

	if (owner)
		fprintf(t->out, " by %s", owner);
	if (rec->type == XCAP_PACKET && rec->pid && rec->tid && rec->tid != rec->pid)
		fprintf(t->out, " tid %u", rec->tid);
	if (rec->type != XCAP_PACKET && rec->pid && rec->pid != rec->tid)
		fprintf(t->out, " pid %u", rec->pid);
	if (!rec->comm[0] || rec->uid == XCAP_UID_UNKNOWN)
		return;
	fprintf(t->out, " uid %u", rec->uid);
	if (user) {
		put_safe(t->out, "(", user);
		putc(')', t->out);
	}
}

/* "docker 4c01db0b339c (web)": ids as the runtimes' own tools show them. */
static void put_container(FILE *out, const struct xcap_cgroup *g)
{
	if (*g->container) {
		fprintf(out, " %s ", *g->runtime ? g->runtime : "container");
		text_safe(out, g->container, 12);
	}
	if (*g->container_name && strcmp(g->container_name, g->container)) {
		put_safe(out, "(", g->container_name);
		putc(')', out);
	}
	put_safe(out, "pod ", g->pod);
}

static void put_cgroup(struct text *t, const struct xcap_record *rec)
{
	const struct xcap_cgroup *g = rec->cgroup;

	if (g && *g->path)
		put_safe(t->out, "cgroup ", g->path);
	else if (rec->cgroup_id)
		fprintf(t->out, " cgroup %llu", rec->cgroup_id);
	if (g)
		put_container(t->out, g);
}

static void put_program(struct text *t, const struct xcap_process *p)
{
	if (p->ppid)
		fprintf(t->out, " ppid %u", p->ppid);
	put_safe(t->out, "exe ", p->exe);
	if (p->args_len)
		fputs(" args", t->out);
	for (__u32 at = 0, len; at < p->args_len; at += len + 1) {
		len = strnlen(p->args + at, p->args_len - at);
		putc(' ', t->out);
		text_safe(t->out, p->args + at, len);
	}
}

void text_more(struct text *t, const struct xcap_record *rec)
{
	put_ids(t, rec);
	put_cgroup(t, rec);
	if (t->verbose > 1 && rec->process)
		put_program(t, rec->process);
}
