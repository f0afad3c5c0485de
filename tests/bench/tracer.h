/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a program for bpftrace, which prints "on" each second.
 * Out:  that it runs; what it prints when it is told to end.
 * Owns: one process at a time, which dies with us; a mount of its own.
 * Runs on: the driver's thread.
 */
#ifndef TRACER_H
#define TRACER_H

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

struct tracer {
	pid_t pid;
	FILE *out;
};

/* Returns when its programs are attached. */
static inline struct tracer tracer_start(const char *program)
{
	struct tracer t;
	char line[256] = "";
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	t.pid = fork();
	if (!t.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		/* busy: it is there, perf trace leaves it behind */
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    (mount("none", "/sys/kernel/tracing", "tracefs", 0, NULL) && errno != EBUSY))
			err(127, "tracefs, which bpftrace needs");
		setenv("BPFTRACE_MAP_KEYS_MAX", "65536", 1);	/* a busy host has more than 4096 */
		execlp("bpftrace", "bpftrace", "-e", program, (char *)NULL);
		err(127, "bpftrace");
	}
	close(fds[1]);
	t.out = fdopen(fds[0], "r");
	while (strcmp(line, "on\n"))
		if (!fgets(line, sizeof(line), t.out))
			errx(1, "bpftrace does not run");
	return t;
}

/* Return: the number on the line that begins so, of what it prints at the end; 0: there is none. */
static inline uint64_t tracer_end(struct tracer *t, const char *begins)
{
	uint64_t n = 0;
	char line[256];
	int status;

	kill(t->pid, SIGINT);
	while (fgets(line, sizeof(line), t->out))
		if (!strncmp(line, begins, strlen(begins)))
			n = strtoull(line + strlen(begins), NULL, 10);
	fclose(t->out);
	if (waitpid(t->pid, &status, 0) != t->pid)
		err(1, "bpftrace");
	return n;
}

#endif
