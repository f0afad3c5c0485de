// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the accounts that xcap's captures on this host publish.
 * Out:  a row for each source and place where records were lost.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <stdio.h>
#include <string.h>
#include "drops_rows.h"
#include "running.h"

static const struct drops_means places[XCAP_DROP_MAX] = {
	[XCAP_DROP_NIC_MISSED] = { "the NIC had no buffer while it captured",
				   "xsk:IF?frames=, more queues", DROPS_WITHIN },
	[XCAP_DROP_XSK_NO_FRAME] = { "AF_XDP: no frame was free, or too small a one",
				     "xsk:IF?frames=; a faster reader", 0 },
	[XCAP_DROP_XSK_RING_FULL] = { "AF_XDP: the receive ring was full",
				      "xsk:IF?ring=; a faster reader, more queues", 0 },
	[XCAP_DROP_RING_FULL] = { "a BPF ring was full: its reader is too slow",
				  "a larger --ring; a filter; xcap balance", 0 },
	[XCAP_DROP_RECURSION] = { "a program was skipped: it would have met itself", NULL, 0 },
	[XCAP_DROP_NO_META] = { "the driver has no room for the time stamp", "tap:IF", 0 },
	[XCAP_DROP_HELD] = { "the reader held too many frames",
			     "xsk:IF?frames=; release sooner", 0 },
	[XCAP_DROP_UNREAD] = { "left in the rings when the reader ended", NULL, 0 },
	[XCAP_DROP_REDIRECT] = { "redirected, but no socket took it", "xsk: on every queue", 0 },
	[XCAP_DROP_REFUSED] = { "the interface it was sent out of does not take it", "its MTU", 0 },
	[XCAP_DROP_WIRE] = { "the interface did not send it in time", "a faster interface", 0 },
	[XCAP_DROP_QUEUE] = { "the reader of a queue was too slow",
			      "xcap balance --stats; --slots; more readers", 0 },
	[XCAP_DROP_NO_READER] = { "its queue had no reader", "xcap balance --stats", 0 },
	[XCAP_DROP_TABLE_FULL] = { "a probe's table had no room for another row", NULL, 0 },
};
_Static_assert(XCAP_DROP_MAX == 14, "a place that is new has a meaning");

static int on_capture(void *user, const struct running_account *a)
{
	struct drops_set *set = user;

	for (uint32_t i = 0; i < a->nr_sources; i++)
		for (int place = 0; place < XCAP_DROP_MAX; place++) {
			struct drops_row *row;
			char where[64];

			snprintf(where, sizeof(where), "%s[%u] %s", a->command, a->pid,
				 a->sources[i].spec);
			row = drops_add(set, DROPS_XCAP, where, xcap_drop_name(place),
					a->sources[i].stats.dropped[place], &places[place]);
			if (row)
				row->id = a->started_ns + i;
		}
	return 0;
}

void drops_captures(struct drops_set *set)
{
	running_list(on_capture, set);
}
