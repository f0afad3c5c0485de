// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   seconds.
 * Out:  calls whose arguments refer to what is not there, is too much, has no end or goes while
 *       it is looked at; a line "done" when all have been made.
 * Owns: its memory.
 * Runs on: as many CPUs as there are.
 *
 * What the first part calls is known to the test line by line; the second is a race.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define KERNEL ((void *)0xffff888000000000)
#define NOWHERE ((void *)0xdead0000)
#define NOT_CANONICAL ((void *)0x0123456789abcdef)

static char *page;		/* one page, and none behind it */
static int null_fd, udp;
static volatile int over;

static char *at_the_end(const char *bytes, size_t len)
{
	return memcpy(page + PAGE - len, bytes, len);
}

/* ---- known, one by one ---- */

static void strings(void)
{
	static char endless[3 * PAGE];

	syscall(SYS_openat, AT_FDCWD, NOWHERE, O_RDONLY, 0);
	syscall(SYS_openat, AT_FDCWD, KERNEL, O_RDONLY, 0);
	syscall(SYS_openat, AT_FDCWD, NOT_CANONICAL, O_RDONLY, 0);
	syscall(SYS_openat, AT_FDCWD, at_the_end("/no/end", 7), O_RDONLY, 0);
	memset(endless, 'e', sizeof(endless) - 1);
	syscall(SYS_openat, AT_FDCWD, endless, O_RDONLY, 0);
}

static void data(void)
{
	struct iovec many[1024], bad = { NOWHERE, 5 }, half[2] = { { (char *)"half", 4 }, { NOWHERE, 4 } };

	syscall(SYS_write, null_fd, at_the_end("tail", 4), 4);
	syscall(SYS_write, udp, at_the_end("tail", 4), 60);
	syscall(SYS_write, null_fd, "many", -1L);
	syscall(SYS_write, udp, KERNEL, 64);
	for (int i = 0; i < 1024; i++)
		many[i] = (struct iovec){ (char *)"0123456789", 10 };
	syscall(SYS_writev, null_fd, many, 1024);
	for (int i = 0; i < 1024; i++)
		many[i].iov_len = 1ul << 40;
	syscall(SYS_writev, null_fd, many, 1024);
	syscall(SYS_writev, null_fd, many, -1);
	syscall(SYS_writev, null_fd, many, 1 << 30);
	syscall(SYS_writev, udp, &bad, 1);
	syscall(SYS_writev, udp, half, 2);
	syscall(SYS_writev, null_fd, KERNEL, 3);
}

static void messages(void)
{
	struct iovec iov = { (char *)"msg", 3 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int len = -1;

	syscall(SYS_sendmsg, udp, NOWHERE, 0);
	m.msg_name = NOWHERE;
	m.msg_namelen = 16;
	syscall(SYS_sendmsg, udp, &m, 0);
	m.msg_name = &un;
	m.msg_namelen = 0xffffffff;
	syscall(SYS_sendmsg, udp, &m, 0);
	m.msg_namelen = 0;
	m.msg_iovlen = 1ul << 60;
	syscall(SYS_sendmsg, udp, &m, 0);
	m.msg_iov = KERNEL;
	syscall(SYS_sendmsg, udp, &m, 0);
	syscall(SYS_sendmmsg, udp, NOWHERE, 1u << 31, 0);
	syscall(SYS_connect, udp, &un, 0x7fffffff);
	syscall(SYS_connect, udp, &un, 1);
	syscall(SYS_connect, udp, NOWHERE, 16);
	syscall(SYS_getsockname, udp, &un, &len);
	syscall(SYS_getsockname, udp, &un, KERNEL);
	syscall(SYS_getsockopt, udp, SOL_SOCKET, SO_TYPE, NOWHERE, NOWHERE);
	syscall(SYS_setsockopt, udp, SOL_SOCKET, SO_RCVBUF, NOWHERE, 4);
	syscall(SYS_setsockopt, udp, SOL_SOCKET, SO_RCVBUF, &len, 0x7fffffff);
}

static void arrays(void)
{
	char **argv = (char **)(page + PAGE - 2 * sizeof(char *));
	struct timespec now = { 0, 0 };

	argv[0] = argv[1] = (char *)"x";	/* and no end before the page's */
	syscall(SYS_execve, "/nonexistent", argv, NULL);
	argv[1] = NOWHERE;
	syscall(SYS_execve, "/nonexistent", argv, NULL);
	syscall(SYS_execve, "/nonexistent", KERNEL, KERNEL);
	syscall(SYS_execve, NULL, NULL, NULL);
	syscall(SYS_poll, page, 0x7fffffff, 0);
	syscall(SYS_ppoll, NOWHERE, 3, &now, NULL, 8);
	syscall(SYS_select, -1, page, page, page, NULL);
	syscall(SYS_pselect6, 0x7fffffff, page + PAGE - 8, NULL, NULL, &now, NULL);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NOWHERE, NULL, 8);
	syscall(SYS_nanosleep, NOWHERE, NULL);
	syscall(SYS_clone3, KERNEL, 88);
	syscall(SYS_clone3, page, 1ul << 40);
	syscall(SYS_openat2, AT_FDCWD, "/etc", KERNEL, 24);
}

static void descriptors(void)
{
	static const int bad[] = { -1, 0x7fffffff, (int)0x80000000, 1 << 20, 1023 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		syscall(SYS_fsync, bad[i]);
}

/* ---- races ---- */

static void *maps_and_unmaps(void *p)
{
	while (!over) {
		mmap(p, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memset(p, 'r', 2 * PAGE - 1);
		mprotect(p, PAGE, PROT_NONE);
		munmap((char *)p + PAGE, PAGE);
	}
	return NULL;
}

static void *opens_and_closes(void *unused)
{
	int fds[2], i = 0;
	char name[64];

	(void)unused;
	while (!over) {
		int fd = 100 + i++ % 4, new;

		snprintf(name, sizeof(name), "race-%d", i % 8);
		new = i & 1 ? open(name, O_CREAT | O_RDWR, 0600) : socket(AF_UNIX, SOCK_STREAM, 0);
		dup2(new, fd);
		close(new);
		if (i & 1)
			unlink(name);
		if (!pipe(fds)) {
			dup2(fds[1], fd);
			close(fds[0]);
			close(fds[1]);
		}
		close(fd);
	}
	return NULL;
}

static void race(const char *moving, long seconds)
{
	const struct iovec iov[2] = { { (void *)moving, 100 }, { (void *)(moving + PAGE), 100 } };
	time_t end = time(NULL) + seconds;

	for (int i = 0; time(NULL) < end; i++) {
		syscall(SYS_write, null_fd, moving + PAGE - 10, 20);
		syscall(SYS_openat, AT_FDCWD, moving + PAGE - 10, O_RDONLY, 0);
		syscall(SYS_writev, null_fd, iov, 2);
		syscall(SYS_execve, moving, moving, moving);
		syscall(SYS_lseek, 100 + i % 4, 0, SEEK_CUR);
		syscall(SYS_write, 100 + i % 4, "x", 1);
	}
	over = 1;
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	char *moving;

	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moving = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + PAGE, PAGE);
	null_fd = open("/dev/null", O_RDWR);
	udp = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (page == MAP_FAILED || moving == MAP_FAILED || null_fd < 0 || udp < 0)
		err(1, "memory or descriptors");
	strings();
	data();
	messages();
	arrays();
	descriptors();
	if (argc > 1) {
		signal(SIGPIPE, SIG_IGN);
		pthread_create(&threads[0], NULL, maps_and_unmaps, moving);
		pthread_create(&threads[1], NULL, opens_and_closes, NULL);
		race(moving, atol(argv[1]));
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
	}
	puts("done");
	return 0;
}
