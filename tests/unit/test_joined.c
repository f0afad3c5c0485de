// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   random lengths, lent and given back in random runs.
 * Out:  pass when no two lent frames share a byte and a full ring says so.
 * Owns: the ring.
 * Runs on: one thread, no privilege.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "joined.h"

#define NR 1024		/* records lent at most, less one */

struct frame {
	uint8_t *at;
	uint32_t len;
	uint8_t mark;
};

/* Each frame is filled with its mark when it is lent; another's would show when it comes back. */
static void give_back(struct joined *j, const struct frame *f, int n)
{
	for (int i = 0; i < n; i++)
		for (uint32_t b = 0; b < f[i].len; b++)
			assert_int_equal(f[i].at[b], f[i].mark);
	joined_release(j, n);
}

static void frames_do_not_overlap(void **state)
{
	static struct frame f[NR];
	uint64_t refused = 0, lent = 0;
	struct joined j;
	int nr = 0;

	srandom(7);
	assert_int_equal(joined_open(&j, 1000000, NR), 0);
	assert_int_equal(j.size, 524288);
	for (int i = 0; i < 20000; i++) {
		uint32_t len = random() % 4 ? 3000 + random() % 7000 : 0;
		uint8_t *at = len ? joined_room(&j, len) : NULL;

		if (len && !at) {
			refused++;
			assert_true(nr > 0);	/* an empty ring has room for any frame */
		} else if (nr < NR - 1) {
			f[nr] = (struct frame){ .at = at, .len = len, .mark = ++lent };
			if (len)
				memset(at, f[nr].mark, len);
			joined_lend(&j, len);
			nr++;
		}
		if (nr && (random() % 100 == 0 || nr == NR - 1)) {
			int n = 1 + random() % nr;

			give_back(&j, f, n);
			memmove(f, f + n, (nr - n) * sizeof(*f));
			nr -= n;
		}
	}
	assert_true(refused > 0 && lent > 5000);
	joined_close(&j);
	joined_close(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
