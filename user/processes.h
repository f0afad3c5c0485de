/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each process runs, and since when. A process has a version for each exec; versions do not
 * change, so that lent records can point to them, and are freed by epochs.
 */
#ifndef XCAP_PROCESSES_H
#define XCAP_PROCESSES_H

#include <stdint.h>
#include <xcap.h>
#include "epoch.h"
#include "xcap_event.h"

struct processes;

/* epoch: where versions go. Return: NULL: no memory. */
struct processes *processes_new(struct epoch *epoch);
void processes_free(struct processes *t);

/* One XEV_TASK record: forks and exits make and end processes. */
void processes_task(struct processes *t, const struct xcap_ev_task *ev);

/* One XEV_IMAGE record, which came whole: its lengths fit its size. */
void processes_image(struct processes *t, const struct xcap_ev_image *ev);

/* What the process was at that time; NULL: not known. Valid until a record that is lent by then. */
const struct xcap_process *processes_at(const struct processes *t, uint32_t pid, int64_t mono_ns);

/* Processes in the table. */
unsigned int processes_count(const struct processes *t);

#endif
