// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a command line, numbers of processes, names of containers.
 * Out:  the command, started once everything is attached; a filter for them and whoever they
 *       make; the command's end.
 * Owns: the child, until it has ended.
 * Runs on: the tool's only thread; and the child, until it becomes the command.
 *
 * The child is forked before anything is opened, and before privilege is given up: it becomes
 * what it would have become without us. Ambient capabilities are for the capture, not for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "follow.h"
#include "program.h"

#define EXIT_CANNOT_RUN 126	/* as shells say it */
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL 128
#define SETTLED_NS 1000000000	/* by then whoever was there at start is known */
#define WAIT_NS 20000000

/* How the child is called while it waits: but for execve() it makes no call of the command's. */
#define GATE_NAME "xcap-starts"

bool follow_any(const struct follow *f)
{
	return f->command || f->pids || f->containers;
}

int follow_check(struct follow *f, const struct command *cmd)
{
	const char *p = f->pids;
	char *end;

	f->gate = -1;
	for (; p; p = *end ? end + 1 : NULL) {
		long pid = strtol(p, &end, 10);

		if (*p < '0' || *p > '9' || pid < 1 || pid > INT_MAX || (*end && *end != ','))
			return options_wrong(cmd, "--pid: '%.*s' is no number of a process",
					     (int)strcspn(p, ","), p);
		if (f->nr_pids == FOLLOW_MAX - 1)	/* one is the command's */
			return options_wrong(cmd, "--pid: more than %d processes", FOLLOW_MAX - 1);
		if (kill(pid, 0) && errno == ESRCH)
			return options_wrong(cmd, "--pid: there is no process %ld", pid);
		f->numbers[f->nr_pids++] = pid;
	}
	if (f->containers && strchr(f->containers, '\''))
		return options_wrong(cmd, "--container: no name has a quote in it");
	return OPTIONS_RUN;
}

/* ---- the command ---- */

/* Back to who called: neither a set-user-ID bit nor what the capture needs is for the command. */
static int leave_privilege(void)
{
	if (setresgid(getgid(), getgid(), getgid()) || setresuid(getuid(), getuid(), getuid()))
		return -errno;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL ?
	       -errno : 0;
}

/* Never returns. */
static void become(const struct follow *f, const char *path, int gate,
		   const struct sigaction *child_signal)
{
	char go;
	int err;

	prctl(PR_SET_NAME, GATE_NAME, 0, 0, 0);
	err = leave_privilege();
	if (write(gate, "", 1) != 1 || read(gate, &go, 1) != 1)
		_exit(EXIT_CANNOT_RUN);		/* nobody captures */
	sigaction(SIGCHLD, child_signal, NULL);
	if (!err) {
		execv(path, f->command);
		err = -errno;
	}
	fprintf(stderr, "%s: cannot start %s: %s\n", f->called, path, strerror(-err));
	_exit(err == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

static int fork_command(struct follow *f, const char *path)
{
	struct sigaction old, usual = { .sa_handler = SIG_DFL };
	int gate[2];
	char has_name;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate))
		return -errno;
	sigaction(SIGCHLD, &usual, &old);	/* if it is ignored, nobody can be waited for */
	f->child = fork();
	if (!f->child) {
		close(gate[1]);
		become(f, path, gate[0], &old);
	}
	close(gate[0]);
	if (f->child < 0) {
		int err = -errno;

		f->child = 0;
		close(gate[1]);
		return err;
	}
	f->gate = gate[1];
	f->numbers[f->nr_pids++] = f->child;
	return read(f->gate, &has_name, 1) == 1 ? 0 : -ECHILD;
}

int follow_start(struct follow *f)
{
	char path[PATH_MAX];
	int err;

	if (!f->command)
		return OPTIONS_RUN;
	err = program_find(f->command[0], path, sizeof(path));
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", f->called, f->command[0],
			err == -ENOENT ? "no such program" : strerror(-err));
		return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	}
	fflush(NULL);
	err = fork_command(f, path);
	if (!err)
		return OPTIONS_RUN;
	fprintf(stderr, "%s: cannot start %s: %s\n", f->called, path, strerror(-err));
	return EXIT_FAILED;
}

void follow_release(struct follow *f)
{
	if (f->gate < 0)
		return;
	/* if it is gone already, follow_is_over() finds out how */
	send(f->gate, "", 1, MSG_NOSIGNAL);
	close(f->gate);
	f->gate = -1;
}

void follow_close(struct follow *f)
{
	if (f->gate >= 0) {
		close(f->gate);
		if (!f->ended)
			waitpid(f->child, &f->status, 0);
	}
	free(f->pids);
	free(f->containers);
	free(f->filter);
}

/* ---- what is captured ---- */

static void put_pids(FILE *out, const struct follow *f)
{
	for (int i = 0; i < f->nr_pids; i++)
		fprintf(out, "%s%d", i ? "," : "proc.tree in (", f->numbers[i]);
	if (f->nr_pids)
		putc(')', out);
}

static void put_containers(FILE *out, const struct follow *f)
{
	const char *p = f->containers;

	if (p && f->nr_pids)
		fputs(" or ", out);
	for (; p; p = *p ? p + 1 : NULL) {
		int len = strcspn(p, ",");

		fprintf(out, "%s'%.*s'", p == f->containers ? "container in (" : ",", len, p);
		p += len;
	}
	if (f->containers)
		putc(')', out);
}

static int no_memory(const struct follow *f)
{
	fprintf(stderr, "%s: no memory\n", f->called);
	return EXIT_FAILED;
}

/* Records have the numbers of the initial pid namespace, wherever we are. */
static int translate(struct follow *f)
{
	for (int i = 0; i < f->nr_pids; i++) {
		int pid = xcap_pid(f->numbers[i]);

		if (pid < 0) {
			fprintf(stderr, "%s: %s\n", f->called, xcap_errmsg(NULL));
			return pid;
		}
		f->numbers[i] = pid;
	}
	return 0;
}

int follow_filter(struct follow *f, const char *expression)
{
	size_t size;
	FILE *out;

	if (translate(f))
		return EXIT_FAILED;
	out = open_memstream(&f->filter, &size);
	if (!out)
		return no_memory(f);
	putc('(', out);
	put_pids(out, f);
	put_containers(out, f);
	putc(')', out);
	if (f->child)
		fputs(" and not (proc.name=" GATE_NAME " and not syscall=execve)", out);
	if (expression)
		fprintf(out, " and (%s)", expression);
	return fclose(out) ? no_memory(f) : OPTIONS_RUN;
}

static int add_interface(void *user, const struct xcap_iface *iface)
{
	FILE *out = user;

	if (!iface->ifindex || !(iface->flags & XCAP_IFACE_UP))
		return 0;
	fputs("tap:", out);
	for (const char *p = iface->name; *p; p++) {
		if (strchr(",?\\", *p))
			putc('\\', out);
		putc(*p, out);
	}
	putc(',', out);
	return 0;
}

char *follow_specs(const struct follow *f)
{
	char *specs = NULL;
	size_t size;
	FILE *out = open_memstream(&specs, &size);

	if (!out) {
		no_memory(f);
		return NULL;
	}
	if (xcap_list(add_interface, out)) {
		fprintf(stderr, "%s: %s\n", f->called, xcap_errmsg(NULL));
		fclose(out);
		free(specs);
		return NULL;
	}
	fputs("syscalls", out);
	fclose(out);
	return specs;
}

/* ---- the end ---- */

static void look_for_end(struct follow *f)
{
	pid_t pid;

	if (!f->child || f->ended)
		return;
	do
		pid = waitpid(f->child, &f->status, WNOHANG);
	while (pid < 0 && errno == EINTR);
	f->ended = pid;		/* an error: somebody else has waited for it */
}

bool follow_is_over(struct follow *f, struct xcap *x, int64_t running_ns)
{
	look_for_end(f);
	if (f->child)
		return f->ended;
	return f->nr_pids && !f->containers && running_ns > SETTLED_NS && !xcap_followed(x);
}

void follow_wait(struct follow *f, bool (*stop)(void))
{
	const struct timespec nap = { .tv_nsec = WAIT_NS };

	for (look_for_end(f); f->child && !f->ended && !stop(); look_for_end(f))
		nanosleep(&nap, NULL);
}

int follow_exit_code(const struct follow *f)
{
	if (!f->child || !f->ended)
		return -1;
	return WIFSIGNALED(f->status) ? EXIT_SIGNAL + WTERMSIG(f->status) : WEXITSTATUS(f->status);
}
