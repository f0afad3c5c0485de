// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bytes of a pcapng or pcap file, which may be anybody's and damaged.
 * Out:  records that lend their bytes from them.
 * Owns: the list of interfaces of a section.
 * Runs on: one thread per reader; no I/O.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pcapng_bytes.h"
#include "pcapng_known.h"

enum {
	MAGIC_US	= 0xa1b2c3d4,
	MAGIC_NS	= 0xa1b23c4d,
	MAGIC_KUZNETZOV	= 0xa1b2cd34,	/* record headers with interface and direction */
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
};

#define MAX_INTERFACES 65536
#define NS_PER_S 1000000000ll

__attribute__((format(printf, 2, 3)))
static int bad(struct pcapng_reader *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static int want(struct pcapng_reader *d, size_t len)
{
	d->want = len;
	return -EAGAIN;
}

/* Units of an interface to ns since the epoch. */
static int64_t to_ns(const struct pcapng_interface *i, uint64_t t)
{
	unsigned __int128 ns = t;
	unsigned int n = i->tsresol & 0x7f;

	if (i->tsresol & 0x80) {
		ns = ns * NS_PER_S >> n;
	} else {
		for (; n < 9; n++)
			ns *= 10;
		for (; n > 9 && ns; n--)
			ns /= 10;
	}
	return clamp_ns((__int128)ns + (__int128)i->tsoffset_s * NS_PER_S);
}

/* ---- sections and interfaces ---- */

static int decode_section(struct pcapng_reader *d, const uint8_t *p, uint32_t len)
{
	if (len < 28)
		return bad(d, "a section header of %u bytes", len);
	if (get16(d, p + 12) != 1)
		return bad(d, "version %u of pcapng, which is not known", get16(d, p + 12));
	d->nr_interfaces = 0;
	pcapng_who_section(d);
	return 0;
}

static int grow_interfaces(struct pcapng_reader *d)
{
	uint32_t size = d->interfaces_size ? d->interfaces_size * 2 : 8;
	struct pcapng_interface *p;

	if (d->nr_interfaces < d->interfaces_size)
		return 0;
	if (d->nr_interfaces >= MAX_INTERFACES)
		return bad(d, "more than %u interfaces", MAX_INTERFACES);
	p = realloc(d->interfaces, size * sizeof(*p));
	if (!p)
		return -ENOMEM;
	d->interfaces = p;
	d->interfaces_size = size;
	return 0;
}

/* LINKTYPE_RAW was written under the numbers that systems have for DLT_RAW. */
static uint32_t clean_linktype(uint32_t linktype)
{
	return linktype == 12 || linktype == 14 ? 101 : linktype;
}

static int decode_interface(struct pcapng_reader *d, uint8_t *p, uint32_t len)
{
	struct pcapng_span rest = { p + 16, len - 20 }, value;
	struct pcapng_interface *i;
	uint16_t code;
	int err;

	if (len < 20)
		return bad(d, "an interface block of %u bytes", len);
	err = grow_interfaces(d);
	if (err)
		return err;
	i = &d->interfaces[d->nr_interfaces++];
	*i = (struct pcapng_interface) {
		.linktype = clean_linktype(get16(d, p + 8)),
		.snaplen = get32(d, p + 12),
		.tsresol = 6,
	};
	while (pcapng_next_option(d, &rest, &code, &value)) {
		if (code == 9 && value.len >= 1)
			i->tsresol = value.p[0];
		else if (code == 14 && value.len >= 8)
			i->tsoffset_s = get64(d, value.p);
	}
	if (!d->linktype_known) {
		d->linktype = i->linktype;
		d->linktype_known = true;
	}
	return 0;
}

/* ---- records ---- */

static void decode_packet_options(const struct pcapng_reader *d, struct pcapng_span rest,
				  struct pcapng_hints *h, struct xcap_record *r)
{
	struct pcapng_span value;
	uint16_t code;

	while (pcapng_next_option(d, &rest, &code, &value)) {
		if (code == PCAPNG_OPT_COMMENT && h->nr_comments < PCAPNG_MAX_COMMENTS) {
			h->comments[h->nr_comments++] = value;
		} else if (code == 2 && value.len >= 4) {
			r->direction = get32(d, value.p) & 3;
			if (r->direction == 3)
				r->direction = XCAP_DIR_NONE;
		} else if (code == 6 && value.len >= 4) {
			r->packet.queue = get32(d, value.p);
		} else if (code == 8 && value.len >= 8) {
			r->pid = get32(d, value.p);
			r->tid = get32(d, value.p + 4);
		} else if (code == PCAPNG_OPT_XCAP) {
			h->own |= pcapng_decode_option(d, value, r);
		} else if (code == PCAPNG_OPT_DARWIN && value.len >= 4) {
			h->index = get32(d, value.p);
			h->darwin = true;
		}
	}
}

/* body: the bytes and what follows them up to the trailing length. */
static int set_packet(struct pcapng_reader *d, struct pcapng_span body, uint32_t caplen,
		      uint32_t len, uint32_t interface, uint64_t t, struct xcap_record *r)
{
	size_t padded = ((size_t)caplen + 3) & ~(size_t)3;
	struct pcapng_hints hints;
	int err;

	if (padded > body.len)
		return bad(d, "a packet of %u bytes in a block that has room for %zu", caplen,
			   body.len);
	if (interface >= d->nr_interfaces)
		return bad(d, "a packet of interface %u, which has not been described", interface);
	r->type = XCAP_PACKET;
	r->wall_ns = d->last_ns = to_ns(&d->interfaces[interface], t);
	r->data = body.p;
	r->caplen = caplen;
	r->len = len;
	r->cpu = XCAP_CPU_UNKNOWN;
	r->packet.linktype = d->interfaces[interface].linktype;
	hints.own = hints.darwin = false;
	hints.nr_comments = 0;	/* the rest is not looked at then */
	body = (struct pcapng_span) { body.p + padded, body.len - padded };
	decode_packet_options(d, body, &hints, r);
	err = pcapng_who_resolve(d, &hints, r);
	return err ? err : 1;
}

/* Enhanced packets, and the obsolete ones, which differ in the first word only. */
static int decode_packet(struct pcapng_reader *d, uint8_t *p, uint32_t len, bool obsolete,
			 struct xcap_record *r)
{
	struct pcapng_span body = { p + 28, len - 32 };
	uint64_t t;

	if (len < 32)
		return bad(d, "a packet block of %u bytes", len);
	t = (uint64_t)get32(d, p + 12) << 32 | get32(d, p + 16);
	return set_packet(d, body, get32(d, p + 20), get32(d, p + 24),
			  obsolete ? get16(d, p + 8) : get32(d, p + 8), t, r);
}

/* A simple packet has neither a time nor a captured length. */
static int decode_simple_packet(struct pcapng_reader *d, uint8_t *p, uint32_t len,
				struct xcap_record *r)
{
	struct pcapng_span body = { p + 12, len - 16 };
	int64_t last_ns = d->last_ns;
	uint32_t orig, caplen;

	if (len < 16)
		return bad(d, "a simple packet block of %u bytes", len);
	if (!d->nr_interfaces)
		return bad(d, "a packet before any interface has been described");
	orig = caplen = get32(d, p + 8);
	if (d->interfaces[0].snaplen && caplen > d->interfaces[0].snaplen)
		caplen = d->interfaces[0].snaplen;
	if (caplen > body.len)
		caplen = body.len;
	set_packet(d, (struct pcapng_span) { body.p, (caplen + 3) & ~3u }, caplen, orig, 0, 0, r);
	r->wall_ns = d->last_ns = last_ns;
	return 1;
}

/* ---- blocks ---- */

static int decode_body(struct pcapng_reader *d, uint8_t *p, uint32_t type, uint32_t len,
		       struct xcap_record *r)
{
	switch (type) {
	case PCAPNG_SHB:
		return decode_section(d, p, len);
	case PCAPNG_IDB:
		return decode_interface(d, p, len);
	case PCAPNG_EPB:
	case PCAPNG_PB:
		return decode_packet(d, p, len, type == PCAPNG_PB, r);
	case PCAPNG_SPB:
		return decode_simple_packet(d, p, len, r);
	case PCAPNG_EVENT_V2:
		return pcapng_decode_event(d, p, len, r);
	case PCAPNG_JOURNAL:
		return pcapng_decode_journal(d, p, len, r);
	case PCAPNG_CUSTOM:
	case PCAPNG_CUSTOM_NO_COPY:
		return pcapng_who_custom(d, p, len);
	case PCAPNG_DARWIN:
		return pcapng_who_darwin(d, p, len);
	default:
		return 0;	/* names, statistics, secrets */
	}
}

/* A section header says itself in which byte order it is. */
static int section_order(struct pcapng_reader *d, const uint8_t *p)
{
	uint32_t magic;

	memcpy(&magic, p + 8, 4);
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return bad(d, "a section header without its byte order");
	d->swapped = magic != BYTE_ORDER_MAGIC;
	return 0;
}

static int decode_block(struct pcapng_reader *d, uint8_t *p, size_t len, size_t *used,
			struct xcap_record *r)
{
	uint32_t type, total;
	int ret;

	if (len < 12)
		return want(d, 12);
	memcpy(&type, p, 4);
	if (type == PCAPNG_SHB) {	/* a palindrome */
		ret = section_order(d, p);
		if (ret)
			return ret;
	}
	type = get32(d, p);
	total = get32(d, p + 4);
	if (total < 12 || total & 3 || total > PCAPNG_MAX_BLOCK)
		return bad(d, "a block that claims to have %u bytes", total);
	if (total > len)
		return want(d, total);
	if (get32(d, p + total - 4) != total)
		return bad(d, "a block whose two lengths differ (%u and %u)", total,
			   get32(d, p + total - 4));
	ret = decode_body(d, p, type, total, r);
	if (ret >= 0)
		*used = total;
	return ret;
}

/* ---- pcap ---- */

static int decode_pcap_header(struct pcapng_reader *d, const uint8_t *p, size_t len, size_t *used)
{
	uint32_t magic;

	if (len < 24)
		return want(d, 24);
	memcpy(&magic, p, 4);
	d->swapped = magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_KUZNETZOV;
	magic = get32(d, p);
	if (get16(d, p + 4) != 2)
		return bad(d, "version %u of pcap, which is not known", get16(d, p + 4));
	d->format = PCAPNG_FORMAT_PCAP;
	d->frac_ns = magic == MAGIC_NS ? 1 : 1000;
	d->head_len = magic == MAGIC_KUZNETZOV ? 24 : 16;
	d->linktype = clean_linktype(get32(d, p + 20) & 0x03ffffff);
	d->linktype_known = true;
	*used = 24;
	return 0;
}

static int decode_pcap_record(struct pcapng_reader *d, uint8_t *p, size_t len, size_t *used,
			      struct xcap_record *r)
{
	uint32_t caplen;

	if (len < d->head_len)
		return want(d, d->head_len);
	caplen = get32(d, p + 8);
	if (caplen > PCAPNG_MAX_BLOCK)
		return bad(d, "a packet that claims to have %u bytes", caplen);
	if (len - d->head_len < caplen)
		return want(d, (size_t)d->head_len + caplen);
	r->type = XCAP_PACKET;
	r->wall_ns = clamp_ns((__int128)get32(d, p) * NS_PER_S +
			      (__int128)get32(d, p + 4) * d->frac_ns);
	r->data = p + d->head_len;
	r->caplen = caplen;
	r->len = get32(d, p + 12);
	r->cpu = XCAP_CPU_UNKNOWN;
	r->packet.linktype = d->linktype;
	if (d->head_len == 24)	/* packet type of AF_PACKET: 4 is outgoing */
		r->direction = p[22] == 4 ? XCAP_DIR_OUT : XCAP_DIR_IN;
	*used = d->head_len + caplen;
	return 1;
}

/* ---- the first bytes ---- */

static int decode_first(struct pcapng_reader *d, uint8_t *p, size_t len, size_t *used,
			struct xcap_record *r)
{
	uint32_t magic;

	if (len < 4)
		return want(d, 4);
	memcpy(&magic, p, 4);
	if (magic == PCAPNG_SHB) {
		d->format = PCAPNG_FORMAT_PCAPNG;
		return decode_block(d, p, len, used, r);
	}
	if (magic == MAGIC_US || magic == MAGIC_NS || magic == MAGIC_KUZNETZOV ||
	    magic == __builtin_bswap32(MAGIC_US) || magic == __builtin_bswap32(MAGIC_NS) ||
	    magic == __builtin_bswap32(MAGIC_KUZNETZOV))
		return decode_pcap_header(d, p, len, used);
	if (p[0] == 0x1f && p[1] == 0x8b)
		return bad(d, "gzip's bytes: unpack it, or pipe zcat into `-`");
	if (magic == htobe32(0x28b52ffd))
		return bad(d, "zstd's bytes: unpack it, or pipe zstdcat into `-`");
	return bad(d, "%02x%02x%02x%02x, so it is neither pcap nor pcapng: name a capture file",
		   p[0], p[1], p[2], p[3]);
}

int pcapng_decode(struct pcapng_reader *d, uint8_t *p, size_t len, size_t *used,
		  struct xcap_record *r)
{
	memset(r, 0, sizeof(*r));
	*used = 0;
	switch (d->format) {
	case PCAPNG_FORMAT_PCAP:
		return decode_pcap_record(d, p, len, used, r);
	case PCAPNG_FORMAT_PCAPNG:
		return decode_block(d, p, len, used, r);
	default:
		return decode_first(d, p, len, used, r);
	}
}

void pcapng_reader_free(struct pcapng_reader *d)
{
	free(d->interfaces);
	known_free(d->known);
	memset(d, 0, sizeof(*d));
}
