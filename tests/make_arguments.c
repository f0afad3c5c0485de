// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   make_arguments FILE.pcapng: where to.
 * Out:  system calls, begun and ended, with what their arguments refer to.
 * Owns: FILE.pcapng, and an empty capture beside it for the length of the run.
 * Runs on: no root, no network.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xcap.h>
#include "xcap_event.h"

#define EPOCH_NS 1700000000000000000ll

static struct xcap *x;
static struct xcap_sink *sink;
static long long now_ns = EPOCH_NS;
static __u8 items[80000];
static __u32 items_len;

static void item(int arg, int kind, int flags, const void *bytes, __u32 len, __u64 whole)
{
	struct xcap_ev_item head = { .arg = arg, .kind = kind, .flags = flags, .len = len,
				     .whole = whole };

	memcpy(items + items_len, &head, sizeof(head));
	items_len += sizeof(head);
	memcpy(items + items_len, bytes, len);
	memset(items + items_len + len, 0, -len & 7);
	items_len += (len + 7) & ~7u;
}

static void bytes(int arg, const void *p, __u32 len)
{
	item(arg, XITEM_BYTES, 0, p, len, len);
}

static void text(int arg, const char *s)
{
	bytes(arg, s, strlen(s));
}

static void file(int arg, const char *path)
{
	struct xcap_ev_file f = { .kind = path[0] == '/' ? XFILE_PATH : XFILE_OTHER, .ino = 42 };
	__u8 all[256];

	memcpy(all, &f, sizeof(f));
	memcpy(all + sizeof(f), path, strlen(path));
	item(arg, XITEM_FILE, 0, all, sizeof(f) + strlen(path), 0);
}

static void tcp(int arg)
{
	struct xcap_ev_file f = {
		.kind = XFILE_SOCKET, .family = 2, .protocol = 6, .type = 1, .cookie = 77,
		.local = { 10, 0, 0, 1 }, .local_port = 443,
		.remote = { 10, 0, 0, 7 }, .remote_port = 51122,
	};

	item(arg, XITEM_FILE, 0, &f, sizeof(f), 0);
}

static void put(struct xcap_record *r)
{
	r->wall_ns = now_ns += 1000;
	r->cpu = 1;
	r->pid = r->tid = 1292;
	strcpy(r->comm, "curl");
	r->data = items;
	r->caplen = r->len = items_len;
	items_len = 0;
	if (!xcap_sink_put(sink, r, 1))
		return;
	fprintf(stderr, "%s\n", xcap_errmsg(x));
	exit(1);
}

#define BEGIN(call, ...) begin(call, (const __u64[6]){ __VA_ARGS__ })

static void begin(const char *call, const __u64 *args)
{
	struct xcap_record r = {
		.type = XCAP_SYS_ENTER, .enter = { .nr = xcap_syscall_nr(call, 0), .args = args },
	};

	put(&r);
}

static void end(const char *call, __s64 ret)
{
	struct xcap_record r = {
		.type = XCAP_SYS_EXIT, .exit = { .nr = xcap_syscall_nr(call, 0), .ret = ret },
	};

	put(&r);
}

static void put_files(void)
{
	file(0, "/home/user");
	text(1, "notes (old).txt");
	BEGIN("openat", -100, 0x5560, 02000102, 0640);
	file(6, "/home/user/notes (old).txt");
	end("openat", 3);
	text(0, "/etc/\033[2Jshadow");
	BEGIN("open", 0x5560, 0, 0);
	end("open", -13);
	text(0, "/tmp/a");
	text(1, "/tmp/b");
	BEGIN("rename", 0x5560, 0x5570);
	end("rename", 0);
	file(0, "/tmp");
	text(1, "d");
	BEGIN("unlinkat", 5, 0x5560, 0x200);
	end("unlinkat", 0);
	text(1, "/bin/sh");
	BEGIN("newfstatat", -100, 0x5560, 0x7ffc, 0x100);
	end("newfstatat", -2);
	BEGIN("pipe2", 0x7ffc, 02000000);
	bytes(0, "\7\0\0\0\10\0\0\0", 8);
	end("pipe2", 0);
	text(0, "/bin/ls");
	item(1, XITEM_STRINGS, 0, "ls\0-l\0/tmp", 11, 11);
	BEGIN("execve", 0x5560, 0x7ffc, 0x7ffd);
	end("execve", 0);
}

static void put_data(void)
{
	static __u8 much[65536];

	tcp(0);
	item(1, XITEM_BYTES, XITEM_CUT, "GET / HTTP/1.1\r\n", 16, 73);
	BEGIN("write", 8, 0x7000, 73);
	tcp(0);
	end("write", 73);
	file(0, "pipe:[4711]");
	BEGIN("read", 7, 0x7000, 65536);
	file(0, "pipe:[4711]");
	bytes(1, "\0\xff\"gr\xc3\xbcn\"\n", 10);
	end("read", 10);
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = "0123456789abcdef"[i % 16];
	tcp(0);
	bytes(1, much, sizeof(much));
	BEGIN("sendto", 8, 0x7000, sizeof(much), 0x4000, 0, 0);
	tcp(0);
	end("sendto", sizeof(much));
	tcp(0);
	item(1, XITEM_NAME, 0, "\2\0\0\65\12\0\0\11\0\0\0\0\0\0\0\0", 16, 16);
	text(1, "query");
	BEGIN("sendmsg", 8, 0x7ffc, 0x40);
	end("sendmsg", 5);
}

static void put_sockets(void)
{
	BEGIN("socket", 2, 02000001, 6);
	end("socket", 9);
	bytes(1, "\2\0\1\xbb\12\0\0\1\0\0\0\0\0\0\0\0", 16);
	BEGIN("bind", 9, 0x7000, 16);
	end("bind", 0);
	bytes(1, "\1\0/run/x.sock", 14);
	BEGIN("connect", 9, 0x7000, 110);
	end("connect", -111);
	bytes(1, "\12\0\0\65\0\0\0\0\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0", 28);
	BEGIN("connect", 9, 0x7000, 28);
	tcp(0);
	end("connect", 0);
	BEGIN("accept4", 4, 0x7000, 0x7010, 02004000);
	tcp(6);
	bytes(1, "\2\0\xc7\xb2\12\0\0\7\0\0\0\0\0\0\0\0", 16);
	end("accept4", 5);
	bytes(3, "\1\0\0\0", 4);
	BEGIN("setsockopt", 9, 1, 2, 0x7000, 4);
	end("setsockopt", 0);
	bytes(0, "\3\0\0\0\1\0\0\0", 8);
	BEGIN("poll", 0x7000, 1, -1ull);
	bytes(0, "\3\0\0\0\1\0\21\0", 8);
	end("poll", 1);
}

static void put_processes(void)
{
	BEGIN("kill", 99, 15);
	end("kill", 0);
	BEGIN("wait4", -1ull, 0x7000, 1, 0);
	bytes(1, "\11\0\0\0", 4);
	end("wait4", 99);
	BEGIN("mmap", 0, 4096, 3, 0x22, -1ull, 0);
	end("mmap", 0x7f0000000000);
	bytes(0, "\1\0\0\0\0\0\0\0\0\x65\xcd\x1d\0\0\0\0", 16);
	BEGIN("nanosleep", 0x7000, 0);
	end("nanosleep", -516);
}

static void open_empty(const char *name)
{
	static const char empty[24] = "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";
	char spec[256], path[240];
	FILE *f;

	snprintf(path, sizeof(path), "%s.empty", name);
	f = fopen(path, "w");
	if (!f || fwrite(empty, sizeof(empty), 1, f) != 1 || fclose(f))
		exit(1);
	snprintf(spec, sizeof(spec), "file:%s", path);
	if (xcap_open(&x, spec, NULL)) {
		fprintf(stderr, "%s\n", xcap_errmsg(NULL));
		exit(1);
	}
	unlink(path);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	open_empty(argv[1]);
	if (xcap_sink_open(&sink, argv[1], x)) {
		fprintf(stderr, "%s\n", xcap_errmsg(x));
		return 1;
	}
	put_files();
	put_data();
	put_sockets();
	put_processes();
	if (xcap_sink_close(sink)) {
		fprintf(stderr, "%s\n", xcap_errmsg(x));
		return 1;
	}
	xcap_close(x);
	return 0;
}
