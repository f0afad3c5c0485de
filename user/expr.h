/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One expression over packets and processes: pcap-filter(7) with process terms in it, such as
 * "proc.name=nginx" or "syscall in (connect,sendto)".
 *
 * What it means for a packet is libpcap's business: it compiles the whole text, in which each
 * process term is replaced by something that libpcap knows. What it means for a record that is
 * no packet is decided here, by a tree that libpcap's grammar would make of the same text.
 */
#ifndef XCAP_EXPR_H
#define XCAP_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <xcap.h>
#include "error.h"
#include "xcap_event.h"

#define EXPR_MAX_TERMS 64	/* process terms: their values on a packet are one word */
#define EXPR_MAX_VALUES 256	/* of one term */
#define EXPR_MAX_TREES 32	/* processes whose trees are named: one word of xcap_record */
#define EXPR_MAX_DEPTH 64	/* of parentheses around process terms */
#define EXPR_MAX_NODES 1024	/* of the tree, in which packet terms that touch are one */

/* Which records a term says something of; on all others it is left out. */
enum expr_world {
	EXPR_OF_TASKS,		/* all: whose is it? */
	EXPR_OF_CALLS,		/* all but packets */
	EXPR_OF_RECORDS,	/* all: what is it? */
};

/* In the order of the table in expr_fields.c. */
enum expr_id {
	EXPR_NAME, EXPR_PID, EXPR_TID, EXPR_PPID, EXPR_EXE, EXPR_ARGS, EXPR_UID, EXPR_USER,
	EXPR_CGROUP, EXPR_CONTAINER, EXPR_TREE,
	EXPR_SYSCALL, EXPR_RET, EXPR_ERRNO,
	EXPR_FD_PATH, EXPR_FD_PORT, EXPR_FD_IP, EXPR_FD_NUM,
	EXPR_TYPE,
};

enum expr_kind {
	EXPR_NUMBERS, EXPR_STRINGS, EXPR_CALLS, EXPR_ERRNOS, EXPR_ADDRESSES, EXPR_TYPES,
	EXPR_TREES,
};

enum expr_op { EXPR_EQ, EXPR_NE, EXPR_PREFIX, EXPR_CONTAINS, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE };

struct expr_field {
	const char *name;
	enum expr_id id;
	enum expr_kind kind;
	enum expr_world world;
};

struct expr_value {
	char *text;		/* without quotes and backslashes */
	uint32_t len;
	uint32_t bits;		/* addresses: of the prefix; types: of enum xcap_type; trees */
	int64_t number;		/* numbers; strings that are digits: their value, else -1 */
	uint8_t address[16];
	bool ip6;
	size_t at;		/* in the expression */
};

/* What was found out of some user ids, so that their names need not be looked up again. */
#define EXPR_KNOWN_USERS 16
struct expr_user {
	uint32_t uid;
	uint8_t known;		/* 0 no; 1 the term is false for it; 2 it is true */
};

struct expr_term {
	const struct expr_field *field;
	enum expr_op op;
	size_t at, len;		/* in the text */
	int nr_values;
	struct expr_value *values;
	uint64_t (*calls)[XCAP_NR_SYSCALLS / 64];	/* EXPR_CALLS: by compat */
	struct expr_user *users;	/* EXPR_USER */
	/* on packets */
	bool fixed;		/* the same on every packet, namely */
	bool fixed_value;
	bool negated;		/* stands below an odd number of nots */
};

enum expr_node_kind { EXPR_AND, EXPR_OR, EXPR_NOT, EXPR_TERM, EXPR_PCAP };
#define EXPR_NODE_PCAP 0	/* whatever is libpcap's alone is this node */

struct expr_node {
	uint8_t kind;
	uint16_t left, right;	/* nodes; EXPR_NOT: left is; EXPR_TERM: left is the term */
};

struct expr {
	char *text;
	int nr_terms, nr_nodes, root;
	struct expr_term terms[EXPR_MAX_TERMS];
	struct expr_node nodes[EXPR_MAX_NODES];
	bool every_packet;		/* nothing in it says anything of packets */
	int nr_trees;
	uint32_t trees[EXPR_MAX_TREES];	/* processes: bit i of xcap_record.trees is of trees[i] */
};

/* ---- expr.c ---- */

/*
 * Return: 0; -EINVAL with a sentence, -ENOMEM. *out NULL: there is no process term in it, and
 * libpcap alone knows what it means.
 */
int expr_parse(struct expr **out, const char *text, struct error *err);
void expr_free(struct expr *e);

/* Is there what looks like a process term and is none? Then a sentence says so. */
bool expr_suspect(const char *text, char *buf, size_t size);

/* Say what is wrong, and where. Return: -EINVAL. */
__attribute__((format(printf, 4, 5)))
int expr_wrong(struct error *err, const char *text, size_t at, const char *fmt, ...);

/* ---- expr_packets.c ---- */

/* What each term is on packets. */
void expr_settle(struct expr *e);

/*
 * The whole text for libpcap. Process terms that are not the same on every packet become
 * "greater MARK + i". Return: the caller's; NULL: no memory.
 */
char *expr_marked(const struct expr *e, uint32_t mark);

/*
 * The same without process terms, such that no packet is refused which the expression accepts.
 * "not" only turns round which constant stands for a term.
 */
char *expr_superset(const struct expr *e);

/* ---- expr_fields.c ---- */

const struct expr_field *expr_field(const char *name, size_t len);

/* Names of all fields with commas between them. */
const char *expr_field_names(char *buf, size_t size);

/* Check operator and values, and make of them what is compared. Return: 0; -EINVAL, -ENOMEM. */
int expr_term_ready(struct expr_term *t, const char *text, struct error *err);

/* Number the trees that terms name. Return: 0; -EINVAL with a sentence. */
int expr_number_trees(struct expr *e, struct error *err);

/* Is it long enough for the beginning of a container's id? */
bool expr_container_id(const char *text, size_t len);

/* ---- expr_match.c ---- */

/* Does it hold for this record? Not for packets where it is fixed. */
bool expr_term_match(const struct expr_term *t, const struct xcap_record *rec);

/* On a packet: bit i is the value of term i. */
uint64_t expr_terms(const struct expr *e, const struct xcap_record *rec);

/*
 * A record that is no packet is kept only if it is of one of these trees. 0: it may be of none.
 */
uint32_t expr_trees_needed(const struct expr *e);

/* Is a record that is no packet kept? */
bool expr_match(const struct expr *e, const struct xcap_record *rec);

/* ---- expr_calls.c ---- */

/* Who judges which terms, of what is not decided by kind and number; as bits of terms. */
struct expr_split {
	struct expr_half {
		uint64_t kernel;	/* these it asks */
		uint64_t user;		/* these are judged by expr_match() only */
	} calls, switches;
	bool whole;		/* what the kernel lets through, expr_match() keeps */
};

/*
 * What the kernel is told: nothing that expr_match() keeps is refused. split may be NULL.
 * Return: false: it would refuse nothing.
 */
bool expr_wanted(const struct expr *e, struct xcap_wanted *w, struct expr_split *split);

#endif
