/* SPDX-License-Identifier: BSD-2-Clause */
/* What the doctor found, as lines or as objects. */
#ifndef DOCTOR_PRINT_H
#define DOCTOR_PRINT_H

struct doctor;

void doctor_print(struct doctor *d);	/* all findings */
void doctor_summary(struct doctor *d);	/* the end */

#endif
