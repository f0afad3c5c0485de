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

static inline uint32_t met_by(const struct xcap_wanted *w, const char *name, uint32_t pid, uint32_t tid,
			      uint32_t uid, int64_t ret, bool other, uint32_t *known)
{
	struct xcap_subject s = { .n = { [XASK_PID] = pid, [XASK_TID] = tid, [XASK_UID] = uid,
					 [XASK_RET] = ret } };

	memcpy(s.name, name, sizeof(s.name));
	if (ret < 0 && ret >= -XCAP_MAX_ERRNO)
		s.n[XASK_ERRNO] = -ret;
	s.known = xcap_wanted_known(w, &s, other);
	*known |= s.known;
	return xcap_wanted_met(w, &s);
}

static inline bool kernel_wants(const struct xcap_wanted *w, const struct xcap_record *r)
{
	bool is_exit = r->type == XCAP_SYS_EXIT, is_switch = r->type == XCAP_SWITCH;
	uint64_t table = w->tables[w->switches];
	uint32_t known = 0, met;

	if (!is_switch)
		table = xcap_wanted_table(w, is_exit, r->flags & XCAP_REC_COMPAT ? 1 : 0,
					  is_exit ? r->exit.nr : r->enter.nr);
	met = met_by(w, r->comm, r->pid, r->tid, r->uid, is_exit ? r->exit.ret : 0, false, &known);
	if (is_switch)
		met |= met_by(w, r->sw.next_comm, r->sw.next_pid, r->sw.next_tid, 0, 0, true, &known);
	return table == UINT64_MAX || (table && xcap_wanted_asks(w, table, met, known));
}

#endif
