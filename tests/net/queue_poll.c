// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   queue_poll SPEC
 * Out:  how many records came until the end, which is told; exit 1 if nobody tells for 10 s.
 * Owns: the capture.
 * Runs on: one thread, which sleeps in poll() and never in the library.
 */
#include <poll.h>
#include <stdio.h>
#include <xcap.h>

int main(int argc, char **argv)
{
	struct pollfd p = { .events = POLLIN };
	struct xcap_record r;
	unsigned long nr = 0;
	struct xcap *x;
	int n;

	if (argc != 2 || xcap_open(&x, argv[1], NULL)) {
		fprintf(stderr, "%s\n", argc == 2 ? xcap_errmsg(NULL) : "queue_poll SPEC");
		return 2;
	}
	p.fd = xcap_fd(x);
	fprintf(stderr, "reading\n");
	while ((n = xcap_next(x, &r, 0)) >= 0) {
		if (n) {
			xcap_release(x, &r, 1);
			nr++;
		} else if (poll(&p, 1, 10000) == 0) {
			fprintf(stderr, "nothing for 10 s, and no end\n");
			return 1;
		}
	}
	printf("%lu records; %s\n", nr, xcap_errmsg(x));
	xcap_close(x);
	return 0;
}
