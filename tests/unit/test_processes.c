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
				   .what = what, .ppid = ppid, .start_ns = 1000 + pid };

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
	task(t, 20, 7, 1, XTASK_EXIT);
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
	task(t, 20, 7, 1, XTASK_EXIT);
	for (uint32_t pid = 100; pid < 4000; pid++) {
		task(t, 3 * NS_PER_SEC + pid, pid, 1, XTASK_FORK);
		task(t, 3 * NS_PER_SEC + pid, pid, 1, XTASK_EXIT);
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
		task(t, i * NS_PER_MS + 1, i, 1, XTASK_EXIT);
	}
	assert_in_range(processes_count(t), 1, 4000);
	for (int i = 0; i < 1000; i++)
		image(t, 30 * NS_PER_SEC + i, 5, "/bin/again", "a", 2, 0);
	assert_string_equal(exe_at(t, 5, 31 * NS_PER_SEC), "/bin/again");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
