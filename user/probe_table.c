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
#include "probe_fields.h"
#include "probe_dns.skel.h"
#include "probe_drops.skel.h"
#include "probe_exit.skel.h"
#include "probe_latency.skel.h"
#include "probe_resets.skel.h"
#include "probe_retrans.skel.h"
#include "probe_runq.skel.h"
#include "probe_signals.skel.h"
#include "probe_sockets.skel.h"
#include "probe_softirq.skel.h"
#include "probe_syscount.skel.h"
#include "probe_tcplife.skel.h"
#include "probe_tcpstates.skel.h"
#include "probe_xdp.skel.h"

#define ROW_SIZE(probe) sizeof(struct xprobe_##probe)

/* ---- names of numbers ---- */

static const char *exit_signal(const void *row)
{
	const struct xprobe_exit *x = row;

	return x->signal ? sigabbrev_np(x->signal) ?: "?" : "";
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
	  "an entry and an exit a call of execve", XCAP_PROBE_CALLS, 0, OF_TASK, 0, NULL, NULL,
	  "syscalls?only=execve,execveat" },
	{ "exit", "which processes end, and how",
	  "a record a process", XCAP_PROBE_EVENTS, XPROBE_EXIT, OF_TASK, ROW_SIZE(exit),
	  exit_fields, probe_exit_bpf__elf_bytes, NULL },
	{ "open", "which files are opened, by whom, and which are not there",
	  "an entry and an exit a call of open", XCAP_PROBE_CALLS, 0, OF_TASK, 0, NULL, NULL,
	  "syscalls?only=open,openat,openat2,creat&data=0" },
	{ "connect", "who connects where, and what the call says",
	  "an entry and an exit a call of connect", XCAP_PROBE_CALLS, 0, OF_TASK, 0, NULL, NULL,
	  "syscalls?only=connect&data=0" },
	{ "accept", "who is connected to from where",
	  "an entry and an exit a call of accept", XCAP_PROBE_CALLS, 0, OF_TASK, 0, NULL, NULL,
	  "syscalls?only=accept,accept4&data=0" },
	{ "tcplife", "which TCP connections end, what they carried, how long they took",
	  "a short program a change of state, a record a connection", XCAP_PROBE_EVENTS,
	  XPROBE_TCPLIFE, OF_SOCKET, ROW_SIZE(tcplife), probe_tcplife_fields,
	  probe_tcplife_bpf__elf_bytes, NULL },
	{ "tcpstates", "which states TCP sockets go through, and how long they stay in each",
	  "a record a change of state", XCAP_PROBE_EVENTS, XPROBE_TCPSTATES, OF_SOCKET,
	  ROW_SIZE(tcpstates), probe_tcpstates_fields, probe_tcpstates_bpf__elf_bytes, NULL },
	{ "retrans", "what TCP sends again, to whom, in which state, and why",
	  "a record a retransmission", XCAP_PROBE_EVENTS, XPROBE_RETRANS, OF_SOCKET,
	  ROW_SIZE(retrans), probe_retrans_fields, probe_retrans_bpf__elf_bytes, NULL },
	{ "resets", "which TCP connections are reset, from which end, and why",
	  "a record a reset", XCAP_PROBE_EVENTS, XPROBE_RESETS, OF_SOCKET,
	  ROW_SIZE(resets), probe_resets_fields, probe_resets_bpf__elf_bytes, NULL },
	{ "dns", "which names are asked for, what the answer is, how long it takes",
	  "a look at packets sent; at those received while a query waits",
	  XCAP_PROBE_EVENTS, XPROBE_DNS, OF_SOCKET, ROW_SIZE(dns), probe_dns_fields,
	  probe_dns_bpf__elf_bytes, NULL },
	{ "latency", "how long system calls take, by process and call, and which fail",
	  "two short programs a call", XCAP_PROBE_TOTALS, XPROBE_LATENCY, OF_TASK,
	  ROW_SIZE(latency), probe_latency_fields, probe_latency_bpf__elf_bytes, NULL },
	{ "syscount", "how many system calls are made, by process and call, and which fail",
	  "a short program a call", XCAP_PROBE_TOTALS, XPROBE_SYSCOUNT, OF_TASK,
	  ROW_SIZE(syscount), probe_syscount_fields, probe_syscount_bpf__elf_bytes, NULL },
	{ "runq", "how long processes wait for a CPU",
	  "two short programs a switch", XCAP_PROBE_TOTALS, XPROBE_RUNQ, OF_TASK,
	  ROW_SIZE(runq), probe_runq_fields, probe_runq_bpf__elf_bytes, NULL },
	{ "drops", "which packets the kernel throws away, where and why",
	  "a record a packet", XCAP_PROBE_EVENTS, XPROBE_DROPS, OF_SOCKET, ROW_SIZE(drops),
	  probe_drops_fields, probe_drops_bpf__elf_bytes, NULL },
	{ "xdp", "what XDP programs lose: aborted, not redirected, not sent",
	  "a record a loss; nothing while all goes well", XCAP_PROBE_EVENTS, XPROBE_XDP, OF_NOBODY,
	  ROW_SIZE(xdp), probe_xdp_fields, probe_xdp_bpf__elf_bytes, NULL },
	{ "listen", "who waits for connections or datagrams, and how full its backlog is",
	  "one look at all open files", XCAP_PROBE_ONCE, XPROBE_LISTEN, OF_TASK, ROW_SIZE(listen),
	  probe_listen_fields, probe_sockets_bpf__elf_bytes, NULL },
	{ "sockets", "who is connected to whom, in what state, with how much queued",
	  "one look at all open files", XCAP_PROBE_ONCE, XPROBE_SOCKETS, OF_TASK,
	  ROW_SIZE(sockets), probe_sockets_fields, probe_sockets_bpf__elf_bytes, NULL },
	{ "signals", "who sends which signal to whom, and what becomes of it",
	  "a record a signal", XCAP_PROBE_EVENTS, XPROBE_SIGNALS, OF_TASK, ROW_SIZE(signals),
	  probe_signals_fields, probe_signals_bpf__elf_bytes, NULL },
	{ "softirq", "how often and how long softirqs run, by vector",
	  "two short programs a softirq", XCAP_PROBE_TOTALS, XPROBE_SOFTIRQ, OF_NOBODY,
	  ROW_SIZE(softirq), probe_softirq_fields, probe_softirq_bpf__elf_bytes, NULL },
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
