// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   whoever connects to the cluster's socket, and whatever is sent there.
 * Out:  descriptors and answers, to those who may have them.
 * Owns: the socket, its lock, the connections.
 * Runs on: the thread of the stream. Nothing here waits: who does not take its answer at once
 *       is hung up on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "clock.h"
#include "closer.h"
#include "cluster.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83		/* off: nobody can send us descriptors; since Linux 6.16 */
#endif
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#define MAX_CONNS 256
#define LOCK_TRIES 10
#define MAX_GROUPS 4096			/* who is in more of them goes by his own alone */
#define AT_ONCE 16			/* events, or arrivals, in one cluster_serve() */
#define SERVE_NS (200 * NS_PER_US)	/* and no further one after this time */
#define REST 4				/* times what that took: the stream's */
#define MOST_REST_NS (10 * NS_PER_MS)
#define MUTE_NS (100 * NS_PER_MS)	/* who has asked for nothing by then makes room */
#define MOST_CLOSING 64			/* more than that are not let in */
#define ATTACH_NS (2 * NS_PER_MS)	/* memory is made for each, and the stream waits */
#define STATUS_BYTES (PARCEL_BYTES - 64)

struct conn {
	int fd;			/* -1: free */
	bool attached;
	uint32_t queue;
	struct cluster_peer peer;
};

struct cluster {
	uint32_t number;
	struct cluster_rule rule;
	const struct cluster_ops *ops;
	void *arg;
	int lock_fd, listen_fd, epoll_fd;
	bool bound;
	bool deaf;		/* to who arrives, until others are closed */
	int64_t attach_ns;	/* the next may come then */
	int64_t rest_ns;	/* nobody is served before */
	struct closer *closer;
	struct parcel *parcel;
	struct conn conns[MAX_CONNS];
	char status[STATUS_BYTES];
};

/* ---- coming to life ---- */

static int run_dir(uint32_t number, struct error *err)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)], *slash;

	cluster_path(path, sizeof(path), number, "sock");
	slash = strrchr(path, '/');
	*slash = '\0';
	if (!mkdir(path, 0755) || errno == EEXIST)
		return 0;
	return error_set(err, -errno, "cannot make %s for the sockets of clusters: %s; be root, "
			 "or name a directory of your own in XCAP_RUN_DIR", path, strerror(errno));
}

static bool is_same_file(int fd, const char *path)
{
	struct stat of_fd, of_path;

	return !fstat(fd, &of_fd) && !lstat(path, &of_path) && of_fd.st_ino == of_path.st_ino &&
	       of_fd.st_dev == of_path.st_dev;
}

/*
 * Held as long as the master lives, by whatever end; who has it may replace the socket. One that
 * ended in order took the file away: then what we have locked is nobody's.
 */
static int lock(struct cluster *c, struct error *err)
{
	char path[256];
	int ret = -EWOULDBLOCK;

	cluster_path(path, sizeof(path), c->number, "lock");
	for (int i = 0; i < LOCK_TRIES; i++) {
		c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		ret = c->lock_fd < 0 || flock(c->lock_fd, LOCK_EX | LOCK_NB) ? -errno : 0;
		if (ret || is_same_file(c->lock_fd, path))
			break;
		close(c->lock_fd);
		c->lock_fd = -1;
		ret = -EWOULDBLOCK;
	}
	if (ret == -EWOULDBLOCK)
		return error_set(err, -EBUSY, "cluster %u has a master; take another number",
				 c->number);
	return ret ? error_set(err, ret, "cannot lock %s: %s", path, strerror(-ret)) : 0;
}

/*
 * Strangers are kept out by the socket's own mode, else they could keep us busy refusing them. Who
 * cannot give it to the user or group that may read lets all knock, and looks at credentials.
 */
static int let_in(const char *path, const struct cluster_rule *rule)
{
	mode_t mode = rule->gid ? 0660 : 0600;

	if (rule->uid && geteuid())
		mode = 0666;	/* it would not be ours any more */
	else if ((rule->uid || rule->gid) &&
		 lchown(path, rule->uid ?: (uid_t)-1, rule->gid ?: (gid_t)-1))
		mode = 0666;
	/* whose directory that is can put a link there */
	return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}

static int listen_at(struct cluster *c, struct error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = MAX_CONNS };
	int ret;

	cluster_path(at.sun_path, sizeof(at.sun_path), c->number, "sock");
	unlink(at.sun_path);		/* of a master that was killed: we have the lock */
	c->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->listen_fd < 0 || c->epoll_fd < 0)
		goto fail;
	if (bind(c->listen_fd, (struct sockaddr *)&at, sizeof(at)))
		goto fail;
	c->bound = true;
	setsockopt(c->listen_fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int));
	if (let_in(at.sun_path, &c->rule) || listen(c->listen_fd, 64) ||
	    epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->listen_fd, &ev))
		goto fail;
	return 0;
fail:
	ret = -errno;
	return error_set(err, ret, "cannot listen at %s: %s", at.sun_path, strerror(-ret));
}

int cluster_open(struct cluster **out, uint32_t number, const struct cluster_rule *rule,
		 const struct cluster_ops *ops, void *arg, struct error *err)
{
	struct cluster *c = calloc(1, sizeof(*c));
	int ret = 0;

	if (!c)
		return error_set(err, -ENOMEM, "no memory for cluster %u", number);
	c->number = number;
	c->rule = *rule;
	c->ops = ops;
	c->arg = arg;
	c->lock_fd = c->listen_fd = c->epoll_fd = -1;
	for (int i = 0; i < MAX_CONNS; i++)
		c->conns[i].fd = -1;
	c->parcel = parcel_new();
	c->closer = closer_new();
	if (!c->parcel || !c->closer)
		ret = error_set(err, -ENOMEM, "no memory for cluster %u", number);
	ret = ret ?: run_dir(number, err) ?: lock(c, err) ?: listen_at(c, err);
	if (ret) {
		cluster_close(c);
		return ret;
	}
	*out = c;
	return 0;
}

static void hang_up(struct cluster *c, struct conn *conn)
{
	epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
	shutdown(conn->fd, SHUT_RDWR);
	closer_close(c->closer, conn->fd);
	conn->fd = -1;
	if (conn->attached)
		c->ops->detach(c->arg, conn->queue);
	conn->attached = false;
}

void cluster_drop(struct cluster *c, uint32_t queue)
{
	for (int i = 0; i < MAX_CONNS; i++)
		if (c->conns[i].attached && c->conns[i].queue == queue)
			hang_up(c, &c->conns[i]);
}

void cluster_close(struct cluster *c)
{
	char path[256];

	if (!c)
		return;
	for (int i = 0; i < MAX_CONNS; i++)
		if (c->conns[i].fd >= 0)
			hang_up(c, &c->conns[i]);
	cluster_path(path, sizeof(path), c->number, "sock");
	if (c->bound)
		unlink(path);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	if (c->listen_fd >= 0)
		closer_close(c->closer, c->listen_fd);
	cluster_path(path, sizeof(path), c->number, "lock");
	if (c->bound)
		unlink(path);		/* before it is let go of: see lock() */
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	parcel_free(c->parcel);
	closer_free(c->closer);
	free(c);
}

int cluster_fd(const struct cluster *c)
{
	return c->epoll_fd;
}

/* ---- who comes in ---- */

/* Of its own, or one of those that it is a member of besides. */
static bool is_in_group(int fd, const struct ucred *u, gid_t gid)
{
	gid_t groups[MAX_GROUPS];
	socklen_t len = sizeof(groups);

	if (u->gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (socklen_t i = 0; i < len / sizeof(*groups); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool is_allowed(const struct cluster *c, int fd, const struct ucred *u)
{
	return u->uid == geteuid() || !u->uid || (c->rule.uid && u->uid == c->rule.uid) ||
	       (c->rule.gid && is_in_group(fd, u, c->rule.gid));
}

/* A free place; else that of who has been there longest without a word. NULL: there is none. */
static struct conn *find_place(struct cluster *c, int64_t now)
{
	struct conn *oldest = NULL;

	for (int i = 0; i < MAX_CONNS; i++) {
		struct conn *conn = &c->conns[i];

		if (conn->fd < 0)
			return conn;
		if (!conn->attached && (!oldest || conn->peer.since_ns < oldest->peer.since_ns))
			oldest = conn;
	}
	if (!oldest || now - oldest->peer.since_ns < MUTE_NS)
		return NULL;
	hang_up(c, oldest);
	return oldest;
}

static void admit(struct cluster *c, int fd)
{
	int64_t now = clock_mono_ns();
	struct epoll_event ev = { .events = EPOLLIN };
	socklen_t len = sizeof(struct ucred);
	struct conn *conn = NULL;
	struct ucred u;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) && is_allowed(c, fd, &u))
		conn = find_place(c, now);
	ev.data.u32 = conn ? conn - c->conns : 0;
	if (!conn || epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &ev)) {
		shutdown(fd, SHUT_RDWR);
		closer_close(c->closer, fd);
		return;
	}
	*conn = (struct conn){ .fd = fd, .peer = { .pid = u.pid, .uid = u.uid, .gid = u.gid,
						   .since_ns = now } };
}

/* Who is refused faster than closed would fill the table of descriptors. */
static void listen_again(struct cluster *c, bool on)
{
	struct epoll_event ev = { .events = on ? EPOLLIN : 0, .data.u32 = MAX_CONNS };

	c->deaf = !on;
	epoll_ctl(c->epoll_fd, EPOLL_CTL_MOD, c->listen_fd, &ev);
}

static void admit_some(struct cluster *c)
{
	for (int i = 0; i < AT_ONCE; i++) {
		if (closer_left(c->closer) > MOST_CLOSING)
			return listen_again(c, false);
		int fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		admit(c, fd);
	}
}

/* ---- what is asked ---- */

static int answer(struct cluster *c, struct conn *conn)
{
	return parcel_send(conn->fd, c->parcel);
}

static int answer_failure(struct cluster *c, struct conn *conn, int ret, const struct error *why)
{
	parcel_empty(c->parcel, CLUSTER_FAILED);
	parcel_put(c->parcel, &ret, sizeof(ret));
	parcel_put_text(c->parcel, why->text);
	return answer(c, conn);
}

static int answer_text(struct cluster *c, struct conn *conn, const char *text)
{
	parcel_empty(c->parcel, CLUSTER_TEXT);
	parcel_put_text(c->parcel, text);
	return answer(c, conn);
}

static int check_hello(struct cluster *c, struct cluster_hello *h, struct error *err)
{
	parcel_take(c->parcel, h, sizeof(*h));
	h->version[sizeof(h->version) - 1] = '\0';
	if (c->parcel->broken)
		return error_set(err, -EBADMSG, "that is no question");
	if (strcmp(h->version, xcap_version()) || h->size_slot != sizeof(struct queue_slot) ||
	    h->size_record != sizeof(struct xcap_record))
		return error_set(err, -EPROTO, "the master of cluster %u is %s and the reader is "
				 "another build, %s; install one of them", c->number,
				 xcap_version(), h->version);
	return 0;
}

static int do_attach(struct cluster *c, struct conn *conn, struct error *err)
{
	int64_t now = clock_mono_ns();
	struct cluster_hello h;
	uint32_t queue;
	int ret = check_hello(c, &h, err);

	if (!ret && conn->attached)
		ret = error_set(err, -EBUSY, "this connection reads a queue already");
	if (!ret && now < c->attach_ns)
		ret = error_set(err, -EAGAIN, "too many readers come and go; try again");
	if (ret)
		return ret;
	c->attach_ns = now + ATTACH_NS;
	queue = h.queue;
	parcel_empty(c->parcel, CLUSTER_ATTACHED);
	ret = c->ops->attach(c->arg, &h, &conn->peer, &queue, c->parcel, err);
	if (ret)
		return ret;
	conn->attached = true;
	conn->queue = queue;
	ret = answer(c, conn);
	c->ops->attached(c->arg, queue);
	return ret ? error_set(err, -EPIPE, "gone") : 0;
}

static int do_filter(struct cluster *c, struct conn *conn, struct error *err)
{
	char text[PARCEL_BYTES];
	uint32_t queue;
	int ret;

	/* it takes as long as its author likes, and holds for others */
	if (conn->peer.uid && conn->peer.uid != geteuid())
		return error_set(err, -EPERM, "filters of queues are for root and for who "
				 "captures; let the reader filter");
	parcel_take(c->parcel, &queue, sizeof(queue));
	parcel_take_text(c->parcel, text, sizeof(text));
	ret = c->parcel->broken ? error_set(err, -EBADMSG, "that is no question") :
	      c->ops->filter(c->arg, queue, text, err);
	return ret ?: answer_text(c, conn, "");
}

static int do_status(struct cluster *c, struct conn *conn)
{
	c->ops->status(c->arg, c->status, sizeof(c->status));
	return answer_text(c, conn, c->status);
}

/* Return: 0; -errno: it is to be told, or hung up on. */
static int obey(struct cluster *c, struct conn *conn, struct error *err)
{
	switch (c->parcel->kind) {
	case CLUSTER_ATTACH:
		return do_attach(c, conn, err);
	case CLUSTER_KICK:
		if (conn->attached)
			c->ops->kick(c->arg, conn->queue);
		return 0;
	case CLUSTER_STATUS:
		return do_status(c, conn);
	case CLUSTER_FILTER:
		return do_filter(c, conn, err);
	}
	return -EBADMSG;
}

static void hear(struct cluster *c, struct conn *conn)
{
	struct error err = { "" };
	int ret = parcel_recv_plain(conn->fd, c->parcel);

	if (ret == -EAGAIN)
		return;
	ret = ret ?: obey(c, conn, &err);
	if (ret && err.text[0] && ret != -EPIPE)
		ret = answer_failure(c, conn, ret, &err);
	if (ret)
		hang_up(c, conn);
}

/* Return: false: nobody wants anything. */
static bool serve_one(struct cluster *c)
{
	struct epoll_event event;

	if (epoll_wait(c->epoll_fd, &event, 1, 0) <= 0)
		return false;
	if (event.data.u32 == MAX_CONNS)
		admit_some(c);
	else if (c->conns[event.data.u32].fd >= 0)
		hear(c, &c->conns[event.data.u32]);
	return true;
}

bool cluster_rests(const struct cluster *c)
{
	return clock_mono_ns() < c->rest_ns;
}

void cluster_serve(struct cluster *c)
{
	int64_t start = clock_mono_ns(), now = start, rest;
	int n = 0;

	if (now < c->rest_ns)
		return;
	if (c->deaf && closer_left(c->closer) <= MOST_CLOSING)
		listen_again(c, true);
	while (n < AT_ONCE && now - start < SERVE_NS && serve_one(c)) {
		now = clock_mono_ns();
		n++;
	}
	rest = REST * (now - start);
	if (n == AT_ONCE || now - start >= SERVE_NS)	/* there may be more */
		c->rest_ns = now + (rest < MOST_REST_NS ? rest : MOST_REST_NS);
}
