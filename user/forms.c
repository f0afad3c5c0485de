// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  Ethernet frames that every packet program decodes, and USER0 frames with all of it.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "forms.h"
#include "out.h"
#include "probe_table.h"

/* ---- Ethernet: MAC, IPv4, UDP, syslog ---- */

#define IP_LEN 20
#define UDP_LEN 8
#define UDP_AT (14 + IP_LEN)
#define SYSLOG_PORT 514
#define NR_MAX 999		/* above it: 999 */

/* Of the source port: the last three digits are the number of the call. */
enum {
	PORT_ENTER	= 11000,
	PORT_EXIT	= 12000,
	PORT_FAILED	= 13000,
	PORT_SWITCH	= 14000,
	PORT_LOSS	= 15000,
	PORT_PROBE	= 16000,	/* and the number of the probe */
	PORT_COMPAT	= 10000,	/* more for 32-bit calls */
};

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* Locally administered, to one station: no NIC has it, and no switch floods it. */
static void put_mac(uint8_t *p, uint16_t cpu, uint32_t id)
{
	p[0] = 0x02 | (cpu >> 8 & 0x3f) << 2;
	p[1] = cpu;
	put32(p + 2, id);
}

/* The sum of RFC 1071, not yet folded; in which order bytes are taken does not matter to it. */
static uint64_t sum_of(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	uint32_t word;

	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	word = 0;
	memcpy(&word, p, len);
	return sum + word;
}

static void put_checksum(uint8_t *p, uint64_t sum)
{
	uint16_t sum16;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum16 = ~sum;
	memcpy(p, &sum16, 2);
}

static bool failed(const struct xcap_record *rec)
{
	return rec->type == XCAP_SYS_EXIT && rec->exit.ret < 0 && rec->exit.ret >= -4095;
}

static uint16_t call_port(uint16_t base, uint32_t nr, const struct xcap_record *rec)
{
	base += nr < NR_MAX ? nr : NR_MAX;
	return rec->flags & XCAP_REC_COMPAT ? base + PORT_COMPAT : base;
}

static uint16_t source_port(const struct xcap_record *rec)
{
	switch (rec->type) {
	case XCAP_SYS_ENTER:
		return call_port(PORT_ENTER, rec->enter.nr, rec);
	case XCAP_SYS_EXIT:
		return call_port(failed(rec) ? PORT_FAILED : PORT_EXIT, rec->exit.nr, rec);
	case XCAP_SWITCH:
		return PORT_SWITCH;
	case XCAP_PROBE:
		return PORT_PROBE + (rec->probe.id < NR_MAX ? rec->probe.id : NR_MAX);
	default:
		return PORT_LOSS;
	}
}

/* From the IPv4 dummy address to itself (RFC 7600): not to be seen on any wire. */
static void put_ip(uint8_t *p, size_t udp_len)
{
	static const uint8_t head[IP_LEN] = {
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 0, 8, 192, 0, 0, 8,
	};

	memcpy(p, head, sizeof(head));
	put16(p + 2, IP_LEN + udp_len);
	put_checksum(p + 10, sum_of(p, IP_LEN));
}

static void put_udp(uint8_t *p, size_t udp_len, const struct xcap_record *rec)
{
	uint8_t pseudo[4] = { 0, 17, udp_len >> 8, udp_len };

	put16(p, source_port(rec));
	put16(p + 2, SYSLOG_PORT);
	put16(p + 4, udp_len);
	put16(p + 6, 0);
	put_checksum(p + 6, sum_of(p - 8, 8) + sum_of(pseudo, 4) + sum_of(p, udp_len));
	if (!p[6] && !p[7])
		put16(p + 6, 0xffff);	/* 0 would say that there is none */
}

/* The line, ended by "..." where it is too long for a frame. Return: its length; -EINVAL. */
static int frame_text(const struct xcap_record *rec, char text[XCAP_TEXT_MAX])
{
	int len = xcap_record_text(rec, text, XCAP_TEXT_MAX - 3);

	if (len < XCAP_TEXT_MAX - 3)
		return len;
	len = strlen(text);
	strcpy(text + len, "...");
	return len + 3;
}

int form_ethernet(const struct xcap_record *rec, uint8_t *buf, size_t size)
{
	char text[XCAP_TEXT_MAX];
	int len = frame_text(rec, text);
	uint8_t *udp = buf + UDP_AT;

	if (len < 0)
		return len;
	if (size < (size_t)FORM_ETHERNET_HEAD + len)
		return -ENOSPC;
	put_mac(buf, 0, rec->pid);
	put_mac(buf + 6, rec->cpu, rec->tid);
	put16(buf + 12, 0x0800);
	put_ip(buf + 14, UDP_LEN + 3 + len);
	udp[UDP_LEN] = '<';
	udp[UDP_LEN + 1] = rec->type == XCAP_LOSS ? '4' : failed(rec) ? '5' : '6';
	udp[UDP_LEN + 2] = '>';
	memcpy(udp + UDP_LEN + 3, text, len);
	put_udp(udp, UDP_LEN + 3 + len, rec);
	return FORM_ETHERNET_HEAD + len;
}

int form_frame(const struct xcap_record *rec, uint8_t *buf, size_t size, const uint8_t **frame)
{
	if (rec->type == XCAP_PACKET) {
		*frame = rec->data;
		return rec->caplen;
	}
	*frame = buf;
	return form_ethernet(rec, buf, size);
}

/* ---- USER0 ---- */

#if defined(__aarch64__)
#define MACHINE EM_AARCH64
#define MACHINE_COMPAT EM_ARM
#else
#define MACHINE EM_X86_64
#define MACHINE_COMPAT EM_386
#endif

union body {
	struct form_user0_packet packet;
	struct form_user0_enter enter;
	struct form_user0_exit exit;
	struct form_user0_switch sw;
	struct form_user0_loss loss;
	struct {
		struct form_user0_probe head;
		char text[FORM_USER0_TEXT];
	} probe;
};
_Static_assert(sizeof(struct form_user0) + sizeof(union body) <= FORM_SIZE_MAX, "fits");

static void put_head(struct form_user0 *h, const struct xcap_record *rec)
{
	*h = (struct form_user0) {
		.version = FORM_USER0_VERSION, .type = rec->type,
		.head_len = htole16(sizeof(*h)), .flags = htole16(rec->flags),
		.cpu = htole16(rec->cpu), .pid = htole32(rec->pid), .tid = htole32(rec->tid),
		.uid = htole32(rec->uid), .ifindex = htole32(rec->ifindex),
		.cgroup_id = htole64(rec->cgroup_id), .direction = rec->direction,
		.machine = htole16(rec->flags & XCAP_REC_COMPAT ? MACHINE_COMPAT : MACHINE),
		.source = htole16(rec->source),
	};
	memcpy(h->comm, rec->comm, sizeof(h->comm));
}

static size_t put_switch(struct form_user0_switch *b, const struct xcap_record *rec)
{
	*b = (struct form_user0_switch) {
		.next_pid = htole32(rec->sw.next_pid), .next_tid = htole32(rec->sw.next_tid),
		.prev_state = htole32(rec->sw.prev_state),
		.next_prio = htole32(rec->sw.next_prio),
	};
	memcpy(b->next_comm, rec->sw.next_comm, sizeof(b->next_comm));
	return sizeof(*b);
}

static size_t put_enter(struct form_user0_enter *b, const struct xcap_record *rec)
{
	*b = (struct form_user0_enter) { .nr = htole32(rec->enter.nr) };
	for (int i = 0; i < 6; i++)
		b->args[i] = htole64(rec->enter.args[i]);
	return sizeof(*b);
}

static size_t put_probe(union body *b, const struct xcap_record *rec)
{
	struct out o = { .buf = b->probe.text, .size = sizeof(b->probe.text) };

	probe_text(&o, rec);
	out_end(&o);
	b->probe.head = (struct form_user0_probe) {
		.id = htole32(rec->probe.id), .cookie = htole64(rec->probe.cookie),
		.text_len = htole32(strlen(b->probe.text)),
	};
	return sizeof(b->probe.head) + strlen(b->probe.text);
}

/* Return: bytes of the body; 0: no record. */
static size_t put_body(union body *b, const struct xcap_record *rec)
{
	switch (rec->type) {
	case XCAP_PACKET:
		b->packet = (struct form_user0_packet) {
			.linktype = htole32(rec->packet.linktype), .wire_len = htole32(rec->len),
			.queue = htole32(rec->packet.queue), .frame_at = htole32(sizeof(b->packet)),
		};
		return sizeof(b->packet);
	case XCAP_SYS_ENTER:
		return put_enter(&b->enter, rec);
	case XCAP_SYS_EXIT:
		b->exit = (struct form_user0_exit) {
			.nr = htole32(rec->exit.nr), .ret = htole64(rec->exit.ret),
		};
		return sizeof(b->exit);
	case XCAP_SWITCH:
		return put_switch(&b->sw, rec);
	case XCAP_LOSS:
		b->loss = (struct form_user0_loss) {
			.count = htole64(rec->loss.count), .where = htole32(rec->loss.where),
		};
		return sizeof(b->loss);
	case XCAP_PROBE:
		return put_probe(b, rec);
	}
	return 0;
}

int form_user0(const struct xcap_record *rec, uint8_t *buf, size_t size)
{
	size_t frame_len = rec->type == XCAP_PACKET ? rec->caplen : 0, len;
	struct form_user0 head;
	union body body;

	len = put_body(&body, rec);
	if (!len)
		return -EINVAL;
	if (size < sizeof(head) + len + frame_len)
		return -ENOSPC;
	put_head(&head, rec);
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), &body, len);
	if (frame_len)
		memcpy(buf + sizeof(head) + len, rec->data, frame_len);
	return sizeof(head) + len + frame_len;
}
