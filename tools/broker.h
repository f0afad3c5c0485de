/* SPDX-License-Identifier: BSD-2-Clause */
/* The privileged half of xcap run. */
#ifndef BROKER_H
#define BROKER_H

#define BROKER_NAME_SIZE 128

/*
 * Fork it off: it opens captures for this process and what comes of it, whatever programs
 * they become. name: out, for the environment variable XCAP_RUN; a secret is part of it. It
 * ends when this process and all that were forked off it, or who closed what they inherited,
 * are gone. Return: 0; -errno.
 */
int broker_start(char name[BROKER_NAME_SIZE]);

#endif
