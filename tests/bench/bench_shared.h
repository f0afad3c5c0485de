/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   what the bench's BPF programs and its user half agree on.
 * Out:  the same layout on both sides.
 * Owns: nothing.
 * Runs on: both sides.
 */
#ifndef BENCH_SHARED_H
#define BENCH_SHARED_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define BENCH_FRAME 60			/* 64 bytes on a wire, checksum included */
#define BENCH_BATCH 64			/* what a test run hands on at once */
#define BENCH_RING_BYTES (8 << 20)	/* as the library's default for a CPU */
#define BENCH_MAGIC 0x68636e62

/* Generator: set by the bench before a run, counted by the program. */
struct bench_gen {
	__u64 interval_ns;	/* between two batches; 0 flat out */
	__u64 next_ns;		/* when the next batch is due */
	__u64 slot;		/* frames asked of the program */
	__u64 sent;		/* of these, sent */
	__u64 idle;		/* of these, skipped to keep the pace */
	__u64 open;		/* this batch is sent */
};

/* Metadata in front of a frame: as much as the library's program writes. */
struct bench_stamp {
	__u64 mono_ns;
	__u32 magic;
	__u32 cpu;
};

/* A bare copy. */
struct bench_copy {
	__u64 mono_ns;
	__u32 len;
	__u32 cpu;
	__u8 data[BENCH_FRAME];
	__u32 reserved;
};

/* A bare record of a call, 64 bytes: time, thread, number, arguments or result. */
struct bench_call {
	__u64 mono_ns;
	__u64 pid_tgid;
	__u64 nr;
	__u64 args[5];
};
_Static_assert(sizeof(struct bench_call) == 64, "layout");

#endif
