// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a CPU number; the same source is built for 64 and for 32 bits.
 * Out:  known system calls with known arguments, twice, in two threads; then a line for each:
 *       "tid cpu compat nr ret a0 a1 a2 a3 a4 a5", the truth a capture is held against.
 * Owns: nothing.
 * Runs on: one CPU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAGIC 0x7fca11
#define MAX_CALLS 64

typedef unsigned long arg;

struct call {
	int tid, compat;
	unsigned int nr;
	long ret;
	arg a[6];
};

static struct call made[2 * MAX_CALLS];
static int nr_made, cpu;

static void note(int compat, unsigned int nr, long ret, const arg *a)
{
	static __thread int tid;
	struct call *c = &made[nr_made++];

	if (!tid)
		tid = syscall(SYS_gettid);	/* the first call of a thread: before its marker */
	*c = (struct call){ .tid = tid, .compat = compat, .nr = nr, .ret = ret };
	memcpy(c->a, a, sizeof(c->a));
}

static void make(unsigned int nr, arg a0, arg a1, arg a2, arg a3, arg a4, arg a5)
{
	arg a[6] = { a0, a1, a2, a3, a4, a5 };
	long ret = syscall(nr, a0, a1, a2, a3, a4, a5);

	note(sizeof(long) == 4, nr, ret < 0 ? -errno : ret, a);
}

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
}

static void old_handler(int sig)
{
	(void)sig;
}

#ifdef __x86_64__
/* The 32-bit door is open to 64-bit programs too: number 20 there is getpid. */
static void make_int80(void)
{
	arg a[6] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0 };
	long ret = 20;

	__asm__ volatile("lea -128(%%rsp), %%rsp; push %%rbp; xor %%ebp, %%ebp; int $0x80;"
			 "pop %%rbp; lea 128(%%rsp), %%rsp" : "+a"(ret)
			 : "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			 : "memory", "r8", "r9", "r10", "r11");
	note(1, 20, ret, a);
}
#endif

static void make_calls(void)
{
	const arg big = (arg)0x1122334455667788ULL;
	arg none[6] = { 0 };
	static char buf[16];
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
	int pid = getpid();

	note(0, 0, 0, none);
	nr_made--;			/* only to learn the tid before the marker */
	make(SYS_getppid, MAGIC, 1, 2, 3, 4, 5);
	make(SYS_getppid, big, (arg)-2, 3, (arg)-4, 5, big);
	make(SYS_close, (arg)-1, 0, 0, 0, 0, 0);
	make(SYS_write, null, (arg)buf, 7, 0, 0, 0);
	make(SYS_read, zero, (arg)buf, 5, 0, 0, 0);
	make(SYS_openat, (arg)AT_FDCWD, (arg)"/nonexistent/x", O_RDONLY, 0, 0, 0);
	make(SYS_dup, (arg)-1, 9, 8, 7, 6, 5);
	make(499, 1, 2, 3, 4, 5, 6);	/* no such call */
	/* the exit of tgkill comes first, then the handler; sigreturn restores its result */
	make(SYS_tgkill, pid, made[nr_made - 1].tid, SIGUSR1, 0, 0, 0);
	make(SYS_tgkill, pid, made[nr_made - 1].tid, SIGUSR2, 0, 0, 0);
#ifdef __x86_64__
	make_int80();
#endif
	make(SYS_getppid, MAGIC, 9, 9, 9, 9, 9);
	close(null);
	close(zero);
}

static void *thread(void *unused)
{
	make_calls();
	return unused;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	struct sigaction old = { .sa_handler = old_handler };	/* 32 bit: the other sigreturn */
	pthread_t t;
	cpu_set_t set;

	cpu = argc > 1 ? atoi(argv[1]) : 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sigaction(SIGUSR1, &sa, NULL) ||
	    sigaction(SIGUSR2, &old, NULL))
		return 1;
	make_calls();
	if (pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL))
		return 1;
	for (int i = 0; i < nr_made; i++) {
		struct call *c = &made[i];

		printf("%d %d %d %u %ld %lu %lu %lu %lu %lu %lu\n", c->tid, cpu, c->compat, c->nr,
		       c->ret, c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5]);
	}
	return 0;
}
