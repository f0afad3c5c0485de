/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a program that has something to tell.
 * Out:  a record in the ring buffer of this CPU, or a drop counted.
 * Owns: the maps below; one set for each loaded object.
 * Runs on: whatever CPU the program runs on, preemption disabled.
 *
 * The only way a record is made: emit_begin(), emit_reserve(), fill every byte,
 * emit_submit(). Programs of one object never interrupt one another on a CPU
 * (task context with preemption off, or softirq), so the counters need no
 * atomics and times within one ring never step back. Objects of which that is not
 * true define EMIT_INTERRUPTED.
 */
#ifndef EMIT_BPF_H
#define EMIT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "xcap_event.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define barrier()	asm volatile("" ::: "memory")

/* Where programs of one object may interrupt one another, the counters take it. */
#ifdef EMIT_INTERRUPTED
#define emit_add(counter, n)	__sync_fetch_and_add(&(counter), n)
#define emit_take(counter)	__sync_lock_test_and_set(&(counter), 0)
#else
#define emit_add(counter, n)	((counter) += (n))
#define emit_take(counter)	({ __u64 n_ = (counter); (counter) = 0; n_; })
#endif

/* Keeps the compiler from proving bounds in a way that the verifier cannot follow. */
#define opaque(x)	asm volatile("" : "+r"(x))

/*
 * key CPU, value ring buffer of that CPU. Programs write, the library reads. One
 * ring a CPU, because a shared one collapses under several writers. Full: the
 * record is not made, dropped and lost count it, and a loss record is made as
 * soon as there is room again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);		/* set to the number of CPUs before load */
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} events SEC(".maps");

/* key CPU, value its counters. Programs write, the library reads by mmap. Never full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* set to the number of CPUs before load */
	__type(key, __u32);
	__type(value, struct xcap_cpu);
} cpus SEC(".maps");

struct xcap_ctl ctl = {};		/* .bss, mapped by the library */

struct emit {
	struct xcap_cpu *cpu;
	void *ring;
	__u32 id;
};

/* Waking costs tens of times the record, so only a reader that sleeps is woken, and once. */
static __always_inline __u64 emit_wakes(void)
{
	if (likely(!ctl.sleeping))
		return BPF_RB_NO_WAKEUP;
	ctl.sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void emit_submit(void *rec)
{
	bpf_ringbuf_submit(rec, emit_wakes());
}

/* Stamped after the reservation: the reader's watermark stands on that order. */
static __always_inline void emit_stamp(struct emit *e, struct xcap_ev *ev, __u8 type, __u32 len)
{
	ev->mono_ns = bpf_ktime_get_ns();
	ev->len = len;
	ev->type = type;
	ev->flags = 0;
	ev->cpu = e->id;
	ev->pid = 0;
	ev->tid = 0;
}

static __always_inline void emit_drop(struct emit *e)
{
	emit_add(e->cpu->dropped, 1);
	emit_add(e->cpu->lost, 1);
}

static __always_inline void emit_loss(struct emit *e)
{
	struct xcap_ev_loss *l = bpf_ringbuf_reserve(e->ring, sizeof(*l), 0);

	if (!l)
		return;
	emit_stamp(e, &l->ev, XEV_LOSS, sizeof(*l));
	l->count = emit_take(e->cpu->lost);
	l->where = XDROP_RING_FULL;
	l->reserved = 0;
	emit_submit(l);
}

/* Counts one record as seen. Return: false: this CPU has no place for it, which is counted. */
static __always_inline bool emit_begin(struct emit *e)
{
	e->id = bpf_get_smp_processor_id();
	e->cpu = bpf_map_lookup_elem(&cpus, &e->id);
	if (unlikely(!e->cpu))
		return false;
	emit_add(e->cpu->seen, 1);
	e->ring = bpf_map_lookup_elem(&events, &e->id);
	if (unlikely(!e->ring)) {	/* a CPU that came after the capture began */
		emit_drop(e);
		return false;
	}
	if (unlikely(e->cpu->lost))
		emit_loss(e);
	return true;
}

/* size is a constant. Return: NULL: no room, which is counted. */
static __always_inline void *emit_reserve(struct emit *e, __u64 size)
{
	void *rec = bpf_ringbuf_reserve(e->ring, size, 0);

	if (unlikely(!rec))
		emit_drop(e);
	return rec;
}

#endif
