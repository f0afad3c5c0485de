/* SPDX-License-Identifier: BSD-2-Clause */
/* A command that decides: it reads a JSON line for each record, and answers a line for each. */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <xcap.h>

struct verdict {
	const char *called;	/* for sentences on stderr */
	pid_t pid;		/* 0: there is none */
	int to, from;		/* its standard input and output */
	char head[4];		/* how the line that is being read begins */
	size_t line_len;
};

/* Start it, by sh. Return: 0; -errno, said. */
int verdict_start(struct verdict *v, const char *command);

/*
 * What becomes of so many records. Return: 0; -ENODATA it has ended; other -errno, said: it does
 * not answer, or not what it is asked. What it has not answered is no.
 */
int verdict_ask(struct verdict *v, const struct xcap_record *recs, int nr, bool *yes);

/* Return: it has ended. */
bool verdict_is_over(const struct verdict *v);

/* Tell it that this is the end, and see to it. Return: 0; its exit code; -errno: it had to go. */
int verdict_end(struct verdict *v);

#endif
