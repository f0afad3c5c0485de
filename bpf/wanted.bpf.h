/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In:   a call or a switch that would become a record.
 * Out:  whether the filter refuses it, which is counted as seen and filtered.
 * Owns: the two slots that user/source_syscalls.c writes while programs run.
 * Runs on: as the including program, undisturbed.
 */
#ifndef WANTED_BPF_H
#define WANTED_BPF_H

#include <bpf/bpf_core_read.h>
#include "emit.bpf.h"

__u32 wanted_slot = 0;		/* .bss: 0 all is wanted; else 1 or 2 */
struct xcap_wanted wanted_slots[2] = {};	/* .bss: 1 and 2; written while not in use */

/* What no term asks for is not read. Return: terms that have a value which is met. */
static __always_inline __u32 met_by(const struct xcap_wanted *w, struct task_struct *task, long ret,
				    bool other, __u32 *known)
{
	struct xcap_subject s = { .n = { [XASK_PID] = task->tgid, [XASK_TID] = task->pid,
					 [XASK_RET] = ret } };

	if (w->asks[XASK_NAME] | w->asks[XASK_UID]) {	/* far cheaper than by a helper */
		s.name[0] = *(__u64 *)task->comm;
		s.name[1] = *(__u64 *)(task->comm + 8);
	}
	if (w->asks[XASK_UID])
		s.n[XASK_UID] = BPF_CORE_READ(task, cred, uid.val);
	if (ret < 0 && ret >= -XCAP_MAX_ERRNO)
		s.n[XASK_ERRNO] = -ret;
	s.known = xcap_wanted_known(w, &s, other);
	*known |= s.known;
	return xcap_wanted_met(w, &s);
}

static __always_inline bool asks(const struct xcap_wanted *w, __u64 table,
				 struct task_struct *task, struct task_struct *next, long ret)
{
	__u32 known = 0, met = met_by(w, task, ret, false, &known);

	if (next)
		met |= met_by(w, next, 0, true, &known);
	return xcap_wanted_asks(w, table, met, known);
}

static __always_inline void count_filtered(void)
{
	__u32 id = bpf_get_smp_processor_id();
	struct xcap_cpu *cpu = bpf_map_lookup_elem(&cpus, &id);

	if (cpu) {
		cpu->seen++;
		cpu->filtered++;
	}
}

/* Numbers first: most of what is refused costs a look into a table. */
static __always_inline bool refuses(const struct xcap_wanted *w, __u64 table,
				    struct task_struct *task, struct task_struct *next, long ret)
{
	if (table == ~0ULL || (table && asks(w, table, task, next, ret)))
		return false;
	count_filtered();
	return true;
}

static __always_inline bool filter_call(struct task_struct *task, bool exit, bool compat,
					__u32 nr, long ret)
{
	__u32 slot = wanted_slot;
	const struct xcap_wanted *w = &wanted_slots[(slot - 1) & 1];

	if (!slot)
		return false;
	return refuses(w, xcap_wanted_table(w, exit, compat, nr), task, NULL, ret);
}

static __always_inline bool filter_switch(struct task_struct *prev, struct task_struct *next)
{
	__u32 slot = wanted_slot;
	const struct xcap_wanted *w = &wanted_slots[(slot - 1) & 1];

	if (!slot)
		return false;
	return refuses(w, w->tables[w->switches & (XWANT_TABLES - 1)], prev, next, 0);
}

#endif
