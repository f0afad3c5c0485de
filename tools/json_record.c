// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  an object on a line for each; what is not known is left out.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <arpa/inet.h>
#include <string.h>
#include "decode.h"
#include "json.h"
#include "text.h"

static void put_mac(struct json *j, const char *key, const uint8_t *m)
{
	json_format(j, key, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void put_addresses(struct json *j, const struct decoded *d)
{
	char text[INET6_ADDRSTRLEN];

	if (d->have & DECODED_MAC) {
		put_mac(j, "mac_src", d->mac_src);
		put_mac(j, "mac_dst", d->mac_dst);
	}
	if (d->nr_vlans > 0)
		json_unsigned(j, "vlan", d->vlans[0]);
	if (d->nr_vlans > 1)
		json_unsigned(j, "inner_vlan", d->vlans[1]);
	if (d->have & (DECODED_IP | DECODED_ARP)) {
		decode_address(d, d->src, text);
		json_text(j, "src", text);
		decode_address(d, d->dst, text);
		json_text(j, "dst", text);
	}
	if (d->have & DECODED_PORTS) {
		json_unsigned(j, "sport", d->sport);
		json_unsigned(j, "dport", d->dport);
	}
}

static void put_headers(struct json *j, const struct decoded *d)
{
	char flags[9];

	if (d->have & DECODED_IP)
		json_unsigned(j, "ttl", d->ttl);
	if ((d->have & (DECODED_IP | DECODED_UPPER)) == DECODED_IP)
		json_unsigned(j, "ip_proto", d->ip_proto);
	if (d->have & DECODED_TCP) {
		decode_tcp_flags(d->tcp_flags, flags);
		json_text(j, "tcp_flags", flags);
		json_unsigned(j, "seq", d->seq);
		if (d->tcp_flags & 0x10)
			json_unsigned(j, "ack", d->ack);
		json_unsigned(j, "window", d->window);
	}
	if (d->have & DECODED_ICMP) {
		json_unsigned(j, "icmp_type", d->icmp_type);
		json_unsigned(j, "icmp_code", d->icmp_code);
	}
	if (d->have & DECODED_ECHO) {
		json_unsigned(j, "icmp_id", d->icmp_id);
		json_unsigned(j, "icmp_seq", d->icmp_seq);
	}
	if (d->have & DECODED_ARP)
		json_unsigned(j, "arp_op", d->arp_op);
	if (d->have & DECODED_FRAGMENT)
		json_unsigned(j, "fragment_offset", d->fragment_offset);
	if (d->have & DECODED_PAYLOAD)
		json_unsigned(j, "payload_len", d->payload_len);
	if (d->have & DECODED_CUT)
		json_true(j, "cut");
	if (d->have & DECODED_BAD)
		json_true(j, "bad");
}

static void put_packet(struct json *j, const struct xcap_record *rec)
{
	struct decoded d;

	if (rec->direction != XCAP_DIR_NONE)
		json_text(j, "direction", rec->direction == XCAP_DIR_IN ? "in" : "out");
	json_unsigned(j, "len", rec->len);
	json_unsigned(j, "caplen", rec->caplen);
	if (!decode_packet(&d, rec->data, rec->caplen, rec->packet.linktype)) {
		json_unsigned(j, "linktype", rec->packet.linktype);
		return;
	}
	if (d.proto)
		json_text(j, "proto", d.proto);
	else if (d.have & DECODED_ETHERTYPE)
		json_format(j, "ethertype", "0x%04x", d.ethertype);
	put_addresses(j, &d);
	put_headers(j, &d);
}

static void put_switch(struct json *j, const struct xcap_record *rec)
{
	char state[2] = { xcap_state_letter(rec->sw.prev_state) };

	json_unsigned(j, "next_pid", rec->sw.next_pid);
	json_unsigned(j, "next_tid", rec->sw.next_tid);
	if (rec->sw.next_comm[0])
		json_bytes(j, "next_comm", rec->sw.next_comm, sizeof(rec->sw.next_comm));
	json_text(j, "prev_state", state);
}

static const char *type_of(const struct xcap_record *rec)
{
	static const char *const names[] = {
		[XCAP_PACKET] = "packet", [XCAP_SYS_ENTER] = "sys_enter",
		[XCAP_SYS_EXIT] = "sys_exit", [XCAP_SWITCH] = "switch", [XCAP_LOSS] = "loss",
		[XCAP_PROBE] = "probe",
	};

	return rec->type >= XCAP_PACKET && rec->type <= XCAP_PROBE ? names[rec->type] : "unknown";
}

static void put_head(struct text *t, struct json *j, const struct xcap_record *rec)
{
	json_time(j, "time", rec->wall_ns);
	json_text(j, "type", type_of(rec));
	if (t->source)
		json_text(j, "source", t->source(t->user, rec->source));
	if (rec->cpu != XCAP_CPU_UNKNOWN)
		json_unsigned(j, "cpu", rec->cpu);
	json_owner(j, rec);
	if (rec->flags & XCAP_REC_LATE)
		json_true(j, "late");
}

void json_record(struct text *t, const struct xcap_record *rec)
{
	struct json j = { .out = t->out };

	json_open(&j, NULL, '{');
	put_head(t, &j, rec);
	switch (rec->type) {
	case XCAP_PACKET:
		put_packet(&j, rec);
		break;
	case XCAP_SYS_ENTER:
		json_enter(&j, rec);
		break;
	case XCAP_SYS_EXIT:
		json_exit(&j, rec);
		break;
	case XCAP_SWITCH:
		put_switch(&j, rec);
		break;
	case XCAP_PROBE:
		json_probe(&j, rec);
		break;
	case XCAP_LOSS:
		json_unsigned(&j, "lost", rec->loss.count);
		json_text(&j, "where", xcap_drop_name(rec->loss.where));
		break;
	}
	json_close(&j, '}');
	json_line(&j);
}
