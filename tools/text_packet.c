// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   packets.
 * Out:  their part of the line: addresses, protocol, what matters of it, length.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <arpa/inet.h>
#include "decode.h"
#include "text.h"

static void put_mac(FILE *out, const uint8_t *m)
{
	fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* 10.0.0.1:443, [fe80::1]:443, or without the port */
static void put_endpoint(FILE *out, const struct decoded *d, const uint8_t *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	bool brackets = d->family == AF_INET6 && (d->have & DECODED_PORTS);

	decode_address(d, address, text);
	fprintf(out, brackets ? "[%s]" : "%s", text);
	if (d->have & DECODED_PORTS)
		fprintf(out, ":%u", port);
}

static void put_link(struct text *t, const struct decoded *d)
{
	for (int i = 0; i < d->nr_vlans && i < DECODE_VLANS; i++)
		fprintf(t->out, "vlan %u ", d->vlans[i]);
	if (d->nr_vlans > DECODE_VLANS)
		fprintf(t->out, "(%d tags) ", d->nr_vlans);
	if (!(d->have & DECODED_MAC) || (!t->verbose && (d->have & (DECODED_IP | DECODED_ARP))))
		return;
	put_mac(t->out, d->mac_src);
	fputs(" > ", t->out);
	put_mac(t->out, d->mac_dst);
	putc(' ', t->out);
}

static void put_arp(struct text *t, const struct decoded *d)
{
	char sender[INET6_ADDRSTRLEN], target[INET6_ADDRSTRLEN];

	decode_address(d, d->src, sender);
	decode_address(d, d->dst, target);
	if (d->arp_op == 1) {
		fprintf(t->out, " who-has %s tell %s", target, sender);
	} else if (d->arp_op == 2) {
		fprintf(t->out, " %s is-at ", sender);
		put_mac(t->out, d->mac_sender);
	} else {
		fprintf(t->out, " op %u %s > %s", d->arp_op, sender, target);
	}
}

static void put_tcp(struct text *t, const struct decoded *d)
{
	char flags[9];

	decode_tcp_flags(d->tcp_flags, flags);
	fprintf(t->out, " [%s]", flags[0] ? flags : "none");
	if (!t->verbose)
		return;
	fprintf(t->out, " seq %u", d->seq);
	if (d->tcp_flags & 0x10)
		fprintf(t->out, " ack %u", d->ack);
	fprintf(t->out, " win %u", d->window);
}

static void put_icmp(struct text *t, const struct decoded *d)
{
	const char *name = decode_icmp_name(d);

	if (name)
		fprintf(t->out, " %s", name);
	else
		fprintf(t->out, " type %u", d->icmp_type);
	if (d->icmp_code)
		fprintf(t->out, " code %u", d->icmp_code);
	if (d->have & DECODED_ECHO)
		fprintf(t->out, " id %u seq %u", d->icmp_id, d->icmp_seq);
}

static void put_details(struct text *t, const struct decoded *d)
{
	if (d->have & DECODED_ARP)
		put_arp(t, d);
	if (d->have & DECODED_TCP)
		put_tcp(t, d);
	if (d->have & DECODED_ICMP)
		put_icmp(t, d);
	if (d->have & DECODED_FRAGMENT)
		fprintf(t->out, " frag %u%s", d->fragment_offset, d->fragment_more ? "+" : "");
	if (t->verbose && (d->have & DECODED_IP))
		fprintf(t->out, " ttl %u", d->ttl);
	if (d->have & DECODED_BAD)
		fputs(" bad header", t->out);
	if (d->have & DECODED_CUT)
		fputs(" [cut]", t->out);
}

static void put_proto(struct text *t, const struct decoded *d)
{
	if (d->proto)
		fputs(d->proto, t->out);
	else if (d->have & DECODED_ETHERTYPE)
		fprintf(t->out, "ethertype 0x%04x", d->ethertype);
	else
		fputs("frame", t->out);
	if ((d->have & (DECODED_IP | DECODED_UPPER)) == DECODED_IP)
		fprintf(t->out, " proto %u", d->ip_proto);
}

void text_packet(struct text *t, const struct xcap_record *rec)
{
	struct decoded d;

	if (!decode_packet(&d, rec->data, rec->caplen, rec->packet.linktype)) {
		fprintf(t->out, "link type %u", rec->packet.linktype);
	} else {
		put_link(t, &d);
		if (d.have & DECODED_IP) {
			put_endpoint(t->out, &d, d.src, d.sport);
			fputs(" > ", t->out);
			put_endpoint(t->out, &d, d.dst, d.dport);
			putc(' ', t->out);
		}
		put_proto(t, &d);
		if (!t->quiet)
			put_details(t, &d);
	}
	if (t->verbose && (d.have & DECODED_PAYLOAD))
		fprintf(t->out, " data %u", d.payload_len);
	fprintf(t->out, " len %u", rec->len);
}
