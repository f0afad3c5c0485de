// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   make_top FILE.pcapng [SECONDS [FLOWS]]: how long, and how many more flows.
 * Out:  the same each time: flows, processes in containers, calls on files and sockets, names that
 *       steer terminals, and losses.
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
#define CONTAINER "4c01db0b339ca9d0d2e3b8f7e2f1a0c1b2a39485766758493a2b1c0d9e8f7061"

static const char empty[24] = "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";
static struct xcap *x;
static struct xcap_sink *sink;
static long long now_ns;

static const struct xcap_cgroup web = {
	.id = 77, .path = "/docker/" CONTAINER, .runtime = "docker", .container = CONTAINER,
	.container_name = "web", .pod = "", .unit = "",
}, dns = {
	.id = 78, .path = "/system.slice/dnsmasq.service", .runtime = "systemd", .container = "",
	.container_name = "", .pod = "", .unit = "dnsmasq.service",
};

static const struct process {
	__u32 pid;
	const char *comm;
	const struct xcap_cgroup *cgroup;
} nobody, nginx = { 99, "nginx", &web }, dnsmasq = { 53, "dnsmasq", &dns },
  evil = { 666, "\033[2J\xff\n\xe4\xb8\xad", NULL };

static void put(struct xcap_record *r, const struct process *p)
{
	static struct xcap_process process = { .exe = "", .args = "" };

	r->wall_ns = now_ns += 1000;
	r->cpu = 1;
	if (p->pid) {
		process.pid = r->pid = r->tid = p->pid;
		strcpy(r->comm, p->comm);
		r->uid = 0;
		r->process = &process;
		r->owner = r->type == XCAP_PACKET ? XCAP_OWNER_SOCKET : 0;
	}
	if (p->cgroup) {
		r->cgroup = p->cgroup;
		r->cgroup_id = p->cgroup->id;
	}
	if (!xcap_sink_put(sink, r, 1))
		return;
	fprintf(stderr, "%s\n", xcap_errmsg(x));
	exit(1);
}

static void be16(unsigned char *p, unsigned int n)
{
	p[0] = n >> 8;
	p[1] = n;
}

/* TCP or UDP from 10.A to 10.B: ports and a payload of zeros. */
static void packet(const struct process *p, int proto, __u32 a, int sport, __u32 b, int dport,
		   __u32 len)
{
	unsigned char f[1514] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, [22] = 64, [23] = proto,
		[26] = 10, a >> 16, a >> 8, a, 10, b >> 16, b >> 8, b, [46] = 0x50, 0x10,
	};
	struct xcap_record r = {
		.type = XCAP_PACKET, .data = f, .len = len, .caplen = len < 96 ? len : 96,
		.direction = a == 1 ? XCAP_DIR_OUT : XCAP_DIR_IN,
		.packet.linktype = XCAP_LINK_ETHERNET,
	};

	be16(f + 16, len - 14);
	be16(f + 34, sport);
	be16(f + 36, dport);
	if (proto == 17) {
		be16(f + 38, len - 34);
		f[46] = f[47] = 0;
	}
	put(&r, p);
}

static void arp(void)
{
	unsigned char f[60] = "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x08\6\0\1\x08\0\6\4\0\1"
			      "\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a";
	struct xcap_record r = {
		.type = XCAP_PACKET, .data = f, .caplen = 60, .len = 60,
		.direction = XCAP_DIR_IN, .packet.linktype = XCAP_LINK_ETHERNET,
	};

	put(&r, &nobody);
}

/* A call about a descriptor, its result a time later. */
static void call(const struct process *p, const char *name, const struct xcap_ev_file *f,
		 const char *path, __s64 ret, int took_us)
{
	struct xcap_ev_item head = { .kind = XITEM_FILE, .len = sizeof(*f) + strlen(path) };
	static const __u64 args[6] = { 3, 0x5560, 100 };
	__u8 items[512] = { 0 };
	struct xcap_record r = {
		.type = XCAP_SYS_ENTER, .data = items,
		.enter = { .nr = xcap_syscall_nr(name, 0), .args = args },
	};

	memcpy(items, &head, sizeof(head));
	memcpy(items + sizeof(head), f, sizeof(*f));
	memcpy(items + sizeof(head) + sizeof(*f), path, strlen(path));
	r.len = r.caplen = sizeof(head) + ((head.len + 7) & ~7u);
	put(&r, p);
	now_ns += took_us * 1000ll - 1000;
	r.type = XCAP_SYS_EXIT;
	r.exit.nr = xcap_syscall_nr(name, 0);
	r.exit.ret = ret;
	put(&r, p);
}

static void calls(int second)
{
	static const struct xcap_ev_file file = { .kind = XFILE_PATH, .ino = 42 };
	static const struct xcap_ev_file socket = {
		.kind = XFILE_SOCKET, .family = 2, .protocol = 6, .type = 1, .cookie = 77,
		.local = { 10, 0, 0, 1 }, .local_port = 443,
		.remote = { 10, 0, 0, 7 }, .remote_port = 51122,
	};

	for (int i = 0; i < 11; i++)
		call(&nginx, "read", &file, "/var/www/a/rather/long/path/of/a/site/index.html", 4096, 10);
	for (int i = 0; i < 7; i++)
		call(&nginx, "write", &socket, "", 1000 + second, 20);
	for (int i = 0; i < 3; i++)
		call(&nginx, "read", &socket, "", -11, 2);
	for (int i = 0; i < 5; i++)
		call(&evil, "write", &file, "/tmp/\033]0;x\007\xff\xe4\xb8\xad\xe6\x96\x87/f", 13, 3000);
}

static void loss(int second)
{
	struct xcap_record r = {
		.type = XCAP_LOSS, .loss = { .count = 101 + second, .where = XCAP_DROP_RING_FULL },
	};

	put(&r, &nobody);
}

static void second(int s, int nr_flows)
{
	now_ns = EPOCH_NS + s * 1000000000ll;
	for (int i = 0; i < 13; i++)
		packet(&nginx, 6, 7, 51122, 1, 443, 74 + i);
	for (int i = 0; i < 17; i++)
		packet(&nginx, 6, 1, 443, 7, 51122, 1400);
	for (int i = 0; i < 2 + s; i++) {
		packet(&dnsmasq, 17, 9, 40000 + i, 1, 53, 90);
		packet(&dnsmasq, 17, 1, 53, 9, 40000 + i, 190);
	}
	packet(&evil, 6, 1, 31337, 5, 6667, 66);
	arp();
	calls(s);
	loss(s);
	for (int i = 0; i < nr_flows; i++)
		packet(&nobody, 17, 0x10000 + i, 1024 + i % 50000, 1, 9, 60 + i % 1000);
}

int main(int argc, char **argv)
{
	int seconds = argc > 2 ? atoi(argv[2]) : 3, flows = argc > 3 ? atoi(argv[3]) : 0;
	char spec[256], path[240];
	FILE *f;

	if (argc < 2)
		return 2;
	snprintf(path, sizeof(path), "%s.empty", argv[1]);
	f = fopen(path, "w");
	if (!f || fwrite(empty, sizeof(empty), 1, f) != 1 || fclose(f))
		return 1;
	snprintf(spec, sizeof(spec), "file:%s", path);
	if (xcap_open(&x, spec, NULL) || xcap_sink_open(&sink, argv[1], x)) {
		fprintf(stderr, "%s%s\n", xcap_errmsg(NULL), x ? xcap_errmsg(x) : "");
		return 1;
	}
	unlink(path);
	for (int s = 0; s < seconds; s++)
		second(s, flows);
	if (xcap_sink_close(sink)) {
		fprintf(stderr, "%s\n", xcap_errmsg(x));
		return 1;
	}
	xcap_close(x);
	return 0;
}
