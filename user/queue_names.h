/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   the processes and cgroups of records.
 * Out:  a number and a frame for each, told to every reader before the first record that has it.
 * Owns: the table of numbers, a reference to each frame.
 * Runs on: the thread of the stream.
 *
 * What a name was stays readable until every slot that tells it has come back: frames are counted.
 */
#ifndef XCAP_QUEUE_NAMES_H
#define XCAP_QUEUE_NAMES_H

#include <xcap.h>
#include "frames.h"
#include "queue.h"

#define QUEUE_NAMES 8192	/* numbers, from 1 on; the rest is forgotten and told again */

struct queue_names;

struct queue_names *queue_names_new(struct frames *f);
void queue_names_free(struct queue_names *t);

/* Records that were lent before may have gone back. */
void queue_names_batch(struct queue_names *t);

/* The number of a process, a cgroup; {0, 0}: NULL, or there is no room for it. */
struct queue_name queue_names_process(struct queue_names *t, const struct xcap_process *p);
struct queue_name queue_names_cgroup(struct queue_names *t, const struct xcap_cgroup *g);

/* Frames that the table refers to. */
uint32_t queue_names_count(const struct queue_names *t);

/* Where it is written. Return: FRAME_NONE: the number means something else by now. */
uint32_t queue_names_frame(const struct queue_names *t, struct queue_name name, uint32_t *bytes);

/* What stands there, to put into a record again; NULL as queue_names_frame(). */
const struct xcap_process *queue_names_as_process(struct queue_names *t, struct queue_name name);
const struct xcap_cgroup *queue_names_as_cgroup(struct queue_names *t, struct queue_name name);

/*
 * The reader's half: one block for free(), its strings behind it. Return: NULL: no memory, or what
 * is written there is none.
 */
struct xcap_process *queue_names_read_process(const uint8_t *bytes, uint32_t len);
struct xcap_cgroup *queue_names_read_cgroup(const uint8_t *bytes, uint32_t len);

#endif
