// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   SSH_CONNECTION in a process's environment and its ancestors', from /proc.
 * Out:  the addresses and ports of the connection.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ssh.h"

#define NAME "SSH_CONNECTION="
#define MAX_ANCESTORS 64

static int parse_addr(char *text, uint8_t *out)
{
	char *zone = strchr(text, '%');

	if (zone)
		*zone = '\0';
	if (inet_pton(AF_INET6, text, out) == 1)
		return 1;
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	return inet_pton(AF_INET, text, out + 12) == 1;
}

int ssh_parse(const char *value, struct ssh_peer *peer)
{
	unsigned int remote_port, local_port;
	char remote[64], local[64];
	struct ssh_peer p = {};

	if (sscanf(value, "%63s %u %63s %u", remote, &remote_port, local, &local_port) != 4 ||
	    !remote_port || remote_port > 65535 || !local_port || local_port > 65535 ||
	    !parse_addr(remote, p.remote) || !parse_addr(local, p.local))
		return 0;
	p.remote_port = htons(remote_port);
	p.local_port = htons(local_port);
	snprintf(p.text, sizeof(p.text), "%.46s port %u", remote, remote_port);
	*peer = p;
	return 1;
}

/* Whole file, NUL-terminated. Return: NULL cannot be read. */
static char *read_file(const char *path, size_t *len)
{
	size_t size = 0;
	char *buf = NULL, *grown;
	ssize_t n;
	int fd;

	*len = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		if (size - *len < 4096) {
			size += 65536;
			grown = realloc(buf, size);
			if (!grown) {
				free(buf);
				close(fd);
				return NULL;
			}
			buf = grown;
		}
		n = read(fd, buf + *len, size - *len - 1);
		if (n > 0)
			*len += n;
	} while (n > 0);
	close(fd);
	buf[*len] = '\0';
	return buf;
}

static int find_in(int pid, struct ssh_peer *peer)
{
	char path[64], *env;
	size_t len, at = 0;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	env = read_file(path, &len);
	if (!env)
		return 0;
	for (; at < len && !found; at += strlen(env + at) + 1)
		if (!strncmp(env + at, NAME, strlen(NAME)))
			found = ssh_parse(env + at + strlen(NAME), peer);
	free(env);
	return found;
}

static int parent_of(int pid)
{
	char path[64], *stat, *end;
	int parent = 0;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = read_file(path, &len);
	if (!stat)
		return 0;
	end = strrchr(stat, ')');	/* the name before it may hold anything */
	if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
		parent = 0;
	free(stat);
	return parent;
}

int ssh_find_of(int pid, struct ssh_peer *peer)
{
	for (int i = 0; i < MAX_ANCESTORS && pid > 0; i++, pid = parent_of(pid))
		if (find_in(pid, peer))
			return 1;
	return 0;
}

int ssh_find(struct ssh_peer *peer)
{
	const char *own = getenv("SSH_CONNECTION");

	return (own && ssh_parse(own, peer)) || ssh_find_of(getppid(), peer);
}
