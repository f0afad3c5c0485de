// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   specs; descriptors from the process that has the privilege.
 * Out:  sources that read here what was opened there.
 * Owns: the connection, which the capture does not outlive.
 * Runs on: the thread of the handle.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "clock.h"
#include "remote.h"
#include "xcap_event.h"
#include "xsk_conf.h"

#define OPEN_MS 30000		/* drivers that begin anew, verifiers that are slow */
#define STOP_MS 5000
#define LOOK_NS (50 * NS_PER_MS)
#define TELL_NS (500 * NS_PER_MS)

struct remote {
	int sock;
	bool gone, stopped;
	int64_t looked_ns, told_ns;
	struct parcel *parcel;	/* of the question, then of the answer */
	struct remote_account account;
};

/* A socket tells it to anybody; a security profile may hide /proc/self/ns. */
uint64_t remote_netns(void)
{
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (sock < 0)
		return 0;
	if (getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(sock);
	return cookie;
}

void remote_hello(struct remote_hello *h, const struct source_conf *conf)
{
	memset(h, 0, sizeof(*h));
	snprintf(h->version, sizeof(h->version), "%s", xcap_version());
	h->size_xsk_conf = sizeof(struct xsk_conf);
	h->size_cpu = sizeof(struct xcap_cpu);
	h->size_told = sizeof(struct remote_told);
	h->netns_cookie = remote_netns();
	ssh_find(&h->ssh);
	h->snaplen = conf->snaplen;
	h->ring_bytes = conf->ring_bytes;
	h->slack_ns = conf->slack_ns;
	h->self = conf->self;
	h->promisc = conf->promisc;
}

/* It would hang up on another user; then nobody could say why. */
static int check_user(const struct remote *r, struct error *err)
{
	struct ucred theirs;
	socklen_t len = sizeof(theirs);

	if (getsockopt(r->sock, SOL_SOCKET, SO_PEERCRED, &theirs, &len) ||
	    theirs.uid == geteuid())
		return 0;
	return error_set(err, -EPERM, "xcap run was started by user %u and captures for no other, "
			 "and this is user %u; start xcap run as that user, with the privilege "
			 "that the capture needs", theirs.uid, geteuid());
}

int remote_connect(struct remote **out, const char *where, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *secret = strchr(where, ':');
	size_t len = secret ? secret - where : 0;
	struct remote *r;
	int ret;

	if (!len || len > sizeof(addr.sun_path) - 1 || !secret[1])
		return error_set(err, -EINVAL, "XCAP_RUN is damaged; start it by xcap run");
	r = calloc(1, sizeof(*r));
	if (!r)
		return error_set(err, -ENOMEM, "no memory for a connection to xcap run");
	r->parcel = parcel_new();
	r->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	memcpy(addr.sun_path + 1, where, len);
	if (!r->parcel || r->sock < 0 ||
	    connect(r->sock, (struct sockaddr *)&addr,
		    offsetof(struct sockaddr_un, sun_path) + 1 + len)) {
		ret = r->parcel ? -errno : -ENOMEM;
		remote_close(r);
		return error_set(err, ret, "cannot reach the xcap run that started this program "
				 "(%s): it is gone, or this is another network namespace; "
				 "start the program by xcap run again", strerror(-ret));
	}
	ret = check_user(r, err);
	if (!ret && send(r->sock, secret + 1, strlen(secret + 1), MSG_NOSIGNAL) < 0)
		ret = error_set(err, -errno, "xcap run, which started this program, is gone (%s)",
				strerror(errno));
	if (ret) {
		remote_close(r);
		return ret;
	}
	*out = r;
	return 0;
}

/* Whoever does not answer is as good as gone. Return: 0; -errno with a sentence. */
static int ask(struct remote *r, int timeout_ms, struct error *err)
{
	struct parcel *p = r->parcel;
	int ret, code;

	ret = r->gone ? -EPIPE : parcel_send(r->sock, p);
	ret = ret ?: parcel_recv(r->sock, p, timeout_ms);
	if (!ret && p->kind == REMOTE_FAILED) {
		parcel_take(p, &code, sizeof(code));
		parcel_take_text(p, err->text, sizeof(err->text));
		return code < 0 && !p->broken ? code : -EPROTO;
	}
	if (!ret && p->kind != REMOTE_OPENED)
		ret = -EPROTO;
	if (!ret)
		return 0;
	r->gone = true;
	if (ret == -EMFILE)
		return error_set(err, ret, "this program may have too few descriptors open to "
				 "take the rings that it asked for; raise ulimit -n");
	return error_set(err, ret, "xcap run, which captures for this program, %s (%s)",
			 ret == -ETIMEDOUT ? "does not answer" : "is gone", strerror(-ret));
}

int remote_open(struct source *s, const struct spec *spec)
{
	struct remote *r = s->conf->remote;
	struct remote_hello hello;
	struct remote_source about;
	int ret;

	remote_hello(&hello, s->conf);
	parcel_empty(r->parcel, REMOTE_OPEN);
	parcel_put(r->parcel, &hello, sizeof(hello));
	parcel_put(r->parcel, spec, sizeof(*spec));
	ret = ask(r, OPEN_MS, s->err);
	if (ret)
		return ret;
	parcel_take(r->parcel, &about, sizeof(about));
	about.scheme[sizeof(about.scheme) - 1] = '\0';
	s->ops = source_by_scheme(about.scheme);
	if (r->parcel->broken || !s->ops || !s->ops->take)
		return error_set(s->err, -EPROTO, "xcap run opened something that this program "
				 "cannot read; are both of one version?");
	snprintf(s->spec, sizeof(s->spec), "%.*s", (int)sizeof(about.spec) - 1, about.spec);
	snprintf(s->mode, sizeof(s->mode), "%.*s", (int)sizeof(about.mode) - 1, about.mode);
	snprintf(s->note, sizeof(s->note), "%.*s", (int)sizeof(about.note) - 1, about.note);
	s->ifindex = about.ifindex;
	s->linktype = about.linktype;
	ret = s->ops->take(s, r->parcel);
	if (ret && !s->err->text[0])
		error_set(s->err, ret, "cannot map the rings of %s: %s", s->spec, strerror(-ret));
	return ret;
}

int remote_start(struct remote *r, struct error *err)
{
	parcel_empty(r->parcel, REMOTE_START);
	return ask(r, OPEN_MS, err);
}

/* Who does not answer sees the connection closed when it goes on, and detaches then. */
int remote_stop(struct remote *r)
{
	struct error ignored;
	int ret;

	if (r->stopped)
		return 0;
	r->stopped = true;
	parcel_empty(r->parcel, REMOTE_STOP);
	ret = ask(r, STOP_MS, &ignored);
	if (ret)
		shutdown(r->sock, SHUT_RDWR);
	return ret;
}

int remote_wire(struct remote *r, uint32_t ifindex, struct error *err)
{
	int ret;

	parcel_empty(r->parcel, REMOTE_WIRE);
	parcel_put(r->parcel, &ifindex, sizeof(ifindex));
	ret = ask(r, OPEN_MS, err);
	if (ret)
		return ret;
	ret = parcel_take_fd(r->parcel);
	return ret < 0 ? -EPROTO : ret;
}

bool remote_is_gone(struct remote *r)
{
	int64_t now = clock_mono_ns();
	char byte;

	if (r->gone || now - r->looked_ns < LOOK_NS)
		return r->gone;
	r->looked_ns = now;
	/* it says nothing unasked */
	if (recv(r->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		r->gone = true;
	return r->gone;
}

struct remote_account *remote_account(struct remote *r, int64_t now_ns)
{
	int unread;

	if (r->gone || now_ns - r->told_ns < TELL_NS)
		return NULL;
	r->told_ns = now_ns;
	/* no more than one is under way, so that questions always have room */
	return ioctl(r->sock, SIOCOUTQ, &unread) || unread ? NULL : &r->account;
}

void remote_tell(struct remote *r)
{
	const struct remote_account *a = &r->account;

	parcel_empty(r->parcel, REMOTE_TELL);
	parcel_put(r->parcel, a, offsetof(struct remote_account, sources[a->nr_sources]));
	parcel_send_plain(r->sock, r->parcel);
}

int remote_fd(const struct remote *r)
{
	return r->sock;
}

void remote_close(struct remote *r)
{
	if (!r)
		return;
	if (r->sock >= 0)
		close(r->sock);
	parcel_free(r->parcel);
	free(r);
}
