/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a name, then frames.
 * Out:  a network interface of that name on which they come in, for packet sockets only:
 *       no protocol of this host gets to see one.
 * Owns: the interface (a TAP device that lives as long as its descriptor) and its BPF program.
 * Runs on: the thread of the stream.
 */
#ifndef XCAP_IFACEDEV_H
#define XCAP_IFACEDEV_H

#include <stddef.h>
#include <stdint.h>
#include "error.h"

struct nobody_bpf;

struct ifacedev {
	int fd;			/* writing to it is receiving on the interface; -1 closed */
	int hook_fd;		/* TCX link; -1: clsact, which goes with the interface */
	uint32_t ifindex;
	char name[16];
	uint8_t mac[6];		/* of nobody else */
	struct nobody_bpf *skel;
};

/*
 * Made, without any address, and up. Return: 0; -EEXIST the name is taken; other -errno; each
 * with a sentence, and nothing is left.
 */
int ifacedev_open(struct ifacedev *d, const char *name, uint32_t mtu, struct error *err);

/* One frame. Return: 1 taken; 0 refused: set down, or no memory; -ENODEV somebody deleted it. */
int ifacedev_put(struct ifacedev *d, const uint8_t *frame, size_t len);

/* Takes closed and half-built ones. */
void ifacedev_close(struct ifacedev *d);

#endif
