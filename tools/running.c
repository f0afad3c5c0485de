// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the accounts of a stream.
 * Out:  a file for other processes to read, as long as this one lives.
 * Owns: the file, its mapping and the lock on it.
 * Runs on: the tool's only thread.
 *
 * A lock says that who wrote it is alive, by whatever end it may come: it is taken before the
 * file has a name. What changes is in memory, under a sequence number that is odd meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "running.h"
#include "running_file.h"

struct running {
	int dir_fd, fd;
	char name[32];
	struct running_file *file;
	struct running_account next;	/* made here, then copied in one go */
};

const char *running_dir(void)
{
	const char *dir = secure_getenv("XCAP_RUN_DIR");

	return dir && *dir ? dir : "/run/xcap";
}

int running_dir_open(void)
{
	int fd = open(running_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool running_same_file(int fd, int dir_fd, const char *name)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int running_lock(int fd, off_t byte)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Complete and locked before anybody can see it. */
static int publish(struct running *r)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", r->fd);
	snprintf(r->name, sizeof(r->name), "%d" RUNNING_SUFFIX, (int)getpid());
	if (linkat(AT_FDCWD, self, r->dir_fd, r->name, AT_SYMLINK_FOLLOW)) {
		r->name[0] = '\0';
		return -errno;
	}
	return 0;
}

/* The pages are there from now on: the disk is full later, but not for us. */
static int make_file(struct running *r)
{
	void *map;

	r->fd = openat(r->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (r->fd < 0)
		return -errno;
	if (fchmod(r->fd, 0644) || posix_fallocate(r->fd, 0, sizeof(*r->file)))
		return -EIO;
	map = mmap(NULL, sizeof(*r->file), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r->file = map;
	memcpy(r->file->magic, RUNNING_MAGIC, sizeof(r->file->magic));
	r->file->version = RUNNING_VERSION;
	r->file->size = sizeof(*r->file);
	return running_lock(r->fd, RUNNING_ALIVE);
}

/* As the kernel's: odd while it is written. Pairs with copy() in running_list.c. */
static void write_account(struct running *r)
{
	uint32_t seq = r->file->seq;

	__atomic_store_n(&r->file->seq, seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	r->file->account = r->next;
	__atomic_store_n(&r->file->seq, seq + 2, __ATOMIC_RELEASE);
}

void running_begin(struct running_account *a)
{
	a->pid = getpid();
	a->started_ns = clock_ns(CLOCK_REALTIME);
	a->updated_ns = clock_ns(CLOCK_MONOTONIC);
}

struct running *running_open(const char *command, const char *sink)
{
	struct running *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fd = -1;
	mkdir(running_dir(), 0755);
	r->dir_fd = running_dir_open();
	running_list(NULL, NULL);	/* a ghost may have our number */
	if (r->dir_fd < 0 || make_file(r))
		goto fail;
	running_begin(&r->next);
	snprintf(r->next.command, sizeof(r->next.command), "%s", command);
	snprintf(r->next.sink, sizeof(r->next.sink), "%s", sink ?: "");
	write_account(r);
	if (!publish(r))
		return r;
fail:
	running_close(r);
	return NULL;
}

static void tell_source(struct running_source *s, struct xcap *x, int i)
{
	struct xcap_source_info info = { .sz = sizeof(info) };

	s->stats.sz = sizeof(s->stats);
	xcap_stats(x, i, &s->stats);
	if (s->spec[0] || xcap_source_info(x, i, &info))
		return;
	snprintf(s->spec, sizeof(s->spec), "%s", info.spec);
	snprintf(s->mode, sizeof(s->mode), "%s", info.mode);
}

void running_tell(struct running_account *a, struct xcap *x)
{
	a->nr_all = xcap_nr_sources(x);
	a->nr_sources = a->nr_all < RUNNING_SOURCES ? a->nr_all : RUNNING_SOURCES;
	for (uint32_t i = 0; i < a->nr_sources; i++)
		tell_source(&a->sources[i], x, i);
	a->total.sz = sizeof(a->total);
	xcap_stats(x, -1, &a->total);
	a->updated_ns = clock_ns(CLOCK_MONOTONIC);
}

void running_update(struct running *r, struct xcap *x)
{
	if (!r)
		return;
	running_tell(&r->next, x);
	write_account(r);
}

void running_told(struct running *r, const struct xcap_told *told)
{
	struct running_account *a = r ? &r->next : NULL;

	if (!a)
		return;
	a->nr_all = told->nr_all;
	a->nr_sources = told->nr_sources;
	a->total = *told->total;
	for (uint32_t i = 0; i < a->nr_sources; i++) {
		struct running_source *s = &a->sources[i];

		snprintf(s->spec, sizeof(s->spec), "%s", told->specs[i]);
		snprintf(s->mode, sizeof(s->mode), "%s", told->modes[i]);
		s->stats = *told->stats[i];
	}
	a->updated_ns = clock_ns(CLOCK_MONOTONIC);
	write_account(r);
}

void running_close(struct running *r)
{
	if (!r)
		return;
	if (r->name[0] && running_same_file(r->fd, r->dir_fd, r->name))
		unlinkat(r->dir_fd, r->name, 0);
	if (r->file)
		munmap(r->file, sizeof(*r->file));
	if (r->fd >= 0)
		close(r->fd);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	free(r);
}
