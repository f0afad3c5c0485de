/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the table of system calls, for what is asked once for each record. */
#ifndef XCAP_SYSCALL_TABLE_H
#define XCAP_SYSCALL_TABLE_H

#include <stdbool.h>
#include <linux/types.h>
#include "xcap_event.h"

struct arg_form;

/* One argument of a call. */
struct call_arg {
	const char *name;
	char kind;			/* as xcap_syscall_arg() tells; 0 behind the last */
	__u8 how;			/* XREAD_: what is read of what it refers to */
	__u8 count;			/* xcap_read.count */
	bool in, out;			/* read at entry; at exit */
	bool elements;			/* count structures of the form's size, not bytes */
	const struct arg_form *form;	/* NULL: a number, a string, bytes */
};

struct call_row {
	const char *name;
	const struct call_arg *args;	/* six, and the seventh is what it returns */
};

/* Return: 1 with the row of that number; 0: it has no name. */
int syscall_table_row(__u32 nr, int compat, struct call_row *row);

/* What is to be read of that call; all zero: nothing. */
void syscall_table_plan(__u32 nr, int compat, struct xcap_plan *plan);

#endif
