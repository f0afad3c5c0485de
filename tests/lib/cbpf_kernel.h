/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a classic program, a hook, a frame.
 * Out:  what the kernel says of it (BPF_PROG_TEST_RUN), what libpcap says of it.
 * Owns: nothing.
 * Runs on: root, for what the kernel says.
 */
#ifndef CBPF_KERNEL_H
#define CBPF_KERNEL_H

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "cbpf.h"

#define TAG_PROTO 0x8100
#define TAG_TCI 0x6007		/* priority 3, VLAN 7 */
#define FRAME_MIN 14		/* of a test run */
#define FRAME_MAX 16000
#define XDP_LINEAR 3400		/* a page less what the kernel puts in it */

/* Of libpcap, whose header has no room beside the kernel's; the layout is the same. */
unsigned int bpf_filter(const struct cbpf_insn *insns, const unsigned char *frame,
			unsigned int wire_len, unsigned int len);

/* The ways to run a filter. What is tagged is run by the program of the way before it. */
enum way {
	WAY_XDP, WAY_XDP_SMALL, WAY_FRAGS, WAY_FRAGS_SMALL, WAY_TC, WAY_TAGGED, WAY_TC_SMALL,
	WAY_TAGGED_SMALL, WAY_SOCKET, NR_WAYS
};

static inline struct cbpf_target target_of(enum way way)
{
	static const enum cbpf_hook hooks[] = {
		CBPF_XDP, CBPF_XDP, CBPF_XDP_FRAGS, CBPF_XDP_FRAGS, CBPF_TC, CBPF_TC, CBPF_TC,
		CBPF_TC, CBPF_SOCKET,
	};

	return (struct cbpf_target){
		.hook = hooks[way], .progs_fd = -1, .counts_fd = -1,
		.small = way == WAY_XDP_SMALL || way == WAY_FRAGS_SMALL || way == WAY_TC_SMALL ||
			 way == WAY_TAGGED_SMALL,
	};
}

static inline bool is_tagged(enum way way)
{
	return way == WAY_TAGGED || way == WAY_TAGGED_SMALL;
}

/* Can a frame of that length be run that way at all? */
static inline bool fits(enum way way, unsigned int len)
{
	unsigned int most = way == WAY_FRAGS || way == WAY_FRAGS_SMALL ? FRAME_MAX : XDP_LINEAR;

	return len >= FRAME_MIN && len <= most;
}

/*
 * A program that puts a tag beside the frame and goes on to slot 0 of the array, where the
 * filter is. Return: its descriptor; -errno.
 */
static inline int load_tagger(int progs_fd)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2,
		  .imm = __builtin_bswap16(TAG_PROTO) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = TAG_TCI },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_vlan_push },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = progs_fd },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 99 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "GPL", code,
			     sizeof(code) / sizeof(*code), NULL);
}

/* Return: the program's answer; -EINVAL: the kernel makes no packet of such a frame; -errno. */
static inline int run_frame(int fd, enum way way, const uint8_t *frame, unsigned int len)
{
	uint8_t behind[FRAME_MIN + FRAME_MAX] = { 0 };	/* a dummy header, which is pulled */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len, .repeat = 1);
	int ret;

	if (way == WAY_SOCKET) {
		memcpy(behind + FRAME_MIN, frame, len);
		opts.data_in = behind;
		opts.data_size_in = len + FRAME_MIN;
	}
	ret = bpf_prog_test_run_opts(fd, &opts);
	return ret ? ret : (int)opts.retval;
}

/* What libpcap says: of the frame with the tag in it, where the kernel has that beside it. */
static inline int reference(const struct cbpf_insn *insns, enum way way, const uint8_t *frame,
			    unsigned int len)
{
	static const uint8_t tag[] = { TAG_PROTO >> 8, TAG_PROTO & 255, TAG_TCI >> 8,
				       TAG_TCI & 255 };
	uint8_t *copy;
	int ret;

	/* exactly as large, so that sanitizers see one byte too far */
	len += is_tagged(way) ? sizeof(tag) : 0;
	copy = malloc(len + !len);
	if (is_tagged(way)) {
		memcpy(copy, frame, 12);
		memcpy(copy + 12, tag, sizeof(tag));
		memcpy(copy + 16, frame + 12, len - 16);
	} else {
		memcpy(copy, frame, len);
	}
	ret = bpf_filter(insns, copy, len, len) != 0;
	free(copy);
	return ret;
}

#endif
