// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the bytes of a packet, as many as were captured.
 * Out:  struct decoded: what its headers say.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * Bytes are reached through take() only, which never goes past the end.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include "decode.h"

#define MAX_IP6_HEADERS 16
#define MAX_VLAN_TAGS 16

/* LINKTYPE_ values */
enum {
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113,
	LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276,
};

enum {
	TYPE_IP = 0x0800, TYPE_ARP = 0x0806, TYPE_VLAN = 0x8100, TYPE_IP6 = 0x86dd,
	TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100, TYPE_MIN = 0x0600,
};

struct bytes {
	const uint8_t *at, *end;
};

/* Return: the next n bytes, which are then behind us; NULL: there are fewer. */
static const uint8_t *take(struct bytes *b, uint32_t n)
{
	const uint8_t *at = b->at;

	if (n > (size_t)(b->end - at))
		return NULL;
	b->at += n;
	return at;
}

static uint16_t be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void cut(struct decoded *d)
{
	d->have |= DECODED_CUT;
}

/* The headers say the packet ends here: what follows is padding. */
static void limit(struct decoded *d, struct bytes *b, uint32_t len)
{
	d->have |= DECODED_PAYLOAD;
	d->payload_len = len;
	if (len < (size_t)(b->end - b->at))
		b->end = b->at + len;
}

/* A header of that many bytes is part of what was payload so far. */
static void header(struct decoded *d, uint32_t len)
{
	if (len > d->payload_len) {
		d->have |= DECODED_BAD;
		len = d->payload_len;
	}
	d->payload_len -= len;
}

/* ---- above IP ---- */

static bool ports(struct decoded *d, struct bytes *b)
{
	const uint8_t *p = take(b, 4);

	if (!p) {
		cut(d);
		return false;
	}
	d->sport = be16(p);
	d->dport = be16(p + 2);
	d->have |= DECODED_PORTS;
	return true;
}

static void tcp(struct decoded *d, struct bytes *b)
{
	const uint8_t *p;
	uint32_t len;

	if (!ports(d, b))
		return;
	p = take(b, 12);
	if (!p)
		return cut(d);
	d->seq = be32(p);
	d->ack = be32(p + 4);
	len = (p[8] >> 4) * 4;
	d->tcp_flags = p[9];
	d->window = be16(p + 10);
	d->have |= DECODED_TCP;
	if (len < 20)
		d->have |= DECODED_BAD;
	header(d, len < 20 ? 20 : len);
}

static void udp(struct decoded *d, struct bytes *b)
{
	const uint8_t *p;

	if (!ports(d, b))
		return;
	p = take(b, 4);
	if (!p)
		return cut(d);
	header(d, 8);
}

static void icmp(struct decoded *d, struct bytes *b, int request, int reply)
{
	const uint8_t *p = take(b, 4);

	if (!p)
		return cut(d);
	d->icmp_type = p[0];
	d->icmp_code = p[1];
	d->have |= DECODED_ICMP;
	header(d, 8);
	if (d->icmp_type != request && d->icmp_type != reply)
		return;
	p = take(b, 4);
	if (!p)
		return cut(d);
	d->icmp_id = be16(p);
	d->icmp_seq = be16(p + 2);
	d->have |= DECODED_ECHO;
}

static void icmp4(struct decoded *d, struct bytes *b)
{
	icmp(d, b, 8, 0);
}

static void icmp6(struct decoded *d, struct bytes *b)
{
	icmp(d, b, 128, 129);
}

static void only_ports(struct decoded *d, struct bytes *b)
{
	ports(d, b);
}

static void transport(struct decoded *d, struct bytes *b)
{
	static const struct {
		uint8_t nr;
		const char *name;
		void (*decode)(struct decoded *d, struct bytes *b);
	} protos[] = {
		{ IPPROTO_TCP, "tcp", tcp }, { IPPROTO_UDP, "udp", udp },
		{ IPPROTO_ICMP, "icmp", icmp4 }, { IPPROTO_ICMPV6, "icmp6", icmp6 },
		{ IPPROTO_SCTP, "sctp", only_ports }, { 2, "igmp", NULL }, { 4, "ipip", NULL },
		{ 41, "6in4", NULL }, { 47, "gre", NULL }, { 50, "esp", NULL }, { 51, "ah", NULL },
		{ 89, "ospf", NULL }, { 103, "pim", NULL }, { 112, "vrrp", NULL },
	};

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (protos[i].nr != d->ip_proto)
			continue;
		d->proto = protos[i].name;
		d->have |= DECODED_UPPER;
		/* later fragments begin in mid-payload */
		if (protos[i].decode && !((d->have & DECODED_FRAGMENT) && d->fragment_offset))
			protos[i].decode(d, b);
		return;
	}
}

/* ---- IP ---- */

static void ip4(struct decoded *d, struct bytes *b)
{
	const uint8_t *p = take(b, 20);
	uint32_t len, total;
	uint16_t fragment;

	d->proto = "ip";
	if (!p)
		return cut(d);
	len = (p[0] & 15) * 4;
	total = be16(p + 2);
	if (p[0] >> 4 != 4 || len < 20 || (total && total < len)) {
		d->have |= DECODED_BAD;
		return;
	}
	d->family = AF_INET;
	memcpy(d->src, p + 12, 4);
	memcpy(d->dst, p + 16, 4);
	d->ttl = p[8];
	d->ip_proto = p[9];
	d->have |= DECODED_IP;
	fragment = be16(p + 6);
	if (fragment & 0x3fff) {
		d->fragment_offset = (fragment & 0x1fff) * 8;
		d->fragment_more = fragment & 0x2000;
		d->have |= DECODED_FRAGMENT;
	}
	if (!take(b, len - 20))
		return cut(d);
	/* 0: the card will split it (TSO), the length is yet to be written */
	limit(d, b, total ? total - len : (uint32_t)(b->end - b->at));
	transport(d, b);
}

/* Skips one extension header. Return: false: none of those, or it is cut off. */
static bool ip6_extension(struct decoded *d, struct bytes *b)
{
	const uint8_t *p;
	uint32_t len;

	switch (d->ip_proto) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case 135:	/* mobility */
		p = take(b, 8);
		len = p ? p[1] * 8 : 0;
		break;
	case IPPROTO_AH:
		p = take(b, 8);
		len = p && p[1] ? (p[1] + 2) * 4 - 8 : 0;
		break;
	case IPPROTO_FRAGMENT:
		p = take(b, 8);
		len = 0;
		if (p && (be16(p + 2) & 0xfff9)) {
			d->fragment_offset = be16(p + 2) & 0xfff8;
			d->fragment_more = p[3] & 1;
			d->have |= DECODED_FRAGMENT;
		}
		break;
	default:
		return false;
	}
	if (!p || !take(b, len)) {
		cut(d);
		return false;
	}
	header(d, 8 + len);
	d->ip_proto = p[0];
	return true;
}

static void ip6(struct decoded *d, struct bytes *b)
{
	const uint8_t *p = take(b, 40);
	uint32_t len;

	d->proto = "ip6";
	if (!p)
		return cut(d);
	if (p[0] >> 4 != 6) {
		d->have |= DECODED_BAD;
		return;
	}
	d->family = AF_INET6;
	memcpy(d->src, p + 8, 16);
	memcpy(d->dst, p + 24, 16);
	d->ip_proto = p[6];
	d->ttl = p[7];
	d->have |= DECODED_IP;
	len = be16(p + 4);
	limit(d, b, len ? len : (uint32_t)(b->end - b->at));
	for (int i = 0; ip6_extension(d, b); i++) {
		if ((d->have & DECODED_FRAGMENT) && d->fragment_offset)
			break;
		if (i == MAX_IP6_HEADERS) {
			d->have |= DECODED_BAD;
			return;
		}
	}
	if (!(d->have & DECODED_CUT))
		transport(d, b);
}

static void ip_by_version(struct decoded *d, struct bytes *b)
{
	if (b->at == b->end)
		return cut(d);
	if (b->at[0] >> 4 == 6)
		ip6(d, b);
	else
		ip4(d, b);
}

/* ---- below IP ---- */

/* For Ethernet and IPv4; what others ask is told by the name alone. */
static void arp(struct decoded *d, struct bytes *b)
{
	const uint8_t *p = take(b, 8);

	d->proto = "arp";
	if (!p)
		return cut(d);
	if (be16(p) != 1 || be16(p + 2) != TYPE_IP || p[4] != 6 || p[5] != 4)
		return;
	d->arp_op = be16(p + 6);
	p = take(b, 20);
	if (!p)
		return cut(d);
	memcpy(d->mac_sender, p, 6);
	memcpy(d->src, p + 6, 4);
	memcpy(d->dst, p + 16, 4);
	d->family = AF_INET;
	d->have |= DECODED_ARP;
}

static const char *ethertype_name(uint16_t type)
{
	static const struct { uint16_t type; const char *name; } names[] = {
		{ 0x8035, "rarp" }, { 0x8809, "slow" }, { 0x8847, "mpls" }, { 0x8848, "mpls" },
		{ 0x8863, "pppoed" }, { 0x8864, "pppoe" }, { 0x888e, "eapol" },
		{ 0x88cc, "lldp" }, { 0x88e5, "macsec" }, { 0x88f7, "ptp" }, { 0x9000, "loop" },
	};

	if (type < TYPE_MIN)
		return "llc";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}

static bool is_vlan(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD;
}

static void by_ethertype(struct decoded *d, struct bytes *b, uint16_t type)
{
	while (is_vlan(type) && d->nr_vlans < MAX_VLAN_TAGS) {
		const uint8_t *p = take(b, 4);

		if (!p)
			return cut(d);
		if (d->nr_vlans < DECODE_VLANS)
			d->vlans[d->nr_vlans] = be16(p) & 0xfff;
		d->nr_vlans++;
		type = be16(p + 2);
	}
	d->ethertype = type;
	d->have |= DECODED_ETHERTYPE;
	d->proto = ethertype_name(type);
	if (type == TYPE_IP)
		ip4(d, b);
	else if (type == TYPE_IP6)
		ip6(d, b);
	else if (type == TYPE_ARP)
		arp(d, b);
}

static void ethernet(struct decoded *d, struct bytes *b)
{
	const uint8_t *p = take(b, 14);

	if (!p)
		return cut(d);
	memcpy(d->mac_dst, p, 6);
	memcpy(d->mac_src, p + 6, 6);
	d->have |= DECODED_MAC;
	by_ethertype(d, b, be16(p + 12));
}

/* Linux cooked headers: the ethertype stands at the end of one, at the start of the other. */
static void cooked(struct decoded *d, struct bytes *b, uint32_t len, uint32_t type_at)
{
	const uint8_t *p = take(b, len);

	if (!p)
		return cut(d);
	by_ethertype(d, b, be16(p + type_at));
}

/* A protocol family in the byte order of whoever wrote it, then IP. */
static void loopback(struct decoded *d, struct bytes *b)
{
	if (!take(b, 4))
		return cut(d);
	ip_by_version(d, b);
}

bool decode_packet(struct decoded *d, const uint8_t *data, uint32_t caplen, uint32_t linktype)
{
	struct bytes b = { data, data + caplen };

	memset(d, 0, sizeof(*d));
	switch (linktype) {
	case LINK_ETHERNET:
		ethernet(d, &b);
		return true;
	case LINK_RAW:
		ip_by_version(d, &b);
		return true;
	case LINK_IPV4:
		ip4(d, &b);
		return true;
	case LINK_IPV6:
		ip6(d, &b);
		return true;
	case LINK_NULL:
	case LINK_LOOP:
		loopback(d, &b);
		return true;
	case LINK_SLL:
		cooked(d, &b, 16, 14);
		return true;
	case LINK_SLL2:
		cooked(d, &b, 20, 0);
		return true;
	}
	return false;
}

/* ---- names ---- */

void decode_tcp_flags(uint8_t flags, char *out)
{
	static const char letters[] = "FSRP.UEW";

	for (int i = 0; i < 8; i++)
		if (flags & (1 << i))
			*out++ = letters[i];
	*out = '\0';
}

const char *decode_icmp_name(const struct decoded *d)
{
	static const struct { int family; uint8_t type; const char *name; } names[] = {
		{ AF_INET, 0, "echo-reply" }, { AF_INET, 3, "unreachable" },
		{ AF_INET, 5, "redirect" }, { AF_INET, 8, "echo-request" },
		{ AF_INET, 11, "time-exceeded" }, { AF_INET, 12, "parameter-problem" },
		{ AF_INET6, 1, "unreachable" }, { AF_INET6, 2, "too-big" },
		{ AF_INET6, 3, "time-exceeded" }, { AF_INET6, 4, "parameter-problem" },
		{ AF_INET6, 128, "echo-request" }, { AF_INET6, 129, "echo-reply" },
		{ AF_INET6, 130, "listener-query" }, { AF_INET6, 131, "listener-report" },
		{ AF_INET6, 133, "router-solicit" }, { AF_INET6, 134, "router-advert" },
		{ AF_INET6, 135, "neighbor-solicit" }, { AF_INET6, 136, "neighbor-advert" },
		{ AF_INET6, 137, "redirect" }, { AF_INET6, 143, "listener-report2" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].family == d->family && names[i].type == d->icmp_type)
			return names[i].name;
	return NULL;
}

void decode_address(const struct decoded *d, const uint8_t *address, char *out)
{
	if (!inet_ntop(d->family, address, out, INET6_ADDRSTRLEN))
		out[0] = '\0';
}
