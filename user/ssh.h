/* SPDX-License-Identifier: BSD-2-Clause */
/* The ssh connection that this process was started from: capture must not cut it off. */
#ifndef XCAP_SSH_H
#define XCAP_SSH_H

#include <stdint.h>

struct ssh_peer {
	uint8_t remote[16];	/* IPv6, or v4 mapped into it */
	uint8_t local[16];
	uint16_t remote_port;	/* network order */
	uint16_t local_port;
	char text[64];		/* "192.0.2.7 port 50022" */
};

/* Own SSH_CONNECTION, else an ancestor's (sudo strips it). Return: 1 found; 0 none. */
int ssh_find(struct ssh_peer *peer);

/* That of another process, or of an ancestor of it. Return: 1 found; 0 none. */
int ssh_find_of(int pid, struct ssh_peer *peer);

/* The value of SSH_CONNECTION. Return: 1 understood; 0 not. */
int ssh_parse(const char *value, struct ssh_peer *peer);

#endif
