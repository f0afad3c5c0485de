// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   connections to an abstract unix socket, one for each capture that a program opens.
 * Out:  a process for each, which opens, hands over, drops its privilege and waits.
 * Owns: the listening socket. Each process ends with its connection, and with it all that
 *       it attached.
 * Runs on: processes of its own, out of the program's session: signals of the terminal are
 *       the program's alone.
 *
 * The program keeps the process id that xcap run was started with; its parent is who
 * started it, and waits for it and sees its exit status and signals as ever. So the
 * privileged half is no parent and no child of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcap.h>
#include "broker.h"
#include "privilege.h"

#define LEASH_FD 200		/* out of the way of programs that count on low numbers */
#define BACKLOG 16

static int listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), err;
	size_t len = strlen(name);

	if (fd < 0)
		return -errno;
	memcpy(addr.sun_path + 1, name, len);
	if (!bind(fd, (struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + 1 + len) &&
	    !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/*
 * Privilege is lent to whoever had it when it was started: a program that has changed its
 * user has given it up, and is not to get it back here.
 */
static int may_ask(int conn)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.uid == getuid();
}

static void drop(void *unused)
{
	(void)unused;
	privilege_drop();
}

static void serve(int listener, int leash)
{
	int conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return;
	if (may_ask(conn) && !fork()) {
		close(listener);
		close(leash);
		xcap_serve(conn, drop, NULL);
		_exit(0);
	}
	close(conn);
}

/* Until nobody is left who could ask. */
static void run(int listener, int leash, int program)
{
	struct pollfd fds[] = { { .fd = listener, .events = POLLIN },
				{ .fd = leash, .events = POLLIN },
				{ .fd = program, .events = POLLIN } };

	while (fds[1].fd >= 0 || fds[2].fd >= 0) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			serve(listener, leash);
		for (int i = 1; i < 3; i++)
			if (fds[i].revents)
				fds[i].fd = -1;
	}
}

/* Nothing that the program waits for, or whose end others wait for, is held open here. */
static void leave_everything(int listener, int leash, int program)
{
	int null = open("/dev/null", O_RDWR);

	signal(SIGCHLD, SIG_IGN);	/* nobody waits for those who serve */
	setsid();
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < LEASH_FD; fd++)
		if (fd != listener && fd != leash && fd != program)
			close(fd);
	syscall(SYS_close_range, LEASH_FD, ~0U, 0);
	if (chdir("/"))
		_exit(1);
}

/* One end is the program's, and of all that inherit it; the other sees the last one close. */
static int make_leash(void)
{
	int ends[2], kept;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	kept = fcntl(ends[1], F_DUPFD, LEASH_FD);	/* stays open in the program */
	if (kept >= 0)
		close(ends[1]);
	else
		fcntl(ends[1], F_SETFD, 0);	/* few are allowed: then where it is */
	return ends[0];
}

/* A child whose own child is nobody's, so that no wait() of the program meets it. */
static int fork_off(int listener, int leash)
{
	int program = syscall(SYS_pidfd_open, getpid(), 0);
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		if (fork())
			_exit(0);
		leave_everything(listener, leash, program);
		run(listener, leash, program);
		_exit(0);
	}
	if (program >= 0)
		close(program);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

int broker_start(char name[BROKER_NAME_SIZE])
{
	unsigned long long key;
	int listener, leash, ret;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return -errno;
	snprintf(name, BROKER_NAME_SIZE, "xcap-run-%d-%016llx", (int)getpid(), key);
	listener = listen_at(name);
	if (listener < 0)
		return listener;
	leash = make_leash();
	ret = leash < 0 ? leash : fork_off(listener, leash);
	close(listener);
	if (leash >= 0)
		close(leash);
	return ret;
}
