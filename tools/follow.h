/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose records a capture is about: a command that it starts, processes, containers. */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <xcap.h>
#include "options.h"

#define FOLLOW_MAX 32		/* processes; as many as a filter can name */

struct follow {
	/* from the options */
	char *pids;		/* with commas between them; NULL none */
	char *containers;
	char **command;		/* and its arguments; NULL none */

	const char *called;	/* for sentences on stderr */
	int nr_pids;
	pid_t numbers[FOLLOW_MAX];	/* as we have them; as records do from follow_filter() on */
	pid_t child;		/* the command, which waits until it is let go; 0 none */
	int gate;		/* what lets it go; -1 nothing */
	bool ended;		/* the command has, namely by */
	int status;		/* of wait() */
	char *filter;		/* what follow_filter() made */
};

/* Is anything followed? */
bool follow_any(const struct follow *f);

/* Read the numbers. Return: OPTIONS_RUN; 2 wrong use, said. */
int follow_check(struct follow *f, const struct command *cmd);

/*
 * Start the command, which waits for follow_release(). Done before anything is opened: what
 * is opened later it does not inherit. Return: OPTIONS_RUN; the exit code after a sentence.
 */
int follow_start(struct follow *f);

/*
 * The user's expression, or NULL, for these processes only: f->filter. Return: OPTIONS_RUN; the
 * exit code after a sentence.
 */
int follow_filter(struct follow *f, const char *expression);

/* All interfaces that are up, and system calls. Return: the caller's; NULL after a sentence. */
char *follow_specs(const struct follow *f);

/* Everything is attached: let the command go. */
void follow_release(struct follow *f);

/* Is there nobody left who could make a record? now - started: ns that the capture runs. */
bool follow_is_over(struct follow *f, struct xcap *x, int64_t running_ns);

/* Wait for the command until it ends, or stop() says so. */
void follow_wait(struct follow *f, bool (*stop)(void));

/* The command's exit code as a shell has it; -1: there is none, or it goes on. */
int follow_exit_code(const struct follow *f);

/* A command that was not let go ends. */
void follow_close(struct follow *f);

#endif
