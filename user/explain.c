// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a filter expression.
 * Out:  lines that say what of it is decided where.
 * Owns: nothing.
 * Runs on: any thread. The kernel is not asked: what it is told is made, and not loaded.
 */
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include "cbpf.h"
#include "expr.h"
#include "filter.h"
#include "out.h"
#include "stream.h"

#define ETHERNET 1
#define NAMES 10		/* calls that are listed one by one */

struct explain {
	struct out o;
	const char *text;
	struct expr *e;			/* NULL: libpcap's alone */
	struct xcap_wanted wanted;
	struct expr_split split;
};

/* ---- terms ---- */

static void put_mark(struct explain *x, int i)
{
	out_char(&x->o, '[');
	out_number(&x->o, i + 1, 10);
	out_char(&x->o, ']');
}

/* A line with those terms, if there are any. */
static void put_terms(struct explain *x, const char *what, uint64_t terms)
{
	const char *before = what;

	for (int i = 0; terms && i < x->e->nr_terms; i++) {
		if (!(terms >> i & 1))
			continue;
		out_text(&x->o, before);
		put_mark(x, i);
		out_char(&x->o, ' ');
		out_bytes(&x->o, x->e->text + x->e->terms[i].at, x->e->terms[i].len);
		before = ", ";
	}
	if (terms)
		out_char(&x->o, '\n');
}

/* ---- packets ---- */

/* The text, with what is decided elsewhere by its number, what says nothing of packets as -. */
static void put_packet_text(struct explain *x)
{
	size_t at = 0;

	for (int i = 0; x->e && i < x->e->nr_terms; i++) {
		const struct expr_term *t = &x->e->terms[i];

		out_bytes(&x->o, x->text + at, t->at - at);
		if (!t->fixed)
			put_mark(x, i);
		else if (t->field->world == EXPR_OF_RECORDS)
			out_text(&x->o, t->fixed_value ? "[yes]" : "[no]");
		else
			out_text(&x->o, "[-]");
		at = t->at + t->len;
	}
	out_text(&x->o, x->text + at);
	out_char(&x->o, '\n');
}

/* Return: 0; -EOPNOTSUPP, -E2BIG, -EINVAL with a sentence; -ENOMEM. */
static int try_kernel(const char *text, struct error *err)
{
	static const struct cbpf_target hook = { .hook = CBPF_TC, .progs_fd = -1, .counts_fd = -1 };
	struct cbpf_insn *insns = NULL;
	struct bpf_insn *code = NULL;
	int ret = filter_insns(text, ETHERNET, &insns, err);

	if (ret >= 0)
		ret = cbpf_translate(insns, ret, &hook, &code, err);
	free(insns);
	free(code);
	return ret < 0 ? ret : 0;
}

/* Process terms that packets are asked. */
static uint64_t packet_terms(const struct explain *x)
{
	uint64_t terms = 0;

	for (int i = 0; x->e && i < x->e->nr_terms; i++)
		if (!x->e->terms[i].fixed)
			terms |= 1ull << i;
	return terms;
}

/* Is there anything that libpcap or the kind of record decides? */
static bool kernel_has_some(const struct explain *x)
{
	bool some = !x->e;

	for (int i = 0; x->e && i < x->e->nr_terms; i++)
		some |= x->e->terms[i].field->world == EXPR_OF_RECORDS;
	for (int i = 1; x->e && i < x->e->nr_nodes; i++) {
		const struct expr_node *n = &x->e->nodes[i];

		if (n->kind == EXPR_AND || n->kind == EXPR_OR)
			some |= n->left == EXPR_NODE_PCAP || n->right == EXPR_NODE_PCAP;
	}
	return some;
}

static int explain_packets(struct explain *x)
{
	struct error err = { "" };
	char *kernels;
	int ret;

	out_text(&x->o, "packets\n");
	if (x->e ? x->e->every_packet : !x->text[strspn(x->text, " \t\r\n")]) {
		out_text(&x->o, "  all: the filter says nothing of them\n");
		return 0;
	}
	kernels = x->e ? expr_superset(x->e) : strdup(x->text);
	ret = kernels ? try_kernel(kernels, &err) : -ENOMEM;
	free(kernels);
	if (ret == -ENOMEM)
		return ret;
	if (ret) {
		out_text(&x->o, "  in the kernel: nothing, and xsk: refuses it: ");
		out_text(&x->o, err.text);
		out_text(&x->o, "\n  in user space: ");
		put_packet_text(x);
	} else if (kernel_has_some(x)) {
		out_text(&x->o, "  in the kernel, at XDP or TCX: ");
		put_packet_text(x);
	}
	put_terms(x, "  in user space: ", packet_terms(x));
	return 0;
}

/* ---- system calls ---- */

/* 0 never, 1 always, else it depends. */
static uint8_t table(const struct explain *x, int exit, int compat, int nr)
{
	return x->wanted.calls[exit][compat][nr];
}

/* Calls that may be records, or those that never are. */
static int count(const struct explain *x, int exit, bool never)
{
	int n = 0;

	for (int compat = 0; compat < 2; compat++)
		for (int nr = 0; nr < XCAP_NR_SYSCALLS; nr++)
			n += !table(x, exit, compat, nr) == never;
	return n;
}

/* The number of this name in the other ABI is of the same side. */
static bool other_too(const struct explain *x, int exit, int compat, const char *name, bool never)
{
	int nr = xcap_syscall_nr(name, !compat);

	return nr < 0 || nr >= XCAP_NR_SYSCALLS || !table(x, exit, !compat, nr) == never;
}

static void put_name(struct explain *x, int exit, int compat, int nr, bool never)
{
	const char *name = xcap_syscall_name(nr, compat);

	if (name)
		out_text(&x->o, name);
	else
		out_number(&x->o, nr, 10);
	if (!name || !other_too(x, exit, compat, name, never))
		out_text(&x->o, compat ? "/32" : "/64");
}

/* The first few of a set by their names, one that both ABIs have once. */
static void put_names(struct explain *x, int exit, bool never)
{
	int n = 0, more = 0;

	for (int compat = 0; compat < 2; compat++)
		for (int nr = 0; nr < XCAP_NR_SYSCALLS; nr++) {
			const char *name = xcap_syscall_name(nr, compat);

			if (!table(x, exit, compat, nr) != never)
				continue;
			if (compat && name && xcap_syscall_nr(name, 0) >= 0 &&
			    other_too(x, exit, compat, name, never))
				continue;
			if (n == NAMES) {
				more++;
				continue;
			}
			out_text(&x->o, n++ ? ", " : " ");
			put_name(x, exit, compat, nr, never);
		}
	if (more) {
		out_text(&x->o, " and ");
		out_number(&x->o, more, 10);
		out_text(&x->o, " more");
	}
}

static void put_calls(struct explain *x, int exit)
{
	int some = count(x, exit, false), never = count(x, exit, true);
	bool beyond = x->wanted.beyond[exit];

	if (!some && !beyond) {
		out_text(&x->o, " none");
	} else if (!never && beyond) {
		out_text(&x->o, " all");
	} else if (beyond) {
		out_text(&x->o, " all but");
		put_names(x, exit, true);
	} else {
		put_names(x, exit, false);
	}
}

static bool same_calls(const struct explain *x)
{
	for (int compat = 0; compat < 2; compat++)
		for (int nr = 0; nr < XCAP_NR_SYSCALLS; nr++)
			if (!table(x, 0, compat, nr) != !table(x, 1, compat, nr))
				return false;
	return !x->wanted.beyond[0] == !x->wanted.beyond[1];
}

/* Whose they must be, where the kernel knows them. */
static void put_trees(struct explain *x)
{
	uint32_t trees = expr_trees_needed(x->e);
	const char *before = "  in the kernel, by process: only of the tree of ";

	for (int i = 0; i < x->e->nr_trees; i++) {
		if (!(trees >> i & 1))
			continue;
		out_text(&x->o, before);
		out_number(&x->o, x->e->trees[i], 10);
		before = ", ";
	}
	if (trees)
		out_char(&x->o, '\n');
}

static void explain_calls(struct explain *x)
{
	out_text(&x->o, "system calls\n");
	put_trees(x);
	if (same_calls(x)) {
		out_text(&x->o, "  in the kernel, by number: entry and exit of");
		put_calls(x, 0);
	} else {
		out_text(&x->o, "  in the kernel, by number: entry of");
		put_calls(x, 0);
		out_text(&x->o, "; exit of");
		put_calls(x, 1);
	}
	out_char(&x->o, '\n');
	put_terms(x, "  in the kernel, by task or result: ", x->split.calls.kernel);
	put_terms(x, "  in user space: ", x->split.calls.user);
	out_text(&x->o, "switches\n");
	if (!x->wanted.switches)
		out_text(&x->o, "  in the kernel: none\n");
	else if (!x->split.switches.kernel && !x->split.switches.user)
		out_text(&x->o, "  all\n");
	put_trees(x);
	put_terms(x, "  in the kernel, by task: ", x->split.switches.kernel);
	put_terms(x, "  in user space: ", x->split.switches.user);
	if (!x->split.whole && !x->split.calls.user && !x->split.switches.user)
		out_text(&x->o, "  in user space: all of them again, for too many differ\n");
}

/* ---- the whole ---- */

static int explain(struct explain *x)
{
	int ret = explain_packets(x);

	if (ret)
		return ret;
	if (!x->e || !(expr_wanted(x->e, &x->wanted, &x->split) || x->split.calls.user ||
		       x->split.switches.user))
		out_text(&x->o, "system calls and switches\n"
			 "  all: the filter says nothing of them\n");
	else
		explain_calls(x);
	return 0;
}

int xcap_explain_filter(const char *expression, char *buf, size_t size)
{
	struct error *err = stream_last_error();
	struct explain *x = calloc(1, sizeof(*x));
	int ret = x ? filter_check(expression ?: "", err) : -ENOMEM;

	if (!ret) {
		x->o = (struct out){ .buf = buf, .size = size };
		x->text = expression ?: "";
		ret = expr_parse(&x->e, x->text, err);
	}
	ret = ret ?: explain(x);
	if (!ret) {
		if (size)
			buf[x->o.len < size ? x->o.len : size - 1] = '\0';
		ret = x->o.len;
	} else if (ret == -ENOMEM) {
		error_set(err, ret, "no memory to explain a filter");
	}
	expr_free(x ? x->e : NULL);
	free(x);
	return ret;
}
