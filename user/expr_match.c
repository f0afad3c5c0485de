// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an expression, records with what is known of them.
 * Out:  which process terms hold; whether a record that is no packet is kept.
 * Owns: nothing.
 * Runs on: the thread of the handle, for each record: nothing is allocated.
 */
#include <string.h>
#include <sys/socket.h>
#include "expr.h"
#include "items.h"

#define MAX_ERRNO 4095

/* A field has at most two values: of both tasks of a switch, both ends of a connection. */
struct numbers {
	int nr;
	int64_t n[2];
};

struct string {
	const char *text;
	size_t len;
};

struct strings {
	int nr;
	struct string s[2];
};

static bool is_switch(const struct xcap_record *rec)
{
	return rec->type == XCAP_SWITCH;
}

/* ---- numbers ---- */

static void add(struct numbers *v, int64_t n)
{
	v->n[v->nr++] = n;
}

/* An unknown id is 0, but 0 is the idle task's. */
static struct numbers ids(const struct xcap_record *rec, uint32_t id, uint32_t next)
{
	struct numbers v = { 0 };

	if (id || is_switch(rec))
		add(&v, id);
	if (is_switch(rec))
		add(&v, next);
	return v;
}

/* The descriptor that a call is about. */
static void descriptor(const struct xcap_record *rec, struct numbers *v)
{
	struct xcap_arg arg;

	for (int i = 0; rec->type == XCAP_SYS_ENTER && xcap_record_arg(rec, i, &arg); i++)
		if (arg.kind == 'f') {
			add(v, arg.number);
			return;
		}
}

static struct numbers numbers_of(const struct expr_term *t, const struct xcap_record *rec)
{
	bool is_exit = rec->type == XCAP_SYS_EXIT;
	struct numbers v = { 0 };

	switch (t->field->id) {
	case EXPR_PID:
		return ids(rec, rec->pid, rec->sw.next_pid);
	case EXPR_TID:
		return ids(rec, rec->tid, rec->sw.next_tid);
	case EXPR_PPID:
		if (rec->process && rec->process->ppid)
			add(&v, rec->process->ppid);
		break;
	case EXPR_UID:
		if (rec->comm[0] && rec->uid != XCAP_UID_UNKNOWN)
			add(&v, rec->uid);
		break;
	case EXPR_RET:
		if (is_exit)
			add(&v, rec->exit.ret);
		break;
	case EXPR_ERRNO:
		if (is_exit && rec->exit.ret < 0 && rec->exit.ret >= -MAX_ERRNO)
			add(&v, -rec->exit.ret);
		break;
	case EXPR_FD_NUM:
		descriptor(rec, &v);
		break;
	default:
		break;
	}
	return v;
}

static bool compare(enum expr_op op, int64_t a, int64_t b)
{
	switch (op) {
	case EXPR_LT:
		return a < b;
	case EXPR_LE:
		return a <= b;
	case EXPR_GT:
		return a > b;
	case EXPR_GE:
		return a >= b;
	default:
		return a == b;
	}
}

/* "!=" holds where the field is known and "=" does not hold. */
static bool match_numbers(const struct expr_term *t, const struct xcap_record *rec)
{
	struct numbers v = numbers_of(t, rec);

	for (int i = 0; i < v.nr; i++)
		for (int k = 0; k < t->nr_values; k++)
			if (compare(t->op, v.n[i], t->values[k].number))
				return t->op != EXPR_NE;
	return v.nr && t->op == EXPR_NE;
}

/* ---- strings ---- */

static void add_string(struct strings *v, const char *text, size_t len)
{
	v->s[v->nr++] = (struct string){ text, len };
}

static void add_comm(struct strings *v, const char *comm)
{
	if (comm[0])
		add_string(v, comm, strnlen(comm, 16));
}

/* Without the NUL behind the last. */
static void add_args(struct strings *v, const struct xcap_process *p)
{
	size_t len = p->args_len;

	if (len && !p->args[len - 1])
		len--;
	if (len)
		add_string(v, p->args, len);
}

static struct strings strings_of(const struct expr_term *t, const struct xcap_record *rec)
{
	struct strings v = { 0 };

	switch (t->field->id) {
	case EXPR_NAME:
		add_comm(&v, rec->comm);
		if (is_switch(rec))
			add_comm(&v, rec->sw.next_comm);
		break;
	case EXPR_EXE:
		if (rec->process && rec->process->exe[0])
			add_string(&v, rec->process->exe, strlen(rec->process->exe));
		break;
	case EXPR_ARGS:
		if (rec->process)
			add_args(&v, rec->process);
		break;
	case EXPR_CGROUP:
		if (rec->cgroup && rec->cgroup->path[0])
			add_string(&v, rec->cgroup->path, strlen(rec->cgroup->path));
		break;
	case EXPR_CONTAINER:
		if (rec->cgroup) {
			add_string(&v, rec->cgroup->container, strlen(rec->cgroup->container));
			add_string(&v, rec->cgroup->container_name,
				   strlen(rec->cgroup->container_name));
		}
		break;
	default:
		break;
	}
	return v;
}

/* Arguments have NULs between them, where the expression has blanks. */
static bool begins(struct string s, const struct expr_value *v)
{
	if (s.len < v->len)
		return false;
	for (size_t i = 0; i < v->len; i++)
		if ((s.text[i] ?: ' ') != v->text[i])
			return false;
	return true;
}

static bool contains(struct string s, const struct expr_value *v)
{
	for (; s.len >= v->len; s.text++, s.len--) {
		if (begins(s, v))
			return true;
		if (!s.len)
			break;
	}
	return false;
}

/* The whole name; of a container also how its id begins. */
static bool equals(const struct expr_term *t, struct string s, const struct expr_value *v)
{
	if (t->field->id == EXPR_CONTAINER && expr_container_id(v->text, v->len))
		return begins(s, v);
	return s.len == v->len && begins(s, v);
}

static bool match_string(const struct expr_term *t, struct string s)
{
	for (int k = 0; k < t->nr_values; k++) {
		const struct expr_value *v = &t->values[k];

		if (t->op == EXPR_PREFIX ? begins(s, v) :
		    t->op == EXPR_CONTAINS ? contains(s, v) : equals(t, s, v))
			return true;
	}
	return false;
}

static bool match_strings(const struct expr_term *t, const struct xcap_record *rec)
{
	struct strings v = strings_of(t, rec);

	for (int i = 0; i < v.nr; i++)
		if (match_string(t, v.s[i]))
			return t->op != EXPR_NE;
	return v.nr && t->op == EXPR_NE;
}

/* ---- the rest ---- */

/* By its path, or by its number, which is known before the path is. */
static bool match_cgroup(const struct expr_term *t, const struct xcap_record *rec)
{
	bool by_number = false;

	for (int k = 0; k < t->nr_values; k++)
		by_number |= t->values[k].number >= 0;
	if (!by_number)
		return match_strings(t, rec);
	for (int k = 0; k < t->nr_values; k++)
		if (rec->cgroup_id && rec->cgroup_id == (uint64_t)t->values[k].number)
			return t->op != EXPR_NE;
	return t->op == EXPR_NE ? rec->cgroup_id : match_strings(t, rec);
}

static bool match_user_name(const struct expr_term *t, uint32_t uid, const char *name)
{
	struct string s = { name, name ? strlen(name) : 0 };
	bool match = name && match_string(t, s);

	for (int k = 0; k < t->nr_values && !match; k++)
		match = t->values[k].number == uid;
	return match != (t->op == EXPR_NE);
}

static bool match_user(const struct expr_term *t, const struct xcap_record *rec)
{
	struct expr_user *u = &t->users[rec->uid % EXPR_KNOWN_USERS];
	const char *name;
	bool match;

	if (!rec->comm[0] || rec->uid == XCAP_UID_UNKNOWN)
		return false;
	if (u->known && u->uid == rec->uid)
		return u->known == 2;
	name = xcap_user_name(rec->uid);
	match = match_user_name(t, rec->uid, name);
	if (name)	/* else it may get one */
		*u = (struct expr_user){ rec->uid, 1 + match };
	return match;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	return !memcmp(a, b, bytes) && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

static bool has_address(const struct expr_value *v, const struct xcap_file *f, const uint8_t *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (v->ip6)
		return f->family == AF_INET6 && same_bits(a, v->address, v->bits);
	if (f->family == AF_INET)
		return same_bits(a, v->address, v->bits);
	return !memcmp(a, mapped, sizeof(mapped)) && same_bits(a + 12, v->address, v->bits);
}

static bool has_port(const struct expr_term *t, uint16_t port)
{
	for (int k = 0; k < t->nr_values && port; k++)
		if (compare(t->op, port, t->values[k].number))
			return true;
	return false;
}

/* Of either end of a socket. */
static bool has_end(const struct expr_term *t, const struct xcap_file *f)
{
	if (t->field->id == EXPR_FD_PORT)
		return has_port(t, f->local_port) || has_port(t, f->remote_port);
	for (int k = 0; k < t->nr_values; k++)
		if (has_address(&t->values[k], f, f->local) ||
		    has_address(&t->values[k], f, f->remote))
			return true;
	return false;
}

/* Return: false: the file has nothing of what the term asks for. */
static bool is_asked(const struct expr_term *t, const struct xcap_file *f)
{
	if (t->field->id == EXPR_FD_PATH)
		return f->path_len;
	return f->kind == XCAP_FILE_SOCKET && (f->family == AF_INET || f->family == AF_INET6) &&
	       (t->field->id != EXPR_FD_PORT || f->local_port || f->remote_port);
}

/* One of the call's files; the current directory is none. */
static bool match_files(const struct expr_term *t, const struct xcap_record *rec)
{
	struct items it = items_of(rec);
	bool known = false;
	struct item item;
	struct xcap_file f;

	while (items_next(&it, &item)) {
		if (item.head.kind != XITEM_FILE || item.head.flags & XITEM_CWD ||
		    !item_file(&item, &f) || !is_asked(t, &f))
			continue;
		if (t->field->id == EXPR_FD_PATH ?
		    match_string(t, (struct string){ f.path, f.path_len }) : has_end(t, &f))
			return t->op != EXPR_NE;
		known = true;
	}
	return known && t->op == EXPR_NE;
}

static bool call_matches(const struct expr_term *t, uint32_t nr, bool compat)
{
	bool match = nr < XCAP_NR_SYSCALLS && t->calls[compat][nr / 64] >> nr % 64 & 1;

	return match != (t->op == EXPR_NE);
}

static bool match_call(const struct expr_term *t, const struct xcap_record *rec)
{
	uint32_t nr = rec->type == XCAP_SYS_ENTER ? rec->enter.nr : rec->exit.nr;
	bool compat = rec->flags & XCAP_REC_COMPAT;

	if (rec->type != XCAP_SYS_ENTER && rec->type != XCAP_SYS_EXIT)
		return false;
	return call_matches(t, nr, compat);
}

static bool match_type(const struct expr_term *t, uint8_t type)
{
	uint32_t bits = 0;

	for (int k = 0; k < t->nr_values; k++)
		bits |= t->values[k].bits;
	return (bits >> (type & 31) & 1) != (t->op == EXPR_NE);
}

static bool match_tree(const struct expr_term *t, const struct xcap_record *rec)
{
	uint32_t bits = 0;

	for (int k = 0; k < t->nr_values; k++)
		bits |= t->values[k].bits;
	return (rec->trees & bits) ? t->op != EXPR_NE : rec->process && t->op == EXPR_NE;
}

/* ---- terms ---- */

bool expr_term_match(const struct expr_term *t, const struct xcap_record *rec)
{
	switch (t->field->id) {
	case EXPR_USER:
		return match_user(t, rec);
	case EXPR_CGROUP:
		return match_cgroup(t, rec);
	case EXPR_FD_PATH:
	case EXPR_FD_PORT:
	case EXPR_FD_IP:
		return match_files(t, rec);
	default:
		break;
	}
	switch (t->field->kind) {
	case EXPR_STRINGS:
		return match_strings(t, rec);
	case EXPR_CALLS:
		return match_call(t, rec);
	case EXPR_TYPES:
		return match_type(t, rec->type);
	case EXPR_TREES:
		return match_tree(t, rec);
	default:
		return match_numbers(t, rec);
	}
}

uint64_t expr_terms(const struct expr *e, const struct xcap_record *rec)
{
	uint64_t values = 0;

	for (int i = 0; i < e->nr_terms; i++)
		if (!e->terms[i].fixed && expr_term_match(&e->terms[i], rec))
			values |= 1ull << i;
	return values;
}

/* ---- records that are no packets ---- */

enum verdict { NO, YES, NEITHER };	/* NEITHER: nothing is said of such records */

static enum verdict judge(const struct expr *e, int node, const struct xcap_record *rec)
{
	const struct expr_node *n = &e->nodes[node];
	enum verdict left, right;

	switch (n->kind) {
	case EXPR_PCAP:
		return NEITHER;
	case EXPR_TERM:
		return expr_term_match(&e->terms[n->left], rec);
	}
	left = judge(e, n->left, rec);
	if (n->kind == EXPR_NOT)
		return left == NEITHER ? NEITHER : !left;
	if (left == (n->kind == EXPR_AND ? NO : YES))
		return left;
	right = judge(e, n->right, rec);
	return right == NEITHER ? left : right;
}

bool expr_match(const struct expr *e, const struct xcap_record *rec)
{
	if (rec->type == XCAP_LOSS)
		return true;
	return judge(e, e->root, rec) != NO;
}

/* ---- what is needed ---- */

struct need {
	bool neutral;		/* nothing is said of such records */
	uint32_t trees;		/* 0: none is needed */
};

static struct need need_of(const struct expr *e, int node)
{
	const struct expr_node *n = &e->nodes[node];
	struct need left = { 0 }, right;

	if (n->kind == EXPR_PCAP)
		return (struct need){ .neutral = true };
	if (n->kind == EXPR_TERM) {
		const struct expr_term *t = &e->terms[n->left];

		for (int k = 0; t->field->kind == EXPR_TREES && t->op == EXPR_EQ &&
				k < t->nr_values; k++)
			left.trees |= t->values[k].bits;
		return left;
	}
	left = need_of(e, n->left);
	if (n->kind == EXPR_NOT)
		return (struct need){ .neutral = left.neutral };
	right = need_of(e, n->right);
	if (left.neutral)
		return right;
	if (right.neutral)
		return left;
	if (n->kind == EXPR_AND)
		left.trees = left.trees ?: right.trees;
	else
		left.trees = left.trees && right.trees ? left.trees | right.trees : 0;
	return left;
}

uint32_t expr_trees_needed(const struct expr *e)
{
	return need_of(e, e->root).trees;
}
