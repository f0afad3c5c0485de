// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a queue whose records go on to a higher one: middle 'xcap:99@0?next=1'.
 * Out:  IPv4 packets, in the next queue; all others end here.
 * Owns: the handle.
 * Runs on: one thread, as a user whom the cluster serves.
 */
#include <stdio.h>
#include <xcap.h>

int main(int argc, char **argv)
{
	struct xcap_record r;
	struct xcap *x;

	if (xcap_open(&x, argc > 1 ? argv[1] : "xcap:99@0?next=1", NULL)) {
		fprintf(stderr, "%s\n", xcap_errmsg(NULL));
		return 1;
	}
	while (xcap_next(x, &r, -1) == 1) {
		if (r.type == XCAP_PACKET && r.caplen > 14 && r.data[12] == 8 && !r.data[13])
			xcap_hand_on(x, &r);
		xcap_release(x, &r, 1);
	}
	fprintf(stderr, "%s\n", xcap_errmsg(x));	/* "": the cluster has ended in order */
	xcap_close(x);
	return 0;
}
