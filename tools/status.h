/* SPDX-License-Identifier: BSD-2-Clause */
/* The status of a cluster, as xcap_cluster_status() has it. */
#ifndef STATUS_H
#define STATUS_H

#include <stdio.h>

/* For people. Return: 0; -1 it is none, said. */
int status_table(const char *json, FILE *out);

/* The first line of that; an object with its type on one line. What is no status: nothing. */
void status_line(const char *json, FILE *out);
void status_json(const char *json, FILE *out);

#endif
