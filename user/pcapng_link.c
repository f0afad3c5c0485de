// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   packets of interfaces that have no Ethernet header.
 * Out:  the header that stands for theirs in a file of Ethernet frames.
 * Owns: nothing.
 * Runs on: any thread; pure functions.
 */
#include <string.h>
#include "pcapng.h"

#define ETHERNET_LEN 14

static void ethernet_header(struct pcapng_frame *f, uint16_t type)
{
	f->prefix[12] = type >> 8;
	f->prefix[13] = type;
	f->prefix_len = ETHERNET_LEN;
}

/* Linux cooked: the sender's address and the protocol are kept. */
static void from_cooked(struct pcapng_frame *f, const struct xcap_record *r, uint32_t header,
			uint32_t address, uint32_t protocol)
{
	if (r->caplen < header)
		return;
	memcpy(f->prefix + 6, r->data + address, 6);
	ethernet_header(f, r->data[protocol] << 8 | r->data[protocol + 1]);
	f->skip = header;
}

/* The version nibble tells IPv6 from IPv4. */
static void from_ip(struct pcapng_frame *f, const struct xcap_record *r, uint32_t skip)
{
	if (r->caplen < skip)
		return;
	ethernet_header(f, r->caplen > skip && r->data[skip] >> 4 == 6 ? 0x86dd : 0x0800);
	f->skip = skip;
}

bool pcapng_as_ethernet(struct pcapng_frame *f, const struct xcap_record *r)
{
	switch (r->packet.linktype) {
	case 101: case 228: case 229:	/* raw IP, IPv4, IPv6 */
		from_ip(f, r, 0);
		return true;
	case 0: case 108:		/* BSD loopback: four bytes of address family */
		from_ip(f, r, 4);
		return true;
	case 113:
		from_cooked(f, r, 16, 6, 14);
		return true;
	case 276:
		from_cooked(f, r, 20, 12, 0);
		return true;
	}
	return false;
}
