/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   memory of a process or of the kernel.
 * Out:  items (struct xcap_ev_item), one behind the other, in a room of this CPU.
 * Owns: the map below.
 * Runs on: the CPU of the task, undisturbed.
 *
 * A record's size must be known when its place in the ring is reserved, and its time is taken
 * after that. So what belongs to it is collected here first.
 */
#ifndef ROOM_BPF_H
#define ROOM_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"

#define PAGE 4096		/* or a part of one */

/*
 * All that changes from round to round of a bpf_loop() is here: verifiers of 6.1 look at its
 * body once, with what they know of the stack before the first.
 */
struct room {
	__u64 args[8];		/* of the call; [6] its result, [7] one (XCOUNT_) */
	__u64 from;		/* where a loop reads next */
	__u64 whole;		/* bytes that a loop came by */
	__u32 left;		/* bytes that it may still take */
	__u32 compat;
	__u32 at;		/* where the next byte goes */
	__u32 item;		/* where the item begins that is being made */
	__u32 faulted;		/* arguments that could not be read, a bit each */
	__u32 flags;		/* XITEM_ of the item that is being made */
	char  bytes[];		/* twice cfg.room, and ROOM_PAD */
};
#define ROOM_PAD 64

/* key CPU, value struct room. Written and read by the programs of that CPU. Never full: what is
 * collected of a call is bounded. User space sets both sizes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, sizeof(struct room) + ROOM_PAD);
} rooms SEC(".maps");

/* To where r->at is. Return: 0; less: it could not be read. */
static __always_inline long room_read_user(struct room *r, __u64 from, __u32 len)
{
	__u32 at = r->at;

	opaque(at);
	opaque(len);
	if (at >= cfg.room || len > cfg.room)
		return -1;
	return bpf_probe_read_user(r->bytes + at, len, (void *)from);
}

static __always_inline long room_read_kernel(struct room *r, const void *from, __u32 len)
{
	__u32 at = r->at;

	opaque(at);
	opaque(len);
	if (at >= cfg.room || len > cfg.room)
		return -1;
	return bpf_probe_read_kernel(r->bytes + at, len, from);
}

/* Return: bytes with the NUL; less than 0: it could not be read. */
static __always_inline long room_read_string(struct room *r, __u64 from, __u32 size)
{
	__u32 at = r->at;

	opaque(at);
	opaque(size);
	if (at >= cfg.room || size > XCAP_BYTES)
		return -1;
	return bpf_probe_read_user_str(r->bytes + at, size, (void *)from);
}

/* ---- items ---- */

/* Return: false: there is no room for one. */
static __always_inline bool item_begin(struct room *r, __u32 arg, __u32 kind)
{
	struct xcap_ev_item *item;
	__u32 at = r->at;

	opaque(at);
	if (at >= cfg.room)
		return false;
	item = (struct xcap_ev_item *)(r->bytes + at);
	item->arg = arg;
	item->kind = kind;
	item->reserved = 0;
	r->item = at;
	r->at = at + sizeof(*item);
	r->flags = 0;
	return true;
}

/* The item ends where r->at is; none, where nothing at all could be read. */
static __always_inline void item_end(struct room *r, __u64 whole)
{
	struct xcap_ev_item *item;
	__u32 begin = r->item, end = r->at;

	opaque(begin);
	if (begin >= cfg.room)
		return;
	if (r->flags & XITEM_FAULT && end == begin + sizeof(*item)) {
		r->at = begin;
		return;
	}
	item = (struct xcap_ev_item *)(r->bytes + begin);
	item->flags = r->flags;
	item->len = end - begin - sizeof(*item);
	item->whole = whole;
	opaque(end);
	if (end > 2 * cfg.room)
		return;
	for (int i = 0; i < 7; i++)
		r->bytes[end + i] = 0;
	r->at = (end + 7) & ~7u;
}

/*
 * So many bytes more of the item; where a page is not there, those before it. Pages are not
 * brought in here: no page fault can be taken in a tracepoint.
 */
static __always_inline void item_read(struct room *r, __u64 from, __u32 len)
{
	__u32 first = PAGE - (from & (PAGE - 1));

	if (!room_read_user(r, from, len)) {
		r->at += len;
		return;
	}
	r->flags |= XITEM_FAULT;
	if (first < len && !room_read_user(r, from, first))
		r->at += first;
}

/* ---- records with items ---- */

/* Return: false: no room in the ring, which is counted. */
static __always_inline bool emit_reserve_long(struct emit *e, __u32 size, struct bpf_dynptr *place)
{
	if (likely(!bpf_ringbuf_reserve_dynptr(e->ring, size, 0, place)))
		return true;
	bpf_ringbuf_discard_dynptr(place, BPF_RB_NO_WAKEUP);
	emit_drop(e);
	return false;
}

/* The record, and what has been collected behind it. */
static __always_inline void emit_long(struct bpf_dynptr *place, void *rec, __u32 size,
				      struct room *r)
{
	__u32 len = r->at;

	opaque(len);
	if (len > 2 * cfg.room)
		len = 0;
	bpf_dynptr_write(place, 0, rec, size, 0);
	bpf_dynptr_write(place, size, r->bytes, len, 0);
	bpf_ringbuf_submit_dynptr(place, emit_wakes());
}

#endif
