/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a process.
 * Out:  whether it is one of those that a filter follows (proc.tree), or none are followed.
 * Owns: the two maps, which follow.bpf.h keeps; the library gives both objects the same.
 * Runs on: any context. The including file has a `cfg` with `tree`.
 */
#ifndef TREE_BPF_H
#define TREE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/*
 * key process, value when it was made, 0 a root that nobody has met. Written by follow.bpf.h, read
 * by all. Full: tree_all is set. Its size is set before load where anybody is followed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} tree SEC(".maps");

/*
 * key 0, value 1: who is followed is not known any more: nothing may be left out. Written by
 * follow.bpf.h and the library, read by all.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} tree_all SEC(".maps");

/* With nobody followed the verifier takes it out. */
static __always_inline bool tree_has(__u32 tgid)
{
	__u32 zero = 0, *all;

	if (!cfg.tree)
		return true;
	all = bpf_map_lookup_elem(&tree_all, &zero);
	return !all || *all || bpf_map_lookup_elem(&tree, &tgid);
}

#endif
