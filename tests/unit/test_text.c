// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records made by hand, honest and hostile.
 * Out:  their lines as text and as JSON.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "json.h"
#include "text.h"
#include "xcap_event.h"

static const char *source(void *user, int i)
{
	return i ? "tap:eth0" : "syscalls";
}

static char line[1 << 17];

static const char *print(const struct xcap_record *r, struct text t, bool json)
{
	FILE *f = tmpfile();
	size_t n;

	t.out = f;
	t.source = source;
	if (json)
		json_record(&t, r);
	else
		text_record(&t, r);
	rewind(f);
	n = fread(line, 1, sizeof(line) - 1, f);
	line[n] = '\0';
	fclose(f);
	return line;
}

static const char *text(const struct xcap_record *r)
{
	return print(r, (struct text){ 0 }, false);
}

static const char *json(const struct xcap_record *r)
{
	return print(r, (struct text){ 0 }, true);
}

static struct xcap_record record(int type)
{
	return (struct xcap_record){
		.wall_ns = 1732345678123456789, .type = type, .cpu = 1,
		.pid = 1292, .tid = 1292, .comm = "curl",
	};
}

#define HEAD "07:07:58.123456789 cpu1 curl[1292]"
#define JSON_HEAD(type) "{\"time\":\"1732345678.123456789\",\"type\":\"" type "\"," \
	"\"source\":\"syscalls\",\"cpu\":1,\"pid\":1292,\"tid\":1292,\"comm\":\"curl\"," \
	"\"uid\":0,\"user\":\"root\""

static struct xcap_record enter(const char *call, int compat, const __u64 *args)
{
	struct xcap_record r = record(XCAP_SYS_ENTER);

	r.enter.nr = xcap_syscall_nr(call, compat);
	r.enter.args = args;
	r.flags = compat ? XCAP_REC_COMPAT : 0;
	return r;
}

static void entries(void **state)
{
	static const __u64 write_args[6] = { 8, 0x7ffc0010, 4096 };
	static const __u64 openat_args[6] = { 0xffffff9c, 0x5560, 0x80241, 0644 };
	static const __u64 lseek_args[6] = { 3, -5ull, 1 };
	static const __u64 lseek32_args[6] = { 3, 0xfffffffb, 1 };
	struct xcap_record r = enter("write", 0, write_args);

	assert_string_equal(text(&r), HEAD " > write(fd=8, buf=0x7ffc0010, count=4096)\n");
	assert_string_equal(json(&r), JSON_HEAD("sys_enter") ",\"name\":\"write\","
			    "\"args\":{\"fd\":8,\"buf\":\"0x7ffc0010\",\"count\":4096}}\n");
	r = enter("openat", 0, openat_args);
	assert_string_equal(text(&r), HEAD " > openat(dirfd=AT_FDCWD, pathname=0x5560, "
			    "flags=O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, mode=0644)\n");
	assert_string_equal(json(&r), JSON_HEAD("sys_enter") ",\"name\":\"openat\",\"args\":{"
			    "\"dirfd\":-100,\"pathname\":\"0x5560\","
			    "\"flags\":\"O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC\",\"mode\":420}}\n");
	r = enter("lseek", 0, lseek_args);
	assert_string_equal(text(&r), HEAD " > lseek(fd=3, offset=-5, whence=SEEK_CUR)\n");
	r = enter("lseek", 1, lseek32_args);
	assert_string_equal(text(&r), HEAD " > lseek/32(fd=3, offset=-5, whence=SEEK_CUR)\n");
	assert_non_null(strstr(json(&r), "\"name\":\"lseek\",\"compat\":true,"));
	r = enter("getppid", 0, write_args);
	assert_string_equal(text(&r), HEAD " > getppid()\n");
	assert_non_null(strstr(json(&r), "\"name\":\"getppid\",\"args\":{}}"));
}

/* What arguments refer to stands behind a call. */
static __u8 items[65536 + 4096];
static __u32 items_len;

static void item(int arg, int kind, int flags, const void *bytes, __u32 len, __u64 whole)
{
	struct xcap_ev_item head = { .arg = arg, .kind = kind, .flags = flags, .len = len,
				     .whole = whole };

	memcpy(items + items_len, &head, sizeof(head));
	items_len += sizeof(head);
	memcpy(items + items_len, bytes, len);
	items_len += (len + 7) & ~7u;
}

static void file(int arg, struct xcap_ev_file f, const char *path)
{
	__u8 bytes[256];

	memcpy(bytes, &f, sizeof(f));
	memcpy(bytes + sizeof(f), path, strlen(path));
	item(arg, XITEM_FILE, 0, bytes, sizeof(f) + strlen(path), 0);
}

static struct xcap_record with_items(struct xcap_record r)
{
	r.data = items;
	r.caplen = items_len;
	items_len = 0;
	return r;
}

static struct xcap_record ended(const char *call, __s64 ret)
{
	struct xcap_record r = record(XCAP_SYS_EXIT);

	r.exit.nr = xcap_syscall_nr(call, 0);
	r.exit.ret = ret;
	return r;
}

#define SOCKET { .kind = XFILE_SOCKET, .family = 2, .type = 1, .protocol = 6, \
		 .local = { 10, 0, 0, 1 }, .local_port = 443, \
		 .remote = { 10, 0, 0, 7 }, .remote_port = 51122 }
#define SOCKET_JSON "{\"kind\":\"socket\",\"family\":\"inet\",\"type\":\"stream\"," \
	"\"protocol\":\"tcp\",\"local\":\"10.0.0.1:443\",\"remote\":\"10.0.0.7:51122\"}"

static void what_arguments_refer_to(void **state)
{
	static const __u64 args[6] = { 5, 0x7000, 9 };
	struct xcap_record r;

	file(0, (struct xcap_ev_file) SOCKET, "");
	item(1, XITEM_BYTES, XITEM_CUT, "a\0\xff(\"", 5, 9);
	r = with_items(enter("write", 0, args));
	assert_string_equal(text(&r), HEAD " > write(fd=5(10.0.0.1:443\xe2\x86\x92""10.0.0.7:51122), "
			    "buf=\"a\\x00\\xff(\\\"\"..., count=9)\n");
	assert_string_equal(json(&r), JSON_HEAD("sys_enter") ",\"name\":\"write\",\"args\":{\"fd\":5,"
			    "\"buf\":\"a\\u0000\\ufffd(\\\"\",\"count\":9},\"cut\":{\"buf\":9},"
			    "\"files\":{\"fd\":" SOCKET_JSON "}}\n");
	assert_string_equal(print(&r, (struct text){ .quiet = true }, false), HEAD " > write\n");
	item(0, XITEM_BYTES, 0, "/bin/ls", 7, 7);
	item(1, XITEM_STRINGS, 0, "ls\0-l", 6, 6);
	r = with_items(enter("execve", 0, args));
	assert_non_null(strstr(json(&r), "\"args\":{\"pathname\":\"/bin/ls\",\"argv\":[\"ls\",\"-l\"],"
				     "\"envp\":\"0x9\"}}"));
	item(1, XITEM_NAME, 0, "\x02\0\0\x35\x0a\0\0\x01\0\0\0\0\0\0\0", 16, 16);
	item(1, XITEM_BYTES, 0, "query", 5, 5);
	r = with_items(enter("sendmsg", 0, args));
	assert_non_null(strstr(json(&r), "\"msg\":\"query\","
			       "\"flags\":\"MSG_OOB|MSG_CTRUNC\"},\"address\":\"10.0.0.1:53\"}"));
	assert_non_null(strstr(text(&r), "sendmsg(sockfd=5, msg={10.0.0.1:53, \"query\"}, flags=MSG_OOB|MSG_CTRUNC)"));
}

static void what_a_call_wrote(void **state)
{
	struct xcap_record r;

	file(6, (struct xcap_ev_file) SOCKET, "");
	r = with_items(ended("accept", 5));
	assert_non_null(strstr(json(&r), "\"name\":\"accept\",\"ret\":5,\"ret_file\":" SOCKET_JSON "}\n"));
	file(0, (struct xcap_ev_file){ .kind = XFILE_PATH }, "/etc/a)b");
	item(1, XITEM_BYTES, 0, "hi(\n", 4, 4);
	r = with_items(ended("read", 4));
	assert_string_equal(text(&r), HEAD " < read(buf=\"hi(\\n\") = 4\n");
	assert_string_equal(print(&r, (struct text){ .quiet = true }, false), HEAD " < read = 4\n");
	assert_non_null(strstr(json(&r), "\"ret\":4,\"args\":{\"buf\":\"hi(\\u000a\"},"
				     "\"files\":{\"fd\":{\"kind\":\"path\",\"path\":\"/etc/a)b\"}}}"));
	item(1, XITEM_BYTES, 0, "\0\x03\0", 4, 4);
	r = with_items(ended("wait4", 7));
	assert_non_null(strstr(json(&r), "\"wstatus\":\"[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]\"}"));
}

/* Nothing of a line is cut, and its brackets are the call's. */
static void long_lines(void **state)
{
	static const __u64 args[6] = { 5, 0x7000, 60000 };
	static __u8 data[60000];
	struct xcap_record r = enter("write", 0, args);

	memset(data, '(', sizeof(data));
	item(1, XITEM_BYTES, 0, data, sizeof(data), sizeof(data));
	r = with_items(r);
	memcpy(r.comm, "a(\n", 4);
	assert_int_equal(strlen(text(&r)), sizeof(data) + strlen("07:07:58.123456789 cpu1 a(\\x0a[1292]"
			 " > write(fd=5, buf=\"\", count=60000)\n"));
	assert_string_equal(print(&r, (struct text){ .quiet = true }, false),
			    "07:07:58.123456789 cpu1 a(\\x0a[1292] > write\n");
}

static void unknown_call(void **state)
{
	static const __u64 args[6] = { 1, 2, 3, 4, 5, -1ull };
	struct xcap_record r = record(XCAP_SYS_ENTER);

	r.enter.nr = 4000000000u;
	r.enter.args = args;
	assert_string_equal(text(&r), HEAD " > #4000000000(arg0=0x1, arg1=0x2, arg2=0x3, arg3=0x4, "
			    "arg4=0x5, arg5=0xffffffffffffffff)\n");
	assert_non_null(strstr(json(&r), ",\"nr\":4000000000,\"args\":{\"arg0\":\"0x1\","));
	assert_null(strstr(line, "\"name\""));
}

static void results(void **state)
{
	static const struct { const char *call; __s64 ret; const char *text, *json; } all[] = {
		{ "write", 4096, " < write = 4096\n", "\"ret\":4096}" },
		{ "openat", -2, " < openat = -2 ENOENT\n", "\"ret\":-2,\"errno\":\"ENOENT\"}" },
		{ "read", -512, " < read = -512 ERESTARTSYS\n", "\"errno\":\"ERESTARTSYS\"}" },
		{ "read", -4095, " < read = -4095\n", "\"ret\":-4095}" },
		{ "getpriority", -4096, " < getpriority = -4096\n", "\"ret\":-4096}" },
		{ "mmap", 0x7f0000001000, " < mmap = 0x7f0000001000\n", "\"ret\":139637976731648}" },
		{ "mmap", -12, " < mmap = -12 ENOMEM\n", "\"errno\":\"ENOMEM\"}" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct xcap_record r = record(XCAP_SYS_EXIT);

		r.exit.nr = xcap_syscall_nr(all[i].call, 0);
		r.exit.ret = all[i].ret;
		assert_string_equal(text(&r) + strlen(HEAD), all[i].text);
		assert_non_null(strstr(json(&r), all[i].json));
	}
}

static void switches(void **state)
{
	struct xcap_record r = record(XCAP_SWITCH);

	r.sw.next_pid = r.sw.next_tid = 77;
	r.sw.prev_state = 1;
	strcpy(r.sw.next_comm, "bash");
	assert_string_equal(text(&r), HEAD " -> bash[77] (S)\n");
	assert_non_null(strstr(json(&r), ",\"next_pid\":77,\"next_tid\":77,\"next_comm\":\"bash\","
				     "\"prev_state\":\"S\"}"));
	assert_int_equal(xcap_state_letter(0), 'R');
	assert_int_equal(xcap_state_letter(0x100), 'R');
	assert_int_equal(xcap_state_letter(2), 'D');
	assert_int_equal(xcap_state_letter(0x402), 'I');
	assert_int_equal(xcap_state_letter(0x20), 'Z');
	assert_int_equal(xcap_state_letter(0x80000000), '?');
}

static void losses(void **state)
{
	struct xcap_record r = { .wall_ns = 1732345678123456789, .type = XCAP_LOSS, .source = 1 };

	r.loss.count = 42;
	r.loss.where = XCAP_DROP_RING_FULL;
	assert_string_equal(text(&r), "07:07:58.123456789 cpu0 --- 42 lost (ring_full) by tap:eth0\n");
	assert_string_equal(json(&r), "{\"time\":\"1732345678.123456789\",\"type\":\"loss\","
			    "\"source\":\"tap:eth0\",\"cpu\":0,\"lost\":42,\"where\":\"ring_full\"}\n");
	r.loss.where = 4711;
	assert_non_null(strstr(json(&r), "\"where\":\"unknown\""));
}

static void packets(void **state)
{
	static const __u8 frame[] = "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0"
		"\x45\0\0\x1e\0\x01\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x07"
		"\x14\xe9\0\x35\0\x0a\0\0hi";
	struct xcap_record r = {
		.wall_ns = -1, .type = XCAP_PACKET, .source = 1, .cpu = XCAP_CPU_UNKNOWN,
		.direction = XCAP_DIR_OUT, .data = frame, .caplen = sizeof(frame) - 1, .len = 60,
		.flags = XCAP_REC_LATE, .packet.linktype = XCAP_LINK_ETHERNET,
	};

	assert_string_equal(text(&r), "23:59:59.999999999 out 10.0.0.1:5353 > 10.0.0.7:53 udp "
			    "len 60 (late)\n");
	assert_string_equal(json(&r), "{\"time\":\"-0.000000001\",\"type\":\"packet\","
		"\"source\":\"tap:eth0\",\"late\":true,\"direction\":\"out\",\"len\":60,"
		"\"caplen\":44,\"proto\":\"udp\",\"mac_src\":\"02:00:00:00:00:01\","
		"\"mac_dst\":\"02:00:00:00:00:02\",\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.7\","
		"\"sport\":5353,\"dport\":53,\"ttl\":64,\"payload_len\":2}\n");
	assert_non_null(strstr(print(&r, (struct text){ .hex = 2 }, false),
		"\n\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500  ..............E.\n"));
	assert_non_null(strstr(line, "\n\t0x0020:  0007 14e9 0035 000a 0000 6869            .....5....hi\n"));
	print(&r, (struct text){ .hex = 1 }, false);
	assert_non_null(strstr(line, "\n\t0x0020:  0007 14e9 0035 000a 0000 6869\n"));
	r.packet.linktype = 4711;
	assert_non_null(strstr(text(&r), " link type 4711 len 60"));
	assert_non_null(strstr(json(&r), "\"linktype\":4711}"));
}

static void owners(void **state)
{
	static const struct xcap_process process = {
		.pid = 1292, .ppid = 7, .start_ns = 1732345678000000001, .exe = "/usr/bin/curl",
		.args = "curl\0http://x/\033\0\0", .args_len = 17,
	};
	static const struct xcap_cgroup docker = {
		.id = 18446744073709551615ull, .path = "/docker/4c01db0b339ca9", .pod = "",
		.runtime = "docker", .container = "4c01db0b339ca9", .container_name = "web",
		.unit = "",
	}, machine = {
		.path = "", .pod = "8dbc", .runtime = "nspawn", .container = "box",
		.container_name = "box", .unit = "a.service",
	};
	struct xcap_record r = record(XCAP_PACKET);

	r.caplen = r.len = 0;
	r.packet.linktype = 4711;
	r.uid = 4000000000;
	assert_string_equal(text(&r), "07:07:58.123456789 cpu1 link type 4711 len 0 curl[1292]\n");
	r.tid = 1300;
	r.owner = XCAP_OWNER_LISTENER;
	assert_string_equal(print(&r, (struct text) { .verbose = 1 }, false),
			    "07:07:58.123456789 cpu1 syscalls link type 4711 len 0 curl[1292] "
			    "by listener tid 1300 uid 4000000000\n");
	r.process = &process;
	r.cgroup_id = docker.id;
	r.uid = 0;
	assert_non_null(strstr(print(&r, (struct text) { .verbose = 1 }, false),
			       " uid 0 (root) cgroup 18446744073709551615\n"));
	r.cgroup = &docker;
	assert_non_null(strstr(print(&r, (struct text) { .verbose = 2 }, false),
			       " uid 0 (root) cgroup /docker/4c01db0b339ca9 docker 4c01db0b339c (web) "
			       "ppid 7 exe /usr/bin/curl args curl http://x/\\x1b \n"));
	assert_string_equal(json(&r), "{\"time\":\"1732345678.123456789\",\"type\":\"packet\","
			    "\"source\":\"syscalls\",\"cpu\":1,\"pid\":1292,\"tid\":1300,"
			    "\"comm\":\"curl\",\"uid\":0,\"user\":\"root\",\"owner\":\"listener\","
			    "\"ppid\":7,\"started\":\"1732345678.000000001\","
			    "\"exe\":\"/usr/bin/curl\",\"cmdline\":[\"curl\",\"http://x/\\u001b\",\"\"],"
			    "\"cgroup_id\":\"18446744073709551615\",\"cgroup\":\"/docker/4c01db0b339ca9\","
			    "\"runtime\":\"docker\",\"container\":\"4c01db0b339ca9\","
			    "\"container_name\":\"web\",\"len\":0,\"caplen\":0,\"linktype\":4711}\n");
	r.cgroup = &machine;
	r.uid = XCAP_UID_UNKNOWN;	/* of foreign files */
	r.owner = XCAP_OWNER_NONE;
	memset(r.comm, 0, sizeof(r.comm));
	assert_non_null(strstr(json(&r), ",\"container_name\":\"box\",\"pod\":\"8dbc\","
			       "\"unit\":\"a.service\","));
	assert_null(strstr(line, "owner"));
	assert_null(strstr(line, "uid"));
	assert_non_null(strstr(print(&r, (struct text) { .verbose = 1 }, false),
			       " curl[1292] tid 1300 cgroup 18446744073709551615 nspawn box pod 8dbc\n"));
	r.pid = r.tid = 0;
	r.process = NULL;
	r.cgroup = NULL;
	r.cgroup_id = 0;
	assert_string_equal(text(&r), "07:07:58.123456789 cpu1 link type 4711 len 0\n");
	assert_null(strstr(json(&r), "pid"));
}

/* A task may call itself what it likes. */
static void hostile_names(void **state)
{
	static const struct { const char comm[17], *text, *json; } all[] = {
		{ "\033[2J", "\\x1b[2J", "\\u001b[2J" },
		{ "a\nb", "a\\x0ab", "a\\u000ab" },
		{ "\"\\", "\"\\", "\\\"\\\\" },
		{ "gr\xc3\xbcn", "gr\xc3\xbcn", "gr\xc3\xbcn" },
		{ "\xff\xc3", "\\xff\\xc3", "\\ufffd\\ufffd" },
		{ "\xc2\x9b" "1m", "\\xc2\\x9b1m", "\xc2\x9b" "1m" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd" },
		{ "0123456789abcdef", "0123456789abcdef", "0123456789abcdef" },
		{ "0123456789abcd\xe2\x82", "0123456789abcd\\xe2\\x82", "0123456789abcd\\ufffd\\ufffd" },
	};
	char want[64];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct xcap_record r = record(XCAP_SYS_EXIT);

		memcpy(r.comm, all[i].comm, sizeof(r.comm));
		snprintf(want, sizeof(want), " %s[1292] <", all[i].text);
		if (!strstr(text(&r), want))
			fail_msg("%zu: %s", i, line);
		snprintf(want, sizeof(want), "\"comm\":\"%s\"", all[i].json);
		if (!strstr(json(&r), want))
			fail_msg("%zu: %s", i, line);
	}
}

static void utf8(void **state)
{
	assert_int_equal(xcap_utf8("a", 1), 1);
	assert_int_equal(xcap_utf8("", 0), 0);
	assert_int_equal(xcap_utf8("\xe2\x82\xac", 3), 3);
	assert_int_equal(xcap_utf8("\xe2\x82\xac", 2), 0);
	assert_int_equal(xcap_utf8("\xf4\x8f\xbf\xbf", 4), 4);
	assert_int_equal(xcap_utf8("\xf4\x90\x80\x80", 4), 0);
	assert_int_equal(xcap_utf8("\xc0\xaf", 2), 0);
	assert_int_equal(xcap_utf8("\xe0\x80\xaf", 3), 0);
	assert_int_equal(xcap_utf8("\x80", 1), 0);
	assert_int_equal(xcap_utf8("\033", 1), -1);
	assert_int_equal(xcap_utf8("\x7f", 1), -1);
	assert_int_equal(xcap_utf8("\xc2\x9f", 2), -2);
	assert_int_equal(xcap_utf8("\xc2\xa0", 2), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(what_arguments_refer_to),
		cmocka_unit_test(what_a_call_wrote),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(unknown_call),
		cmocka_unit_test(results),
		cmocka_unit_test(switches),
		cmocka_unit_test(losses),
		cmocka_unit_test(packets),
		cmocka_unit_test(owners),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(utf8),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
