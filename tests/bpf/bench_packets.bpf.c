// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames of the live-frames test run (generator), or of a veth (receivers).
 * Out:  frames on the other end; counts; bare copies. The floors the library is compared with.
 * Owns: nothing; the bench maps the counters.
 * Runs on: softirq of the sending CPU.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "../bench/bench_shared.h"

/* The bench sets the pace, the generator counts. One CPU only. */
struct bench_gen gen;

/* Frames the drop floor saw. One CPU only. */
__u64 nr_dropped;

/* Frames the counting program let pass. One CPU only. */
__u64 nr_passed;

/* key: queue; value: socket; writer: bare loop; full: cannot be */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_xsks SEC(".maps");

/* writer: the two copy programs; reader: bare loop; full: the frame is lost and counted */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BENCH_RING_BYTES);
} bench_ring SEC(".maps");

/*
 * Sends in batches of 64, because that is what the test run hands on at once,
 * and reads the clock once a batch: one read a frame would halve the rate.
 */
SEC("xdp")
int bench_send(struct xdp_md *ctx)
{
	if (gen.slot++ % BENCH_BATCH == 0) {
		__u64 now = gen.interval_ns ? bpf_ktime_get_ns() : 0;

		gen.open = now >= gen.next_ns;
		if (gen.open && now - gen.next_ns > 4 * gen.interval_ns)
			gen.next_ns = now;	/* held up: never catch up by a burst */
		else if (gen.open)
			gen.next_ns += gen.interval_ns;
	}
	if (!gen.open) {
		gen.idle++;
		return XDP_DROP;
	}
	gen.sent++;
	return XDP_TX;
}

SEC("xdp")
int bench_drop(struct xdp_md *ctx)
{
	nr_dropped++;
	return XDP_DROP;
}

SEC("xdp")
int bench_pass(struct xdp_md *ctx)
{
	nr_passed++;
	return XDP_PASS;
}

SEC("xdp")
int bench_redirect(struct xdp_md *ctx)
{
	return bpf_redirect_map(&bench_xsks, ctx->rx_queue_index, XDP_PASS);
}

SEC("xdp")
int bench_stamp(struct xdp_md *ctx)
{
	struct bench_stamp *stamp;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*stamp)))
		return XDP_PASS;
	stamp = (void *)(long)ctx->data_meta;
	if ((void *)(stamp + 1) > (void *)(long)ctx->data)
		return XDP_PASS;
	stamp->mono_ns = bpf_ktime_get_ns();
	stamp->magic = BENCH_MAGIC;
	stamp->cpu = bpf_get_smp_processor_id();
	return bpf_redirect_map(&bench_xsks, ctx->rx_queue_index, XDP_PASS);
}

static __always_inline int copy(struct xdp_md *ctx, bool stamp)
{
	void *data = (void *)(long)ctx->data;
	struct bench_copy *rec;

	if (data + BENCH_FRAME > (void *)(long)ctx->data_end)
		return XDP_PASS;
	rec = bpf_ringbuf_reserve(&bench_ring, sizeof(*rec), 0);
	if (!rec)
		return XDP_PASS;
	rec->mono_ns = stamp ? bpf_ktime_get_ns() : 0;
	rec->len = BENCH_FRAME;
	rec->cpu = bpf_get_smp_processor_id();
	__builtin_memcpy(rec->data, data, BENCH_FRAME);
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}

SEC("xdp")
int bench_copy(struct xdp_md *ctx)
{
	return copy(ctx, false);
}

SEC("xdp")
int bench_copy_stamp(struct xdp_md *ctx)
{
	return copy(ctx, true);
}

char _license[] SEC("license") = "GPL";
