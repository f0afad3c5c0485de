/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   the hardware address of a device of ours.
 * Out:  which processes have a packet socket that it feeds, and this one.
 * Owns: a BPF iterator over open files, and the numbers it found last.
 * Runs on: the thread of the stream.
 *
 * What shows system calls to a reader must not show the reader's own: each shown call would
 * make more of them. The iterator is loaded while there is privilege and asked without any;
 * /proc/PID/fd would need it each time.
 */
#ifndef XCAP_READERS_H
#define XCAP_READERS_H

#include <stdbool.h>
#include <stdint.h>
#include "error.h"

struct readers;

/* Return: 0; -errno with a sentence. */
int readers_open(struct readers **out, const uint8_t mac[6], struct error *err);

/*
 * Look again if it is time: twenty times a second, but down to once where that would take more
 * than a hundredth of a CPU. Return: 0; -errno with a sentence.
 */
int readers_look(struct readers *r, int64_t now_ns, struct error *err);

/* pid: thread group in the initial pid namespace, as records have it. */
bool readers_have(const struct readers *r, uint32_t pid);

/* Takes NULL. */
void readers_close(struct readers *r);

#endif
