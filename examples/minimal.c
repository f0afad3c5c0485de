// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   source specs as the first argument, else the syscalls of this host.
 * Out:  ten records.
 * Owns: the handle.
 * Runs on: one thread, as root.
 */
#include <stdio.h>
#include <xcap.h>

int main(int argc, char **argv)
{
	struct xcap_record r;
	struct xcap *x;

	if (xcap_open(&x, argc > 1 ? argv[1] : "syscalls", NULL)) {
		fprintf(stderr, "%s\n", xcap_errmsg(NULL));
		return 1;
	}
	for (int i = 0; i < 10 && xcap_next(x, &r, -1) == 1; i++) {
		printf("%lld %s %u bytes\n", (long long)r.wall_ns, r.comm, r.len);
		xcap_release(x, &r, 1);
	}
	xcap_close(x);
	return 0;
}
