/* SPDX-License-Identifier: BSD-2-Clause */
/* Between who reads counters of drops and who makes a table of them. */
#ifndef DROPS_ROWS_H
#define DROPS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which a packet that comes in meets them; the table's order. */
enum drops_layer {
	DROPS_NIC,
	DROPS_INTERFACE,
	DROPS_SOFTNET,
	DROPS_QDISC,
	DROPS_NETFILTER,
	DROPS_IP,
	DROPS_UDP,
	DROPS_TCP,
	DROPS_SOCKET,
	DROPS_PACKET,
	DROPS_XDP,
	DROPS_XCAP,
	DROPS_LAYERS
};

#define DROPS_SIGN	(1u << 0)	/* a cause: nothing is lost by this alone */
#define DROPS_WITHIN	(1u << 1)	/* names what another layer has counted as well */
#define DROPS_32BIT	(1u << 2)	/* begins anew at 2^32 */
#define DROPS_REST	(1u << 3)	/* what is left of two counters: can step back */

/* What a counter is about, 70 columns each with what flags add; todo NULL: there is nothing. */
struct drops_means {
	const char *what, *todo;
	unsigned int flags;
};

struct drops_row {
	enum drops_layer layer;
	unsigned int flags;
	char where[64];		/* "eth0", "cpu 3"; of any bytes, as name */
	char name[48];		/* as its source calls it: "rx_missed_errors" */
	uint64_t id;		/* tells apart what has the same name */
	uint64_t total, before, first;	/* now, an interval ago, at the start */
	const struct drops_means *means;
};

/* All counters at one time. */
struct drops_set {
	struct drops_row *rows;
	int nr, room;
	bool failed;		/* no memory: rows are missing */
	/* what is looked at */
	const char *iface;	/* NULL: all */
	unsigned int ifindex;	/* its number; 0: all */
	const char *root;	/* before "/proc"; "" */
	bool all;		/* zeros too */
};

/* One more row, if it is to be told. Return: it, until the next is added; NULL. */
struct drops_row *drops_add(struct drops_set *set, enum drops_layer layer, const char *where,
			    const char *name, uint64_t total, const struct drops_means *means);

/*
 * What came in each row since the set before, and since the start: total - first, whatever wrapped.
 * What was not there before was zero.
 */
void drops_compare(struct drops_set *now, const struct drops_set *before, bool is_start);

/* What came since it stood so: a counter that went back has begun anew. */
uint64_t drops_since(const struct drops_row *row, uint64_t then);

/* The text of a file below root, which the caller frees; NULL: it cannot be read. */
char *drops_text(const struct drops_set *set, const char *path);

/* ---- who reads them ---- */

void drops_interfaces(struct drops_set *set);	/* drops_links.c: and their drivers' counters */
void drops_qdiscs(struct drops_set *set);	/* drops_qdisc.c */
void drops_softnet(struct drops_set *set);	/* drops_proc.c */
void drops_netfilter(struct drops_set *set);
void drops_protocols(struct drops_set *set);
void drops_sockets(struct drops_set *set);	/* drops_sockets.c */
void drops_captures(struct drops_set *set);	/* drops_captures.c: xcap's */

/* What a driver's counter means, by its name. Return: NULL: it counts no drops. */
const struct drops_means *drops_nic_means(const char *driver, const char *name);

/* The counter of the interface that has it as well; NULL: none. */
const char *drops_nic_same(const char *driver, const char *name);

/* ---- netlink ---- */

struct nlmsghdr;
typedef int (*drops_answer)(const struct nlmsghdr *nlh, void *user);	/* as libmnl has it */

/* Asks, and waits two seconds at most for each part of the answer. Return: 0; -errno. */
int drops_ask(int protocol, struct nlmsghdr *nlh, drops_answer fn, void *user);

/*
 * The same, once more when what is listed changed meanwhile: a row that is missing would come back
 * as if all it counts were new. *nr, of what fn adds to, goes back to what it was.
 */
int drops_ask_again(int protocol, struct nlmsghdr *nlh, drops_answer fn, void *user, int *nr);

#endif
