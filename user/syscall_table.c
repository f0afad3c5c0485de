// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the number or the name of a system call.
 * Out:  its name, its number, its arguments' names and kinds, what of them is read.
 * Owns: index arrays, number to row and to arguments, filled once.
 * Runs on: any thread.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xcap.h>
#include "arg_forms.h"
#include "syscall_table.h"

struct call {
	const char *name;
	int16_t x86_64, i386, arm64;
	struct call_arg args[7];	/* the last: what the call returns */
};

/* ---- the letters of the table ---- */

#define VALUE(letter, n, ...) \
	{ .name = #n, .kind = letter __VA_OPT__(, .form = &arg_form_##__VA_ARGS__) }
#define MEMORY(n, ...) { .name = #n, .kind = 'p', __VA_ARGS__ }
#define FORMED(f) .form = &arg_form_##f

#define D(n, ...) VALUE('d', n, __VA_ARGS__)
#define L(n, ...) VALUE('l', n, __VA_ARGS__)
#define U(n, ...) VALUE('u', n, __VA_ARGS__)
#define X(n, ...) VALUE('x', n, __VA_ARGS__)
#define O(n, ...) VALUE('o', n, __VA_ARGS__)
#define P(n, ...) VALUE('p', n, __VA_ARGS__)
#define F(n) { .name = #n, .kind = 'f', .how = XREAD_FILE, .in = true, .out = true }
#define FI(n) { .name = #n, .kind = 'f', .how = XREAD_FILE, .in = true }
#define RF(n) [6] = { .name = #n, .kind = 'f', .how = XREAD_FILE, .out = true }
#define RP(n) [6] = { .name = #n, .kind = 'p' }

#define S(n) MEMORY(n, .how = XREAD_STRING, .in = true)
#define ARGV(n) MEMORY(n, .how = XREAD_STRINGS, .in = true)
#define B(n, c) MEMORY(n, .how = XREAD_DATA, .count = c, .in = true)
#define BO(n) MEMORY(n, .how = XREAD_DATA, .count = XCOUNT_RESULT, .out = true)
#define V(n, c) MEMORY(n, .how = XREAD_IOV, .count = c, .in = true)
#define VO(n, c) MEMORY(n, .how = XREAD_IOV, .count = c, .out = true)
#define M(n) MEMORY(n, .how = XREAD_MSG, .in = true)
#define MO(n) MEMORY(n, .how = XREAD_MSG, .out = true)
#define MM(n, c) MEMORY(n, .how = XREAD_MMSG, .count = c, .in = true)
#define MMO(n, c) MEMORY(n, .how = XREAD_MMSG, .count = c, .out = true)
#define A(n, c) MEMORY(n, .how = XREAD_BYTES, .count = c, .in = true, FORMED(sockaddr))
#define AO(n, c) MEMORY(n, .how = XREAD_VIA, .count = c, .out = true, FORMED(sockaddr))
#define Y(n, c) MEMORY(n, .how = XREAD_BYTES, .count = c, .in = true, FORMED(option))
#define YO(n, c) MEMORY(n, .how = XREAD_VIA, .count = c, .out = true, FORMED(option))
#define ELEMENTS(n, f, c, ...) \
	MEMORY(n, .how = XREAD_BYTES, .count = c, .elements = true, FORMED(f), __VA_ARGS__)
#define T(n, f) ELEMENTS(n, f, XCOUNT_ONE, .in = true)
#define TO(n, f) ELEMENTS(n, f, XCOUNT_ONE, .out = true)
#define TIO(n, f) ELEMENTS(n, f, XCOUNT_ONE, .in = true, .out = true)
#define N(n, f, c) ELEMENTS(n, f, c, .in = true)
#define NO(n, f) ELEMENTS(n, f, XCOUNT_RESULT, .out = true)
#define NIO(n, f, c) ELEMENTS(n, f, c, .in = true, .out = true)
#define G(n, f, c) MEMORY(n, .how = XREAD_BYTES, .count = c, .in = true, FORMED(f))
#define GO(n, f) MEMORY(n, .how = XREAD_BYTES, .count = XCOUNT_RESULT, .out = true, FORMED(f))
#define K(n, c) MEMORY(n, .how = XREAD_BITS, .count = c, .in = true, .out = true, FORMED(fd_set))

static const struct call calls[] = {
#define C(name, x86_64, i386, arm64, ...) { #name, x86_64, i386, arm64, { __VA_ARGS__ } },
#include "syscall_names.h"
#undef C
};

/* What 32-bit calls of the same name have instead. */
static const struct other_args {
	const char *name;
	struct call_arg args[7];
} other_args[] = {
#define C(name, ...) { #name, { __VA_ARGS__ } },
#include "syscall_names32.h"
#undef C
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))
#define NR_OTHERS (sizeof(other_args) / sizeof(other_args[0]))
#define NR_MAX 512		/* above the highest number of any ABI */

enum { NATIVE, COMPAT, NR_ABIS };

static uint16_t row_of[NR_ABIS][NR_MAX];	/* index into calls[] plus 1; 0 no name */
static const struct call_arg *args32[NR_CALLS];	/* of 32-bit calls; NULL: those of the row */

static int number(const struct call *c, int abi)
{
#if defined(__aarch64__)
	return abi == NATIVE ? c->arm64 : -1;
#else
	return abi == NATIVE ? c->x86_64 : c->i386;
#endif
}

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct call *)row)->name);
}

static const struct call *find(const char *name)
{
	return bsearch(name, calls, NR_CALLS, sizeof(calls[0]), compare);
}

static void index_other_args(void)
{
	for (size_t i = 0; i < NR_OTHERS; i++)
		args32[find(other_args[i].name) - calls] = other_args[i].args;
}

static void index_rows(void)
{
	index_other_args();
	for (size_t i = 0; i < NR_CALLS; i++)
		for (int abi = 0; abi < NR_ABIS; abi++) {
			int nr = number(&calls[i], abi);

			if (nr >= 0 && nr < NR_MAX)
				row_of[abi][nr] = i + 1;
		}
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
	if (compat && args32[i - 1])
		row->args = args32[i - 1];
	return 1;
}

/* ---- what is to be read ---- */

static uint32_t element_size(const struct call_arg *a, int compat)
{
	if (!a->elements)
		return 1;
	return compat ? a->form->size32 : a->form->size;
}

static void add(struct xcap_read *reads, __u32 *nr, const struct call_arg *a, int arg, int compat)
{
	bool wrote = a->how == XREAD_DATA && a->count == XCOUNT_RESULT;
	uint32_t size = element_size(a, compat);

	if (size)		/* 0: this ABI has another structure there */
		reads[(*nr)++] = (struct xcap_read){
			arg, a->how, a->count, wrote ? arg + 1 : 0, size,
		};
}

/* Of calls that fail it is asked what they were about: a path, an address. */
static bool is_address(const struct call_arg *a)
{
	return a->how == XREAD_BYTES && a->form == &arg_form_sockaddr;
}

void syscall_table_plan(__u32 nr, int compat, struct xcap_plan *plan)
{
	struct call_row row;

	memset(plan, 0, sizeof(*plan));
	if (!syscall_table_row(nr, compat, &row))
		return;
	for (int i = 0; i < 6; i++) {
		if (row.args[i].in)
			add(plan->enter, &plan->nr_enter, &row.args[i], i, compat);
		if (row.args[i].in && (row.args[i].how == XREAD_STRING || is_address(&row.args[i])))
			plan->retold |= 1u << i;
	}
	/* what a descriptor is can be told of calls that failed as well */
	for (int i = 0; i < 6; i++)
		if (row.args[i].out && row.args[i].kind == 'f')
			add(plan->exit, &plan->nr_exit, &row.args[i], i, compat);
	plan->nr_exit_always = plan->nr_exit;
	for (int i = 0; i < 7; i++)
		if (row.args[i].out && (i == XITEM_RESULT || row.args[i].kind != 'f'))
			add(plan->exit, &plan->nr_exit, &row.args[i], i, compat);
}

/* ---- the public half ---- */

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

	if (!c || arg < 0 || arg > 5 || !c->args[arg].kind)
		return NULL;
	if (kind)
		*kind = c->args[arg].kind;
	return c->args[arg].name;
}
