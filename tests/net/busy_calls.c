// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   "stay": stop at the end, until somebody says go on.
 * Out:  its process id on a line; then calls whose numbers are known.
 * Owns: nothing.
 * Runs on: its only thread, and others that do nothing, one by one; 64 and 32 bit.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PARENTS = 1009, FAILED = 127, YIELDS = 61, SLEEPS = 7, SLEEP_NS = 20000000,
       THREADS = 13 };

static void *nothing(void *unused)
{
	return unused;
}

int main(int argc, char **argv)
{
	const struct timespec t = { .tv_nsec = SLEEP_NS };
	pthread_t thread;

	printf("%d\n", getpid());
	fflush(stdout);
	for (int i = 0; i < PARENTS; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < FAILED; i++)
		syscall(SYS_getsid, -1);
	for (int i = 0; i < YIELDS; i++)
		syscall(SYS_sched_yield);
	for (int i = 0; i < SLEEPS; i++)
		nanosleep(&t, NULL);
	if (argc > 1)
		raise(SIGSTOP);
	else
		for (int i = 0; i < THREADS; i++)
			if (pthread_create(&thread, NULL, nothing, NULL) ||
			    pthread_join(thread, NULL))
				return 1;
	return argv[0] ? 0 : 1;
}
