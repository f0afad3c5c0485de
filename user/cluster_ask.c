// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the number of a cluster, a question.
 * Out:  a connection to its master, the answer.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xcap.h>
#include "clock.h"
#include "cluster.h"
#include "stream.h"

#define ANSWER_MS 5000
#define AGAIN_MS 20	/* between attempts, when the master has no time */
#define ATTEMPTS 100

bool cluster_number(const char **text, uint32_t *number)
{
	char *end;
	unsigned long n;

	if (**text < '0' || **text > '9')
		return false;
	n = strtoul(*text, &end, 10);
	if (n > CLUSTER_MAX_NUMBER)
		return false;
	*number = n;
	*text = end;
	return true;
}

static const char *run_dir(void)
{
	const char *dir = secure_getenv("XCAP_RUN_DIR");

	return dir && *dir ? dir : QUEUE_RUN_DIR;
}

void cluster_path(char *path, size_t size, uint32_t number, const char *suffix)
{
	snprintf(path, size, "%s/%u.%s", run_dir(), number, suffix);
}

#define WHO "serves its own user, root, and those that --allow names"

static int refused(uint32_t number, int err, struct error *e)
{
	if (err == -ENOENT || err == -ECONNREFUSED)
		return error_set(e, -ECONNREFUSED, "cluster %u has no master; start one: xcap "
				 "balance -c %u -i SPEC", number, number);
	if (err == -EACCES)
		return error_set(e, err, "the socket of cluster %u in %s may not be opened: its "
				 "master " WHO ", who must be able to enter that directory",
				 number, run_dir());
	return error_set(e, err, "cannot connect to cluster %u: %s", number, strerror(-err));
}

int cluster_connect(uint32_t number, struct error *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, ret;

	cluster_path(to.sun_path, sizeof(to.sun_path), number, "sock");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "no socket: %s", strerror(errno));
	for (int i = 0; i < ATTEMPTS; i++) {
		ret = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
		if (ret != -EAGAIN)	/* its backlog is full */
			break;
		nanosleep(&(struct timespec){ .tv_nsec = AGAIN_MS * NS_PER_MS }, NULL);
	}
	if (!ret)
		return fd;
	close(fd);
	return refused(number, ret, err);
}

int cluster_ask(int fd, struct parcel *p, uint32_t expected, struct error *err)
{
	char text[sizeof(err->text)];
	int ret = parcel_send(fd, p) ?: parcel_recv(fd, p, ANSWER_MS);
	int why;

	if (ret == -EPIPE)
		return error_set(err, ret, "the master of the cluster hung up; it " WHO);
	if (ret)
		return error_set(err, ret, "the master of the cluster does not answer: %s",
				 strerror(-ret));
	if (p->kind == expected)
		return 0;
	if (p->kind != CLUSTER_FAILED)
		return error_set(err, -EPROTO, "what answers is no master of this version");
	parcel_take(p, &why, sizeof(why));
	parcel_take_text(p, text, sizeof(text));
	return error_set(err, why < 0 ? why : -EPROTO, "%s", text);
}

static int attach_once(uint32_t number, const struct cluster_hello *hello, struct parcel *p,
		       struct error *err)
{
	int fd = cluster_connect(number, err), ret;

	if (fd < 0)
		return fd;
	parcel_empty(p, CLUSTER_ATTACH);
	parcel_put(p, hello, sizeof(*hello));
	ret = cluster_ask(fd, p, CLUSTER_ATTACHED, err);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int cluster_attach(uint32_t number, uint32_t queue, uint32_t next, struct cluster_welcome *w,
		   struct parcel *p, struct error *err)
{
	struct cluster_hello hello = { .size_slot = sizeof(struct queue_slot),
				       .size_record = sizeof(struct xcap_record),
				       .queue = queue, .next = next };
	int fd = -EAGAIN;

	snprintf(hello.version, sizeof(hello.version), "%s", xcap_version());
	for (int i = 0; i < ATTEMPTS && fd == -EAGAIN; i++) {
		if (i)
			nanosleep(&(struct timespec){ .tv_nsec = AGAIN_MS * NS_PER_MS }, NULL);
		fd = attach_once(number, &hello, p, err);
	}
	if (fd < 0)
		return fd;
	parcel_take(p, w, sizeof(*w));
	if (!p->broken && w->nr_areas <= QUEUE_MAX_AREAS && p->nr_fds == w->nr_areas + 3 &&
	    w->nr_ifindexes <= CLUSTER_IFACES && w->size && !(w->size & (w->size - 1)))
		return fd;
	close(fd);
	return error_set(err, -EPROTO, "what answers is no master of this version");
}

/* ---- for everybody ---- */

/* Return: 0, with the answer in p; -errno with a sentence. */
static int ask_once(uint32_t number, struct parcel *p, uint32_t expected)
{
	struct error *err = stream_last_error();
	int fd = cluster_connect(number, err), ret;

	if (fd < 0)
		return fd;
	ret = cluster_ask(fd, p, expected, err);
	close(fd);
	return ret;
}

int xcap_cluster_status(unsigned int cluster, char *buf, size_t size)
{
	struct parcel *p = parcel_new();
	char text[PARCEL_BYTES];
	int ret;

	if (!p)
		return error_set(stream_last_error(), -ENOMEM, "no memory to ask a cluster");
	p->kind = CLUSTER_STATUS;
	ret = ask_once(cluster, p, CLUSTER_TEXT);
	if (!ret) {
		parcel_take_text(p, text, sizeof(text));
		ret = snprintf(buf, size, "%s", text);
	}
	parcel_free(p);
	return ret;
}

int xcap_cluster_filter(unsigned int cluster, unsigned int queue, const char *expression)
{
	struct parcel *p = parcel_new();
	uint32_t number = queue;
	int ret;

	if (!p)
		return error_set(stream_last_error(), -ENOMEM, "no memory to ask a cluster");
	p->kind = CLUSTER_FILTER;
	parcel_put(p, &number, sizeof(number));
	parcel_put_text(p, expression ?: "");
	ret = ask_once(cluster, p, CLUSTER_TEXT);
	parcel_free(p);
	return ret;
}
