// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the table of system calls, and the kernel headers of this machine.
 * Out:  that both say the same, in both directions.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <cmocka.h>
#include <xcap.h>

#define HEADERS "/usr/include/x86_64-linux-gnu/asm/"

static const char *const rows[] = {
#define C(name, ...) #name,
#include "syscall_names.h"
#undef C
};
#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static void rows_are_sorted_and_unique(void **state)
{
	for (size_t i = 1; i < NR_ROWS; i++)
		if (strcmp(rows[i - 1], rows[i]) >= 0)
			fail_msg("%s stands before %s", rows[i - 1], rows[i]);
}

static void each_number_leads_back_to_its_name(void **state)
{
	for (int compat = 0; compat <= 1; compat++)
		for (size_t i = 0; i < NR_ROWS; i++) {
			int nr = xcap_syscall_nr(rows[i], compat);

			if (nr == -ENOENT)
				continue;
			assert_in_range(nr, 0, 511);
			assert_string_equal(xcap_syscall_name(nr, compat), rows[i]);
		}
}

/* Each "#define __NR_name number" of a kernel header is in the table. */
static void header_agrees(const char *path, int compat)
{
	char line[256], name[64];
	FILE *f = fopen(path, "r");
	int nr, found = 0;

	if (!f)
		skip();
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "#define __NR_%63s %d", name, &nr) != 2)
			continue;
		if (xcap_syscall_nr(name, compat) != nr)
			fail_msg("%s: %s is %d, the table says %d", path, name, nr,
				 xcap_syscall_nr(name, compat));
		found++;
	}
	fclose(f);
	assert_in_range(found, 300, 512);
}

static void header_64_agrees(void **state)
{
	header_agrees(HEADERS "unistd_64.h", 0);
}

static void header_32_agrees(void **state)
{
	header_agrees(HEADERS "unistd_32.h", 1);
}

static void known_numbers(void **state)
{
	assert_int_equal(xcap_syscall_nr("write", 0), SYS_write);
	assert_int_equal(xcap_syscall_nr("getppid", 0), SYS_getppid);
#ifdef __x86_64__
	assert_int_equal(xcap_syscall_nr("write", 1), 4);
	assert_int_equal(xcap_syscall_nr("uretprobe", 0), 335);
	assert_int_equal(xcap_syscall_nr("uretprobe", 1), -ENOENT);
	assert_int_equal(xcap_syscall_nr("socketcall", 0), -ENOENT);
	assert_int_equal(xcap_syscall_nr("file_setattr", 1), 469);
#endif
}

static void what_is_not_there(void **state)
{
	assert_null(xcap_syscall_name(511, 0));
	assert_null(xcap_syscall_name(512, 0));
	assert_null(xcap_syscall_name(UINT32_MAX, 1));
	assert_int_equal(xcap_syscall_nr("", 0), -ENOENT);
	assert_int_equal(xcap_syscall_nr("writ", 0), -ENOENT);
	assert_int_equal(xcap_syscall_nr("writex", 1), -ENOENT);
	assert_null(xcap_syscall_arg("nosuch", 0, NULL));
	assert_null(xcap_syscall_arg("write", -1, NULL));
	assert_null(xcap_syscall_arg("write", 3, NULL));
	assert_null(xcap_syscall_arg("mmap", 6, NULL));
	assert_null(xcap_syscall_arg("getpid", 0, NULL));
}

static void arguments(void **state)
{
	char kind;

	assert_string_equal(xcap_syscall_arg("write", 0, &kind), "fd");
	assert_int_equal(kind, 'f');
	assert_string_equal(xcap_syscall_arg("write", 1, &kind), "buf");
	assert_int_equal(kind, 'p');
	assert_string_equal(xcap_syscall_arg("write", 2, &kind), "count");
	assert_int_equal(kind, 'u');
	assert_string_equal(xcap_syscall_arg("openat", 3, &kind), "mode");
	assert_int_equal(kind, 'o');
	assert_string_equal(xcap_syscall_arg("mmap", 5, NULL), "offset");
}

static void every_argument_has_a_kind_and_a_name(void **state)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		const char *arg;
		char kind = 0;

		for (int n = 0; (arg = xcap_syscall_arg(rows[i], n, &kind)); n++) {
			assert_non_null(strchr("dluxopf", kind));
			assert_true(strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
				    strlen(arg) && *arg);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_and_unique),
		cmocka_unit_test(each_number_leads_back_to_its_name),
		cmocka_unit_test(header_64_agrees),
		cmocka_unit_test(header_32_agrees),
		cmocka_unit_test(known_numbers),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(arguments),
		cmocka_unit_test(every_argument_has_a_kind_and_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
