/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments and results of calls as text. */
#ifndef XCAP_ARG_TEXT_H
#define XCAP_ARG_TEXT_H

#include "out.h"
#include "syscall_table.h"

/* Return: as xcap_record_arg(). row: NULL for a call without name. */
int arg_read(const struct xcap_record *rec, const struct call_row *row, int i,
	     struct xcap_arg *arg);

/* Writes one argument that arg_read() gave. */
void arg_text(struct out *o, const struct xcap_record *rec, const struct call_row *row, int i,
	      const struct xcap_arg *arg);

#endif
