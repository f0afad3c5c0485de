/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   any bytes.
 * Out:  a valid classic program, a filter expression, a frame: whatever the bytes make of them.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * One throw in a statement: compilers differ in the order within one, and a corpus must mean
 * the same to all of them.
 */
#ifndef CBPF_RANDOM_H
#define CBPF_RANDOM_H

#include <linux/filter.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "cbpf.h"

#define RANDOM_PROGRAM_MAX 96

/* When it is used up, all that follows is zero. */
struct dice {
	const uint8_t *at, *end;
};

static inline uint32_t throw_dice(struct dice *d, uint32_t sides)
{
	uint32_t v = 0;

	for (uint32_t reach = 1; reach < sides && d->at < d->end; reach <<= 8) {
		v = v << 8 | *d->at++;
		if (reach > UINT32_MAX >> 8)
			break;
	}
	return v % sides;
}

/* Offsets and constants: most of them small, some at the edges. */
static inline uint32_t random_k(struct dice *d)
{
	static const uint32_t edges[] = { 0x7fffffff, 0x80000000, 0xffffefff, 0xffff, 0x10000,
					  0x7f00, 0x7f01, 0xfff00000, 0x7ffffffc, 0xff };

	switch (throw_dice(d, 8)) {
	case 0:
		return edges[throw_dice(d, sizeof(edges) / sizeof(*edges))];
	case 1:
		return throw_dice(d, 0xffffefff);	/* behind that are extensions */
	case 2:
		return throw_dice(d, 2000);
	case 3:
		return 10 + throw_dice(d, 8);		/* around a tag */
	}
	return throw_dice(d, 64);
}

static inline struct cbpf_insn random_alu(struct dice *d)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD, BPF_OR,
					BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH };
	uint16_t op = ops[throw_dice(d, 10)];
	uint16_t src = throw_dice(d, 2) ? BPF_X : BPF_K;
	uint32_t k = random_k(d);

	if (op == BPF_LSH || op == BPF_RSH)
		k %= 32;	/* more makes no sense to C */
	if (op == BPF_DIV || op == BPF_MOD)
		k += !k;
	return (struct cbpf_insn){ .code = BPF_ALU | op | src, .k = k };
}

/* rest: instructions behind this one. */
static inline struct cbpf_insn random_jump(struct dice *d, uint32_t rest)
{
	static const uint16_t ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	struct cbpf_insn in = { .code = BPF_JMP | ops[throw_dice(d, 4)] };

	in.code |= throw_dice(d, 2) ? BPF_X : BPF_K;
	in.jt = throw_dice(d, rest);
	in.jf = throw_dice(d, rest);
	in.k = random_k(d);
	if (throw_dice(d, 12) == 0)
		in = (struct cbpf_insn){ .code = BPF_JMP | BPF_JA, .k = in.jt };
	return in;
}

static inline struct cbpf_insn random_insn(struct dice *d, uint32_t rest)
{
	static const uint16_t sizes[] = { BPF_B, BPF_H, BPF_W };
	static const uint8_t words[] = { 0, 1, 15 };	/* of M[], which the program begins with */
	uint16_t size = sizes[throw_dice(d, 3)];
	uint32_t word = words[throw_dice(d, 3)], k = random_k(d);
	uint16_t x = throw_dice(d, 2) ? BPF_LDX : BPF_LD;

	switch (throw_dice(d, 16)) {
	case 0: case 1: case 2:
		return (struct cbpf_insn){ .code = BPF_LD | BPF_ABS | size, .k = k };
	case 3: case 4:
		return (struct cbpf_insn){ .code = BPF_LD | BPF_IND | size, .k = k };
	case 5:
		return (struct cbpf_insn){ .code = BPF_LDX | BPF_B | BPF_MSH, .k = k };
	case 6:
		return (struct cbpf_insn){ .code = x | BPF_IMM, .k = k };
	case 7:
		return (struct cbpf_insn){ .code = x | BPF_LEN };
	case 8:
		return (struct cbpf_insn){ .code = x | BPF_MEM, .k = word };
	case 9:
		return (struct cbpf_insn){ .code = x == BPF_LD ? BPF_ST : BPF_STX, .k = word };
	case 10:
		return (struct cbpf_insn){ .code = BPF_MISC | (x == BPF_LD ? BPF_TAX : BPF_TXA) };
	case 11:
		if (x == BPF_LD && size == BPF_B)
			return (struct cbpf_insn){ .code = BPF_ALU | BPF_NEG };
		return random_alu(d);
	case 12: case 13:
		return random_alu(d);
	}
	return random_jump(d, rest);
}

/* out has room for RANDOM_PROGRAM_MAX. Return: instructions. */
static inline int random_program(struct dice *d, struct cbpf_insn *out)
{
	static const struct cbpf_insn begin[] = {
		{ BPF_ST, 0, 0, 0 }, { BPF_ST, 0, 0, 1 }, { BPF_ST, 0, 0, 15 },
	};
	int first = sizeof(begin) / sizeof(*begin);
	int nr = first + 1 + throw_dice(d, RANDOM_PROGRAM_MAX - first);

	memcpy(out, begin, sizeof(begin));
	for (int i = first; i < nr - 1; i++)
		out[i] = random_insn(d, nr - 1 - i);
	out[nr - 1] = throw_dice(d, 2) ? (struct cbpf_insn){ .code = BPF_RET | BPF_A } :
		      (struct cbpf_insn){ .code = BPF_RET | BPF_K, .k = throw_dice(d, 2) };
	if (nr > first + 4 && throw_dice(d, 2))
		out[nr - 2] = (struct cbpf_insn){ .code = BPF_RET | BPF_K, .k = throw_dice(d, 2) };
	return nr;
}

/* ---- expressions ---- */

struct text {
	char *at, *end;
};

__attribute__((format(printf, 2, 3)))
static inline void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->end - t->at, fmt, ap);
	va_end(ap);
	t->at += n < t->end - t->at ? n : t->end - t->at - 1;
}

static inline const char *pick(struct dice *d, const char *const *words, int nr)
{
	return words[throw_dice(d, nr)];
}
#define PICK(d, words) pick(d, words, sizeof(words) / sizeof(*(words)))

static inline void random_value(struct dice *d, struct text *t, int depth)
{
	static const char *const where[] = { "ether", "ip", "ip6", "tcp", "udp", "icmp", "arp" };
	static const char *const ops[] = { "+", "-", "*", "&", "|", "^" };

	switch (throw_dice(d, depth > 0 ? 6 : 3)) {
	case 0:
		say(t, "%u", throw_dice(d, 300));
		return;
	case 1:
		say(t, "len");
		return;
	case 2:
		say(t, "%s[", PICK(d, where));
		say(t, "%u:", throw_dice(d, 80));
		say(t, "%u]", 1u << throw_dice(d, 3));
		return;
	case 3:
		say(t, "%s[", PICK(d, where));
		random_value(d, t, depth - 1);
		say(t, " & 63:%u]", 1u << throw_dice(d, 3));
		return;
	case 4:
		say(t, "(");
		random_value(d, t, depth - 1);
		say(t, " %s ", throw_dice(d, 2) ? "/" : ">>");
		say(t, "%u)", 1 + throw_dice(d, 31));
		return;
	}
	say(t, "(");
	random_value(d, t, depth - 1);
	say(t, " %s ", PICK(d, ops));
	random_value(d, t, depth - 1);
	say(t, ")");
}

static inline void random_term(struct dice *d, struct text *t)
{
	static const char *const words[] = {
		"ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "vlan", "vlan 7", "mpls",
		"pppoes", "ether multicast", "ether broadcast", "ip multicast", "inbound", "llc",
		"tcp[13] & 2 != 0", "ip[6:2] & 0x1fff = 0", "net 10.0.0.0/8", "src net 10.0.0.0/24",
	};
	static const char *const ways[] = { "", "src ", "dst " };
	static const char *const protos[] = { "", "tcp ", "udp " };
	static const char *const compare[] = { "=", "!=", "<", ">", "<=", ">=" };

	switch (throw_dice(d, 5)) {
	case 0:
		say(t, "%shost ", PICK(d, ways));
		say(t, "10.0.0.%u", throw_dice(d, 4));
		return;
	case 1:
		say(t, "%s", PICK(d, protos));
		say(t, "%sport ", PICK(d, ways));
		say(t, "%u", throw_dice(d, 2) ? 7777 : throw_dice(d, 65536));
		return;
	case 2:
		random_value(d, t, 3);
		say(t, " %s ", PICK(d, compare));
		random_value(d, t, 2);
		return;
	}
	say(t, "%s", PICK(d, words));
}

static inline void random_terms(struct dice *d, struct text *t, int depth)
{
	switch (depth > 0 ? throw_dice(d, 4) : 0) {
	case 1:
		say(t, "not (");
		random_terms(d, t, depth - 1);
		say(t, ")");
		return;
	case 2:
	case 3:
		say(t, "(");
		random_terms(d, t, depth - 1);
		say(t, ") %s (", throw_dice(d, 2) ? "and" : "or");
		random_terms(d, t, depth - 1);
		say(t, ")");
		return;
	}
	random_term(d, t);
}

/* Not all of them compile. */
static inline void random_expression(struct dice *d, char *out, size_t size)
{
	struct text t = { out, out + size };

	*out = '\0';
	random_terms(d, &t, 4);
}

/* ---- frames ---- */

/* Half of them look like something. Return: its length, 14 to size. */
static inline unsigned int random_frame(struct dice *d, uint8_t *frame, unsigned int size)
{
	static const uint8_t like[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 50, 0,
					1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x1e, 0x61,
					0x1e, 0x61, 0, 30, 0, 0 };
	static const uint8_t protos[][2] = { { 8, 0 }, { 8, 6 }, { 0x86, 0xdd }, { 0x81, 0 },
					     { 0x88, 0x47 }, { 0x88, 0xa8 }, { 0, 40 } };
	unsigned int most = throw_dice(d, 4) ? 120 : size - 14;
	unsigned int len = 14 + throw_dice(d, most), i = 0, at = 12;
	bool shaped = throw_dice(d, 2);

	for (; shaped && i < sizeof(like) && i < len; i++)
		frame[i] = like[i];
	for (; i < len; i++)
		frame[i] = d->at < d->end ? throw_dice(d, 256) : i * 37 + len;
	if (shaped && throw_dice(d, 2))
		memcpy(frame + at, protos[throw_dice(d, 7)], 2);
	if (shaped && len > 24)
		frame[23] = throw_dice(d, 2) ? 6 : 17;
	return len;
}

#endif
