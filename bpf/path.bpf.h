/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a struct path of the kernel: an open file's, a process's executable.
 * Out:  its name from the root of its mount namespace, as /proc/PID/fd has it.
 * Owns: nothing; text is written to the caller's room, from its end.
 * Runs on: any context, nothing sleeps. No lock is taken: what is renamed meanwhile may
 *          come out half old, half new.
 */
#ifndef PATH_BPF_H
#define PATH_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "peek.bpf.h"

#define PATH_SIZE 4096		/* longest, with its NUL */
#define PATH_NAME 255		/* longest name of one directory entry */
#define PATH_DEPTH 2048		/* names and mounts: no path of this length has more */
#define PATH_GONE " (deleted)"	/* sizeof: with its NUL */

/*
 * Room for one path, in a map: verifiers of 6.1 look once at the body of a loop, with
 * what they know of the stack before its first round, so nothing that changes is there.
 */
struct path_room {
	__u64 dentry;
	__u64 mount;		/* struct mount */
	__u64 root;		/* dentry of that mount's root */
	__u32 at;		/* where the text begins; its NUL is the last of PATH_SIZE */
	__u32 cut;		/* 1: the beginning had no room */
	char  text[2 * PATH_SIZE];	/* a second half for the verifier: at + length */
};

struct path_walk {
	struct path_room *room;
};

/* "/name" in front of what there is. Return: false: it does not fit. */
static __always_inline bool path_prepend(struct path_room *r, const struct dentry *dentry)
{
	const unsigned char *name = PEEK(struct dentry, dentry, d_name.name);
	__u32 len = PEEK(struct dentry, dentry, d_name.len);
	__u32 at = r->at;

	len &= PATH_NAME;
	if (at <= len || at >= PATH_SIZE)
		return false;
	at -= len + 1;
	asm volatile("" : "+r"(at));	/* the verifier has to see the next comparison */
	if (at >= PATH_SIZE)
		return false;
	r->text[at] = '/';
	bpf_probe_read_kernel(&r->text[at + 1], len, name);
	r->at = at;
	return true;
}

/* From the root of a mounted file system to where it is mounted. Return: false: nowhere. */
static __always_inline bool path_cross(struct path_room *r)
{
	struct mount *mount = (struct mount *)r->mount;
	struct mount *parent = PEEK(struct mount, mount, mnt_parent);

	if (!parent || parent == mount)
		return false;
	r->dentry = (__u64)PEEK(struct mount, mount, mnt_mountpoint);
	r->mount = (__u64)parent;
	r->root = (__u64)PEEK(struct mount, parent, mnt.mnt_root);
	return true;
}

/* Return: 1: the walk is over. */
static long path_step(__u32 i, struct path_walk *walk)
{
	struct path_room *r = walk->room;
	struct dentry *dentry = (struct dentry *)r->dentry;
	struct dentry *parent;

	if (r->dentry == r->root)
		return !path_cross(r);
	parent = PEEK(struct dentry, dentry, d_parent);
	if (!path_prepend(r, dentry)) {
		r->cut = 1;
		return 1;
	}
	r->dentry = (__u64)parent;
	return !parent || parent == dentry;	/* it never was in a directory: memfd_create() */
}

/* No longer to be found, or never was; a file system's root need not be. */
static __always_inline bool path_gone(const struct dentry *dentry, const struct vfsmount *mnt)
{
	return !PEEK(struct dentry, dentry, d_hash.pprev) &&
	       !(dentry == PEEK(struct vfsmount, mnt, mnt_root) &&
		 dentry == PEEK(struct dentry, dentry, d_parent));
}

/*
 * Writes the path to r->text[r->at], with a NUL. What is too long loses its beginning, and
 * r->cut says so. A deleted file has " (deleted)" behind its name.
 * Return: bytes with the NUL, at most PATH_SIZE.
 */
static __always_inline __u32 path_of(const struct dentry *dentry, const struct vfsmount *mnt,
				     struct path_room *r)
{
	struct path_walk walk = { .room = r };
	__u32 at;

	r->dentry = (__u64)dentry;
	r->mount = (__u64)mnt - bpf_core_field_offset(struct mount, mnt);
	r->root = (__u64)PEEK(struct vfsmount, mnt, mnt_root);
	r->cut = 0;
	r->at = PATH_SIZE - 1;
	r->text[PATH_SIZE - 1] = '\0';
	if (path_gone(dentry, mnt)) {
		r->at = PATH_SIZE - sizeof(PATH_GONE);
		__builtin_memcpy(&r->text[PATH_SIZE - sizeof(PATH_GONE)], PATH_GONE,
				 sizeof(PATH_GONE));
	}
	bpf_loop(PATH_DEPTH, path_step, &walk, 0);
	at = r->at;
	if (at == PATH_SIZE - 1) {	/* no name at all: the root */
		at--;
		r->text[PATH_SIZE - 2] = '/';
		r->at = at;
	}
	return PATH_SIZE - at;
}

#endif
