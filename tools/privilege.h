/* SPDX-License-Identifier: BSD-2-Clause */
/* What a capture may still do once everything is attached. */
#ifndef XCAP_PRIVILEGE_H
#define XCAP_PRIVILEGE_H

/*
 * Gives up every capability and the way back to them. All that a capture still
 * needs it holds as descriptors. Return: 0; -errno.
 */
int privilege_drop(void);

#endif
