/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hosts, asked for by a thread of its own: who draws never waits. */
#ifndef TOP_HOSTS_H
#define TOP_HOSTS_H

#include <stdint.h>

struct top_hosts;

/* Begins the thread. Return: 0; -errno. */
int top_hosts_new(struct top_hosts **out);

/* The thread ends when it is next awake; what it waits for is its own. */
void top_hosts_free(struct top_hosts *h);

/*
 * What is known; else it is asked for, if there is room to. Return: the name, valid until the next
 * call, bytes of any kind; NULL: it has none, or it is not known yet.
 */
const char *top_hosts_name(struct top_hosts *h, int family, const uint8_t *address);

/* How many answers have come: another number, another look. */
unsigned int top_hosts_answers(struct top_hosts *h);

#endif
