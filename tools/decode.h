/* SPDX-License-Identifier: BSD-2-Clause */
/* What the headers of a packet say, for text and JSON alike. */
#ifndef DECODE_H
#define DECODE_H

#include <stdbool.h>
#include <stdint.h>

#define DECODE_VLANS 2

/* Which of the fields are filled. */
enum {
	DECODED_MAC	= 1 << 0,	/* mac_src, mac_dst */
	DECODED_ETHERTYPE = 1 << 1,
	DECODED_IP	= 1 << 2,	/* family, src, dst, ip_proto, ttl */
	DECODED_PORTS	= 1 << 3,	/* sport, dport */
	DECODED_TCP	= 1 << 4,	/* tcp_flags, seq, ack, window */
	DECODED_ICMP	= 1 << 5,	/* icmp_type, icmp_code; echo: icmp_id, icmp_seq */
	DECODED_ECHO	= 1 << 6,
	DECODED_ARP	= 1 << 7,	/* arp_op, src and dst as sender and target, mac_sender */
	DECODED_FRAGMENT = 1 << 8,	/* fragment_offset, fragment_more */
	DECODED_PAYLOAD	= 1 << 9,	/* payload_len, by the lengths in the headers */
	DECODED_CUT	= 1 << 10,	/* the captured bytes end in the midst of a header */
	DECODED_BAD	= 1 << 11,	/* a header contradicts itself */
	DECODED_UPPER	= 1 << 12,	/* ip_proto has a name: it is proto */
};

struct decoded {
	uint32_t have;
	const char *proto;		/* innermost known: "tcp", "arp", "ip6"; NULL unknown */
	uint8_t mac_src[6], mac_dst[6];
	uint16_t vlans[DECODE_VLANS];	/* ids, outermost first */
	int nr_vlans;			/* tags in the frame; may be more than are kept */
	uint16_t ethertype;		/* innermost; below 1536 an 802.3 length */
	int family;			/* AF_INET, AF_INET6 */
	uint8_t src[16], dst[16];
	uint8_t ip_proto, ttl;
	uint16_t fragment_offset;	/* bytes */
	bool fragment_more;
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_seq;
	uint16_t arp_op;
	uint8_t mac_sender[6];
	uint32_t payload_len;
};

/**
 * decode_packet - read the headers of a packet
 * @d:        out
 * @data:     the captured bytes
 * @caplen:   how many; nothing behind them is read
 * @linktype: LINKTYPE_ value of savefiles
 *
 * Return: true; false: this link type is not known and nothing is filled.
 */
bool decode_packet(struct decoded *d, const uint8_t *data, uint32_t caplen, uint32_t linktype);

/* "S.", tcpdump's letters; out has room for 9. */
void decode_tcp_flags(uint8_t flags, char *out);

/* "echo-request"; NULL no name */
const char *decode_icmp_name(const struct decoded *d);

/* Address as text; out has room for INET6_ADDRSTRLEN. */
void decode_address(const struct decoded *d, const uint8_t *address, char *out);

#endif
