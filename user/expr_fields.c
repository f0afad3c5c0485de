// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a process term as it was written: field, operator, values.
 * Out:  the values as they are compared, or what is wrong with them.
 * Owns: nothing; the term does.
 * Runs on: any thread.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expr.h"

#define COMM_LEN 15		/* longest name that a task has */
#define CONTAINER_ID 12		/* shortest beginning of a container's id, as its tools show it */
#define MAX_ERRNO 4095

static const struct expr_field fields[] = {
	{ "proc.name",	 EXPR_NAME,	 EXPR_STRINGS,	 EXPR_OF_TASKS },
	{ "proc.pid",	 EXPR_PID,	 EXPR_NUMBERS,	 EXPR_OF_TASKS },
	{ "proc.tid",	 EXPR_TID,	 EXPR_NUMBERS,	 EXPR_OF_TASKS },
	{ "proc.ppid",	 EXPR_PPID,	 EXPR_NUMBERS,	 EXPR_OF_TASKS },
	{ "proc.exe",	 EXPR_EXE,	 EXPR_STRINGS,	 EXPR_OF_TASKS },
	{ "proc.args",	 EXPR_ARGS,	 EXPR_STRINGS,	 EXPR_OF_TASKS },
	{ "proc.uid",	 EXPR_UID,	 EXPR_NUMBERS,	 EXPR_OF_TASKS },
	{ "proc.user",	 EXPR_USER,	 EXPR_STRINGS,	 EXPR_OF_TASKS },
	{ "proc.cgroup", EXPR_CGROUP,	 EXPR_STRINGS,	 EXPR_OF_TASKS },
	{ "proc.tree",	 EXPR_TREE,	 EXPR_TREES,	 EXPR_OF_TASKS },
	{ "container",	 EXPR_CONTAINER, EXPR_STRINGS,	 EXPR_OF_TASKS },
	{ "syscall",	 EXPR_SYSCALL,	 EXPR_CALLS,	 EXPR_OF_CALLS },
	{ "ret",	 EXPR_RET,	 EXPR_NUMBERS,	 EXPR_OF_CALLS },
	{ "errno",	 EXPR_ERRNO,	 EXPR_ERRNOS,	 EXPR_OF_CALLS },
	{ "fd.num",	 EXPR_FD_NUM,	 EXPR_NUMBERS,	 EXPR_OF_CALLS },
	{ "fd.path",	 EXPR_FD_PATH,	 EXPR_STRINGS,	 EXPR_OF_CALLS },
	{ "fd.port",	 EXPR_FD_PORT,	 EXPR_NUMBERS,	 EXPR_OF_CALLS },
	{ "fd.ip",	 EXPR_FD_IP,	 EXPR_ADDRESSES, EXPR_OF_CALLS },
	{ "evt.type",	 EXPR_TYPE,	 EXPR_TYPES,	 EXPR_OF_RECORDS },
};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

const struct expr_field *expr_field(const char *name, size_t len)
{
	for (size_t i = 0; i < NR_FIELDS; i++)
		if (strlen(fields[i].name) == len && !memcmp(fields[i].name, name, len))
			return &fields[i];
	return NULL;
}

const char *expr_field_names(char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < NR_FIELDS && n < size; i++)
		n += snprintf(buf + n, size - n, "%s%s", i ? ", " : "", fields[i].name);
	return buf;
}

/* ---- values ---- */

static int bad_value(const struct expr_term *t, const struct expr_value *v, const char *text,
		     struct error *err, const char *takes)
{
	return expr_wrong(err, text, v->at, "%s takes %s, not '%.64s'", t->field->name, takes,
			  v->text);
}

static bool read_number(const char *s, int64_t *out)
{
	bool negative = *s == '-';
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)s[negative]))
		return false;
	errno = 0;
	n = strtoull(s + negative, &end, 0);
	if (*end || errno || n > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

static int ready_number(struct expr_term *t, struct expr_value *v, const char *text,
			struct error *err)
{
	return read_number(v->text, &v->number) ? 0 : bad_value(t, v, text, err, "a number");
}

static int ready_tree(struct expr_term *t, struct expr_value *v, const char *text,
		      struct error *err)
{
	if (read_number(v->text, &v->number) && v->number > 0 && v->number <= INT32_MAX)
		return 0;
	return bad_value(t, v, text, err, "the number of a process");
}

static int ready_string(struct expr_term *t, struct expr_value *v, const char *text,
			struct error *err)
{
	v->number = -1;
	if (t->field->id == EXPR_USER || t->field->id == EXPR_CGROUP)
		if (!read_number(v->text, &v->number))
			v->number = -1;
	if (t->field->id != EXPR_NAME || v->len <= COMM_LEN)
		return 0;
	if (t->op == EXPR_CONTAINS)
		return expr_wrong(err, text, v->at, "a task's name has %d characters at most",
				  COMM_LEN);
	v->len = COMM_LEN;	/* so the kernel cuts the name */
	v->text[COMM_LEN] = '\0';
	return 0;
}

/* "connect", or a number of the native ABI. */
static bool call_matches(const struct expr_term *t, const struct expr_value *v, int nr, bool compat)
{
	const char *name = xcap_syscall_name(nr, compat);
	int64_t n;

	if (read_number(v->text, &n))
		return !compat && n == nr;
	if (!name)
		return false;
	switch (t->op) {
	case EXPR_PREFIX:
		return !strncmp(name, v->text, v->len);
	case EXPR_CONTAINS:
		return strstr(name, v->text);
	default:
		return !strcmp(name, v->text);
	}
}

static int ready_call(struct expr_term *t, struct expr_value *v, const char *text,
		      struct error *err)
{
	bool known = false;

	if (!t->calls)
		t->calls = calloc(2, sizeof(*t->calls));
	if (!t->calls)
		return -ENOMEM;
	for (int compat = 0; compat < 2; compat++)
		for (int nr = 0; nr < XCAP_NR_SYSCALLS; nr++)
			if (call_matches(t, v, nr, compat)) {
				t->calls[compat][nr / 64] |= 1ull << nr % 64;
				known = true;
			}
	return known ? 0 : expr_wrong(err, text, v->at, "there is no system call %s'%.64s'",
				      t->op == EXPR_PREFIX ? "that begins with " :
				      t->op == EXPR_CONTAINS ? "with " : "", v->text);
}

static int ready_errno(struct expr_term *t, struct expr_value *v, const char *text,
		       struct error *err)
{
	if (read_number(v->text, &v->number)) {
		v->number = v->number < 0 ? -v->number : v->number;
		return 0;
	}
	for (v->number = 1; v->number <= MAX_ERRNO; v->number++) {
		const char *name = xcap_errno_name(-v->number);

		if (name && !strcmp(name, v->text))
			return 0;
	}
	return bad_value(t, v, text, err, "the name of an error, such as ENOENT");
}

static int ready_address(struct expr_term *t, struct expr_value *v, const char *text,
			 struct error *err)
{
	char address[INET6_ADDRSTRLEN] = "", *end;
	const char *slash = strchrnul(v->text, '/');
	long bits;

	v->ip6 = strchr(v->text, ':');
	v->bits = v->ip6 ? 128 : 32;
	if (*slash) {
		bits = strtol(slash + 1, &end, 10);
		if (!isdigit((unsigned char)slash[1]) || *end || bits > v->bits)
			return bad_value(t, v, text, err, "a length of the prefix behind /");
		v->bits = bits;
	}
	if ((size_t)(slash - v->text) < sizeof(address))
		memcpy(address, v->text, slash - v->text);
	if (inet_pton(v->ip6 ? AF_INET6 : AF_INET, address, v->address) == 1)
		return 0;
	return bad_value(t, v, text, err, "an address, such as 10.0.0.1 or 10.0.0.0/8");
}

static int ready_type(struct expr_term *t, struct expr_value *v, const char *text,
		      struct error *err)
{
	static const struct { const char *name; uint32_t bits; } types[] = {
		{ "packet", 1u << XCAP_PACKET },
		{ "syscall", 1u << XCAP_SYS_ENTER | 1u << XCAP_SYS_EXIT },
		{ "enter", 1u << XCAP_SYS_ENTER },
		{ "exit", 1u << XCAP_SYS_EXIT },
		{ "switch", 1u << XCAP_SWITCH },
		{ "probe", 1u << XCAP_PROBE },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, v->text)) {
			v->bits = types[i].bits;
			return 0;
		}
	return bad_value(t, v, text, err, "packet, syscall, enter, exit, switch or probe");
}

/* ---- terms ---- */

/* What each kind can be asked, as bits of enum expr_op. */
#define OP(op) (1u << EXPR_##op)
static const struct {
	uint32_t ops;
	int (*ready)(struct expr_term *t, struct expr_value *v, const char *text,
		     struct error *err);
} kinds[] = {
	[EXPR_NUMBERS]	 = { OP(EQ) | OP(NE) | OP(LT) | OP(LE) | OP(GT) | OP(GE), ready_number },
	[EXPR_STRINGS]	 = { OP(EQ) | OP(NE) | OP(PREFIX) | OP(CONTAINS), ready_string },
	[EXPR_CALLS]	 = { OP(EQ) | OP(NE) | OP(PREFIX) | OP(CONTAINS), ready_call },
	[EXPR_ERRNOS]	 = { OP(EQ) | OP(NE), ready_errno },
	[EXPR_ADDRESSES] = { OP(EQ) | OP(NE), ready_address },
	[EXPR_TYPES]	 = { OP(EQ) | OP(NE), ready_type },
	[EXPR_TREES]	 = { OP(EQ) | OP(NE), ready_tree },
};

static int check_operator(const struct expr_term *t, const char *text, struct error *err)
{
	static const char *const names[] = { "=", "!=", "^=", "*=", "<", "<=", ">", ">=" };
	uint32_t ops = kinds[t->field->kind].ops;
	char list[64] = "";

	if (ops & 1u << t->op)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ops & 1u << i)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s ", names[i]);
	return expr_wrong(err, text, t->at, "%s cannot be compared by %s, but by %sand in",
			  t->field->name, names[t->op], list);
}

int expr_term_ready(struct expr_term *t, const char *text, struct error *err)
{
	int ret = check_operator(t, text, err);

	for (int i = 0; i < t->nr_values && !ret; i++)
		ret = kinds[t->field->kind].ready(t, &t->values[i], text, err);
	if (!ret && t->field->id == EXPR_USER) {
		t->users = calloc(EXPR_KNOWN_USERS, sizeof(*t->users));
		ret = t->users ? 0 : -ENOMEM;
	}
	return ret;
}

/* Return: its bit; -ENOSPC. */
static int tree_of(struct expr *e, uint32_t pid)
{
	for (int i = 0; i < e->nr_trees; i++)
		if (e->trees[i] == pid)
			return i;
	if (e->nr_trees == EXPR_MAX_TREES)
		return -ENOSPC;
	e->trees[e->nr_trees] = pid;
	return e->nr_trees++;
}

int expr_number_trees(struct expr *e, struct error *err)
{
	for (int i = 0; i < e->nr_terms; i++) {
		struct expr_term *t = &e->terms[i];

		for (int k = 0; t->field->kind == EXPR_TREES && k < t->nr_values; k++) {
			int bit = tree_of(e, t->values[k].number);

			if (bit < 0)
				return expr_wrong(err, e->text, t->values[k].at,
						  "proc.tree can name %d processes at most",
						  EXPR_MAX_TREES);
			t->values[k].bits = 1u << bit;
		}
	}
	return 0;
}

bool expr_container_id(const char *text, size_t len)
{
	return len >= CONTAINER_ID && strspn(text, "0123456789abcdef") >= len;
}
