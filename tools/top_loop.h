/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for records, keys, a guest and the time, whichever comes first. */
#ifndef TOP_LOOP_H
#define TOP_LOOP_H

#include "top.h"

/*
 * Feed what is due, then wait: for a key at key_fd (-1: none), for the guest, for records, until
 * a time by CLOCK_MONOTONIC; never long. Return: what poll() said of key_fd; 0 nothing.
 */
int top_loop_step(struct top_run *r, int key_fd, int64_t until_mono_ns);

/* When the interval that runs can be shown, by CLOCK_MONOTONIC: its last records have come. */
int64_t top_loop_date(const struct top_run *r);

/* Close intervals whose last records have come. */
void top_loop_time(struct top_run *r);

/* An end was asked for. */
bool top_loop_over(const struct top_run *r);

#endif
