// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bytes and descriptors; or messages of a unix socket that may hold anything.
 * Out:  the same in the other process, in the same order.
 * Owns: descriptors that came in until they are taken.
 * Runs on: any thread, one at a time for a parcel.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "clock.h"
#include "parcel.h"

#define FDS_AT_ONCE 200		/* the kernel takes 253 in one message (SCM_MAX_FD) */

/* In front of each message: how much the whole parcel holds. */
struct label {
	uint32_t kind, len, nr_fds, reserved;
};

struct parcel *parcel_new(void)
{
	return calloc(1, sizeof(struct parcel));
}

void parcel_empty(struct parcel *p, uint32_t kind)
{
	while (p->owns && p->fds_at < p->nr_fds)
		close(p->fds[p->fds_at++]);
	p->kind = kind;
	p->len = p->at = p->nr_fds = p->fds_at = 0;
	p->broken = p->owns = 0;
}

void parcel_free(struct parcel *p)
{
	if (p)
		parcel_empty(p, 0);
	free(p);
}

void parcel_put(struct parcel *p, const void *bytes, uint32_t len)
{
	if (len > PARCEL_BYTES - p->len) {
		p->broken = -E2BIG;
		return;
	}
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

void parcel_put_text(struct parcel *p, const char *text)
{
	uint32_t len = strlen(text);

	parcel_put(p, &len, sizeof(len));
	parcel_put(p, text, len);
}

void parcel_put_fd(struct parcel *p, int fd)
{
	if (fd < 0)
		p->broken = -EBADF;
	else if (p->nr_fds == PARCEL_FDS)
		p->broken = -E2BIG;
	else
		p->fds[p->nr_fds++] = fd;
}

void parcel_take(struct parcel *p, void *bytes, uint32_t len)
{
	if (len > p->len - p->at) {
		p->broken = -EBADMSG;
		memset(bytes, 0, len);
		return;
	}
	memcpy(bytes, p->bytes + p->at, len);
	p->at += len;
}

void parcel_take_text(struct parcel *p, char *text, uint32_t size)
{
	uint32_t len;

	parcel_take(p, &len, sizeof(len));
	if (len >= size) {
		p->broken = -EBADMSG;
		len = 0;
	}
	parcel_take(p, text, len);
	text[len] = '\0';
}

int parcel_take_fd(struct parcel *p)
{
	if (p->fds_at < p->nr_fds)
		return p->fds[p->fds_at++];
	p->broken = -EBADMSG;
	return -1;
}

static int send_some(int sock, const struct label *label, const uint8_t *bytes, uint32_t len,
		     const int *fds, uint32_t nr_fds, int flags)
{
	union { char room[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))]; struct cmsghdr align; } c = {};
	struct iovec iov[2] = { { (void *)label, sizeof(*label) }, { (void *)bytes, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cmsg;

	if (nr_fds) {
		msg.msg_control = c.room;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nr_fds * sizeof(int));
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL | flags) < 0) {
		if (errno == ECONNRESET || errno == ENOTCONN)
			return -EPIPE;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* All bytes go with the first message, and descriptors with it and as many as they need. */
int parcel_send(int sock, const struct parcel *p)
{
	struct label label = { .kind = p->kind, .len = p->len, .nr_fds = p->nr_fds };
	uint32_t at = 0;
	int ret;

	if (p->broken)
		return p->broken;
	do {
		uint32_t n = p->nr_fds - at;

		if (n > FDS_AT_ONCE)
			n = FDS_AT_ONCE;
		ret = send_some(sock, &label, p->bytes, at ? 0 : p->len, p->fds + at, n, 0);
		at += n;
	} while (!ret && at < p->nr_fds);
	return ret;
}

int parcel_send_plain(int sock, const struct parcel *p)
{
	struct label label = { .kind = p->kind, .len = p->len };

	return p->broken ?: send_some(sock, &label, p->bytes, p->len, NULL, 0, MSG_DONTWAIT);
}

/* Descriptors are ours from here on, also those that are too many. */
static int take_fds(struct parcel *p, struct msghdr *msg)
{
	int ret = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (p->nr_fds < PARCEL_FDS) {
				p->fds[p->nr_fds++] = fd;
			} else {
				close(fd);
				ret = -EBADMSG;
			}
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)	/* no place for so many here */
		return -EMFILE;
	return msg->msg_flags & MSG_TRUNC ? -EBADMSG : ret;
}

static int await(int sock, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	int64_t left = 0;
	int n;

	do {
		if (deadline_ns != INT64_MAX)
			left = (deadline_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
		n = poll(&pfd, 1, deadline_ns == INT64_MAX ? -1 : left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

static int recv_some(int sock, struct parcel *p, struct label *label, int64_t deadline_ns)
{
	union { char room[CMSG_SPACE(256 * sizeof(int))]; struct cmsghdr align; } c;
	struct iovec iov[2] = { { label, sizeof(*label) },
				{ p->bytes + p->len, PARCEL_BYTES - p->len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = c.room,
			      .msg_controllen = sizeof(c.room) };
	ssize_t n;
	int ret;

	do {
		ret = await(sock, deadline_ns);
		if (ret)
			return ret;
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	ret = take_fds(p, &msg);
	if (!ret && n < (ssize_t)sizeof(*label))
		ret = -EBADMSG;
	if (!ret)
		p->len += n - sizeof(*label);
	return ret;
}

int parcel_recv(int sock, struct parcel *p, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? INT64_MAX : clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct label label, first = {};
	int ret;

	parcel_empty(p, 0);
	p->owns = 1;
	do {
		uint32_t had = p->nr_fds;

		ret = recv_some(sock, p, &label, deadline);
		if (ret)
			return ret;
		if (!first.kind)
			first = label;
		else if (memcmp(&first, &label, sizeof(label)) || p->nr_fds == had)
			return -EBADMSG;
	} while (p->len == first.len && p->nr_fds < first.nr_fds);
	p->kind = first.kind;
	return p->len == first.len && p->nr_fds == first.nr_fds ? 0 : -EBADMSG;
}

/* Without room for descriptors the kernel says so, and lets go of them: if the message is taken. */
static int recv_message(int sock, struct iovec *iov, int nr, int flags)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = nr };
	ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | flags);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	if (msg.msg_flags & MSG_CTRUNC || (msg.msg_flags & MSG_TRUNC && !(flags & MSG_PEEK)))
		return -EBADMSG;
	return n;
}

int parcel_recv_plain(int sock, struct parcel *p)
{
	struct label label = {};
	struct iovec iov[2] = { { &label, sizeof(label) }, { p->bytes, PARCEL_BYTES } };
	int n = recv_message(sock, iov, 1, MSG_PEEK);

	parcel_empty(p, 0);
	n = n < 0 ? n : recv_message(sock, iov, 2, 0);
	if (n < 0)
		return n;
	if (n < (int)sizeof(label) || label.len != n - sizeof(label) || label.nr_fds)
		return -EBADMSG;
	p->kind = label.kind;
	p->len = label.len;
	return 0;
}
