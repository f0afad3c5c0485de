/* SPDX-License-Identifier: BSD-2-Clause */
/* What the path of a cgroup says: runtime, container, pod, unit. */
#ifndef XCAP_CONTAINER_H
#define XCAP_CONTAINER_H

#include <stddef.h>
#include <xcap.h>

/* Room for all strings of a path of this length, its NUL not counted. */
#define CONTAINER_ROOM(path_len) (2 * (path_len) + 8)

/*
 * Fill all strings of out but path, which is the caller's: they lie in buf or are constants, and
 * are "" where the path says nothing. What has no room in buf is left out.
 */
void container_parse(const char *path, struct xcap_cgroup *out, char *buf, size_t size);

#endif
