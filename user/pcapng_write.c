// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records and numbers.
 * Out:  pcapng blocks in the caller's memory, complete or not at all.
 * Owns: nothing.
 * Runs on: any thread; pure functions.
 */
#include <stdio.h>
#include <string.h>
#include "items.h"
#include "pcapng_put.h"
#include "sysdig_event.h"

/* Option codes, by the block they stand in. */
enum {
	SHB_HARDWARE = 2, SHB_OS = 3, SHB_APPL = 4,
	IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9,
	EPB_FLAGS = 2, EPB_DROPCOUNT = 4, EPB_PACKETID = 5, EPB_QUEUE = 6, EPB_PROCESS = 8,
	ISB_START = 2, ISB_END = 3, ISB_RECV = 4, ISB_IFDROP = 5, ISB_ACCEPT = 6,
	ISB_OSDROP = 7, ISB_DELIVERED = 8,
};

static void put_string(uint8_t **w, const uint8_t *block, uint16_t code, const char *s)
{
	if (s && *s)
		put_option(w, block, code, s, strnlen(s, PCAPNG_MAX_STR));
}

static void put_option64(uint8_t **w, const uint8_t *block, uint16_t code, uint64_t v)
{
	put_option(w, block, code, &v, 8);
}

/* A point in time in blocks: high half first, whatever the byte order. */
static void put_time(uint8_t **w, int64_t wall_ns)
{
	uint64_t t = wall_ns < 0 ? 0 : wall_ns;

	put32(w, t >> 32);
	put32(w, t);
}

size_t pcapng_put_section(uint8_t *dst, const char *hardware, const char *os, const char *appl)
{
	uint8_t *w = put_begin(dst, PCAPNG_SHB);

	put32(&w, 0x1a2b3c4d);
	put16(&w, 1);
	put16(&w, 0);
	put64(&w, UINT64_MAX);		/* section length: not known */
	put_string(&w, dst, SHB_HARDWARE, hardware);
	put_string(&w, dst, SHB_OS, os);
	put_string(&w, dst, SHB_APPL, appl);
	put32(&w, PCAPNG_OPT_END);
	return put_finish(dst, w);
}

size_t pcapng_put_interface(uint8_t *dst, uint32_t linktype, const char *name,
			    const char *description)
{
	uint8_t *w = put_begin(dst, PCAPNG_IDB);

	put16(&w, linktype);
	put16(&w, 0);
	put32(&w, PCAPNG_SNAPLEN);
	put_string(&w, dst, IF_NAME, name);
	put_string(&w, dst, IF_DESCRIPTION, description);
	put_option(&w, dst, IF_TSRESOL, "\x09", 1);
	put32(&w, PCAPNG_OPT_END);
	return put_finish(dst, w);
}

static bool task_known(const struct xcap_record *r)
{
	return r->type != XCAP_PACKET || r->pid || r->tid || r->comm[0] || r->cgroup_id ||
	       r->owner || r->packet.cookie;
}

static size_t xcap_option_len(const struct xcap_record *r)
{
	switch (r->type) {
	case XCAP_SYS_ENTER:
		return PCAPNG_XCAP_ENTER;
	case XCAP_SYS_EXIT:
		return PCAPNG_XCAP_EXIT;
	case XCAP_SWITCH:
		return PCAPNG_XCAP_SWITCH;
	default:
		return task_known(r) ? PCAPNG_XCAP_PACKET : PCAPNG_XCAP_HEAD;
	}
}

static void put_xcap_task(uint8_t **w, const struct xcap_record *r)
{
	put32(w, r->pid);
	put32(w, r->tid);
	put32(w, r->uid);
	put32(w, r->type == XCAP_SYS_ENTER ? r->enter.nr :
		 r->type == XCAP_SYS_EXIT ? r->exit.nr : 0);
	put64(w, r->cgroup_id);
	put_bytes(w, r->comm, sizeof(r->comm));
}

/* Of what arguments refer to: whole items, as many as there is room for. */
static uint32_t items_len(const struct xcap_record *r)
{
	struct items it = items_of(r);
	const uint8_t *begin = it.p;
	struct item item;
	uint32_t len = 0;

	while (items_next(&it, &item) && it.p - begin <= PCAPNG_ITEMS_MAX)
		len = it.p - begin;
	return len;
}

void pcapng_put_fixed(uint8_t **w, const struct xcap_record *r)
{
	put32(w, PCAPNG_MAGIC);
	put16(w, r->type);
	put16(w, r->flags);
	put16(w, r->cpu);
	put16(w, 0);
	if (!task_known(r))
		return;
	put_xcap_task(w, r);
	if (r->type == XCAP_SYS_ENTER) {
		put_bytes(w, r->enter.args, 48);
	} else if (r->type == XCAP_SYS_EXIT) {
		put64(w, r->exit.ret);
	} else if (r->type == XCAP_SWITCH) {
		put32(w, r->sw.next_pid);
		put32(w, r->sw.next_tid);
		put32(w, r->sw.prev_state);
		put32(w, r->sw.next_prio);
		put_bytes(w, r->sw.next_comm, sizeof(r->sw.next_comm));
	} else if (r->type == XCAP_PROBE) {
		put32(w, r->probe.id);
		put32(w, 0);
		put64(w, r->probe.cookie);
	} else {
		put32(w, r->owner);
		put64(w, r->packet.cookie);
	}
}

/* What has no place in the format: see pcapng.h. */
static void put_xcap(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	uint32_t fixed = xcap_option_len(r), left = items_len(r), len = left;
	const uint8_t *p = r->data;

	if (len > PCAPNG_OPT_LONGEST - fixed)
		len = PCAPNG_OPT_LONGEST - fixed;
	put16(w, PCAPNG_OPT_XCAP);
	put16(w, fixed + len);
	pcapng_put_fixed(w, r);
	put_bytes(w, p, len);
	put_pad(w, block);
	while (left -= len) {
		p += len;
		len = left < PCAPNG_OPT_LONGEST ? left : PCAPNG_OPT_LONGEST;
		put_option(w, block, PCAPNG_OPT_MORE, p, len);
	}
}

static void put_packet_options(uint8_t **w, const uint8_t *block, const struct xcap_record *r,
			       const struct pcapng_frame *f)
{
	uint32_t flags = r->direction;	/* 1 in, 2 out, as in XCAP_DIR_ */
	uint32_t process[2] = { r->pid, r->tid };
	uint32_t queue = r->packet.queue;

	if (f->comments)
		pcapng_put_comments(w, block, r);
	if (flags)
		put_option(w, block, EPB_FLAGS, &flags, 4);
	if (f->dropped)
		put_option64(w, block, EPB_DROPCOUNT, f->dropped);
	if (f->id)
		put_option64(w, block, EPB_PACKETID, f->id);
	if (queue || f->queue_known)
		put_option(w, block, EPB_QUEUE, &queue, 4);
	if (r->pid)
		put_option(w, block, EPB_PROCESS, process, 8);
	put_xcap(w, block, r);
	put32(w, PCAPNG_OPT_END);
}

size_t pcapng_put_packet(uint8_t *dst, const struct xcap_record *r, const struct pcapng_frame *f)
{
	uint32_t caplen = f->prefix_len + r->caplen - f->skip;
	uint32_t len = f->prefix_len + (r->len > f->skip ? r->len - f->skip : 0);
	uint8_t *w = put_begin(dst, PCAPNG_EPB);

	if (caplen > PCAPNG_SNAPLEN)
		caplen = PCAPNG_SNAPLEN;
	put32(&w, f->interface);
	put_time(&w, r->wall_ns);
	put32(&w, caplen);
	put32(&w, len);
	put_bytes(&w, f->prefix, f->prefix_len);
	put_bytes(&w, r->data + f->skip, caplen - f->prefix_len);
	put_pad(&w, dst);
	put_packet_options(&w, dst, r, f);
	return put_finish(dst, w);
}

/*
 * Version 2 of the block, because Wireshark shows the parameters of that one
 * only. Our option lies inside the event's own length: behind it, Wireshark
 * 4.0 would call the frame malformed.
 */
size_t pcapng_put_event(uint8_t *dst, const struct xcap_record *r, struct sysdig_calls *calls)
{
	struct sysdig_event ev;
	uint8_t *w = put_begin(dst, PCAPNG_EVENT_V2), *event;
	uint32_t len;

	sysdig_event_make(&ev, r, calls);
	put16(&w, r->cpu);
	event = w;
	put64(&w, r->wall_ns < 0 ? 0 : r->wall_ns);
	put64(&w, r->tid);
	put32(&w, 0);
	put16(&w, ev.type);
	put32(&w, ev.nr_params);
	put_bytes(&w, ev.lens, ev.nr_params * 2);
	for (uint16_t i = 0; i < ev.nr_params; i++)
		put_bytes(&w, ev.params[i], ev.lens[i]);
	put_pad(&w, dst);
	put_xcap(&w, dst, r);
	put32(&w, PCAPNG_OPT_END);
	len = w - event;
	memcpy(event + 16, &len, 4);
	return put_finish(dst, w);
}

/* Fields of a journal entry end at the end of the line: none within them. */
static void copy_line(char *dst, size_t size, const char *src)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i]; i++)
		dst[i] = (unsigned char)src[i] < ' ' ? '?' : src[i];
	dst[i] = '\0';
}

size_t pcapng_put_loss(uint8_t *dst, const struct xcap_record *r, const char *spec)
{
	uint8_t *w = put_begin(dst, PCAPNG_JOURNAL);
	unsigned long long count = r->loss.count, wall_ns = r->wall_ns < 0 ? 0 : r->wall_ns;
	const char *where = xcap_drop_name(r->loss.where);
	char source[PCAPNG_MAX_STR + 1];
	int n;

	copy_line(source, sizeof(source), spec);
	n = snprintf((char *)w, PCAPNG_SLACK - 64,
		     "__REALTIME_TIMESTAMP=%llu\n"
		     "MESSAGE=xcap: lost %llu record%s at %s on %s\n"
		     "PRIORITY=4\nSYSLOG_IDENTIFIER=xcap\n"
		     "XCAP_WALL_NS=%llu\nXCAP_COUNT=%llu\nXCAP_WHERE=%u\nXCAP_CPU=%u\n"
		     "XCAP_FLAGS=%u\nXCAP_SOURCE=%s\n",
		     wall_ns / 1000, count, count == 1 ? "" : "s", where, source,
		     wall_ns, count, r->loss.where, r->cpu, r->flags, source);
	return put_finish(dst, w + n);
}

size_t pcapng_put_note(uint8_t *dst, int64_t wall_ns, const char *message)
{
	uint8_t *w = put_begin(dst, PCAPNG_JOURNAL);
	unsigned long long us = wall_ns < 0 ? 0 : wall_ns / 1000;
	char line[PCAPNG_MAX_STR + 1];
	int n;

	copy_line(line, sizeof(line), message);
	n = snprintf((char *)w, PCAPNG_SLACK - 64, "__REALTIME_TIMESTAMP=%llu\n"
		     "MESSAGE=xcap: %s\nPRIORITY=6\nSYSLOG_IDENTIFIER=xcap\n", us, line);
	return put_finish(dst, w + n);
}

size_t pcapng_put_counts(uint8_t *dst, uint32_t interface, const struct pcapng_counts *c)
{
	uint8_t *w = put_begin(dst, PCAPNG_ISB), *t;
	uint8_t start[8], end[8];

	put32(&w, interface);
	put_time(&w, c->end_ns);
	if (c->start_ns) {
		t = start;
		put_time(&t, c->start_ns);
		t = end;
		put_time(&t, c->end_ns);
		put_option(&w, dst, ISB_START, start, 8);
		put_option(&w, dst, ISB_END, end, 8);
	}
	put_option64(&w, dst, ISB_RECV, c->received);
	put_option64(&w, dst, ISB_IFDROP, c->if_dropped);
	put_option64(&w, dst, ISB_ACCEPT, c->accepted);
	put_option64(&w, dst, ISB_OSDROP, c->os_dropped);
	put_option64(&w, dst, ISB_DELIVERED, c->delivered);
	put32(&w, PCAPNG_OPT_END);
	return put_finish(dst, w);
}
