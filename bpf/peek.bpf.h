/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a pointer to a kernel structure that may be gone meanwhile.
 * Out:  one of its fields; 0 where it cannot be read.
 * Owns: nothing.
 * Runs on: any context. The including file has a `cfg` with `casts`.
 */
#ifndef PEEK_BPF_H
#define PEEK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Since 6.2. What it returns may be followed by plain loads, each a tenth of what a call of
 * bpf_probe_read_kernel() costs; a load that faults gives 0.
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

#define PEEK(type, ptr, field)							\
	(cfg.casts ?								\
	 ((type *)bpf_rdonly_cast(ptr, bpf_core_type_id_kernel(type)))->field :	\
	 BPF_CORE_READ((type *)(ptr), field))

#endif
