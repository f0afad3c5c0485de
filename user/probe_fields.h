/* SPDX-License-Identifier: BSD-2-Clause */
/* How rows of probe_table.c say what stands in a layout; and those that other files have. */
#ifndef XCAP_PROBE_FIELDS_H
#define XCAP_PROBE_FIELDS_H

#include "probe_table.h"

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

static inline const char *name_in(const char *const *names, uint32_t nr_names, uint32_t n)
{
	return (n < nr_names ? names[n] : NULL) ?: "?";
}

#define NAME_IN(names, n) name_in(names, sizeof(names) / sizeof(names[0]), n)

/* probe_net.c */
const char *probe_tcp_state(uint32_t state);
extern const struct probe_field probe_tcplife_fields[];
extern const struct probe_field probe_tcpstates_fields[];
extern const struct probe_field probe_retrans_fields[];
extern const struct probe_field probe_resets_fields[];

/* probe_host.c */
extern const struct probe_field probe_latency_fields[];
extern const struct probe_field probe_syscount_fields[];
extern const struct probe_field probe_runq_fields[];
extern const struct probe_field probe_softirq_fields[];
extern const struct probe_field probe_signals_fields[];

/* probe_sockets.c */
extern const struct probe_field probe_drops_fields[];
extern const struct probe_field probe_xdp_fields[];
extern const struct probe_field probe_listen_fields[];
extern const struct probe_field probe_sockets_fields[];

/* probe_dns.c */
extern const struct probe_field probe_dns_fields[];

#endif
