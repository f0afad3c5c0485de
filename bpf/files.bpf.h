/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a descriptor of the current task.
 * Out:  an item that says what it is: path, kind, addresses of a socket.
 * Owns: the map below.
 * Runs on: the CPU of the task, undisturbed. Descriptors of other threads may be closed
 *          meanwhile: all is read with care, and what is gone may come out as nonsense once.
 */
#ifndef FILES_BPF_H
#define FILES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "calls.bpf.h"
#include "path.bpf.h"
#include "room.bpf.h"

#ifndef SOCK_RAW
#define SOCK_RAW	3
#endif
#define AF_UNIX		1
#define AF_INET		2
#define AF_INET6	10
#define PIPEFS		0x50495045
#define SOCKFS		0x534f434b
#define NSFS		0x6e736673
#define PIDFS		0x50494446
#define ANON_INODES	0x09041934
#define FD_CWD		(-100)
#define UNIX_PATH	127		/* sun_path is shorter */
#define ANON_NAME	128
#define NS_NAME		32		/* of a kind of namespaces, with its NUL */

/* key 0. Written and read by one program run at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_room);
} path_rooms SEC(".maps");

/* ---- names of what is in no directory ---- */

/* ":[4711]" at the end of the text. Return: where it begins. */
static __always_inline __u32 put_inode(struct path_room *p, __u64 ino)
{
	__u32 at = PATH_SIZE - 2;

	p->text[PATH_SIZE - 1] = '\0';
	p->text[PATH_SIZE - 2] = ']';
	for (int i = 0; i < 20; i++) {
		at = (at - 1) & (PATH_SIZE - 1);
		p->text[at] = '0' + ino % 10;
		ino /= 10;
		if (!ino)
			break;
	}
	at = (at - 2) & (PATH_SIZE - 1);
	__builtin_memcpy(p->text + at, ":[", 2);
	return at;
}

/* "socket:[4711]". Return: its length with the NUL. */
static __always_inline __u32 name_by_inode(struct path_room *p, __u64 ino, bool pipe)
{
	__u32 at = put_inode(p, ino);

	at = (at - (pipe ? 4 : 6)) & (PATH_SIZE - 1);
	if (pipe)
		__builtin_memcpy(p->text + at, "pipe", 4);
	else
		__builtin_memcpy(p->text + at, "socket", 6);
	p->at = at;
	return PATH_SIZE - at;
}

/* "net:[4026531840]": a namespace */
static __always_inline __u32 name_of_ns(struct path_room *p, const struct inode *inode, __u64 ino)
{
	struct ns_common *ns = PEEK(struct inode, inode, i_private);
	const struct proc_ns_operations *ops = PEEK(struct ns_common, ns, ops);
	const char *name = PEEK(struct proc_ns_operations, ops, name);
	__u32 at = put_inode(p, ino);
	long len = bpf_probe_read_kernel_str(p->text + PATH_SIZE, NS_NAME, name);

	len = len > 0 ? (len - 1) & (NS_NAME - 1) : 0;
	at = (at - len) & (PATH_SIZE - 1);
	bpf_probe_read_kernel(p->text + at, len, p->text + PATH_SIZE);
	p->at = at;
	return PATH_SIZE - at;
}

/* As it was called when it had no file system of its own. */
static __always_inline __u32 name_of_pidfd(struct path_room *p)
{
	__builtin_memcpy(p->text, "anon_inode:[pidfd]", 19);
	p->at = 0;
	return 19;
}

/* "anon_inode:[eventpoll]" */
static __always_inline __u32 name_of_anon(struct path_room *p, const struct dentry *dentry)
{
	long len;

	__builtin_memcpy(p->text, "anon_inode:", 11);
	p->at = 0;
	len = bpf_probe_read_kernel_str(p->text + 11, ANON_NAME,
					PEEK(struct dentry, dentry, d_name.name));
	return 11 + (len < 0 ? 0 : len & (ANON_NAME - 1));
}

/* ---- sockets ---- */

static __always_inline void fill_inet(struct xcap_ev_file *f, struct sock *sk)
{
	if (f->type != SOCK_RAW)	/* what stands there is its protocol */
		f->local_port = PEEK(struct sock, sk, __sk_common.skc_num);
	f->remote_port = bpf_ntohs(PEEK(struct sock, sk, __sk_common.skc_dport));
	if (f->family == AF_INET6) {
		bpf_probe_read_kernel(f->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(f->remote, 16, &sk->__sk_common.skc_v6_daddr);
	} else {
		bpf_probe_read_kernel(f->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_probe_read_kernel(f->remote, 4, &sk->__sk_common.skc_daddr);
	}
}

/* Its own address, or where it has none its peer's. Return: length of the name; 0: none. */
static __always_inline __u32 name_of_unix(struct path_room *p, struct sock *sk)
{
	struct unix_sock *u = (struct unix_sock *)sk;
	struct unix_address *address = PEEK(struct unix_sock, u, addr);
	__u32 len;

	if (!address) {
		u = (struct unix_sock *)PEEK(struct unix_sock, u, peer);
		address = u ? PEEK(struct unix_sock, u, addr) : NULL;
	}
	len = address ? PEEK(struct unix_address, address, len) : 0;
	if (len <= 2)
		return 0;
	len = (len - 2) & UNIX_PATH;
	bpf_probe_read_kernel(p->text, len, (void *)address +
			      bpf_core_field_offset(struct unix_address, name) + 2);
	p->at = 0;
	if (!p->text[0]) {		/* abstract: no NUL ends it */
		p->text[0] = '@';
		return len + 1;
	}
	return len;
}

/* Return: length of its name with its NUL. */
static __always_inline __u32 fill_socket(struct xcap_ev_file *f, struct path_room *p,
					 const struct file *file)
{
	struct socket *socket = PEEK(struct file, file, private_data);
	struct sock *sk = PEEK(struct socket, socket, sk);
	__u32 len = 0;

	f->kind = XFILE_SOCKET;
	f->type = PEEK(struct socket, socket, type);
	f->family = PEEK(struct sock, sk, __sk_common.skc_family);
	f->protocol = PEEK(struct sock, sk, sk_protocol);
	f->cookie = PEEK(struct sock, sk, __sk_common.skc_cookie.counter);
	if (f->family == AF_INET || f->family == AF_INET6)
		fill_inet(f, sk);
	if (f->family == AF_UNIX)
		len = name_of_unix(p, sk);
	return len ?: name_by_inode(p, f->ino, false);
}

/* ---- the item ---- */

/* Return: length of its name, with its NUL, which is at p->text[p->at]. */
static __always_inline __u32 fill_file(struct xcap_ev_file *f, struct path_room *p,
				       const struct file *file)
{
	struct inode *inode = PEEK(struct file, file, f_inode);
	struct super_block *sb = PEEK(struct inode, inode, i_sb);
	__u64 fs = PEEK(struct super_block, sb, s_magic);

	f->ino = PEEK(struct inode, inode, i_ino);
	if (fs == SOCKFS)	/* not those that have a path, opened by O_PATH */
		return fill_socket(f, p, file);
	f->kind = XFILE_OTHER;
	if (fs == NSFS)
		return name_of_ns(p, inode, f->ino);
	if (fs == PIDFS)
		return name_of_pidfd(p);
	if (fs == PIPEFS)
		return name_by_inode(p, f->ino, true);
	if (fs == ANON_INODES)
		return name_of_anon(p, PEEK(struct file, file, f_path.dentry));
	f->kind = XFILE_PATH;
	return path_of(PEEK(struct file, file, f_path.dentry),
		       PEEK(struct file, file, f_path.mnt), p);
}

static __always_inline void read_name(struct room *r, struct path_room *p, __u32 len)
{
	__u32 at = p->at;

	opaque(at);
	opaque(len);
	if (at >= PATH_SIZE || !len || len > PATH_SIZE)
		return;
	if (!room_read_kernel(r, p->text + at, len - 1))
		r->at += len - 1;
}

static __always_inline void read_file(struct room *r, __u32 arg, __s32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *file = fd == FD_CWD ? NULL : file_of(task, fd);
	struct xcap_ev_file f = {};
	struct path_room *p;
	__u32 zero = 0, len;

	p = bpf_map_lookup_elem(&path_rooms, &zero);
	if (!p || (!file && fd != FD_CWD))
		return;
	p->cut = 0;
	if (file) {
		len = fill_file(&f, p, file);
	} else {
		f.kind = XFILE_PATH;
		len = path_of(task->fs->pwd.dentry, task->fs->pwd.mnt, p);
	}
	if (!item_begin(r, arg, XITEM_FILE))
		return;
	if (p->cut)
		r->flags |= XITEM_CUT;
	if (!file)
		r->flags |= XITEM_CWD;
	room_read_kernel(r, &f, sizeof(f));
	r->at += sizeof(f);
	read_name(r, p, len);
	item_end(r, 0);
}

#endif
