// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   copies of one template frame, from BPF_PROG_TEST_RUN in live-frame mode.
 * Out:  XDP_TX on the interface the run names, each frame with its own number,
 *       source port and size.
 * Owns: the next number, shared by all CPUs that send.
 * Runs on: the CPU that called the test run.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "../lib/txgen.h"

const volatile struct txgen_cfg cfg;

__u64 next_seq;
__u64 start_ns;

/* As much of IPv4, UDP and payload as changes from frame to frame. */
struct headers {
	__be16 ip_head;
	__be16 ip_len;
	__be16 ip_rest[3];
	__be16 ip_sum;
	__be32 ip_src, ip_dst;
	__be16 from, to;
	__be16 udp_len, udp_sum;
	__be32 magic, seq;
};

static __be16 checksum(const struct headers *h)
{
	__u32 sum = 0;

	for (int i = 0; i < 10; i++)
		sum += ((const __u16 *)h)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum;
}

static long due(__u32 i, __u64 *due_ns)
{
	return bpf_ktime_get_ns() >= *due_ns;
}

/* Spins: a test run for each piece would cost 25 ms. */
static void pace(__u64 seq)
{
	__u64 due_ns = start_ns + seq * 1000000000 / cfg.rate_pps;

	bpf_loop(1 << 20, due, &due_ns, 0);
}

SEC("xdp")
int txgen_tx(struct xdp_md *ctx)
{
	__u64 seq = __sync_fetch_and_add(&next_seq, 1);
	__u32 size = cfg.min + seq % cfg.span;
	struct headers *h;

	if (cfg.rate_pps)
		pace(seq);
	/* the template has the largest size */
	if (cfg.span > 1 && bpf_xdp_adjust_tail(ctx, (int)(size - (cfg.min + cfg.span - 1))))
		return XDP_ABORTED;
	h = (void *)(long)ctx->data + cfg.ip;
	if ((void *)(h + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	h->from = bpf_htons(TXGEN_FROM + seq % cfg.flows);
	h->seq = bpf_htonl(seq);
	if (cfg.span > 1) {
		h->ip_len = bpf_htons(size - cfg.ip);
		h->udp_len = bpf_htons(size - cfg.ip - 20);
		h->ip_sum = 0;
		h->ip_sum = checksum(h);
	}
	return XDP_TX;
}

char LICENSE[] SEC("license") = "GPL";
