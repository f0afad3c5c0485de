// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a classic BPF program, as libpcap compiles it; where it is to run.
 * Out:  an eBPF program with the verdict that bpf_filter(3) of libpcap has on every frame.
 * Owns: nothing; the program's descriptor is the caller's.
 * Runs on: any thread; the program where its hook runs.
 *
 * At hooks where the kernel may keep a VLAN tag beside the frame there are two programs in one, of
 * which the second is for tagged frames.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "cbpf_gen.h"
#include "xcap_event.h"

/* ---- classic instructions ---- */

static int width(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* LD and LDX. */
static void load(struct gen *g, const struct cbpf_insn *in, int dst)
{
	switch (BPF_MODE(in->code)) {
	case BPF_IMM:
		set32(g, dst, in->k);
		break;
	case BPF_MEM:
		read_mem(g, 4, dst, FP, MEM_AT + 4 * in->k);
		break;
	case BPF_LEN:
		cbpf_load_len(g, dst);
		break;
	case BPF_IND:
		cbpf_load_ind(g, in->k, width(in->code));
		break;
	case BPF_MSH:
		cbpf_load_abs(g, X, in->k, 1);
		op(g, BPF_ALU | BPF_AND | BPF_K, X, 0, 0, 0xf);
		op(g, BPF_ALU | BPF_LSH | BPF_K, X, 0, 0, 2);
		break;
	case BPF_ABS:
		if (in->k == (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE)
			cbpf_load_way(g);
		else
			cbpf_load_abs(g, A, in->k, width(in->code));
	}
}

static void alu(struct gen *g, const struct cbpf_insn *in)
{
	int code = BPF_ALU | BPF_OP(in->code) | BPF_SRC(in->code), shift, done;
	bool by_x = BPF_SRC(in->code) == BPF_X;

	switch (BPF_OP(in->code)) {
	case BPF_NEG:
		op(g, BPF_ALU | BPF_NEG, A, 0, 0, 0);
		return;
	case BPF_DIV:
	case BPF_MOD:
		if (by_x)
			cbpf_reject_if(g, BPF_JMP | BPF_JEQ | BPF_K, X, 0);
		break;
	case BPF_LSH:
	case BPF_RSH:
		if (!by_x && in->k > 31) {
			set(g, A, 0);
			return;
		}
		if (!by_x)
			break;
		shift = ebpf_labels(&g->e, 2);
		done = shift + 1;
		jump(g, BPF_JMP | BPF_JLE | BPF_K, X, 0, 31, shift);
		set(g, A, 0);
		go(g, done);
		ebpf_here(&g->e, shift);
		op(g, code, A, X, 0, 0);
		ebpf_here(&g->e, done);
		return;
	}
	op(g, code, A, by_x ? X : 0, 0, by_x ? 0 : in->k);
}

/* The opposite question; 0: there is none. */
static int opposite(int code)
{
	switch (code) {
	case BPF_JEQ: return BPF_JNE;
	case BPF_JGT: return BPF_JLE;
	case BPF_JGE: return BPF_JLT;
	}
	return 0;
}

/* What is not jumped to must soon come to an end where programs are large: cbpf_reject_if(). */
static void branch(struct gen *g, const struct cbpf_insn *in, int i)
{
	int yes = i + 1 + in->jt, no = i + 1 + in->jf, code = BPF_OP(in->code);
	bool by_x = BPF_SRC(in->code) == BPF_X;
	bool swap = opposite(code) && (g->t->small ? no < yes : yes == i + 1);

	if (in->jt == in->jf) {
		go(g, g->first + yes);
		return;
	}
	if (swap) {
		code = opposite(code);
		yes = no;
		no = i + 1 + in->jt;
	}
	jump(g, BPF_JMP32 | code | BPF_SRC(in->code), A, by_x ? X : 0, by_x ? 0 : in->k,
	     g->first + yes);
	go(g, g->first + no);
}

static void translate_one(struct gen *g, int i)
{
	const struct cbpf_insn *in = &g->in[i];

	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		load(g, in, A);
		break;
	case BPF_LDX:
		load(g, in, X);
		break;
	case BPF_ST:
	case BPF_STX:
		write_mem(g, 4, FP, MEM_AT + 4 * in->k, BPF_CLASS(in->code) == BPF_ST ? A : X);
		break;
	case BPF_ALU:
		alu(g, in);
		break;
	case BPF_JMP:
		if (BPF_OP(in->code) == BPF_JA)
			go(g, g->first + i + 1 + in->k);
		else
			branch(g, in, i);
		break;
	case BPF_RET:
		if (BPF_RVAL(in->code) == BPF_A)
			cbpf_reject_if(g, BPF_JMP | BPF_JEQ | BPF_K, A, 0);
		go(g, BPF_RVAL(in->code) == BPF_A || in->k ? g->accept : g->reject);
		break;
	case BPF_MISC:
		if (BPF_MISCOP(in->code) == BPF_TAX)
			mov(g, X, A);
		else
			mov(g, A, X);
	}
}

static void translate_all(struct gen *g, bool tagged)
{
	g->tagged = tagged;
	g->first = ebpf_labels(&g->e, g->nr);
	for (int i = 0; i < g->nr; i++) {
		ebpf_here(&g->e, g->first + i);
		translate_one(g, i);
	}
}

/* ---- around it ---- */

static bool uses_mem(const struct gen *g)
{
	for (int i = 0; i < g->nr; i++) {
		int class = BPF_CLASS(g->in[i].code);

		if (class == BPF_ST || class == BPF_STX ||
		    (class <= BPF_LDX && BPF_MODE(g->in[i].code) == BPF_MEM))
			return true;
	}
	return false;
}

static void begin(struct gen *g)
{
	mov(g, CTX, R1);
	set(g, A, 0);
	set(g, X, 0);
	cbpf_load_end(g);
	for (int i = 0; uses_mem(g) && i < BPF_MEMWORDS; i += 2)
		op(g, BPF_ST | BPF_MEM | BPF_DW, FP, 0, MEM_AT + 4 * i, 0);
}

static void count_one(struct gen *g, int off)
{
	if (g->t->shared) {
		set(g, R1, 1);
		op(g, BPF_STX | BPF_ATOMIC | BPF_DW, R0, R1, off, BPF_ADD);
		return;
	}
	read_mem(g, 8, R1, R0, off);
	add(g, R1, 1);
	write_mem(g, 8, R0, off, R1);
}

/* seen first: no reader finds a sum that is larger */
static void count(struct gen *g)
{
	int out = ebpf_labels(&g->e, 1);

	if (g->t->by_queue) {
		read_mem(g, 4, R0, CTX, offsetof(struct xdp_md, rx_queue_index));
	} else {
		call(g, BPF_FUNC_get_smp_processor_id);
	}
	write_mem(g, 4, FP, SCRATCH_AT, R0);
	load_map(g, R1, g->t->counts_fd);
	mov(g, R2, FP);
	add(g, R2, SCRATCH_AT);
	call(g, BPF_FUNC_map_lookup_elem);
	jump(g, BPF_JMP | BPF_JEQ | BPF_K, R0, 0, 0, out);
	if (g->t->count_seen)
		count_one(g, offsetof(struct xcap_cpu, seen));
	count_one(g, offsetof(struct xcap_cpu, filtered));
	ebpf_here(&g->e, out);
}

static void finish(struct gen *g)
{
	ebpf_here(&g->e, g->accept);
	if (g->t->progs_fd < 0) {
		set(g, R0, 1);
		op(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	} else {
		mov(g, R1, CTX);
		load_map(g, R2, g->t->progs_fd);
		set(g, R3, g->t->slot);
		call(g, BPF_FUNC_tail_call);
		/* nobody captures, which is never so: it goes the way of the others */
	}
	ebpf_here(&g->e, g->reject);
	if (g->t->counts_fd >= 0)
		count(g);
	set32(g, R0, g->t->progs_fd < 0 ? 0 : g->t->verdict);
	op(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* ---- what is accepted ---- */

static bool is_load(const struct cbpf_insn *in, struct error *err, int *ret)
{
	bool ldx = BPF_CLASS(in->code) == BPF_LDX, word = BPF_SIZE(in->code) == BPF_W;

	switch (BPF_MODE(in->code)) {
	case BPF_IMM:
	case BPF_LEN:
		return word;
	case BPF_MEM:
		return word && in->k < BPF_MEMWORDS;
	case BPF_MSH:
		return ldx && BPF_SIZE(in->code) == BPF_B;
	case BPF_IND:
		return !ldx && BPF_SIZE(in->code) != BPF_DW;
	case BPF_ABS:
		if (in->k >= (uint32_t)SKF_AD_OFF && in->k < (uint32_t)SKF_AD_OFF + SKF_AD_MAX &&
		    in->k != (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE)
			*ret = error_set(err, -EOPNOTSUPP, "the filter asks what only libpcap's "
					 "own capture can tell (extension %u)",
					 in->k - (uint32_t)SKF_AD_OFF);
		return !ldx && BPF_SIZE(in->code) != BPF_DW;
	}
	return false;
}

static bool is_known(const struct gen *g, int i, struct error *err, int *ret)
{
	const struct cbpf_insn *in = &g->in[i];
	uint64_t rest = g->nr - i - 1;

	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
	case BPF_LDX:
		return is_load(in, err, ret);
	case BPF_ST:
	case BPF_STX:
		return in->k < BPF_MEMWORDS;
	case BPF_ALU:
		if (BPF_OP(in->code) == BPF_DIV || BPF_OP(in->code) == BPF_MOD)
			return BPF_SRC(in->code) == BPF_X || in->k;
		return BPF_OP(in->code) <= BPF_XOR;
	case BPF_JMP:
		if (BPF_OP(in->code) == BPF_JA)
			return in->k < rest;
		return BPF_OP(in->code) <= BPF_JSET && in->jt < rest && in->jf < rest;
	case BPF_RET:
		return BPF_RVAL(in->code) != BPF_X;
	}
	return BPF_MISCOP(in->code) == BPF_TAX || BPF_MISCOP(in->code) == BPF_TXA;
}

/* As bpf_validate() of libpcap. */
static int check(const struct gen *g, struct error *err)
{
	int ret = 0;

	if (g->nr < 1 || BPF_CLASS(g->in[g->nr - 1].code) != BPF_RET)
		return error_set(err, -EINVAL, "the filter's program has no end");
	for (int i = 0; i < g->nr && !ret; i++)
		if (!is_known(g, i, err, &ret))
			ret = error_set(err, -EINVAL, "instruction %d of the filter's program "
					"(code %#x, k %u) is none of classic BPF", i,
					g->in[i].code, g->in[i].k);
	return ret;
}

int cbpf_translate(const struct cbpf_insn *in, int nr, const struct cbpf_target *t,
		   struct bpf_insn **out, struct error *err)
{
	struct gen g = { .in = in, .nr = nr, .t = t };
	int ret = check(&g, err), tagged;

	if (ret)
		return ret;
	g.accept = ebpf_labels(&g.e, 3);
	g.reject = g.accept + 1;
	tagged = g.accept + 2;
	begin(&g);
	if (!is_xdp(&g)) {
		read_mem(&g, 4, R1, CTX, offsetof(struct __sk_buff, vlan_present));
		jump(&g, BPF_JMP | BPF_JNE | BPF_K, R1, 0, 0, tagged);
	}
	translate_all(&g, false);
	if (!is_xdp(&g)) {
		ebpf_here(&g.e, tagged);
		cbpf_keep_tag(&g);
		translate_all(&g, true);
	}
	finish(&g);
	ret = ebpf_finish(&g.e, out);
	ebpf_free(&g.e);
	return ret >= 0 ? ret :
	       error_set(err, ret, "the filter's program of %d instructions cannot be translated: "
			 "%s", nr, strerror(-ret));
}

static int load_once(const struct cbpf_insn *in, int nr, const struct cbpf_target *t,
		     struct error *err)
{
	static const enum bpf_prog_type types[] = {
		[CBPF_XDP] = BPF_PROG_TYPE_XDP, [CBPF_XDP_FRAGS] = BPF_PROG_TYPE_XDP,
		[CBPF_TC] = BPF_PROG_TYPE_SCHED_CLS, [CBPF_SOCKET] = BPF_PROG_TYPE_SOCKET_FILTER,
	};
	/* all programs of a prog array are alike in these */
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = types[t->hook] == BPF_PROG_TYPE_XDP ? BPF_XDP : 0,
		    .prog_flags = t->hook == CBPF_XDP_FRAGS ? BPF_F_XDP_HAS_FRAGS : 0);
	struct bpf_insn *code = NULL;
	int n = cbpf_translate(in, nr, t, &code, err), fd;

	if (n < 0)
		return n;
	fd = bpf_prog_load(types[t->hook], "xcap_filter", "Dual BSD/GPL", code, n, &opts);
	free(code);
	if (fd >= 0)
		return fd;
	if (fd == -EPERM)
		return error_set(err, fd, "no permission to load a filter into the kernel; run as "
				 "root, or with CAP_BPF and CAP_NET_ADMIN");
	/* -EFAULT: older verifiers, of too many jumps in a row */
	if (fd == -E2BIG || fd == -EFAULT || fd == -ENOSPC || fd == -ENOMEM)
		return error_set(err, -E2BIG, "the filter is too large for the kernel "
				 "(%d instructions)", nr);
	return error_set(err, -EOPNOTSUPP, "the kernel refuses the filter's program: %s",
			 strerror(-fd));
}

int cbpf_load(const struct cbpf_insn *in, int nr, const struct cbpf_target *t, struct error *err)
{
	struct cbpf_target again = *t;
	int ret = load_once(in, nr, t, err);

	if (ret != -E2BIG || t->small)
		return ret;
	again.small = true;
	return load_once(in, nr, &again, err);
}
