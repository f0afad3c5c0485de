// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a process that is followed: the map that it is in (bpf/tree.bpf.h).
 * Out:  numbers that no process can have in all of its free places; how many, on stdout.
 * Owns: nothing.
 * Runs on: root.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 0x40000000	/* above PID_MAX_LIMIT */

/* Return: descriptor of the one that has that process; -1: there is none. */
static int find(__u32 pid)
{
	__u32 id = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		struct bpf_map_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_map_get_fd_by_id(id);
		__u64 value;

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, "tree") &&
		    !bpf_map_lookup_elem(fd, &pid, &value))
			return fd;
		close(fd);
	}
	return -1;
}

int main(int argc, char **argv)
{
	int fd = find(argc > 1 ? atoi(argv[1]) : 0), n = 0;
	__u64 value = 1;

	if (fd < 0)
		errx(1, "nobody follows it");
	while (!bpf_map_update_elem(fd, &(__u32){ FIRST + n }, &value, BPF_ANY))
		n++;
	if (errno != E2BIG)
		err(1, "update");
	printf("%d\n", n);
	return !n;
}
