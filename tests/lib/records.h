/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a seed.
 * Out:  random records of every kind, and whether two are the same.
 * Owns: the bytes of what it made last: one record at a time.
 * Runs on: one thread.
 */
#ifndef XCAP_TEST_RECORDS_H
#define XCAP_TEST_RECORDS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <xcap.h>

#define RECORDS_EPOCH 1700000000000000000ll

#define RECORDS_PIDS 64

struct records {
	uint64_t state;
	int64_t wall_ns;
	uint64_t args[6];
	uint8_t data[4096];
	struct xcap_process process;
	struct xcap_cgroup cgroup;
	char exe[64], cmdline[700], path[64];
	int64_t start_ns[RECORDS_PIDS];		/* of who has the pid now */
	uint32_t program[RECORDS_PIDS];		/* that it runs */
};

static inline uint64_t records_random(struct records *s)
{
	s->state ^= s->state << 13;
	s->state ^= s->state >> 7;
	s->state ^= s->state << 17;
	return s->state;
}

static inline void records_seed(struct records *s, uint64_t seed)
{
	s->state = seed * 2654435769u + 1;
	s->wall_ns = RECORDS_EPOCH;
	memset(s->start_ns, 0, sizeof(s->start_ns));
	memset(s->program, 0, sizeof(s->program));
}

/* Few pids, which are used again and run one program after the other. */
static inline void records_process(struct records *s, struct xcap_record *r)
{
	uint32_t i = records_random(s) % RECORDS_PIDS, kind = records_random(s) % 16, len;

	r->pid = 100 + i;
	if (!s->start_ns[i] || !kind)
		s->start_ns[i] = s->wall_ns;
	if (kind < 3)
		s->program[i] = records_random(s) % 4;
	s->exe[0] = '\0';
	if (s->program[i])
		snprintf(s->exe, sizeof(s->exe), "/usr/bin/program-%u", s->program[i]);
	len = s->program[i] * 200;
	memset(s->cmdline, 'a', sizeof(s->cmdline));
	for (uint32_t at = 7; at < len; at += 7)
		s->cmdline[at] = 0;
	if (len)
		s->cmdline[len - 1] = 0;
	s->process = (struct xcap_process) {
		.pid = r->pid, .ppid = s->program[i] + 1, .start_ns = s->start_ns[i],
		.exe = s->exe, .args = s->cmdline, .args_len = len,
	};
	r->process = kind == 15 ? NULL : &s->process;
	s->cgroup = (struct xcap_cgroup) {
		.id = 1 + s->program[i] % 2, .path = s->path, .runtime = "docker", .pod = "",
		.container = "0123456789ab", .container_name = "web", .unit = "docker.service",
	};
	r->cgroup_id = s->cgroup.id;
	snprintf(s->path, sizeof(s->path), "/docker/%u", (uint32_t)r->cgroup_id);
	r->cgroup = kind == 14 ? NULL : &s->cgroup;
}

static inline void records_task(struct records *s, struct xcap_record *r)
{
	r->tid = records_random(s);
	r->uid = records_random(s) % 70000;
	if (records_random(s) % 2) {
		records_process(s, r);
	} else {
		r->pid = 1000 + (uint32_t)records_random(s) % 1000000000;
		r->cgroup_id = 3 + records_random(s) % 1000000000000;
	}
	snprintf(r->comm, sizeof(r->comm), "task-%u", r->pid % 1000000000);
}

static inline void records_packet(struct records *s, struct xcap_record *r)
{
	r->direction = records_random(s) % 3;
	r->len = records_random(s) % (sizeof(s->data) + 1);
	r->caplen = records_random(s) % 4 ? r->len : r->len / 2;
	for (uint32_t i = 0; i < r->caplen; i++)
		s->data[i] = records_random(s);
	r->data = s->data;
	r->packet.linktype = XCAP_LINK_ETHERNET;
	r->packet.queue = records_random(s) % 4;
	if (records_random(s) % 2) {
		records_task(s, r);
		r->owner = records_random(s) % (XCAP_OWNER_CLOSED + 1);
		r->packet.cookie = records_random(s);
	}
}

/* Of any probe, and of none; what it tells may be too short for it. */
static inline void records_probe(struct records *s, struct xcap_record *r)
{
	r->probe.id = records_random(s) % 20;
	r->probe.cookie = records_random(s);
	r->caplen = r->len = records_random(s) % 600;
	for (uint32_t i = 0; i < r->caplen; i++)
		s->data[i] = records_random(s);
	r->data = s->data;
}

/* The next one, a little later than the last. */
static inline void records_next(struct records *s, struct xcap_record *r)
{
	memset(r, 0, sizeof(*r));
	r->type = 1 + records_random(s) % XCAP_PROBE;
	r->wall_ns = s->wall_ns += records_random(s) % 100000;
	r->cpu = records_random(s);
	r->flags = records_random(s) % 8 ? 0 : XCAP_REC_LATE;
	if (r->type == XCAP_PACKET) {
		records_packet(s, r);
		return;
	}
	if (r->type == XCAP_LOSS) {
		r->loss.count = records_random(s);
		r->loss.where = records_random(s) % XCAP_DROP_MAX;
		return;
	}
	records_task(s, r);
	if (r->type == XCAP_PROBE) {
		records_probe(s, r);
		return;
	}
	if (r->type == XCAP_SWITCH) {
		r->sw.next_pid = records_random(s);
		r->sw.next_tid = records_random(s);
		r->sw.prev_state = records_random(s);
		r->sw.next_prio = records_random(s);
		snprintf(r->sw.next_comm, sizeof(r->sw.next_comm), "next");
		return;
	}
	r->flags |= records_random(s) % 2 ? XCAP_REC_COMPAT : 0;
	if (r->type == XCAP_SYS_ENTER) {
		r->enter.nr = records_random(s) % 600;
		for (int i = 0; i < 6; i++)
			s->args[i] = records_random(s);
		r->enter.args = (const __u64 *)s->args;
	} else {
		r->exit.nr = records_random(s) % 600;
		r->exit.ret = records_random(s);
	}
}

static inline const char *records_differ_by_type(const struct xcap_record *a,
						 const struct xcap_record *b)
{
	switch (a->type) {
	case XCAP_PACKET:
		return a->caplen != b->caplen || a->len != b->len ? "length" :
		       memcmp(a->data, b->data, a->caplen) ? "bytes" :
		       a->direction != b->direction ? "direction" :
		       a->packet.linktype != b->packet.linktype ? "linktype" :
		       a->packet.cookie != b->packet.cookie ? "cookie" :
		       a->owner != b->owner ? "owner" :
		       a->packet.queue != b->packet.queue ? "queue" : NULL;
	case XCAP_SYS_ENTER:
		return a->enter.nr != b->enter.nr ? "nr" :
		       (uintptr_t)b->enter.args & 7 ? "alignment" :
		       memcmp(a->enter.args, b->enter.args, 48) ? "args" : NULL;
	case XCAP_SYS_EXIT:
		return a->exit.nr != b->exit.nr ? "nr" : a->exit.ret != b->exit.ret ? "ret" : NULL;
	case XCAP_SWITCH:
		return memcmp(&a->sw, &b->sw, sizeof(a->sw)) ? "switch" : NULL;
	case XCAP_PROBE:
		return a->probe.id != b->probe.id ? "probe" :
		       a->probe.cookie != b->probe.cookie ? "cookie" :
		       a->caplen != b->caplen ? "length" :
		       b->caplen && (uintptr_t)b->data & 7 ? "alignment" :
		       b->caplen && memcmp(a->data, b->data, a->caplen) ? "bytes" : NULL;
	case XCAP_LOSS:
		return a->loss.count != b->loss.count ? "count" :
		       a->loss.where != b->loss.where ? "where" : NULL;
	}
	return "an unknown type";
}

/* Return: NULL: the same but for mono_ns and source; else what differs. */
static inline const char *records_differ(const struct xcap_record *a, const struct xcap_record *b)
{
	return a->type != b->type ? "type" :
	       a->wall_ns != b->wall_ns ? "wall_ns" :
	       (a->cpu & 0xffff) != b->cpu ? "cpu" :
	       a->flags != b->flags ? "flags" :
	       a->pid != b->pid || a->tid != b->tid || a->uid != b->uid ? "ids" :
	       a->cgroup_id != b->cgroup_id ? "cgroup" :
	       memcmp(a->comm, b->comm, sizeof(a->comm)) ? "comm" :
	       records_differ_by_type(a, b);
}

/* Return: NULL: the same process and the same cgroup, or none; else what differs. */
static inline const char *records_differ_by_process(const struct xcap_record *a,
						    const struct xcap_record *b)
{
	const struct xcap_process *p = a->process, *q = b->process;
	const struct xcap_cgroup *g = a->cgroup, *h = b->cgroup;

	if (!p != !q)
		return p ? "process, which is gone" : "process, which came from nowhere";
	if (p && (p->pid != q->pid || p->ppid != q->ppid || p->start_ns != q->start_ns))
		return p->start_ns != q->start_ns ? "start" : "pid";
	if (p && (strcmp(p->exe, q->exe) || p->args_len != q->args_len ||
		  memcmp(p->args, q->args, p->args_len)))
		return strcmp(p->exe, q->exe) ? "exe" : "args";
	if (g && (!h || g->id != h->id || strcmp(g->path, h->path) ||
		  strcmp(g->runtime, h->runtime) || strcmp(g->container, h->container) ||
		  strcmp(g->container_name, h->container_name) || strcmp(g->pod, h->pod) ||
		  strcmp(g->unit, h->unit)))
		return "cgroup";
	return NULL;
}

#endif
