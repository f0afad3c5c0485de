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

#define PROCESSES_TREES 32	/* that can be followed at once */

/* epoch: where versions go. Return: NULL: no memory. */
struct processes *processes_new(struct epoch *epoch);
void processes_free(struct processes *t);

/* One XEV_TASK record: forks make processes, and they end with their last thread. */
void processes_task(struct processes *t, const struct xcap_ev_task *ev);

/* One XEV_IMAGE record, which came whole: its lengths fit its size. */
void processes_image(struct processes *t, const struct xcap_ev_image *ev);

/* What the process was at that time; NULL: not known. Valid until a record that is lent by then. */
const struct xcap_process *processes_at(const struct processes *t, uint32_t pid, int64_t mono_ns);

/*
 * From here on each process knows which of these it descends from, or is. A number that nobody
 * has is that of the next process to get it. nr 0: nobody is followed.
 */
void processes_follow(struct processes *t, const uint32_t *pids, int nr);

/* Of a process that processes_at() gave: bit i: it is of the tree of pids[i]. NULL: 0. */
uint32_t processes_trees(const struct xcap_process *p);

/* Processes of all these trees that have not ended. */
int processes_followed(const struct processes *t);

/* Processes in the table. */
unsigned int processes_count(const struct processes *t);

#endif
