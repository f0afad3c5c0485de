/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of the table of system calls, for what is asked once for each record. */
#ifndef XCAP_SYSCALL_TABLE_H
#define XCAP_SYSCALL_TABLE_H

#include <linux/types.h>

struct call_row {
	const char *name;
	const char *const *args;	/* six of "f fd": kind, space, name; NULL after the last */
};

/* Return: 1 with the row of that number; 0: it has no name. */
int syscall_table_row(__u32 nr, int compat, struct call_row *row);

#endif
