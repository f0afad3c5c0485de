// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   filters with process terms, records made here.
 * Out:  that what the kernel is told refuses nothing that is kept, refuses what it can, and says
 *       of itself truly whether anything is left to user space.
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
#include "expr.h"
#include "expr_random.h"
#include "filter.h"
#include "wanted.h"

static struct xcap_wanted w;
static struct expr_split split;

/* Return: false: the kernel would refuse nothing. */
static bool plan(const char *text)
{
	struct error err = { "" };
	struct expr *e = NULL;
	bool any;

	if (expr_parse(&e, text, &err) || !e)
		fail_msg("%s: %s", text, err.text);
	any = expr_wanted(e, &w, &split);
	expr_free(e);
	return any;
}

/* How many terms the kernel is asked. */
static int asked(void)
{
	int bits = 0;

	for (int i = 0; i < 8; i++)
		bits |= w.asks[i];
	return __builtin_popcount(bits);
}

static struct xcap_record record(int type, const char *name, const char *comm, uint32_t pid,
				 int64_t ret)
{
	struct xcap_record r = { .type = type, .pid = pid, .tid = pid + 1, .uid = 5 };

	strncpy(r.comm, comm, sizeof(r.comm) - 1);
	if (type == XCAP_SYS_ENTER) {
		r.enter.nr = xcap_syscall_nr(name, 0);
	} else if (type == XCAP_SYS_EXIT) {
		r.exit.nr = xcap_syscall_nr(name, 0);
		r.exit.ret = ret;
	}
	return r;
}

static bool wants(int type, const char *name, const char *comm, uint32_t pid, int64_t ret)
{
	struct xcap_record r = record(type, name, comm, pid, ret);

	return kernel_wants(&w, &r);
}

#define ENTER(...) wants(XCAP_SYS_ENTER, __VA_ARGS__, 0)
#define EXIT(...) wants(XCAP_SYS_EXIT, __VA_ARGS__)

static void numbers_need_no_task(void **state)
{
	assert_true(plan("syscall in (connect,accept4)"));
	assert_true(split.whole && !split.calls.user && !split.calls.kernel && !asked());
	for (int exit = 0; exit < 2; exit++)
		for (int compat = 0; compat < 2; compat++)
			for (int nr = 0; nr < XCAP_NR_SYSCALLS; nr++) {
				bool named = nr == xcap_syscall_nr("connect", compat) ||
					     nr == xcap_syscall_nr("accept4", compat);

				assert_true(xcap_wanted_table(&w, exit, compat, nr) ==
					    (named ? UINT64_MAX : 0));
			}
	assert_true(!w.tables[w.switches] && !xcap_wanted_table(&w, 0, 0, UINT32_MAX));
	/* what is no number is not connect */
	assert_true(plan("syscall!=connect"));
	assert_true(xcap_wanted_table(&w, 1, 0, UINT32_MAX) == UINT64_MAX);
}

static void tasks_and_results_are_asked(void **state)
{
	assert_true(plan("proc.name in (nginx,curl) and proc.pid!=7 and syscall=read"));
	assert_true(split.whole && asked() == 2);
	assert_true(ENTER("read", "nginx", 8) && ENTER("read", "curl", 8));
	assert_false(ENTER("read", "nginx", 7) || ENTER("read", "ngin", 8));
	assert_false(ENTER("read", "nginxx", 8) || ENTER("write", "nginx", 8));
	assert_true(plan("ret<0 or errno=ENOENT or proc.uid=6"));
	assert_true(split.whole);
	assert_false(ENTER("read", "x", 8) || EXIT("read", "x", 8, 0));
	assert_true(EXIT("read", "x", 8, -1));
	assert_true(plan("errno!=ENOENT"));
	assert_true(EXIT("read", "x", 8, -1) && !EXIT("read", "x", 8, -2));
	assert_false(EXIT("read", "x", 8, 1) || EXIT("read", "x", 8, -4096));
	assert_true(plan("proc.name^=ng and proc.tid in (9,10)"));
	assert_true(ENTER("read", "ng", 8) && ENTER("read", "nginx", 9) && !ENTER("read", "n", 8));
	assert_true(plan("(proc.pid=1 and syscall=read) or (proc.pid=2 and not syscall=read)"));
	assert_true(split.whole && asked() == 2);
	assert_true(ENTER("read", "x", 1) && !ENTER("read", "x", 2) && ENTER("write", "x", 2));
}

static void a_switch_is_of_both_its_tasks(void **state)
{
	struct xcap_record r = record(XCAP_SWITCH, NULL, "a", 1, 0);

	strcpy(r.sw.next_comm, "b");
	r.sw.next_pid = 2;
	r.sw.next_tid = 0;
	assert_true(plan("proc.name=b and proc.pid=1"));
	assert_true(split.whole && kernel_wants(&w, &r));
	assert_true(plan("proc.name!=b"));
	assert_false(kernel_wants(&w, &r));
	assert_true(plan("proc.tid=0 and proc.uid=5"));
	assert_true(kernel_wants(&w, &r));
	assert_true(plan("ret=0 or evt.type!=switch"));
	assert_false(kernel_wants(&w, &r));
}

static void the_rest_is_left_open(void **state)
{
	assert_true(plan("syscall=read and proc.exe=/bin/sh"));
	assert_true(!split.whole && split.calls.user == 2 && !asked());
	assert_true(ENTER("read", "x", 1) && !ENTER("write", "x", 1));
	assert_true(plan("not (syscall=read or proc.name*=x)"));
	assert_true(ENTER("write", "x", 1) && !ENTER("read", "y", 1) && !split.whole);
	/* for all but reads it is decided, whatever the program is */
	assert_true(plan("proc.name=a and (proc.exe=/bin/sh or not syscall=read)"));
	assert_true(ENTER("write", "a", 1) && ENTER("read", "a", 1) && !ENTER("read", "b", 1));
	assert_false(plan("proc.exe=/bin/sh"));
	assert_false(plan("proc.args*=x or proc.pid=1"));
}

static void packet_terms_say_nothing_of_calls(void **state)
{
	assert_false(plan("tcp port 80 and evt.type in (packet,syscall,switch)"));
	assert_true(plan("tcp port 80 or proc.pid=1"));
	assert_true(split.whole && ENTER("read", "x", 1) && !ENTER("read", "x", 2));
	assert_true(plan("tcp and evt.type=packet"));
	assert_true(!ENTER("read", "x", 1) && !EXIT("read", "x", 1, 0) && !w.tables[w.switches]);
}

/* More terms, values and kinds of answers than there is room for: then less is refused. */
static void what_has_no_room_is_left_open(void **state)
{
	char text[4096] = "proc.pid in (1";

	for (int i = 2; i <= XWANT_RANGES + 1; i++)
		sprintf(text + strlen(text), ",%d", i);
	strcat(text, ")");
	assert_false(plan(text));
	assert_int_equal(split.calls.user, 1);
	strcpy(text, "proc.pid=0");
	for (int i = 1; i <= XWANT_TERMS; i++)
		sprintf(text + strlen(text), " or proc.pid=%d", i);
	assert_false(plan(text));
	assert_int_equal(asked(), XWANT_TERMS);
	assert_int_equal(split.calls.user, (2 << XWANT_TERMS) - 1);
	/* the same one again takes none */
	strcpy(text, "proc.pid=1");
	for (int i = 0; i < 40; i++)
		strcat(text, " or proc.pid=1");
	assert_true(plan(text) && split.whole && asked() == 1);
	/* six terms, by the six bits of a number: an answer of its own for each of 64 calls */
	text[0] = '\0';
	for (int bit = 0; bit < XWANT_TERMS; bit++) {
		sprintf(text + strlen(text), "%s(proc.tid=%d and syscall in (", bit ? " or " : "",
			bit + 2);
		for (int nr = 0; nr < 64; nr++)
			if (nr >> bit & 1)
				sprintf(text + strlen(text), "%d ", nr);
		strcat(text, "))");
	}
	assert_true(plan(text) && !split.whole);
	for (int nr = 0; nr < 64; nr++)
		for (int bit = 0; bit < XWANT_TERMS; bit++)
			assert_true(!(nr >> bit & 1) || ENTER(xcap_syscall_name(nr, 0), "x", bit + 1));
	assert_true(!ENTER("read", "x", 2) && !ENTER("write", "x", 2) && ENTER("write", "x", 1));
}

/* The bytes of a generator without luck; fuzz_expr goes on from here. */
static void what_is_kept_is_never_refused(void **state)
{
	int kept_some = 0, refused_some = 0, whole = 0;
	uint32_t seed = 1;

	for (int i = 0; i < 3000; i++) {
		struct error err = { "" };
		struct expr *e = NULL;
		uint8_t bytes[600];
		char text[4096];
		struct dice d = { bytes, bytes + sizeof(bytes) };

		for (size_t k = 0; k < sizeof(bytes); k++) {
			seed = seed * 1664525 + 1013904223;
			bytes[k] = seed >> 24;
		}
		random_filter(&d, text, sizeof(text));
		if (expr_parse(&e, text, &err) || !e)
			continue;
		expr_wanted(e, &w, &split);
		whole += split.whole;
		for (int k = 0; k < 60; k++) {
			struct xcap_record r = random_call(&d);
			bool kept = expr_match(e, &r), wanted = kernel_wants(&w, &r);

			if ((kept && !wanted) || (split.whole && kept != wanted))
				fail_msg("%s: type %d: kept %d, wanted %d", text, r.type, kept, wanted);
			kept_some += kept;
			refused_some += !wanted;
		}
		expr_free(e);
	}
	assert_true(kept_some > 10000 && refused_some > 10000 && whole > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_need_no_task),
		cmocka_unit_test(tasks_and_results_are_asked),
		cmocka_unit_test(a_switch_is_of_both_its_tasks),
		cmocka_unit_test(the_rest_is_left_open),
		cmocka_unit_test(packet_terms_say_nothing_of_calls),
		cmocka_unit_test(what_has_no_room_is_left_open),
		cmocka_unit_test(what_is_kept_is_never_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
