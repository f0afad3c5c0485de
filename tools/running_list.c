// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the files that captures publish.
 * Out:  the account of each that is alive; what dead ones left is removed.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * A file is read, and never mapped: who could make it shorter would kill us by that. It counts
 * if it is one of root, of ourselves or of the directory's owner, and is locked for writing,
 * which who can only read it cannot do. Who is dead stays so; who then has the second lock on
 * the file may remove its name, and nobody else: so no new file is taken for an old one.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "running.h"
#include "running_file.h"

#define MAX_FILES 4096		/* looked at; nobody has more, but who means harm */
#define TRIES 20		/* a millisecond apart, for a copy that is whole */

/* "1292.account" is 1292. Return: ULONG_MAX: the name is none of ours. */
static unsigned long number_of(const char *name, const char *suffix, unsigned long min)
{
	unsigned long n;
	char *end;

	if (*name < '0' || *name > '9' || (name[0] == '0' && name[1] != '.'))
		return ULONG_MAX;
	n = strtoul(name, &end, 10);
	return !strcmp(end, suffix) && n >= min && n <= INT_MAX ? n : ULONG_MAX;
}

static bool trusted(int dir_fd, const struct stat *st)
{
	struct stat dir;

	return S_ISREG(st->st_mode) && (!st->st_uid || st->st_uid == geteuid() ||
					(!fstat(dir_fd, &dir) && st->st_uid == dir.st_uid));
}

/* To write, that it can be locked if need be; else to read. Return: -1: it does not count. */
static int open_file(int dir_fd, const char *name, struct stat *st)
{
	int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, fd;

	if (fstatat(dir_fd, name, st, AT_SYMLINK_NOFOLLOW) || !trusted(dir_fd, st))
		return -1;
	fd = openat(dir_fd, name, O_RDWR | flags);
	if (fd < 0)
		fd = openat(dir_fd, name, O_RDONLY | flags);
	if (fd >= 0 && !fstat(fd, st) && trusted(dir_fd, st))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A lock for reading would meet no other reader's, but the writer's. */
static bool alive(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_start = RUNNING_ALIVE, .l_len = 1 };

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type == F_WRLCK;
}

static void bury(int fd, int dir_fd, const char *name)
{
	if (!running_lock(fd, RUNNING_BURIAL) && running_same_file(fd, dir_fd, name))
		unlinkat(dir_fd, name, 0);
}

static bool bounded(const struct running_account *a)
{
	if (!memchr(a->command, 0, sizeof(a->command)) || !memchr(a->sink, 0, sizeof(a->sink)) ||
	    a->nr_sources > RUNNING_SOURCES || a->nr_all < a->nr_sources)
		return false;
	for (uint32_t i = 0; i < a->nr_sources; i++)
		if (!memchr(a->sources[i].spec, 0, sizeof(a->sources[i].spec)) ||
		    !memchr(a->sources[i].mode, 0, sizeof(a->sources[i].mode)))
			return false;
	return true;
}

static bool read_seq(int fd, uint32_t *seq)
{
	return pread(fd, seq, sizeof(*seq), offsetof(struct running_file, seq)) == sizeof(*seq);
}

/*
 * The number before and after: the same, and even. Each by a read of its own: within one the
 * processor copies in whatever order (rep movsb), and one in a million had the number of a later
 * instant than what follows it. Pairs with write_account() in running.c.
 */
static bool copy(int fd, struct running_file *f)
{
	uint32_t before, after;

	for (int i = 0; i < TRIES; i++) {
		if (!read_seq(fd, &before))
			return false;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (pread(fd, f, sizeof(*f), 0) != sizeof(*f))
			return false;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!read_seq(fd, &after))
			return false;
		if (before == after && !(after & 1))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return false;
}

static bool read_file(int fd, const struct stat *st, unsigned long pid, struct running_file *f)
{
	if (st->st_size != sizeof(*f) || !copy(fd, f) ||
	    memcmp(f->magic, RUNNING_MAGIC, sizeof(f->magic)) || f->version != RUNNING_VERSION ||
	    f->size != sizeof(*f) || f->account.pid != pid || !bounded(&f->account))
		return false;
	f->account.uid = st->st_uid;
	return true;
}

/* Numbers of the names that end so, in their order. Return: how many. */
static int find(const char *suffix, unsigned long min, unsigned int *numbers, int max)
{
	int fd = running_dir_open(), nr = 0, seen = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (dir && nr < max && seen++ < 4 * MAX_FILES && (e = readdir(dir))) {
		unsigned long n = number_of(e->d_name, suffix, min);
		int at = nr;

		if (n == ULONG_MAX)
			continue;
		for (; at && numbers[at - 1] > n; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = n;
		nr++;
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return nr;
}

int running_clusters(unsigned int *numbers, int max)
{
	return find(".sock", 0, numbers, max);
}

static int visit(int dir_fd, unsigned int pid, struct running_file *f, running_lister fn,
		 void *user)
{
	struct stat st;
	char name[32];
	int fd, ret = 0;

	snprintf(name, sizeof(name), "%u" RUNNING_SUFFIX, pid);
	fd = open_file(dir_fd, name, &st);
	if (fd < 0)
		return 0;
	if (!alive(fd))
		bury(fd, dir_fd, name);
	else if (fn && read_file(fd, &st, pid, f))
		ret = fn(user, &f->account);
	close(fd);
	return ret;
}

int running_list(running_lister fn, void *user)
{
	struct running_file *f = malloc(sizeof(*f));
	unsigned int *pids = calloc(MAX_FILES, sizeof(*pids));
	int dir_fd = running_dir_open(), ret = f && pids ? 0 : -ENOMEM, nr;

	if (!ret && dir_fd < 0)		/* nobody has made it: nothing runs */
		ret = dir_fd == -ENOENT ? 0 : dir_fd;
	nr = !ret && dir_fd >= 0 ? find(RUNNING_SUFFIX, 1, pids, MAX_FILES) : 0;
	for (int i = 0; i < nr && !ret; i++)
		ret = visit(dir_fd, pids[i], f, fn, user);
	if (dir_fd >= 0)
		close(dir_fd);
	free(pids);
	free(f);
	return ret;
}
