// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   random records, and blocks made by hand: every kind, both byte orders.
 * Out:  that what is written is read back, and that damage is told from data.
 * Owns: nothing.
 * Runs on: no root, no kernel state, no files.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "blocks.h"
#include "records.h"
#include "sysdig_event.h"
#include "xcap_event.h"

#define ROUNDS 5000

static void expect_bad(struct file *f, const char *words)
{
	struct pcapng_reader d = { 0 };
	struct xcap_record r;
	size_t at = 0;

	assert_int_equal(next(&d, f->bytes, f->len, &at, &r), -EBADMSG);
	if (!strstr(d.why, words))
		fail_msg("'%s' says nothing of '%s'", d.why, words);
	pcapng_reader_free(&d);
}

/* ---- what is written is read ---- */

static size_t put_record(uint8_t *p, const struct xcap_record *r)
{
	struct pcapng_frame f = { .interface = 1 };

	switch (r->type) {
	case XCAP_PACKET:
		return pcapng_put_packet(p, r, &f);
	case XCAP_LOSS:
		return pcapng_put_loss(p, r, "tap:eth0");
	case XCAP_PROBE:
		return pcapng_put_probe(p, r);
	default:
		return pcapng_put_event(p, r, NULL);
	}
}

static size_t put_header(uint8_t *p)
{
	size_t len = pcapng_put_section(p, "x86_64", "Linux 6.1", "xcap test");

	len += pcapng_put_interface(p + len, 1, "eth0", "tap:eth0");
	return len + pcapng_put_interface(p + len, 1, "syscalls", "");
}

static void random_records_come_back(void **state)
{
	uint8_t *buf = malloc(1 << 20);
	struct pcapng_reader d = { 0 };
	struct records *s = malloc(sizeof(*s));
	struct xcap_record a, b;
	size_t len, at = 0;

	records_seed(s, 42);
	len = put_header(buf);
	for (int i = 0; i < ROUNDS; i++) {
		records_next(s, &a);
		len += put_record(buf + len, &a);
		assert_int_equal(len % 4, 0);
		assert_int_equal(next(&d, buf, len, &at, &b), 1);
		if (records_differ(&a, &b))
			fail_msg("record %d, type %d: %s differs", i, a.type,
				 records_differ(&a, &b));
		assert_int_equal(at, len);
		at = len = 0;
	}
	pcapng_reader_free(&d);
	free(s);
	free(buf);
}

/* Bytes of blocks are the machine's order: swap what we write, as a foreign machine would. */
static void events_of_the_other_byte_order(void **state)
{
	static const uint64_t args[6] = { 1, 2, 3, 4, 5, UINT64_MAX };
	struct file f = { .swapped = true };
	struct pcapng_reader d = { 0 };
	struct xcap_record r;
	size_t at = 0;

	section(&f);
	interface(&f, 1, 0, 9);
	begin(&f, PCAPNG_EVENT_V2);
	w16(&f, 3);
	w64(&f, RECORDS_EPOCH);
	w64(&f, 77);
	w32(&f, 0);
	w16(&f, 0);
	w32(&f, 0);
	wbytes(&f, "", 0);
	w16(&f, PCAPNG_OPT_XCAP);
	w16(&f, PCAPNG_XCAP_ENTER + 24);
	w32(&f, PCAPNG_MAGIC);
	w16(&f, XCAP_SYS_ENTER);
	w16(&f, XCAP_REC_COMPAT);
	w16(&f, 3);
	w16(&f, 0);
	w32(&f, 76);
	w32(&f, 77);
	w32(&f, 1000);
	w32(&f, 59);
	w64(&f, 1234567890123);
	wbytes(&f, "bash\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	for (int i = 0; i < 6; i++)
		w64(&f, args[i]);
	w32(&f, XITEM_BYTES << 8);		/* an item, which is of no use here */
	w32(&f, 8);
	w64(&f, 8);
	w64(&f, 0);
	w32(&f, 0);
	end(&f);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.caplen, 0);
	assert_int_equal(r.type, XCAP_SYS_ENTER);
	assert_int_equal(r.wall_ns, RECORDS_EPOCH);
	assert_int_equal(r.cpu, 3);
	assert_int_equal(r.flags, XCAP_REC_COMPAT);
	assert_int_equal(r.pid, 76);
	assert_int_equal(r.tid, 77);
	assert_int_equal(r.uid, 1000);
	assert_int_equal(r.enter.nr, 59);
	assert_int_equal(r.cgroup_id, 1234567890123);
	assert_string_equal(r.comm, "bash");
	assert_memory_equal(r.enter.args, args, sizeof(args));
	pcapng_reader_free(&d);
}

/* ---- what others write ---- */

static void resolutions_and_orders_of_pcapng(void **state)
{
	static const struct { uint8_t tsresol; uint64_t t; int64_t ns; } rows[] = {
		{ 6, 1700000000123456, 1700000000123456000 },
		{ 9, 1700000000123456789, 1700000000123456789 },
		{ 3, 1700000000123, 1700000000123000000 },
		{ 0, 1700000000, 1700000000000000000 },
		{ 12, 1700000000123456789, 1700000000123456 },
		{ 40, UINT64_MAX, 0 },
		{ 0x80 | 10, 1700000000ull << 10 | 512, 1700000000500000000 },
		{ 0x80 | 127, UINT64_MAX, 0 },
		{ 0, UINT64_MAX, INT64_MAX / 2 },	/* too late for us */
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct file f = { .swapped = i & 1 };
		struct pcapng_reader d = { 0 };
		struct xcap_record r;
		size_t at = 0;

		section(&f);
		interface(&f, 113, 0, rows[i / 2].tsresol);
		packet(&f, 0, rows[i / 2].t, "hello");
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
		assert_int_equal(r.type, XCAP_PACKET);
		assert_int_equal(r.wall_ns, rows[i / 2].ns);
		assert_int_equal(r.caplen, 5);
		assert_int_equal(r.len, 6);
		assert_memory_equal(r.data, "hello", 5);
		assert_int_equal(r.packet.linktype, 113);
		assert_int_equal(d.linktype, 113);
		pcapng_reader_free(&d);
	}
}

static void every_kind_of_block(void **state)
{
	struct pcapng_reader d = { 0 };
	struct xcap_record r;
	struct file f = { 0 };
	int64_t offset = -3600;
	uint32_t flags = 2, process[2] = { 12, 13 };
	size_t at = 0;

	section(&f);
	interface(&f, 1, 3, 6);
	begin(&f, PCAPNG_IDB);
	w16(&f, 14);		/* DLT_RAW of OpenBSD */
	w16(&f, 0);
	w32(&f, 0);
	option(&f, 14, &offset, 8);
	end(&f);
	begin(&f, 4);		/* names */
	w32(&f, 0);
	end(&f);
	begin(&f, 0xbad);	/* custom */
	w32(&f, 32473);
	end(&f);
	packet(&f, 0, 1000000, "time");
	begin(&f, PCAPNG_SPB);
	w32(&f, 9);
	wbytes(&f, "abc", 3);
	end(&f);
	begin(&f, PCAPNG_PB);
	w16(&f, 1);
	w16(&f, 7);
	w32(&f, 0);
	w32(&f, 5000000);
	w32(&f, 2);
	w32(&f, 2);
	wbytes(&f, "pb", 2);
	option(&f, 2, &flags, 4);
	option(&f, 8, process, 8);
	end(&f);
	section(&f);		/* interfaces are numbered afresh */
	interface(&f, 1, 0, 9);
	packet(&f, 0, 77, "second");

	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.wall_ns, 1000000000);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.wall_ns, 1000000000);	/* no time of its own */
	assert_int_equal(r.caplen, 3);
	assert_int_equal(r.len, 9);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.wall_ns, 5000000000 - 3600000000000);
	assert_int_equal(r.packet.linktype, 101);
	assert_int_equal(r.direction, XCAP_DIR_OUT);
	assert_int_equal(r.pid, 12);
	assert_int_equal(r.tid, 13);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.wall_ns, 77);
	assert_int_equal(r.packet.linktype, 1);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), -EAGAIN);
	assert_int_equal(at, f.len);
	pcapng_reader_free(&d);
}

static void pcap_of_both_orders_and_resolutions(void **state)
{
	static const struct { uint32_t magic, frac; int64_t ns; } rows[] = {
		{ 0xa1b2c3d4, 123456, 1700000000123456000 },
		{ 0xa1b23c4d, 123456789, 1700000000123456789 },
		{ 0xa1b2cd34, 123456, 1700000000123456000 },
	};

	for (int i = 0; i < 6; i++) {
		struct file f = { .swapped = i & 1 };
		struct pcapng_reader d = { 0 };
		struct xcap_record r;
		size_t at = 0;

		w32(&f, rows[i / 2].magic);
		w16(&f, 2);
		w16(&f, 4);
		w64(&f, 0);
		w32(&f, 65535);
		w32(&f, 12);
		for (int n = 0; n < 2; n++) {
			w32(&f, 1700000000);
			w32(&f, rows[i / 2].frac);
			w32(&f, 5);
			w32(&f, 60);
			if (i / 2 == 2) {
				w32(&f, 3);
				w32(&f, f.swapped ? 0x00080400 : 0x00040008);
			}
			memcpy(f.bytes + f.len, "hello", 5);
			f.len += 5;
		}
		for (int n = 0; n < 2; n++) {
			assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
			assert_int_equal(r.wall_ns, rows[i / 2].ns);
			assert_int_equal(r.len, 60);
			assert_int_equal(r.caplen, 5);
			assert_memory_equal(r.data, "hello", 5);
			assert_int_equal(r.packet.linktype, 101);
			assert_int_equal(r.direction, i / 2 == 2 ? XCAP_DIR_OUT : XCAP_DIR_NONE);
		}
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), -EAGAIN);
		pcapng_reader_free(&d);
	}
}

/* ---- damage ---- */

static void cut_at_every_byte(void **state)
{
	uint8_t *buf = malloc(1 << 17), *copy;
	struct records *s = malloc(sizeof(*s));
	size_t ends[21], len, at, cut;
	struct pcapng_reader d;
	struct xcap_record r;
	int n, whole, ret;

	records_seed(s, 7);
	len = put_header(buf);
	for (n = 0; n < 20; n++) {
		records_next(s, &r);
		len += put_record(buf + len, &r);
		ends[n] = len;
	}
	for (cut = 0; cut < len; cut++) {
		for (whole = 0; ends[whole] <= cut; )
			whole++;
		copy = malloc(cut ? cut : 1);	/* ASan sees one byte too far */
		memcpy(copy, buf, cut);
		memset(&d, 0, sizeof(d));
		for (n = 0, at = 0; (ret = next(&d, copy, cut, &at, &r)) == 1; )
			n++;
		assert_int_equal(ret, -EAGAIN);
		assert_int_equal(n, whole);
		assert_true(d.want > cut - at);
		pcapng_reader_free(&d);
		free(copy);
	}
	free(s);
	free(buf);
}

/* Random bytes in random places: nothing to expect but an end, within bounds. */
static void damage_of_any_kind(void **state)
{
	struct records *s = malloc(sizeof(*s));
	uint8_t *buf = malloc(1 << 17), *copy;
	struct pcapng_reader d;
	struct xcap_record r;
	size_t len, at;

	records_seed(s, 8);
	len = put_header(buf);
	for (int n = 0; n < 12; n++) {
		records_next(s, &r);
		len += put_record(buf + len, &r);
	}
	for (int i = 0; i < ROUNDS; i++) {
		copy = malloc(len);
		memcpy(copy, buf, len);
		for (int n = records_random(s) % 4; n >= 0; n--)
			copy[records_random(s) % (i % 2 ? len : 400)] = records_random(s);
		memset(&d, 0, sizeof(d));
		at = 0;
		while (next(&d, copy, len, &at, &r) == 1) {
			if (r.type == XCAP_PACKET && r.caplen)
				assert_true(r.data >= copy && r.data + r.caplen <= copy + len);
		}
		assert_true(at <= len);
		pcapng_reader_free(&d);
		free(copy);
	}
	free(s);
	free(buf);
}

static void what_is_wrong_is_said(void **state)
{
	struct file f = { 0 };

	wbytes(&f, "\x7f" "ELF", 4);
	expect_bad(&f, "neither pcap nor pcapng");
	f.len = 0;
	wbytes(&f, "\x1f\x8b\x08\x00", 4);
	expect_bad(&f, "gzip");
	f.len = 0;
	wbytes(&f, "\x28\xb5\x2f\xfd", 4);
	expect_bad(&f, "zstd");

	f.len = 0;
	section(&f);
	f.bytes[12] = 9;
	expect_bad(&f, "version 9");
	f.len = 0;
	section(&f);
	f.bytes[8] = 0;
	expect_bad(&f, "byte order");

	f.len = 0;
	section(&f);
	w32(&f, 1);
	w32(&f, 8);
	w32(&f, 8);
	expect_bad(&f, "claims to have 8 bytes");
	f.len -= 8;
	w32(&f, PCAPNG_MAX_BLOCK + 4);
	w32(&f, 0);
	expect_bad(&f, "claims to have 16777220 bytes");
	f.len -= 8;
	w32(&f, 12);
	w32(&f, 16);
	expect_bad(&f, "two lengths differ");

	f.len = 0;
	section(&f);
	packet(&f, 0, 0, "x");
	expect_bad(&f, "interface 0, which has not been described");
	f.len = 0;
	section(&f);
	interface(&f, 1, 0, 6);
	packet(&f, 0, 0, "x");
	f.bytes[f.block + 20] = 200;
	expect_bad(&f, "a packet of 200 bytes");
	f.len = 0;
	section(&f);
	begin(&f, PCAPNG_EPB);
	end(&f);
	expect_bad(&f, "a packet block of 12 bytes");
	f.len = 0;
	section(&f);
	begin(&f, PCAPNG_SPB);
	w32(&f, 4);
	end(&f);
	expect_bad(&f, "before any interface");
}

static void interfaces_have_a_limit(void **state)
{
	struct pcapng_reader d = { 0 };
	struct file f = { 0 };
	struct xcap_record r;
	size_t used, at = 0, first;
	int ret, n = 0;

	section(&f);
	first = f.len;
	interface(&f, 1, 0, 6);
	assert_int_equal(pcapng_decode(&d, f.bytes, f.len, &used, &r), 0);
	for (at = first; !(ret = pcapng_decode(&d, f.bytes + at, f.len - at, &used, &r)); )
		n++;
	assert_int_equal(ret, -EBADMSG);
	assert_int_equal(n, 65536);
	pcapng_reader_free(&d);
}

/* ---- events ---- */

static uint64_t param(const struct sysdig_event *ev, int n)
{
	uint64_t v = 0;

	memcpy(&v, ev->params[n], ev->lens[n]);
	return v;
}

static void events_have_names_and_parameters(void **state)
{
	static const __u64 args[6] = { 0xffffffff, 0x1000, 96, 4, 5, 6 };
	struct xcap_record r = { .type = XCAP_SYS_ENTER, .enter.args = args };
	struct sysdig_event ev;

	r.enter.nr = xcap_syscall_nr("write", 0);
	sysdig_event_make(&ev, &r, NULL);
	assert_int_equal(ev.type, 8);
	assert_int_equal(ev.nr_params, 2);
	assert_int_equal((int64_t)param(&ev, 0), -1);	/* an int in a register */
	assert_int_equal(param(&ev, 1), 96);
	r.enter.nr = xcap_syscall_nr("mprotect", 0);
	sysdig_event_make(&ev, &r, NULL);
	assert_int_equal(ev.type, 0);
	assert_int_equal(param(&ev, 0), 75);
	assert_int_equal(param(&ev, 1), 75);
	r.enter.nr = xcap_syscall_nr("mmap", 0);
	sysdig_event_make(&ev, &r, NULL);
	assert_int_equal(ev.type, 160);
	assert_int_equal(ev.nr_params, 6);
	r.enter.nr = xcap_syscall_nr("mmap", 1);
	r.flags = XCAP_REC_COMPAT;
	sysdig_event_make(&ev, &r, NULL);
	assert_int_equal(ev.type, 160);
	assert_int_equal(ev.nr_params, 0);	/* its argument is a pointer to them */
	r.type = XCAP_SYS_EXIT;
	r.exit.nr = xcap_syscall_nr("open", 1);
	r.exit.ret = -2;
	sysdig_event_make(&ev, &r, NULL);
	assert_int_equal(ev.type, 3);
	assert_int_equal(ev.nr_params, 4);
	assert_int_equal((int64_t)param(&ev, 0), -2);
	r.type = XCAP_SWITCH;
	r.sw.next_tid = 4242;
	sysdig_event_make(&ev, &r, NULL);
	assert_int_equal(ev.type, 146);
	assert_int_equal(param(&ev, 0), 4242);
}

/* Each number of each ABI fits; all but the never built and the newest calls have a name. */
static void every_call_makes_an_event(void **state)
{
	static const __u64 args[6] = { 1, 2, 3, 4, 5, 6 };
	int nameless = 0;

	for (int i = 0; i < 4 * 1024; i++) {
		struct xcap_record r = { .type = i & 1 ? XCAP_SYS_EXIT : XCAP_SYS_ENTER };
		struct sysdig_event ev;
		int compat = i >> 1 & 1;

		r.flags = compat ? XCAP_REC_COMPAT : 0;
		if (i & 1) {
			r.exit.nr = i >> 2;
		} else {
			r.enter.nr = i >> 2;
			r.enter.args = args;
		}
		sysdig_event_make(&ev, &r, NULL);
		assert_true(ev.nr_params <= SYSDIG_MAX_PARAMS);
		for (int n = 0; n < ev.nr_params; n++)
			assert_true(!ev.lens[n] || ev.params[n]);
		assert_true(ev.type < 328);	/* what Wireshark 4.0 knows */
		if (!(i & 3) && ev.type == 0 && !param(&ev, 0) && xcap_syscall_name(i >> 2, 0))
			nameless++;
	}
	assert_true(nameless < 20);
}

/* ---- what arguments refer to ---- */

static uint8_t *items;
static uint32_t items_len;

static void add_item(int arg, uint32_t len)
{
	struct xcap_ev_item head = { .arg = arg, .kind = XITEM_BYTES, .len = len, .whole = len };

	memcpy(items + items_len, &head, sizeof(head));
	items_len += sizeof(head);
	for (uint32_t i = 0; i < ((len + 7) & ~7u); i++)
		items[items_len++] = i < len ? (uint8_t)(i * 7 + arg) : 0;
}

/* Write a call with these items and read it again. Return: bytes of items that came back. */
static uint32_t round_trip(int type)
{
	static const __u64 args[6] = { 3, 0x7000, 65536, 4, 5, 6 };
	struct xcap_record a = { .type = type, .pid = 7, .tid = 7, .comm = "a",
				 .data = items, .caplen = items_len, .len = items_len }, b;
	uint8_t *buf = malloc(PCAPNG_EVENT_ROOM + PCAPNG_SLACK);
	struct pcapng_reader d = { 0 };
	size_t len = put_header(buf), at = 0;
	uint32_t got;

	if (type == XCAP_SYS_ENTER) {
		a.enter.nr = xcap_syscall_nr("write", 0);
		a.enter.args = args;
	} else {
		a.exit.nr = xcap_syscall_nr("read", 0);
		a.exit.ret = 65536;
	}
	len += pcapng_put_event(buf + len, &a, NULL);
	assert_true(len <= PCAPNG_EVENT_ROOM);
	buf = realloc(buf, len);		/* for ASan */
	assert_int_equal(next(&d, buf, len, &at, &b), 1);
	assert_int_equal(at, len);
	assert_int_equal(b.type, type);
	got = b.caplen;
	assert_int_equal(b.len, got);
	assert_true(got <= items_len);
	if (got)
		assert_memory_equal(b.data, items, got);
	if (type == XCAP_SYS_ENTER)
		assert_memory_equal(b.enter.args, args, sizeof(args));
	pcapng_reader_free(&d);
	free(buf);
	return got;
}

static void items_come_back(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 7, 8, 80, 4096, 65400, 65416, 65424, 65432, 65433,
					  65440, 65516, 65517, 65520, 65536, 100000 };

	items = malloc(4 * PCAPNG_ITEMS_MAX);
	for (int type = XCAP_SYS_ENTER; type <= XCAP_SYS_EXIT; type++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			items_len = 0;
			assert_int_equal(round_trip(type), 0);
			add_item(1, sizes[i]);
			assert_int_equal(round_trip(type), items_len);
			add_item(0, 9);
			assert_int_equal(round_trip(type), items_len);
		}
	free(items);
}

/* What there is no room for is left out as a whole; what is no item ends them. */
static void items_have_a_limit(void **state)
{
	uint32_t kept;

	items = malloc(4 * PCAPNG_ITEMS_MAX);
	items_len = 0;
	add_item(1, 100000);
	kept = items_len;
	add_item(2, 100000);
	assert_int_equal(round_trip(XCAP_SYS_ENTER), kept);
	items_len = 0;
	add_item(1, PCAPNG_ITEMS_MAX);
	assert_int_equal(round_trip(XCAP_SYS_EXIT), 0);
	items_len = 0;
	add_item(1, 100);
	kept = items_len;
	memset(items + items_len, 0xff, 64);
	items_len += 64;
	assert_int_equal(round_trip(XCAP_SYS_EXIT), kept);
	free(items);
}

static struct xcap_record call_of(int type, uint32_t tid, const char *name, const __u64 *args)
{
	struct xcap_record r = { .type = type, .tid = tid };

	if (type == XCAP_SYS_ENTER) {
		r.enter.nr = xcap_syscall_nr(name, 0);
		r.enter.args = args;
		r.data = items;
		r.caplen = items_len;
	} else {
		r.exit.nr = xcap_syscall_nr(name, 0);
		r.exit.ret = 3;
	}
	return r;
}

/* Sysdig has names and data at the end of a call, we have them where it begins. */
static void ends_have_what_began(void **state)
{
	static const __u64 args[6] = { -100, 0x7000, 0101, 0644 };
	struct sysdig_calls *calls = sysdig_calls_new();
	struct xcap_record r;
	struct sysdig_event ev;

	items = malloc(1 << 17);
	items_len = 0;
	add_item(1, 5);
	memcpy(items + sizeof(struct xcap_ev_item), "a.txt", 5);
	r = call_of(XCAP_SYS_ENTER, 7, "openat", args);
	sysdig_event_make(&ev, &r, calls);
	memset(items, 0xff, items_len);			/* it was lent until now */
	r = call_of(XCAP_SYS_EXIT, 8, "openat", NULL);
	sysdig_event_make(&ev, &r, calls);
	assert_int_equal(ev.nr_params, 1);		/* another thread's */
	r = call_of(XCAP_SYS_EXIT, 7, "read", NULL);
	sysdig_event_make(&ev, &r, calls);
	assert_int_equal(ev.nr_params, 1);		/* another call */
	r = call_of(XCAP_SYS_EXIT, 7, "openat", NULL);
	sysdig_event_make(&ev, &r, calls);
	assert_int_equal(ev.type, 307);
	assert_int_equal(ev.nr_params, 5);
	assert_int_equal(param(&ev, 0), 3);
	assert_int_equal((int64_t)param(&ev, 1), -100);
	assert_int_equal(ev.lens[2], 6);
	assert_memory_equal(ev.params[2], "a.txt", 6);
	assert_int_equal(param(&ev, 3), 2 | 1 << 2);	/* written to, made */
	assert_int_equal(param(&ev, 4), 0644);
	sysdig_event_make(&ev, &r, calls);
	assert_int_equal(ev.nr_params, 1);		/* a call ends once */

	items_len = 0;
	add_item(0, 8);
	add_item(1, 65536);
	r = call_of(XCAP_SYS_ENTER, 7, "write", args);
	sysdig_event_make(&ev, &r, calls);
	r = call_of(XCAP_SYS_EXIT, 7, "write", NULL);
	sysdig_event_make(&ev, &r, calls);
	assert_int_equal(ev.nr_params, 2);
	assert_in_range(ev.lens[1], 4000, 4096);	/* as much as is remembered */
	assert_memory_equal(ev.params[1], items + 24 + 16, ev.lens[1]);
	sysdig_calls_free(calls);
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_records_come_back),
		cmocka_unit_test(events_of_the_other_byte_order),
		cmocka_unit_test(resolutions_and_orders_of_pcapng),
		cmocka_unit_test(every_kind_of_block),
		cmocka_unit_test(pcap_of_both_orders_and_resolutions),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(damage_of_any_kind),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(interfaces_have_a_limit),
		cmocka_unit_test(events_have_names_and_parameters),
		cmocka_unit_test(every_call_makes_an_event),
		cmocka_unit_test(items_come_back),
		cmocka_unit_test(items_have_a_limit),
		cmocka_unit_test(ends_have_what_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
