/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a program of a probe that has something to tell, or to add up.
 * Out:  a probe record in the ring of the CPU; a row of totals, which the library reads.
 * Owns: the maps of totals.
 * Runs on: any context: programs of one object may interrupt one another, so counters are atomic.
 *
 * A probe is an object of this shape: programs, of which all are attached; or one program "once",
 * an iterator, that is read. The library finds cfg, ctl and totals by their names.
 */
#ifndef PROBE_BPF_H
#define PROBE_BPF_H

#define EMIT_INTERRUPTED
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"

const volatile struct probe_cfg cfg = {};

#include "calls.bpf.h"
#include "task.bpf.h"

/* ---- records ---- */

/* size: of what the probe has to say, a constant. Return: NULL: no room, which is counted. */
static __always_inline struct xcap_ev_probe *probe_reserve(struct emit *e, const __u64 size)
{
	struct xcap_ev_probe *r;

	if (!emit_begin(e))
		return NULL;
	r = emit_reserve(e, sizeof(*r) + size);
	if (!r)
		return NULL;
	emit_stamp(e, &r->ev, XEV_PROBE, sizeof(*r) + size);
	r->probe = cfg.probe;
	r->uid = -1;
	r->cookie = 0;
	r->cgroup_id = 0;
	__builtin_memset(r->comm, 0, sizeof(r->comm));
	return r;
}

/* Who did it. */
static __always_inline void probe_task(struct xcap_ev_probe *r, struct task_struct *task)
{
	stamp_task(&r->ev, task);
	r->uid = BPF_CORE_READ(task, cred, uid.val);
	r->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_probe_read_kernel_str(r->comm, sizeof(r->comm), task->comm);
}

#define EEXIST 17

/*
 * map: a key of what has been told, value __u8. Until 6.4 only the lower half of what the helper
 * returns is defined. Return: false: the key was there already.
 */
static __always_inline bool probe_is_first(void *map, const void *key)
{
	__u8 yes = 1;

	return (int)bpf_map_update_elem(map, key, &yes, BPF_NOEXIST) != -EEXIST;
}

/* ---- totals ---- */

/* pid 0: of nobody. What else tells rows apart is the probe's own. */
struct probe_key {
	__u32 pid;
	__u32 what[3];
};

__u64 table_full = 0;	/* .bss: things that no row was left for */

/* In a row the layout stands where the record's data does. */
#pragma clang diagnostic ignored "-Wgnu-variable-sized-type-not-at-end"

/*
 * PROBE_TOTALS(row, nr), behind tree.bpf.h: key as above, value the record as it will be read; as
 * long as it is in the table, its mono_ns counts how often it has changed. Programs write, the
 * library reads. Full: counted in table_full.
 *
 * The array is what a row begins as: zeros, which nobody writes.
 */
#define PROBE_TOTALS(row_type, nr)						\
struct total {									\
	struct xcap_ev_probe head;						\
	row_type row;								\
};										\
struct {									\
	__uint(type, BPF_MAP_TYPE_HASH);					\
	__uint(max_entries, nr);						\
	__type(key, struct probe_key);						\
	__type(value, struct total);						\
} totals SEC(".maps");								\
struct {									\
	__uint(type, BPF_MAP_TYPE_ARRAY);					\
	__uint(max_entries, 1);							\
	__type(key, __u32);							\
	__type(value, struct total);						\
} blank SEC(".maps");								\
										\
/* What is asked for, as far as it can be told here. */				\
static __always_inline bool probe_wants(struct task_struct *task)		\
{										\
	__u64 comm[2] = {};							\
										\
	if (!tree_has(task->tgid))						\
		return false;							\
	if (!cfg.by_comm)							\
		return true;							\
	bpf_probe_read_kernel_str(comm, sizeof(comm),				\
				  BPF_CORE_READ(task, group_leader, comm));	\
	return comm[0] == cfg.comm[0] && comm[1] == cfg.comm[1];		\
}										\
										\
/*										\
 * The row of the key, of that task's process or of nobody (NULL).		\
 * Return: NULL: no room, or it is not asked for.				\
 */										\
static __always_inline struct total *probe_total(struct probe_key *key,		\
						 struct task_struct *task)	\
{										\
	struct total *t = bpf_map_lookup_elem(&totals, key), *none;		\
	__u32 zero = 0;								\
										\
	if (likely(t))								\
		return t;							\
	if (task && !probe_wants(task))						\
		return NULL;							\
	none = bpf_map_lookup_elem(&blank, &zero);				\
	if (none)								\
		bpf_map_update_elem(&totals, key, none, BPF_NOEXIST);		\
	t = bpf_map_lookup_elem(&totals, key);					\
	if (!t) {								\
		__sync_fetch_and_add(&table_full, 1);				\
		return NULL;							\
	}									\
	t->head.ev.len = sizeof(*t);						\
	t->head.ev.type = XEV_PROBE;						\
	t->head.ev.cpu = 0xffff;						\
	t->head.probe = cfg.probe;						\
	t->head.uid = -1;							\
	if (task) {								\
		probe_task(&t->head, task);					\
		t->head.ev.tid = t->head.ev.pid;				\
		bpf_probe_read_kernel_str(t->head.comm, sizeof(t->head.comm),	\
					  BPF_CORE_READ(task, group_leader, comm));	\
	}									\
	return t;								\
}

static __always_inline void probe_changed(struct xcap_ev_probe *head)
{
	__sync_fetch_and_add(&head->ev.mono_ns, 1);
}

/* floor(log2(n)); 0 of 0 */
static __always_inline __u32 log2_of(__u64 n)
{
	__u32 r = 0;

	for (__u32 half = 32; half; half /= 2)
		if (n >> half) {
			n >>= half;
			r += half;
		}
	return r;
}

static __always_inline void probe_hist(struct xprobe_hist *h, __u64 ns)
{
	__u32 slot = log2_of(ns);

	__sync_fetch_and_add(&h->count, 1);
	__sync_fetch_and_add(&h->total_ns, ns);
	if (ns > h->max_ns)
		h->max_ns = ns;
	if (slot >= XPROBE_SLOTS)
		slot = XPROBE_SLOTS - 1;
	opaque(slot);
	if (slot < XPROBE_SLOTS)
		__sync_fetch_and_add(&h->slots[slot], 1);
}

#endif
