// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an expression that was parsed.
 * Out:  what the kernel is told of it, to refuse system calls and switches where they happen.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * Kind and number of a record decide most terms. What is left are terms that ask for its task or
 * result: six of them at most have 64 ways to hold or not, which are the bits of one word. So the
 * tree is judged for all of them at once, and for each kind and number the answer is a word.
 * Terms that the kernel cannot judge may hold or not: then both answers are possible.
 */
#include <stdint.h>
#include <string.h>
#include "expr.h"

#define NEVER 0
#define ALWAYS UINT64_MAX
#define MAX_ERRNO 4095

/* A record of which only this is known. */
struct sort {
	uint8_t type;		/* enum xcap_type */
	bool compat;
	uint32_t nr;
};

/* For each way that the asked terms hold. */
struct answer {
	bool neither;		/* nothing is said of such records */
	uint64_t yes, no;	/* can be */
};

struct plan {
	const struct expr *e;
	struct xcap_wanted *w;
	int8_t bit[EXPR_MAX_TERMS];	/* of w->terms; -1: the kernel is not asked */
	int nr_tables;
	struct expr_split split;
};

/* ---- terms that ask for a task or a result ---- */

static int asked_what(const struct expr_term *t)
{
	switch (t->field->id) {
	case EXPR_PID:
		return XASK_PID;
	case EXPR_TID:
		return XASK_TID;
	case EXPR_UID:
		return XASK_UID;
	case EXPR_RET:
		return XASK_RET;
	case EXPR_ERRNO:
		return XASK_ERRNO;
	case EXPR_NAME:
		return t->op == EXPR_CONTAINS ? -1 : XASK_NAME;
	default:
		return -1;
	}
}

static struct xcap_range range(enum expr_op op, int64_t n)
{
	static const struct xcap_range none = { 1, 0 };

	switch (op) {
	case EXPR_LT:
		return n == INT64_MIN ? none : (struct xcap_range){ INT64_MIN, n - 1 };
	case EXPR_LE:
		return (struct xcap_range){ INT64_MIN, n };
	case EXPR_GT:
		return n == INT64_MAX ? none : (struct xcap_range){ n + 1, INT64_MAX };
	case EXPR_GE:
		return (struct xcap_range){ n, INT64_MAX };
	default:
		return (struct xcap_range){ n, n };
	}
}

/* The whole name has its NUL within the mask, the beginning of one has not. */
static struct xcap_name name(enum expr_op op, const struct expr_value *v)
{
	char text[sizeof(struct xcap_name) / 2] = "", mask[sizeof(text)] = "";
	struct xcap_name n;

	memcpy(text, v->text, v->len);
	memset(mask, 0xff, v->len + (op != EXPR_PREFIX));
	memcpy(n.text, text, sizeof(n.text));
	memcpy(n.mask, mask, sizeof(n.mask));
	return n;
}

/* Return: false: it is none of those, or has too many values. */
static bool make_asked(const struct expr_term *t, struct xcap_asked *a)
{
	int what = asked_what(t);

	if (what < 0 || t->nr_values > (what == XASK_NAME ? XWANT_NAMES : XWANT_RANGES))
		return false;
	memset(a, 0, sizeof(*a));	/* they are compared as bytes */
	a->what = what;
	a->nr = t->nr_values;
	a->differs = t->op == EXPR_NE;
	for (int i = 0; i < a->nr; i++)
		if (what == XASK_NAME)
			a->names[i] = name(t->op, &t->values[i]);
		else
			a->ranges[i] = range(t->op, t->values[i].number);
	return true;
}

/* Equal ones are asked once. Return: which it is; -1: there is no room. */
static int add_asked(struct xcap_wanted *w, const struct xcap_asked *a)
{
	for (int i = 0; i < w->nr_terms; i++)
		if (!memcmp(&w->terms[i], a, sizeof(*a)))
			return i;
	if (w->nr_terms == XWANT_TERMS)
		return -1;
	w->terms[w->nr_terms] = *a;
	w->needs |= 1u << a->what;
	return w->nr_terms++;
}

static void choose_asked(struct plan *p)
{
	for (int i = 0; i < p->e->nr_terms; i++) {
		struct xcap_asked a;

		p->bit[i] = make_asked(&p->e->terms[i], &a) ? add_asked(p->w, &a) : -1;
	}
}

/* ---- the tree, for all ways at once ---- */

static struct answer certain(bool holds)
{
	return (struct answer){ .yes = holds ? ALWAYS : NEVER, .no = holds ? NEVER : ALWAYS };
}

static struct answer judge_term(struct plan *p, int i, const struct sort *s)
{
	static const uint64_t ways[XWANT_TERMS] = {
		0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0,
		0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000,
	};
	const struct expr_term *t = &p->e->terms[i];
	struct xcap_record rec = { .type = s->type, .flags = s->compat ? XCAP_REC_COMPAT : 0 };

	if (t->field->id == EXPR_TYPE)
		return certain(expr_term_match(t, &rec));
	if (t->field->world == EXPR_OF_CALLS && s->type == XCAP_SWITCH)
		return certain(false);
	if (t->field->id == EXPR_SYSCALL) {
		if (s->type == XCAP_SYS_ENTER)
			rec.enter.nr = s->nr;
		else
			rec.exit.nr = s->nr;
		return certain(expr_term_match(t, &rec));
	}
	if ((t->field->id == EXPR_RET || t->field->id == EXPR_ERRNO) && s->type != XCAP_SYS_EXIT)
		return certain(false);
	if (p->bit[i] < 0) {
		p->split.user |= 1ull << i;
		return (struct answer){ .yes = ALWAYS, .no = ALWAYS };
	}
	p->split.kernel |= 1ull << i;
	return (struct answer){ .yes = ways[p->bit[i]], .no = ~ways[p->bit[i]] };
}

/* As judge() of expr_match.c has it. */
static struct answer judge(struct plan *p, int node, const struct sort *s)
{
	const struct expr_node *n = &p->e->nodes[node];
	struct answer l, r;

	switch (n->kind) {
	case EXPR_PCAP:
		return (struct answer){ .neither = true };
	case EXPR_TERM:
		return judge_term(p, n->left, s);
	}
	l = judge(p, n->left, s);
	if (n->kind == EXPR_NOT)
		return (struct answer){ l.neither, .yes = l.no, .no = l.yes };
	r = judge(p, n->right, s);
	if (l.neither || r.neither)
		return l.neither ? r : l;
	if (n->kind == EXPR_AND)
		return (struct answer){ .yes = l.yes & r.yes, .no = l.no | r.no };
	return (struct answer){ .yes = l.yes | r.yes, .no = l.no & r.no };
}

/* ---- tables ---- */

/* Too many different ones: the last is for all the others. */
static uint8_t add_table(struct plan *p, uint64_t table)
{
	for (int i = 0; i < p->nr_tables; i++)
		if (p->w->tables[i] == table)
			return i;
	if (p->nr_tables < XWANT_TABLES) {
		p->w->tables[p->nr_tables] = table;
		return p->nr_tables++;
	}
	p->split.whole = false;
	p->w->tables[XWANT_TABLES - 1] |= table;
	return XWANT_TABLES - 1;
}

static uint8_t table_of(struct plan *p, uint8_t type, bool compat, uint32_t nr)
{
	struct sort s = { type, compat, nr };
	struct answer a = judge(p, p->e->root, &s);

	if (a.neither)
		return add_table(p, ALWAYS);
	if (a.yes & a.no)
		p->split.whole = false;
	return add_table(p, a.yes);
}

bool expr_wanted(const struct expr *e, struct xcap_wanted *w, struct expr_split *split)
{
	struct plan p = { .e = e, .w = w, .nr_tables = 2, .split.whole = true };
	bool any;

	memset(w, 0, sizeof(*w));
	w->tables[1] = ALWAYS;
	choose_asked(&p);
	w->switches = table_of(&p, XCAP_SWITCH, false, 0);
	any = w->switches != 1;
	for (int exit = 0; exit < 2; exit++) {
		uint8_t type = exit ? XCAP_SYS_EXIT : XCAP_SYS_ENTER;

		w->beyond[exit] = table_of(&p, type, false, UINT32_MAX);
		any |= w->beyond[exit] != 1;
		for (int compat = 0; compat < 2; compat++)
			for (int nr = 0; nr < XCAP_NR_SYSCALLS; nr++) {
				uint8_t *table = &w->calls[exit][compat][nr];

				*table = table_of(&p, type, compat, nr);
				any |= *table != 1;
			}
	}
	if (split)
		*split = p.split;
	return any;
}
