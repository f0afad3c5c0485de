/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   what the kernel is told of a filter, a record with all that is known of it.
 * Out:  what the programs would say, by the same code.
 * Owns: nothing.
 * Runs on: any thread.
 */
#ifndef TEST_WANTED_H
#define TEST_WANTED_H

#include <stdbool.h>
#include <string.h>
#include <xcap.h>
#include "xcap_event.h"

static inline bool kernel_wants(const struct xcap_wanted *w, const struct xcap_record *r)
{
	struct xcap_subject s = { .nr = 1, .pid = { r->pid }, .tid = { r->tid }, .uid = r->uid };
	bool is_exit = r->type == XCAP_SYS_EXIT;
	uint64_t table;

	memcpy(s.name[0], r->comm, sizeof(s.name[0]));
	if (r->type == XCAP_SWITCH) {
		s.nr = 2;
		s.pid[1] = r->sw.next_pid;
		s.tid[1] = r->sw.next_tid;
		memcpy(s.name[1], r->sw.next_comm, sizeof(s.name[1]));
		table = w->tables[w->switches];
	} else {
		s.ret = is_exit ? r->exit.ret : 0;
		table = xcap_wanted_table(w, is_exit, r->flags & XCAP_REC_COMPAT ? 1 : 0,
					  is_exit ? r->exit.nr : r->enter.nr);
	}
	return table == UINT64_MAX || (table && xcap_wanted_asks(w, table, &s));
}

#endif
