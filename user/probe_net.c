// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   layouts of the probes that tell of connections.
 * Out:  their fields, and names for the numbers in them.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include "probe_fields.h"

/* ---- names of numbers ---- */

const char *probe_tcp_state(uint32_t state)
{
	static const char *const names[] = {
		"", "ESTABLISHED", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
		"TIME-WAIT", "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
		"NEW-SYN-RECV", "BOUND-INACTIVE",
	};

	return NAME_IN(names, state);
}

/* error: errno, or -errno */
static const char *error_name(int32_t error)
{
	return error ? xcap_errno_name(error < 0 ? error : -(int64_t)error) ?: "?" : "";
}

static const char *tcplife_role(const void *row)
{
	static const char *const names[] = { "", "client", "server" };

	return NAME_IN(names, ((const struct xprobe_tcplife *)row)->role);
}

static const char *tcplife_state(const void *row)
{
	return probe_tcp_state(((const struct xprobe_tcplife *)row)->state);
}

static const char *tcplife_error(const void *row)
{
	return error_name(((const struct xprobe_tcplife *)row)->error);
}

static const char *tcpstates_from(const void *row)
{
	return probe_tcp_state(((const struct xprobe_tcpstates *)row)->from);
}

static const char *tcpstates_to(const void *row)
{
	return probe_tcp_state(((const struct xprobe_tcpstates *)row)->to);
}

static const char *retrans_state(const void *row)
{
	return probe_tcp_state(((const struct xprobe_retrans *)row)->state);
}

static const char *retrans_kind(const void *row)
{
	static const char *const names[] = { "data", "SYN-ACK", "SYN", "FIN" };

	return NAME_IN(names, ((const struct xprobe_retrans *)row)->kind);
}

static const char *retrans_cause(const void *row)
{
	static const char *const names[] = { "timeout", "recovery", "probe" };

	return NAME_IN(names, ((const struct xprobe_retrans *)row)->cause);
}

static const char *retrans_error(const void *row)
{
	return error_name(((const struct xprobe_retrans *)row)->error);
}

static const char *resets_direction(const void *row)
{
	return ((const struct xprobe_resets *)row)->received ? "in" : "out";
}

static const char *resets_state(const void *row)
{
	return probe_tcp_state(((const struct xprobe_resets *)row)->state);
}

/* ---- layouts ---- */

const struct probe_field probe_tcplife_fields[] = {
	FIELDS_FLOW(tcplife),
	FIELD_NAMED("role", 6, tcplife_role),
	FIELD(tcplife, bytes_in, UNSIGNED, 8),
	FIELD(tcplife, bytes_out, UNSIGNED, 8),
	FIELD(tcplife, duration_ns, DURATION, 8),
	FIELD(tcplife, connect_ns, DURATION, XCAP_WIDTH_NEVER),
	FIELD(tcplife, rtt_ns, DURATION, XCAP_WIDTH_NEVER),
	FIELD(tcplife, retrans, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_NAMED("error", XCAP_WIDTH_NEVER, tcplife_error),
	FIELD_NAMED("state", 0, tcplife_state),
	{ 0 }
};

const struct probe_field probe_tcpstates_fields[] = {
	FIELDS_FLOW(tcpstates),
	FIELD_NAMED("from", 11, tcpstates_from),
	FIELD_NAMED("to", 11, tcpstates_to),
	FIELD(tcpstates, held_ns, DURATION, 7),
	FIELD_AS(tcpstates, cookie, "socket", UNSIGNED, XCAP_WIDTH_NEVER),
	{ 0 }
};

const struct probe_field probe_retrans_fields[] = {
	FIELDS_FLOW(retrans),
	FIELD_NAMED("kind", 7, retrans_kind),
	FIELD_NAMED("cause", 8, retrans_cause),
	FIELD(retrans, bytes, UNSIGNED, 5),
	FIELD(retrans, segs, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_NAMED("error", XCAP_WIDTH_NEVER, retrans_error),
	FIELD_NAMED("state", 0, retrans_state),
	{ 0 }
};

const struct probe_field probe_resets_fields[] = {
	FIELDS_FLOW(resets),
	FIELD_NAMED("direction", 3, resets_direction),
	FIELD_NAMED("state", 11, resets_state),
	FIELD(resets, reason, TEXT, 0),
	{ 0 }
};
