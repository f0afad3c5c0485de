/* SPDX-License-Identifier: BSD-2-Clause */
/* Syscalls and switches as sysdig events: numbers and parameters that Wireshark shows. */
#ifndef XCAP_SYSDIG_EVENT_H
#define XCAP_SYSDIG_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcap.h>

#define SYSDIG_MAX_PARAMS 20
#define SYSDIG_SCRATCH 1024	/* for what stands nowhere in this form; checked where it grows */

/* Bytes of parameters are lent from the record and from what is remembered of its call. */
struct sysdig_event {
	uint16_t type;
	uint16_t nr_params;
	uint16_t lens[SYSDIG_MAX_PARAMS];
	const uint8_t *params[SYSDIG_MAX_PARAMS];
	uint32_t used;
	uint8_t  scratch[SYSDIG_SCRATCH];
};

/*
 * Sysdig tells names and data where a call ends, xcap where it begins: calls that have
 * begun are remembered by thread. Two threads can have one place: then parameters are missing.
 */
struct sysdig_calls *sysdig_calls_new(void);
void sysdig_calls_free(struct sysdig_calls *calls);
void sysdig_calls_begin(struct sysdig_calls *calls, const struct xcap_record *enter);

/* Where the exit's call began: false: not known. The record lends from calls. */
bool sysdig_calls_end(struct sysdig_calls *calls, const struct xcap_record *exit,
		      struct xcap_record *enter);

/*
 * Adds the parameters of a format (sysdig_event.c says what that is).
 * enter: where the call of r began; r itself; NULL: not known.
 */
void sysdig_params(struct sysdig_event *ev, const struct xcap_record *r,
		   const struct xcap_record *enter, const char *format);

void sysdig_param(struct sysdig_event *ev, const void *p, size_t len);
void sysdig_number(struct sysdig_event *ev, uint64_t n, int bytes);

/**
 * sysdig_event_make - the event for a syscall or switch record
 * @ev: out
 * @r:  XCAP_SYS_ENTER, XCAP_SYS_EXIT or XCAP_SWITCH
 * @calls: what is remembered of calls; NULL: nothing
 *
 * Calls without an event type of their own become the generic one, which
 * carries the number that sysdig gave the call.
 */
void sysdig_event_make(struct sysdig_event *ev, const struct xcap_record *r,
		       struct sysdig_calls *calls);

#endif
