/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading BPF objects: what can go wrong is the same for all of them. */
#ifndef XCAP_BPF_LOAD_H
#define XCAP_BPF_LOAD_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>
#include "error.h"

/*
 * The sentence for a failed open or load of an object: privilege, missing BTF, or
 * the kernel's own answer. Return: err.
 */
int bpf_load_failed(int err, const char *what, struct error *e);

/*
 * Attach a tracing program by a link. *out is written on success. Return: 0; -errno with
 * a sentence.
 */
int bpf_load_attach(struct bpf_program *prog, struct bpf_link **out, struct error *e);

/* What this kernel can do, by the functions that it has; nothing of it, if it has no BTF. */
struct bpf_kernel {
	bool preempts;		/* programs at system calls may be preempted */
	bool casts;		/* bpf_rdonly_cast() */
	bool tcx;
	bool dynptrs;		/* bpf_dynptr_from_skb(), at tracepoints */
};

/* Asked once. Any thread. */
const struct bpf_kernel *bpf_load_kernel(void);

/* Times that recursion protection has skipped the program. */
uint64_t bpf_load_misses(int prog_fd);

/*
 * Wait until every program, and every poll of a NIC's queue, that is running now is over.
 * Takes some tens of milliseconds.
 */
void bpf_load_await_running(void);

/* Silence libbpf: the library never prints. Called before each open. */
void bpf_load_quiet(void);

#endif
