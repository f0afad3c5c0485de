/* SPDX-License-Identifier: BSD-2-Clause */
/* What xcap top sees, for Prometheus: a page that is made when somebody asks for it. */
#ifndef METRICS_H
#define METRICS_H

#include <stdbool.h>
#include <stdio.h>
#include "top.h"

struct metrics;

/*
 * Listens at "127.0.0.1:9464", "[::1]:9464", and nowhere else. Before privilege is given up.
 * Return: OPTIONS_RUN; an exit code, said on stderr.
 */
int metrics_open(struct metrics **out, const char *address, const struct command *cmd);

/* What serves it in the loop of top; the run is whose model and account are told. */
struct top_guest *metrics_guest(struct metrics *m, struct top_run *run);
void metrics_close(struct metrics *m);

/* ---- metrics_page.c ---- */

#define METRICS_ROWS 96		/* of each view, at most */

struct running_account;

/*
 * The page. t: the model of all, or NULL; own: the account of this capture; those of others are
 * asked for. open: OpenMetrics 1.0, else Prometheus' text.
 */
void metrics_page(FILE *out, bool open, struct top *t, const struct running_account *own);

#endif
