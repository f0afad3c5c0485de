/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses and ports of a packet, for who looks for its socket. */
#ifndef XCAP_FLOW_H
#define XCAP_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "owner.h"

/*
 * Protocol, addresses, ports; IPv4 as ::ffff:a.b.c.d; the identifier of an ICMP echo is the port of
 * who asks, the other's is 0. All else of flow stays as it is. Return: false: no such packet, or
 * a later fragment, or cut before its ports.
 */
bool flow_parse(const struct xcap_record *rec, struct owner_flow *flow);

#endif
