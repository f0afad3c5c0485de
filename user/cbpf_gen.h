/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A filter's program while it is written: what cbpf.c (classic instructions) and cbpf_frame.c (how
 * they read the frame) share.
 */
#ifndef CBPF_GEN_H
#define CBPF_GEN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include "cbpf.h"
#include "ebpf.h"

enum { R0, R1, R2, R3, R4, CTX = 6, A, X, END, FP };

/* On the stack, from its top. */
#define MEM_AT (-64)		/* M[] */
#define SCRATCH_AT (-72)	/* what a helper reads; key of a map */
#define WINDOW_AT (-88)		/* 12 bytes of a tagged frame from WINDOW on */

#define MACS_LEN 12		/* where a tag goes */
#define TAG_LEN 4
#define WINDOW 8		/* covers every load that is partly of the tag */

struct gen {
	struct ebpf e;
	const struct cbpf_insn *in;
	int nr;
	const struct cbpf_target *t;
	bool tagged;		/* the half for frames with a tag beside them */
	int first;		/* label of the first classic instruction */
	int accept, reject;	/* labels */
};

static inline bool is_xdp(const struct gen *g)
{
	return g->t->hook == CBPF_XDP || g->t->hook == CBPF_XDP_FRAGS;
}

/* Socket programs may not look at the frame themselves. */
static inline bool is_direct(const struct gen *g)
{
	return g->t->hook != CBPF_SOCKET && !g->t->small;
}

/* ---- eBPF, one line each ---- */

static inline void op(struct gen *g, int code, int dst, int src, int off, int32_t imm)
{
	ebpf_add(&g->e, (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src,
					   .off = off, .imm = imm }, -1);
}

static inline void jump(struct gen *g, int code, int dst, int src, int32_t imm, int label)
{
	ebpf_add(&g->e, (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src,
					   .imm = imm }, label);
}

static inline void go(struct gen *g, int label)
{
	jump(g, BPF_JMP | BPF_JA, 0, 0, 0, label);
}

static inline void mov(struct gen *g, int dst, int src)
{
	op(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static inline void set(struct gen *g, int dst, int32_t imm)
{
	op(g, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static inline void set32(struct gen *g, int dst, uint32_t imm)
{
	op(g, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static inline void add(struct gen *g, int dst, int32_t imm)
{
	op(g, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static inline void add_reg(struct gen *g, int dst, int src)
{
	op(g, BPF_ALU64 | BPF_ADD | BPF_X, dst, src, 0, 0);
}

static inline void call(struct gen *g, int helper)
{
	op(g, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static inline int size_code(int n)
{
	return n == 8 ? BPF_DW : n == 4 ? BPF_W : n == 2 ? BPF_H : BPF_B;
}

static inline void read_mem(struct gen *g, int n, int dst, int base, int off)
{
	op(g, BPF_LDX | BPF_MEM | size_code(n), dst, base, off, 0);
}

static inline void write_mem(struct gen *g, int n, int base, int off, int src)
{
	op(g, BPF_STX | BPF_MEM | size_code(n), base, src, off, 0);
}

static inline void load_map(struct gen *g, int dst, int fd)
{
	op(g, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
	op(g, 0, 0, 0, 0, 0);
}

static inline void to_host(struct gen *g, int reg, int n)
{
	if (n > 1)
		op(g, BPF_ALU | BPF_END | BPF_TO_BE, reg, 0, 0, 8 * n);
}

/* ---- cbpf_frame.c ---- */

/* The frame is refused if the register compares so with imm: JNE, JEQ, JGT. */
void cbpf_reject_if(struct gen *g, int code, int reg, int32_t imm);

/* END = where the frame ends, for programs that look at it themselves. */
void cbpf_load_end(struct gen *g);

/* The tag beside the frame to the stack, as it would stand in the frame. */
void cbpf_keep_tag(struct gen *g);

/* dst = n bytes of the frame from k on, in host order. A frame that has not so many is refused. */
void cbpf_load_abs(struct gen *g, int dst, uint32_t k, int n);

/* A = n bytes from X + k on. */
void cbpf_load_ind(struct gen *g, uint32_t k, int n);

/* dst = the length on the wire, a tag beside the frame included. */
void cbpf_load_len(struct gen *g, int dst);

/* A = which way the packet goes, as libpcap asks it: "inbound", "outbound". */
void cbpf_load_way(struct gen *g);

#endif
