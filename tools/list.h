/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of xcap list. */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>

/* What captures. Return: 0; -EPIPE nobody reads on; -errno. */
int list_running(bool json);

#endif
