// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   frames at the XDP hook, native or generic.
 * Out:  the frame in the AF_XDP socket of its queue, a stamp in front of it.
 * Owns: nothing; counts stand in a mapped array, a struct per queue.
 * Verdict on trouble: XDP_PASS, as for all that the host shall keep.
 *
 * The way of a frame: host_keeps() -> filter, if one is set -> capture(). What the
 * filter refuses passes on to the host.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <xcap_event.h>
#include "filter.bpf.h"

#define ETH_P_IP 0x0800
#define ETH_P_ARP 0x0806
#define ETH_P_8021Q 0x8100
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021AD 0x88a8
#define PROTO_TCP 6
#define PROTO_ICMPV6 58
#define ND_FIRST 133		/* router solicitation ... redirect */
#define ND_LAST 137
#define IP_OFFSET 0x1fff
#define MAX_TAGS 2

const volatile struct xdp_redirect_cfg cfg;

/* Queue -> socket. Written by the library; a queue without one is not captured. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} xsks SEC(".maps");

/* Queue -> counts. Written here, by whom NAPI lets run the queue; read by the library. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xcap_cpu);
} queues SEC(".maps");

/* NAPI runs a queue on one CPU at a time; behind the generic hook several may. */
static __always_inline void count(__u64 *counter)
{
	if (cfg.shared)
		__sync_fetch_and_add(counter, 1);
	else
		*(volatile __u64 *)counter += 1;
}

static __always_inline bool is_ssh4(const struct iphdr *ip)
{
	const volatile __u32 *remote = (const volatile __u32 *)cfg.ssh_remote;
	const volatile __u32 *local = (const volatile __u32 *)cfg.ssh_local;

	return remote[2] == bpf_htonl(0xffff) && !remote[1] && !remote[0] &&
	       ip->saddr == remote[3] && ip->daddr == local[3];
}

static __always_inline bool is_ssh6(const struct ipv6hdr *ip)
{
	const volatile __u32 *remote = (const volatile __u32 *)cfg.ssh_remote;
	const volatile __u32 *local = (const volatile __u32 *)cfg.ssh_local;

	for (int i = 0; i < 4; i++)
		if (ip->saddr.in6_u.u6_addr32[i] != remote[i] ||
		    ip->daddr.in6_u.u6_addr32[i] != local[i])
			return false;
	return true;
}

static __always_inline bool has_ssh_ports(const void *l4, const void *end)
{
	const __be16 *port = l4;

	return (void *)(port + 2) <= end && port[0] == cfg.ssh_remote_port &&
	       port[1] == cfg.ssh_local_port;
}

/*
 * The ssh session that started us; ARP and neighbour discovery where the host has an address,
 * and not on a mirror port, whose own they are not. Inside VLAN tags too.
 */
static __always_inline bool host_keeps(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	void *at = eth + 1;
	__be16 proto;

	if (at > end)
		return false;
	proto = eth->h_proto;
	for (int i = 0; i < MAX_TAGS; i++) {
		struct vlan_hdr *tag = at;

		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			return false;
		proto = tag->h_vlan_encapsulated_proto;
		at = tag + 1;
	}
	if (proto == bpf_htons(ETH_P_ARP))
		return cfg.pass_host;
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = at;
		struct icmp6hdr *icmp = (void *)(ip + 1);

		if ((void *)(ip + 1) > end)
			return false;
		if (ip->nexthdr == PROTO_ICMPV6)
			return cfg.pass_host && (void *)(icmp + 1) <= end &&
			       icmp->icmp6_type >= ND_FIRST && icmp->icmp6_type <= ND_LAST;
		return cfg.ssh_remote_port && ip->nexthdr == PROTO_TCP && is_ssh6(ip) &&
		       has_ssh_ports(ip + 1, end);
	}
	if (proto == bpf_htons(ETH_P_IP) && cfg.ssh_remote_port) {
		struct iphdr *ip = at;

		if ((void *)(ip + 1) > end || ip->protocol != PROTO_TCP || !is_ssh4(ip))
			return false;
		/* a later fragment has no ports: the addresses must do */
		return (ip->frag_off & bpf_htons(IP_OFFSET)) ||
		       has_ssh_ports((void *)ip + ip->ihl * 4, end);
	}
	return false;
}

static __always_inline int capture(struct xdp_md *ctx, struct xcap_cpu *counts, __u32 queue)
{
	struct xcap_meta *meta;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		goto no_meta;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		goto no_meta;
	/*
	 * Counted before the clock is read: who reads a clock T and then this
	 * count C knows that frames stamped before T are among the first C.
	 */
	count(&counts->redirected);
	meta->mono_ns = bpf_ktime_get_ns();
	meta->magic = XCAP_META_MAGIC;
	meta->cpu = bpf_get_smp_processor_id();
	meta->flags = 0;
	return bpf_redirect_map(&xsks, queue, XDP_PASS);
no_meta:
	count(&counts->no_meta);
	return XDP_PASS;
}

SEC("xdp")
int xdp_redirect(struct xdp_md *ctx)
{
	__u32 queue = ctx->rx_queue_index;
	struct xcap_cpu *counts;

	counts = bpf_map_lookup_elem(&queues, &queue);
	if (!counts || !bpf_map_lookup_elem(&xsks, &queue))
		return XDP_PASS;
	count(&counts->seen);
	if ((cfg.pass_host || cfg.ssh_remote_port) && host_keeps(ctx)) {
		count(&counts->filtered);
		return XDP_PASS;
	}
	filter_first(ctx, &progs, XPROG_FILTER_IN);
	return capture(ctx, counts, queue);
}

/* Behind a filter; the frame is counted as seen. */
SEC("xdp")
int redirect_kept(struct xdp_md *ctx)
{
	__u32 queue = ctx->rx_queue_index;
	struct xcap_cpu *counts = bpf_map_lookup_elem(&queues, &queue);

	return counts ? capture(ctx, counts, queue) : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
