// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the interfaces of this network namespace, and trouble in asking for them.
 * Out:  pass when trouble is not taken for an answer.
 * Owns: nothing; it stands before libmnl and can fail its callbacks.
 * Runs on: one thread, no privilege.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <libmnl/libmnl.h>
#include <cmocka.h>
#include "netdev.h"

#define LO 1

static int nr_interrupted;	/* dumps that are still to fail */
static int fail_at;		/* the how manieth message of each */
static int nr_messages;

int mnl_cb_run(const void *buf, size_t len, unsigned int seq, unsigned int portid, mnl_cb_t fn,
	       void *user)
{
	int (*real)(const void *, size_t, unsigned int, unsigned int, mnl_cb_t, void *);
	int ret;

	*(void **)&real = dlsym(RTLD_NEXT, "mnl_cb_run");
	ret = real(buf, len, seq, portid, fn, user);
	if (!nr_interrupted || ++nr_messages < fail_at)
		return ret;
	nr_messages = 0;
	nr_interrupted--;
	errno = EINTR;		/* what libmnl makes of NLM_F_DUMP_INTR */
	return -1;
}

static int count(const struct netdev *dev, void *user)
{
	++*(int *)user;
	return 0;
}

static void an_interrupted_dump_is_tried_again(void **state)
{
	struct error err = { "" };
	int all = 0, again;
	struct netdev dev;

	assert_int_equal(netdev_each(count, &all, &err), 0);
	assert_true(all >= 1);
	for (fail_at = 1; fail_at <= 3; fail_at++) {
		nr_interrupted = 3;
		again = nr_messages = 0;
		assert_int_equal(netdev_each(count, &again, &err), 0);
		assert_int_equal(nr_interrupted, 0);
		assert_int_equal(again, all);	/* and none is in it twice */
	}
	assert_string_equal(err.text, "");
	fail_at = 1;
	nr_interrupted = 1000;
	assert_int_equal(netdev_get("lo", &dev, &err), -EINTR);
	nr_interrupted = 0;
	assert_true(err.text[0]);
}

static void gone_is_not_out_of_descriptors(void **state)
{
	struct rlimit before, none;

	assert_int_equal(netdev_exists(LO), 1);
	assert_int_equal(netdev_exists(INT32_MAX), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(netdev_exists(LO), 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interrupted_dump_is_tried_again),
		cmocka_unit_test(gone_is_not_out_of_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
