/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes: one row each. A row is either an object of programs (bpf/probe_*.bpf.c) with the
 * layout of what they tell (xcap_event_probe.h), or a spec of system calls.
 */
#ifndef XCAP_PROBE_TABLE_H
#define XCAP_PROBE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcap_probe.h>
#include "xcap_event.h"

/* A field of the layout. What the number means may have a name, which is shown instead. */
struct probe_field {
	const char *name;
	uint16_t offset;
	uint16_t size;
	uint8_t kind;		/* XCAP_FIELD_ */
	uint8_t width;
	const char *(*name_of)(const void *row);	/* kind TEXT: of the whole layout */
};

/* Whose doing it is what a probe tells. */
enum { OF_TASK, OF_SOCKET, OF_NOBODY };

struct probe_row {
	const char *name;
	const char *answers;
	const char *costs;
	uint8_t kind;		/* XCAP_PROBE_ */
	uint8_t id;		/* XPROBE_; 0: system calls */
	uint8_t whose;		/* OF_ */
	uint16_t size;		/* of the layout */
	const struct probe_field *fields;	/* up to one without a name */
	const void *(*elf)(size_t *size);	/* the object */
	const char *spec;	/* XCAP_PROBE_CALLS: of the system calls */
};

/* Return: NULL: there is none. */
const struct probe_row *probe_row_at(int i);
const struct probe_row *probe_row_by_name(const char *name);
const struct probe_row *probe_row_by_id(uint32_t id);

struct out;

/* "retrans saddr=10.0.0.1 sport=80 ...", with all that is told. */
void probe_text(struct out *o, const struct xcap_record *rec);

#endif
