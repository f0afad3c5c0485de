// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   task records as the programs make them.
 * Out:  that a thread has the right name at each time, and that the table stays small.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "clock.h"
#include "tasks.h"

static void put(struct tasks *t, int64_t ns, uint32_t pid, uint32_t tid, uint32_t what,
		const char *comm, uint64_t cgroup)
{
	struct xcap_ev_task ev = { .ev = { .mono_ns = ns, .pid = pid, .tid = tid,
					   .type = XEV_TASK }, .what = what, .cgroup_id = cgroup };

	/* all 16 bytes, as none of ours has */
	memcpy(ev.comm, comm, strnlen(comm, sizeof(ev.comm)));
	assert_int_equal(tasks_apply(t, &ev), 0);
}

static const char *comm_at(struct tasks *t, uint32_t tid, int64_t ns)
{
	const struct task_name *n = tasks_at(t, tid, ns);

	return n ? n->comm : "-";
}

static void names_hold_from_their_time_on(void **state)
{
	struct tasks *t = tasks_new();

	assert_string_equal(comm_at(t, 7, 100), "-");
	put(t, 100, 7, 7, XTASK_FORK, "bash", 1);
	put(t, 200, 7, 7, XTASK_RENAME, "curl", 1);
	put(t, 300, 7, 7, XTASK_EXIT, "curl", 1);
	assert_string_equal(comm_at(t, 7, 150), "bash");
	assert_string_equal(comm_at(t, 7, 200), "curl");
	assert_string_equal(comm_at(t, 7, 1000), "curl");
	assert_string_equal(comm_at(t, 7, 50), "bash");		/* nothing older is known */
	put(t, 400, 7, 7, XTASK_FORK, "sh", 1);			/* the number is used again */
	assert_string_equal(comm_at(t, 7, 350), "curl");
	assert_string_equal(comm_at(t, 7, 400), "sh");
	tasks_free(t);
}

static void late_records_go_where_they_belong(void **state)
{
	struct tasks *t = tasks_new();

	put(t, 100, 7, 7, XTASK_FORK, "a", 1);
	put(t, 300, 7, 7, XTASK_RENAME, "c", 1);
	put(t, 200, 7, 7, XTASK_RENAME, "b", 1);
	assert_string_equal(comm_at(t, 7, 250), "b");
	assert_string_equal(comm_at(t, 7, 300), "c");
	for (int i = 0; i < 20; i++)		/* only the last few are kept, in order */
		put(t, 1000 + i, 7, 7, XTASK_RENAME, i % 2 ? "odd" : "even", 1);
	assert_string_equal(comm_at(t, 7, 1018), "even");
	assert_string_equal(comm_at(t, 7, 1019), "odd");
	put(t, 10, 7, 7, XTASK_RENAME, "older than all", 1);
	assert_string_equal(comm_at(t, 7, 1018), "even");
	tasks_free(t);
}

/* The program that hears of a new name runs before the name is written: a seed may read the old one. */
static void seed_does_not_undo_a_rename(void **state)
{
	struct tasks *t = tasks_new();

	put(t, 100, 7, 7, XTASK_RENAME, "new", 1);
	put(t, 101, 7, 7, XTASK_SEED, "old", 1);
	assert_string_equal(comm_at(t, 7, 200), "new");
	tasks_free(t);
}

static void long_name_ends(void **state)
{
	struct tasks *t = tasks_new();

	put(t, 1, 7, 7, XTASK_FORK, "0123456789abcdefXYZ", 1);
	assert_string_equal(comm_at(t, 7, 1), "0123456789abcde");
	tasks_free(t);
}

static void moving_a_process_moves_its_threads(void **state)
{
	struct tasks *t = tasks_new();

	put(t, 1, 7, 7, XTASK_FORK, "p", 11);
	put(t, 2, 7, 8, XTASK_FORK, "thread", 11);
	put(t, 3, 9, 9, XTASK_FORK, "other", 11);
	put(t, 10, 7, 7, XTASK_CGROUP_ALL, "p", 22);
	put(t, 11, 7, 8, XTASK_CGROUP, "thread", 33);	/* one thread alone */
	assert_int_equal(tasks_at(t, 8, 9)->cgroup_id, 11);
	assert_int_equal(tasks_at(t, 8, 10)->cgroup_id, 22);
	assert_int_equal(tasks_at(t, 7, 10)->cgroup_id, 22);
	assert_int_equal(tasks_at(t, 9, 10)->cgroup_id, 11);
	assert_string_equal(comm_at(t, 8, 10), "thread");
	assert_int_equal(tasks_at(t, 8, 11)->cgroup_id, 33);
	assert_int_equal(tasks_at(t, 7, 11)->cgroup_id, 22);
	tasks_free(t);
}

static void the_gone_are_forgotten(void **state)
{
	struct tasks *t = tasks_new();
	int64_t ns = 1;

	put(t, ns, 1, 1, XTASK_FORK, "init", 1);
	for (uint32_t tid = 2; tid < 100000; tid++) {
		put(t, ns, tid, tid, XTASK_FORK, "short", 1);
		ns += NS_PER_SEC / 1000;
		put(t, ns, tid, tid, XTASK_EXIT, "short", 1);
	}
	assert_true(tasks_count(t) < 5000);
	assert_string_equal(comm_at(t, 1, ns), "init");
	assert_string_equal(comm_at(t, 99999, ns), "short");
	tasks_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_hold_from_their_time_on),
		cmocka_unit_test(late_records_go_where_they_belong),
		cmocka_unit_test(seed_does_not_undo_a_rename),
		cmocka_unit_test(long_name_ends),
		cmocka_unit_test(moving_a_process_moves_its_threads),
		cmocka_unit_test(the_gone_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
