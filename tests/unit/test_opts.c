// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   option structs of callers older and newer than the library.
 * Out:  that both understand one another, or say that they cannot.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "opts.h"

struct now { size_t sz; int a, b; };
struct old { size_t sz; int a; };
struct future { size_t sz; int a, b, c, d; };

static void null_is_all_defaults(void **state)
{
	struct now o = { 1, 2, 3 };

	assert_int_equal(opts_in(&o, sizeof(o), NULL), 0);
	assert_int_equal(o.a, 0);
	assert_int_equal(o.b, 0);
}

static void old_caller_leaves_new_fields_default(void **state)
{
	struct { struct old o; int rubbish[4]; } old = {
		{ sizeof(struct old), 5 }, { 9, 9, 9, 9 }
	};
	struct now o;

	/* the struct ends at its padding, so its size is what is looked at */
	old.o.sz = offsetof(struct now, b);
	assert_int_equal(opts_in(&o, sizeof(o), &old), 0);
	assert_int_equal(o.a, 5);
	assert_int_equal(o.b, 0);
}

static void newer_caller_is_fine_while_it_asks_nothing_new(void **state)
{
	struct future f = { sizeof(f), 1, 2, 0, 0 };
	struct now o;

	assert_int_equal(opts_in(&o, sizeof(o), &f), 0);
	assert_int_equal(o.b, 2);
	f.c = 1;
	assert_int_equal(opts_in(&o, sizeof(o), &f), -E2BIG);
}

static void size_that_is_none_is_refused(void **state)
{
	struct now o, theirs = { 0, 1, 1 };

	assert_int_equal(opts_in(&o, sizeof(o), &theirs), -EINVAL);
	theirs.sz = 7;
	assert_int_equal(opts_in(&o, sizeof(o), &theirs), -EINVAL);
	assert_int_equal(opts_out(&theirs, &o, sizeof(o)), -EINVAL);
	assert_int_equal(opts_out(NULL, &o, sizeof(o)), -EINVAL);
}

static void out_fills_what_there_is_room_for(void **state)
{
	struct now ours = { 0, 1, 2 };
	struct future f = { sizeof(f), 7, 7, 7, 7 };
	struct now small = { offsetof(struct now, b), 7, 7 };

	assert_int_equal(opts_out(&f, &ours, sizeof(ours)), 0);
	assert_int_equal(f.sz, sizeof(ours));
	assert_int_equal(f.b, 2);
	assert_int_equal(opts_out(&small, &ours, sizeof(ours)), 0);
	assert_int_equal(small.a, 1);
	assert_int_equal(small.b, 7);
	assert_int_equal(small.sz, offsetof(struct now, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_all_defaults),
		cmocka_unit_test(old_caller_leaves_new_fields_default),
		cmocka_unit_test(newer_caller_is_fine_while_it_asks_nothing_new),
		cmocka_unit_test(size_that_is_none_is_refused),
		cmocka_unit_test(out_fills_what_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
