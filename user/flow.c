// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the bytes of a packet, of any origin.
 * Out:  what tells its socket.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <endian.h>
#include <netinet/in.h>
#include <string.h>
#include "flow.h"
#include "layers.h"

/* In two pieces: who reads it next does so too. */
static void put_v4(uint8_t to[16], const uint8_t *from)
{
	uint64_t halves[2] = { 0 };
	uint32_t address;

	memcpy(&address, from, sizeof(address));
	halves[1] = htobe64(0xffffull << 32 | be32toh(address));
	memcpy(to, &halves[0], 8);
	memcpy(to + 8, &halves[1], 8);
}

/* Type and code, checksum, then an echo's identifier. */
static bool parse_echo(struct bytes b, struct owner_flow *flow, uint8_t request, uint8_t reply)
{
	if (b.len < 6 || (b.p[0] != request && b.p[0] != reply))
		return false;
	flow->src_port = b.p[0] == request ? layers_16(b.p + 4) : 0;
	flow->dst_port = b.p[0] == request ? 0 : layers_16(b.p + 4);
	return true;
}

static bool parse_upper(struct bytes b, uint8_t protocol, struct owner_flow *flow)
{
	flow->protocol = protocol;
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (b.len < 4)
			return false;
		flow->src_port = layers_16(b.p);
		flow->dst_port = layers_16(b.p + 2);
		return true;
	case IPPROTO_ICMP:
		return parse_echo(b, flow, 8, 0);
	case IPPROTO_ICMPV6:
		return parse_echo(b, flow, 128, 129);
	}
	return false;
}

static bool parse_v4(struct bytes b, struct owner_flow *flow)
{
	const uint8_t *ip = b.p;
	uint32_t len = b.len ? (ip[0] & 15) * 4 : 0;

	if (b.len < LAYERS_IPV4_LEN || len < LAYERS_IPV4_LEN ||
	    layers_fragment4(ip) == LAYERS_LATER || !layers_skip(&b, len))
		return false;
	put_v4(flow->src, ip + 12);
	put_v4(flow->dst, ip + 16);
	return parse_upper(b, ip[9], flow);
}

static bool parse_v6(struct bytes b, struct owner_flow *flow)
{
	const uint8_t *ip = b.p;
	enum layers_part part;
	uint8_t next;

	if (!layers_skip(&b, LAYERS_IPV6_LEN))
		return false;
	next = ip[6];
	memcpy(flow->src, ip + 8, 16);
	memcpy(flow->dst, ip + 24, 16);
	do	/* the first part has the ports, maybe behind more */
		part = layers_extensions(&b, &next);
	while (part == LAYERS_FIRST);
	return part == LAYERS_WHOLE && parse_upper(b, next, flow);
}

bool flow_parse(const struct xcap_record *rec, struct owner_flow *flow)
{
	struct bytes b = { rec->data, rec->caplen };
	uint16_t type;

	if (rec->packet.linktype == LAYERS_LINK_RAW)
		return b.len && (b.p[0] >> 4 == 6 ? parse_v6(b, flow) :
				 b.p[0] >> 4 == 4 && parse_v4(b, flow));
	if (rec->packet.linktype != XCAP_LINK_ETHERNET || !layers_skip(&b, LAYERS_ETHERNET_LEN))
		return false;
	type = layers_tags(&b, layers_16(b.p - 2));
	if (type == LAYERS_TYPE_IPV4)
		return parse_v4(b, flow);
	return type == LAYERS_TYPE_IPV6 && parse_v6(b, flow);
}
