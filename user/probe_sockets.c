// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   layouts of the probes that tell of sockets, and of packets that are lost.
 * Out:  their fields, and names for the numbers in them.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include "probe_fields.h"

/* ---- names of numbers ---- */

static const char *protocol_name(const struct xprobe_flow *f)
{
	switch (f->protocol) {
	case IPPROTO_TCP:	return "TCP";
	case IPPROTO_UDP:	return "UDP";
	case IPPROTO_ICMP:	return "ICMP";
	case IPPROTO_ICMPV6:	return "ICMPv6";
	case IPPROTO_IGMP:	return "IGMP";
	case IPPROTO_SCTP:	return "SCTP";
	case IPPROTO_GRE:	return "GRE";
	case IPPROTO_ESP:	return "ESP";
	}
	return f->family ? "IP" : "";
}

static const char *drops_protocol(const void *row)
{
	const struct xprobe_drops *x = row;

	return x->ethertype == ETH_P_ARP ? "ARP" : protocol_name(&x->flow);
}

static const char *listen_protocol(const void *row)
{
	return protocol_name(&((const struct xprobe_listen *)row)->flow);
}

static const char *sockets_protocol(const void *row)
{
	return protocol_name(&((const struct xprobe_sockets *)row)->flow);
}

static const char *sockets_state(const void *row)
{
	return probe_tcp_state(((const struct xprobe_sockets *)row)->state);
}

static const char *xdp_what(const void *row)
{
	static const char *const names[] = {
		[XXDP_EXCEPTION] = "exception", [XXDP_REDIRECT] = "redirect",
		[XXDP_DEVMAP] = "devmap", [XXDP_CPUMAP] = "cpumap", [XXDP_TX] = "tx",
	};

	return NAME_IN(names, ((const struct xprobe_xdp *)row)->what);
}

static const char *xdp_action(const void *row)
{
	static const char *const names[] = { "ABORTED", "DROP", "PASS", "TX", "REDIRECT" };

	return NAME_IN(names, ((const struct xprobe_xdp *)row)->action);
}

static const char *xdp_error(const void *row)
{
	const struct xprobe_xdp *x = row;

	return x->error ? xcap_errno_name(-(int64_t)x->error) ?: "?" : "";
}

/* ---- layouts ---- */

/* Of a packet: its source is no more this host's than its destination is. */
const struct probe_field probe_drops_fields[] = {
	FIELD_NAMED("proto", 5, drops_protocol),
	FIELD_AS(drops, flow.saddr, "saddr", ADDRESS, 15),
	FIELD_AS(drops, flow.sport, "sport", UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_AS(drops, flow.daddr, "daddr", ADDRESS, 15),
	FIELD_AS(drops, flow.dport, "dport", UNSIGNED, 5),
	FIELD(drops, reason, TEXT, 18),
	FIELD(drops, place, TEXT, 30),
	FIELD(drops, device, TEXT, 8),
	FIELD(drops, bytes, UNSIGNED, XCAP_WIDTH_NEVER),
	{ 0 }
};

const struct probe_field probe_xdp_fields[] = {
	FIELD_NAMED("what", 9, xdp_what),
	FIELD(xdp, device, TEXT, 8),
	FIELD(xdp, to, TEXT, 8),
	FIELD_NAMED("action", 8, xdp_action),
	FIELD_NAMED("error", 10, xdp_error),
	FIELD(xdp, lost, UNSIGNED, 4),
	FIELD(xdp, prog, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(xdp, map, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(xdp, index, UNSIGNED, XCAP_WIDTH_NEVER),
	{ 0 }
};

const struct probe_field probe_listen_fields[] = {
	FIELD_NAMED("proto", 5, listen_protocol),
	FIELD_AS(listen, flow.saddr, "saddr", ADDRESS, 15),
	FIELD_AS(listen, flow.sport, "sport", UNSIGNED, 5),
	FIELD(listen, backlog, UNSIGNED, 7),
	FIELD_AS(listen, backlog_max, "max_backlog", UNSIGNED, 11),
	FIELD(listen, inode, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(listen, netns, UNSIGNED, XCAP_WIDTH_NEVER),
	{ 0 }
};

const struct probe_field probe_sockets_fields[] = {
	FIELD_NAMED("proto", 5, sockets_protocol),
	FIELDS_FLOW(sockets),
	FIELD_NAMED("state", 11, sockets_state),
	FIELD_AS(sockets, rx_queue, "rx_queue_bytes", UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_AS(sockets, tx_queue, "tx_queue_bytes", UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(sockets, bytes_in, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(sockets, bytes_out, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(sockets, inode, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(sockets, netns, UNSIGNED, XCAP_WIDTH_NEVER),
	{ 0 }
};
