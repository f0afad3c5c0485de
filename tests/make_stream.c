// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   make_stream FILE.pcapng COUNT [KIND]: what to write and how many of each.
 * Out:  packets, every system call by its number and result, switches, losses and a probe's word,
 *       with the same times and bytes each time: work for second opinions.
 * Owns: FILE.pcapng, and an empty capture beside it for the length of the run.
 * Runs on: no root, no network.
 *
 * KIND: "all", or "small" for a few of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xcap.h>
#include "xcap_event.h"

#define NR_CALLS 470
#define EPOCH_NS 1700000000000000000ll
#define CONTAINER "4c01db0b339ca9d0d2e3b8f7e2f1a0c1b2a39485766758493a2b1c0d9e8f7061"

static const char empty[24] = "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";
static long long now_ns = EPOCH_NS;

static void put(struct xcap *x, struct xcap_sink *s, struct xcap_record *r)
{
	r->wall_ns = now_ns += 1000;
	r->cpu = 1;
	if (!xcap_sink_put(s, r, 1))
		return;
	fprintf(stderr, "%s\n", xcap_errmsg(x));
	exit(1);
}

/* Two processes that had one pid, one after the other, and one in a container. */
static const struct xcap_process arping = {
	.pid = 4321, .ppid = 1, .start_ns = EPOCH_NS - 5, .exe = "/usr/sbin/arping",
	.args = "arping\0-c\0" "10.0.0.1", .args_len = 19,
}, arpd = {
	.pid = 4321, .ppid = 2, .exe = "/usr/sbin/arpd", .args = "arpd", .args_len = 5,
}, nginx = {
	.pid = 99, .ppid = 98, .start_ns = EPOCH_NS - 7, .exe = "/usr/sbin/nginx",
	.args = "nginx\0-g\0daemon off;", .args_len = 21,
};

static const struct xcap_cgroup web = {
	.id = 77, .path = "/docker/" CONTAINER, .runtime = "docker", .container = CONTAINER,
	.container_name = "web", .pod = "", .unit = "",
};

static void set_owner(struct xcap_record *r, unsigned int n, unsigned int nr)
{
	static struct xcap_process second;

	if (n % 3 == 1) {
		r->pid = 99;
		r->tid = 100;
		strcpy(r->comm, "nginx");
		r->uid = 33;
		r->cgroup_id = web.id;
		r->cgroup = &web;
		r->process = &nginx;
		r->owner = XCAP_OWNER_LISTENER;
	} else if (n % 3 == 2) {
		r->pid = r->tid = 4321;
		strcpy(r->comm, n < nr / 2 ? "arping" : "arpd");
		if (!second.pid) {
			second = arpd;
			second.start_ns = EPOCH_NS + 1000 * (int)nr;
		}
		r->process = n < nr / 2 ? &arping : &second;
		r->owner = XCAP_OWNER_SOCKET;
	}
}

/* An ARP request, numbered in its target address. */
static void put_packet(struct xcap *x, struct xcap_sink *s, unsigned int n, unsigned int nr)
{
	unsigned char frame[60] = "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x08\6\0\1\x08\0\6\4\0\1"
				  "\2\0\0\0\0\1\x0a\0\0\1\0\0\0\0\0\0\x0a";
	struct xcap_record r = {
		.type = XCAP_PACKET, .data = frame, .caplen = sizeof(frame), .len = sizeof(frame),
		.direction = 1 + n % 2, .packet.linktype = XCAP_LINK_ETHERNET,
	};

	frame[39] = n >> 16;
	frame[40] = n >> 8;
	frame[41] = n;
	set_owner(&r, n, nr);
	put(x, s, &r);
}

static void put_call(struct xcap *x, struct xcap_sink *s, unsigned int nr, int compat)
{
	static const __u64 args[6] = { 5, 0x7f0000001000, 96, 3, 4, 6 };
	struct xcap_record r = {
		.type = XCAP_SYS_ENTER, .pid = 1292, .tid = 1293, .comm = "curl", .uid = 1000,
		.cgroup_id = 77, .flags = compat ? XCAP_REC_COMPAT : 0,
		.enter = { .nr = nr, .args = args },
	};

	put(x, s, &r);
	r.type = XCAP_SYS_EXIT;
	r.exit.nr = nr;
	r.exit.ret = nr % 5 ? 96 : -11;
	put(x, s, &r);
}

static void put_rest(struct xcap *x, struct xcap_sink *s)
{
	static const struct xprobe_exit ended = {
		.status = 3, .age_ns = 1234567890, .ppid = 1,
	};
	struct xcap_record r = {
		.type = XCAP_SWITCH, .pid = 1292, .tid = 1293, .comm = "curl",
		.sw = { .next_pid = 7, .next_tid = 8, .next_comm = "kworker", .next_prio = 120 },
	};

	put(x, s, &r);
	r = (struct xcap_record) {
		.type = XCAP_LOSS, .loss = { .count = 123, .where = XCAP_DROP_RING_FULL },
	};
	put(x, s, &r);
	r = (struct xcap_record) {
		.type = XCAP_PROBE, .pid = 1292, .tid = 1293, .comm = "curl", .uid = 1000,
		.data = (const __u8 *)&ended, .caplen = sizeof(ended), .len = sizeof(ended),
		.probe = { .id = XPROBE_EXIT },
	};
	put(x, s, &r);
}

static struct xcap *open_empty(const char *name)
{
	char spec[256], path[240];
	struct xcap *x;
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
	return x;
}

int main(int argc, char **argv)
{
	int nr_packets = argc > 2 ? atoi(argv[2]) : 1;
	int small = argc > 3 && !strcmp(argv[3], "small");
	struct xcap_sink *s;
	struct xcap *x;

	if (argc < 2)
		return 2;
	x = open_empty(argv[1]);
	if (xcap_sink_open(&s, argv[1], x)) {
		fprintf(stderr, "%s\n", xcap_errmsg(x));
		return 1;
	}
	for (int i = 0; i < nr_packets; i++) {
		put_packet(x, s, i, nr_packets);
		if (!(i % 100))
			put_rest(x, s);
		if (i < (small ? 3 : NR_CALLS) && xcap_syscall_name(i, 0))
			put_call(x, s, i, 0);
		if (i < (small ? 1 : NR_CALLS) && xcap_syscall_name(i, 1))
			put_call(x, s, i, 1);
	}
	if (xcap_sink_close(s)) {
		fprintf(stderr, "%s\n", xcap_errmsg(x));
		return 1;
	}
	xcap_close(x);
	return 0;
}
