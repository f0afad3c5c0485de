/* SPDX-License-Identifier: BSD-2-Clause */
/* What text and JSON both say of a record, in one place so that they agree. */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <xcap.h>

/* "packet", "sys_enter", ...; "unknown" */
const char *record_type(const struct xcap_record *rec);

/* Name of the record's system call; NULL: the number has none. */
const char *record_call(const struct xcap_record *rec);

/* One argument of a sys_enter record. */
struct record_arg {
	const char *name;
	char kind;		/* as xcap_syscall_arg() */
	__u64 value;
	__s64 number;		/* of kinds d, l and f: with the sign that the call sees */
};

/*
 * Return: true; false: the call has no such argument. A call without name has six, "arg0"
 * on, kind 'p'.
 */
bool record_arg(const struct xcap_record *rec, int i, struct record_arg *arg);

/* "ENOENT" where a result is an error; NULL: it is none, or has no name. */
const char *record_errno(__s64 ret);

/* The call returns an address. */
bool record_returns_address(const char *call);

/* One letter as in ps(1): R S D T t X Z P I; '?' */
char record_state(__u32 prev_state);

#endif
