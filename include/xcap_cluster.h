/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clusters: one capture, many readers. The sink "xcap:CLUSTER" fills queues in shared memory, a
 * source "xcap:CLUSTER@QUEUE" reads one of them. Part of xcap.h, which includes it.
 */
#ifndef XCAP_CLUSTER_PUBLIC_H
#define XCAP_CLUSTER_PUBLIC_H

#include "xcap.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * xcap_hand_on - let the next reader have a record, when this one releases it
 * @x:   handle
 * @rec: a lent record of a source "xcap:CLUSTER@QUEUE?next=HIGHER"
 *
 * Its bytes stay where they are: the other queue gets a description of them. What is released
 * without it goes no further.
 *
 * Return: 0; -EINVAL the source hands nothing on, or the record is not lent; with a sentence in
 *         xcap_errmsg(x).
 * Owns:   as before.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_hand_on(struct xcap *x, const struct xcap_record *rec);

/**
 * xcap_cluster_status - what becomes of the records of a cluster
 * @cluster: number
 * @buf:     out: one JSON object, always ended by a NUL if there is room for one
 * @size:    bytes at @buf
 *
 * Asks the process that has the sink "xcap:CLUSTER", which answers those who may read. For each
 * queue: seen = delivered + filtered + dropped + no_reader + unread + backlog.
 *
 * Return: bytes of all of it without the NUL, as snprintf(); -ECONNREFUSED the cluster has no
 *         master; other -errno; with a sentence in xcap_errmsg(NULL).
 * Owns:   nothing.
 * Threads: any but the one that has the sink.
 * Since:  0.1
 */
XCAP_API int xcap_cluster_status(unsigned int cluster, char *buf, size_t size);

/**
 * xcap_cluster_filter - keep from here on only what matches in a queue
 * @cluster:    number
 * @queue:      number
 * @expression: filter expression (xcap(7)); NULL or "" keeps all
 *
 * It is replaced between two records: none is lost, and none is judged by both.
 *
 * Return: 0; -EINVAL no filter; -ENOENT no such queue; -ECONNREFUSED no such cluster; -EPERM
 *         it is another user's; other -errno; with a sentence in xcap_errmsg(NULL).
 * Owns:   nothing.
 * Threads: any but the one that has the sink.
 * Since:  0.1
 */
XCAP_API int xcap_cluster_filter(unsigned int cluster, unsigned int queue, const char *expression);

/**
 * xcap_sink_filter - as xcap_cluster_filter(), for who has the sink
 * @sink:       of a cluster
 * @queue:      number
 * @expression: filter expression (xcap(7)); NULL or "" keeps all
 *
 * Return: 0; -EINVAL no filter; -ENOENT no such queue; -EOPNOTSUPP the sink has no queues; with a
 *         sentence in xcap_errmsg() of its stream.
 * Owns:   nothing.
 * Threads: one thread per sink.
 * Since:  0.1
 */
XCAP_API int xcap_sink_filter(struct xcap_sink *sink, unsigned int queue, const char *expression);

#ifdef __cplusplus
}
#endif

#endif
