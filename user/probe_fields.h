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

/* probe_net.c */
extern const struct probe_field probe_tcplife_fields[];
extern const struct probe_field probe_tcpstates_fields[];
extern const struct probe_field probe_retrans_fields[];
extern const struct probe_field probe_resets_fields[];

#endif
