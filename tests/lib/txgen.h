/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames that txgen sends, for it and for what checks them.
 *
 * 50 bytes and more (and four more for each VLAN tag): IPv4/UDP with
 * TXGEN_MAGIC and the sequence number, both big-endian, as its payload. Less
 * than that: ethertype TXGEN_ETHERTYPE. There the number
 * is the last four bytes of the source address, as there may be nothing else.
 */
#ifndef TXGEN_H
#define TXGEN_H

#define TXGEN_MAGIC	0x78636170	/* "xcap" */
#define TXGEN_ETHERTYPE	0x88b5		/* IEEE: local experiments */
#define TXGEN_IP_MIN	50		/* Ethernet, IPv4, UDP, magic, number */
#define TXGEN_XDP_MAX	3392		/* a page less what the kernel puts in it */
#define TXGEN_PORT	7777		/* to this one, from TXGEN_FROM on */
#define TXGEN_FROM	20000

/* In .rodata of txgen.bpf.c. */
struct txgen_cfg {
	unsigned int min;	/* smallest frame, bytes */
	unsigned int span;	/* how many sizes: min, min + 1, ... */
	unsigned int ip;	/* where the IPv4 header begins */
	unsigned int flows;	/* how many source ports */
	unsigned int rate_pps;	/* 0: as fast as it goes */
};

#endif
