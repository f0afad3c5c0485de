/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups by id: their paths, and what these say of containers. Entries never change or go. */
#ifndef XCAP_CGROUPS_H
#define XCAP_CGROUPS_H

#include <stdint.h>
#include <xcap.h>
#include "xcap_event.h"

struct cgroups;

/* Return: NULL: no memory. */
struct cgroups *cgroups_new(void);
void cgroups_free(struct cgroups *t);

/* One XEV_CGROUP record, which came whole: its length fits its size. */
void cgroups_apply(struct cgroups *t, const struct xcap_ev_cgroup *ev);

/* Return: NULL: not known. Valid as long as the table. */
const struct xcap_cgroup *cgroups_get(const struct cgroups *t, uint64_t id);

#endif
