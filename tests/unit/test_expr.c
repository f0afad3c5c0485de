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
		cmocka_unit_test(too_many_trees_are_told),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(nonsense_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
