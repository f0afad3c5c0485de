/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   what changes the name, program, user or cgroup of a task; all tasks, at start.
 * Out:  task, image and cgroup records, in the ring of the CPU or from the iterator.
 * Owns: the maps below.
 * Runs on: the CPU of whoever changes it; the iterator where it is read.
 *
 * All of this is so rare that the hot records need not carry it.
 */
#ifndef TASKS_BPF_H
#define TASKS_BPF_H

#include <bpf/bpf_tracing.h>
#include "calls.bpf.h"
#include "follow.bpf.h"
#include "path.bpf.h"
#include "task.bpf.h"

#define CGROUP_LEVELS	32		/* a deeper path lacks its beginning */
#define CGROUP_NAME	256		/* longest, with its NUL */
#define IMAGE_SMALL	224		/* most command lines */
#define IMAGE_LARGE	(XCAP_IMAGE_EXE + XCAP_IMAGE_ARGS)

/* Text under way. The second half is room for what a bounded copy may write too much. */
struct text {
	char bytes[2 * IMAGE_LARGE];
};

/* key 0. Written and read by one program run at a time: those of a CPU are undisturbed. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct text);
} texts SEC(".maps");

/* key 0. The iterator's: it may sleep, and has one reader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct text);
} seed_text SEC(".maps");

/* key 0. Paths of programs under way: of the programs, and of the iterator, as above. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_room);
} exe_rooms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_room);
} seed_room SEC(".maps");

/*
 * key cgroup id: its path has been told. Written and read by the programs. Full: the longest
 * unused goes, and is told again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} told SEC(".maps");

/* ---- the path of a cgroup ---- */

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *kn)
{
	struct kernfs_node___renamed *renamed = (void *)kn;

	if (bpf_core_field_exists(renamed->__parent))
		return BPF_CORE_READ(renamed, __parent);
	return BPF_CORE_READ(kn, parent);
}

/*
 * Written from the end of the first XCAP_CGROUP_PATH bytes backwards. Return: where it begins;
 * the NUL is the last of those bytes.
 */
static __always_inline __u32 cgroup_path(struct task_struct *task, struct text *text)
{
	struct kernfs_node *kn = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn), *parent;
	__u32 at = XCAP_CGROUP_PATH - 1;
	char *name = text->bytes + XCAP_CGROUP_PATH;
	long len;

	text->bytes[at] = 0;
	for (int i = 0; i < CGROUP_LEVELS && kn; i++) {
		parent = parent_of(kn);
		if (!parent)
			break;		/* the root has no name */
		len = bpf_probe_read_kernel_str(name, CGROUP_NAME, BPF_CORE_READ(kn, name));
		if (len < 2 || len > at)
			break;
		at -= len;
		opaque(at);
		at &= XCAP_CGROUP_PATH - 1;
		text->bytes[at] = '/';
		bpf_probe_read_kernel(text->bytes + at + 1, (len - 1) & (CGROUP_NAME - 1), name);
		kn = parent;
	}
	if (at == XCAP_CGROUP_PATH - 1)
		text->bytes[--at] = '/';
	return at;
}

static __always_inline void emit_cgroup(struct task_struct *task)
{
	__u64 id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	struct xcap_ev_cgroup *c;
	struct text *text;
	__u32 zero = 0, at, n;
	struct emit e;

	if (bpf_map_lookup_elem(&told, &id))
		return;
	text = bpf_map_lookup_elem(&texts, &zero);
	if (!text || !emit_begin(&e))
		return;
	c = emit_reserve(&e, sizeof(*c) + XCAP_CGROUP_PATH);
	if (!c)
		return;
	at = cgroup_path(task, text);
	n = XCAP_CGROUP_PATH - at;
	emit_stamp(&e, &c->ev, XEV_CGROUP, sizeof(*c) + n);
	c->cgroup_id = id;
	c->path_len = n;
	c->reserved = 0;
	opaque(at);
	at &= XCAP_CGROUP_PATH - 1;
	opaque(n);
	if (n > XCAP_CGROUP_PATH)
		n = 0;
	bpf_probe_read_kernel(c->path, n, text->bytes + at);
	emit_submit(c);
	bpf_map_update_elem(&told, &id, &(__u8){ 1 }, BPF_ANY);
}

/* ---- what a process runs ---- */

struct image {
	__u32 exe_len, args_len;
};

/*
 * As /proc/PID/exe has it, but without " (deleted)": a program that is replaced while it runs
 * keeps the name that it was started by. Return: bytes with the NUL; 1: none.
 */
static __always_inline __u32 exe_read(struct task_struct *task, struct path_room *room,
				      struct text *text)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);
	const struct dentry *dentry;
	const struct vfsmount *mnt;
	__u32 len, at, gone;

	text->bytes[0] = 0;
	if (!exe)
		return 1;
	dentry = PEEK(struct file, exe, f_path.dentry);
	mnt = PEEK(struct file, exe, f_path.mnt);
	gone = path_gone(dentry, mnt);
	len = path_of(dentry, mnt, room);
	if (gone && len > sizeof(PATH_GONE))
		len -= sizeof(PATH_GONE) - 1;
	at = room->at;
	opaque(at);
	opaque(len);
	if (at >= PATH_SIZE || !len || len > XCAP_IMAGE_EXE)
		return 1;	/* never so */
	bpf_probe_read_kernel(text->bytes, len, room->text + at);
	at = len - 1;
	opaque(at);
	text->bytes[at & (XCAP_IMAGE_EXE - 1)] = 0;
	return len;
}

/* The path of the program that is being executed, and its arguments, which are mapped by now. */
static __always_inline struct image image_read(struct task_struct *task, struct path_room *room,
					       struct text *text)
{
	unsigned long from = BPF_CORE_READ(task, mm, arg_start);
	__u64 n = BPF_CORE_READ(task, mm, arg_end) - from;
	struct image im = { .exe_len = exe_read(task, room, text) };

	if (n > XCAP_IMAGE_ARGS)
		n = XCAP_IMAGE_ARGS;
	opaque(n);
	if (n && n <= XCAP_IMAGE_ARGS && im.exe_len <= XCAP_IMAGE_EXE &&
	    !bpf_probe_read_user(text->bytes + im.exe_len, n, (void *)from))
		im.args_len = n;
	return im;
}

static __always_inline void image_submit(struct emit *e, struct xcap_ev_image *r,
					 struct task_struct *task, const struct image *im,
					 const struct text *text, const __u32 size)
{
	__u32 n = im->exe_len + im->args_len;

	emit_stamp(e, &r->ev, XEV_IMAGE, sizeof(*r) + n);
	stamp_task(&r->ev, task);
	r->exe_len = im->exe_len;
	r->args_len = im->args_len;
	opaque(n);
	if (n > size)
		n = size;	/* never so */
	bpf_probe_read_kernel(r->text, n, text->bytes);
	emit_submit(r);
}

static __always_inline void emit_image(struct task_struct *task)
{
	struct xcap_ev_image *r;
	struct path_room *room;
	struct text *text;
	struct image im;
	__u32 zero = 0;
	struct emit e;

	text = bpf_map_lookup_elem(&texts, &zero);
	room = bpf_map_lookup_elem(&exe_rooms, &zero);
	if (!text || !room || !emit_begin(&e))
		return;
	im = image_read(task, room, text);
	if (im.exe_len + im.args_len <= IMAGE_SMALL) {
		r = emit_reserve(&e, sizeof(*r) + IMAGE_SMALL);
		if (r)
			image_submit(&e, r, task, &im, text, IMAGE_SMALL);
		return;
	}
	r = emit_reserve(&e, sizeof(*r) + IMAGE_LARGE);
	if (r)
		image_submit(&e, r, task, &im, text, IMAGE_LARGE);
}

/* ---- from one instant to the next ---- */

static __always_inline void tell_task(struct task_struct *task, __u32 what, const char *comm)
{
	emit_cgroup(task);
	emit_task(task, what, comm);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *task, unsigned long clone_flags)
{
	follow_fork(task);
	undisturbed(tell_task(task, XTASK_FORK, NULL));
	return 0;
}

/* Comes before the task has the name. */
SEC("tp_btf/task_rename")
int BPF_PROG(task_rename, struct task_struct *task, const char *comm)
{
	undisturbed(tell_task(task, XTASK_RENAME, comm));
	return 0;
}

/* Where the kernel skips programs: it skips each by itself, and a name told twice does no harm. */
SEC("tp_btf/task_rename")
int BPF_PROG(task_rename_too, struct task_struct *task, const char *comm)
{
	undisturbed(tell_task(task, XTASK_RENAME, comm));
	return 0;
}

static __always_inline void on_exec(struct task_struct *task)
{
	tell_task(task, XTASK_EXEC, NULL);
	emit_image(task);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct *task)
{
	undisturbed(on_exec(task));
	return 0;
}

static __always_inline void on_end(struct task_struct *task)
{
	bool last = !BPF_CORE_READ(task, signal, live.counter);

	tell_task(task, last ? XTASK_GONE : XTASK_EXIT, NULL);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct *task)
{
	undisturbed(on_end(task));
	return 0;
}

/* Attached only where processes are followed. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(task_free, struct task_struct *task)
{
	follow_freed(task);
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(task_cgroup, void *dst, const char *path, struct task_struct *task, bool threadgroup)
{
	undisturbed(tell_task(task, threadgroup ? XTASK_CGROUP_ALL : XTASK_CGROUP, NULL));
	return 0;
}

/* ---- what is there at start: read by the library through the iterator, not by the rings ---- */

static __always_inline void seed_header(struct xcap_ev *ev, struct task_struct *task, __u8 type,
					__u32 len)
{
	ev->mono_ns = bpf_ktime_get_ns();
	ev->len = len;
	ev->type = type;
	ev->flags = XEV_SEED;
	ev->cpu = 0;
	ev->pid = task->tgid;
	ev->tid = task->pid;
}

/* Records begin at multiples of 8. */
static __always_inline void seed_write(struct seq_file *seq, const char *bytes, __u32 n)
{
	n = (n + 7) & ~7u;
	opaque(n);
	if (n <= IMAGE_LARGE + 8)
		bpf_seq_write(seq, bytes, n);
}

static __always_inline void seed_cgroup(struct seq_file *seq, struct task_struct *task,
					struct text *text)
{
	__u32 at = cgroup_path(task, text), n = XCAP_CGROUP_PATH - at;
	struct xcap_ev_cgroup c = {
		.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id),
		.path_len = n,
	};

	seed_header(&c.ev, task, XEV_CGROUP, sizeof(c) + n);
	bpf_seq_write(seq, &c, sizeof(c));
	opaque(at);
	seed_write(seq, text->bytes + (at & (XCAP_CGROUP_PATH - 1)), n);
}

/* Kernel threads have no memory, and no program. */
static __always_inline void seed_image(struct seq_file *seq, struct task_struct *task,
				       struct path_room *room, struct text *text)
{
	unsigned long from = BPF_CORE_READ(task, mm, arg_start);
	__u64 n = BPF_CORE_READ(task, mm, arg_end) - from;
	struct xcap_ev_image im = {};

	if (!from)
		return;
	im.exe_len = exe_read(task, room, text);
	if (n > XCAP_IMAGE_ARGS)
		n = XCAP_IMAGE_ARGS;
	opaque(n);
	if (n && n <= XCAP_IMAGE_ARGS && im.exe_len <= XCAP_IMAGE_EXE &&
	    !bpf_copy_from_user_task(text->bytes + im.exe_len, n, (void *)from, task, 0))
		im.args_len = n;
	n = im.args_len + im.exe_len;
	seed_header(&im.ev, task, XEV_IMAGE, sizeof(im) + n);
	bpf_seq_write(seq, &im, sizeof(im));
	seed_write(seq, text->bytes, n);
}

SEC("iter.s/task")
int task_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct xcap_ev_task t = {};
	struct path_room *room;
	struct text *text;
	__u32 zero = 0;

	text = bpf_map_lookup_elem(&seed_text, &zero);
	room = bpf_map_lookup_elem(&seed_room, &zero);
	if (!task || !text || !room)
		return 0;
	follow_seed(task);
	if (task->pid == task->tgid)
		seed_cgroup(ctx->meta->seq, task, text);
	seed_header(&t.ev, task, XEV_TASK, sizeof(t));
	task_fill(&t, task, XTASK_SEED, NULL);
	bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	if (task->pid == task->tgid)
		seed_image(ctx->meta->seq, task, room, text);
	return 0;
}

#endif
