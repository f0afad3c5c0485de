// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   processes made by hand; blocks and comments as Wireshark, ptcpdump and macOS write them.
 * Out:  that a packet finds the process it had, and that hostile blocks do no harm.
 * Owns: nothing.
 * Runs on: no root, no kernel state, no files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "blocks.h"
#include "pcapng_known.h"
#include "records.h"

#define T RECORDS_EPOCH
#define SECOND 1000000000ll
#define ID "4c01db0b339ca9d0d2e3b8f7e2f1a0c1b2a39485766758493a2b1c0d9e8f7061"

static const char args[] = "curl\0http://10.0.0.1/";

static const struct xcap_process curl = {
	.pid = 4321, .ppid = 77, .start_ns = T, .exe = "/usr/bin/curl", .args = args,
	.args_len = sizeof(args),
};

static const struct xcap_cgroup docker = {
	.id = 5555, .path = "/docker/" ID, .runtime = "docker", .container = ID,
	.container_name = "web", .pod = "", .unit = "",
};

static struct xcap_record packet_of(const struct xcap_process *p)
{
	return (struct xcap_record) {
		.type = XCAP_PACKET, .wall_ns = T + SECOND, .data = (const __u8 *)"frame", .caplen = 5,
		.len = 5, .direction = XCAP_DIR_OUT, .pid = 4321, .tid = 4321, .comm = "curl",
		.owner = XCAP_OWNER_SOCKET, .process = p, .packet = { .linktype = 1 },
	};
}

/* ---- what we write ---- */

/* The 12 bytes of the development line's own example. */
static void a_block_without_options(void **state)
{
	static const uint8_t want[] = {
		0xad, 0x0b, 0, 0,  0x1c, 0, 0, 0,  0x6e, 0x7f, 0, 0,
		3, 0, 0, 0,  4, 0, 0, 0,  0xe1, 0x10, 0, 0,  0x1c, 0, 0, 0,
	};
	struct xcap_record r = { .type = XCAP_PACKET, .pid = 4321 };
	uint8_t buf[PCAPNG_PROCESS_ROOM];

	assert_int_equal(pcapng_put_process(buf, &r), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void a_block_with_all_options(void **state)
{
	static const uint8_t want[] = {
		0xad, 0x0b, 0x00, 0x00, 0x7c, 0x00, 0x00, 0x00, 0x6e, 0x7f, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
		0x64, 0x00, 0x00, 0x00, 0xe1, 0x10, 0x00, 0x00, 0x02, 0x00, 0x04, 0x00, 0x63, 0x75, 0x72, 0x6c,
		0x03, 0x00, 0x0d, 0x00, 0x2f, 0x75, 0x73, 0x72, 0x2f, 0x62, 0x69, 0x6e, 0x2f, 0x63, 0x75, 0x72,
		0x6c, 0x00, 0x00, 0x00, 0x04, 0x00, 0x15, 0x00, 0x63, 0x75, 0x72, 0x6c, 0x00, 0x68, 0x74, 0x74,
		0x70, 0x3a, 0x2f, 0x2f, 0x31, 0x30, 0x2e, 0x30, 0x2e, 0x30, 0x2e, 0x31, 0x2f, 0x00, 0x00, 0x00,
		0x05, 0x00, 0x04, 0x00, 0x4d, 0x00, 0x00, 0x00, 0x06, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x07, 0x00, 0x04, 0x00, 0x72, 0x6f, 0x6f, 0x74, 0x09, 0x00, 0x08, 0x00, 0x00, 0x00, 0x2a, 0x36,
		0xfe, 0x9c, 0x97, 0x17, 0x00, 0x00, 0x00, 0x00, 0x7c, 0x00, 0x00, 0x00,
	};
	struct xcap_record r = packet_of(&curl);
	uint8_t buf[PCAPNG_PROCESS_ROOM];
	size_t len;

	assert_int_equal(pcapng_put_process(buf, &r), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	r.cgroup = &docker;	/* in an option of our own, behind those */
	len = pcapng_put_process(buf, &r);
	assert_memory_equal(buf + 20, want + 20, sizeof(want) - 28);
	assert_memory_equal(buf + sizeof(want) - 8, "\xa9\x8c", 2);
	assert_non_null(memmem(buf, len, docker.path, strlen(docker.path)));
}

static void who_has_been_told_is_not_told_again(void **state)
{
	struct pcapng_told *t = pcapng_told_new();
	struct xcap_process other = curl;
	struct xcap_record r = packet_of(&curl), call = { .type = XCAP_SYS_EXIT, .pid = 1 };

	assert_false(pcapng_told(t, &r));
	assert_true(pcapng_told(t, &r));
	r.process = &other;
	assert_true(pcapng_told(t, &r));
	other.exe = "/usr/bin/wget";		/* it runs another program */
	assert_false(pcapng_told(t, &r));
	r.process = &curl;			/* and the first one again */
	assert_false(pcapng_told(t, &r));
	other = curl;
	other.start_ns++;			/* another process */
	r.process = &other;
	assert_false(pcapng_told(t, &r));
	r.cgroup = &docker;			/* a cgroup that is new */
	assert_false(pcapng_told(t, &r));
	assert_true(pcapng_told(t, &r));
	r.cgroup = NULL;
	assert_true(pcapng_told(t, &r));
	call.pid = r.pid;			/* what was told does not hold for it */
	assert_false(pcapng_told(t, &call));
	assert_true(pcapng_told(t, &call));
	call.pid = 1;				/* nothing to say, and nobody to correct */
	assert_true(pcapng_told(t, &call));
	call.cgroup = &docker;
	assert_true(pcapng_told(t, &call));
	for (r.pid = 5000; r.pid < 105000; r.pid++)
		assert_false(pcapng_told(t, &r));
	r.pid = 5000;
	assert_false(pcapng_told(t, &r));	/* forgotten, so told again */
	r.pid = 0;
	assert_true(pcapng_told(t, &r));
	pcapng_told_free(t);
}

static size_t comments(const struct xcap_record *r, char *text, size_t size)
{
	uint8_t buf[PCAPNG_SLACK] = { 0 }, *w = buf;
	size_t at = 0, n = 0;

	pcapng_put_comments(&w, buf, r);
	while (at < (size_t)(w - buf)) {
		uint16_t code, len;

		memcpy(&code, buf + at, 2);
		memcpy(&len, buf + at + 2, 2);
		assert_int_equal(code, 1);
		n += snprintf(text + n, size - n, "%.*s|", len, buf + at + 4);
		at += 4 + ((len + 3) & ~3);
	}
	return w - buf;
}

static void comments_in_the_words_of_ptcpdump(void **state)
{
	struct xcap_record r = packet_of(&curl);
	char text[PCAPNG_SLACK];

	comments(&r, text, sizeof(text));
	assert_string_equal(text, "PID: 4321\nCmd: /usr/bin/curl\nArgs: curl http://10.0.0.1/|"
			    "UserId: 0|");
	r.tid = 4322;
	r.uid = 1000;
	r.cgroup = &docker;
	comments(&r, text, sizeof(text));
	assert_string_equal(text, "PID: 4321\nCmd: /usr/bin/curl\nArgs: curl http://10.0.0.1/|"
			    "ThreadId: 4322\nThreadName: curl|UserId: 1000|"
			    "ContainerName: web\nContainerId: " ID "|");
	r = packet_of(NULL);
	r.uid = XCAP_UID_UNKNOWN;
	comments(&r, text, sizeof(text));
	assert_string_equal(text, "PID: 4321\nCmd: curl\nArgs: |");
	r.pid = 0;
	assert_int_equal(comments(&r, text, sizeof(text)), 0);
}

/* No line of a comment is what an argument makes it. */
static void hostile_names_stay_in_their_line(void **state)
{
	static const char hostile[] = "a\nPID: 1\033[2J\xff\xc3\xa9\xc2\x9b\x7f";
	struct xcap_process p = curl;
	struct xcap_record r = packet_of(&p);
	char text[PCAPNG_SLACK];

	p.args = hostile;
	p.args_len = sizeof(hostile);
	r.uid = XCAP_UID_UNKNOWN;
	comments(&r, text, sizeof(text));
	assert_string_equal(text, "PID: 4321\nCmd: /usr/bin/curl\n"
			    "Args: a?PID: 1?[2J?\xc3\xa9??|");
}

static char *repeat(const char *what, size_t size)
{
	char *s = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		s[i] = what[i % strlen(what)];
	s[size] = '\0';
	return s;
}

/* The longest of everything has room, and no character is cut in two. */
static void long_names_are_cut(void **state)
{
	char *s = repeat("\xe2\x82\xac", 3 * 40000), text[PCAPNG_SLACK], *cut;
	uint8_t *buf = malloc(PCAPNG_PROCESS_ROOM);
	struct xcap_process p = { .pid = 1, .ppid = 2, .start_ns = T, .exe = s, .args = s,
				  .args_len = 3 * 40000 + 1 };
	struct xcap_cgroup g = { .id = 1, .path = s, .runtime = s, .container = s,
				 .container_name = s, .pod = s, .unit = s };
	struct xcap_record r = packet_of(&p);

	r.cgroup = &g;
	r.tid = 4444;
	assert_true(pcapng_put_process(buf, &r) <= PCAPNG_PROCESS_ROOM);
	assert_true(comments(&r, text, sizeof(text)) <= 3072);
	cut = strstr(text, "...\nArgs: ");
	assert_non_null(cut);
	assert_memory_equal(cut - 3, "\xe2\x82\xac", 3);
	r.caplen = 0;
	assert_true(pcapng_put_packet(buf, &r, &(struct pcapng_frame) { .comments = true, .id = 1,
				      .dropped = 1, .queue_known = true }) <= PCAPNG_SLACK);
	free(buf);
	free(s);
}

/* Which options a packet has, in their order. */
static void options_of_a_packet(void **state)
{
	static const uint16_t want[] = { 1, 1, 2, 4, 5, 6, 8, PCAPNG_OPT_XCAP };
	struct pcapng_frame f = { .id = 9, .dropped = 3, .queue_known = true, .comments = true };
	struct xcap_record r = packet_of(&curl);
	uint8_t buf[PCAPNG_SLACK];
	uint16_t code, len;
	size_t at = 36;
	uint64_t id;

	pcapng_put_packet(buf, &r, &f);
	for (size_t i = 0; i < sizeof(want) / 2; i++) {
		memcpy(&code, buf + at, 2);
		memcpy(&len, buf + at + 2, 2);
		assert_int_equal(code, want[i]);
		if (code == 5) {
			assert_int_equal(len, 8);
			memcpy(&id, buf + at + 4, 8);
			assert_int_equal(id, 9);
		}
		at += 4 + ((len + 3) & ~3);
	}
}

/* ---- what we read ---- */

/* Whole numbers in it are little-endian in any section. */
static void little(struct file *f, uint64_t v, int size)
{
	for (int i = 0; i < size; i++)
		f->bytes[f->len++] = v >> 8 * i;
}

static void little_option(struct file *f, uint16_t code, const void *p, uint16_t len)
{
	little(f, code, 2);
	little(f, len, 2);
	wbytes(f, p, len);
}

/* start_ns 0, exe NULL: without. */
static void process(struct file *f, uint32_t pid, int64_t start_ns, const char *exe)
{
	size_t body, end_of_body;

	begin(f, 0xbad);
	w32(f, 32622);
	little(f, 3, 4);
	little(f, 0, 4);
	body = f->len;
	little(f, pid, 4);
	if (exe)
		little_option(f, 3, exe, strlen(exe));
	if (start_ns) {
		little(f, 9, 2);
		little(f, 8, 2);
		little(f, start_ns, 8);
	}
	if (exe || start_ns)
		little(f, 0, 4);
	end_of_body = f->len;
	f->len = body - 4;
	little(f, end_of_body - body, 4);
	f->len = end_of_body;
	end(f);
}

/* A packet of one byte; what: options, without their end. */
static void packet_with(struct file *f, int64_t t, const void *options, size_t len)
{
	begin(f, PCAPNG_EPB);
	w32(f, 0);
	w32(f, t >> 32);
	w32(f, t);
	w32(f, 1);
	w32(f, 1);
	wbytes(f, "x", 1);
	wbytes(f, options, len);
	w32(f, 0);
	end(f);
}

static void packet_of_pid(struct file *f, int64_t t, uint32_t pid)
{
	struct file o = { .swapped = f->swapped };

	w16(&o, 8);
	w16(&o, 8);
	w32(&o, pid);
	w32(&o, pid + 1);
	packet_with(f, t, o.bytes, o.len);
}

static void start(struct file *f, bool swapped)
{
	memset(f, 0, sizeof(*f));
	f->swapped = swapped;
	section(f);
	interface(f, 1, 0, 9);
}

/* exe NULL: the process is not known. */
static void expect_exe(struct pcapng_reader *d, struct file *f, size_t *at, const char *exe)
{
	struct xcap_record r;

	assert_int_equal(next(d, f->bytes, f->len, at, &r), 1);
	if (!exe) {
		assert_null(r.process);
		return;
	}
	assert_non_null(r.process);
	assert_string_equal(r.process->exe, exe);
	assert_int_equal(r.process->pid, r.pid);
	assert_int_equal(r.tid, r.pid + 1);
}

static void blocks_of_both_byte_orders(void **state)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		struct pcapng_reader d = { 0 };
		struct xcap_record r;
		struct file f;
		size_t at = 0;

		start(&f, swapped);
		process(&f, 4321, 0, NULL);
		packet_of_pid(&f, T, 4321);
		process(&f, 4321, T, "/usr/bin/curl");
		packet_of_pid(&f, T, 4321);
		packet_of_pid(&f, T, 4322);
		expect_exe(&d, &f, &at, NULL);
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
		assert_int_equal(r.pid, 4321);
		assert_string_equal(r.process->exe, "/usr/bin/curl");
		assert_int_equal(r.process->start_ns, T);
		assert_string_equal(r.comm, "curl");
		assert_int_equal(r.uid, XCAP_UID_UNKNOWN);
		assert_int_equal(r.owner, XCAP_OWNER_NONE);
		expect_exe(&d, &f, &at, NULL);
		pcapng_reader_free(&d);
	}
}

/* Both processes are told before the first packet: the time of the packet decides. */
static void a_pid_used_twice(void **state)
{
	for (int order = 0; order < 2; order++) {
		struct pcapng_reader d = { 0 };
		struct file f;
		size_t at = 0;

		start(&f, false);
		process(&f, 7, T + (order ? 10 : 0) * SECOND, order ? "/second" : "/first");
		process(&f, 7, T + (order ? 0 : 10) * SECOND, order ? "/first" : "/second");
		packet_of_pid(&f, T + 20 * SECOND, 7);
		packet_of_pid(&f, T + 5 * SECOND, 7);
		packet_of_pid(&f, T + 10 * SECOND, 7);
		packet_of_pid(&f, T, 7);
		packet_of_pid(&f, T - SECOND / 2, 7);	/* its clock was read a little later */
		packet_of_pid(&f, T - 5 * SECOND, 7);	/* of who had the pid before */
		expect_exe(&d, &f, &at, "/second");
		expect_exe(&d, &f, &at, "/first");
		expect_exe(&d, &f, &at, "/second");
		expect_exe(&d, &f, &at, "/first");
		expect_exe(&d, &f, &at, "/first");
		expect_exe(&d, &f, &at, NULL);
		pcapng_reader_free(&d);
	}
}

static void without_start_times_the_last_one(void **state)
{
	struct pcapng_reader d = { 0 };
	struct file f;
	size_t at = 0;

	start(&f, false);
	process(&f, 7, 0, "/first");
	packet_of_pid(&f, T, 7);
	process(&f, 7, 0, "/second");
	packet_of_pid(&f, T, 7);
	process(&f, 7, T, "/dated");
	packet_of_pid(&f, T, 7);
	process(&f, 7, T, "/executed");
	packet_of_pid(&f, T + 1, 7);
	process(&f, 7, 0, "/undated");
	packet_of_pid(&f, T + 2, 7);
	expect_exe(&d, &f, &at, "/first");
	expect_exe(&d, &f, &at, "/second");
	expect_exe(&d, &f, &at, "/dated");
	expect_exe(&d, &f, &at, "/executed");
	expect_exe(&d, &f, &at, "/undated");
	pcapng_reader_free(&d);
}

static void a_section_has_pids_of_its_own(void **state)
{
	struct pcapng_reader d = { 0 };
	struct file f;
	size_t at = 0;

	start(&f, false);
	process(&f, 7, T, "/here");
	packet_of_pid(&f, T, 7);
	section(&f);
	interface(&f, 1, 0, 9);
	packet_of_pid(&f, T, 7);
	process(&f, 7, T, "/there");
	packet_of_pid(&f, T, 7);
	expect_exe(&d, &f, &at, "/here");
	expect_exe(&d, &f, &at, NULL);
	expect_exe(&d, &f, &at, "/there");
	pcapng_reader_free(&d);
}

static void files_of_macos(void **state)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		struct pcapng_reader d = { 0 };
		struct xcap_record r;
		struct file f, o = { .swapped = swapped };
		size_t at = 0;

		start(&f, swapped);
		for (int i = 0; i < 3; i++) {
			begin(&f, PCAPNG_DARWIN);
			w32(&f, 500 + i);
			option(&f, 2, i == 1 ? "Safari" : "mDNSResponder with a long name",
			       i == 1 ? 6 : 30);
			option(&f, 4, "0123456789abcdef", 16);
			w32(&f, 0);
			end(&f);
		}
		for (int i = 0; i < 3; i++) {
			o.len = 0;
			w16(&o, 0x8001);
			w16(&o, 4);
			w32(&o, i + 1);
			packet_with(&f, T, o.bytes, o.len);
		}
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
		assert_int_equal(r.pid, 501);
		assert_string_equal(r.comm, "Safari");
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
		assert_int_equal(r.pid, 502);
		assert_string_equal(r.comm, "mDNSResponder w");
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
		assert_int_equal(r.pid, 0);		/* there is no such block */
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), -EAGAIN);
		pcapng_reader_free(&d);
	}
}

/* ---- ptcpdump's ---- */

static void comment(struct file *o, const char *text)
{
	option(o, 1, text, strlen(text));
}

static void files_of_ptcpdump(void **state)
{
	struct pcapng_reader d = { 0 };
	struct file f, o = { 0 };
	const void *first;
	struct xcap_record r;
	uint32_t flags = 2;
	size_t at = 0;

	start(&f, false);
	comment(&o, "PID: 1292\nCmd: /usr/bin/curl\nArgs: curl http://10.0.0.1/ -o x...");
	comment(&o, "ThreadId: 1293\nThreadName: resolver");
	comment(&o, "UserId: 1000\nGroupId: 1000");
	comment(&o, "ParentPID: 77\nParentCmd: /usr/bin/bash\nParentArgs: bash");
	comment(&o, "ContainerName: web\nContainerId: " ID "\nContainerImage: debian:12\n"
		"ContainerLabels: {}");
	comment(&o, "PodName: shop\nPodNamespace: default\nPodUID: 8dbc5577\nPodLabels: {}\n"
		"PodAnnotations: {}");
	option(&o, 2, &flags, 4);
	packet_with(&f, T, o.bytes, o.len);
	packet_with(&f, T + 1, o.bytes, o.len);
	o.len = 0;
	comment(&o, " Command:  /bin/sleep \r\n PID: 12\n");	/* an older one */
	packet_with(&f, T + 2, o.bytes, o.len);
	o.len = 0;
	comment(&o, "a note of somebody's: PID: 99\nsee also http://x\nArgs:");
	packet_with(&f, T + 3, o.bytes, o.len);

	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.pid, 1292);
	assert_int_equal(r.tid, 1293);
	assert_int_equal(r.uid, 1000);
	assert_string_equal(r.comm, "resolver");
	assert_int_equal(r.direction, XCAP_DIR_OUT);
	assert_int_equal(r.process->pid, 1292);
	assert_int_equal(r.process->ppid, 77);
	assert_string_equal(r.process->exe, "/usr/bin/curl");
	assert_int_equal(r.process->args_len, 27);
	assert_memory_equal(r.process->args, "curl\0http://10.0.0.1/\0-o\0x", 27);
	assert_string_equal(r.cgroup->container, ID);
	assert_string_equal(r.cgroup->container_name, "web");
	assert_string_equal(r.cgroup->pod, "8dbc5577");
	assert_string_equal(r.cgroup->path, "");
	assert_int_equal(r.owner, XCAP_OWNER_NONE);
	first = r.process;
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_ptr_equal(r.process, first);	/* said once more, kept once */

	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.pid, 12);
	assert_string_equal(r.process->exe, "/bin/sleep");
	assert_string_equal(r.comm, "sleep");
	assert_int_equal(r.uid, XCAP_UID_UNKNOWN);
	assert_null(r.cgroup);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.pid, 0);
	assert_null(r.process);
	pcapng_reader_free(&d);
}

/* Without blocks our own files say in comments what they can. */
static void our_comments_come_back(void **state)
{
	struct pcapng_frame frame = { .comments = true };
	struct pcapng_reader d = { 0 };
	struct xcap_record a = packet_of(&curl), b;
	struct file f;
	size_t at = 0;

	a.cgroup = &docker;
	a.cgroup_id = docker.id;
	a.owner = XCAP_OWNER_LISTENER;
	a.packet.cookie = 99;
	start(&f, false);
	f.len += pcapng_put_packet(f.bytes + f.len, &a, &frame);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &b), 1);
	assert_null(records_differ(&a, &b));
	assert_string_equal(b.process->exe, curl.exe);
	assert_int_equal(b.process->args_len, curl.args_len);
	assert_memory_equal(b.process->args, curl.args, curl.args_len);
	assert_string_equal(b.cgroup->container, docker.container);
	assert_int_equal(b.cgroup->id, docker.id);
	pcapng_reader_free(&d);
}

/* Our option as it was before it told how the owner is known. */
static void older_files_of_ours(void **state)
{
	struct pcapng_reader d = { 0 };
	struct xcap_record r;
	struct file f, o = { 0 };
	size_t at = 0;

	w16(&o, PCAPNG_OPT_XCAP);
	w16(&o, PCAPNG_XCAP_TASK);
	w32(&o, PCAPNG_MAGIC);
	w16(&o, XCAP_PACKET);
	w16(&o, 0);
	w32(&o, 1);
	w32(&o, 10);
	w32(&o, 11);
	w32(&o, 1000);
	w32(&o, 0);
	w64(&o, 77);
	wbytes(&o, "nginx\0\0\0\0\0\0\0\0\0\0\0", 16);
	start(&f, false);
	packet_with(&f, T, o.bytes, o.len);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.pid, 10);
	assert_int_equal(r.cgroup_id, 77);
	assert_string_equal(r.comm, "nginx");
	assert_int_equal(r.owner, XCAP_OWNER_NONE);
	pcapng_reader_free(&d);
}

/* ---- damage ---- */

/* Whatever a block claims, the packet behind it is read. */
static void hostile_blocks_are_passed_over(void **state)
{
	struct pcapng_reader d = { 0 };
	struct file f, o = { 0 };
	struct xcap_record r;
	size_t at = 0;

	start(&f, false);
	for (uint32_t size = 0; size < 40; size++)
		for (int kind = 0; kind < 4; kind++) {
			static const uint32_t claims[] = { 0, 3, 0xfffffffc, 0x7fffffff };

			f.block = f.len;
			begin(&f, 0xbad);
			w32(&f, 32622);
			for (uint32_t i = 0; i < size; i++)
				f.bytes[f.len++] = i == 0 ? 3 : i < 4 ? 0 : 0x11;
			if (size >= 8)
				memcpy(f.bytes + f.len - size + 4, &claims[kind], 4);
			wbytes(&f, "", 0);
			end(&f);
		}
	begin(&f, PCAPNG_DARWIN);
	end(&f);
	begin(&f, PCAPNG_CUSTOM);
	end(&f);
	/* options that are longer than their block, numbers of other lengths, no end */
	begin(&f, 0xbad);
	w32(&f, 32622);
	w32(&f, 3);
	w32(&f, 4 + 8 + 8 + 4);
	w32(&f, 55);
	option(&f, 5, "abc", 3);
	option(&f, 9, "abc", 3);
	w16(&f, 3);
	w16(&f, 0xffff);
	end(&f);
	w16(&o, PCAPNG_OPT_XCAP);
	w16(&o, 5);
	wbytes(&o, "short", 5);
	for (int i = 0; i < 40; i++)
		comment(&o, "PID: 4294967296\nUserId: -1\nThreadId: 1x\nPID:\n:\nCmd");
	packet_with(&f, T, o.bytes, o.len);
	packet_of_pid(&f, T, 55);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	assert_int_equal(r.pid, 0);
	assert_int_equal(r.tid, 0);
	expect_exe(&d, &f, &at, NULL);
	pcapng_reader_free(&d);
}

/* More processes than anybody has: memory and time are bounded, and packets go on. */
static void a_flood_of_processes(void **state)
{
	char *s = repeat("x", 60000);
	struct pcapng_reader d = { 0 };
	struct xcap_record r;
	struct file f;
	size_t at = 0;

	start(&f, false);
	assert_int_equal(next(&d, f.bytes, f.len, &at, &r), -EAGAIN);
	for (uint32_t i = 0; i < 100000; i++) {
		f.len = at = 0;
		s[snprintf(s, 60000, "/%u", i)] = 'x';
		s[i < 2000 ? 60000 : 9] = '\0';
		process(&f, i % 3 ? 7 : i, T + i, s);
		packet_of_pid(&f, T + i, i % 3 ? 7 : i);
		assert_int_equal(next(&d, f.bytes, f.len, &at, &r), 1);
	}
	assert_in_range(d.known->bytes, 48 << 20, 64 << 20);
	pcapng_reader_free(&d);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_without_options),
		cmocka_unit_test(a_block_with_all_options),
		cmocka_unit_test(who_has_been_told_is_not_told_again),
		cmocka_unit_test(comments_in_the_words_of_ptcpdump),
		cmocka_unit_test(hostile_names_stay_in_their_line),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(options_of_a_packet),
		cmocka_unit_test(blocks_of_both_byte_orders),
		cmocka_unit_test(a_pid_used_twice),
		cmocka_unit_test(without_start_times_the_last_one),
		cmocka_unit_test(a_section_has_pids_of_its_own),
		cmocka_unit_test(files_of_macos),
		cmocka_unit_test(files_of_ptcpdump),
		cmocka_unit_test(our_comments_come_back),
		cmocka_unit_test(older_files_of_ours),
		cmocka_unit_test(hostile_blocks_are_passed_over),
		cmocka_unit_test(a_flood_of_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
