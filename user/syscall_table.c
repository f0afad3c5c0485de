// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the number or the name of a system call.
 * Out:  its name, its number, its arguments' names and kinds.
 * Owns: two index arrays, number to row, filled once.
 * Runs on: any thread.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xcap.h>
#include "syscall_table.h"

struct call {
	const char *name;
	int16_t x86_64, i386, arm64;
	const char *args[6];	/* "f fd": kind, space, name; NULL after the last */
};

static const struct call calls[] = {
#define C(name, x86_64, i386, arm64, ...) { #name, x86_64, i386, arm64, { __VA_ARGS__ } },
#include "syscall_names.h"
#undef C
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))
#define NR_MAX 512		/* above the highest number of any ABI */

enum { NATIVE, COMPAT, NR_ABIS };

static uint16_t row_of[NR_ABIS][NR_MAX];	/* index into calls[] plus 1; 0 no name */

static int number(const struct call *c, int abi)
{
#if defined(__aarch64__)
	return abi == NATIVE ? c->arm64 : -1;
#else
	return abi == NATIVE ? c->x86_64 : c->i386;
#endif
}

static void index_rows(void)
{
	for (size_t i = 0; i < NR_CALLS; i++)
		for (int abi = 0; abi < NR_ABIS; abi++) {
			int nr = number(&calls[i], abi);

			if (nr >= 0 && nr < NR_MAX)
				row_of[abi][nr] = i + 1;
		}
}

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct call *)row)->name);
}

static const struct call *find(const char *name)
{
	return bsearch(name, calls, NR_CALLS, sizeof(calls[0]), compare);
}

int syscall_table_row(__u32 nr, int compat, struct call_row *row)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int i;

	pthread_once(&once, index_rows);
	i = nr < NR_MAX ? row_of[compat ? COMPAT : NATIVE][nr] : 0;
	if (!i)
		return 0;
	*row = (struct call_row) { .name = calls[i - 1].name, .args = calls[i - 1].args };
	return 1;
}

const char *xcap_syscall_name(__u32 nr, int compat)
{
	struct call_row row;

	return syscall_table_row(nr, compat, &row) ? row.name : NULL;
}

int xcap_syscall_nr(const char *name, int compat)
{
	const struct call *c = find(name);
	int nr = c ? number(c, compat ? COMPAT : NATIVE) : -1;

	return nr >= 0 ? nr : -ENOENT;
}

const char *xcap_syscall_arg(const char *name, int arg, char *kind)
{
	const struct call *c = find(name);

	if (!c || arg < 0 || arg > 5 || !c->args[arg])
		return NULL;
	if (kind)
		*kind = c->args[arg][0];
	return c->args[arg] + 2;
}
