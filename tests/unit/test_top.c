// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records and facts made by hand and by chance, honest and hostile.
 * Out:  whether the tables of xcap top count, forget, bound and sort as they should, and lines are
 *       as wide as they say.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <wchar.h>
#include <cmocka.h>
#include "top_cells.h"
#include "top_columns.h"
#include "top_facts.h"
#include "xcap_event.h"

#define SECOND 1000000000LL
#define START (77 * SECOND + 5)

static struct top *new_top(uint32_t max_rows, uint32_t idle)
{
	struct top_opts opts = { .max_rows = max_rows, .idle = idle };
	struct top *t;

	assert_int_equal(top_new(&t, &opts), 0);
	return t;
}

/* A packet of a process with this number, which is all of its key. */
static struct top_facts fact(uint32_t pid, int64_t ns, uint32_t bytes, int way)
{
	struct top_facts f = {
		.mono_ns = ns, .have = 1u << TOP_PROCESS, .packet = true, .where = 1,
		.add = { [TOP_PACKETS_IN] = 1, [TOP_BYTES_IN] = bytes },
	};

	f.key[TOP_PROCESS].len = 4;
	memcpy(f.key[TOP_PROCESS].bytes, &pid, 4);
	f.way[TOP_PROCESS] = way;
	return f;
}

static void add(struct top *t, uint32_t pid, int64_t ns, uint32_t bytes, int way)
{
	struct top_facts f = fact(pid, ns, bytes, way);

	top_add(t, &f);
}

static const struct top_row *row_of(struct top *t, uint32_t pid)
{
	struct top_facts f = fact(pid, 0, 0, 0);

	return top_find(t, TOP_PROCESS, &f.key[TOP_PROCESS]);
}

static void test_rates(void **state)
{
	struct top *t = new_top(0, 0);
	const struct top_row *row;

	for (int i = 0; i < 13; i++)
		add(t, 7, START + i, 100, TOP_IN);
	add(t, 7, START + 13, 11, TOP_OUT);
	row = row_of(t, 7);
	assert_int_equal(row->total[TOP_PACKETS_IN], 13);
	assert_int_equal(row->last[TOP_PACKETS_IN], 0);	/* its interval runs */
	top_time(t, START + SECOND - 1);
	assert_int_equal(row_of(t, 7)->last[TOP_PACKETS_IN], 0);
	top_time(t, START + SECOND);
	row = row_of(t, 7);
	assert_int_equal(row->last[TOP_PACKETS_IN], 13);
	assert_int_equal(row->last[TOP_BYTES_OUT], 11);
	assert_int_equal(row->bytes[0], 1311);
	assert_int_equal(row->events[0], 14);
	assert_true(top_value(t, row, TOP_BY_BYTES) == 1311);
	/* a record opens its interval by itself */
	add(t, 7, START + SECOND * 3 / 2, 3, TOP_OUT);
	add(t, 7, START + 2 * SECOND, 5, TOP_OUT);
	row = row_of(t, 7);
	assert_int_equal(row->last[TOP_BYTES_OUT], 3);
	assert_int_equal(row->total[TOP_BYTES_OUT], 19);
	assert_int_equal(row->bytes[1], 3);
	/* nothing for a while: no rate, and the history has moved on */
	top_time(t, START + 2 * SECOND + (TOP_HISTORY + 1) * SECOND);
	row = row_of(t, 7);
	assert_int_equal(row->last[TOP_BYTES_OUT], 0);
	for (int i = 0; i < TOP_HISTORY; i++)
		assert_int_equal(row->bytes[i], 0);
	/* late: in the interval that runs, and never lost */
	add(t, 7, START, 17, TOP_IN);
	assert_int_equal(row_of(t, 7)->total[TOP_BYTES_IN], 1317);
	assert_int_equal(top_sum(t)->total[TOP_BYTES_IN], 1300 + 11 + 3 + 5 + 17);
	top_free(t);
}

static void test_interval(void **state)
{
	struct top_opts opts = { .interval_ns = 10 * SECOND };
	struct top *t;

	assert_int_equal(top_new(&t, &opts), 0);
	add(t, 1, START, 5000, TOP_IN);
	assert_int_equal(top_interval_end(t), START + 10 * SECOND);
	top_time(t, START + 10 * SECOND);
	assert_true(top_value(t, row_of(t, 1), TOP_BY_BYTES_IN) == 500);
	top_reset(t);
	assert_null(row_of(t, 1));
	assert_int_equal(top_nr_rows(t, TOP_PROCESS), 0);
	assert_int_equal(top_interval_end(t), INT64_MIN);
	add(t, 2, 5, 1, TOP_IN);
	assert_int_equal(row_of(t, 2)->total[TOP_BYTES_IN], 1);
	top_free(t);
}

/* All that was told to a view. */
static uint64_t all_bytes(struct top *t)
{
	static const struct top_row *rows[TOP_MAX_ROWS];
	uint32_t nr = top_pick(t, TOP_PROCESS, TOP_BY_BYTES, false, rows, TOP_MAX_ROWS);
	uint64_t sum = top_other(t, TOP_PROCESS)->total[TOP_BYTES_IN] +
		       top_gone(t, TOP_PROCESS)->total[TOP_BYTES_IN];

	assert_int_equal(nr, top_nr_rows(t, TOP_PROCESS));
	for (uint32_t i = 0; i < nr; i++)
		sum += rows[i]->total[TOP_BYTES_IN];
	return sum;
}

static void test_idle(void **state)
{
	struct top *t = new_top(0, 10);

	for (int i = 0; i < 101; i++)
		add(t, i, START, 3, TOP_IN);
	for (int s = 1; s < 40; s++)
		add(t, 5, START + s * SECOND, 2, TOP_IN);
	assert_int_equal(top_nr_rows(t, TOP_PROCESS), 1);
	assert_non_null(row_of(t, 5));
	assert_int_equal(top_gone(t, TOP_PROCESS)->total[TOP_BYTES_IN], 300);
	assert_int_equal(all_bytes(t), 303 + 78);
	add(t, 6, START + 40 * SECOND, 1, TOP_IN);	/* it comes back, with nothing */
	assert_int_equal(row_of(t, 6)->total[TOP_BYTES_IN], 1);
	assert_int_equal(all_bytes(t), 303 + 78 + 1);
	top_free(t);
}

static void test_bounds(void **state)
{
	struct top *t = new_top(97, 0);

	for (int i = 0; i < 1009; i++)
		add(t, i, START, 10, TOP_IN);
	assert_int_equal(top_nr_rows(t, TOP_PROCESS), 97);
	assert_int_equal(top_refused(t, TOP_PROCESS), 912);
	assert_int_equal(top_other(t, TOP_PROCESS)->total[TOP_BYTES_IN], 9120);
	assert_int_equal(all_bytes(t), 10090);
	top_free(t);

	t = new_top(0, 0);	/* and at the real bound */
	for (uint32_t i = 0; i < TOP_MAX_ROWS + 101; i++)
		add(t, i, START, 1, TOP_IN);
	assert_int_equal(top_nr_rows(t, TOP_PROCESS), TOP_MAX_ROWS);
	assert_int_equal(all_bytes(t), TOP_MAX_ROWS + 101);
	top_free(t);

	t = new_top(97, 60);	/* who was idle makes room for who is not */
	for (int i = 0; i < 97; i++)
		add(t, i, START, 10, TOP_IN);
	add(t, 1, START + 20 * SECOND, 10, TOP_IN);
	add(t, 1000, START + 20 * SECOND, 10, TOP_IN);
	assert_int_equal(top_nr_rows(t, TOP_PROCESS), 2);
	assert_int_equal(top_refused(t, TOP_PROCESS), 0);
	assert_int_equal(all_bytes(t), 990);
	top_free(t);
}

/* ---- the first of many ---- */

static struct top *sorted_top;
static enum top_value sorted_by;

static int by_value(const void *a, const void *b)
{
	const struct top_row *const *x = a, *const *y = b;
	double v = top_value(sorted_top, *x, sorted_by), w = top_value(sorted_top, *y, sorted_by);

	if (v != w)
		return v > w ? -1 : 1;
	return (*x)->number < (*y)->number ? -1 : 1;
}

static void test_pick(void **state)
{
	enum { NR = 5003 };
	static const struct top_row *all[NR], *some[NR];
	static const uint32_t wanted[] = { 0, 1, 2, 19, 20, 1000, NR - 1, NR };
	struct top *t = new_top(0, 0);
	uint32_t n = 0;

	assert_int_equal(top_pick(t, TOP_PROCESS, TOP_BY_BYTES, false, some, NR), 0);
	srandom(5);
	for (int i = 0; i < 20011; i++)		/* with many that are equal */
		add(t, random() % NR, START, random() % 4, random() % 2);
	for (int i = 0; i < NR; i++)
		add(t, i, START, 0, TOP_IN);
	top_time(t, START + SECOND);
	for (uint32_t i = 0; i < NR; i++)
		all[n++] = row_of(t, i);
	sorted_top = t;
	for (sorted_by = 0; sorted_by < TOP_BY_NAME; sorted_by++) {
		qsort(all, NR, sizeof(*all), by_value);
		for (size_t w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++) {
			assert_int_equal(top_pick(t, TOP_PROCESS, sorted_by, false, some, wanted[w]),
					 wanted[w]);
			assert_memory_equal(some, all, wanted[w] * sizeof(*all));
		}
		for (int i = 0; i < NR; i += 997)
			assert_int_equal(top_rank(t, TOP_PROCESS, sorted_by, false, all[i]), i);
	}
	/* smallest first: equal ones still in the order in which they were made */
	top_pick(t, TOP_PROCESS, TOP_BY_BYTES, true, some, 101);
	for (int i = 1; i < 101; i++) {
		double a = top_value(t, some[i - 1], TOP_BY_BYTES);
		double b = top_value(t, some[i], TOP_BY_BYTES);

		assert_true(a < b || (a == b && some[i - 1]->number < some[i]->number));
	}
	top_pick(t, TOP_PROCESS, TOP_BY_NAME, false, some, 3);
	assert_memory_equal(some[0]->key.bytes, "\0\0\0", 4);	/* "(unknown)", "[1000]", ... */
	top_free(t);
}

static void test_copy(void **state)
{
	struct top *t = new_top(0, 0), *copy;

	for (int i = 0; i < 1009; i++)
		add(t, i, START, i, TOP_IN);
	top_time(t, START + SECOND);
	assert_int_equal(top_copy(&copy, t), 0);
	for (int i = 0; i < 1009; i++)
		add(t, i, START + SECOND, 1000, TOP_IN);
	top_time(t, START + 2 * SECOND);
	assert_int_equal(all_bytes(copy), 1009 * 1008 / 2);
	assert_int_equal(row_of(copy, 1008)->last[TOP_BYTES_IN], 1008);
	assert_int_equal(row_of(t, 1008)->last[TOP_BYTES_IN], 1000);
	top_free(t);
	top_free(copy);
}

/* ---- facts ---- */

static struct xcap_record packet(uint8_t *frame, const char *src, const char *dst, uint16_t sport,
				 uint16_t dport, int direction)
{
	static const uint8_t head[] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0,
	};
	struct xcap_record r = {
		.type = XCAP_PACKET, .data = frame, .caplen = 42, .len = 60, .ifindex = 3,
		.direction = direction, .packet.linktype = XCAP_LINK_ETHERNET, .mono_ns = START,
		.pid = 99, .tid = 99, .comm = "nginx",
	};

	memset(frame, 0, 42);
	memcpy(frame, head, sizeof(head));
	memcpy(frame + 26, src, 4);
	memcpy(frame + 30, dst, 4);
	frame[34] = sport >> 8;
	frame[35] = sport;
	frame[36] = dport >> 8;
	frame[37] = dport;
	frame[39] = 8;
	return r;
}

#define US "\x0a\0\0\1"
#define THEM "\x0a\0\0\2"

static const char *text_of(struct top *t, enum top_view view, const struct top_key *key)
{
	static char text[TOP_TEXT_MAX];
	const struct top_row *row = top_find(t, view, key);

	assert_non_null(row);
	top_row_text(view, row, text, sizeof(text));
	return text;
}

static void test_flows(void **state)
{
	struct top_facts_state *s;
	struct top *t = new_top(0, 0);
	struct top_facts f, back;
	const struct top_row *row;
	struct xcap_record r;
	uint8_t frame[42];

	assert_int_equal(top_facts_new(&s), 0);
	top_facts_source(s, 0, "tap:eth0?snaplen=128");
	/* they speak first, so we stand left all the same */
	r = packet(frame, THEM, US, 5353, 53, XCAP_DIR_IN);
	assert_true(top_facts(s, &f, &r));
	top_add(t, &f);
	r = packet(frame, US, THEM, 53, 5353, XCAP_DIR_OUT);
	r.len = 77;
	assert_true(top_facts(s, &back, &r));
	assert_false(top_again(t, &back));
	top_add(t, &back);
	assert_memory_equal(&f.key[TOP_FLOW], &back.key[TOP_FLOW], sizeof(f.key[0]));
	assert_string_equal(text_of(t, TOP_FLOW, &f.key[TOP_FLOW]),
			    "10.0.0.1:53 > 10.0.0.2:5353 udp");
	row = top_find(t, TOP_FLOW, &f.key[TOP_FLOW]);
	assert_int_equal(row->total[TOP_BYTES_IN], 60);
	assert_int_equal(row->total[TOP_BYTES_OUT], 77);
	assert_string_equal(text_of(t, TOP_PORT, &f.key[TOP_PORT]), "udp 53");
	row = top_find(t, TOP_PORT, &f.key[TOP_PORT]);
	assert_int_equal(row->total[TOP_BYTES_IN], 60);
	row = top_find(t, TOP_HOST, &back.host2);
	assert_string_equal(text_of(t, TOP_HOST, &back.host2), "10.0.0.2");
	assert_int_equal(row->total[TOP_BYTES_IN], 77);
	assert_int_equal(row->total[TOP_BYTES_OUT], 60);
	assert_string_equal(text_of(t, TOP_PROCESS, &f.key[TOP_PROCESS]), "nginx[99]");
	row = top_find(t, TOP_PROCESS, &f.key[TOP_PROCESS]);
	assert_int_equal(row->total[TOP_BYTES_OUT], 77);
	assert_string_equal(text_of(t, TOP_INTERFACE, &f.key[TOP_INTERFACE]), "eth0");
	/* the same at another interface counts there alone */
	r.ifindex = 4;
	r.source = 1;
	top_facts_source(s, 1, "tap:docker0");
	assert_true(top_facts(s, &back, &r));
	back.again = top_again(t, &back);
	assert_true(back.again);
	top_add(t, &back);
	assert_int_equal(row->total[TOP_BYTES_OUT], 77);
	assert_int_equal(top_sum(t)->total[TOP_PACKETS_IN] + top_sum(t)->total[TOP_PACKETS_OUT], 2);
	assert_string_equal(text_of(t, TOP_INTERFACE, &back.key[TOP_INTERFACE]), "docker0");
	/* until the flow has left the first */
	r.mono_ns += 5 * SECOND;
	assert_true(top_facts(s, &back, &r));
	top_time(t, r.mono_ns);
	assert_false(top_again(t, &back));
	top_facts_free(s);
	top_free(t);
}

static void test_conditions(void **state)
{
	struct top_facts_state *s;
	struct top_condition c[2];
	struct xcap_record r;
	struct top_facts f;
	uint8_t frame[42];

	assert_int_equal(top_facts_new(&s), 0);
	r = packet(frame, THEM, US, 5353, 53, XCAP_DIR_IN);
	top_facts(s, &f, &r);
	c[0] = (struct top_condition){ TOP_HOST, f.host2 };
	c[1] = (struct top_condition){ TOP_PROCESS, f.key[TOP_PROCESS] };
	assert_true(top_facts_match(&f, c, 2));
	r = packet(frame, US, THEM, 1, 2, XCAP_DIR_OUT);
	top_facts(s, &f, &r);
	assert_true(top_facts_match(&f, c, 2));
	r.pid = 98;
	top_facts(s, &f, &r);
	assert_true(top_facts_match(&f, c, 1));
	assert_false(top_facts_match(&f, c, 2));
	r = packet(frame, THEM, THEM, 1, 2, XCAP_DIR_OUT);
	top_facts(s, &f, &r);
	assert_false(top_facts_match(&f, c, 1));
	top_facts_free(s);
}

static void test_calls(void **state)
{
	static const __u64 args[6];
	struct xcap_record r = {
		.type = XCAP_SYS_ENTER, .pid = 99, .tid = 100, .comm = "worker", .mono_ns = START,
		.enter = { .nr = 0, .args = args },
	};
	struct xcap_process p = { .exe = "/usr/sbin/nginx", .args = "" };
	struct top *t = new_top(0, 0);
	const struct top_row *row;
	struct top_facts_state *s;
	struct top_facts f;

	r.process = &p;
	r.enter.nr = xcap_syscall_nr("read", 0);
	assert_int_equal(top_facts_new(&s), 0);
	assert_true(top_facts(s, &f, &r));
	top_add(t, &f);
	r.type = XCAP_SYS_EXIT;
	r.exit.nr = r.enter.nr;
	r.exit.ret = 4099;
	r.mono_ns += 1234;
	assert_true(top_facts(s, &f, &r));
	top_add(t, &f);
	row = top_find(t, TOP_SYSCALL, &f.key[TOP_SYSCALL]);
	assert_int_equal(row->total[TOP_CALLS], 1);
	assert_int_equal(row->total[TOP_READ], 4099);
	assert_int_equal(row->total[TOP_WAIT_NS], 1234);
	assert_int_equal(row->total[TOP_WAITED], 1);
	assert_string_equal(text_of(t, TOP_SYSCALL, &f.key[TOP_SYSCALL]), "read");
	/* a thread's own name is not the process's */
	assert_string_equal(text_of(t, TOP_PROCESS, &f.key[TOP_PROCESS]), "nginx[99]");
	/* an exit without its entry has no latency; errors are none of its bytes */
	r.exit.ret = -11;
	assert_true(top_facts(s, &f, &r));
	top_add(t, &f);
	assert_int_equal(row->total[TOP_WAITED], 1);
	assert_int_equal(row->total[TOP_ERRORS], 1);
	assert_int_equal(row->total[TOP_READ], 4099);
	/* an address is no error */
	r.exit.ret = -5000;
	assert_true(top_facts(s, &f, &r));
	assert_int_equal(f.add[TOP_ERRORS], 0);
	/* what the kernel lost is told by its source */
	r = (struct xcap_record){ .type = XCAP_LOSS, .loss = { .count = 4099 }, .mono_ns = START };
	assert_true(top_facts(s, &f, &r));
	top_add(t, &f);
	assert_int_equal(top_sum(t)->total[TOP_LOST], 4099);
	assert_int_equal(top_find(t, TOP_INTERFACE, &f.key[TOP_INTERFACE])->total[TOP_LOST], 4099);
	top_facts_free(s);
	top_free(t);
}

/* An exit of openat whose result is this file. */
static struct top_facts opened(struct top_facts_state *s, uint8_t *items, const char *path)
{
	struct xcap_ev_item head = {
		.arg = XITEM_RESULT, .kind = XITEM_FILE,
		.len = sizeof(struct xcap_ev_file) + strlen(path),
	};
	struct xcap_ev_file file = { .kind = XFILE_PATH, .ino = 7 };
	struct xcap_record r = {
		.type = XCAP_SYS_EXIT, .pid = 9, .tid = 9, .comm = "cat", .mono_ns = START,
		.data = items, .caplen = sizeof(head) + ((head.len + 7) & ~7u),
		.exit = { .nr = xcap_syscall_nr("openat", 0), .ret = 3 },
	};
	struct top_facts f;

	memcpy(items, &head, sizeof(head));
	memcpy(items + sizeof(head), &file, sizeof(file));
	memcpy(items + sizeof(head) + sizeof(file), path, strlen(path));
	assert_true(top_facts(s, &f, &r));
	return f;
}

static void test_files(void **state)
{
	struct top *t = new_top(0, 0);
	struct top_facts_state *s;
	struct top_facts f, other;
	char a[300] = "/a/", b[300] = "/b/", want[TOP_TEXT_MAX];
	uint8_t items[600];

	assert_int_equal(top_facts_new(&s), 0);
	f = opened(s, items, "/etc/\x1bpasswd");
	top_add(t, &f);
	assert_string_equal(text_of(t, TOP_FILE, &f.key[TOP_FILE]), "/etc/\x1bpasswd");
	assert_int_equal(top_find(t, TOP_FILE, &f.key[TOP_FILE])->total[TOP_CALLS], 1);
	assert_int_equal(top_sum(t)->total[TOP_CALLS], 0);	/* its entry is the call */
	/* long paths: their ends are shown, and all of them is what they are known by */
	memset(a + 3, 'x', 250);
	memset(b + 3, 'x', 250);
	f = opened(s, items, a);
	top_add(t, &f);
	other = opened(s, items, b);
	top_add(t, &other);
	assert_int_equal(top_nr_rows(t, TOP_FILE), 3);
	snprintf(want, sizeof(want), "...%s", a + 253 - (TOP_NAME_MAX - 3));
	assert_string_equal(text_of(t, TOP_FILE, &f.key[TOP_FILE]), want);
	/* as long as a key may be, and one more */
	for (size_t len = TOP_KEY_MAX - 3; len < TOP_KEY_MAX + 2; len++) {
		memset(a, 'k', len);
		a[len] = '\0';
		f = opened(s, items, a);
		top_add(t, &f);
		assert_string_equal(text_of(t, TOP_FILE, &f.key[TOP_FILE]), a);
	}
	assert_int_equal(top_nr_rows(t, TOP_FILE), 8);
	top_facts_free(s);
	top_free(t);
}

/* What a call on a TCP socket with these ends belongs to. */
static struct top_facts called(struct top_facts_state *s, uint8_t *items,
			       const struct xcap_ev_file *file)
{
	struct xcap_ev_item head = { .arg = 0, .kind = XITEM_FILE, .len = sizeof(*file) };
	static const __u64 args[6];
	struct xcap_record r = {
		.type = XCAP_SYS_ENTER, .pid = 9, .tid = 9, .comm = "nc", .mono_ns = START,
		.data = items, .caplen = sizeof(head) + ((head.len + 7) & ~7u),
		.enter = { .nr = xcap_syscall_nr("write", 0), .args = args },
	};
	struct top_facts f;

	memset(items, 0, r.caplen);
	memcpy(items, &head, sizeof(head));
	memcpy(items + sizeof(head), file, sizeof(*file));
	assert_true(top_facts(s, &f, &r));
	return f;
}

/* A socket is a row among the flows as soon as its packets would be that row, and not before. */
static void test_sockets(void **state)
{
	const unsigned int net = 1u << TOP_FLOW | 1u << TOP_PORT | 1u << TOP_HOST;
	struct xcap_ev_file v4 = {
		.kind = XFILE_SOCKET, .family = 2, .protocol = 6, .type = 1,
		.local_port = 34426, .remote_port = 9,
		.local = { 10, 9, 0, 1 }, .remote = { 10, 9, 0, 2 },
	}, v6 = v4, half;
	struct top_facts_state *s;
	struct top_facts f, g;
	uint8_t items[128];

	assert_int_equal(top_facts_new(&s), 0);
	f = called(s, items, &v4);
	assert_int_equal(f.have & net, net);
	v6.family = 10;		/* ::ffff:10.9.0.1 */
	memcpy(v6.local, (uint8_t[16]){ [10] = 255, 255, 10, 9, 0, 1 }, 16);
	memcpy(v6.remote, (uint8_t[16]){ [10] = 255, 255, 10, 9, 0, 2 }, 16);
	g = called(s, items, &v6);
	assert_int_equal(g.have & net, net);
	for (int v = 0; v < TOP_VIEWS; v++)
		if (net >> v & 1)
			assert_memory_equal(&f.key[v], &g.key[v], sizeof(f.key[v]));
	half = v4;
	half.local_port = 0;
	assert_int_equal(called(s, items, &half).have & net, 0);
	half = v4;
	half.remote_port = 0;
	assert_int_equal(called(s, items, &half).have & net, 0);
	half = v4;
	memset(half.local, 0, sizeof(half.local));
	assert_int_equal(called(s, items, &half).have & net, 0);
	memset(v6.local + 12, 0, 4);
	assert_int_equal(called(s, items, &v6).have & net, 0);
	top_facts_free(s);
}

/* Sums of all, and rates of an interval that was cut, until the next one. */
static void test_value_of(void **state)
{
	struct top *t = new_top(0, 0);
	const struct top_row *row;

	add(t, 7, START, 100, TOP_IN);
	add(t, 7, START + SECOND, 11, TOP_IN);
	top_time(t, START + 2 * SECOND);
	row = row_of(t, 7);
	assert_true(top_value(t, row, TOP_BY_BYTES) == 11);
	top_value_of(t, SECOND / 4);
	assert_true(top_value(t, row, TOP_BY_BYTES) == 44);
	assert_false(top_value_is_sum(t));
	top_value_of(t, 0);
	assert_true(top_value_is_sum(t));
	assert_true(top_value(t, row, TOP_BY_BYTES) == 111);
	assert_true(top_value(t, row, TOP_BY_PACKETS) == 2);
	assert_true(top_value(t, row, TOP_BY_TOTAL_EVENTS) == 2);
	add(t, 7, START + 2 * SECOND, 3, TOP_IN);
	top_time(t, START + 3 * SECOND);
	assert_true(top_value(t, row_of(t, 7), TOP_BY_BYTES) == 3);
	top_free(t);
}

/* Whatever a packet has, no key is longer than there is room, and text ends. */
static void test_hostile(void **state)
{
	struct top_facts_state *s;
	struct top *t = new_top(1000, 3);
	static uint8_t bytes[300];
	char part[TOP_TEXT_MAX];

	srandom(11);
	assert_int_equal(top_facts_new(&s), 0);
	for (int n = 0; n < 30011; n++) {
		struct xcap_record r = {
			.type = 1 + random() % 6, .data = bytes, .caplen = random() % 300,
			.len = random(), .direction = random() % 3, .pid = random() % 50,
			.tid = random() % 50, .mono_ns = START + n * (SECOND / 997),
			.source = random() % 500,
		};
		struct xcap_cgroup g = {
			.id = 1 + random() % 70, .path = "/a/\x1b[2J\xff", .runtime = "docker",
			.container = random() % 2 ? "\xf0\x9f\x98\x80\x9b" : "",
			.container_name = "\n", .pod = "", .unit = "",
		};
		__u64 args[6] = { 0 };
		struct top_facts f;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = random();
		if (random() % 2)	/* or it would hardly ever be IP */
			memcpy(bytes + 12, random() % 2 ? "\x08\0\x45" : "\x86\xdd\x60", 3);
		for (int i = 0; i < 15; i++)
			r.comm[i] = random();
		if (r.type == XCAP_PACKET)
			r.packet.linktype = XCAP_LINK_ETHERNET;
		else if (r.type == XCAP_SYS_ENTER)
			r.enter.args = args, r.enter.nr = random() % 2000;
		else if (r.type == XCAP_SYS_EXIT)
			r.exit.nr = random() % 2000, r.exit.ret = random() - RAND_MAX / 2;
		r.cgroup = random() % 3 ? &g : NULL;
		r.cgroup_id = r.cgroup ? g.id : 0;
		if (!top_facts(s, &f, &r))
			continue;
		f.again = top_again(t, &f);
		top_add(t, &f);
		for (int v = 0; v < TOP_VIEWS; v++) {
			const struct top_row *row = f.have & 1u << v ? top_find(t, v, &f.key[v]) : NULL;

			for (int i = 0; row && top_row_part(v, row, i, part, sizeof(part)); i++)
				assert_true(strlen(part) < sizeof(part));
			for (size_t size = 1; row && size < 24; size += 5) {
				memset(part, 0x55, sizeof(part));
				assert_true(top_row_text(v, row, part, size) < size);
				assert_int_equal(part[size], 0x55);
			}
		}
	}
	top_facts_free(s);
	top_free(t);
}

/* ---- lines ---- */

/* Columns of a line as a terminal sees it; -1: something in it steers, or is no character. */
static int columns(const char *text)
{
	int sum = 0, n;
	wchar_t c;

	mbtowc(NULL, NULL, 0);
	for (; *text; text += n) {
		n = mbtowc(&c, text, MB_CUR_MAX);
		if (n <= 0 || wcwidth(c) <= 0)
			return -1;
		sum += wcwidth(c);
	}
	return sum;
}

static void test_lines(void **state)
{
	static const char *const bad[] = {
		"\x1b[2J", "a\nb\tc", "\xff\xfe", "\u202e\u200b\u0301", "\u4e2d\u6587\u5b57",
		"\U0001f600\U0001f600", "\xc2\x9b", "\xe4\xb8", "caf\u00e9", "\xf4\x90\x80\x80",
	};
	struct top_line l;
	char bytes[64];
	size_t len;

	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	srandom(3);
	for (int n = 0; n < 20011; n++) {
		int width = random() % 30, at = random() % 5;

		len = random() % sizeof(bytes);
		for (size_t i = 0; i < len; i++)
			bytes[i] = random();
		if (random() % 2) {
			const char *one = bad[random() % 10];

			len = strlen(one);
			memcpy(bytes, one, len);
		}
		top_line_start(&l, 40, random() % 2);
		top_line_pad(&l, at);
		if (random() % 2)
			top_line_bytes(&l, bytes, len, width);
		else
			top_line_tail(&l, bytes, len, width);
		assert_int_equal(l.at, at + width);
		assert_int_equal(columns(l.text), at + width);
		assert_int_equal(strlen(l.text), l.len);
		top_line_print(&l, "%s", "behind it, and further than there is room for");
		assert_int_equal(columns(l.text), 40);
	}
	top_line_start(&l, 20, true);
	top_line_bytes(&l, "a\x1b" "b", 3, 10);
	assert_string_equal(l.text, "a\\x1bb    ");
	top_line_start(&l, 20, true);
	top_line_bytes(&l, "abcdef", 6, 4);
	assert_string_equal(l.text, "abc~");
	top_line_start(&l, 20, true);
	top_line_tail(&l, "abcdef", 6, 4);
	assert_string_equal(l.text, "~def");
	top_line_start(&l, 20, false);
	top_line_bytes(&l, "\u00e9", 2, 10);
	assert_string_equal(l.text, "\\xc3\\xa9  ");
}

static void test_bars(void **state)
{
	static const uint32_t values[8] = { 0, 1, 100, 200, 400, 800, UINT32_MAX, 0 };
	struct top_line l;

	top_line_start(&l, 20, false);
	top_line_bars(&l, values, 8);
	assert_string_equal(l.text, " .....# ");
	top_line_start(&l, 20, false);
	top_line_bars(&l, values, 6);
	assert_string_equal(l.text, " ..:=#");
	top_line_start(&l, 20, true);
	top_line_bars(&l, values, 6);
	assert_string_equal(l.text, " \u2581\u2581\u2582\u2584\u2588");
}

static void test_numbers(void **state)
{
	static const struct { enum top_value by; double n; const char *text; } known[] = {
		{ TOP_BY_CALLS, 0, "0" }, { TOP_BY_CALLS, 999, "999" }, { TOP_BY_CALLS, 0.5, "0.50" },
		{ TOP_BY_CALLS, 1000, "1.00k" }, { TOP_BY_CALLS, 999999, "1.00M" },
		{ TOP_BY_CALLS, 12345, "12.3k" }, { TOP_BY_CALLS, 99999, "100k" },
		{ TOP_BY_LATENCY, 0, "-" }, { TOP_BY_LATENCY, 1500, "1.50us" },
		{ TOP_BY_LATENCY, 2.5e9, "2.50s" },
	};
	char text[12];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		top_number(text, known[i].by, known[i].n);
		assert_string_equal(text, known[i].text);
	}
	for (double n = 0.001; n < 1e19; n *= 1.01) {
		top_number(text, TOP_BY_BYTES, n);
		assert_true(strlen(text) <= 6);
		top_number(text, TOP_BY_LATENCY, n < 1e15 ? n : 1);
		assert_true(strlen(text) <= 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates), cmocka_unit_test(test_interval),
		cmocka_unit_test(test_idle), cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_value_of), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_pick), cmocka_unit_test(test_copy),
		cmocka_unit_test(test_flows), cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_calls), cmocka_unit_test(test_files), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_lines), cmocka_unit_test(test_bars),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
