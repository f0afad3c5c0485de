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
	int8_t bit[EXPR_MAX_TERMS];	/* in a way to hold; -1: the kernel is not asked */
	int nr_asked;
	int nr_tables;
	struct expr_split split;
	struct expr_half *half;		/* of it, for the kind of record that is looked at */
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

/* Return: false: there is no such number. */
static bool range(enum expr_op op, int64_t n, struct xcap_range *r)
{
	r->from = op == EXPR_LT || op == EXPR_LE ? INT64_MIN : n;
	r->to = op == EXPR_GT || op == EXPR_GE ? INT64_MAX : n;
	if ((op == EXPR_LT && n == INT64_MIN) || (op == EXPR_GT && n == INT64_MAX))
		return false;
	r->to -= op == EXPR_LT;
	r->from += op == EXPR_GT;
	return true;
}

/* The whole name has its NUL within the mask, the beginning of one has not. */
static void name(enum expr_op op, const struct expr_value *v, struct xcap_name *n)
{
	char text[sizeof(n->text)] = "", mask[sizeof(n->mask)] = "";

	memcpy(text, v->text, v->len);
	memset(mask, 0xff, v->len + (op != EXPR_PREFIX));
	memcpy(n->text, text, sizeof(n->text));
	memcpy(n->mask, mask, sizeof(n->mask));
}

/* Return: false: there is no room for all of its values. */
static bool add_values(struct xcap_wanted *w, const struct expr_term *t, int what, int bit)
{
	bool names = what == XASK_NAME;

	if (t->nr_values > (names ? XWANT_NAMES - w->nr_names : XWANT_RANGES - w->nr_ranges))
		return false;
	for (int i = 0; i < t->nr_values; i++) {
		if (names) {
			w->names[w->nr_names].term = bit;
			name(t->op, &t->values[i], &w->names[w->nr_names++]);
		} else {
			struct xcap_range *r = &w->ranges[w->nr_ranges];

			r->what = what;
			r->term = bit;
			w->nr_ranges += range(t->op, t->values[i].number, r);
		}
	}
	return true;
}

static bool same(const struct expr_term *a, const struct expr_term *b)
{
	if (a->field != b->field || a->op != b->op || a->nr_values != b->nr_values)
		return false;
	for (int i = 0; i < a->nr_values; i++)
		if (strcmp(a->values[i].text, b->values[i].text))
			return false;
	return true;
}

/* Equal ones are asked once. Return: which bit it is; -1: it is not asked. */
static int add_asked(struct plan *p, int i)
{
	const struct expr_term *t = &p->e->terms[i];
	int what = asked_what(t), bit = p->nr_asked;

	if (what < 0)
		return -1;
	for (int k = 0; k < i; k++)
		if (p->bit[k] >= 0 && same(&p->e->terms[k], t))
			return p->bit[k];
	if (bit == XWANT_TERMS || !add_values(p->w, t, what, bit))
		return -1;
	p->w->asks[what] |= 1 << bit;
	p->w->differs |= (t->op == EXPR_NE) << bit;
	return p->nr_asked++;
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
		p->half->user |= 1ull << i;
		return (struct answer){ .yes = ALWAYS, .no = ALWAYS };
	}
	p->half->kernel |= 1ull << i;
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
	struct expr_half before = *p->half;
	struct answer a = judge(p, p->e->root, &s);

	if (a.neither)
		a = certain(true);
	if (!a.yes || !a.no) {		/* whatever the terms are */
		*p->half = before;
	} else if (a.yes == ALWAYS) {	/* the kernel need not ask */
		p->half->user |= p->half->kernel & ~before.kernel;
		p->half->kernel = before.kernel;
	}
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
	for (int i = 0; i < e->nr_terms; i++)
		p.bit[i] = add_asked(&p, i);
	p.half = &p.split.switches;
	w->switches = table_of(&p, XCAP_SWITCH, false, 0);
	any = w->switches != 1;
	p.half = &p.split.calls;
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
