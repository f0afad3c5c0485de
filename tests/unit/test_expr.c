// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   filters with process terms, records made here.
 * Out:  that a packet is judged as libpcap would, and what is no packet by what can be said of it.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "expr.h"
#include "filter.h"

/* TCP from 10.0.0.1 to 10.0.0.2, ports as given */
static uint8_t frame[60];

static struct xcap_record packet(const char *comm, uint32_t pid, uint16_t sport, uint16_t dport)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 40,
					0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	struct xcap_record r = { .type = XCAP_PACKET, .data = frame, .caplen = 60, .len = 60,
				 .direction = XCAP_DIR_OUT, .pid = pid, .tid = pid,
				 .packet.linktype = XCAP_LINK_ETHERNET };

	memcpy(frame, head, sizeof(head));
	frame[34] = sport >> 8;
	frame[35] = sport;
	frame[36] = dport >> 8;
	frame[37] = dport;
	strncpy(r.comm, comm, sizeof(r.comm) - 1);
	return r;
}

static struct xcap_record call(const char *comm, uint32_t pid, const char *name, int64_t ret)
{
	struct xcap_record r = { .type = XCAP_SYS_EXIT, .pid = pid, .tid = pid,
				 .exit = { .nr = xcap_syscall_nr(name, 0), .ret = ret } };

	strncpy(r.comm, comm, sizeof(r.comm) - 1);
	return r;
}

static struct filter *compiled(const char *text)
{
	static const uint32_t ethernet = XCAP_LINK_ETHERNET;
	struct error err = { "" };
	struct filter *f = NULL;

	if (filter_compile(&f, text, &ethernet, 1, &err))
		fail_msg("%s: %s", text, err.text);
	return f;
}

static bool keeps(const char *text, struct xcap_record r)
{
	struct filter *f = compiled(text);
	bool kept = filter_match(f, &r);

	filter_free(f);
	return kept;
}

static void both_worlds_are_asked(void **state)
{
	const char *text = "tcp port 443 and proc.name=nginx";

	assert_true(keeps(text, packet("nginx", 7, 5000, 443)));
	assert_false(keeps(text, packet("nginx", 7, 5000, 80)));
	assert_false(keeps(text, packet("curl", 7, 5000, 443)));
	assert_false(keeps(text, packet("", 0, 5000, 443)));
	assert_true(keeps(text, call("nginx", 7, "read", 1)));
	assert_false(keeps(text, call("curl", 7, "read", 1)));
	text = "syscall in (connect,sendto) and ret<0";
	assert_true(keeps(text, packet("curl", 7, 1, 2)));
	assert_true(keeps(text, call("curl", 7, "connect", -115)));
	assert_false(keeps(text, call("curl", 7, "connect", 0)));
	assert_false(keeps(text, call("curl", 7, "read", -1)));
	assert_false(keeps("evt.type=syscall", packet("curl", 7, 1, 2)));
	assert_true(keeps("evt.type=syscall", call("curl", 7, "read", -1)));
	assert_true(keeps("tcp", call("curl", 7, "read", -1)));
	assert_true(keeps("not proc.pid=8 and not udp", packet("x", 7, 1, 2)));
	assert_false(keeps("not proc.pid=7 and not udp", packet("x", 7, 1, 2)));
}

/*
 * The same text with each term written out as what it is must keep the same packets: so precedence
 * and what a bare number inherits are libpcap's own.
 */
static void packets_are_judged_by_libpcap(void **state)
{
	static const char *const texts[] = {
		"%s and tcp port 80 or 443", "tcp port 80 or 443 and %s", "%s or port 80 and port 9",
		"not %s and port 80 or 443", "not (%s or tcp src port 80)", "(%s) and (port 80 or 9)",
		"port 80 or %s and port 9", "! %s || port 443", "tcp and not port 80 and %s",
		"port 9 and (%s or port 80) or port 443", "(port 9 or not %s) and not port 80",
		"vlan or %s and tcp", "ip[8] = 64 and %s and tcp[2:2] != 80", "%s && %s || udp",
	};
	static const char *const value[] = { "(greater 99999)", "(less 99999)" };
	static const uint16_t ports[] = { 9, 80, 443, 5000 };
	char mixed[256], plain[256];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (int holds = 0; holds < 2; holds++) {
			struct filter *m, *p;

			snprintf(mixed, sizeof(mixed), texts[i], "proc.pid=7", "proc.name=x");
			snprintf(plain, sizeof(plain), texts[i], value[holds], value[holds]);
			m = compiled(mixed);
			p = compiled(plain);
			for (int k = 0; k < 16; k++) {
				struct xcap_record r = packet(holds ? "x" : "y", holds ? 7 : 8,
							      ports[k / 4], ports[k % 4]);

				if (filter_match(m, &r) != filter_match(p, &r))
					fail_msg("%s: ports %u %u: pid %u", mixed, ports[k / 4],
						 ports[k % 4], r.pid);
			}
			filter_free(m);
			filter_free(p);
		}
}

/* What the kernel runs refuses no packet that the filter keeps, whoever owns it. */
static void the_kernels_part_keeps_at_least_as_much(void **state)
{
	static const char *const texts[] = {
		"tcp port 443 and proc.name=a", "not proc.name=a and port 80", "not (proc.name=a or udp)",
		"(port 80 and proc.name=a) or (port 443 and not proc.name=a)", "proc.pid=1 or port 9",
		"proc.name=a and not evt.type=packet", "proc.name=a and not proc.pid!=1",
	};
	static const uint16_t ports[] = { 9, 80, 443, 5000 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct filter *m = compiled(texts[i]), *k = NULL;
		bool processes;
		char *text;

		assert_int_equal(filter_superset(texts[i], &text, &processes, NULL), 0);
		assert_true(processes);
		assert_false(filter_is_kernels(m));
		k = compiled(text);
		assert_true(filter_is_kernels(k));
		for (int n = 0; n < 32; n++) {
			struct xcap_record r = packet(n & 1 ? "a" : "b", 1 + (n & 1),
						      ports[n / 8], ports[n / 2 % 4]);

			if (filter_match(m, &r) && !filter_match(k, &r))
				fail_msg("%s: the kernel's '%s' refuses one", texts[i], text);
		}
		filter_free(m);
		filter_free(k);
		free(text);
	}
}

static void fields_mean_what_they_say(void **state)
{
	static const struct xcap_process process = { .pid = 7, .ppid = 3, .exe = "/usr/bin/curl",
						     .args = "curl\0-s", .args_len = 8 };
	static const struct xcap_cgroup cgroup = {
		.id = 99, .path = "/system.slice/a.service", .runtime = "docker", .pod = "",
		.container = "0123456789abcdef0123", .container_name = "web", .unit = "a.service",
	};
	struct xcap_record r = call("curl", 7, "connect", -2);

	r.process = &process;
	r.cgroup = &cgroup;
	r.cgroup_id = 99;
	assert_true(keeps("proc.ppid=3", r));
	assert_true(keeps("proc.exe^=/usr/bin", r));
	assert_false(keeps("proc.exe=/usr/bin", r));
	assert_true(keeps("proc.args*='curl -s'", r));
	assert_true(keeps("proc.cgroup=/system.slice/a.service", r));
	assert_true(keeps("proc.cgroup=99", r));
	assert_true(keeps("container=web", r));
	assert_true(keeps("container=0123456789ab", r));
	assert_false(keeps("container=0123456789", r));
	assert_true(keeps("proc.uid=0 and proc.user=root", r));
	assert_true(keeps("errno=ENOENT", r));
	r.uid = XCAP_UID_UNKNOWN;
	assert_false(keeps("proc.uid!=5", r));
	assert_false(keeps("proc.user!=root", r));
	assert_true(keeps("proc.pid in (5, 6, 7)", r));
	assert_true(keeps("proc.pid>=7 and proc.pid<8 and proc.tid!=9", r));
	r.type = XCAP_LOSS;
	assert_true(keeps("proc.pid=1", r));
}

static void trees_are_numbered_as_they_are_named(void **state)
{
	static const char text[] = "tcp and proc.tree in (70,50) or proc.tree!=70 or proc.tree=60";
	static const struct xcap_process process = { .pid = 7 };
	static const uint32_t want[] = { 70, 50, 60 };
	struct xcap_record r = call("curl", 7, "connect", 0);
	struct filter *f = compiled(text);
	const uint32_t *pids;

	assert_int_equal(filter_trees(f, &pids), 3);
	assert_memory_equal(pids, want, sizeof(want));
	filter_free(f);
	f = compiled("tcp");
	assert_int_equal(filter_trees(f, &pids), 0);
	filter_free(f);
	r.trees = 2;
	assert_true(keeps("proc.tree=70 or proc.tree=50", r));
	assert_false(keeps("proc.tree=70 or ret<0 and proc.tree=50", r));
	assert_false(keeps("proc.tree=50", r));
	/* of no process at all nothing is said */
	assert_false(keeps("proc.tree!=70", r));
	r.process = &process;
	assert_true(keeps("proc.tree!=70", r));
	r.trees = 1;
	assert_false(keeps("proc.tree!=70", r));
	r = packet("curl", 7, 80, 40000);
	assert_false(keeps("proc.tree=70 and port 80", r));
	r.trees = 1;
	assert_true(keeps("proc.tree=70 and port 80", r));
	assert_false(keeps("proc.tree=70 and port 81", r));
}

/* What the kernel may leave out: nothing that the filter keeps. */
static void trees_that_calls_must_be_of(void **state)
{
	static const struct { const char *text; int nr; uint32_t first; } cases[] = {
		{ "proc.tree=7", 1, 7 },
		{ "proc.tree in (7,8,9)", 3, 7 },
		{ "proc.tree!=7", 0, 0 },
		{ "not proc.tree=7", 0, 0 },
		{ "not (not proc.tree=7)", 0, 0 },
		{ "(proc.tree=7) and (tcp port 80)", 1, 7 },
		{ "(proc.tree=7) and not (proc.name=x and not syscall=execve) and (port 80)", 1, 7 },
		{ "tcp and proc.tree=7", 1, 7 },
		{ "tcp or proc.tree=7", 1, 7 },		/* of calls nothing else is said */
		{ "proc.tree=7 or container=x", 0, 0 },
		{ "proc.tree=7 or (proc.tree=8 and ret<0)", 2, 7 },
		{ "proc.name=x and proc.tree=8", 1, 8 },
		{ "(proc.tree=7 or proc.tree=8) and proc.tree=9", 2, 7 },
		{ "proc.name=x", 0, 0 },
		{ "tcp", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t pids[FILTER_TREES] = { 0 };
		int nr = filter_trees_needed(cases[i].text, pids);

		if (nr != cases[i].nr || pids[0] != cases[i].first)
			fail_msg("%s: %d trees, the first %u", cases[i].text, nr, pids[0]);
	}
}

static void too_many_trees_are_told(void **state)
{
	static const uint32_t ethernet = XCAP_LINK_ETHERNET;
	char text[512] = "proc.tree in (1";
	struct error err = { "" };
	struct filter *f = NULL;

	for (int i = 2; i <= 32; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", i);
	strcat(text, ",7) or proc.tree=32");
	filter_free(compiled(text));
	strcat(text, " or proc.tree=33");
	assert_int_equal(filter_compile(&f, text, &ethernet, 1, &err), -EINVAL);
	assert_non_null(strstr(err.text, "32 processes at most"));
}

static struct xcap_record entry(const char *name, const uint64_t *args)
{
	struct xcap_record r = call("curl", 7, name, 0);

	r.type = XCAP_SYS_ENTER;
	r.exit.ret = 0;
	r.enter.nr = xcap_syscall_nr(name, 0);
	r.enter.args = (const __u64 *)args;
	return r;
}

/* Only entries have arguments, only exits results; a call of 32 bits has its own numbers. */
static void entries_and_exits_differ(void **state)
{
	static const uint64_t args[6] = { 9, 3, 1 }, minus[6] = { -100ull, 3 };
	struct xcap_record r = entry("read", args);

	assert_true(keeps("fd.num=9 and syscall=read and evt.type=enter", r));
	assert_false(keeps("fd.num!=9", r));
	assert_true(keeps("fd.num in (3,9)", r));
	assert_false(keeps("ret=0 or ret!=0 or errno!=ENOENT", r));
	assert_true(keeps("fd.num<0 and syscall=openat", entry("openat", minus)));
	/* what is not known equals nothing and differs from nothing */
	assert_false(keeps("fd.num=9 or fd.num!=9", entry("getppid", args)));
	assert_true(keeps("not fd.num=9", entry("getppid", args)));
	assert_false(keeps("fd.num!=9 or fd.num=9", packet("curl", 7, 1, 2)) &&
		     keeps("evt.type=enter", packet("curl", 7, 1, 2)));
	assert_true(keeps("ret!=0 and evt.type=exit", call("curl", 7, "read", -1)));
	r = entry("getppid", args);
	assert_true(keeps("syscall=getppid", r) && keeps("syscall=110", r));
	r.flags = XCAP_REC_COMPAT;
	assert_false(keeps("syscall=getppid", r) || keeps("syscall=110", r));
	r.enter.nr = 64;
	assert_true(keeps("syscall=getppid", r));
	r.enter.nr = 4000000000u;
	assert_true(keeps("syscall!=getppid", r) && !keeps("syscall^=get", r));
}

static void switches_have_two_tasks(void **state)
{
	struct xcap_record r = { .type = XCAP_SWITCH, .pid = 7, .tid = 8, .comm = "curl", .uid = 5,
				 .sw = { .next_pid = 0, .next_tid = 0, .next_comm = "swapper/0" } };

	assert_true(keeps("proc.name=curl", r) && keeps("proc.name=swapper/0", r));
	assert_true(keeps("proc.name=curl and proc.name^=swapper", r));
	assert_false(keeps("proc.name!=curl", r) || keeps("proc.name!=swapper/0", r));
	assert_true(keeps("proc.name!=bash", r));
	assert_true(keeps("proc.pid=0", r) && keeps("proc.tid=8", r) && keeps("proc.pid<7", r));
	assert_false(keeps("proc.pid=0 or proc.pid=7", call("curl", 8, "read", 1)));
	assert_true(keeps("evt.type=switch and proc.uid=5", r));
	assert_false(keeps("evt.type in (packet,syscall)", r) || keeps("evt.type!=switch", r));
	/* terms about calls say no, terms about packets nothing */
	assert_false(keeps("syscall=read or syscall!=read or ret<0 or fd.num=1", r));
	assert_true(keeps("tcp port 443", r) && keeps("not (tcp or udp)", r));
	r.comm[0] = r.sw.next_comm[0] = '\0';
	assert_false(keeps("proc.name=curl or proc.name!=curl", r));
}

/* A filter is compiled for each link type, also for one that comes later. */
static void other_links_have_other_offsets(void **state)
{
	static const uint32_t raw = 101;
	struct xcap_record r = packet("nginx", 7, 5000, 443), ether = r;
	struct filter *f = NULL;

	r.data += 14;
	r.caplen = r.len = 46;
	r.packet.linktype = raw;
	assert_true(keeps("tcp dst port 443 and proc.name=nginx", r));
	assert_false(keeps("tcp dst port 443 and proc.name=curl", r));
	assert_false(keeps("tcp dst port 80 or proc.name=curl", r));
	assert_true(keeps("src host 10.0.0.1 and (proc.pid=8 or dst port 443)", r));
	/* makes no sense there: such packets do not match, whoever owns them */
	assert_false(keeps("ether host 2:0:0:0:0:1 or proc.pid=7", r));
	assert_true(keeps("ether host 2:0:0:0:0:1 or proc.pid=7", ether));
	assert_int_equal(filter_compile(&f, "ip and proc.pid=7", &raw, 1, NULL), 0);
	assert_true(filter_match(f, &r) && filter_match(f, &ether) && filter_match(f, &r));
	r.pid = ether.pid = 8;
	assert_false(filter_match(f, &r) || filter_match(f, &ether));
	filter_free(f);
}

/* n times the text, with the number of each in it. */
static void repeat(char *to, int n, const char *first, const char *text)
{
	to[0] = '\0';
	for (int i = 0; i < n; i++)
		to += sprintf(to, i ? text : first, i);
}

static void expect_wrong(const char *text, const char *says)
{
	static const uint32_t ethernet = XCAP_LINK_ETHERNET;
	struct error err = { "" };
	struct filter *f = NULL;

	assert_int_equal(filter_compile(&f, text, &ethernet, 1, &err), -EINVAL);
	if (!strstr(err.text, says))
		fail_msg("%.80s: %s", text, err.text);
}

static void limits_hold(void **state)
{
	static char text[200000], exe[70000];
	struct xcap_process process = { .pid = 7, .exe = exe };
	struct xcap_record r = call("fifteen-letters", 255, "read", 0);

	/* values, terms, parentheses: as many as are allowed, then one more */
	repeat(text, EXPR_MAX_VALUES, "proc.pid in (0", ",%d");
	strcat(text, ")");
	assert_true(keeps(text, r));
	text[strlen(text) - 1] = '\0';
	strcat(text, ",1)");
	expect_wrong(text, "more than 256 values");
	repeat(text, EXPR_MAX_TERMS, "proc.pid=255", " and proc.pid!=%d");
	assert_true(keeps(text, r));
	strcat(text, " and proc.pid=1");
	expect_wrong(text, "more than 64 process terms");
	for (int over = 0; over < 2; over++) {
		memset(text, '(', EXPR_MAX_DEPTH + over);
		strcpy(text + EXPR_MAX_DEPTH + over, "proc.pid=255");
		for (int i = 0; i < EXPR_MAX_DEPTH + over; i++)
			strcat(text, ")");
		if (over)
			expect_wrong(text, "more than 64 parentheses");
		else
			assert_true(keeps(text, r));
	}
	repeat(text, EXPR_MAX_NODES, "proc.pid=255", " or tcp");
	expect_wrong(text, "put those about packets into parentheses");
	/* "not", as often as libpcap likes */
	repeat(text, 1001, "not ", "not ");
	strcat(text, "proc.pid=255");
	assert_false(keeps(text, r));
	/* long strings */
	memset(exe, 'x', sizeof(exe) - 1);
	r.process = &process;
	sprintf(text, "proc.exe='%s'", exe);
	assert_true(keeps(text, r));
	sprintf(text, "proc.exe='%sy'", exe);
	assert_false(keeps(text, r));
	assert_true(keeps("proc.name=fifteen-letters-and-more", r));
	assert_true(keeps("proc.name^=fifteen-letters-and-more", r));
	expect_wrong("proc.name*=fifteen-letters-and-more", "15 characters at most");
}

/* As snprintf(): the whole length, whatever there is room for. */
static void explanations_are_cut(void **state)
{
	const char *text = "tcp port 80 and proc.name=nginx";
	int len = xcap_explain_filter(text, NULL, 0);
	char whole[1024], part[16];

	assert_true(len > 100 && len < (int)sizeof(whole));
	assert_int_equal(xcap_explain_filter(text, whole, sizeof(whole)), len);
	assert_int_equal(strlen(whole), len);
	assert_int_equal(xcap_explain_filter(text, part, sizeof(part)), len);
	assert_int_equal(strlen(part), sizeof(part) - 1);
	assert_memory_equal(part, whole, sizeof(part) - 1);
	assert_true(xcap_explain_filter(NULL, part, 1) > 0 && !part[0]);
	assert_int_equal(xcap_explain_filter("proc.pid=x", part, sizeof(part)), -EINVAL);
	assert_non_null(strstr(xcap_errmsg(NULL), "proc.pid takes a number"));
}

/* What a descriptor is stands behind the call, as the kernel half writes it. */
static void descriptors(void **state)
{
	static struct told {
		struct xcap_ev_item item;
		struct xcap_ev_file file;
		char path[8];
	} path = { { .kind = XITEM_FILE, .len = sizeof(path.file) + 6 },
		   { .kind = XFILE_PATH }, "/etc/x" },
	  sock = { { .kind = XITEM_FILE, .len = sizeof(sock.file) },
		   { .kind = XFILE_SOCKET, .family = AF_INET, .local_port = 443,
		     .remote_port = 51122, .local = { 10, 0, 0, 1 }, .remote = { 10, 0, 0, 7 } }, "" };
	static struct {
		struct told dir, file;
	} opened;
	struct xcap_record r = call("curl", 7, "read", -2);
	struct { struct told cwd, sock; } both;

	r.data = (const __u8 *)&path;
	r.caplen = sizeof(path);
	assert_true(keeps("fd.path^=/etc and ret<0", r));
	assert_true(keeps("fd.path=/etc/x", r));
	assert_false(keeps("fd.path=/etc/", r));
	assert_true(keeps("fd.path!=/etc/", r));
	/* openat() with a directory's descriptor: both are asked */
	opened.dir = opened.file = path;
	opened.file.item.arg = XITEM_RESULT;
	memcpy(opened.dir.path, "/tmp/d", 6);
	r.data = (const __u8 *)&opened;
	r.caplen = sizeof(opened);
	assert_true(keeps("fd.path=/etc/x", r));
	assert_true(keeps("fd.path=/tmp/d", r));
	assert_false(keeps("fd.path!=/tmp/d", r));
	opened.dir.item.flags = XITEM_CWD;
	assert_false(keeps("fd.path=/tmp/d", r));
	opened.dir.item.flags = 0;
	r.caplen = sizeof(opened.dir);		/* it failed */
	assert_true(keeps("fd.path=/tmp/d", r));
	r.data = (const __u8 *)&path;
	r.caplen = sizeof(path);
	assert_false(keeps("fd.port=443", r));
	assert_false(keeps("fd.port!=443", r));
	r.data = (const __u8 *)&sock;
	r.caplen = sizeof(sock) - sizeof(sock.path);
	assert_true(keeps("fd.port=443", r));
	assert_true(keeps("fd.port=51122", r));
	assert_false(keeps("fd.port=80", r));
	assert_true(keeps("fd.port>50000", r));
	assert_true(keeps("fd.ip=10.0.0.7", r));
	assert_true(keeps("fd.ip=10.0.0.0/24", r));
	assert_false(keeps("fd.ip=10.0.1.0/24", r));
	assert_false(keeps("fd.ip=::/0", r));
	assert_false(keeps("fd.path^=/", r));
	both.cwd = path;
	both.sock = sock;
	both.cwd.item.flags = XITEM_CWD;
	r.data = (const __u8 *)&both;
	r.caplen = sizeof(both) - sizeof(sock.path);
	assert_true(keeps("fd.port=443", r));
	assert_false(keeps("fd.path^=/etc", r));	/* no descriptor: where the process is */
	both.cwd.item.flags = 0;
	assert_true(keeps("fd.path^=/etc and fd.port=443", r));
	r.data = (const __u8 *)&sock;
	r.caplen = sizeof(sock) - sizeof(sock.path);
	r.caplen--;			/* damaged: nothing is known */
	assert_false(keeps("fd.port=443", r));
	assert_false(keeps("fd.ip!=1.2.3.4", r));
}

static void mistakes_are_told(void **state)
{
	static const struct { const char *text, *says; } wrong[] = {
		{ "proc.nam=x", "there is no field proc.nam, but proc.name" },
		{ "proc.pid=x", "proc.pid takes a number" },
		{ "proc.pid=", "needs a value" },
		{ "proc.tree=bash", "proc.tree takes the number of a process" },
		{ "proc.tree=0", "proc.tree takes the number of a process" },
		{ "proc.tree>5", "cannot be compared" },
		{ "proc.pid=1 proc.pid=2", "is missing" },
		{ "(proc.pid=1", "not closed" },
		{ "proc.pid=1)", "no parenthesis to close" },
		{ "tcp and and proc.pid=1", "a term is missing" },
		{ "syscall=nosuch", "there is no system call" },
		{ "proc.name='a", "the quote is not closed" },
		{ "proc.name<a", "cannot be compared" },
		{ "proc.pid=1 and prt 80", "does not compile" },
	};
	static const uint32_t ethernet = XCAP_LINK_ETHERNET;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error err = { "" };
		struct filter *f = NULL;

		assert_int_equal(filter_compile(&f, wrong[i].text, &ethernet, 1, &err), -EINVAL);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s: %s", wrong[i].text, err.text);
	}
}

/* What never is so of packets may be of calls: libpcap must not see through it. */
static void no_packet_at_all_is_no_mistake(void **state)
{
	assert_false(keeps("proc.name=a and not evt.type=packet", packet("a", 1, 2, 3)));
	assert_true(keeps("proc.name=a and not evt.type=packet", call("a", 1, "read", 0)));
	assert_false(keeps("(evt.type=packet or syscall=read) and not evt.type=packet",
			   packet("a", 1, 2, 3)));
	assert_true(keeps("(evt.type=packet or syscall=read) and not evt.type=packet",
			  call("a", 1, "read", 0)));
}

/* Pieces of filters in any order, from a generator without luck: nothing but an answer comes. */
static void nonsense_is_answered(void **state)
{
	static const char *const pieces[] = {
		"(", ")", "and", "or", "not", "!", "proc.pid=1", "proc.name", "=", "in", "(1,2", "tcp",
		"port 80", "'", "\"", "\\", "syscall in (read)", "ret<0", "443", "vlan", "&&", "||",
	};
	static const uint32_t ethernet = XCAP_LINK_ETHERNET;
	uint32_t seed = 1;

	for (int i = 0; i < 20000; i++) {
		struct filter *f = NULL;
		char text[256] = "";
		int nr;

		for (nr = 0; nr < i % 12; nr++) {
			seed = seed * 1664525 + 1013904223;
			strcat(text, pieces[(seed >> 8) % (sizeof(pieces) / sizeof(pieces[0]))]);
			strcat(text, seed >> 30 ? " " : "");
		}
		if (!filter_compile(&f, text, &ethernet, 1, NULL)) {
			struct xcap_record r = packet("x", 1, 80, 81);

			filter_match(f, &r);
			r = call("x", 1, "read", -1);
			filter_match(f, &r);
			filter_free(f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_worlds_are_asked),
		cmocka_unit_test(packets_are_judged_by_libpcap),
		cmocka_unit_test(the_kernels_part_keeps_at_least_as_much),
		cmocka_unit_test(fields_mean_what_they_say),
		cmocka_unit_test(trees_are_numbered_as_they_are_named),
		cmocka_unit_test(trees_that_calls_must_be_of),
		cmocka_unit_test(too_many_trees_are_told),
		cmocka_unit_test(entries_and_exits_differ),
		cmocka_unit_test(switches_have_two_tasks),
		cmocka_unit_test(other_links_have_other_offsets),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(explanations_are_cut),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(no_packet_at_all_is_no_mistake),
		cmocka_unit_test(nonsense_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
