/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What records are joined with, in stream order: names of tasks, programs of processes, paths of
 * cgroups. Filled by records of the types from SOURCE_TASK on, which no reader sees.
 */
#ifndef XCAP_TABLES_H
#define XCAP_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "epoch.h"

struct tables;

/* sockets: packets are to find their owners. Return: NULL: no memory. */
struct tables *tables_new(bool sockets);
void tables_free(struct tables *t);

/* A record for the tables: the bytes of an xcap_ev at data, caplen of them. */
void tables_apply(struct tables *t, const struct xcap_record *rec);

/* Write into a live record who is behind it. */
void tables_join(struct tables *t, struct xcap_record *rec);

/*
 * Write into a live packet whose it is, if that is known. netns: cookie of its interface's network
 * namespace, which is ours. loopback: source and destination are here, and the source counts.
 */
void tables_own(struct tables *t, struct xcap_record *rec, uint64_t netns, bool loopback);

/* As that, of a record that tells of a socket of this host. */
void tables_own_socket(struct tables *t, struct xcap_record *rec, uint64_t cookie);

/* As owners_unsure(). */
void tables_unsure(struct tables *t, int64_t mono_ns);

/* As processes_follow(), processes_followed(). */
void tables_follow(struct tables *t, const uint32_t *pids, int nr);
int tables_followed(const struct tables *t);

/* Lent records keep what they point to alive. */
struct epoch *tables_epoch(struct tables *t);

#endif
