/* SPDX-License-Identifier: BSD-2-Clause */
/* What balance_pick.c and balance_inner.c share: the layer of addresses. */
#ifndef XCAP_BALANCE_PACKET_H
#define XCAP_BALANCE_PACKET_H

#include <stddef.h>
#include "layers.h"

/* A network layer, and what carries it. */
struct balance_net {
	struct bytes b;		/* behind the link's header and tags */
	const uint8_t *macs;	/* both hardware addresses; NULL: there are none */
	uint16_t type;		/* EtherType of b; 0: not known */
};

struct balance_ip {
	struct bytes upper;	/* behind all headers; none of a fragment, or where they are cut */
	const uint8_t *src, *dst;
	uint8_t protocol;
	bool is6;
};

static inline void balance_ethernet(struct bytes b, struct balance_net *net)
{
	*net = (struct balance_net){ .b = b, .macs = b.len < 12 ? NULL : b.p };
	if (layers_skip(&net->b, LAYERS_ETHERNET_LEN))
		net->type = layers_tags(&net->b, layers_16(net->b.p - 2));
}

/* IP that only its own first byte tells the version of. */
static inline void balance_raw(struct bytes b, struct balance_net *net)
{
	uint8_t version = b.len ? b.p[0] >> 4 : 0;

	*net = (struct balance_net){ .b = b, .type = version == 4 ? LAYERS_TYPE_IPV4 :
				     version == 6 ? LAYERS_TYPE_IPV6 : 0 };
}

static inline bool balance_ip4(struct bytes b, struct balance_ip *ip)
{
	uint32_t len;

	if (b.len < LAYERS_IPV4_LEN)
		return false;
	*ip = (struct balance_ip){ .src = b.p + 12, .dst = b.p + 16, .protocol = b.p[9] };
	len = (b.p[0] & 15) * 4;
	if (len >= LAYERS_IPV4_LEN && layers_fragment4(b.p) == LAYERS_WHOLE && layers_skip(&b, len))
		ip->upper = b;
	return true;
}

static inline bool balance_ip6(struct bytes b, struct balance_ip *ip)
{
	const uint8_t *p = b.p;

	if (!layers_skip(&b, LAYERS_IPV6_LEN))
		return false;
	*ip = (struct balance_ip){ .src = p + 8, .dst = p + 24, .protocol = p[6], .is6 = true };
	if (layers_extensions(&b, &ip->protocol) == LAYERS_WHOLE)
		ip->upper = b;
	return true;
}

/* Return: false: it is not IP, or has not even addresses. */
static inline bool balance_ip(const struct balance_net *net, struct balance_ip *ip)
{
	if (net->type == LAYERS_TYPE_IPV4)
		return balance_ip4(net->b, ip);
	return net->type == LAYERS_TYPE_IPV6 && balance_ip6(net->b, ip);
}

/*
 * Goes from a tunnel to what is in it, and on to what is in that, as far as it can be read;
 * stays where it is if there is none.
 */
void balance_innermost(struct balance_net *net);

#endif
