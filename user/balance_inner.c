// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a network layer that may be a tunnel's.
 * Out:  the network layer of what the tunnel carries.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include "balance_packet.h"

#define MAX_TUNNELS 4
#define UDP_LEN 8
#define PORT_GTP 2152
#define PORT_VXLAN 4789
#define PORT_GENEVE 6081

/* What begins here, by its EtherType. Return: false: nothing that has addresses. */
static bool inside(struct bytes b, uint16_t type, struct balance_net *inner)
{
	struct balance_ip ip;

	if (type == LAYERS_TYPE_TEB) {
		balance_ethernet(b, inner);
		return b.len >= LAYERS_ETHERNET_LEN;
	}
	balance_raw(b, inner);
	return inner->type == type && balance_ip(inner, &ip);
}

/* Either version of IP. */
static bool inside_ip(struct bytes b, struct balance_net *inner)
{
	return b.len && inside(b, b.p[0] >> 4 == 4 ? LAYERS_TYPE_IPV4 : LAYERS_TYPE_IPV6, inner);
}

/* Version 0, without RFC 1701's routing; what its flags announce is four bytes each. */
static bool gre(struct bytes b, struct balance_net *inner)
{
	const uint8_t *p = b.p;

	if (b.len < 4 || p[1] & 7 || p[0] & 0x40)
		return false;
	return layers_skip(&b, 4 + 4 * (!!(p[0] & 0x80) + !!(p[0] & 0x20) + !!(p[0] & 0x10))) &&
	       inside(b, layers_16(p + 2), inner);
}

static bool vxlan(struct bytes b, struct balance_net *inner)
{
	return b.len >= 8 && b.p[0] & 0x08 && layers_skip(&b, 8) &&
	       inside(b, LAYERS_TYPE_TEB, inner);
}

/* Version 0; control packets carry nothing. */
static bool geneve(struct bytes b, struct balance_net *inner)
{
	const uint8_t *p = b.p;

	return b.len >= 8 && p[0] >> 6 == 0 && !(p[1] & 0x80) &&
	       layers_skip(&b, 8 + 4 * (p[0] & 0x3f)) && inside(b, layers_16(p + 2), inner);
}

/* Version 1, G-PDU. With any of three flags there are four bytes more, the last a header's type. */
static bool gtp(struct bytes b, struct balance_net *inner)
{
	const uint8_t *p = b.p;
	uint8_t next = 0;

	if (b.len < 8 || (p[0] & 0xf0) != 0x30 || p[1] != 255)
		return false;
	layers_skip(&b, 8);
	if (p[0] & 7) {
		if (!layers_skip(&b, 4))
			return false;
		next = p[0] & 4 ? p[11] : 0;
	}
	for (int i = 0; next && i < LAYERS_MAX_EXTENSIONS; i++) {
		uint32_t len = b.len ? b.p[0] * 4 : 0;

		if (!len || !layers_skip(&b, len))
			return false;
		next = b.p[-1];
	}
	return !next && inside_ip(b, inner);
}

static bool udp(struct bytes b, struct balance_net *inner)
{
	const uint8_t *p = b.p;

	if (!layers_skip(&b, UDP_LEN))
		return false;
	switch (layers_16(p + 2)) {
	case PORT_VXLAN:
		return vxlan(b, inner);
	case PORT_GENEVE:
		return geneve(b, inner);
	case PORT_GTP:
		return gtp(b, inner);
	}
	return false;
}

static bool enter(const struct balance_net *net, struct balance_net *inner)
{
	struct balance_ip ip;

	if (!balance_ip(net, &ip))
		return false;
	switch (ip.protocol) {
	case IPPROTO_IPIP:
		return inside(ip.upper, LAYERS_TYPE_IPV4, inner);
	case IPPROTO_IPV6:
		return inside(ip.upper, LAYERS_TYPE_IPV6, inner);
	case IPPROTO_GRE:
		return gre(ip.upper, inner);
	case IPPROTO_UDP:
		return udp(ip.upper, inner);
	}
	return false;
}

void balance_innermost(struct balance_net *net)
{
	struct balance_net inner;

	for (int i = 0; i < MAX_TUNNELS && enter(net, &inner); i++)
		*net = inner;
}
