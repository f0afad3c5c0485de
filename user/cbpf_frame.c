// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   loads of a classic program: so many bytes from there on.
 * Out:  eBPF that reads them in place as far as they lie in one piece, and by helpers behind that.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * A VLAN tag that the kernel keeps beside the frame is read as if it stood in it. It is kept on
 * the stack, what stands behind it is read four bytes further to the front.
 */
#include <limits.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include "cbpf_gen.h"

#define DIRECT_MAX 0x7f00	/* offsets of an instruction are 16 bits, and signed */

/*
 * Small programs jump away in the rare case. Verifiers keep a place to come back to for each
 * jump and go straight on, so in large ones what they go on to must soon come to an end.
 */
void cbpf_reject_if(struct gen *g, int code, int reg, int32_t imm)
{
	int on;

	if (!g->t->small) {
		jump(g, code, reg, 0, imm, g->reject);
		return;
	}
	on = ebpf_labels(&g->e, 1);
	jump(g, code == (BPF_JMP | BPF_JNE | BPF_K) ? BPF_JMP | BPF_JEQ | BPF_K :
		code == (BPF_JMP | BPF_JEQ | BPF_K) ? BPF_JMP | BPF_JNE | BPF_K :
		BPF_JMP | BPF_JLE | BPF_K, reg, 0, imm, on);
	go(g, g->reject);
	ebpf_here(&g->e, on);
}

static void context(struct gen *g, int dst, int of_xdp, int of_skb)
{
	read_mem(g, 4, dst, CTX, is_xdp(g) ? of_xdp : of_skb);
}

void cbpf_load_end(struct gen *g)
{
	if (is_direct(g))
		context(g, END, offsetof(struct xdp_md, data_end),
			offsetof(struct __sk_buff, data_end));
}

/* n bytes from the offset in R2 to the stack. R0: 0 when they are there. */
static void call_load(struct gen *g, int to, int n)
{
	mov(g, R1, CTX);
	mov(g, R3, FP);
	add(g, R3, to);
	set(g, R4, n);
	call(g, is_xdp(g) ? BPF_FUNC_xdp_load_bytes : BPF_FUNC_skb_load_bytes);
}

/* dst = n bytes from the offset in R2. */
static void read_by_helper(struct gen *g, int dst, int n)
{
	call_load(g, SCRATCH_AT, n);
	cbpf_reject_if(g, BPF_JMP | BPF_JNE | BPF_K, R0, 0);
	read_mem(g, n, dst, FP, SCRATCH_AT);
}

/* What is not in the first piece may be in the next. At plain XDP there is one. */
static int behind(struct gen *g)
{
	return g->t->hook == CBPF_XDP ? g->reject : ebpf_labels(&g->e, 1);
}

/* dst = n bytes of the frame as it lies there, from a fixed offset on. */
static void read_fixed(struct gen *g, int dst, uint32_t at, int n)
{
	int slow, done;

	if (at > INT_MAX - 4) {
		go(g, g->reject);
		return;
	}
	if (!is_direct(g) || at > DIRECT_MAX) {
		set(g, R2, at);
		read_by_helper(g, dst, n);
		to_host(g, dst, n);
		return;
	}
	slow = behind(g);
	context(g, R1, offsetof(struct xdp_md, data), offsetof(struct __sk_buff, data));
	mov(g, R2, R1);
	add(g, R2, at + n);
	jump(g, BPF_JMP | BPF_JGT | BPF_X, R2, END, 0, slow);
	read_mem(g, n, dst, R1, at);
	if (slow != g->reject) {
		done = ebpf_labels(&g->e, 1);
		go(g, done);
		ebpf_here(&g->e, slow);
		set(g, R2, at);
		read_by_helper(g, dst, n);
		ebpf_here(&g->e, done);
	}
	to_host(g, dst, n);
}

/* dst = n bytes of the frame as it lies there, from the offset in R1 on: below 2^33. */
static void read_at(struct gen *g, int dst, int n)
{
	int slow = behind(g), done = -1;

	if (is_direct(g)) {
		done = ebpf_labels(&g->e, 1);
		jump(g, BPF_JMP | BPF_JGT | BPF_K, R1, 0, DIRECT_MAX, slow);
		context(g, R2, offsetof(struct xdp_md, data), offsetof(struct __sk_buff, data));
		add_reg(g, R2, R1);
		mov(g, R3, R2);
		add(g, R3, n);
		jump(g, BPF_JMP | BPF_JGT | BPF_X, R3, END, 0, slow);
		read_mem(g, n, dst, R2, 0);
		go(g, done);
	}
	if (slow != g->reject)
		ebpf_here(&g->e, slow);
	if (slow != g->reject || !is_direct(g)) {
		cbpf_reject_if(g, BPF_JMP | BPF_JGT | BPF_K, R1, INT_MAX);
		mov(g, R2, R1);
		read_by_helper(g, dst, n);
	}
	if (done >= 0)
		ebpf_here(&g->e, done);
	to_host(g, dst, n);
}

/*
 * dst = n bytes of which some are of the tag, from the offset in END on: put together on the
 * stack, around the tag that stands there already. What is not there stays zero.
 */
static void read_window(struct gen *g, int dst, int n)
{
	read_mem(g, 4, R1, CTX, offsetof(struct __sk_buff, len));
	add(g, R1, TAG_LEN);
	mov(g, R2, END);
	add(g, R2, n);
	jump(g, BPF_JMP | BPF_JGT | BPF_X, R2, R1, 0, g->reject);
	op(g, BPF_ST | BPF_MEM | BPF_W, FP, 0, WINDOW_AT + 8, 0);
	set(g, R2, WINDOW);
	call_load(g, WINDOW_AT, MACS_LEN - WINDOW);
	set(g, R2, MACS_LEN);
	call_load(g, WINDOW_AT + 8, 2);
	set(g, R2, MACS_LEN + 2);
	call_load(g, WINDOW_AT + 10, 1);
	mov(g, R2, FP);
	add(g, R2, WINDOW_AT - WINDOW);
	add_reg(g, R2, END);
	read_mem(g, 1, dst, R2, 0);
	for (int i = 1; i < n; i++) {
		op(g, BPF_ALU | BPF_LSH | BPF_K, dst, 0, 0, 8);
		read_mem(g, 1, R1, R2, i);
		op(g, BPF_ALU | BPF_OR | BPF_X, dst, R1, 0, 0);
	}
	cbpf_load_end(g);
}

/* dst = n bytes from k on. */
void cbpf_load_abs(struct gen *g, int dst, uint32_t k, int n)
{
	if (!g->tagged || k + (uint64_t)n <= MACS_LEN) {
		read_fixed(g, dst, k, n);
	} else if (k >= MACS_LEN + TAG_LEN) {
		read_fixed(g, dst, k - TAG_LEN, n);
	} else if (k >= MACS_LEN && k + n <= MACS_LEN + TAG_LEN && k % n == 0) {
		read_mem(g, n, dst, FP, WINDOW_AT + k - WINDOW);
		to_host(g, dst, n);
	} else {
		set(g, END, k);
		read_window(g, dst, n);
	}
}

/* A = n bytes from X + k on. */
void cbpf_load_ind(struct gen *g, uint32_t k, int n)
{
	int real, beyond, done;

	if (k > INT_MAX) {
		go(g, g->reject);
		return;
	}
	/* not X first: of a copy plus a constant verifiers keep that, and allow small ones only */
	set(g, R1, k);
	add_reg(g, R1, X);
	if (!g->tagged) {
		read_at(g, A, n);
		return;
	}
	real = ebpf_labels(&g->e, 3);
	beyond = real + 1;
	done = real + 2;
	jump(g, BPF_JMP | BPF_JLE | BPF_K, R1, 0, MACS_LEN - n, real);
	jump(g, BPF_JMP | BPF_JGE | BPF_K, R1, 0, MACS_LEN + TAG_LEN, beyond);
	mov(g, END, R1);
	read_window(g, A, n);
	go(g, done);
	ebpf_here(&g->e, beyond);
	add(g, R1, -TAG_LEN);
	ebpf_here(&g->e, real);
	read_at(g, A, n);
	ebpf_here(&g->e, done);
}

/* The length on the wire, a tag beside the frame included. */
void cbpf_load_len(struct gen *g, int dst)
{
	if (g->t->hook == CBPF_XDP_FRAGS) {
		mov(g, R1, CTX);
		call(g, BPF_FUNC_xdp_get_buff_len);
		op(g, BPF_ALU | BPF_MOV | BPF_X, dst, R0, 0, 0);
	} else if (g->t->hook == CBPF_XDP) {
		read_mem(g, 4, dst, CTX, offsetof(struct xdp_md, data_end));
		read_mem(g, 4, R1, CTX, offsetof(struct xdp_md, data));
		op(g, BPF_ALU64 | BPF_SUB | BPF_X, dst, R1, 0, 0);
		op(g, BPF_ALU | BPF_MOV | BPF_X, dst, dst, 0, 0);
	} else {
		read_mem(g, 4, dst, CTX, offsetof(struct __sk_buff, len));
		if (g->tagged)
			op(g, BPF_ALU | BPF_ADD | BPF_K, dst, 0, 0, TAG_LEN);
	}
}

/* Which way the packet goes, as libpcap asks it: "inbound", "outbound". */
void cbpf_load_way(struct gen *g)
{
	if (g->t->hook == CBPF_SOCKET)
		read_mem(g, 4, A, CTX, offsetof(struct __sk_buff, pkt_type));
	else
		set(g, A, g->t->out ? PACKET_OUTGOING : PACKET_HOST);
}

/* The tag, as it would stand in the frame. */
void cbpf_keep_tag(struct gen *g)
{
	read_mem(g, 4, R1, CTX, offsetof(struct __sk_buff, vlan_proto));
	write_mem(g, 2, FP, WINDOW_AT + MACS_LEN - WINDOW, R1);
	read_mem(g, 4, R1, CTX, offsetof(struct __sk_buff, vlan_tci));
	op(g, BPF_ALU | BPF_END | BPF_TO_BE, R1, 0, 0, 16);
	write_mem(g, 2, FP, WINDOW_AT + MACS_LEN - WINDOW + 2, R1);
}
