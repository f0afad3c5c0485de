// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of totals: of one process, of its number's next one, of others.
 * Out:  the last of each row is kept, the largest first, and nothing is lost.
 * Owns: nothing.
 * Runs on: anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <xcap.h>
#include "probe.h"

static void put(struct totals *t, uint32_t pid, const char *call, uint64_t count)
{
	struct xcap_record rec = { .type = XCAP_PROBE, .pid = pid, .tid = pid };
	struct answer a = { .rec = &rec, .container = "", .nr = 2, .fields = {
		{ .name = "call", .kind = XCAP_FIELD_TEXT, .text = call, .text_len = strlen(call) },
		{ .name = "count", .kind = XCAP_FIELD_UNSIGNED, .value = count },
	} };

	assert_int_equal(totals_put(t, &a), 0);
}

static void expect(const struct totals *t, int i, uint32_t pid, const char *call, uint64_t count)
{
	const struct answer *a = totals_at(t, i);

	assert_int_equal(a->rec->pid, pid);
	assert_string_equal(a->fields[0].text, call);
	assert_int_equal(a->fields[1].value, count);
}

static void grows(void **state)
{
	struct totals *t = totals_new();

	(void)state;
	put(t, 42, "read", 3);
	put(t, 42, "write", 5);
	put(t, 42, "read", 7);
	put(t, 43, "read", 7);
	assert_int_equal(totals_sort(t), 3);
	expect(t, 0, 42, "read", 7);
	expect(t, 1, 43, "read", 7);
	expect(t, 2, 42, "write", 5);
	totals_free(t);
}

/* A row that the kernel's table forgot, and began anew. */
static void next_of_its_number(void **state)
{
	struct totals *t = totals_new();

	(void)state;
	put(t, 42, "read", 11);
	for (int i = 0; i < 2; i++) {
		put(t, 42, "read", 3);
		put(t, 42, "read", 7);
		put(t, 42, "read", 7);
	}
	assert_int_equal(totals_sort(t), 3);
	expect(t, 0, 42, "read", 11);
	expect(t, 1, 42, "read", 7);
	expect(t, 2, 42, "read", 7);
	totals_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows), cmocka_unit_test(next_of_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
