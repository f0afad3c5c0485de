// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   files of all kinds that this process opens, below the current directory.
 * Out:  exit 0: bpf/path.bpf.h names each as /proc/self/fd does; 1 with what differs.
 * Owns: what it makes, in the directory and in a mount namespace of its own.
 * Runs on: one thread, as root.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "paths.skel.h"

#define MAX_FILES 64
#define DEEP 40		/* directories of 200 bytes each: longer than any path may be */

struct head {
	__u32 fd, len, cut;
};

static int opened[MAX_FILES];
static int nr_opened;

static int open_file(int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, flags, 0600);

	if (fd < 0)
		err(1, "%s", name);
	if (nr_opened == MAX_FILES)
		errx(1, "too many files");
	opened[nr_opened++] = fd;
	return fd;
}

/* Two mounts, one in the other, one of them of a directory that is not its root. */
static void open_mounted(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "a mount namespace");
	mkdir("mnt", 0700);
	if (mount("one", "mnt", "tmpfs", 0, NULL))
		err(1, "tmpfs");
	mkdir("mnt/in", 0700);
	mkdir("mnt/in/side", 0700);
	mkdir("mnt/other", 0700);
	close(open("mnt/in/side/file", O_CREAT | O_WRONLY, 0600));
	if (mount("mnt/in", "mnt/other", NULL, MS_BIND, NULL) ||
	    mount("two", "mnt/in", "tmpfs", 0, NULL))
		err(1, "mount");
	open_file(AT_FDCWD, "mnt", O_RDONLY);
	open_file(AT_FDCWD, "mnt/in", O_RDONLY);
	open_file(AT_FDCWD, "mnt/in/file", O_CREAT | O_WRONLY);
	open_file(AT_FDCWD, "mnt/other/side/file", O_RDONLY);
	open_file(AT_FDCWD, "/proc/self/status", O_RDONLY);
	open_file(AT_FDCWD, "/proc/sys/kernel/ostype", O_RDONLY);
}

/* No name in one piece: /proc has none for it, ours is its end. */
static void open_deep(void)
{
	char name[201];
	int dir = open(".", O_RDONLY | O_DIRECTORY);

	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < DEEP; i++) {
		mkdirat(dir, name, 0700);
		dir = open_file(dir, name, O_RDONLY | O_DIRECTORY);
	}
}

static void open_all(void)
{
	char name[256];
	int fd;

	open_file(AT_FDCWD, "/", O_RDONLY);
	open_file(AT_FDCWD, ".", O_RDONLY);
	open_file(AT_FDCWD, "plain", O_CREAT | O_WRONLY);
	memset(name, 'n', 255);
	name[255] = '\0';
	open_file(AT_FDCWD, name, O_CREAT | O_WRONLY);
	open_file(AT_FDCWD, "a name\n with \xff bytes", O_CREAT | O_WRONLY);
	open_file(AT_FDCWD, "gone", O_CREAT | O_WRONLY);
	unlink("gone");
	open_file(AT_FDCWD, "/dev/null", O_RDWR);
	fd = memfd_create("made", 0);
	if (fd >= 0)
		opened[nr_opened++] = fd;
	open_mounted();
	open_deep();
}

/* Return: 0: the two agree. */
static int compare(const struct head *head, const char *path)
{
	char link[64], want[4097];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%u", head->fd);
	n = readlink(link, want, sizeof(want) - 1);
	if (n < 0) {
		if (errno == ENAMETOOLONG && head->cut && path[0] == '/' && head->len > 3500)
			return 0;
		warn("%s, ours is %u bytes, cut %u", link, head->len, head->cut);
		return 1;
	}
	want[n] = '\0';
	if (head->len == (__u32)n + 1 && !memcmp(path, want, n + 1))
		return 0;
	warnx("descriptor %u is '%s', ours is '%s'", head->fd, want, path);
	return 1;
}

static bool is_opened(int fd)
{
	for (int i = 0; i < nr_opened; i++)
		if (opened[i] == fd)
			return true;
	return false;
}

static void get(int fd, void *to, size_t len)
{
	for (size_t have = 0; have < len; ) {
		ssize_t n = read(fd, (char *)to + have, len - have);

		if (n <= 0)
			errx(1, "the iterator ends early");
		have += n;
	}
}

int main(void)
{
	struct paths_bpf *skel = paths_bpf__open_and_load();
	struct bpf_link *link = skel ? bpf_program__attach(skel->progs.paths) : NULL;
	static char path[8192];
	int fd, failed = 0, nr = 0;
	struct head head;

	if (!link)
		err(1, "the iterator");
	open_all();
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		err(1, "bpf_iter_create");
	while (read(fd, &head, 1) == 1) {
		get(fd, (char *)&head + 1, sizeof(head) - 1);
		if (head.len > 4096)
			errx(1, "a path of %u bytes", head.len);
		get(fd, path, head.len);
		if (!is_opened(head.fd))
			continue;
		failed |= compare(&head, path);
		nr++;
	}
	if (nr != nr_opened)
		errx(1, "%d of %d files are told", nr, nr_opened);
	printf("%d paths\n", nr);
	bpf_link__destroy(link);
	paths_bpf__destroy(skel);
	return failed;
}
