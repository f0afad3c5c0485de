/* SPDX-License-Identifier: BSD-2-Clause */
/* The status of a cluster, for people. */
#ifndef STATUS_H
#define STATUS_H

#include <stdio.h>

/* json: as xcap_cluster_status() has it. Return: 0; -1 it is none, said. */
int status_table(const char *json, FILE *out);

#endif
