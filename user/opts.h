/* SPDX-License-Identifier: BSD-2-Clause */
/* Size-first structures: old callers with a new library, and the other way round. */
#ifndef XCAP_OPTS_H
#define XCAP_OPTS_H

#include <stddef.h>

/**
 * opts_in - read a caller's option struct into our own
 * @ours:    zeroed and filled; begins with size_t sz
 * @size:    sizeof ours
 * @theirs:  the caller's, or NULL for all defaults
 *
 * Return: 0; -EINVAL sz is no size; -E2BIG a field that we do not know is set.
 */
int opts_in(void *ours, size_t size, const void *theirs);

/**
 * opts_out - write as much of our struct as the caller has room for
 * @theirs: begins with size_t sz, in: room, out: bytes filled
 * @ours:   what to write; its sz is not looked at
 * @size:   sizeof ours
 *
 * Return: 0; -EINVAL sz is no size, or theirs is NULL.
 */
int opts_out(void *theirs, const void *ours, size_t size);

#endif
