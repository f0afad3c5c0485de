// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   connections to an abstract unix socket, one for each capture that a program opens.
 * Out:  a process for each, which opens, hands over, drops its privilege and waits; meanwhile it
 *       publishes the account that the program's end tells.
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
#include <stdbool.h>
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
#include "running.h"

#define LEASH_FD 200		/* out of the way of programs that count on low numbers */
#define BACKLOG 16
#define SECRET_SIZE 33		/* 32 hexadecimal digits */
#define SECRET_MS 5000		/* who connects says it at once */

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
 * Privilege is lent to the program and what comes of it: to who knows the secret in XCAP_RUN,
 * which /proc shows to nobody who could not have the privilege anyway (the name of the socket
 * it shows to all), and has not changed its user, by which it would have given it up.
 */
static bool may_ask(int conn, const char *secret)
{
	struct pollfd pfd = { .fd = conn, .events = POLLIN };
	char said[SECRET_SIZE] = "";
	unsigned char other = 0;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid != getuid() ||
	    poll(&pfd, 1, SECRET_MS) != 1 ||
	    recv(conn, said, sizeof(said), MSG_DONTWAIT) != SECRET_SIZE - 1)
		return false;
	for (int i = 0; i < SECRET_SIZE; i++)	/* all of it, whatever the first says */
		other |= said[i] ^ secret[i];
	return !other;
}

struct server {
	char command[32];	/* "xcap run tcpdump" */
	char reader[40];	/* "tcpdump[1292]" */
	struct running *running;	/* told to others of this host; NULL: not */
};

/* Under the name that it has when it asks. */
static void name_reader(struct server *s, int conn)
{
	char path[40], comm[17] = "?";
	struct ucred peer;
	socklen_t len = sizeof(peer);
	FILE *f;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", peer.pid);
	f = fopen(path, "re");
	if (f && fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = '\0';
	if (f)
		fclose(f);
	snprintf(s->command, sizeof(s->command), "xcap run %s", comm);
	snprintf(s->reader, sizeof(s->reader), "%s[%d]", comm, peer.pid);
}

/* The rest of its life it only listens. What cannot give its privilege up does not serve. */
static void started(void *user, __u32 flags)
{
	struct server *s = user;

	s->running = running_open(s->command, s->reader);
	if (privilege_drop(flags & XCAP_SOURCE_NET_ADMIN)) {
		running_close(s->running);
		_exit(1);
	}
}

static void told(void *user, const struct xcap_told *told)
{
	struct server *s = user;

	running_told(s->running, told);
}

static void serve_reader(int conn)
{
	struct server s = { 0 };

	name_reader(&s, conn);
	xcap_serve(conn, &(struct xcap_serve_opts){
		.sz = sizeof(struct xcap_serve_opts),
		.started = started,
		.told = told,
		.user = &s,
	});
	running_close(s.running);
}

/* Each in a process of its own, which no other can keep waiting. Return: 0; -errno. */
static int serve(int listener, int leash, const char *secret)
{
	int conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return errno == ECONNABORTED || errno == EINTR || errno == EMFILE ||
		       errno == ENFILE || errno == ENOMEM ? 0 : -errno;
	if (!fork()) {
		close(listener);
		close(leash);
		if (may_ask(conn, secret))
			serve_reader(conn);
		_exit(0);
	}
	close(conn);
	return 0;
}

/* Until nobody is left who could ask. */
static void run(int listener, int leash, int program, const char *secret)
{
	struct pollfd fds[] = { { .fd = listener, .events = POLLIN },
				{ .fd = leash, .events = POLLIN },
				{ .fd = program, .events = POLLIN } };

	while (fds[1].fd >= 0 || fds[2].fd >= 0) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents && serve(listener, leash, secret))
			return;
		for (int i = 1; i < 3; i++)
			if (fds[i].revents)
				fds[i].fd = -1;
	}
}

enum { LISTENER = 3, LEASH, PROGRAM, KEPT };	/* descriptors of who serves */

/*
 * Nothing that the program waits for, or whose end others wait for, is held open here: three
 * descriptors are kept, and stand behind /dev/null.
 */
static void leave_everything(int listener, int leash, int program)
{
	int kept[] = { listener, leash, program }, null;

	signal(SIGCHLD, SIG_IGN);	/* nobody waits for those who serve */
	setsid();
	for (int i = 0; i < 3; i++)	/* out of the way of where they are to be */
		kept[i] = fcntl(kept[i], F_DUPFD_CLOEXEC, KEPT);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	for (int i = 0; i < 3; i++)
		if (kept[i] < 0 || dup2(kept[i], LISTENER + i) < 0)
			close(LISTENER + i);	/* no pidfd: the leash must do */
	if (syscall(SYS_close_range, KEPT, ~0U, 0) || chdir("/"))
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
static int fork_off(int listener, int leash, const char *secret)
{
	int program = syscall(SYS_pidfd_open, getpid(), 0);
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		child = fork();
		if (child)
			_exit(child < 0 ? errno : 0);
		leave_everything(listener, leash, program);
		run(LISTENER, LEASH, program < 0 ? -1 : PROGRAM, secret);
		_exit(0);
	}
	if (program >= 0)
		close(program);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int broker_start(char name[BROKER_NAME_SIZE])
{
	unsigned long long random[3];
	char secret[SECRET_SIZE];
	int listener, leash, ret;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	snprintf(name, BROKER_NAME_SIZE, "xcap-run-%d-%016llx", (int)getpid(), random[0]);
	snprintf(secret, sizeof(secret), "%016llx%016llx", random[1], random[2]);
	listener = listen_at(name);
	if (listener < 0)
		return listener;
	leash = make_leash();
	ret = leash < 0 ? leash : fork_off(listener, leash, secret);
	strcat(strcat(name, ":"), secret);
	close(listener);
	if (leash >= 0)
		close(leash);
	return ret;
}
