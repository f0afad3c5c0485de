/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes: sources "probe:NAME", each of which answers one question. What they answer comes as
 * records of type XCAP_PROBE, or as system calls. Part of xcap.h, which includes it.
 */
#ifndef XCAP_PROBE_H
#define XCAP_PROBE_H

#include "xcap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* xcap_probe_row.kind: when there are records */
enum xcap_probe_kind {
	XCAP_PROBE_EVENTS	= 1,	/* one for each thing that happens */
	XCAP_PROBE_TOTALS	= 2,	/* totals so far, once a second and at the end */
	XCAP_PROBE_ONCE		= 3,	/* what there is now; then the source ends */
	XCAP_PROBE_CALLS	= 4,	/* system calls: records as those of "syscalls" */
};

/* What there is to ask. */
struct xcap_probe_row {
	size_t sz;		/* in: sizeof(struct xcap_probe_row); out: bytes filled */
	const char *name;	/* "retrans" */
	const char *answers;	/* one line for people */
	const char *costs;	/* and another */
	__u32 kind;		/* enum xcap_probe_kind */
	__u32 id;		/* xcap_record.probe.id; 0: system calls */
	__u32 nobody;		/* 1: no process does what it tells */
	__u32 reserved;
};

/* xcap_field.kind */
enum xcap_field_kind {
	XCAP_FIELD_UNSIGNED	= 1,	/* value */
	XCAP_FIELD_SIGNED	= 2,	/* value, as __s64 */
	XCAP_FIELD_TEXT		= 3,	/* text: bytes that may be anything but NUL; "" none */
	XCAP_FIELD_ADDRESS	= 4,	/* text: "10.0.0.1", "fe80::1", "*" any */
	XCAP_FIELD_DURATION	= 5,	/* value, in nanoseconds */
	XCAP_FIELD_HISTOGRAM	= 6,	/* slots: how many lie in [2^i, 2^(i+1)) ns */
};

/* xcap_field.width of what is for programs only */
#define XCAP_WIDTH_NEVER 255

/* A field of a record of a probe. */
struct xcap_field {
	size_t sz;		/* in: sizeof(struct xcap_field); out: bytes filled */
	const char *name;	/* "daddr" */
	__u64 value;
	const char *text;	/* with a NUL behind it; lent as the record, or a constant */
	__u32 text_len;		/* bytes without that */
	__u8  kind;		/* enum xcap_field_kind */
	__u8  width;		/* usual columns; 0: it is long, and stands last; XCAP_WIDTH_ */
	__u16 nr_slots;
	__u64 slots[40];
	char  room[48];		/* of text, where it had to be made */
};

/**
 * xcap_probe_row - what probes there are
 * @i:   from 0
 * @row: in: sz; out: the row
 *
 * Return: 1; 0 there are no more; -EINVAL sz is too small.
 * Owns:   strings are the library's.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_probe_row(int i, struct xcap_probe_row *row);

/**
 * xcap_probe_name - the name of a probe
 * @id: xcap_record.probe.id
 *
 * Return: a constant string; NULL there is no such probe.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_probe_name(__u32 id);

/**
 * xcap_probe_field - a field of a record
 * @rec:   a record of type XCAP_PROBE
 * @i:     from 0
 * @field: in: sz; out: the field
 *
 * A probe has the same fields in all its records. Of the task, rec says who it is.
 *
 * Return: 1; 0 there are no more; -EINVAL it is no such record, or sz is too small.
 * Owns:   text may point into the record, or into @field.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_probe_field(const struct xcap_record *rec, int i, struct xcap_field *field);

#ifdef __cplusplus
}
#endif

#endif
