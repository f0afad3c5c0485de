// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a filter expression: pcap-filter(7) with process terms in it.
 * Out:  its process terms and the tree they stand in; the text as libpcap takes it.
 * Owns: the expression.
 * Runs on: any thread.
 *
 * The tree need be right only where libpcap accepts the text, for it is asked, too. So whatever
 * has no process term in it is one leaf, parentheses and all: "port (80 or 443)" and
 * "(ip[0] & 0xf) > 5" need not be told apart from "(tcp or udp)".
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "expr.h"

enum token_kind { END, WORD, AND, OR, NOT, OPEN, CLOSE, TERM };

struct token {
	enum token_kind kind;
	size_t at, len;
	int pair;		/* OPEN: the token that closes it; TERM: which */
	bool ours;		/* OPEN: there is a process term inside */
};

struct parser {
	const char *text;
	size_t at;
	struct expr *e;
	struct token *tokens;
	int nr, size, next;
	int depth;
	struct error *err;
};

int expr_wrong(struct error *err, const char *text, size_t at, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return error_set(err, -EINVAL, "filter: %s, at character %zu%s%.32s%s", why, at + 1,
			 text[at] ? ": '" : "", text + at, text[at] ? "'" : "");
}

#define wrong(p, at, ...) expr_wrong((p)->err, (p)->text, at, __VA_ARGS__)

/* ---- tokens ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_blanks(const char *text, size_t at)
{
	while (blank(text[at]))
		at++;
	return at;
}

/* As libpcap's scanner takes names and addresses together; they do not end in these signs. */
static size_t word_len(const char *s)
{
	size_t n = 0;

	if (*s == '\\') {
		while (s[n] && !blank(s[n]) && !strchr("!()", s[n]))
			n++;
		return n;
	}
	if (!isalnum((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("_.:-", s[n])))
		n++;
	while (strchr("_:-", s[n - 1]))
		n--;
	return n;
}

static bool word_is(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(s, word, len);
}

/* The longer ones first. */
static const struct { const char *text; enum expr_op op; } operators[] = {
	{ "==", EXPR_EQ }, { "!=", EXPR_NE }, { "^=", EXPR_PREFIX }, { "*=", EXPR_CONTAINS },
	{ "<=", EXPR_LE }, { ">=", EXPR_GE }, { "=", EXPR_EQ }, { "<", EXPR_LT }, { ">", EXPR_GT },
};

/* Return: bytes of the operator; 0 there is none. *list: it is "in", values in parentheses. */
static size_t operator_len(const char *s, enum expr_op *op, bool *list)
{
	*list = !strncmp(s, "in", 2) && s[skip_blanks(s, 2)] == '(';
	*op = EXPR_EQ;
	if (*list)
		return 2;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (!strncmp(s, operators[i].text, strlen(operators[i].text))) {
			*op = operators[i].op;
			return strlen(operators[i].text);
		}
	return 0;
}

static struct token *add_token(struct parser *p, enum token_kind kind, size_t len)
{
	struct token *t;

	if (p->nr == p->size) {
		t = reallocarray(p->tokens, p->size * 2 + 64, sizeof(*t));
		if (!t)
			return NULL;
		p->tokens = t;
		p->size = p->size * 2 + 64;
	}
	t = &p->tokens[p->nr++];
	*t = (struct token){ .kind = kind, .at = p->at, .len = len };
	p->at += len;
	return t;
}

/* ---- process terms ---- */

/* Bytes of a value without quotes. */
static size_t bare_len(const char *s, bool list)
{
	size_t n = 0;

	while (s[n] && !blank(s[n]) && !strchr("()\"'", s[n]) && !(list && s[n] == ',') &&
	       strncmp(s + n, "&&", 2) && strncmp(s + n, "||", 2))
		n++;
	return n;
}

/* Of a value with quotes around it, these included. Return: 0: the last is missing. */
static size_t quoted_len(const char *s)
{
	size_t n = 1;

	for (; s[n] && s[n] != *s; n++)
		if (s[n] == '\\' && s[n + 1])
			n++;
	return s[n] ? n + 1 : 0;
}

/* Without its quotes and backslashes, to be freed; NULL: no memory. */
static char *unquoted(const char *s, size_t len, uint32_t *out_len)
{
	char *text = malloc(len + 1), *to = text;
	bool quoted = *s == '"' || *s == '\'';

	if (!text)
		return NULL;
	for (size_t i = quoted; i < len - quoted; i++) {
		if (quoted && s[i] == '\\')
			i++;
		*to++ = s[i];
	}
	*to = '\0';
	*out_len = to - text;
	return text;
}

static int read_value(struct parser *p, struct expr_term *t, bool list)
{
	const char *s = p->text + p->at;
	bool quoted = *s == '"' || *s == '\'';
	size_t len = quoted ? quoted_len(s) : bare_len(s, list);
	struct expr_value *values, *v;

	if (quoted && !len)
		return wrong(p, p->at, "the quote is not closed");
	if (!len || word_is(s, len, "and") || word_is(s, len, "or") || word_is(s, len, "not"))
		return wrong(p, p->at, "%s needs a value here; one that looks like a part of the "
			     "filter stands in quotes", t->field->name);
	if (t->nr_values == EXPR_MAX_VALUES)
		return wrong(p, p->at, "%s has more than %d values", t->field->name,
			     EXPR_MAX_VALUES);
	values = reallocarray(t->values, t->nr_values + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	t->values = values;
	v = &values[t->nr_values];
	*v = (struct expr_value){ .at = p->at };
	v->text = unquoted(s, len, &v->len);
	if (!v->text)
		return -ENOMEM;
	t->nr_values++;
	p->at += len;
	return 0;
}

static int read_list(struct parser *p, struct expr_term *t)
{
	size_t open = p->at;
	int ret;

	for (p->at++; ; ) {
		p->at = skip_blanks(p->text, p->at);
		if (!p->text[p->at])
			return wrong(p, open, "the parenthesis is not closed");
		ret = read_value(p, t, true);
		if (ret)
			return ret;
		p->at = skip_blanks(p->text, p->at);
		if (p->text[p->at] == ')')
			break;
		if (p->text[p->at] == ',')
			p->at++;
	}
	p->at++;
	return 0;
}

static int read_term(struct parser *p, const struct expr_field *field, size_t name_len)
{
	struct expr_term *t = &p->e->terms[p->e->nr_terms];
	size_t from = p->at;
	struct token *token;
	bool list;
	int ret;

	if (p->e->nr_terms == EXPR_MAX_TERMS)
		return wrong(p, p->at, "there are more than %d process terms", EXPR_MAX_TERMS);
	p->e->nr_terms++;
	t->field = field;
	t->at = from;
	p->at = skip_blanks(p->text, p->at + name_len);
	p->at += operator_len(p->text + p->at, &t->op, &list);
	p->at = skip_blanks(p->text, p->at);
	ret = list ? read_list(p, t) : read_value(p, t, false);
	t->len = p->at - from;
	ret = ret ?: expr_term_ready(t, p->text, p->err);
	if (ret)
		return ret;
	p->at = from;
	token = add_token(p, TERM, t->len);
	if (!token)
		return -ENOMEM;
	token->pair = p->e->nr_terms - 1;
	return 0;
}

/* Nobody who writes so, and an operator behind it, means a host. */
static bool has_our_prefix(const char *s, size_t len)
{
	return (len > 5 && !memcmp(s, "proc.", 5)) || (len > 3 && !memcmp(s, "fd.", 3)) ||
	       (len > 4 && !memcmp(s, "evt.", 4));
}

/* Return: 1 it was a process term; 0 it is none; -errno. */
static int try_term(struct parser *p, size_t len)
{
	const char *s = p->text + p->at;
	const struct expr_field *field = expr_field(s, len);
	char names[256];
	enum expr_op op;
	bool list;
	int ret;

	if (!field && !has_our_prefix(s, len))
		return 0;
	if (!operator_len(s + skip_blanks(s, len), &op, &list))
		return 0;	/* of a host, perhaps: "host container" */
	if (!field)
		return wrong(p, p->at, "there is no field %.*s, but %s", (int)len, s,
			     expr_field_names(names, sizeof(names)));
	ret = read_term(p, field, len);
	return ret ?: 1;
}

/* Words of libpcap's own that a comparison may follow. */
static bool is_compared(const char *s, size_t len)
{
	static const char *const words[] = {
		"len", "vpi", "vci", "sio", "opc", "dpc", "sls", "hsio", "hopc", "hdpc", "hsls",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (word_is(s, len, words[i]))
			return true;
	return memchr(s, '-', len) || isdigit((unsigned char)*s);
}

bool expr_suspect(const char *text, char *buf, size_t size)
{
	enum expr_op op;
	char names[256];
	bool list;

	for (size_t at = 0, len; text[at]; at += len ?: 1) {
		const char *s = text + at;
		size_t follows;

		len = word_len(s);
		if (!len || *s == '\\')
			continue;
		follows = operator_len(s + skip_blanks(s, len), &op, &list);
		if (!follows && (expr_field(s, len) || has_our_prefix(s, len))) {
			snprintf(buf, size, "%.*s needs an operator, such as =, and a value",
				 (int)len, s);
			return true;
		}
		if (follows && !expr_field(s, len) && !is_compared(s, len)) {
			snprintf(buf, size, "there is no field %.*s, but %s", (int)len, s,
				 expr_field_names(names, sizeof(names)));
			return true;
		}
	}
	return false;
}

static enum token_kind word_kind(const char *s, size_t len)
{
	return word_is(s, len, "and") ? AND : word_is(s, len, "or") ? OR :
	       word_is(s, len, "not") ? NOT : WORD;
}

/* What is no word. */
static enum token_kind sign_kind(const char *s, size_t *len)
{
	*len = 2;
	if (!strncmp(s, "&&", 2))
		return AND;
	if (!strncmp(s, "||", 2))
		return OR;
	if (!strncmp(s, "!=", 2))
		return WORD;
	*len = 1;
	return *s == '!' ? NOT : *s == '(' ? OPEN : *s == ')' ? CLOSE : WORD;
}

static int tokenize(struct parser *p)
{
	while (p->at = skip_blanks(p->text, p->at), p->text[p->at]) {
		const char *s = p->text + p->at;
		size_t len = word_len(s);
		enum token_kind kind;
		int ret;

		ret = len ? try_term(p, len) : 0;
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		kind = len ? word_kind(s, len) : sign_kind(s, &len);
		if (!add_token(p, kind, len))
			return -ENOMEM;
	}
	return add_token(p, END, 0) ? 0 : -ENOMEM;
}

/* Which parenthesis closes which, and what is in it. */
static int pair_up(struct parser *p)
{
	int *open = calloc(p->nr, sizeof(*open)), depth = 0, ret = 0;

	if (!open)
		return -ENOMEM;
	for (int i = 0; i < p->nr && !ret; i++) {
		struct token *t = &p->tokens[i];

		if (t->kind == TERM)
			for (int d = depth; d > 0 && !p->tokens[open[d - 1]].ours; d--)
				p->tokens[open[d - 1]].ours = true;
		if (t->kind == OPEN)
			open[depth++] = i;
		else if (t->kind == CLOSE && depth)
			p->tokens[open[--depth]].pair = i;
		else if (t->kind == CLOSE)
			ret = wrong(p, t->at, "there is no parenthesis to close");
	}
	if (!ret && depth)
		ret = wrong(p, p->tokens[open[depth - 1]].at, "the parenthesis is not closed");
	free(open);
	return ret;
}

/* ---- the tree: in libpcap's grammar "and" and "or" bind alike, to the left, "not" closer ---- */

static int add_node(struct parser *p, enum expr_node_kind kind, int left, int right)
{
	struct expr *e = p->e;

	/* the grammar of what is libpcap's alone is no business of ours */
	if (kind != EXPR_TERM && left == EXPR_NODE_PCAP && right == EXPR_NODE_PCAP)
		return EXPR_NODE_PCAP;
	if (e->nr_nodes == EXPR_MAX_NODES)
		return error_set(p->err, -EINVAL, "filter: too many terms around process terms; "
				 "put those about packets into parentheses of their own");
	e->nodes[e->nr_nodes] = (struct expr_node){ kind, left, right };
	return e->nr_nodes++;
}

static bool ends_operand(const struct token *t)
{
	return t->kind == AND || t->kind == OR || t->kind == CLOSE || t->kind == END;
}

/* Behind a process term, or a parenthesis with one. */
static int expect_end(struct parser *p)
{
	const struct token *t = &p->tokens[p->next];

	return ends_operand(t) ? 0 : wrong(p, t->at, "\"and\" or \"or\" is missing");
}

/* Words that are libpcap's, up to the next "and", "or" or ")" that is not within them. */
static int parse_pcap(struct parser *p)
{
	int from = p->next;

	while (!ends_operand(&p->tokens[p->next])) {
		const struct token *t = &p->tokens[p->next];

		if (t->kind == TERM || (t->kind == OPEN && t->ours))
			return wrong(p, t->at, "\"and\" or \"or\" is missing");
		p->next = t->kind == OPEN ? t->pair + 1 : p->next + 1;
	}
	if (p->next == from)
		return wrong(p, p->tokens[from].at, "a term is missing");
	return EXPR_NODE_PCAP;
}

static int parse_expr(struct parser *p);

static int parse_parentheses(struct parser *p)
{
	int node;

	if (p->depth == EXPR_MAX_DEPTH)
		return wrong(p, p->tokens[p->next].at, "more than %d parentheses in one another",
			     EXPR_MAX_DEPTH);
	p->depth++;
	p->next++;
	node = parse_expr(p);
	p->depth--;
	if (node < 0)
		return node;
	p->next++;	/* what parse_expr() stops at is the one that closes it, see pair_up() */
	return expect_end(p) ?: node;
}

static int parse_operand(struct parser *p)
{
	const struct token *t = &p->tokens[p->next];
	bool negated = false;
	int node;

	for (; t->kind == NOT; t = &p->tokens[++p->next])
		negated = !negated;
	if (t->kind == TERM) {
		p->next++;
		node = expect_end(p) ?: add_node(p, EXPR_TERM, t->pair, 0);
	} else if (t->kind == OPEN && t->ours) {
		node = parse_parentheses(p);
	} else {
		node = parse_pcap(p);
	}
	return node < 0 || !negated ? node : add_node(p, EXPR_NOT, node, EXPR_NODE_PCAP);
}

/* Return: its node; -errno. */
static int parse_expr(struct parser *p)
{
	int left = parse_operand(p), right;

	while (left >= 0 && (p->tokens[p->next].kind == AND || p->tokens[p->next].kind == OR)) {
		enum expr_node_kind kind =
			p->tokens[p->next].kind == AND ? EXPR_AND : EXPR_OR;

		p->next++;
		right = parse_operand(p);
		left = right < 0 ? right : add_node(p, kind, left, right);
	}
	return left;
}

/* ---- the whole ---- */

static int parse(struct parser *p)
{
	struct expr *e = p->e;
	int ret = tokenize(p);

	if (ret || !e->nr_terms)
		return ret;
	ret = pair_up(p);
	if (ret)
		return ret;
	ret = parse_expr(p);
	if (ret < 0)
		return ret;
	e->root = ret;
	expr_settle(e);
	return expr_number_trees(e, p->err);
}

int expr_parse(struct expr **out, const char *text, struct error *err)
{
	struct expr *e = calloc(1, sizeof(*e));
	struct parser p = { .text = text, .e = e, .err = err };
	int ret;

	if (!e)
		return -ENOMEM;
	e->nodes[EXPR_NODE_PCAP].kind = EXPR_PCAP;
	e->nr_nodes = EXPR_NODE_PCAP + 1;
	e->text = strdup(text);
	ret = e->text ? parse(&p) : -ENOMEM;
	free(p.tokens);
	if (ret || !e->nr_terms) {
		expr_free(e);
		e = NULL;
	}
	if (!ret)
		*out = e;
	return ret;
}

void expr_free(struct expr *e)
{
	if (!e)
		return;
	for (int i = 0; i < e->nr_terms; i++) {
		struct expr_term *t = &e->terms[i];

		for (int v = 0; v < t->nr_values; v++)
			free(t->values[v].text);
		free(t->values);
		free(t->calls);
		free(t->users);
	}
	free(e->text);
	free(e);
}
