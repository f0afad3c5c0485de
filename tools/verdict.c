// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records, a command that reads lines and answers lines.
 * Out:  yes or no for each record.
 * Owns: the command's process and the two pipes to it.
 * Runs on: the tool's only thread, which waits for the answers, in bounds.
 *
 * Records go to it in batches: it may read on before its first answer is read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "json.h"
#include "text.h"
#include "verdict.h"

#define ANSWER_MS 5000	/* without any answer */
#define END_MS 2000	/* for the command to end when its input has */
#define NS_PER_MS 1000000LL

extern char **environ;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / NS_PER_MS;
}

/* ---- beginning and end ---- */

/* Signals of a terminal are for us: it ends when its input does. */
static int spawn(struct verdict *v, const char *command, int in, int out)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t pipe_signal;
	int err;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawnattr_setsigdefault(&attr, &pipe_signal);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn(&v->pid, "/bin/sh", &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (err)
		v->pid = 0;
	return -err;
}

int verdict_start(struct verdict *v, const char *command)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int err = pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ? -errno : 0;

	err = err ?: spawn(v, command, in[0], out[1]);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	v->to = in[1];
	v->from = out[0];
	if (!err && (fcntl(v->to, F_SETFL, O_NONBLOCK) || fcntl(v->from, F_SETFL, O_NONBLOCK)))
		err = -errno;
	if (err)
		fprintf(stderr, "%s: cannot start '%s': %s\n", v->called, command, strerror(-err));
	return err;
}

/* Return: true: it is gone, with this status. */
static bool wait_ms(const struct verdict *v, int ms, int *status)
{
	for (int64_t until = now_ms() + ms; ; ) {
		if (waitpid(v->pid, status, WNOHANG) == v->pid)
			return true;
		if (now_ms() >= until)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 5 * NS_PER_MS }, NULL);
	}
}

int verdict_end(struct verdict *v)
{
	bool forced = false;
	int status = 0;

	if (!v->pid)
		return 0;
	close(v->to);
	close(v->from);
	if (!wait_ms(v, END_MS, &status)) {
		forced = true;
		kill(-v->pid, SIGTERM);
		if (!wait_ms(v, END_MS, &status)) {
			kill(-v->pid, SIGKILL);
			waitpid(v->pid, &status, 0);
		}
	}
	v->pid = 0;
	return forced ? -ETIMEDOUT : WIFEXITED(status) ? WEXITSTATUS(status) :
	       128 + WTERMSIG(status);
}

bool verdict_is_over(const struct verdict *v)
{
	struct pollfd p = { .fd = v->from, .events = POLLIN };

	return v->pid && poll(&p, 1, 0) > 0 && p.revents & POLLHUP && !(p.revents & POLLIN);
}

/* ---- asking ---- */

/* Lines of what came; more than nr of them are wrong. Return: 0; -EPROTO. */
static int take(struct verdict *v, const char *bytes, size_t len, bool *yes, int *done, int nr)
{
	for (; len; len--, bytes++) {
		if (*bytes != '\n') {
			if (v->line_len < sizeof(v->head))
				v->head[v->line_len] = *bytes;
			v->line_len++;
			continue;
		}
		if (*done == nr)
			return -EPROTO;
		yes[(*done)++] = (v->line_len && v->head[0] == 'y') ||
				 (v->line_len >= 4 && !memcmp(v->head, "pass", 4));
		v->line_len = 0;
	}
	return 0;
}

/* Return: 0, also when nothing is there; -ENODATA it has ended; -EPROTO. */
static int read_some(struct verdict *v, bool *yes, int *done, int nr)
{
	char bytes[4096];
	ssize_t n = read(v->from, bytes, sizeof(bytes));

	if (n > 0)
		return take(v, bytes, n, yes, done, nr);
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -ENODATA;
}

/* Who does not read any more may have answered all the same. */
static void write_some(struct verdict *v, const char **text, size_t *len)
{
	ssize_t n = write(v->to, *text, *len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	*text += n < 0 ? *len : (size_t)n;
	*len -= n < 0 ? *len : (size_t)n;
}

static int exchange(struct verdict *v, const char *text, size_t len, bool *yes, int nr)
{
	int64_t until = now_ms() + ANSWER_MS;
	int done = 0, before = 0, err;

	err = read_some(v, yes, &done, 0);
	while (!err && done < nr) {
		struct pollfd p[2] = { { .fd = v->from, .events = POLLIN },
				       { .fd = len ? v->to : -1, .events = POLLOUT } };
		int64_t left = until - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(p, 2, left) <= 0)
			continue;
		if (p[1].revents)
			write_some(v, &text, &len);
		if (p[0].revents)
			err = read_some(v, yes, &done, nr);
		if (done != before)
			until = now_ms() + ANSWER_MS;
		before = done;
	}
	return done == nr && err == -ENODATA ? 0 : err;
}

static int said(const struct verdict *v, int err)
{
	if (err == -ETIMEDOUT)
		fprintf(stderr, "%s: the command has not answered for %d s; it answers each line "
			"with one, at once: see that it flushes its output\n", v->called,
			ANSWER_MS / 1000);
	else if (err == -EPROTO)
		fprintf(stderr, "%s: the command answers with more lines than it was asked; it "
			"is one for each\n", v->called);
	else if (err == -ENOMEM)
		fprintf(stderr, "%s: no memory to ask the command\n", v->called);
	return err;
}

int verdict_ask(struct verdict *v, const struct xcap_record *recs, int nr, bool *yes)
{
	struct text t = { 0 };
	char *text = NULL;
	size_t len = 0;
	int err;

	memset(yes, 0, nr * sizeof(*yes));
	t.out = open_memstream(&text, &len);
	if (!t.out)
		return said(v, -ENOMEM);
	for (int i = 0; i < nr; i++)
		json_record(&t, &recs[i]);
	err = fclose(t.out) ? -ENOMEM : exchange(v, text, len, yes, nr);
	free(text);
	return said(v, err);
}
