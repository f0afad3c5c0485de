/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets die on this host, layer by layer: xcap doctor --drops. */
#ifndef DROPS_H
#define DROPS_H

#include <stdbool.h>
#include <stdint.h>

struct drops_opts {
	const char *called;	/* for sentences on stderr */
	const char *iface;	/* of the layers of interfaces only this one; NULL: all */
	const char *root;	/* where /proc is; nothing but files is asked. NULL: the host's */
	uint64_t interval_ns;	/* 0: a second */
	uint64_t rounds;	/* 0: until a signal comes */
	bool all;		/* what is zero as well */
	bool quiet;		/* only what has grown meanwhile, in the first table too */
	bool json;
};

/* Prints a table, or lines, after each interval. Return: an exit code, a failure was said. */
int drops_run(const struct drops_opts *opts);

#endif
