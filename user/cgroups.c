// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   cgroup records.
 * Out:  the path of a cgroup, by its id.
 * Owns: the table: a chained hash by id. Ids are not used again; a host has few cgroups.
 * Runs on: the thread of the handle.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "cgroups.h"
#include "container.h"

#define NR_BUCKETS 1024
#define NR_MAX 65536		/* hosts of short-lived containers: later ones have no path */

struct entry {
	struct xcap_cgroup cgroup;	/* first: what is lent */
	struct entry *next;
	char path[];
};

struct cgroups {
	struct entry *buckets[NR_BUCKETS];
	unsigned int nr;
};

struct cgroups *cgroups_new(void)
{
	return calloc(1, sizeof(struct cgroups));
}

void cgroups_free(struct cgroups *t)
{
	struct entry *e, *next;

	for (int i = 0; t && i < NR_BUCKETS; i++) {
		for (e = t->buckets[i]; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(t);
}

static struct entry *find(const struct cgroups *t, uint64_t id)
{
	struct entry *e = t->buckets[id % NR_BUCKETS];

	while (e && e->cgroup.id != id)
		e = e->next;
	return e;
}

void cgroups_apply(struct cgroups *t, const struct xcap_ev_cgroup *ev)
{
	struct entry *e, **to = &t->buckets[ev->cgroup_id % NR_BUCKETS];
	size_t room;

	if (!ev->path_len || t->nr == NR_MAX || find(t, ev->cgroup_id))
		return;
	room = CONTAINER_ROOM(ev->path_len - 1);
	e = calloc(1, sizeof(*e) + ev->path_len + room);
	if (!e)
		return;
	memcpy(e->path, ev->path, ev->path_len - 1);
	e->cgroup = (struct xcap_cgroup){ .id = ev->cgroup_id, .path = e->path };
	container_parse(e->path, &e->cgroup, e->path + ev->path_len, room);
	e->next = *to;
	*to = e;
	t->nr++;
}

const struct xcap_cgroup *cgroups_get(const struct cgroups *t, uint64_t id)
{
	struct entry *e = find(t, id);

	return e ? &e->cgroup : NULL;
}
