// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   descriptors, by a pipe.
 * Out:  nothing.
 * Owns: the descriptors; itself, when the other side has gone.
 * Runs on: a thread of its own, from the first descriptor on, without any privilege.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "closer.h"

struct closer {
	int pipe[2];
	unsigned int left;
	bool started;
};

struct closer *closer_new(void)
{
	struct closer *c = calloc(1, sizeof(*c));

	if (c && !pipe2(c->pipe, O_CLOEXEC))
		return c;
	free(c);
	return NULL;
}

/* Who began us may still have some, and gives up its own only. */
static void give_up_privilege(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	syscall(SYS_capset, &head, none);
}

static void *closing(void *arg)
{
	struct closer *c = arg;
	int fd;

	give_up_privilege();
	while (read(c->pipe[0], &fd, sizeof(fd)) == sizeof(fd)) {
		close(fd);
		__atomic_sub_fetch(&c->left, 1, __ATOMIC_RELAXED);
	}
	close(c->pipe[0]);
	free(c);
	return NULL;
}

/* Signals are for the program's threads. */
static bool start(struct closer *c)
{
	pthread_attr_t attr;
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	c->started = !pthread_create(&thread, &attr, closing, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return c->started;
}

void closer_free(struct closer *c)
{
	if (!c)
		return;
	if (c->started) {
		close(c->pipe[1]);	/* the thread frees the rest */
		return;
	}
	close(c->pipe[0]);
	close(c->pipe[1]);
	free(c);
}

void closer_close(struct closer *c, int fd)
{
	__atomic_add_fetch(&c->left, 1, __ATOMIC_RELAXED);
	/* the pipe has room for more of them than a process has descriptors, by default */
	if ((c->started || start(c)) && write(c->pipe[1], &fd, sizeof(fd)) == sizeof(fd))
		return;
	close(fd);
	__atomic_sub_fetch(&c->left, 1, __ATOMIC_RELAXED);
}

unsigned int closer_left(const struct closer *c)
{
	return __atomic_load_n(&c->left, __ATOMIC_RELAXED);
}
