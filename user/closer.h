/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   sockets of strangers, with whatever they have sent there unread.
 * Out:  they are closed, by somebody who has the time.
 * Owns: those descriptors; a thread, from the first of them on.
 * Runs on: one thread, which never waits here.
 *
 * A stranger may send descriptors (SCM_RIGHTS). Who closes the socket lets go of them, and if it
 * is the last to do so, it waits: for the linger time of a TCP socket (SO_LINGER in socket(7)),
 * for a file system of the stranger's own.
 */
#ifndef XCAP_CLOSER_H
#define XCAP_CLOSER_H

struct closer;

/* Return: NULL: no memory. */
struct closer *closer_new(void);

/* Does not wait for what is left to be closed. */
void closer_free(struct closer *c);

/* fd is not ours any more. */
void closer_close(struct closer *c, int fd);

/* Descriptors that are not closed yet. */
unsigned int closer_left(const struct closer *c);

#endif
