// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   one connection, whose other end wants sources opened and may ask for anything.
 * Out:  descriptors to read them with; everything detached when it hangs up.
 * Owns: what it opened.
 * Runs on: the thread that calls xcap_serve(), until the other end is gone.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "attach.h"
#include "clock.h"
#include "opts.h"
#include "remote.h"
#include "stream.h"

#define MAX_SOURCES 256
#define TOLD_NS (100 * NS_PER_MS)	/* accounts that come faster are passed over */

struct served {
	int sock;
	struct parcel *parcel;
	struct source_conf conf;
	struct remote_hello hello;
	struct source *sources[MAX_SOURCES];
	int nr;
	bool started;
	struct xcap_serve_opts opts;
	struct remote_account account;
	int64_t told_ns;
	struct error err;
};

/* Whoever asks knows its own environment; what its ancestors had, a profile may hide. */
static void find_ssh(struct served *v)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (!v->hello.ssh.remote_port &&
	    !getsockopt(v->sock, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		ssh_find_of(peer.pid, &v->hello.ssh);
}

static int check_hello(struct served *v)
{
	struct remote_hello ours, *theirs = &v->hello;

	remote_hello(&ours, &v->conf);
	theirs->version[sizeof(theirs->version) - 1] = '\0';
	theirs->ssh.text[sizeof(theirs->ssh.text) - 1] = '\0';
	if (strcmp(ours.version, theirs->version) || ours.size_xsk_conf != theirs->size_xsk_conf ||
	    ours.size_cpu != theirs->size_cpu || ours.size_told != theirs->size_told)
		return error_set(&v->err, -EPROTO, "xcap run is %s and the library in the program "
				 "is another build, %s; install one of them", ours.version,
				 theirs->version);
	if (ours.netns_cookie != theirs->netns_cookie)
		return error_set(&v->err, -EXDEV, "this program is in another network namespace "
				 "than xcap run; start xcap run inside it");
	if (theirs->ring_bytes < 4096 || theirs->ring_bytes > 1u << 30 ||
	    theirs->ring_bytes & (theirs->ring_bytes - 1) || theirs->slack_ns < 0)
		return error_set(&v->err, -EINVAL, "the program asks for rings that cannot be");
	find_ssh(v);
	v->conf = (struct source_conf){
		.snaplen = theirs->snaplen,
		.ring_bytes = theirs->ring_bytes,
		.slack_ns = theirs->slack_ns,
		.self = theirs->self,
		.promisc = theirs->promisc,
		.given = true,
		.ssh = &theirs->ssh,
	};
	return 0;
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static bool is_sound(const struct spec *spec)
{
	bool sound = ends(spec->scheme, sizeof(spec->scheme)) &&
		     ends(spec->name, sizeof(spec->name)) &&
		     ends(spec->text, sizeof(spec->text)) &&
		     spec->nr_options >= 0 && spec->nr_options <= SOURCE_MAX_OPTIONS;

	for (int i = 0; sound && i < spec->nr_options; i++)
		sound = ends(spec->options[i].key, sizeof(spec->options[i].key)) &&
			ends(spec->options[i].value, sizeof(spec->options[i].value));
	return sound;
}

/* What the reader could open itself, it does: no file is read for it with our rights. */
static int check_spec(struct served *v, const struct spec *spec)
{
	const struct source_ops *ops;
	int ret;

	if (v->started || v->nr == MAX_SOURCES)
		return error_set(&v->err, -EBUSY, "this capture runs already; open another");
	if (v->parcel->broken || !is_sound(spec))
		return error_set(&v->err, -EBADMSG, "the program asked for nothing that makes "
				 "sense");
	ret = source_check(spec, &ops, &v->err);
	if (!ret && !ops->privileged)
		ret = error_set(&v->err, -EACCES, "%s is opened by who reads it", spec->text);
	return ret;
}

static int give(struct served *v, struct source *s)
{
	struct remote_source about = { .ifindex = s->ifindex, .linktype = s->linktype };
	int ret;

	snprintf(about.scheme, sizeof(about.scheme), "%s", s->ops->scheme);
	memcpy(about.spec, s->spec, sizeof(about.spec));
	memcpy(about.mode, s->mode, sizeof(about.mode));
	memcpy(about.note, s->note, sizeof(about.note));
	parcel_empty(v->parcel, REMOTE_OPENED);
	parcel_put(v->parcel, &about, sizeof(about));
	ret = s->ops->give(s, v->parcel);
	if (ret)
		error_set(&v->err, ret, "%s has more rings than can be handed over", s->spec);
	return ret;
}

static int serve_open(struct served *v)
{
	struct spec *spec = malloc(sizeof(*spec));
	struct source *s = calloc(1, sizeof(*s));
	int ret = spec && s ? 0 : -ENOMEM;

	if (!ret) {
		parcel_take(v->parcel, &v->hello, sizeof(v->hello));
		parcel_take(v->parcel, spec, sizeof(*spec));
		ret = check_hello(v) ?: check_spec(v, spec);
	}
	if (!ret) {
		s->conf = &v->conf;
		s->err = &v->err;
		s->index = v->nr;
		s->slack_ns = v->conf.slack_ns;
		s->linktype = XCAP_LINK_ETHERNET;
		ret = source_open(s, spec);
	}
	free(spec);
	if (ret) {
		free(s);
		return ret;
	}
	v->sources[v->nr++] = s;
	return give(v, s);
}

static int serve_start(struct served *v)
{
	int ret = 0;

	for (int i = 0; i < v->nr && !ret && !v->started; i++)
		if (v->sources[i]->ops->start)
			ret = v->sources[i]->ops->start(v->sources[i]);
	v->started |= !ret;
	parcel_empty(v->parcel, REMOTE_OPENED);
	return ret;
}

static void stop_all(struct served *v)
{
	for (int i = 0; i < v->nr; i++)
		if (v->sources[i]->ops->stop)
			v->sources[i]->ops->stop(v->sources[i]);
}

/* The reply carries the socket; ours is closed once it is sent. */
static int serve_wire(struct served *v, int *fd)
{
	uint32_t ifindex;
	bool ours = false;

	parcel_take(v->parcel, &ifindex, sizeof(ifindex));
	for (int i = 0; i < v->nr; i++)
		ours |= ifindex && v->sources[i]->ifindex == ifindex;
	if (!ours || v->started)
		return error_set(&v->err, -EACCES, "only an interface that is captured can be "
				 "sent on");
	*fd = attach_wire(ifindex, &v->err);
	if (*fd < 0)
		return *fd;
	parcel_empty(v->parcel, REMOTE_OPENED);
	parcel_put_fd(v->parcel, *fd);
	return 0;
}

static void tell(struct served *v)
{
	struct remote_account *a = &v->account;
	const char *specs[XCAP_TOLD_SOURCES], *modes[XCAP_TOLD_SOURCES];
	const struct xcap_stats *stats[XCAP_TOLD_SOURCES];
	struct xcap_told told = { .sz = sizeof(told), .nr_sources = a->nr_sources,
				  .nr_all = a->nr_all, .total = &a->total, .specs = specs,
				  .modes = modes, .stats = stats };

	a->total.sz = sizeof(a->total);
	for (uint32_t i = 0; i < a->nr_sources; i++) {
		specs[i] = a->sources[i].spec;
		modes[i] = a->sources[i].mode;
		stats[i] = &a->sources[i].stats;
		a->sources[i].stats.sz = sizeof(a->sources[i].stats);
	}
	if (v->opts.told)
		v->opts.told(v->opts.user, &told);
}

/* What runs from now on, also if the other end never reads. */
static void tell_first(struct served *v)
{
	struct remote_account *a = &v->account;

	a->nr_all = v->nr;
	a->nr_sources = v->nr < XCAP_TOLD_SOURCES ? v->nr : XCAP_TOLD_SOURCES;
	for (uint32_t i = 0; i < a->nr_sources; i++) {
		memcpy(a->sources[i].spec, v->sources[i]->spec, sizeof(a->sources[i].spec));
		memcpy(a->sources[i].mode, v->sources[i]->mode, sizeof(a->sources[i].mode));
	}
	tell(v);
}

/* Return: 0; -EBADMSG no account. */
static int take_account(struct served *v)
{
	struct remote_account *a = &v->account;
	int64_t now = clock_mono_ns();

	parcel_take(v->parcel, a, offsetof(struct remote_account, sources));
	if (!v->started || a->nr_sources > XCAP_TOLD_SOURCES || a->nr_all < a->nr_sources)
		return -EBADMSG;
	for (uint32_t i = 0; i < a->nr_sources; i++) {
		struct remote_told *s = &a->sources[i];

		parcel_take(v->parcel, s, sizeof(*s));
		if (!ends(s->spec, sizeof(s->spec)) || !ends(s->mode, sizeof(s->mode)))
			return -EBADMSG;
	}
	if (v->parcel->broken)
		return -EBADMSG;
	if (now - v->told_ns < TOLD_NS)		/* nobody could read what changes all the time */
		return 0;
	v->told_ns = now;
	tell(v);
	return 0;
}

/* Return: 0 done; -errno the connection is of no use any more. */
static int serve_one(struct served *v)
{
	int fd = -1, ret;

	v->err.text[0] = '\0';
	switch (v->parcel->kind) {
	case REMOTE_OPEN:
		ret = serve_open(v);
		break;
	case REMOTE_WIRE:
		ret = serve_wire(v, &fd);
		break;
	case REMOTE_START:
		ret = serve_start(v);
		break;
	case REMOTE_STOP:
		stop_all(v);
		parcel_empty(v->parcel, REMOTE_OPENED);
		ret = 0;
		break;
	case REMOTE_TELL:
		return take_account(v);
	default:
		return -EBADMSG;
	}
	if (ret) {
		parcel_empty(v->parcel, REMOTE_FAILED);
		parcel_put(v->parcel, &ret, sizeof(ret));
		parcel_put_text(v->parcel, v->err.text[0] ? v->err.text : strerror(-ret));
	}
	ret = parcel_send(v->sock, v->parcel);
	if (ret == -ETOOMANYREFS || ret == -E2BIG) {	/* the descriptors cannot be sent */
		parcel_empty(v->parcel, REMOTE_FAILED);
		parcel_put(v->parcel, &ret, sizeof(ret));
		parcel_put_text(v->parcel, "too many descriptors are under way between "
				"processes; raise ulimit -n of xcap run");
		ret = parcel_send(v->sock, v->parcel);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static __u32 flags_of(const struct served *v)
{
	__u32 flags = 0;

	for (int i = 0; i < v->nr; i++)
		flags |= v->sources[i]->flags;
	return flags;
}

/* Until the other end hangs up. Return: -EPIPE: it has; another -errno: it is hung up on. */
static int serve_all(struct served *v)
{
	bool told = false;
	int ret;

	while (!(ret = parcel_recv(v->sock, v->parcel, -1)) && !(ret = serve_one(v))) {
		if (!v->started || told)
			continue;
		told = true;
		if (v->opts.started)
			v->opts.started(v->opts.user, flags_of(v));
		tell_first(v);
	}
	for (int i = v->nr - 1; i >= 0; i--) {
		source_close(v->sources[i]);
		free(v->sources[i]);
	}
	return ret;
}

int xcap_serve(int fd, const struct xcap_serve_opts *opts)
{
	struct xcap_serve_opts ours;
	struct served *v;
	int ret = opts_in(&ours, sizeof(ours), opts);

	if (ret)
		return error_set(stream_last_error(), ret, "the options of xcap_serve() are not "
				 "those of xcap %s", xcap_version());
	ret = -ENOMEM;
	v = calloc(1, sizeof(*v));
	if (v) {
		v->sock = fd;
		v->opts = ours;
		v->parcel = parcel_new();
		ret = v->parcel ? serve_all(v) : -ENOMEM;
		parcel_free(v->parcel);
	}
	free(v);
	return ret == -EPIPE ? 0 : error_set(stream_last_error(), ret,
					     "the program's end of xcap run: %s", strerror(-ret));
}
