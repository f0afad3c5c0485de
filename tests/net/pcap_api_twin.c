// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   as pcap_api.c.
 * Out:  the same checks.
 * Owns: as pcap_api.c.
 * Runs on: a libpcap program compiled again, with one include changed.
 */
#define TWIN
#include <xcap_pcap.h>
#include "pcap_api.c"
