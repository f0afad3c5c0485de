// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames at the XDP hook, before the stack.
 * Out:  a copy in the ring buffer; the frame always passes.
 * Owns: nothing beyond its maps (emit.bpf.h).
 * Runs on: softirq, the CPU of the queue.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define PACKET_CTX	struct xdp_md
#define packet_load(ctx, off, to, len) bpf_xdp_load_bytes(ctx, off, to, len)

#define SMALL_MIN	60	/* the smallest Ethernet frame, without its FCS */
#define SMALL_TAIL	4	/* up to the smallest bucket of packet.bpf.h */

/*
 * The smallest frames are the most frequent and the dearest for each byte: they are copied
 * without a call. Return: 0 when the bytes are there.
 */
static __always_inline int packet_load_small(struct xdp_md *ctx, __u8 *to, __u32 n)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;

	if (n < SMALL_MIN || data + SMALL_MIN > end)
		return packet_load(ctx, 0, to, n);
	__builtin_memcpy(to, data, SMALL_MIN);
	for (__u32 i = SMALL_MIN; i < SMALL_MIN + SMALL_TAIL; i++)
		if (n > i && data + i + 1 <= end)
			to[i] = data[i];
	return 0;
}

#include "packet.bpf.h"
#include "filter.bpf.h"

const volatile struct xdp_copy_cfg cfg = {};

static __always_inline void copy(struct xdp_md *ctx, __u32 wire_len)
{
	struct packet p = {
		.wire_len = wire_len,
		.ifindex = cfg.ifindex,
		.queue = ctx->rx_queue_index,
	};

	packet_emit(ctx, &p, cfg.snaplen);
}

SEC("xdp")
int xdp_copy(struct xdp_md *ctx)
{
	filter_first(ctx, &progs, XPROG_FILTER_IN);
	copy(ctx, ctx->data_end - ctx->data);
	return XDP_PASS;
}

/* Behind a filter. */
SEC("xdp")
int xdp_copy_kept(struct xdp_md *ctx)
{
	copy(ctx, ctx->data_end - ctx->data);
	return XDP_PASS;
}

SEC("xdp.frags")
int xdp_copy_frags(struct xdp_md *ctx)
{
	filter_first(ctx, &progs, XPROG_FILTER_IN);
	copy(ctx, bpf_xdp_get_buff_len(ctx));
	return XDP_PASS;
}

SEC("xdp.frags")
int xdp_frags_kept(struct xdp_md *ctx)
{
	copy(ctx, bpf_xdp_get_buff_len(ctx));
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
