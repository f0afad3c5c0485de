/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   this process, as /proc shows it.
 * Out:  what a capture holds: UMEM, AF_XDP rings, BPF maps, own memory.
 * Owns: nothing.
 * Runs on: one thread.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

enum { MEMORY_MAX_MAPS = 512 };

/* The number behind a key in a file of "key: number" lines; 0 if it is not there. */
static inline uint64_t memory_number(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	uint64_t number = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			number = strtoull(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return number;
}

/* Shared files of memory (a UMEM; one that is not shared is in rss_anon) and BPF maps. */
static inline void memory_of_fds(struct bench_memory *m)
{
	uint64_t seen[MEMORY_MAX_MAPS], id;
	char path[300], target[256];
	int nr_seen = 0, i;
	struct dirent *d;
	struct stat st;
	DIR *dir = opendir("/proc/self/fd");

	while (dir && (d = readdir(dir))) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%s", d->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = 0;
		if (!strncmp(target, "/memfd:", 7) && atoi(d->d_name) != BENCH_SHARE_FD &&
		    !stat(path, &st))
			m->umem += (uint64_t)st.st_size;
		if (strcmp(target, "anon_inode:bpf-map"))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", d->d_name);
		id = memory_number(path, "map_id:");
		for (i = 0; i < nr_seen && seen[i] != id; i++)
			;
		if (i < nr_seen || nr_seen == MEMORY_MAX_MAPS)
			continue;
		seen[nr_seen++] = id;
		m->maps += memory_number(path, "memlock:");
	}
	if (dir)
		closedir(dir);
}

/* Rings of AF_XDP sockets are mappings of the socket. */
static inline void memory_of_mappings(struct bench_memory *m)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long begin, end;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "socket:[") && sscanf(line, "%lx-%lx", &begin, &end) == 2)
			m->xsk_rings += end - begin;
	if (f)
		fclose(f);
}

static inline void memory_of_self(struct bench_memory *m)
{
	memset(m, 0, sizeof(*m));
	memory_of_fds(m);
	memory_of_mappings(m);
	m->rss_anon = memory_number("/proc/self/status", "RssAnon:") << 10;
}

#endif
