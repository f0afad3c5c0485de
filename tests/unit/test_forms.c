// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records made by hand; or FILE and "ethernet", "user0" or "garbage".
 * Out:  that their forms are what man/xcap-linktypes.7 says, byte by byte; or a pcap file
 *       of them, for the second opinion of tcpdump and tshark (tests/cli/linktypes.sh).
 * Owns: FILE.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "forms.h"
#include "xcap_event.h"

static uint8_t buf[FORM_SIZE_MAX];
static const __u64 write_args[6] = { 8, 0x7ffc0010, 4096, 4, 5, -1ull };

static struct xcap_record record(int type)
{
	return (struct xcap_record) {
		.type = type, .pid = 1292, .tid = 1293, .cpu = 1, .comm = "nginx", .uid = 33,
		.cgroup_id = 0x1122334455667788, .source = 2,
	};
}

static struct xcap_record enter(void)
{
	struct xcap_record r = record(XCAP_SYS_ENTER);

	r.enter.nr = 1;
	r.enter.args = write_args;
	return r;
}

static struct xcap_record result(__u32 nr, __s64 ret)
{
	struct xcap_record r = record(XCAP_SYS_EXIT);

	r.exit.nr = nr;
	r.exit.ret = ret;
	return r;
}

static struct xcap_record switched(void)
{
	struct xcap_record r = record(XCAP_SWITCH);

	r.sw.next_pid = 77;
	r.sw.next_tid = 78;
	r.sw.prev_state = 1;
	r.sw.next_prio = 120;
	strcpy(r.sw.next_comm, "bash");
	return r;
}

static struct xcap_record loss(void)
{
	return (struct xcap_record) {
		.type = XCAP_LOSS, .cpu = 1, .loss = { .count = 42, .where = XCAP_DROP_RING_FULL },
	};
}

/* ---- Ethernet ---- */

static unsigned int be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* As RFC 1071 says it, a word at a time. */
static unsigned int checksum(const uint8_t *p, size_t len, unsigned int sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Return: the frame's text, after all that does not depend on the record was looked at. */
static const char *frame_text(const struct xcap_record *r)
{
	int len = form_ethernet(r, buf, sizeof(buf));
	static char text[XCAP_TEXT_MAX + 8];

	assert_in_range(len, FORM_ETHERNET_HEAD + 1, FORM_SIZE_MAX);
	assert_int_equal(buf[0] & 3, 2);		/* local, one station: both addresses */
	assert_int_equal(buf[6] & 3, 2);
	assert_memory_equal(buf + 12, "\x08\0\x45\0", 4);
	assert_int_equal(be16(buf + 16), len - 14);
	assert_memory_equal(buf + 18, "\0\0\x40\0\x40\x11", 6);
	assert_memory_equal(buf + 26, "\xc0\0\0\x08\xc0\0\0\x08", 8);
	assert_int_equal(checksum(buf + 14, 20, 0), 0xffff);
	assert_int_equal(be16(buf + 36), 514);
	assert_int_equal(be16(buf + 38), len - 34);
	assert_int_not_equal(be16(buf + 40), 0);
	assert_int_equal(checksum(buf + 34, len - 34, checksum(buf + 26, 8, 17 + len - 34)), 0xffff);
	memcpy(text, buf + 42, len - 42);
	text[len - 42] = '\0';
	return text;
}

/* A path as long as one can be: cut, and said so. */
static void long_lines(void **state)
{
	static struct {
		struct xcap_ev_item item;
		char path[4096];
	} path = { { .arg = 1, .kind = XITEM_BYTES, .len = 4095, .whole = 4095 }, "" };
	struct xcap_record r = enter();
	const char *text;

	r.enter.nr = xcap_syscall_nr("openat", 0);
	r.data = (const __u8 *)&path;
	r.caplen = sizeof(path);
	for (int fill = 0; fill < 2; fill++) {
		for (int i = 0; i < 4095; i++)		/* two bytes each; an escape each */
			path.path[i] = fill ? 1 : i & 1 ? '\xa9' : '\xc3';
		text = frame_text(&r);
		assert_in_range(strlen(text), XCAP_TEXT_MAX - 8, XCAP_TEXT_MAX + 2);
		assert_string_equal(text + strlen(text) - 3, "...");
	}
}

static unsigned int port(const struct xcap_record *r)
{
	frame_text(r);
	return be16(buf + 34);
}

static void frames(void **state)
{
	struct xcap_record r = enter();

	assert_string_equal(frame_text(&r), "<6>nginx[1293] > write(fd=8, buf=0x7ffc0010, count=4096)");
	assert_memory_equal(buf, "\2\0\0\0\x05\x0c\2\1\0\0\x05\x0d", 12);
	r = result(1, 4096);
	assert_string_equal(frame_text(&r), "<6>nginx[1293] < write = 4096");
	r = result(42, -115);
	assert_string_equal(frame_text(&r), "<5>nginx[1293] < connect = -115 EINPROGRESS");
	r = switched();
	assert_string_equal(frame_text(&r), "<6>nginx[1293] -> bash[78] (S)");
	r = loss();
	assert_string_equal(frame_text(&r), "<4>--- 42 lost (ring_full)");
	strcpy(r.comm, "\033[2J");
	r.type = XCAP_SYS_EXIT;
	assert_non_null(strstr(frame_text(&r), "\\x1b[2J"));
}

static void addresses(void **state)
{
	struct xcap_record r = result(1, 0);

	r.cpu = XCAP_CPU_UNKNOWN;
	r.pid = r.tid = UINT32_MAX;
	frame_text(&r);
	assert_memory_equal(buf, "\2\0\xff\xff\xff\xff\xfe\xff\xff\xff\xff\xff", 12);
	r.cpu = 0x1234;
	frame_text(&r);
	assert_memory_equal(buf + 6, "\x4a\x34", 2);
}

static void ports(void **state)
{
	struct xcap_record r = enter();

	assert_int_equal(port(&r), 11001);
	r.enter.nr = 999;
	assert_int_equal(port(&r), 11999);
	r.enter.nr = UINT32_MAX;
	assert_int_equal(port(&r), 11999);
	r.flags = XCAP_REC_COMPAT;
	r.enter.nr = 4;
	assert_int_equal(port(&r), 21004);
	r = result(0, 0);
	assert_int_equal(port(&r), 12000);
	r.exit.ret = -1;
	assert_int_equal(port(&r), 13000);
	r.exit.ret = -4096;
	assert_int_equal(port(&r), 12000);
	r.exit.ret = -4095;
	r.flags = XCAP_REC_COMPAT;
	assert_int_equal(port(&r), 23000);
	r = switched();
	assert_int_equal(port(&r), 14000);
	r = loss();
	assert_int_equal(port(&r), 15000);
}

/* Every sum there is: also the one whose complement is 0, which is written as 0xffff. */
static void all_checksums(void **state)
{
	struct xcap_record r = result(1, 0);
	uint32_t random = 1;
	bool zero = false;

	for (int i = 0; i < 500000; i++) {
		random = random * 1664525 + 1013904223;
		r.comm[i % 8] = ' ' + (random >> 24) % 94;
		frame_text(&r);
		zero = zero || be16(buf + 40) == 0xffff;
	}
	assert_true(zero);
}

static void too_small(void **state)
{
	struct xcap_record all[] = { enter(), result(1, -1), switched(), loss() };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int (*forms[])(const struct xcap_record *, uint8_t *, size_t) = {
			form_ethernet, form_user0,
		};

		for (int k = 0; k < 2; k++) {
			int len = forms[k](&all[i], buf, sizeof(buf));

			for (int size = 0; size < len; size++) {
				memset(buf, 0x5a, sizeof(buf));
				assert_int_equal(forms[k](&all[i], buf, size), -ENOSPC);
				for (size_t at = size; at < sizeof(buf); at++)
					assert_int_equal(buf[at], 0x5a);
			}
			assert_int_equal(forms[k](&all[i], buf, len), len);
			for (size_t at = len; at < sizeof(buf); at++)
				assert_int_equal(buf[at], 0x5a);
		}
	}
}

static void no_records(void **state)
{
	struct xcap_record r = { .type = XCAP_PACKET };

	assert_int_equal(form_ethernet(&r, buf, sizeof(buf)), -EINVAL);
	r.type = 0;
	assert_int_equal(form_ethernet(&r, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(form_user0(&r, buf, sizeof(buf)), -EINVAL);
	r.type = 7;
	assert_int_equal(form_ethernet(&r, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(form_user0(&r, buf, sizeof(buf)), -EINVAL);
}

/* ---- USER0 ---- */

static void expect_user0(const struct xcap_record *r, const char *head, const char *body, size_t len)
{
	assert_int_equal(form_user0(r, buf, sizeof(buf)), 56 + len);
	assert_memory_equal(buf, head, 56);
	assert_memory_equal(buf + 56, body, len);
}

#define HEAD(type, flags, machine) "\1" type "\x38\0" flags "\0\1\0\x0c\5\0\0\x0d\5\0\0\x21\0\0\0\0\0\0\0" \
	"\x88\x77\x66\x55\x44\x33\x22\x11nginx\0\0\0\0\0\0\0\0\0\0\0\0\0" machine "\0\2\0\0\0"

#define ENTER "\1\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x10\0\xfc\x7f\0\0\0\0\0\x10\0\0\0\0\0\0" \
	"\4\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"

static void user0(void **state)
{
	struct xcap_record r = enter();

	expect_user0(&r, HEAD("\2", "\0", "\x3e"), ENTER, 56);
	r.flags = XCAP_REC_COMPAT | XCAP_REC_LATE;
	expect_user0(&r, HEAD("\2", "\3", "\3"), ENTER, 56);
	r = result(42, -115);
	expect_user0(&r, HEAD("\3", "\0", "\x3e"), "\x2a\0\0\0\0\0\0\0\x8d\xff\xff\xff\xff\xff\xff\xff", 16);
	r = switched();
	expect_user0(&r, HEAD("\4", "\0", "\x3e"), "\x4d\0\0\0\x4e\0\0\0bash\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\1\0\0\0\x78\0\0\0", 32);
	r = loss();
	expect_user0(&r, "\1\5\x38\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\x3e\0\0\0\0\0", "\x2a\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 16);
}

static void user0_packet(void **state)
{
	struct xcap_record r = record(XCAP_PACKET);

	r.direction = XCAP_DIR_OUT;
	r.ifindex = 9;
	r.data = (const __u8 *)"a frame";
	r.caplen = 7;
	r.len = 1500;
	r.packet.linktype = 101;
	r.packet.queue = 3;
	assert_int_equal(form_user0(&r, buf, FORM_USER0_PACKET_HEAD + 6), -ENOSPC);
	assert_int_equal(form_user0(&r, buf, FORM_USER0_PACKET_HEAD + 7), 79);
	assert_memory_equal(buf + 20, "\x09\0\0\0", 4);
	assert_memory_equal(buf + 48, "\2\0\x3e\0", 4);
	assert_memory_equal(buf + 56, "\x65\0\0\0\xdc\5\0\0\3\0\0\0\x10\0\0\0a frame", 23);
	r.caplen = 0;
	r.data = NULL;
	assert_int_equal(form_user0(&r, buf, sizeof(buf)), 72);
}

/* ---- a file of them ---- */

static void put_pcap(FILE *f, uint32_t n, const uint8_t *p, uint32_t len)
{
	uint32_t head[4] = { 1700000000, n, len, len };

	fwrite(head, sizeof(head), 1, f);
	fwrite(p, 1, len, f);
}

/* What the test of the tools looks for, in this order. */
static int make_records(struct xcap_record *r)
{
	static const uint8_t arp[42] = "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x08\6\0\1\x08\0\6\4\0\1"
				       "\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a\0\0\7";
	int n = 0;

	r[n++] = enter();
	r[n++] = result(1, 4096);
	r[n++] = result(42, -115);
	r[n] = enter();
	r[n].enter.nr = 4;
	r[n++].flags = XCAP_REC_COMPAT;
	r[n] = result(4711, -2);
	r[n].pid = r[n].tid = 66000;
	memcpy(r[n].comm, "\033[2J\xff", 6);
	r[n++].cpu = 300;
	r[n++] = switched();
	r[n++] = loss();
	r[n] = record(XCAP_PACKET);
	r[n].data = arp;
	r[n].caplen = r[n].len = sizeof(arp);
	r[n++].packet.linktype = XCAP_LINK_ETHERNET;
	return n;
}

/* Each record cut at each byte, and with each byte set to what it should not be. */
static uint32_t put_garbage(FILE *f, uint32_t n, uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		uint8_t was = p[i];

		put_pcap(f, n++, p, i);
		p[i] = 0xff;
		put_pcap(f, n++, p, len);
		p[i] = was ^ 0x10;
		put_pcap(f, n++, p, len);
		p[i] = was;
	}
	return n;
}

static int write_file(const char *path, const char *kind)
{
	uint32_t head[6] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, FORM_LINK_USER0 };
	int nr, len, garbage = !strcmp(kind, "garbage");
	struct xcap_record all[16];
	FILE *f = fopen(path, "w");
	uint32_t n = 0;

	if (!f)
		return 1;
	if (!strcmp(kind, "ethernet"))
		head[5] = XCAP_LINK_ETHERNET;
	fwrite(head, sizeof(head), 1, f);
	nr = make_records(all);
	for (int i = 0; i < nr; i++) {
		len = (head[5] == XCAP_LINK_ETHERNET ? form_ethernet : form_user0)(&all[i], buf, sizeof(buf));
		if (len > 0 && garbage)
			n = put_garbage(f, n, buf, len);
		else if (len > 0)
			put_pcap(f, n++, buf, len);
	}
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_lines),
		cmocka_unit_test(frames),
		cmocka_unit_test(addresses),
		cmocka_unit_test(ports),
		cmocka_unit_test(all_checksums),
		cmocka_unit_test(too_small),
		cmocka_unit_test(no_records),
		cmocka_unit_test(user0),
		cmocka_unit_test(user0_packet),
	};

	if (argc == 3)
		return write_file(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
