// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the name or number of a probe.
 * Out:  what it answers, what it costs, where its programs are, what stands in its records.
 * Owns: the table.
 * Runs on: any thread.
 *
 * A new probe is a row here, and a file bpf/probe_*.bpf.c or a spec of system calls.
 */
#include <bpf/libbpf.h>
#include <string.h>
#include "probe_table.h"
#include "probe_exit.skel.h"

/* FIELD(exit, status, SIGNED, 6): a member of struct xprobe_exit, as "status" */
#define FIELD_AS(probe, member, name, kind, width)						\
	{ name, offsetof(struct xprobe_##probe, member),					\
	  sizeof(((struct xprobe_##probe *)0)->member), XCAP_FIELD_##kind, width, NULL }
#define FIELD(probe, member, kind, width) FIELD_AS(probe, member, #member, kind, width)
#define FIELD_NAMED(name, width, name_of) { name, 0, 0, XCAP_FIELD_TEXT, width, name_of }

/* Both ends of flow, a struct xprobe_flow. */
#define FIELDS_FLOW(probe)									\
	FIELD_AS(probe, flow.saddr, "saddr", ADDRESS, XCAP_WIDTH_NEVER),			\
	FIELD_AS(probe, flow.sport, "sport", UNSIGNED, 5),					\
	FIELD_AS(probe, flow.daddr, "daddr", ADDRESS, 15),					\
	FIELD_AS(probe, flow.dport, "dport", UNSIGNED, 5)

#define ROW_SIZE(probe) sizeof(struct xprobe_##probe)

/* ---- names of numbers ---- */

static const char *exit_signal(const void *row)
{
	const struct xprobe_exit *x = row;

	return x->signal ? sigabbrev_np(x->signal) ?: "?" : "-";
}

/* ---- layouts ---- */

static const struct probe_field exit_fields[] = {
	FIELD(exit, status, SIGNED, 6),
	FIELD_NAMED("signal", 6, exit_signal),
	FIELD_AS(exit, ppid, "parent", UNSIGNED, 7),
	FIELD_AS(exit, age_ns, "age_ns", DURATION, 9),
	FIELD_AS(exit, dumped, "core", UNSIGNED, 4),
	{ 0 }
};

/* ---- the table ---- */

static const struct probe_row table[] = {
	{ "exec", "which programs are run, by whom, with what arguments",
	  "an entry and an exit a call of execve", XCAP_PROBE_CALLS, 0, false, 0, NULL, NULL,
	  "syscalls?only=execve,execveat" },
	{ "exit", "which processes end, and how",
	  "a record a process", XCAP_PROBE_EVENTS, XPROBE_EXIT, false, ROW_SIZE(exit), exit_fields,
	  probe_exit_bpf__elf_bytes, NULL },
	{ "open", "which files are opened, by whom, and which are not there",
	  "an entry and an exit a call of open", XCAP_PROBE_CALLS, 0, false, 0, NULL, NULL,
	  "syscalls?only=open,openat,openat2,creat&data=0" },
	{ "connect", "who connects where, and what becomes of it",
	  "an entry and an exit a call of connect", XCAP_PROBE_CALLS, 0, false, 0, NULL, NULL,
	  "syscalls?only=connect&data=0" },
	{ "accept", "who is connected to from where",
	  "an entry and an exit a call of accept", XCAP_PROBE_CALLS, 0, false, 0, NULL, NULL,
	  "syscalls?only=accept,accept4&data=0" },
};

#define NR_ROWS ((int)(sizeof(table) / sizeof(table[0])))

const struct probe_row *probe_row_at(int i)
{
	return i >= 0 && i < NR_ROWS ? &table[i] : NULL;
}

const struct probe_row *probe_row_by_name(const char *name)
{
	for (int i = 0; i < NR_ROWS; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

const struct probe_row *probe_row_by_id(uint32_t id)
{
	for (int i = 0; i < NR_ROWS; i++)
		if (id && table[i].id == id)
			return &table[i];
	return NULL;
}
