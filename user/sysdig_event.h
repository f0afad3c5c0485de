/* SPDX-License-Identifier: BSD-2-Clause */
/* Syscalls and switches as sysdig events: numbers and parameters that Wireshark shows. */
#ifndef XCAP_SYSDIG_EVENT_H
#define XCAP_SYSDIG_EVENT_H

#include <stdint.h>
#include <xcap.h>

#define SYSDIG_MAX_PARAMS 16

struct sysdig_event {
	uint16_t type;
	uint16_t nr_params;
	uint16_t lens[SYSDIG_MAX_PARAMS];
	uint16_t params_len;
	uint8_t  params[SYSDIG_MAX_PARAMS * 16];
};

/**
 * sysdig_event_make - the event for a syscall or switch record
 * @ev: out
 * @r:  XCAP_SYS_ENTER, XCAP_SYS_EXIT or XCAP_SWITCH
 *
 * Calls without an event type of their own become the generic one, which
 * carries the number that sysdig gave the call.
 */
void sysdig_event_make(struct sysdig_event *ev, const struct xcap_record *r);

#endif
