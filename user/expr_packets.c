// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an expression that was parsed.
 * Out:  what it is for packets: which terms are the same on all of them, the texts for libpcap.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr.h"

#define REPLACEMENT 32	/* longest, with its NUL */
#define UNREAL_LENGTH 2130706432u

static bool says_of_packets(const struct expr *e, int node)
{
	const struct expr_node *n = &e->nodes[node];

	switch (n->kind) {
	case EXPR_TERM:
		return e->terms[n->left].field->world != EXPR_OF_CALLS;
	case EXPR_PCAP:
		return true;
	case EXPR_NOT:
		return says_of_packets(e, n->left);
	}
	return says_of_packets(e, n->left) || says_of_packets(e, n->right);
}

/* Nothing below says anything of packets: it is left out, by being what changes nothing. */
static void fix(struct expr *e, int node, bool value)
{
	const struct expr_node *n = &e->nodes[node];

	if (n->kind == EXPR_TERM) {
		e->terms[n->left].fixed = true;
		e->terms[n->left].fixed_value = value;
		return;
	}
	fix(e, n->left, n->kind == EXPR_NOT ? !value : value);
	if (n->kind != EXPR_NOT)
		fix(e, n->right, value);
}

static void settle_terms(struct expr *e, int node, bool value, bool negated)
{
	const struct expr_node *n = &e->nodes[node];

	if (!says_of_packets(e, node)) {
		fix(e, node, value);
		return;
	}
	switch (n->kind) {
	case EXPR_PCAP:
		break;
	case EXPR_TERM:
		e->terms[n->left].negated = negated;
		break;
	case EXPR_NOT:
		settle_terms(e, n->left, value, !negated);
		break;
	default:
		settle_terms(e, n->left, n->kind == EXPR_AND, negated);
		settle_terms(e, n->right, n->kind == EXPR_AND, negated);
	}
}

/* What kind of record it is, is the same for all packets. */
static void settle_types(struct expr *e)
{
	static const struct xcap_record packet = { .type = XCAP_PACKET };

	for (int i = 0; i < e->nr_terms; i++) {
		struct expr_term *t = &e->terms[i];

		if (t->field->world != EXPR_OF_RECORDS)
			continue;
		t->fixed = true;
		t->fixed_value = expr_term_match(t, &packet);
	}
}

void expr_settle(struct expr *e)
{
	e->every_packet = !says_of_packets(e, e->root);
	settle_terms(e, e->root, true, false);
	settle_types(e);
}

/* ---- texts ---- */

/*
 * In parentheses, behind which libpcap goes on where it was: "port 80 and (...) or 443" inherits
 * "port" as if the term were not there. No packet has that length; what libpcap sees through, such
 * as 0=1, it would refuse where it decides the whole. So each has a length of its own, too: "less 9
 * and not less 9" is nothing to libpcap.
 */
static void put_constant(char *to, bool value, int i)
{
	snprintf(to, REPLACEMENT, "(%s %u)", value ? "less" : "greater", UNREAL_LENGTH + i);
}

/* mark 0: none is wanted */
static char *with_replacements(const struct expr *e, uint32_t mark)
{
	char *out = malloc(strlen(e->text) + e->nr_terms * REPLACEMENT + 1), *to = out;
	size_t at = 0;

	if (!out)
		return NULL;
	for (int i = 0; i < e->nr_terms; i++) {
		const struct expr_term *t = &e->terms[i];

		to = mempcpy(to, e->text + at, t->at - at);
		if (t->fixed)
			put_constant(to, t->fixed_value, i);
		else if (mark)
			snprintf(to, REPLACEMENT, "(greater %u)", mark + i);
		else
			put_constant(to, !t->negated, i);
		to += strlen(to);
		at = t->at + t->len;
	}
	strcpy(to, e->text + at);
	return out;
}

char *expr_marked(const struct expr *e, uint32_t mark)
{
	return with_replacements(e, mark);
}

char *expr_superset(const struct expr *e)
{
	return with_replacements(e, 0);
}
