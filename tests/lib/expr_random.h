/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   any bytes.
 * Out:  a filter with process terms, a record that is no packet: whatever the bytes make of them.
 * Owns: nothing.
 * Runs on: any thread.
 */
#ifndef EXPR_RANDOM_H
#define EXPR_RANDOM_H

#include <stdbool.h>
#include <xcap.h>
#include "cbpf_random.h"

#define ANY_OF(d, list) (list)[throw_dice(d, sizeof(list) / sizeof(*(list)))]

static const char *const random_names[] = {
	"a", "ab", "abc", "nginx", "xcap-wanted", "fifteen-letters", "sixteen-letters-", "b c", "",
};

static const char *const random_numbers[] = {
	"0", "1", "2", "3", "7", "-1", "-2", "-4095", "-4096", "4095", "4096", "0x7fffffff",
	"4294967295", "9223372036854775807", "-9223372036854775807",
};

static const char *const random_pids[] = { "1", "2", "7", "4095" };

static const char *const random_calls[] = {
	"read", "write", "connect", "getppid", "socketcall", "39", "511", "sigreturn",
};

/* A field, operators it has and values of it. */
static inline void process_term(struct dice *d, struct text *s)
{
	static const struct { const char *field, *values; } fields[] = {
		{ "proc.pid", "n" }, { "proc.tid", "n" }, { "proc.uid", "n" }, { "proc.ppid", "n" },
		{ "ret", "n" }, { "fd.num", "n" }, { "proc.name", "s" }, { "proc.exe", "s" },
		{ "proc.args", "s" }, { "proc.cgroup", "s" }, { "container", "s" },
		{ "proc.user", "s" }, { "syscall", "c" }, { "syscall", "c" }, { "errno", "e" },
		{ "evt.type", "t" }, { "evt.type", "t" }, { "proc.tree", "p" }, { "fd.port", "n" },
		{ "fd.path", "s" },
	};
	static const char *const numeric[] = { "=", "!=", "<", "<=", ">", ">=" };
	static const char *const textual[] = { "=", "!=", "^=", "*=" };
	static const char *const errors[] = { "ENOENT", "EPERM", "1", "-2", "4095", "5000", "0" };
	static const char *const types[] = { "packet", "syscall", "enter", "exit", "switch" };
	uint32_t i = throw_dice(d, sizeof(fields) / sizeof(*fields));
	char kind = fields[i].values[0];
	bool list = !throw_dice(d, 4);
	int nr = list ? 1 + throw_dice(d, throw_dice(d, 8) ? 4 : 20) : 1;

	say(s, "%s", fields[i].field);
	if (list)
		say(s, " in (");
	else if (kind == 'n')
		say(s, "%s", ANY_OF(d, numeric));
	else if (kind == 's' || kind == 'c')
		say(s, "%s", ANY_OF(d, textual));
	else
		say(s, "%s", throw_dice(d, 2) ? "=" : "!=");
	for (int k = 0; k < nr; k++) {
		const char *value = kind == 'p' ? ANY_OF(d, random_pids) : kind == 'n' ? ANY_OF(d, random_numbers) :
				    kind == 's' ? ANY_OF(d, random_names) :
				    kind == 'c' ? ANY_OF(d, random_calls) :
				    kind == 'e' ? ANY_OF(d, errors) : ANY_OF(d, types);

		say(s, "%s", k ? "," : "");
		say(s, "%s", kind == 's' ? "'" : "");
		say(s, "%s", value);
		say(s, "%s", kind == 's' ? "'" : "");
	}
	say(s, "%s", list ? ")" : "");
}

static inline void random_tree(struct dice *d, struct text *s, int depth)
{
	static const char *const packets[] = {
		"tcp", "port 80", "tcp port 443 or 80", "(udp or icmp)", "vlan", "ip[8] > 5",
	};
	int nr = 1 + throw_dice(d, 4);

	for (int i = 0; i < nr; i++) {
		if (i)
			say(s, "%s", throw_dice(d, 2) ? " and " : " or ");
		if (!throw_dice(d, 4))
			say(s, "%s", throw_dice(d, 2) ? "not " : "! ");
		if (depth && !throw_dice(d, 3)) {
			say(s, "(");
			random_tree(d, s, depth - 1);
			say(s, ")");
		} else if (!throw_dice(d, 6)) {
			say(s, "%s", ANY_OF(d, packets));
		} else {
			process_term(d, s);
		}
	}
}

static inline void random_filter(struct dice *d, char *out, size_t size)
{
	struct text s = { out, out + size };

	*out = '\0';
	random_tree(d, &s, 3);
}

static inline uint32_t random_id(struct dice *d)
{
	static const uint32_t ids[] = { 1, 2, 3, 7, 4095, 4096, 0x7fffffff };

	return ANY_OF(d, ids);
}

static inline void random_name(struct dice *d, char *name)
{
	memset(name, 0, 16);
	strncpy(name, ANY_OF(d, random_names), 15);
}

/* It knows its task, as what the kernel sees does. */
static inline struct xcap_record random_call(struct dice *d)
{
	static const int64_t results[] = { 0, 1, 2, 7, -1, -2, -4095, -4096, INT64_MAX, INT64_MIN,
					   0x7fffffff, -2147483648LL };
	static const uint32_t nrs[] = { 0, 1, 3, 4, 39, 42, 64, 102, 110, 119, 361, 511, 512, 0x40000001,
					UINT32_MAX };
	static const uint64_t args[6] = { 3, 2, 1 };
	static const struct xcap_process process = { .pid = 7, .ppid = 3, .exe = "abc", .args = "a\0b",
						     .args_len = 4 };
	struct xcap_record r = { .type = XCAP_SYS_ENTER + throw_dice(d, 3) };

	r.pid = random_id(d);
	r.tid = random_id(d);
	r.uid = throw_dice(d, 4);
	r.trees = throw_dice(d, 16);
	random_name(d, r.comm);
	r.process = throw_dice(d, 2) ? &process : NULL;
	if (r.type == XCAP_SWITCH) {
		r.sw.next_pid = throw_dice(d, 3) ? random_id(d) : 0;
		r.sw.next_tid = throw_dice(d, 3) ? random_id(d) : 0;
		random_name(d, r.sw.next_comm);
		return r;
	}
	r.flags = throw_dice(d, 3) ? 0 : XCAP_REC_COMPAT;
	if (r.type == XCAP_SYS_ENTER) {
		r.enter.nr = ANY_OF(d, nrs);
		r.enter.args = (const __u64 *)args;
		return r;
	}
	r.exit.nr = ANY_OF(d, nrs);
	r.exit.ret = ANY_OF(d, results);
	return r;
}

#endif
