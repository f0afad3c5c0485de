/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eBPF code while it is written: instructions whose jumps go to labels, forward only. What
 * nothing can reach is left out in the end, because verifiers refuse it, and a jump too far
 * for its 16 bits goes by way of others.
 */
#ifndef XCAP_EBPF_H
#define XCAP_EBPF_H

#include <linux/bpf.h>

struct ebpf_step {
	struct bpf_insn insn;
	int label;		/* where it jumps to; -1 it does not */
};

struct ebpf {
	struct ebpf_step *steps;
	int nr, size;
	int *labels;		/* steps, by number of the label */
	int nr_labels, labels_size;
	int err;		/* -errno: something went wrong, the rest is ignored */
};

/* nr labels, to be put somewhere. Return: the first of their numbers. */
int ebpf_labels(struct ebpf *e, int nr);

/* A label stands in front of what is added next. */
void ebpf_here(struct ebpf *e, int label);

/* One instruction; label -1: no jump. */
void ebpf_add(struct ebpf *e, struct bpf_insn insn, int label);

/* Return: instructions, which are the caller's to free; -errno; -E2BIG: jumps are too far. */
int ebpf_finish(struct ebpf *e, struct bpf_insn **out);

void ebpf_free(struct ebpf *e);

#endif
