/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   whoever connects to the cluster's socket, and whatever is sent there.
 * Out:  readers that may read, with the descriptors they read by; answers.
 * Owns: the socket, its lock, the connections.
 * Runs on: the master's: the thread of its stream, never waiting. The reader's: any.
 *
 *	asks			gets
 *	CLUSTER_ATTACH		CLUSTER_ATTACHED: descriptors; the connection is the attachment
 *	CLUSTER_KICK		nothing: slots have come back that are to be handed on
 *	CLUSTER_STATUS		CLUSTER_TEXT: JSON
 *	CLUSTER_FILTER		CLUSTER_TEXT: that of a queue is replaced
 *	any of them		CLUSTER_FAILED: errno and its sentence
 *	(hangs up)		what it had comes back
 */
#ifndef XCAP_CLUSTER_H
#define XCAP_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "error.h"
#include "parcel.h"
#include "queue.h"

enum {
	CLUSTER_ATTACH	= 0x78630101,
	CLUSTER_KICK,
	CLUSTER_STATUS,
	CLUSTER_FILTER,
	CLUSTER_ATTACHED,
	CLUSTER_TEXT,
	CLUSTER_FAILED,
};

#define CLUSTER_MAX_NUMBER 65535
#define CLUSTER_ANY_QUEUE UINT32_MAX	/* the first that nobody reads */
#define CLUSTER_NO_NEXT UINT32_MAX
#define CLUSTER_IFACES 64

/* What a reader asks with: the same build on both sides, or nothing goes. */
struct cluster_hello {
	char version[16];
	uint32_t size_slot, size_record;
	uint32_t queue;			/* or CLUSTER_ANY_QUEUE */
	uint32_t next;			/* what it hands on goes there; or CLUSTER_NO_NEXT */
};

/* What it gets, with descriptors: head, tail, bell, then the areas. */
struct cluster_welcome {
	uint32_t queue, size, nr_areas, linktype;
	uint64_t areas[QUEUE_MAX_AREAS];	/* bytes */
	uint64_t netns;				/* cookie of the master's; 0 not known */
	uint32_t nr_ifindexes, ifindexes[CLUSTER_IFACES];	/* that are captured there */
	char text[256];				/* what is captured, for people */
};

/* Who is connected. */
struct cluster_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	int64_t since_ns;	/* CLOCK_MONOTONIC */
};

/* What the master does when it is asked. All return 0 or -errno with a sentence. */
struct cluster_ops {
	/* Fill the answer. *queue: in and out. */
	int (*attach)(void *arg, const struct cluster_hello *h, const struct cluster_peer *peer,
		      uint32_t *queue, struct parcel *answer, struct error *err);
	void (*attached)(void *arg, uint32_t queue);	/* the answer is sent */
	void (*detach)(void *arg, uint32_t queue);
	void (*kick)(void *arg, uint32_t queue);
	void (*status)(void *arg, char *buf, size_t size);
	int (*filter)(void *arg, uint32_t queue, const char *expression, struct error *err);
};

struct cluster_rule {
	uid_t uid;	/* 0: nobody beside ourselves and root */
	gid_t gid;	/* 0: no group */
};

struct cluster;

/* Become the master. Return: 0; -EBUSY there is one; -errno; with a sentence. */
int cluster_open(struct cluster **out, uint32_t number, const struct cluster_rule *rule,
		 const struct cluster_ops *ops, void *arg, struct error *err);
void cluster_close(struct cluster *c);

/* Readable when somebody wants something. */
int cluster_fd(const struct cluster *c);

/*
 * A bounded part of what there is to do; what is left keeps the descriptor readable. Who asks
 * without end gets a share of the thread's time and no more: in between the cluster rests, and
 * serves nobody.
 */
void cluster_serve(struct cluster *c);
bool cluster_rests(const struct cluster *c);

/* Hang up on who reads a queue, which detaches it. */
void cluster_drop(struct cluster *c, uint32_t queue);

/* ---- the other side, cluster_ask.c ---- */

/* Connect. Return: fd; -ECONNREFUSED there is no master; other -errno; with a sentence. */
int cluster_connect(uint32_t number, struct error *err);

/* Ask, and wait for the answer, in bounds. p: in and out. Return: 0; -errno with a sentence. */
int cluster_ask(int fd, struct parcel *p, uint32_t expected, struct error *err);

/* Ask for a queue. *w and the parcel's descriptors are the caller's. Return: fd; -errno. */
int cluster_attach(uint32_t number, uint32_t queue, uint32_t next, struct cluster_welcome *w,
		   struct parcel *p, struct error *err);

/* Parse a cluster's number, and what stands behind it. Return: false: it is none. */
bool cluster_number(const char **text, uint32_t *number);

/* Where its socket is, or its lock. */
void cluster_path(char *path, size_t size, uint32_t number, const char *suffix);

#endif
