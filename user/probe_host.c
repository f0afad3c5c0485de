// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   layouts of the probes that tell of calls, waits, softirqs and signals.
 * Out:  their fields, and names for the numbers in them.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <string.h>
#include "probe_fields.h"

/* ---- names of numbers ---- */

static const char *signals_signal(const void *row)
{
	static const char *const queued[] = {	/* SIGRTMIN is an idea of the C library */
		"RT32", "RT33", "RT34", "RT35", "RT36", "RT37", "RT38", "RT39", "RT40", "RT41",
		"RT42", "RT43", "RT44", "RT45", "RT46", "RT47", "RT48", "RT49", "RT50", "RT51",
		"RT52", "RT53", "RT54", "RT55", "RT56", "RT57", "RT58", "RT59", "RT60", "RT61",
		"RT62", "RT63", "RT64",
	};
	uint32_t nr = ((const struct xprobe_signals *)row)->signal;

	return nr >= 32 && nr <= 64 ? queued[nr - 32] : sigabbrev_np(nr) ?: "?";
}

static const char *signals_result(const void *row)
{
	static const char *const names[] = {
		[XSIGNAL_DELIVERED] = "delivered", [XSIGNAL_IGNORED] = "ignored",
		[XSIGNAL_PENDING] = "pending", [XSIGNAL_OVERFLOW] = "overflow",
		[XSIGNAL_NO_INFO] = "no-info", [XSIGNAL_BLOCKED] = "blocked",
	};

	return NAME_IN(names, ((const struct xprobe_signals *)row)->result);
}

static const char *latency_call(const void *row)
{
	const struct xprobe_latency *x = row;

	return xcap_syscall_name(x->nr, x->compat) ?: "?";
}

static const char *syscount_call(const void *row)
{
	const struct xprobe_syscount *x = row;

	return xcap_syscall_name(x->nr, x->compat) ?: "?";
}

static const char *latency_abi(const void *row)
{
	return ((const struct xprobe_latency *)row)->compat ? "32" : "64";
}

static const char *syscount_abi(const void *row)
{
	return ((const struct xprobe_syscount *)row)->compat ? "32" : "64";
}

static const char *softirq_vector(const void *row)
{
	static const char *const names[] = {
		"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED",
		"HRTIMER", "RCU",
	};

	return NAME_IN(names, ((const struct xprobe_softirq *)row)->vec);
}

/* ---- layouts ---- */

/* What it is about besides hist.count, which has its own place. */
#define FIELDS_HIST(probe)									\
	FIELD_AS(probe, hist.total_ns, "total_ns", DURATION, 8),				\
	FIELD_AS(probe, hist.max_ns, "max_ns", DURATION, 8),					\
	FIELD_AS(probe, hist, "histogram", HISTOGRAM, 0)

const struct probe_field probe_latency_fields[] = {
	FIELD_NAMED("call", 15, latency_call),
	FIELD_AS(latency, hist.count, "count", UNSIGNED, 8),
	FIELD(latency, errors, UNSIGNED, 6),
	FIELDS_HIST(latency),
	FIELD(latency, nr, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_NAMED("abi", XCAP_WIDTH_NEVER, latency_abi),
	{ 0 }
};

const struct probe_field probe_syscount_fields[] = {
	FIELD_NAMED("call", 15, syscount_call),
	FIELD(syscount, count, UNSIGNED, 8),
	FIELD(syscount, errors, UNSIGNED, 6),
	FIELD(syscount, nr, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_NAMED("abi", XCAP_WIDTH_NEVER, syscount_abi),
	{ 0 }
};

const struct probe_field probe_runq_fields[] = {
	FIELD_AS(runq, hist.count, "count", UNSIGNED, 8),
	FIELD(runq, preempted, UNSIGNED, 9),
	FIELDS_HIST(runq),
	{ 0 }
};

const struct probe_field probe_softirq_fields[] = {
	FIELD_NAMED("vector", 8, softirq_vector),
	FIELD_AS(softirq, hist.count, "count", UNSIGNED, 8),
	FIELDS_HIST(softirq),
	{ 0 }
};

const struct probe_field probe_signals_fields[] = {
	FIELD_NAMED("signal", 6, signals_signal),
	FIELD(signals, to_pid, UNSIGNED, 7),
	FIELD(signals, to_comm, TEXT, 15),
	FIELD_NAMED("result", 9, signals_result),
	FIELD(signals, to_tid, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(signals, group, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(signals, code, SIGNED, XCAP_WIDTH_NEVER),
	{ 0 }
};
