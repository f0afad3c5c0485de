/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a call's arguments, and the plan that says what they refer to.
 * Out:  items in the room of this CPU.
 * Owns: the map below.
 * Runs on: the CPU of the task, undisturbed.
 */
#ifndef ARGS_BPF_H
#define ARGS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "files.bpf.h"
#include "room.bpf.h"

/*
 * key compat * XCAP_NR_SYSCALLS + number of the call. Written by the library before anything is
 * attached.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2 * XCAP_NR_SYSCALLS);
	__type(key, __u32);
	__type(value, struct xcap_plan);
} plans SEC(".maps");

struct walk {
	struct room *room;
	struct xcap_plan *plan;
	__u32 exit;		/* 1: plan->exit, else plan->enter */
	__u32 only;		/* arguments that are wanted, a bit each */
};

/* ---- strings ---- */

static __always_inline void read_string(struct room *r, __u32 arg, __u64 from)
{
	__u32 first = PAGE - (from & (PAGE - 1));
	long len;

	if (!item_begin(r, arg, XITEM_BYTES))
		return;
	len = room_read_string(r, from, XCAP_BYTES);
	if (len < 0) {		/* what there is before the page that is missing */
		r->flags |= XITEM_FAULT;
		len = room_read_string(r, from, first);
	} else if (len == XCAP_BYTES) {
		r->flags |= XITEM_CUT;
	}
	if (len > 0)
		r->at += len - 1;
	item_end(r, r->at - r->item - sizeof(struct xcap_ev_item));
}

static __always_inline __u64 read_pointer(struct room *r, __u64 from)
{
	__u64 pointer = 0;

	if (bpf_probe_read_user(&pointer, r->compat ? 4 : 8, (void *)from))
		r->flags |= XITEM_FAULT;
	return pointer;
}

/* Return: 1: that was the last. */
static long read_one_string(__u32 i, struct walk *w)
{
	struct room *r = w->room;
	__u64 pointer = read_pointer(r, r->from + (r->compat ? 4ull : 8ull) * i);
	long len;

	if (!pointer)
		return 1;
	if (i == XCAP_NR_STRINGS || !r->left) {
		r->flags |= XITEM_CUT;
		return 1;
	}
	len = room_read_string(r, pointer, r->left);
	if (len <= 0) {
		r->flags |= XITEM_FAULT;
		return 1;
	}
	if (len == r->left)
		r->flags |= XITEM_CUT;
	r->at += len;
	r->left -= len;
	return 0;
}

static __always_inline void read_strings(struct walk *w, __u32 arg, __u64 from)
{
	struct room *r = w->room;

	if (!item_begin(r, arg, XITEM_STRINGS))
		return;
	r->from = from;
	r->left = XCAP_BYTES;
	bpf_loop(XCAP_NR_STRINGS + 1, read_one_string, w, 0);
	item_end(r, r->at - r->item - sizeof(struct xcap_ev_item));
}

/* ---- memory ---- */

static __always_inline void read_bytes(struct room *r, __u32 arg, __u32 kind, __u64 from,
				       __u64 want, __u32 most)
{
	__u32 len = want < most ? want : most;

	if (!item_begin(r, arg, kind))
		return;
	if (len < want)
		r->flags |= XITEM_CUT;
	item_read(r, from, len);
	item_end(r, want);
}

/* As many as the int at that address says. */
static __always_inline void read_via(struct room *r, __u32 arg, __u64 from, __u64 length)
{
	__s32 len = 0;

	if (!bpf_probe_read_user(&len, sizeof(len), (void *)length) && len > 0)
		read_bytes(r, arg, XITEM_BYTES, from, len, XCAP_ADDRESS);
}

/* ---- data in several buffers ---- */

struct iovec64 {
	__u64 base, len;
};

struct iovec32 {
	__u32 base, len;
};

/* Return: false: it is not there. */
static __always_inline bool read_iovec(struct room *r, __u32 i, struct iovec64 *iov)
{
	struct iovec32 small;

	if (!r->compat)
		return !bpf_probe_read_user(iov, sizeof(*iov), (void *)(r->from + 16ull * i));
	if (bpf_probe_read_user(&small, sizeof(small), (void *)(r->from + 8ull * i)))
		return false;
	iov->base = small.base;
	iov->len = small.len;
	return true;
}

/* Return: 1: that was the last. */
static long read_one_iovec(__u32 i, struct walk *w)
{
	struct room *r = w->room;
	struct iovec64 iov;
	__u32 len;

	if (!read_iovec(r, i, &iov)) {
		r->flags |= XITEM_FAULT;
		return 1;
	}
	r->whole += iov.len;
	len = iov.len < r->left ? iov.len : r->left;
	if (r->flags & XITEM_FAULT)	/* a hole would make one text of two */
		return 0;
	item_read(r, iov.base, len);
	r->left -= len;
	return 0;
}

/* limit: bytes that there are; -1: as many as the buffers have */
static __always_inline void read_iov(struct walk *w, __u32 arg, __u64 from, __u32 count,
				     __s64 limit)
{
	struct room *r = w->room;

	if (!item_begin(r, arg, XITEM_BYTES))
		return;
	r->from = from;
	r->whole = 0;
	r->left = limit < 0 || limit > cfg.data ? cfg.data : limit;
	bpf_loop(count < XCAP_NR_IOV ? count : XCAP_NR_IOV, read_one_iovec, w, 0);
	if (limit >= 0)
		r->whole = limit;
	if (count > XCAP_NR_IOV || r->whole > r->at - r->item - sizeof(struct xcap_ev_item))
		r->flags |= XITEM_CUT;
	item_end(r, r->whole);
}

struct msghdr64 {
	__u64 name;
	__u32 name_len, pad;
	__u64 iov, iov_len;
	__u64 control, control_len;
	__u32 flags, pad2;
};

struct msghdr32 {
	__u32 name, name_len, iov, iov_len, control, control_len, flags;
};

static __always_inline bool read_msghdr(struct room *r, __u64 from, struct msghdr64 *m)
{
	struct msghdr32 small;

	if (!r->compat)
		return !bpf_probe_read_user(m, sizeof(*m), (void *)from);
	if (bpf_probe_read_user(&small, sizeof(small), (void *)from))
		return false;
	*m = (struct msghdr64){
		.name = small.name, .name_len = small.name_len, .iov = small.iov,
		.iov_len = small.iov_len, .control = small.control,
		.control_len = small.control_len, .flags = small.flags,
	};
	return true;
}

static __always_inline void read_msg(struct walk *w, __u32 arg, __u64 from, __s64 limit)
{
	struct room *r = w->room;
	struct msghdr64 m;

	if (!read_msghdr(r, from, &m)) {
		r->faulted |= 1u << (arg & 7);
		return;
	}
	if (m.name && m.name_len) {
		read_bytes(r, arg, XITEM_NAME, m.name, m.name_len, XCAP_ADDRESS);
		if (r->flags & XITEM_FAULT)
			r->faulted |= 1u << (arg & 7);
	}
	read_iov(w, arg, m.iov, m.iov_len, limit);
}

/* The first of several; the number of its bytes stands behind it. */
static __always_inline void read_mmsg(struct walk *w, __u32 arg, __u64 from)
{
	__u32 behind = w->room->compat ? sizeof(struct msghdr32) : sizeof(struct msghdr64);
	__s64 limit = -1;
	__u32 len;

	if (w->exit && !bpf_probe_read_user(&len, sizeof(len), (void *)(from + behind)))
		limit = len;
	read_msg(w, arg, from, limit);
}

/* ---- a call ---- */

static __always_inline void read_memory(struct walk *w, const struct xcap_read *read, __u64 from)
{
	struct room *r = w->room;
	__u64 count = r->args[read->count & 7], bytes = count * read->size;
	__s64 result = r->args[XCOUNT_RESULT];

	switch (read->how) {
	case XREAD_STRING:
		read_string(r, read->arg, from);
		break;
	case XREAD_STRINGS:
		read_strings(w, read->arg, from);
		break;
	case XREAD_DATA:
		/* MSG_TRUNC, and a size of 0: the result is more than what was written */
		if (read->limit && bytes > r->args[read->limit & 7])
			bytes = r->args[read->limit & 7];
		if (cfg.data)
			read_bytes(r, read->arg, XITEM_BYTES, from, bytes, cfg.data);
		break;
	case XREAD_BYTES:
		read_bytes(r, read->arg, XITEM_BYTES, from, bytes, XCAP_BYTES);
		break;
	case XREAD_BITS:
		bytes = ((__u32)count + 63) / 64 * 8;
		read_bytes(r, read->arg, XITEM_BYTES, from, bytes, XCAP_BYTES);
		break;
	case XREAD_VIA:
		read_via(r, read->arg, from, count);
		break;
	case XREAD_IOV:
		if (cfg.data)
			read_iov(w, read->arg, from, count, w->exit ? result : -1);
		break;
	case XREAD_MSG:
		read_msg(w, read->arg, from, w->exit ? result : -1);
		break;
	case XREAD_MMSG:
		if (count)
			read_mmsg(w, read->arg, from);
		break;
	}
}

static __always_inline struct xcap_read *read_at(struct walk *w, __u32 i)
{
	opaque(i);
	if (w->exit)
		return i < 7 ? &w->plan->exit[i] : NULL;
	return i < 6 ? &w->plan->enter[i] : NULL;
}

/* Return: 1: that was the last. */
static long read_one(__u32 i, struct walk *w)
{
	struct room *r = w->room;
	struct xcap_read *read;
	__u64 value;

	read = read_at(w, i);
	if (!read)
		return 1;
	value = r->args[read->arg & 7];
	if (!(w->only >> (read->arg & 7) & 1))
		return 0;
	if (read->how == XREAD_FILE) {
		read_file(r, read->arg, value);
		return 0;
	}
	if (!value)
		return 0;
	r->flags = 0;
	read_memory(w, read, value);
	if (r->flags & XITEM_FAULT)
		r->faulted |= 1u << (read->arg & 7);
	return 0;
}

/*
 * What a program was started with, where it could not be read before: the new one has it above
 * its stack, the name behind the environment. Of a script these are the interpreter's arguments.
 */
static __always_inline void read_exec(struct room *r, struct task_struct *task, __u32 path,
				      __u32 wanted)
{
	struct mm_struct *mm = task->mm;
	__u64 from, len;
	__u32 most = XCAP_BYTES;

	if (!mm)
		return;
	if (wanted >> path & 1)
		read_string(r, path, mm->env_end);
	if (!(wanted >> path & 2) || !item_begin(r, path + 1, XITEM_STRINGS))
		return;
	from = mm->arg_start;
	len = mm->arg_end - from;
	if (len > most)
		r->flags |= XITEM_CUT;
	item_read(r, from, len < most ? len : most);
	item_end(r, len);
}

/* Return: this CPU's room with the call in it; NULL: there is none. */
static __always_inline struct room *room_for(struct pt_regs *regs, bool compat, __s64 ret)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct room *r = bpf_map_lookup_elem(&rooms, &cpu);

	if (!r)
		return NULL;
	read_args(regs, compat, r->args);
	r->args[XCOUNT_RESULT] = ret;
	r->args[XCOUNT_ONE] = 1;
	r->compat = compat;
	r->at = 0;
	r->faulted = 0;
	return r;
}

/* Return: no plan's, where the number is none. */
static __always_inline __u32 plan_key(__u32 nr, bool compat)
{
	return nr >= XCAP_NR_SYSCALLS ? ~0u : compat ? XCAP_NR_SYSCALLS + nr : nr;
}

/*
 * The first nr rows of a plan, into this CPU's room. Not static: such a function the verifier
 * looks at once, and not again for each of the ways that lead to it; so it is given numbers.
 */
__noinline int read_rows(__u32 key, __u32 nr, __u32 exit, __u32 only)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct walk w = { .exit = exit, .only = only };

	w.room = bpf_map_lookup_elem(&rooms, &cpu);
	w.plan = bpf_map_lookup_elem(&plans, &key);
	if (w.room && w.plan)
		bpf_loop(nr, read_one, &w, 0);
	return 0;
}

#endif
