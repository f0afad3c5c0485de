// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records in stream order.
 * Out:  a pcapng file or pipe that Wireshark, tcpdump and `file:` read.
 * Owns: one buffer of whole blocks, and the file.
 * Runs on: the thread of the stream.
 *
 * The buffer is handed to the system at block boundaries only: a writer that is
 * killed leaves a file that reads up to its last complete block.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "pcapng.h"
#include "sink.h"
#include "sysdig_event.h"

#define FLUSH_BYTES	(256u << 10)
#define BUFFER_BYTES	(FLUSH_BYTES + PCAPNG_EVENT_ROOM + 2 * PCAPNG_SLACK + PCAPNG_PROCESS_ROOM)
_Static_assert(PCAPNG_EVENT_ROOM >= PCAPNG_SNAPLEN + PCAPNG_SLACK, "room for a packet too");
#define FLUSH_NS	1000000000ll	/* of record time */

struct interface {
	uint64_t dropped;	/* since the last packet */
	int64_t start_ns, end_ns;
	bool queue_known;	/* of each packet, so that 0 is one too */
};

struct out {
	uint8_t *buf;
	size_t len;
	int64_t flushed_ns;	/* wall time of the record that followed the last flush */
	uint64_t written;	/* bytes of ours in whole blocks */
	uint64_t nr_packets;
	struct pcapng_told *told;	/* processes; NULL: without blocks */
	struct sysdig_calls *calls;	/* that have begun */
	bool comments;		/* on packets */
	bool timed;		/* something in the file has a time */
	uint32_t linktype;	/* of all interfaces */
	int nr_interfaces;
	struct interface *interfaces;
	char *name;		/* for sentences */
	int fd;
	bool regular;		/* others may raise SIGPIPE */
	bool ours;		/* opened here: emptied, cut back and closed here */
	int failed;
};

/* ---- bytes to the system ---- */

/*
 * SIGPIPE would end the process, and its disposition is not ours to change: it
 * is held off in this thread while we write, and taken back if it came from us.
 */
static ssize_t write_quietly(int fd, const void *p, size_t len)
{
	struct timespec now = { 0 };
	sigset_t pipe_set, old, pending;
	ssize_t n;
	int err;

	sigpending(&pending);
	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	n = write(fd, p, len);
	err = errno;
	if (n < 0 && err == EPIPE && !sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&pipe_set, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return n;
}

static int write_some(struct out *o, const uint8_t *p, size_t len, size_t *done)
{
	struct pollfd full = { .fd = o->fd, .events = POLLOUT };
	ssize_t n = o->regular ? write(o->fd, p, len) : write_quietly(o->fd, p, len);

	if (n >= 0) {
		*done += n;
		return 0;
	}
	if (errno == EAGAIN)
		poll(&full, 1, -1);
	return errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

/* Whole blocks among the first len bytes of the buffer. */
static size_t whole_blocks(const struct out *o, size_t len)
{
	size_t at = 0;
	uint32_t block;

	for (;;) {
		memcpy(&block, o->buf + at + 4, 4);
		if (at + block > len)
			return at;
		at += block;
		if (at == o->len)
			return at;
	}
}

/*
 * What came of a failed write. A file of ours ends behind its last whole block;
 * standard output is not cut: what else is in it, and who else writes to it,
 * only those know who opened it.
 */
static int fail(struct xcap_sink *s, struct out *o, int err, size_t done)
{
	const char *next = err == -ENOSPC ? ": free some space first" : "";
	size_t kept = whole_blocks(o, done);

	o->failed = err;
	if (err == -EPIPE)
		return error_set(s->err, err, "the reader of %s is gone: %llu bytes were written",
				 o->name, (unsigned long long)o->written + done);
	o->written += kept;
	if (o->ours && o->regular && kept < done && !ftruncate(o->fd, o->written))
		lseek(o->fd, o->written, SEEK_SET);
	if (!o->written)
		return error_set(s->err, err, "cannot write %s: %s, and no whole block was "
				 "written%s", o->name, strerror(-err), next);
	return error_set(s->err, err,
			 "cannot write %s: %s; the first %llu bytes written to it are whole "
			 "blocks and can be read%s",
			 o->name, strerror(-err), (unsigned long long)o->written, next);
}

static int sink_pcapng_flush(struct xcap_sink *s)
{
	struct out *o = s->priv;
	size_t done = 0;
	int err;

	if (o->failed)
		return o->failed;
	while (done < o->len) {
		err = write_some(o, o->buf + done, o->len - done, &done);
		if (err)
			return fail(s, o, err, done);
	}
	o->written += o->len;
	o->len = 0;
	return 0;
}

/* ---- records ---- */

/* One file has one link type: see the interface blocks. */
static int other_linktype(struct xcap_sink *s, struct out *o, const struct xcap_record *r,
			  struct pcapng_frame *f)
{
	if (o->linktype != XCAP_LINK_ETHERNET)
		return error_set(s->err, -EOPNOTSUPP, "%s was begun with link type %u and cannot "
				 "hold packets of %u", o->name, o->linktype, r->packet.linktype);
	if (!pcapng_as_ethernet(f, r))
		return error_set(s->err, -EOPNOTSUPP, "%s cannot hold packets of link type %u "
				 "beside those of %u: write that source to a file of its own",
				 o->name, r->packet.linktype, o->linktype);
	return 0;
}

static int put_packet(struct xcap_sink *s, struct out *o, const struct xcap_record *r)
{
	struct interface *i = &o->interfaces[r->source];
	struct pcapng_frame f = {
		.interface = r->source,
		.id = o->nr_packets + 1,
		.dropped = i->dropped,
		.queue_known = i->queue_known && r->direction == XCAP_DIR_IN,
		.comments = o->comments,
	};
	int err = 0;

	if (r->packet.linktype != o->linktype)
		err = other_linktype(s, o, r, &f);
	if (err)
		return err;
	i->dropped = 0;
	o->nr_packets++;
	o->len += pcapng_put_packet(o->buf + o->len, r, &f);
	return 0;
}

static int put_loss(struct xcap_sink *s, struct out *o, const struct xcap_record *r)
{
	struct xcap_source_info info = { .sz = sizeof(info) };

	o->interfaces[r->source].dropped += r->loss.count;
	if (xcap_source_info(s->x, r->source, &info))
		info.spec = "?";
	o->len += pcapng_put_loss(o->buf + o->len, r, info.spec);
	return 0;
}

/*
 * Who is behind a record, before the first record of that process. To Wireshark 4 such a block
 * is a frame without a time, which must not be the first: all relative times would count from
 * the epoch.
 */
static void tell_process(struct out *o, const struct xcap_record *r)
{
	if (!o->told || pcapng_told(o->told, r))
		return;
	if (!o->timed)
		o->len += pcapng_put_note(o->buf + o->len, r->wall_ns, "the capture begins");
	o->len += pcapng_put_process(o->buf + o->len, r);
}

static int put_one(struct xcap_sink *s, struct out *o, const struct xcap_record *r)
{
	struct interface *i = &o->interfaces[r->source];

	if (!i->start_ns || r->wall_ns < i->start_ns)	/* late ones step back */
		i->start_ns = r->wall_ns;
	if (r->wall_ns > i->end_ns)
		i->end_ns = r->wall_ns;
	tell_process(o, r);
	o->timed = true;
	switch (r->type) {
	case XCAP_PACKET:
		return put_packet(s, o, r);
	case XCAP_SYS_ENTER:
	case XCAP_SYS_EXIT:
	case XCAP_SWITCH:
		o->len += pcapng_put_event(o->buf + o->len, r, o->calls);
		return 0;
	case XCAP_PROBE:
		o->len += pcapng_put_probe(o->buf + o->len, r);
		return 0;
	case XCAP_LOSS:
		return put_loss(s, o, r);
	}
	return error_set(s->err, -EINVAL,
			 "a record of type %u has no place in a pcapng file", r->type);
}

static bool flush_is_due(struct out *o, const struct xcap_record *r)
{
	if (o->len >= FLUSH_BYTES || r->wall_ns - o->flushed_ns >= FLUSH_NS) {
		o->flushed_ns = r->wall_ns;
		return true;
	}
	return false;
}

static int sink_pcapng_put(struct xcap_sink *s, const struct xcap_record *recs, int nr)
{
	struct out *o = s->priv;
	int i, err;

	if (o->failed)
		return o->failed;
	for (i = 0; i < nr; i++) {
		if (recs[i].source >= o->nr_interfaces)
			return error_set(s->err, -EINVAL,
					 "a record of source %u, which the stream did "
					 "not have when %s was opened", recs[i].source, o->name);
		err = put_one(s, o, &recs[i]);
		if (!err && flush_is_due(o, &recs[i]))
			err = sink_pcapng_flush(s);
		if (err)
			return err;
	}
	return 0;
}

/* ---- open and close ---- */

/* "tap:eth0?snaplen=64" is an interface called eth0. */
static void interface_name(char *name, size_t size, const char *spec)
{
	const char *colon = strchr(spec, ':');

	snprintf(name, size, "%s", colon && strncmp(spec, "file:", 5) ? colon + 1 : spec);
	name[strcspn(name, "?")] = '\0';
}

static bool is_xsk(const struct xcap_source_info *info)
{
	return !strncmp(info->mode, "xsk", 3);
}

static bool is_file(const struct xcap_source_info *info)
{
	return !strcmp(info->mode, "file");
}

/*
 * Ethernet for all that is captured live. Only files that agree keep what they
 * have: then nothing is changed by copying them.
 */
static uint32_t choose_linktype(struct xcap *x)
{
	struct xcap_source_info info;
	uint32_t linktype = 0;
	int i;

	for (i = 0; i < xcap_nr_sources(x); i++) {
		info = (struct xcap_source_info) { .sz = sizeof(info) };
		if (xcap_source_info(x, i, &info) || !is_file(&info))
			return XCAP_LINK_ETHERNET;
		if (i && info.linktype != linktype)
			return XCAP_LINK_ETHERNET;
		linktype = info.linktype;
	}
	return linktype;
}

static int put_header(struct xcap_sink *s, struct out *o)
{
	struct xcap_source_info info;
	char os[200], appl[64], name[PCAPNG_MAX_STR + 1];
	struct utsname u;
	int i, err;

	uname(&u);
	snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
	snprintf(appl, sizeof(appl), "xcap %s", xcap_version());
	o->len += pcapng_put_section(o->buf + o->len, u.machine, os, appl);
	o->linktype = choose_linktype(s->x);
	for (i = 0; i < o->nr_interfaces; i++) {
		info = (struct xcap_source_info) { .sz = sizeof(info) };
		err = xcap_source_info(s->x, i, &info);
		if (err)
			return err;
		o->interfaces[i].queue_known = is_xsk(&info);
		interface_name(name, sizeof(name), info.spec);
		o->len += pcapng_put_interface(o->buf + o->len, o->linktype, name, info.spec);
		if (o->len >= FLUSH_BYTES)
			err = sink_pcapng_flush(s);
		if (err)
			return err;
	}
	return sink_pcapng_flush(s);
}

/*
 * Writing over what is being read would destroy both, and a file that is read
 * while its records are appended to it has no end.
 */
static int refuse_own_input(struct xcap_sink *s, struct out *o, const struct stat *st)
{
	struct xcap_source_info info;
	int i;

	for (i = 0; i < o->nr_interfaces; i++) {
		info = (struct xcap_source_info) { .sz = sizeof(info) };
		if (xcap_source_info(s->x, i, &info))
			continue;
		if (info.file_dev == st->st_dev && info.file_ino == st->st_ino)
			return error_set(s->err, -EINVAL, "%s is a file being read: "
					 "write to another", o->name);
	}
	return 0;
}

static int open_file(struct xcap_sink *s, struct out *o, const char *path)
{
	struct stat st;
	int err;

	/* what processes read and wrote is in it, passwords too: nobody else's business */
	o->ours = strcmp(path, "-");
	o->fd = !o->ours ? STDOUT_FILENO :
		open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (o->fd < 0 || fstat(o->fd, &st)) {
		err = -errno;
		return error_set(s->err, err, "cannot write %s: %s", o->name, strerror(-err));
	}
	if (isatty(o->fd))
		return error_set(s->err, -EINVAL,
				 "%s is a terminal, and a capture is not text: name a "
				 "file, or pipe it into a program", o->name);
	o->regular = S_ISREG(st.st_mode);
	if (!o->regular)
		return 0;
	err = refuse_own_input(s, o, &st);
	if (!err && o->ours && ftruncate(o->fd, 0)) {
		err = -errno;
		error_set(s->err, err, "cannot empty %s: %s", o->name, strerror(-err));
	}
	return err;
}

static void free_out(struct xcap_sink *s)
{
	struct out *o = s->priv;

	if (o->ours && o->fd >= 0)
		close(o->fd);
	pcapng_told_free(o->told);
	sysdig_calls_free(o->calls);
	free(o->interfaces);
	free(o->name);
	free(o->buf);
	free(o);
	s->priv = NULL;
}

static int sink_pcapng_open(struct xcap_sink *s, const char *path)
{
	struct out *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return error_set(s->err, -ENOMEM, "no memory to write %s", path);
	s->priv = o;
	o->fd = -1;
	o->nr_interfaces = xcap_nr_sources(s->x);
	o->name = strdup(strcmp(path, "-") ? path : "standard output");
	o->buf = malloc(BUFFER_BYTES);
	o->calls = sysdig_calls_new();
	o->interfaces = calloc(o->nr_interfaces, sizeof(*o->interfaces));
	o->comments = s->opts.process & XCAP_PROCESS_COMMENTS;
	if (s->opts.process & XCAP_PROCESS_BLOCKS)
		o->told = pcapng_told_new();
	if (o->name && o->buf && o->interfaces && o->calls &&
	    (o->told || !(s->opts.process & XCAP_PROCESS_BLOCKS)))
		err = open_file(s, o, path);
	else
		err = error_set(s->err, -ENOMEM, "no memory to write %s", path);
	if (!err)
		err = put_header(s, o);
	if (err)
		free_out(s);
	return err;
}

/* The accounts of a source as those of an interface. */
static int put_counts(struct xcap_sink *s, struct out *o, int i)
{
	struct xcap_stats st = { .sz = sizeof(st) };
	struct pcapng_counts c = {
		.start_ns = o->interfaces[i].start_ns,
		.end_ns = o->interfaces[i].end_ns,
	};
	int err = xcap_stats(s->x, i, &st), d;

	if (err)
		return err;
	c.received = st.seen;
	c.if_dropped = st.dropped[XCAP_DROP_NIC_MISSED];
	c.accepted = st.seen - c.if_dropped - st.filtered;
	for (d = 0; d < XCAP_DROP_MAX; d++)
		c.os_dropped += d == XCAP_DROP_NIC_MISSED ? 0 : st.dropped[d];
	c.delivered = st.delivered;
	o->len += pcapng_put_counts(o->buf + o->len, i, &c);
	return o->len >= FLUSH_BYTES ? sink_pcapng_flush(s) : 0;
}

static int sink_pcapng_close(struct xcap_sink *s)
{
	struct out *o = s->priv;
	int i, err = o->failed;

	for (i = 0; i < o->nr_interfaces && !err; i++)
		err = put_counts(s, o, i);
	if (!err)
		err = sink_pcapng_flush(s);
	if (o->ours) {
		if (close(o->fd) && !err) {
			err = -errno;
			error_set(s->err, err, "cannot finish %s: %s", o->name, strerror(-err));
		}
		o->fd = -1;
	}
	free_out(s);
	return err;
}

const struct sink_ops sink_pcapng_ops = {
	.scheme = "pcapng",
	.open = sink_pcapng_open,
	.put = sink_pcapng_put,
	.flush = sink_pcapng_flush,
	.close = sink_pcapng_close,
};
