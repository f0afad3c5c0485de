// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a capture file, a pipe or standard input: pcapng or pcap.
 * Out:  one lane of records in the order of the file.
 * Owns: the chunks it reads into; a record's bytes lie in them until released.
 * Runs on: the thread of the handle.
 *
 * Chunks rather than a mapping: one way for files and pipes, and a file that
 * somebody cuts short ends in a sentence instead of SIGBUS. Nothing is copied
 * but the piece of a block at the end of a chunk.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "pcapng.h"
#include "source.h"

#define CHUNK_BYTES (1u << 20)

/* Unreleased bytes of a pipe beyond which it is left to wait for the reader. */
#define PIPE_HOLD_BYTES (64u << 20)

/*
 * A pipe's writer hands records on in pieces (tcpdump without -U: a second or
 * 4 KiB). A merged stream waits this long for it, and no longer.
 */
#define PIPE_SLACK_NS 100000000

/* How long open() waits for the header of a pipe, which has the link type. */
#define HEADER_WAIT_MS 200

struct chunk {
	struct chunk *next;
	size_t size;
	size_t len;		/* read so far */
	size_t pos;		/* decoded so far */
	uint32_t lent;		/* records of it that are out */
	_Alignas(8) uint8_t data[];
};

struct file {
	struct pcapng_reader reader;
	struct chunk *oldest, *current;	/* lent in this order; current is the last */
	struct chunk *spare;
	size_t held_bytes;	/* of all chunks */
	uint64_t offset;	/* in the file, of current->pos */
	uint64_t nr_records;
	uint64_t nr_losses;	/* of them: notices of another capture's losses, not seen here */
	int64_t wall_minus_mono_ns;
	char *name;		/* the path, or for sentences what it is */
	int fd;
	int epoll_fd;		/* where it is armed, or -1 */
	bool waits;		/* a pipe or socket: may have nothing now */
	bool at_eof;
	bool more;		/* the last peek may have left records undecoded */
	bool has_first;		/* open() came upon a record: peek() hands it out */
	struct xcap_record first;
	int ended;		/* what peek returns from now on; 0 it goes on */
};

/* One offset for all files of a process, so that several merge by wall time. */
static int64_t wall_minus_mono(void)
{
	static _Atomic int64_t offset;
	struct timespec wall, mono;
	int64_t none = 0, now;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	now = (wall.tv_sec - mono.tv_sec) * 1000000000ll + wall.tv_nsec - mono.tv_nsec;
	now += !now;	/* 0 says that nobody has looked yet */
	return atomic_compare_exchange_strong(&offset, &none, now) ? now : none;
}

/* ---- chunks ---- */

static void drop_chunk(struct file *f, struct chunk *c)
{
	if (!f->spare && c->size == CHUNK_BYTES) {
		f->spare = c;
		return;
	}
	f->held_bytes -= c->size;
	free(c);
}

static struct chunk *new_chunk(struct file *f, size_t size)
{
	struct chunk *c = f->spare;

	if (c && c->size >= size) {
		f->spare = NULL;
	} else {
		size = size > CHUNK_BYTES ? size : CHUNK_BYTES;
		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		f->held_bytes += size;
	}
	c->next = NULL;
	c->len = c->pos = 0;
	c->lent = 0;
	return c;
}

/* Make room behind what is undecoded for a block of want bytes in all. */
static int make_room(struct file *f, size_t want)
{
	struct chunk *c = f->current, *n;

	if (c->pos == c->len && !c->lent)
		c->pos = c->len = 0;
	if (c->size - c->pos >= want && c->len < c->size)
		return 0;
	n = new_chunk(f, want);
	if (!n)
		return -ENOMEM;
	n->len = c->len - c->pos;
	memcpy(n->data, c->data + c->pos, n->len);
	c->next = n;
	f->current = n;
	if (!c->lent && f->oldest == c) {
		f->oldest = n;
		drop_chunk(f, c);
	}
	return 0;
}

/* Return: 1 something came; 0 nothing now; -ENODATA the end; other -errno. */
static int read_more(struct source *s, struct file *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	struct chunk *c = f->current;
	ssize_t n;

	if (f->at_eof)
		return -ENODATA;
	if (f->waits && poll(&p, 1, 0) <= 0)
		return 0;
	do {
		n = read(f->fd, c->data + c->len, c->size - c->len);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0) {
		n = -errno;
		return error_set(s->err, n, "cannot read %s: %s", f->name, strerror(-n));
	}
	c->len += n;
	f->at_eof = !n;
	return n ? 1 : -ENODATA;
}

/* ---- records ---- */

static int damaged(struct source *s, struct file *f, const char *why)
{
	if (!f->reader.format)
		return error_set(s->err, -EBADMSG, "%s begins with %s", f->name, why);
	return error_set(s->err, -EBADMSG,
			 "%s is damaged at byte %llu: %s; the %llu records before it were read",
			 f->name, (unsigned long long)f->offset, why,
			 (unsigned long long)f->nr_records);
}

static int cut_short(struct source *s, struct file *f)
{
	struct chunk *c = f->current;

	if (c->len > c->pos)
		return error_set(s->err, -EBADMSG,
				 "%s ends in the middle of a block at byte %llu: its writer did "
				 "not finish; the %llu complete records before it were read",
				 f->name, (unsigned long long)f->offset,
				 (unsigned long long)f->nr_records);
	if (!f->reader.format)
		return error_set(s->err, -EBADMSG,
				 "%s is empty, without even a header: nothing was captured into it",
				 f->name);
	return -ENODATA;
}

/* Step over one block; as pcapng_decode(). */
static int decode(struct file *f, struct xcap_record *r)
{
	struct chunk *c = f->current;
	size_t used;
	int ret;

	if (f->has_first) {
		*r = f->first;
		f->has_first = false;
		return 1;
	}
	ret = pcapng_decode(&f->reader, c->data + c->pos, c->len - c->pos, &used, r);
	c->pos += used;
	f->offset += used;
	return ret;
}

/* Return: 1 *r; 0 nothing now; -ENODATA; other -errno with its sentence. */
static int next_record(struct source *s, struct file *f, struct xcap_record *r)
{
	struct chunk *c;
	int ret;

	for (;;) {
		c = f->current;
		ret = decode(f, r);
		if (ret == 1) {
			c->lent++;
			f->nr_records++;
			f->nr_losses += r->type == XCAP_LOSS;
			return 1;
		}
		if (!ret)
			continue;
		if (ret == -EBADMSG)
			return damaged(s, f, f->reader.why);
		if (ret == -EAGAIN)
			ret = make_room(f, f->reader.want);
		if (ret)
			return error_set(s->err, ret, "no memory for the next block of %s",
					 f->name);
		ret = read_more(s, f);
		if (ret == -ENODATA)
			return cut_short(s, f);
		if (ret <= 0)
			return ret;
	}
}

/* A pipe that has ended stays readable for ever: it would wake the reader in vain. */
static int end(struct file *f, int how)
{
	if (f->epoll_fd >= 0)
		epoll_ctl(f->epoll_fd, EPOLL_CTL_DEL, f->fd, NULL);
	f->epoll_fd = -1;
	f->ended = how;
	return how;
}

static int source_file_peek(struct source *s, int lane, struct xcap_record *recs, int max)
{
	struct file *f = s->priv;
	int n = 0, ret = 0;

	(void)lane;
	if (f->ended)
		return f->ended;
	f->more = false;
	if (f->waits && f->held_bytes > PIPE_HOLD_BYTES)
		return 0;
	while (n < max) {
		ret = next_record(s, f, &recs[n]);
		if (ret <= 0)
			break;
		recs[n].mono_ns = recs[n].wall_ns - f->wall_minus_mono_ns;
		recs[n].source = s->index;
		n++;
	}
	if (f->reader.linktype_known)
		s->linktype = f->reader.linktype;
	f->more = n == max;
	if (ret < 0)
		end(f, ret);
	return n ? n : ret;
}

static void source_file_release(struct source *s, int lane, int n)
{
	struct file *f = s->priv;
	struct chunk *c;
	uint32_t take;

	(void)lane;
	while (n > 0) {
		c = f->oldest;
		take = (uint32_t)n < c->lent ? (uint32_t)n : c->lent;
		c->lent -= take;
		n -= take;
		if (c->lent || c == f->current)
			break;
		f->oldest = c->next;
		drop_chunk(f, c);
	}
}

/* Files need not be in order, so nothing can be said before the end. */
static int64_t source_file_watermark(struct source *s, int lane)
{
	struct file *f = s->priv;

	(void)lane;
	return f->ended ? INT64_MAX : INT64_MIN;
}

static int source_file_arm(struct source *s, int epoll_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct file *f = s->priv;

	if (!f->waits || f->ended)
		return 0;
	if (!epoll_ctl(epoll_fd, EPOLL_CTL_ADD, f->fd, &ev)) {
		f->epoll_fd = epoll_fd;
		return 0;
	}
	if (errno != EPERM)
		return -errno;
	f->waits = false;	/* /dev/null and its like never wait */
	return 0;
}

static int source_file_sleep(struct source *s, bool on)
{
	struct file *f = s->priv;

	return on && !f->ended && (!f->waits || f->more);
}

/* What has not been read yet stays in the file: a stopped reader is at its end. */
static void source_file_stop(struct source *s)
{
	struct file *f = s->priv;

	if (!f->ended)
		end(f, -ENODATA);
}

static void source_file_stats(struct source *s, struct source_stats *st)
{
	struct file *f = s->priv;

	st->seen = f->nr_records - f->nr_losses;
}

static void source_file_close(struct source *s)
{
	struct file *f = s->priv;
	struct chunk *c, *next;

	if (!f)
		return;
	for (c = f->oldest; c; c = next) {
		next = c->next;
		free(c);
	}
	free(f->spare);
	if (f->fd > STDIN_FILENO)
		close(f->fd);
	free(f->name);
	pcapng_reader_free(&f->reader);
	free(f);
	s->priv = NULL;
}

/* ---- open ---- */

static int open_stdin(struct source *s, struct file *f)
{
	f->fd = STDIN_FILENO;
	if (isatty(f->fd))
		return error_set(s->err, -EINVAL,
				 "standard input is a terminal: pipe a capture into it, or name "
				 "a file");
	return 0;
}

/* O_NONBLOCK: a named pipe without a writer must not hold us here. */
static int open_path(struct source *s, struct file *f)
{
	int err;

	f->fd = open(f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd >= 0)
		return 0;
	err = -errno;
	return error_set(s->err, err, "cannot open %s: %s%s", f->name, strerror(-err),
			 err == -ENOENT ? " (an interface is named without `file:`)" : "");
}

static int look(struct source *s, struct file *f)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return error_set(s->err, -errno, "cannot look at %s: %s", f->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_set(s->err, -EISDIR, "%s is a directory: name a capture file in it",
				 f->name);
	s->file_dev = st.st_dev;
	s->file_ino = st.st_ino;
	f->waits = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISCHR(st.st_mode);
	return 0;
}

/*
 * Decode up to the link type, which filters want to know. A pipe that says
 * nothing for a while is taken for Ethernet until it does.
 */
static int read_header(struct source *s, struct file *f)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	int ret;

	while (!f->reader.linktype_known) {
		ret = decode(f, &f->first);
		if (ret == 1) {
			f->has_first = true;
			return 0;
		}
		if (!ret)
			continue;
		if (ret == -EBADMSG)
			return damaged(s, f, f->reader.why);
		if (ret == -EAGAIN)
			ret = make_room(f, f->reader.want);
		if (ret)
			return error_set(s->err, ret, "no memory to read %s", f->name);
		if (f->waits && poll(&p, 1, HEADER_WAIT_MS) <= 0)
			return 0;
		ret = read_more(s, f);
		if (ret == -ENODATA)
			return cut_short(s, f) == -ENODATA ? 0 : -EBADMSG;
		if (ret < 0)
			return ret;
	}
	s->linktype = f->reader.linktype;
	return 0;
}

static int open_any(struct source *s, struct file *f, bool is_stdin)
{
	int ret = is_stdin ? open_stdin(s, f) : open_path(s, f);

	if (!ret)
		ret = look(s, f);
	return ret ? ret : read_header(s, f);
}

static const char *format_name(const struct file *f)
{
	return f->reader.format == PCAPNG_FORMAT_PCAP ? "pcap" :
	       f->reader.format == PCAPNG_FORMAT_PCAPNG ? "pcapng" : "which has said nothing yet";
}

static int source_file_open(struct source *s, const struct spec *spec)
{
	bool is_stdin = !*spec->name || !strcmp(spec->name, "-");
	struct file *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return error_set(s->err, -ENOMEM, "no memory to read %s", spec->name);
	s->priv = f;
	f->fd = f->epoll_fd = -1;
	f->wall_minus_mono_ns = wall_minus_mono();
	f->name = strdup(is_stdin ? "standard input" : spec->name);
	f->oldest = f->current = new_chunk(f, CHUNK_BYTES);
	s->linktype = XCAP_LINK_ETHERNET;
	if (f->name && f->current)
		ret = open_any(s, f, is_stdin);
	else
		ret = error_set(s->err, -ENOMEM, "no memory to read %s", spec->name);
	if (ret) {
		source_file_close(s);
		return ret;
	}
	s->nr_lanes = 1;
	s->slack_ns = f->waits ? PIPE_SLACK_NS : INT64_MAX;
	snprintf(s->spec, sizeof(s->spec), is_stdin ? "-" : "file:%s", f->name);
	snprintf(s->mode, sizeof(s->mode), "file");
	snprintf(s->note, sizeof(s->note), "reading %s, %s", f->name, format_name(f));
	return 0;
}

const struct source_ops source_file_ops = {
	.events = true,
	.scheme = "file",
	.help = "a pcapng or pcap file, a pipe, or - for standard input",
	.open = source_file_open,
	.peek = source_file_peek,
	.release = source_file_release,
	.watermark = source_file_watermark,
	.arm = source_file_arm,
	.sleep = source_file_sleep,
	.stop = source_file_stop,
	.stats = source_file_stats,
	.close = source_file_close,
};
