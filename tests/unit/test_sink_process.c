// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of a process, and what their file shall say of it.
 * Out:  that blocks and comments stand there as asked, and come back as one process.
 * Owns: files in the directory it runs in.
 * Runs on: no root, no kernel state.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "pcapng.h"
#include "records.h"
#include "stream.h"

static const char seed_pcap[] =
	"\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";

static const struct xcap_process curl = {
	.pid = 4321, .ppid = 77, .start_ns = RECORDS_EPOCH, .exe = "/usr/bin/curl",
	.args = "curl\0-s", .args_len = 8,
};

static const struct xcap_cgroup service = {
	.id = 9, .path = "/system.slice/curl.service", .runtime = "systemd", .container = "",
	.container_name = "", .pod = "", .unit = "curl.service",
};

static struct xcap *stream(const char *mode)
{
	int fd = open("seed.pcap", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	struct xcap *x;

	assert_int_equal(write(fd, seed_pcap, sizeof(seed_pcap)), sizeof(seed_pcap));
	close(fd);
	assert_int_equal(xcap_open(&x, "file:seed.pcap", NULL), 0);
	snprintf(x->sources[0]->mode, sizeof(x->sources[0]->mode), "%s", mode);
	return x;
}

static struct xcap_record packet(int64_t after_ns)
{
	return (struct xcap_record) {
		.type = XCAP_PACKET, .wall_ns = RECORDS_EPOCH + after_ns, .direction = XCAP_DIR_IN,
		.data = (const __u8 *)"frame", .caplen = 5, .len = 5, .pid = 4321, .tid = 4321,
		.comm = "curl", .owner = XCAP_OWNER_SEEDED, .cgroup_id = 9, .cgroup = &service,
		.process = &curl, .packet = { .linktype = 1, .cookie = 5 },
	};
}

static void write_file(const char *mode, uint32_t as, const struct xcap_record *recs, int nr)
{
	struct xcap_sink_opts opts = { .sz = sizeof(opts), .process = as };
	struct xcap *x = stream(mode);
	struct xcap_sink *s;

	assert_int_equal(xcap_sink_open_opts(&s, "out.pcapng", x, &opts), 0);
	assert_int_equal(xcap_sink_put(s, recs, nr), 0);
	assert_int_equal(xcap_sink_close(s), 0);
	xcap_close(x);
}

/* What is in the file: types of blocks, a letter each; C with comments, c: without. */
static const char *shape(void)
{
	static char text[64];
	static uint8_t p[1 << 16];
	int fd = open("out.pcapng", O_RDONLY), n = 0;
	ssize_t len = read(fd, p, sizeof(p));
	uint32_t type, size;

	close(fd);
	for (ssize_t at = 0; at < len; at += size) {
		memcpy(&type, p + at, 4);
		memcpy(&size, p + at + 4, 4);
		if (type == PCAPNG_EPB)
			text[n++] = memmem(p + at, size, "PID: 4321\n", 10) ? 'C' : 'c';
		else if (type == PCAPNG_CUSTOM)
			text[n++] = 'B';
		else if (type == PCAPNG_JOURNAL)
			text[n++] = 'J';
		else if (type == PCAPNG_EVENT_V2)
			text[n++] = 'E';
	}
	text[n] = '\0';
	return text;
}

static void expect_back(const struct xcap_record *want, int nr, bool whole)
{
	struct xcap_record r;
	struct xcap *x;

	assert_int_equal(xcap_open(&x, "file:out.pcapng", NULL), 0);
	for (int i = 0; i < nr; i++) {
		const char *what;

		assert_int_equal(xcap_next(x, &r, -1), 1);
		what = records_differ(&want[i], &r);
		if (!what && whole)
			what = records_differ_by_process(&want[i], &r);
		if (what)
			fail_msg("record %d: %s differs", i, what);
		xcap_release(x, &r, 1);
	}
	assert_int_equal(xcap_next(x, &r, -1), -ENODATA);
	xcap_close(x);
}

static void blocks_and_comments_as_asked(void **state)
{
	static const struct { uint32_t as; const char *shape; bool whole; } rows[] = {
		{ 0, "JBCC", true },
		{ XCAP_PROCESS_BLOCKS | XCAP_PROCESS_COMMENTS, "JBCC", true },
		{ XCAP_PROCESS_BLOCKS, "JBcc", true },
		{ XCAP_PROCESS_COMMENTS, "CC", false },
		{ XCAP_PROCESS_NOWHERE, "cc", false },
	};
	struct xcap_record r[2] = { packet(0), packet(5) };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file("tap tcx", rows[i].as, r, 2);
		assert_string_equal(shape(), rows[i].shape);
		expect_back(r, 2, rows[i].whole);
	}
}

/* A block has no time to Wireshark 4: it never comes first. */
static void something_with_a_time_comes_first(void **state)
{
	struct xcap_record r[3] = { packet(0), packet(1), packet(2) };

	r[0].pid = r[0].tid = 0;
	memset(r[0].comm, 0, sizeof(r[0].comm));
	r[0].process = NULL;
	r[0].cgroup = NULL;
	r[0].cgroup_id = r[0].owner = r[0].packet.cookie = 0;
	write_file("tap tcx", 0, r, 3);
	assert_string_equal(shape(), "cBCC");
	expect_back(r, 3, true);
}

/* Execs, and a pid that is used again: each time a block, and each packet its own. */
static void a_process_that_changes(void **state)
{
	struct xcap_process wget = curl, second = curl;
	struct xcap_record r[6];

	for (int i = 0; i < 6; i++)
		r[i] = packet(i);
	wget.exe = "/usr/bin/wget";
	second.start_ns = RECORDS_EPOCH + 4;
	second.exe = "/usr/bin/second";
	r[2].process = r[3].process = &wget;
	r[4].process = &second;
	r[5].process = &curl;			/* came late */
	r[5].wall_ns = RECORDS_EPOCH + 3;
	r[5].flags = XCAP_REC_LATE;
	write_file("tap tcx", XCAP_PROCESS_BLOCKS, r, 6);
	assert_string_equal(shape(), "JBccBccBcBc");
	expect_back(r, 6, true);
}

/* System calls say who calls: a block only where there is more to say, or what was said is wrong. */
static void system_calls(void **state)
{
	static const __u64 args[6];
	struct xcap_record call = packet(0), r[5];

	call.type = XCAP_SYS_ENTER;
	call.direction = call.owner = 0;
	call.data = NULL;
	call.caplen = call.len = 0;
	memset(&call.enter, 0, sizeof(call.packet));
	call.enter.args = args;
	call.process = NULL;
	call.cgroup = NULL;
	for (int i = 0; i < 5; i++)
		r[i] = call;
	r[1].process = r[2].process = &curl;
	r[1].cgroup = r[2].cgroup = &service;
	r[4].process = &curl;
	write_file("syscalls", 0, r, 5);
	assert_string_equal(shape(), "EBEEBEBE");
	expect_back(r, 5, true);
}

/* Queue 0 is said where the source knows it: behind AF_XDP. */
static void queue_of_a_packet(void **state)
{
	struct xcap_record r[2] = { packet(0), packet(1) };
	static uint8_t p[1 << 16];
	ssize_t len;
	int fd;

	r[1].direction = XCAP_DIR_OUT;
	for (int xsk = 0; xsk < 2; xsk++) {
		write_file(xsk ? "xsk copy" : "tap tcx", XCAP_PROCESS_NOWHERE, r, 2);
		fd = open("out.pcapng", O_RDONLY);
		len = read(fd, p, sizeof(p));
		close(fd);
		assert_int_equal(memmem(p, len, "\6\0\4\0\0\0\0\0", 8) != NULL, xsk);
	}
}

static void options_that_are_not_known(void **state)
{
	struct {
		struct xcap_sink_opts opts;
		uint64_t later;
	} wrong = { .opts = { .sz = sizeof(wrong) } };
	struct xcap *x = stream("file");
	struct xcap_sink *s = NULL;

	wrong.opts.process = 8;
	assert_int_equal(xcap_sink_open_opts(&s, "out.pcapng", x, &wrong.opts), -EINVAL);
	assert_non_null(strstr(xcap_errmsg(x), "0x8"));
	wrong.opts.process = 0;
	wrong.later = 1;
	assert_int_equal(xcap_sink_open_opts(&s, "out.pcapng", x, &wrong.opts), -E2BIG);
	wrong.later = 0;
	assert_int_equal(xcap_sink_open_opts(&s, "out.pcapng", x, &wrong.opts), 0);
	assert_int_equal(xcap_sink_close(s), 0);
	xcap_close(x);
}

static int remove_files(void **state)
{
	unlink("seed.pcap");
	unlink("out.pcapng");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_and_comments_as_asked),
		cmocka_unit_test(something_with_a_time_comes_first),
		cmocka_unit_test(a_process_that_changes),
		cmocka_unit_test(system_calls),
		cmocka_unit_test(queue_of_a_packet),
		cmocka_unit_test(options_that_are_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, remove_files);
}
