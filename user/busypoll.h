/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preferred busy polling: the reader runs the driver's poll itself. It needs two
 * settings of the interface in sysfs, which do not die with us: what they were
 * before stands in /run/xcap until they are restored.
 */
#ifndef XCAP_BUSYPOLL_H
#define XCAP_BUSYPOLL_H

#include "error.h"
#include "netdev.h"

struct busypoll;

/* Change the settings. *out is written on success. Return: 0; -errno with a sentence. */
int busypoll_open(struct busypoll **out, const struct netdev *dev, struct error *err);

/* Restore them. Takes NULL. */
void busypoll_close(struct busypoll *b);

/* Restore what captures that were killed have left changed. */
void busypoll_recover(void);

/* Socket options for preferred busy polling. Return: 0; -errno. */
int busypoll_socket(int fd);

#endif
