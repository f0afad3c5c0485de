/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   the context of a program at its hook.
 * Out:  nothing, when a filter is set: that goes on to the capturing program, or lets the frame go.
 * Owns: the prog array; filters are made by user/cbpf.c and swapped by user/kfilter.c.
 * Runs on: as the including program.
 *
 * Programs of one array must be of one type: a file whose programs are of several says so by
 * an array for each.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "xcap_event.h"

/*
 * key XPROG_, value program. Written by the library, also while it captures; read by the
 * programs. An empty slot: no filter.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, XPROG_MAX);
	__type(key, __u32);
	__type(value, __u32);
} progs SEC(".maps");

/*
 * Does not return where a filter is set. The slot is a constant: kernels turn that into a plain
 * jump, or, as long as it is empty, into nothing.
 */
#define filter_first(ctx, array, slot) bpf_tail_call_static(ctx, array, slot)

#endif
