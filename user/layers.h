/* SPDX-License-Identifier: BSD-2-Clause */
/* Steps over a packet's headers, for who looks for its addresses; never past its bytes. */
#ifndef XCAP_LAYERS_H
#define XCAP_LAYERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define LAYERS_ETHERNET_LEN 14
#define LAYERS_TAG_LEN 4
#define LAYERS_MAX_TAGS 3
#define LAYERS_MAX_EXTENSIONS 8
#define LAYERS_IPV4_LEN 20
#define LAYERS_IPV6_LEN 40

/* LINKTYPE_ values beside XCAP_LINK_ETHERNET */
enum {
	LAYERS_LINK_NULL = 0, LAYERS_LINK_RAW = 101, LAYERS_LINK_LOOP = 108,
	LAYERS_LINK_SLL = 113, LAYERS_LINK_IPV4 = 228, LAYERS_LINK_IPV6 = 229,
	LAYERS_LINK_SLL2 = 276,
};

enum { LAYERS_TYPE_IPV4 = 0x0800, LAYERS_TYPE_TEB = 0x6558, LAYERS_TYPE_IPV6 = 0x86dd };

struct bytes {
	const uint8_t *p;
	uint32_t len;
};

static inline uint16_t layers_16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline bool layers_skip(struct bytes *b, uint32_t n)
{
	if (n > b->len)
		return false;
	b->p += n;
	b->len -= n;
	return true;
}

static inline bool layers_is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* Steps over VLAN tags. type: what stands there. Return: what stands behind them; 0: cut. */
static inline uint16_t layers_tags(struct bytes *b, uint16_t type)
{
	for (int i = 0; i < LAYERS_MAX_TAGS && layers_is_tag(type); i++) {
		if (b->len < LAYERS_TAG_LEN)
			return 0;
		type = layers_16(b->p + 2);
		layers_skip(b, LAYERS_TAG_LEN);
	}
	return type;
}

/* What of a datagram a packet has. */
enum layers_part { LAYERS_WHOLE, LAYERS_FIRST, LAYERS_LATER, LAYERS_CUT };

static inline enum layers_part layers_fragment4(const uint8_t *ip)
{
	uint16_t fragment = layers_16(ip + 6) & 0x3fff;

	return fragment & 0x1fff ? LAYERS_LATER : fragment ? LAYERS_FIRST : LAYERS_WHOLE;
}

/*
 * Steps over IPv6's extension headers, to the upper layer or until behind the header that says of
 * what this is a part. next: what stands there, in and out.
 */
static inline enum layers_part layers_extensions(struct bytes *b, uint8_t *next)
{
	for (int i = 0; i < LAYERS_MAX_EXTENSIONS; i++) {
		bool fragment = *next == IPPROTO_FRAGMENT;
		const uint8_t *ext = b->p;

		if (!fragment && *next != IPPROTO_HOPOPTS && *next != IPPROTO_ROUTING &&
		    *next != IPPROTO_DSTOPTS)
			break;
		if (b->len < 8 || !layers_skip(b, fragment ? 8 : (ext[1] + 1) * 8))
			return LAYERS_CUT;
		*next = ext[0];
		if (fragment && layers_16(ext + 2) & 0xfff9)
			return layers_16(ext + 2) & 0xfff8 ? LAYERS_LATER : LAYERS_FIRST;
	}
	return LAYERS_WHOLE;
}

#endif
