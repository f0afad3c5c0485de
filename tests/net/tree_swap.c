// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   two processes that make calls, and have children that do, when they are told to.
 * Out:  exit 0: a stream has the calls of the one that its filter follows, and of the other from
 *       when on the filter is changed.
 * Owns: the processes.
 * Runs on: one thread, as root.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcap.h>

#define CALLS 101	/* of the process; its child makes as many */

struct worker {
	pid_t pid;
	int fd;
};

static void make_calls(void)
{
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
}

static void work(int fd)
{
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, &go, 1) == 1) {
		pid_t child = fork();

		make_calls();
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
		if (write(fd, "", 1) != 1)
			break;
	}
	_exit(0);
}

static struct worker worker_new(void)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		err(1, "socketpair");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(fds[0]);
		work(fds[1]);
	}
	close(fds[1]);
	return (struct worker){ pid, fds[0] };
}

/* It and a child of it have made their calls when this returns. */
static void let_work(const struct worker *w)
{
	char done;

	if (write(w->fd, "", 1) != 1 || read(w->fd, &done, 1) != 1)
		err(1, "a worker is gone");
}

/* Read until nothing comes: how many entries. */
static int entries(struct xcap *x)
{
	struct xcap_record r;
	int n = 0, ret;

	while ((ret = xcap_next(x, &r, 300)) == 1) {
		n += r.type == XCAP_SYS_ENTER;
		if (r.type == XCAP_LOSS)
			errx(1, "records are lost");
		xcap_release(x, &r, 1);
	}
	if (ret)
		errx(1, "xcap_next: %s", xcap_errmsg(x));
	return n;
}

static void expect(const char *what, int got, int want)
{
	printf("%s: %d\n", what, got);
	if (got != want)
		errx(1, "%s: %d and not %d", what, got, want);
}

static void follow(struct xcap *x, pid_t pid)
{
	char text[64];

	snprintf(text, sizeof(text), "proc.tree=%d", pid);
	if (xcap_set_filter(x, text))
		errx(1, "%s: %s", text, xcap_errmsg(x));
}

int main(void)
{
	struct worker one = worker_new(), two = worker_new(), late;
	struct xcap_opts opts = { .sz = sizeof(opts) };
	struct xcap *x;
	char text[64];

	snprintf(text, sizeof(text), "proc.tree=%d", one.pid);
	opts.filter = text;
	if (xcap_open(&x, "syscalls?only=getppid", &opts))
		errx(1, "%s", xcap_errmsg(NULL));
	let_work(&one);
	let_work(&two);
	expect("the one that is followed", entries(x), 2 * CALLS);
	expect("processes", xcap_followed(x), 1);
	follow(x, two.pid);
	let_work(&one);
	let_work(&two);
	expect("the other one", entries(x), 2 * CALLS);
	late = worker_new();
	follow(x, late.pid);
	let_work(&one);
	let_work(&late);
	expect("one made during the capture", entries(x), 2 * CALLS);
	follow(x, getpid());	/* its own calls are left out, those of its children are not */
	let_work(&one);
	let_work(&late);
	expect("all of them", entries(x), 4 * CALLS);
	expect("processes", xcap_followed(x), 4);
	if (xcap_set_filter(x, NULL))
		errx(1, "no filter: %s", xcap_errmsg(x));
	expect("nobody", xcap_followed(x), -ENOENT);
	xcap_close(x);
	return 0;
}
