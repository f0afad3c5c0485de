/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet filters in the kernel: what libpcap compiles, classic BPF, becomes an eBPF program of
 * its own. It stands in a prog array between the program at the hook and the one that captures:
 * what matches goes on to that, the rest is counted and let go.
 */
#ifndef XCAP_CBPF_H
#define XCAP_CBPF_H

#include <stdbool.h>
#include <stdint.h>
#include "error.h"

/* A classic instruction. pcap.h and linux/bpf.h both have a struct bpf_insn, not the same. */
struct cbpf_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

enum cbpf_hook {
	CBPF_XDP,
	CBPF_XDP_FRAGS,		/* frames in pieces */
	CBPF_TC,
	CBPF_SOCKET,		/* packet socket */
};

struct cbpf_target {
	enum cbpf_hook hook;
	int progs_fd;		/* prog array; -1: the program returns 1 or 0 and does no more */
	uint32_t slot;		/* where the capturing program is */
	uint32_t verdict;	/* returned for what does not match */
	int counts_fd;		/* array of struct xcap_cpu; -1 none */
	bool out;		/* the hook sees what goes out; a packet socket sees both */
	bool by_queue;		/* its key is the RX queue; else the CPU */
	bool count_seen;	/* what does not match is counted as seen, too */
	bool shared;		/* several CPUs may count at one place */
	bool small;		/* the way of large programs, which is easier on verifiers */
};

struct bpf_insn;	/* the kernel's */

/*
 * Return: eBPF instructions in *out, which the caller frees; -EINVAL: no classic program;
 * -EOPNOTSUPP: it asks what cannot be told here; -E2BIG; -ENOMEM. Each with a sentence.
 */
int cbpf_translate(const struct cbpf_insn *in, int nr, const struct cbpf_target *t,
		   struct bpf_insn **out, struct error *err);

/*
 * Translate and load. Return: the program's descriptor; as cbpf_translate(); -EPERM. -E2BIG:
 * too large for this kernel's verifier.
 */
int cbpf_load(const struct cbpf_insn *in, int nr, const struct cbpf_target *t, struct error *err);

#endif
