/* SPDX-License-Identifier: BSD-2-Clause */
/* What a capture may still do once everything is attached. */
#ifndef XCAP_PRIVILEGE_H
#define XCAP_PRIVILEGE_H

#include <stdbool.h>

/*
 * Gives up every capability and the way back to them. All that a capture still
 * needs it holds as descriptors; but for what has to change an interface back at its end
 * (XCAP_SOURCE_NET_ADMIN), which keeps that one. Return: 0; -errno.
 */
int privilege_drop(bool keep_net_admin);

#endif
