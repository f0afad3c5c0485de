// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   /etc/passwd of this machine.
 * Out:  that its names are told, and nothing else.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>

static void every_id_has_the_first_of_its_names(void **state)
{
	FILE *f = fopen("/etc/passwd", "r");
	uint32_t seen[4096], nr = 0;
	struct passwd *p;

	assert_non_null(f);
	while ((p = fgetpwent(f)) && nr < 4096) {
		uint32_t i = 0;

		while (i < nr && seen[i] != p->pw_uid)
			i++;
		if (i < nr)
			continue;
		seen[nr++] = p->pw_uid;
		assert_non_null(xcap_user_name(p->pw_uid));
		assert_string_equal(xcap_user_name(p->pw_uid), p->pw_name);
	}
	fclose(f);
	assert_true(nr > 0);
}

static void who_is_not_there_has_no_name(void **state)
{
	assert_null(xcap_user_name(0xfffffff0));
	assert_null(xcap_user_name(0xffffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_id_has_the_first_of_its_names),
		cmocka_unit_test(who_is_not_there_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
