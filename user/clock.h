/* SPDX-License-Identifier: BSD-2-Clause */
/* Monotonic time, and the wall time that belongs to it. */
#ifndef XCAP_CLOCK_H
#define XCAP_CLOCK_H

#include <stdint.h>

#define NS_PER_SEC 1000000000LL
#define NS_PER_MS 1000000LL
#define NS_PER_US 1000LL

/*
 * A store of another CPU may still sit in its store buffer when we have read the
 * clock: what it stamped before our reading can become visible a moment after.
 * Every watermark stays behind the clock by this much. Store buffers drain
 * within a microsecond, and on every interrupt and VM exit; the rest covers what
 * the kernel's lockless clock may differ from ours while it is being adjusted.
 */
#define CLOCK_MARGIN_NS (5 * NS_PER_US)

/* CLOCK_MONOTONIC, the clock of every kernel time stamp. */
int64_t clock_mono_ns(void);

/*
 * CLOCK_REALTIME - CLOCK_MONOTONIC, sampled between two monotonic readings. Add it
 * to a monotonic time: ordering is by the monotonic one, so a step of the wall
 * clock changes what is shown and never the order.
 */
int64_t clock_wall_offset_ns(void);

/* The same to CLOCK_BOOTTIME, which the kernel dates the start of processes by. */
int64_t clock_boot_offset_ns(void);

#endif
