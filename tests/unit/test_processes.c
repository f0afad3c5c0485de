// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   task and image records as the programs make them.
 * Out:  that a process has the right program at each time, and that what is lent stays.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "clock.h"
#include "processes.h"

static void task(struct processes *t, int64_t ns, uint32_t pid, uint32_t ppid, uint32_t what)
{
	struct xcap_ev_task ev = { .ev = { .mono_ns = ns, .pid = pid, .tid = pid },
				   .what = what, .ppid = ppid, .maker = ppid,
				   .start_ns = 1000 + pid };

	processes_task(t, &ev);
}

static void image(struct processes *t, int64_t ns, uint32_t pid, const char *exe, const char *args,
		  size_t args_len, uint8_t flags)
{
	size_t exe_len = strlen(exe) + 1;
	struct xcap_ev_image *ev = calloc(1, sizeof(*ev) + exe_len + args_len);

	assert_non_null(ev);
	ev->ev = (struct xcap_ev){ .mono_ns = ns, .pid = pid, .tid = pid, .flags = flags };
	ev->exe_len = exe_len;
	ev->args_len = args_len;
	memcpy(ev->text, exe, exe_len);
	memcpy(ev->text + exe_len, args, args_len);
	processes_image(t, ev);
	free(ev);
}

static const char *exe_at(struct processes *t, uint32_t pid, int64_t ns)
{
	const struct xcap_process *p = processes_at(t, pid, ns);

	return p ? p->exe : "-";
}

static void programs_hold_from_their_exec_on(void **state)
{
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	assert_string_equal(exe_at(t, 7, 100), "-");
	task(t, 10, 1, 0, XTASK_SEED);
	image(t, 11, 1, "/bin/bash", "bash\0-l", 8, XEV_SEED);
	task(t, 100, 7, 1, XTASK_FORK);
	assert_string_equal(exe_at(t, 7, 110), "/bin/bash");
	image(t, 120, 7, "/bin/ls", "ls", 3, 0);
	assert_string_equal(exe_at(t, 7, 110), "/bin/bash");
	assert_string_equal(exe_at(t, 7, 120), "/bin/ls");
	assert_int_equal(processes_at(t, 7, 120)->ppid, 1);
	assert_int_equal(processes_at(t, 1, 120)->args_len, 8);
	assert_memory_equal(processes_at(t, 1, 120)->args, "bash\0-l", 8);
	assert_int_equal(processes_at(t, 7, 120)->start_ns - processes_at(t, 1, 120)->start_ns, 6);
	processes_free(t);
	epoch_close(&epoch);
}

static void a_pid_that_is_used_again_is_another_process(void **state)
{
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	task(t, 10, 7, 1, XTASK_FORK);
	image(t, 11, 7, "/bin/first", "a", 2, 0);
	task(t, 20, 7, 1, XTASK_GONE);
	task(t, 30, 7, 2, XTASK_FORK);
	image(t, 31, 7, "/bin/second", "b", 2, 0);
	assert_string_equal(exe_at(t, 7, 15), "/bin/first");
	assert_string_equal(exe_at(t, 7, 35), "/bin/second");
	assert_int_equal(processes_at(t, 7, 35)->ppid, 2);
	processes_free(t);
	epoch_close(&epoch);
}

static void a_seed_does_not_undo_what_is_younger(void **state)
{
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	task(t, 10, 7, 1, XTASK_FORK);
	image(t, 11, 7, "/bin/new", "n", 2, 0);
	task(t, 12, 7, 1, XTASK_SEED);
	image(t, 13, 7, "/bin/old", "o", 2, XEV_SEED);
	assert_string_equal(exe_at(t, 7, 20), "/bin/new");
	/* one that had none yet takes it */
	task(t, 14, 8, 1, XTASK_SEED);
	image(t, 15, 8, "", "[x]", 4, XEV_SEED);
	assert_string_equal(processes_at(t, 8, 20)->args, "[x]");
	processes_free(t);
	epoch_close(&epoch);
}

static void what_is_lent_outlives_its_process(void **state)
{
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);
	const struct xcap_process *p;
	uint8_t parity;

	task(t, 10, 7, 1, XTASK_FORK);
	image(t, 11, 7, "/bin/lent", "x", 2, 0);
	p = processes_at(t, 7, 12);
	parity = epoch_lend(&epoch);
	task(t, 20, 7, 1, XTASK_GONE);
	for (uint32_t pid = 100; pid < 4000; pid++) {
		task(t, 3 * NS_PER_SEC + pid, pid, 1, XTASK_FORK);
		task(t, 3 * NS_PER_SEC + pid, pid, 1, XTASK_GONE);
		epoch_turn(&epoch);
	}
	assert_string_equal(exe_at(t, 7, 12), "-");
	assert_string_equal(p->exe, "/bin/lent");	/* under ASan: not freed */
	epoch_back(&epoch, parity);
	epoch_turn(&epoch);
	epoch_turn(&epoch);
	assert_null(epoch.retired[0]);
	assert_null(epoch.retired[1]);
	processes_free(t);
	epoch_close(&epoch);
}

static void the_table_stays_small(void **state)
{
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	for (int64_t i = 1; i < 20000; i++) {
		task(t, i * NS_PER_MS, i, 1, XTASK_FORK);
		image(t, i * NS_PER_MS, i, "/bin/true", "true", 5, 0);
		task(t, i * NS_PER_MS + 1, i, 1, XTASK_GONE);
	}
	assert_in_range(processes_count(t), 1, 4000);
	for (int i = 0; i < 1000; i++)
		image(t, 30 * NS_PER_SEC + i, 5, "/bin/again", "a", 2, 0);
	assert_string_equal(exe_at(t, 5, 31 * NS_PER_SEC), "/bin/again");
	processes_free(t);
	epoch_close(&epoch);
}

/* Somebody was made at that time. */
static void made(struct processes *t, int64_t ns, uint32_t pid, uint32_t maker, uint32_t what,
		 int64_t start_ns)
{
	struct xcap_ev_task ev = { .ev = { .mono_ns = ns, .pid = pid, .tid = pid }, .what = what,
				   .ppid = what == XTASK_FORK ? 1 : maker, .maker = maker,
				   .start_ns = start_ns };

	processes_task(t, &ev);
}

static uint32_t trees_at(struct processes *t, uint32_t pid, int64_t ns)
{
	return processes_trees(processes_at(t, pid, ns));
}

static void descendants_are_followed(void **state)
{
	static const uint32_t pids[] = { 50, 60, 70 };
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	/* the numbers have wrapped: a child is listed before its parent */
	processes_follow(t, pids, 3);
	made(t, 1000, 20, 40, XTASK_SEED, 9);
	made(t, 1001, 40, 50, XTASK_SEED, 8);
	made(t, 1002, 45, 1, XTASK_SEED, 8);
	assert_int_equal(trees_at(t, 20, 1001), 0);
	made(t, 1003, 50, 1, XTASK_SEED, 7);
	assert_int_equal(trees_at(t, 50, 1010), 1);
	assert_int_equal(trees_at(t, 40, 1010), 1);
	assert_int_equal(trees_at(t, 20, 1010), 1);
	assert_int_equal(trees_at(t, 45, 1010), 0);
	assert_int_equal(processes_followed(t), 3);
	/* forked by a process that is not its parent; executes; its maker ends */
	made(t, 1100, 21, 20, XTASK_FORK, 1100);
	image(t, 1110, 21, "/bin/ls", "ls", 3, 0);
	task(t, 1120, 20, 40, XTASK_GONE);
	assert_int_equal(processes_followed(t), 3);
	made(t, 1130, 22, 21, XTASK_FORK, 1130);
	assert_int_equal(trees_at(t, 21, 1140), 1);
	assert_int_equal(trees_at(t, 22, 1140), 1);
	/* one in the other's tree */
	made(t, 1150, 60, 22, XTASK_FORK, 1150);
	made(t, 1160, 61, 60, XTASK_FORK, 1160);
	assert_int_equal(trees_at(t, 61, 1170), 3);
	/* nobody is followed; others are */
	processes_follow(t, NULL, 0);
	assert_int_equal(trees_at(t, 61, 1170), 0);
	assert_int_equal(processes_followed(t), 0);
	processes_follow(t, pids + 1, 1);
	assert_int_equal(trees_at(t, 61, 1170), 1);
	assert_int_equal(trees_at(t, 22, 1170), 0);
	assert_int_equal(processes_followed(t), 2);
	processes_free(t);
	epoch_close(&epoch);
}

static void a_followed_pid_that_is_used_again_is_not_followed(void **state)
{
	static const uint32_t pid = 50;
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	processes_follow(t, &pid, 1);
	made(t, 1000, 50, 1, XTASK_SEED, 7);
	made(t, 1100, 51, 50, XTASK_FORK, 1100);
	task(t, 1200, 50, 1, XTASK_GONE);
	made(t, 1300, 50, 9, XTASK_FORK, 1300);
	made(t, 1310, 52, 50, XTASK_FORK, 1310);
	assert_int_equal(trees_at(t, 50, 1100), 1);
	assert_int_equal(trees_at(t, 50, 1320), 0);
	assert_int_equal(trees_at(t, 52, 1320), 0);
	assert_int_equal(trees_at(t, 51, 1320), 1);
	/* what is older than who has the number now was not made by it */
	processes_follow(t, &pid, 1);
	assert_int_equal(trees_at(t, 50, 1320), 1);
	assert_int_equal(trees_at(t, 52, 1320), 1);
	assert_int_equal(trees_at(t, 51, 1320), 0);
	processes_free(t);
	epoch_close(&epoch);
}

static void who_ends_before_it_was_listed_is_a_link_all_the_same(void **state)
{
	static const uint32_t pid = 50;
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);

	processes_follow(t, &pid, 1);
	made(t, 1000, 41, 40, XTASK_FORK, 1000);	/* 40 is not known yet */
	made(t, 1010, 40, 50, XTASK_GONE, 8);
	made(t, 1020, 41, 1, XTASK_SEED, 1000);
	made(t, 1030, 50, 1, XTASK_SEED, 7);
	assert_int_equal(trees_at(t, 41, 1040), 1);
	assert_int_equal(processes_followed(t), 2);
	processes_free(t);
	epoch_close(&epoch);
}

static void a_process_lives_as_long_as_a_thread(void **state)
{
	static const uint32_t pid = 50;
	struct epoch epoch = { 0 };
	struct processes *t = processes_new(&epoch);
	struct xcap_ev_task last = { .ev = { .mono_ns = 1020, .pid = 50, .tid = 58 },
				     .what = XTASK_GONE };

	processes_follow(t, &pid, 1);
	made(t, 1000, 50, 1, XTASK_FORK, 1000);
	task(t, 1010, 50, 1, XTASK_EXIT);
	assert_int_equal(processes_followed(t), 1);
	processes_task(t, &last);
	assert_int_equal(processes_followed(t), 0);
	/* packets of its sockets come later than other records */
	for (uint32_t i = 0; i < 4000; i++) {
		made(t, 20 * NS_PER_SEC + i, 1000 + i, 1, XTASK_FORK, 2000);
		task(t, 20 * NS_PER_SEC + i, 1000 + i, 1, XTASK_GONE);
	}
	assert_int_equal(trees_at(t, 50, 1015), 1);
	processes_free(t);
	epoch_close(&epoch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_hold_from_their_exec_on),
		cmocka_unit_test(a_pid_that_is_used_again_is_another_process),
		cmocka_unit_test(a_seed_does_not_undo_what_is_younger),
		cmocka_unit_test(what_is_lent_outlives_its_process),
		cmocka_unit_test(the_table_stays_small),
		cmocka_unit_test(descendants_are_followed),
		cmocka_unit_test(a_followed_pid_that_is_used_again_is_not_followed),
		cmocka_unit_test(who_ends_before_it_was_listed_is_a_link_all_the_same),
		cmocka_unit_test(a_process_lives_as_long_as_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
