// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   tests/data/filters.txt, frames of every kind, classic programs by hand. test_cbpf N: one
 *       filter in N and one frame in FRAMES_SLOW, for slow machines.
 * Out:  pass when the kernel says of each frame what libpcap's bpf_filter() says, at every hook.
 * Owns: the programs, while they are asked.
 * Runs on: one thread, as root; else it skips.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <bpf/libbpf.h>
#include <linux/filter.h>
#include "cbpf_frames.h"
#include "cbpf_kernel.h"
#include "cbpf_random.h"
#include "filter.h"
#include "xcap_event.h"

static int tagged_progs = -1, tagger = -1;	/* a prog array, and what calls its slot 0 */
static unsigned int asked, skipped;
static int one_in = 1;

/* Nothing divides this and the number of ways: every way is asked about every frame. */
#define FRAMES_SLOW 8

/* ---- asking ---- */

/* Whatever array a program calls, one cleared with its last descriptor would do nothing. */
static int make_array(uint32_t type, const char *name, int value_size, int nr)
{
	int fd = bpf_map_create(type, name, 4, value_size, nr, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void put_prog(int array, uint32_t slot, int fd)
{
	assert_int_equal(bpf_map_update_elem(array, &slot, &fd, BPF_ANY), 0);
}

static void load_failed(const char *what, enum way way, const struct error *err)
{
	fail_msg("%s, way %d: %s", what, way, err->text);
}

static void ask_all(const char *what, int fd, enum way way, const struct cbpf_insn *insns)
{
	static unsigned int turn;
	int run = is_tagged(way) ? tagger : fd, step = one_in > 1 ? FRAMES_SLOW : 1;

	turn++;
	if (is_tagged(way))
		put_prog(tagged_progs, 0, fd);
	for (int i = 0; i < nr_frames; i++) {
		const struct frame *f = &frames[i];
		int got, want;

		if (!fits(way, f->len) || (i && (i + turn) % step))	/* 0: large() makes it */
			continue;
		got = run_frame(run, way, f->bytes, f->len);
		if (got == -EINVAL) {	/* an IP header that is cut: no packet of the kernel's */
			skipped++;
			continue;
		}
		want = reference(insns, way, f->bytes, f->len);
		asked++;
		if (got != want)
			fail_msg("'%s', way %d, frame %d (%s): the kernel says %d, libpcap %d",
				 what, way, i, f->name, got, want);
	}
}

/* small: also the form that is for large programs, where the other would do. */
static void compare_forms(const char *what, const struct cbpf_insn *insns, int nr, bool small)
{
	struct error err = { "" };
	int fd = -1;

	for (enum way way = 0; way < NR_WAYS; way++) {
		struct cbpf_target t = target_of(way);

		if (t.small && !small)
			continue;
		if (!is_tagged(way)) {
			if (fd >= 0)
				close(fd);
			fd = cbpf_load(insns, nr, &t, &err);
		}
		if (fd < 0)
			load_failed(what, way, &err);
		ask_all(what, fd, way, insns);
	}
	close(fd);
}

static void compare(const char *what, const struct cbpf_insn *insns, int nr)
{
	compare_forms(what, insns, nr, true);
}

/* What libpcap runs where it reads no socket: the answer to "which way" is in the program. */
static void answer(struct cbpf_insn *insns, int nr)
{
	for (int i = 0; i < nr; i++)
		if (insns[i].k == (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE)
			insns[i] = (struct cbpf_insn){ .code = BPF_LD | BPF_IMM, .k = 0 };
}

static void expressions(void **state)
{
	char path[4096], line[512];
	struct error err = { "" };
	struct cbpf_insn *insns;
	int nr, lines = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/data/filters.txt", getenv("TOP") ?: ".");
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (lines++ % one_in)
			continue;
		nr = filter_insns(line, 1, &insns, &err);
		if (nr < 0)
			fail_msg("%s", err.text);
		answer(insns, nr);
		compare(line, insns, nr);
		free(insns);
	}
	fclose(f);
	assert_true(lines >= 300);
	print_message("%d filters: %u answers, %u frames that are no packets\n", lines, asked,
		      skipped);
	assert_true(asked > skipped);
}

static void random_programs(void **state)
{
	struct cbpf_insn insns[RANDOM_PROGRAM_MAX];
	uint8_t bytes[1024];
	char name[32];

	for (int i = 0; i < 200 / one_in; i++) {
		struct dice d = { bytes, bytes + sizeof(bytes) };

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = rnd(256);
		snprintf(name, sizeof(name), "random program %d", i);
		compare(name, insns, random_program(&d, insns));
	}
}

/* ---- by hand ---- */

#define S(code, k) { code, 0, 0, k }
#define J(code, k, jt, jf) { code, jt, jf, k }

/* Each begins with A = the frame's byte 19 or so, or X = it, so that nothing is known before. */
static const struct by_hand {
	const char *name;
	int nr;
	struct cbpf_insn insns[12];
} programs[] = {
	{ "dead code", 6, { S(BPF_LD | BPF_B | BPF_ABS, 19), S(BPF_JMP | BPF_JA, 2),
		S(BPF_LD | BPF_IMM, 1), S(BPF_RET | BPF_A, 0),
		J(BPF_JMP | BPF_JGT | BPF_K, 127, 0, 0), S(BPF_RET | BPF_A, 0) } },
	{ "memory", 8, { S(BPF_LD | BPF_W | BPF_ABS, 10), S(BPF_ST, 15),
		S(BPF_LDX | BPF_MEM, 15), S(BPF_STX, 0), S(BPF_LD | BPF_IMM, 7),
		S(BPF_LD | BPF_MEM, 0), S(BPF_ALU | BPF_AND | BPF_K, 0x81),
		S(BPF_RET | BPF_A, 0) } },
	{ "shift left by X", 5, { S(BPF_LD | BPF_B | BPF_ABS, 19), S(BPF_MISC | BPF_TAX, 0),
		S(BPF_LD | BPF_IMM, 1), S(BPF_ALU | BPF_LSH | BPF_X, 0), S(BPF_RET | BPF_A, 0) } },
	{ "shift right by X", 5, { S(BPF_LD | BPF_B | BPF_ABS, 19), S(BPF_MISC | BPF_TAX, 0),
		S(BPF_LD | BPF_IMM, -1), S(BPF_ALU | BPF_RSH | BPF_X, 0), S(BPF_RET | BPF_A, 0) } },
	{ "shift left by 31", 4, { S(BPF_LDX | BPF_IMM, 31), S(BPF_LD | BPF_IMM, 1),
		S(BPF_ALU | BPF_LSH | BPF_X, 0), S(BPF_RET | BPF_A, 0) } },
	{ "shift left by 32", 4, { S(BPF_LDX | BPF_IMM, 32), S(BPF_LD | BPF_IMM, 1),
		S(BPF_ALU | BPF_LSH | BPF_X, 0), S(BPF_RET | BPF_A, 0) } },
	{ "shift right by 32", 4, { S(BPF_LDX | BPF_IMM, 32), S(BPF_LD | BPF_IMM, 1),
		S(BPF_ALU | BPF_RSH | BPF_X, 0), S(BPF_RET | BPF_A, 0) } },
	{ "divide by X", 6, { S(BPF_LDX | BPF_B | BPF_MSH, 15), S(BPF_LD | BPF_W | BPF_ABS, 10),
		S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_ALU | BPF_AND | BPF_K, 1),
		S(BPF_ALU | BPF_NEG, 0), S(BPF_RET | BPF_A, 0) } },
	{ "remainder by X", 4, { S(BPF_LDX | BPF_B | BPF_MSH, 15), S(BPF_LD | BPF_W | BPF_ABS, 10),
		S(BPF_ALU | BPF_MOD | BPF_X, 0), S(BPF_RET | BPF_A, 0) } },
	{ "unsigned", 4, { S(BPF_LD | BPF_W | BPF_ABS, 12),
		J(BPF_JMP | BPF_JGE | BPF_K, 0x80000000, 1, 0), S(BPF_RET | BPF_K, 0),
		S(BPF_RET | BPF_K, -1) } },
	{ "against X", 7, { S(BPF_LDX | BPF_LEN, 0), S(BPF_LD | BPF_H | BPF_ABS, 16),
		J(BPF_JMP | BPF_JGT | BPF_X, 0, 3, 0), J(BPF_JMP | BPF_JSET | BPF_X, 0, 2, 0),
		J(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), S(BPF_RET | BPF_K, 0),
		S(BPF_RET | BPF_K, 65535) } },
	{ "index that wraps", 5, { S(BPF_LD | BPF_IMM, -4), S(BPF_MISC | BPF_TAX, 0),
		S(BPF_LD | BPF_B | BPF_IND, 18), S(BPF_LD | BPF_IMM, 1), S(BPF_RET | BPF_A, 0) } },
	{ "negative index", 3, { S(BPF_LD | BPF_B | BPF_IND, -1), S(BPF_LD | BPF_IMM, 1),
		S(BPF_RET | BPF_A, 0) } },
	{ "negative index, less than X", 4, { S(BPF_LDX | BPF_IMM, 15),
		S(BPF_LD | BPF_B | BPF_IND, -1), S(BPF_LD | BPF_IMM, 1), S(BPF_RET | BPF_A, 0) } },
	{ "index beyond all", 7, { S(BPF_LD | BPF_H | BPF_ABS, 12), S(BPF_ALU | BPF_DIV | BPF_K, 27),
		S(BPF_MISC | BPF_TAX, 0), S(BPF_LD | BPF_W | BPF_IND, 37),
		S(BPF_LD | BPF_B | BPF_IND, 0x7fffffff), S(BPF_LD | BPF_IMM, 1),
		S(BPF_RET | BPF_A, 0) } },
	{ "last word", 6, { S(BPF_LDX | BPF_LEN, 0), S(BPF_MISC | BPF_TXA, 0),
		S(BPF_ALU | BPF_SUB | BPF_K, 4), S(BPF_MISC | BPF_TAX, 0),
		S(BPF_LD | BPF_W | BPF_IND, 0), S(BPF_RET | BPF_A, 0) } },
	{ "one byte too far", 5, { S(BPF_LDX | BPF_LEN, 0), S(BPF_MISC | BPF_TXA, 0),
		S(BPF_LD | BPF_B | BPF_IND, 0), S(BPF_LD | BPF_IMM, 1), S(BPF_RET | BPF_A, 0) } },
	{ "nothing", 1, { S(BPF_RET | BPF_K, 0) } },
	{ "everything", 1, { S(BPF_RET | BPF_K, 1) } },
};

static void by_hand(void **state)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		compare(programs[i].name, programs[i].insns, programs[i].nr);
}

/* Indexes around a tag that stands beside the frame, of every size. */
static void around_the_tag(void **state)
{
	static const uint16_t sizes[] = { BPF_B, BPF_H, BPF_W };

	for (uint32_t at = 6; at < 20; at++)
		for (int i = 0; i < 3; i++) {
			struct cbpf_insn insns[] = {
				S(BPF_LDX | BPF_IMM, at - 5),
				S(BPF_LD | BPF_IND | sizes[i], 5), S(BPF_ST, 3),
				S(BPF_LD | BPF_ABS | sizes[i], at),
				S(BPF_LDX | BPF_MEM, 3),
				J(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0), S(BPF_RET | BPF_K, 0),
				S(BPF_ALU | BPF_AND | BPF_K, 1 << (at & 7)),
				S(BPF_RET | BPF_A, 0),
			};

			compare("around the tag", insns, sizeof(insns) / sizeof(*insns));
		}
}

static int translate(const struct cbpf_insn *insns, int nr, struct error *err)
{
	struct cbpf_target t = target_of(WAY_TC);
	struct bpf_insn *code = NULL;
	int ret = cbpf_translate(insns, nr, &t, &code, err);

	free(code);
	return ret;
}

static void refused(void **state)
{
	static const struct { int nr, ret; struct cbpf_insn insns[2]; } cases[] = {
		{ 0, -EINVAL, { S(0, 0) } },
		{ 1, -EINVAL, { S(BPF_LD | BPF_IMM, 1) } },
		{ 2, -EINVAL, { J(BPF_JMP | BPF_JEQ, 1, 1, 0), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_JMP | BPF_JA, 1), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_JMP | BPF_JA, -1), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_ALU | BPF_DIV | BPF_K, 0), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_LD | BPF_MEM, 16), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_ST, 16), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_LD | BPF_DW | BPF_ABS, 0), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_JMP | 0x50, 0), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EINVAL, { S(BPF_ALU | 0xb0, 0), S(BPF_RET | BPF_K, 0) } },
		{ 2, -EOPNOTSUPP, { S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_IFINDEX),
			S(BPF_RET | BPF_K, 0) } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = { "" };

		assert_int_equal(translate(cases[i].insns, cases[i].nr, &err), cases[i].ret);
		assert_true(err.text[0]);
	}
}

/* ---- large ones ---- */

/* One address after another, in libpcap's manner: far jumps to one end. Return: instructions. */
static int many(struct cbpf_insn **out, int nr)
{
	struct cbpf_insn *in = calloc(5 * nr + 4, sizeof(*in));
	int n = 0, end = 5 * nr + 1;

	in[n++] = (struct cbpf_insn)S(BPF_LD | BPF_H | BPF_ABS, 12);
	for (int i = 0; i < nr; i++) {
		in[n++] = (struct cbpf_insn)S(BPF_LD | BPF_W | BPF_ABS, 26);
		in[n++] = (struct cbpf_insn)J(BPF_JMP | BPF_JEQ | BPF_K, 0x0b000000 + i, 2, 0);
		in[n++] = (struct cbpf_insn)S(BPF_LD | BPF_W | BPF_ABS, 30);
		in[n++] = (struct cbpf_insn)J(BPF_JMP | BPF_JEQ | BPF_K, 0x0b000000 + i, 0, 1);
		in[n] = (struct cbpf_insn)S(BPF_JMP | BPF_JA, end - n);
		n++;
	}
	in[n++] = (struct cbpf_insn)S(BPF_RET | BPF_K, 0);
	in[n++] = (struct cbpf_insn)S(BPF_LD | BPF_B | BPF_ABS, 23);
	in[n++] = (struct cbpf_insn)S(BPF_RET | BPF_A, 0);
	*out = in;
	return n;
}

static void large(void **state)
{
	static const int sizes[] = { 100, 1000, 3000 };
	struct frame *f = &frames[0];
	struct cbpf_insn *insns;
	int nr;

	for (int i = 0; i < (one_in > 1 ? 2 : 3); i++) {
		nr = many(&insns, sizes[i]);
		f->bytes[26] = 11;	/* the last of them; no other frame has one */
		put16(f->bytes + 28, sizes[i] - 1);
		compare_forms("many addresses", insns, nr, one_in == 1 || !i);
		memcpy(f->bytes + 26, "\x0a\0\0\1", 4);
		free(insns);
	}
}

static void too_large(void **state)
{
	struct cbpf_target t = target_of(WAY_XDP);
	struct error err = { "" };
	struct cbpf_insn *insns;
	int nr = many(&insns, 80000);

	assert_int_equal(cbpf_load(insns, nr, &t, &err), -E2BIG);
	assert_non_null(strstr(err.text, "too large"));
	free(insns);
}

/* ---- in its place: between a hook's program and the one that captures ---- */

static int answers(enum bpf_prog_type type, int value, int flags)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = value },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = flags,
		    .expected_attach_type = type == BPF_PROG_TYPE_XDP ? BPF_XDP : 0);

	return bpf_prog_load(type, "answers", "GPL", code, 2, &opts);
}

static struct xcap_cpu sum_of(int counts, int nr)
{
	struct xcap_cpu sum = { 0 }, one;

	for (uint32_t i = 0; i < (uint32_t)nr; i++) {
		assert_int_equal(bpf_map_lookup_elem(counts, &i, &one), 0);
		sum.seen += one.seen;
		sum.filtered += one.filtered;
	}
	return sum;
}

enum { CAPTURED = 77, LET_GO = 2, ASKED = 101 };

static void in_place(enum way way, bool out, bool by_queue, bool count_seen, bool shared)
{
	static const enum bpf_prog_type types[] = {
		[CBPF_XDP] = BPF_PROG_TYPE_XDP, [CBPF_XDP_FRAGS] = BPF_PROG_TYPE_XDP,
		[CBPF_TC] = BPF_PROG_TYPE_SCHED_CLS, [CBPF_SOCKET] = BPF_PROG_TYPE_SOCKET_FILTER,
	};
	struct cbpf_target t = target_of(way);
	int nr = libbpf_num_possible_cpus(), n, progs, fd, captured, yes = 0;
	struct error err = { "" };
	struct cbpf_insn *insns;
	struct xcap_cpu sum;

	progs = make_array(BPF_MAP_TYPE_PROG_ARRAY, "progs", 4, XPROG_MAX);
	t.progs_fd = progs;
	t.counts_fd = make_array(BPF_MAP_TYPE_ARRAY, "counts", sizeof(struct xcap_cpu), nr);
	t.slot = XPROG_CAPTURE_OUT;
	t.verdict = LET_GO;
	t.out = out;
	t.by_queue = by_queue;
	t.count_seen = count_seen;
	t.shared = shared;
	captured = answers(types[t.hook], CAPTURED,
			   t.hook == CBPF_XDP_FRAGS ? BPF_F_XDP_HAS_FRAGS : 0);
	assert_true(captured >= 0);
	put_prog(progs, t.slot, captured);
	n = filter_insns(out ? "udp and outbound" : "udp and inbound", 1, &insns, &err);
	fd = cbpf_load(insns, n, &t, &err);
	if (fd < 0)
		load_failed("in place", way, &err);
	for (int i = 0; i < ASKED; i++) {
		const struct frame *f = &frames[i % 36];	/* IPv4 and IPv6, some of it UDP */
		int got = run_frame(fd, way, f->bytes, f->len);

		assert_true(got == CAPTURED || got == LET_GO);
		yes += got == CAPTURED;
	}
	sum = sum_of(t.counts_fd, nr);
	assert_true(yes > 0 && yes < ASKED);
	assert_int_equal(sum.filtered, ASKED - yes);
	assert_int_equal(sum.seen, count_seen ? ASKED - yes : 0);
	free(insns);
	close(fd);
	close(captured);
	close(t.counts_fd);
	close(progs);
}

static void places(void **state)
{
	in_place(WAY_XDP, false, true, false, false);
	in_place(WAY_XDP, false, true, false, true);
	in_place(WAY_XDP_SMALL, false, false, true, false);
	in_place(WAY_FRAGS, false, true, false, true);
	in_place(WAY_FRAGS, false, false, true, false);
	in_place(WAY_TC, false, false, true, false);
	in_place(WAY_TC, true, false, true, false);
	in_place(WAY_SOCKET, false, false, true, false);
}

static int set_up(void **state)
{
	make_frames();
	tagged_progs = make_array(BPF_MAP_TYPE_PROG_ARRAY, "progs", 4, 1);
	tagger = load_tagger(tagged_progs);
	return tagger < 0;
}

static int tear_down(void **state)
{
	for (int i = 0; i < nr_frames; i++)
		free(frames[i].bytes);
	close(tagger);
	close(tagged_progs);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(by_hand),
		cmocka_unit_test(around_the_tag),
		cmocka_unit_test(places),
		cmocka_unit_test(large),
		cmocka_unit_test(too_large),
		cmocka_unit_test(random_programs),
		cmocka_unit_test(expressions),
	};

	if (geteuid()) {
		puts("needs root, to ask the kernel");
		return 77;
	}
	one_in = argc > 1 ? atoi(argv[1]) : 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
