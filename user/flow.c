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

#define ETHERNET_LEN 14
#define TAG_LEN 4
#define MAX_TAGS 3
#define MAX_EXTENSIONS 8
#define LINKTYPE_RAW 101
#define IPV4_LEN 20
#define IPV6_LEN 40

struct bytes {
	const uint8_t *p;
	uint32_t len;
};

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static bool skip(struct bytes *b, uint32_t n)
{
	if (n > b->len)
		return false;
	b->p += n;
	b->len -= n;
	return true;
}

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
	flow->src_port = b.p[0] == request ? get16(b.p + 4) : 0;
	flow->dst_port = b.p[0] == request ? 0 : get16(b.p + 4);
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
		flow->src_port = get16(b.p);
		flow->dst_port = get16(b.p + 2);
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

	if (b.len < IPV4_LEN || len < IPV4_LEN || (get16(ip + 6) & 0x1fff) || !skip(&b, len))
		return false;
	put_v4(flow->src, ip + 12);
	put_v4(flow->dst, ip + 16);
	return parse_upper(b, ip[9], flow);
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT;
}

static bool parse_v6(struct bytes b, struct owner_flow *flow)
{
	const uint8_t *ip = b.p;
	uint8_t next;

	if (!skip(&b, IPV6_LEN))
		return false;
	next = ip[6];
	memcpy(flow->src, ip + 8, 16);
	memcpy(flow->dst, ip + 24, 16);
	for (int i = 0; i < MAX_EXTENSIONS && is_extension(next); i++) {
		const uint8_t *ext = b.p;

		if (b.len < 8)
			return false;
		if (next == IPPROTO_FRAGMENT && get16(ext + 2) & 0xfff8)
			return false;
		if (!skip(&b, next == IPPROTO_FRAGMENT ? 8 : (ext[1] + 1) * 8))
			return false;
		next = ext[0];
	}
	return parse_upper(b, next, flow);
}

bool flow_parse(const struct xcap_record *rec, struct owner_flow *flow)
{
	struct bytes b = { rec->data, rec->caplen };
	uint16_t type;

	if (rec->packet.linktype == LINKTYPE_RAW)
		return b.len && (b.p[0] >> 4 == 6 ? parse_v6(b, flow) :
				 b.p[0] >> 4 == 4 && parse_v4(b, flow));
	if (rec->packet.linktype != XCAP_LINK_ETHERNET || b.len < ETHERNET_LEN)
		return false;
	type = get16(b.p + 12);
	skip(&b, ETHERNET_LEN);
	for (int i = 0; i < MAX_TAGS && (type == 0x8100 || type == 0x88a8); i++) {
		if (b.len < TAG_LEN)
			return false;
		type = get16(b.p + 2);
		skip(&b, TAG_LEN);
	}
	if (type == 0x0800)
		return parse_v4(b, flow);
	return type == 0x86dd && parse_v6(b, flow);
}
