// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a command's options and what it does with records.
 * Out:  the stream, read to its end by count, time, signal or itself.
 * Owns: the handle and the sink of -w.
 * Runs on: the tool's only thread, and its signal handler.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "capture.h"
#include "cmd.h"
#include "privilege.h"
#include "running.h"
#include "text.h"

#define BATCH 256
#define NS_PER_SEC 1000000000LL
#define NS_PER_MS 1000000LL
#define LOOK_NS (NS_PER_SEC / 10)
#define SAME_WISH_NS (NS_PER_SEC / 5)	/* a terminal and a script, timeout(1) and its group */
#define DRAIN_NS NS_PER_SEC	/* after a signal a pipe that says nothing is left alone */

static struct xcap *volatile interrupted;	/* the handle to break */
static volatile sig_atomic_t nr_signals;
static volatile sig_atomic_t first_signal;
static volatile int64_t signalled_ns;	/* when it came */
static volatile pid_t command;		/* the first signal is for it; 0: none, or it has had it */
static void (*volatile at_kill)(void);	/* what is to be put right even then; or NULL */
static bool one_of_each;	/* a terminal's SIGINT and then a manager's SIGTERM are one wish */

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/*
 * The first asks for an orderly end, the second does not wait for it. A command gets one before:
 * a terminal signals all that runs on it, everybody else the process that they see.
 */
static void on_signal(int signal, siginfo_t *info, void *context)
{
	struct xcap *x = interrupted;
	pid_t child = command;
	int saved = errno;

	if (child) {
		command = 0;
		if (info->si_code <= 0)		/* not from the kernel */
			kill(child, signal);
		errno = saved;
		return;
	}
	if (nr_signals && now_ns() - signalled_ns > SAME_WISH_NS &&
	    (!one_of_each || signal == first_signal)) {
		if (at_kill)
			at_kill();
		_exit(EXIT_FAILED);
	}
	if (!nr_signals++) {
		first_signal = signal;
		signalled_ns = now_ns();
	}
	if (x)
		xcap_break(x);
	errno = saved;
}

void capture_at_kill(void (*fn)(void))
{
	at_kill = fn;
}

static void on_child(int signal)
{
	struct xcap *x = interrupted;
	int saved = errno;

	if (x)
		xcap_break(x);
	errno = saved;
}

void capture_command(pid_t pid)
{
	struct sigaction sa = { .sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP };

	command = pid;
	sigaction(SIGCHLD, &sa, NULL);
	sa = (struct sigaction){ .sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_SIGINFO };
	sigaction(SIGQUIT, &sa, NULL);
}

int capture_signal(void)
{
	return nr_signals ? first_signal : 0;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_SIGINFO };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void capture_failed(struct capture *c)
{
	fprintf(stderr, "%s: %s\n", c->called, xcap_errmsg(c->x));
	c->failed = true;
}

/* ---- the start ---- */

static bool all_files(struct capture *c)
{
	struct xcap_source_info info = { .sz = sizeof(info) };

	for (int i = 0; i < xcap_nr_sources(c->x); i++)
		if (xcap_source_info(c->x, i, &info) || strcmp(info.mode, "file"))
			return false;
	return true;
}

/* What was chosen and why, a line a source, then the line that says all of them are attached. */
static void announce(struct capture *c)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	int nr = xcap_nr_sources(c->x);

	if (c->silent)
		return;
	for (int i = 0; i < nr && !c->quiet; i++) {
		xcap_source_info(c->x, i, &info);
		fprintf(stderr, "xcap: %s: %s%s%s\n", info.spec, info.mode,
			info.note[0] ? "; " : "", info.note);
	}
	if (c->sink && !c->quiet && xcap_sink_note(c->sink)[0])
		fprintf(stderr, "xcap: %s: %s\n", c->sink_spec ?: c->write_to,
			xcap_sink_note(c->sink));
	fprintf(stderr, "xcap: %s", all_files(c) ? "reading" : "capturing");
	for (int i = 0; i < nr; i++) {
		xcap_source_info(c->x, i, &info);
		fprintf(stderr, "%s%s", i ? ", " : " ", info.spec);
	}
	putc('\n', stderr);
}

static int open_sink(struct capture *c)
{
	struct xcap_sink_opts opts = { .sz = sizeof(opts), .process = c->process_as };
	char *spec = NULL;
	int err;

	c->sink_opts.sz = sizeof(c->sink_opts);
	if (c->sink_spec)
		return xcap_sink_open_opts(&c->sink, c->sink_spec, c->x, &c->sink_opts);
	if (!strncmp(c->write_to, "wire:", 5))
		return xcap_sink_open(&c->sink, c->write_to, c->x);
	if (!strcmp(c->write_to, "-"))
		return xcap_sink_open_opts(&c->sink, "-", c->x, &opts);
	if (asprintf(&spec, "pcapng:%s", c->write_to) < 0)
		return -ENOMEM;
	err = xcap_sink_open_opts(&c->sink, spec, c->x, &opts);
	free(spec);
	return err;
}

int capture_check(struct capture *c, const struct command *cmd, bool prints)
{
	if (c->ring_bytes & (c->ring_bytes - 1))
		return options_wrong(cmd, "--ring: %llu is not a power of two",
				     (unsigned long long)c->ring_bytes);
	if (!c->write_to || strcmp(c->write_to, "-"))
		return OPTIONS_RUN;
	if (prints || c->json)
		return options_wrong(cmd, "-w -: records in pcapng and in text cannot both go to "
				     "standard output");
	if (isatty(STDOUT_FILENO))
		return options_wrong(cmd, "-w -: pcapng is binary and standard output is a "
				     "terminal; name a file or a pipe");
	return OPTIONS_RUN;
}

/* What any of the sources still needs. */
static __u32 source_flags(struct xcap *x)
{
	__u32 flags = 0;

	for (int i = 0; i < xcap_nr_sources(x); i++) {
		struct xcap_source_info info = { .sz = sizeof(info) };

		if (!xcap_source_info(x, i, &info))
			flags |= info.flags;
	}
	return flags;
}

static int open_stream(const struct capture *c, struct xcap **out)
{
	struct xcap_opts opts = {
		.sz = sizeof(opts),
		.flags = (c->self ? XCAP_SELF : 0) | (c->no_owners ? XCAP_NO_OWNERS : 0),
		.snaplen = c->snaplen,
		.slack_us = c->slack_ns / 1000,
		.ring_kb = c->ring_bytes / 1024,
		.filter = c->filter,
	};

	return xcap_open(out, c->specs, &opts);
}

int capture_reopen(struct capture *c)
{
	struct xcap *x;
	int err = open_stream(c, &x);

	if (err)
		return err;
	interrupted = x;
	xcap_close(c->x);
	c->x = x;
	return 0;
}

int capture_open(struct capture *c)
{
	int err;

	one_of_each = c->managed;
	catch_signals();
	err = open_stream(c, &c->x);
	if (err) {
		fprintf(stderr, "%s: %s%s\n", c->called, xcap_errmsg(NULL),
			err == -EPERM && c->denied ? c->denied : "");
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	interrupted = c->x;
	err = c->write_to || c->sink_spec ? open_sink(c) : 0;
	if (err) {
		capture_failed(c);
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	err = c->opened ? c->opened(c) : OPTIONS_RUN;
	if (err != OPTIONS_RUN)
		return err;
	if (!all_files(c))
		c->running = running_open(c->called, c->sink_spec ?: c->write_to);
	err = privilege_drop(source_flags(c->x) & XCAP_SOURCE_NET_ADMIN);
	if (err) {
		fprintf(stderr, "%s: cannot give up privileges: %s; a seccomp filter or sandbox is "
			"in the way\n", c->called, strerror(-err));
		return EXIT_FAILED;
	}
	announce(c);
	return OPTIONS_RUN;
}

/* ---- the loop ---- */

/* Nobody reads what we write, or it cannot be written: no use in reading on. */
static void give_up(struct capture *c, int err)
{
	if (err != -EPIPE)
		c->failed = true;
	xcap_discard(c->x);
}

static int put(struct capture *c, const struct xcap_record *recs, int nr)
{
	int err = 0;

	if (c->sink)
		err = xcap_sink_put(c->sink, recs, nr);
	if (err && err != -EPIPE)
		capture_failed(c);
	if (!err && c->records)
		err = c->records(c, recs, nr);
	c->dirty = true;
	c->nr_records += nr;
	return err;
}

static int flush(struct capture *c)
{
	int err = 0;

	c->dirty = false;
	if (c->sink)
		err = xcap_sink_flush(c->sink);
	if (err && err != -EPIPE)
		capture_failed(c);
	if (!err && c->idle)
		err = c->idle(c);
	return err;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When something else than records is to be looked at. */
static int64_t next_date(const struct capture *c, int64_t now)
{
	int64_t until = earlier(c->tick ? c->tick_ns : INT64_MAX,
				c->running ? c->tell_ns : INT64_MAX);

	return c->look && !c->over ? earlier(until, now + LOOK_NS) : until;
}

/* How long to wait for records: none while something is to be flushed, else to the next date. */
static int timeout_ms(struct capture *c, int64_t now, int64_t deadline)
{
	int64_t until = earlier(next_date(c, now), deadline);

	if (c->dirty && (c->sink || c->idle))
		return 0;
	if (until == INT64_MAX)
		return -1;
	return until <= now ? 0 : (until - now + NS_PER_MS - 1) / NS_PER_MS;
}

static void tell(struct capture *c, int64_t now)
{
	if (!c->running || now < c->tell_ns)
		return;
	running_update(c->running, c->x);
	c->tell_ns = now + RUNNING_EVERY_NS;
}

void capture_tell(struct capture *c)
{
	tell(c, now_ns());
}

static void tick(struct capture *c, int64_t now)
{
	tell(c, now);
	if (!c->tick || now < c->tick_ns)
		return;
	c->tick(c);
	c->tick_ns = now + NS_PER_SEC;
}

/* Read until the stream ends, or something else ends it. */
static void read_all(struct capture *c)
{
	int64_t deadline = c->duration_ns ? c->started_ns + (int64_t)c->duration_ns : INT64_MAX;
	struct xcap_record recs[BATCH];
	bool stopped = false;
	int n, err = 0;

	while (!err) {
		int64_t now = now_ns();
		uint64_t left = c->count ? c->count - c->nr_records : BATCH;

		tick(c, now);
		if (c->look && !c->over)
			c->look(c);
		if (!stopped && (nr_signals || c->over || now >= deadline)) {
			xcap_stop(c->x);
			stopped = true;
			c->ended_ns = now;
			deadline = now + DRAIN_NS;
		}
		n = xcap_next_batch(c->x, recs, left < BATCH ? left : BATCH,
				    timeout_ms(c, now, deadline));
		if (n > 0) {
			err = put(c, recs, n);
			xcap_release(c->x, recs, n);
			if (stopped)
				deadline = now + DRAIN_NS;
			if (!err && c->count && c->nr_records >= c->count)
				return xcap_discard(c->x);
		} else if (n == 0) {
			if (c->dirty)
				err = flush(c);
			else if (stopped && now >= deadline)
				return;
		} else if (n == -ENODATA) {
			return;
		} else if (n != -EINTR && stopped) {
			return;
		} else if (n != -EINTR) {
			capture_failed(c);
			deadline = INT64_MIN;	/* drain what came before */
		}
	}
	give_up(c, err);
}

int64_t capture_running_ns(const struct capture *c)
{
	return now_ns() - c->started_ns;
}

void capture_run(struct capture *c)
{
	int err;

	c->started_ns = now_ns();
	c->tick_ns = c->started_ns + NS_PER_SEC;
	read_all(c);
	if (!c->ended_ns)
		c->ended_ns = now_ns();
	interrupted = NULL;
	xcap_stop(c->x);
	err = xcap_sink_close(c->sink);
	c->sink = NULL;
	if (err && err != -EPIPE && !c->failed)
		capture_failed(c);
	running_update(c->running, c->x);
}

int capture_exit_code(struct capture *c)
{
	struct xcap_stats stats = { .sz = sizeof(stats) };

	if (c->failed)
		return EXIT_FAILED;
	if (!c->strict || xcap_stats(c->x, -1, &stats))
		return EXIT_DONE;
	/* what came after the end that was asked for is not lost */
	return capture_dropped(&stats) > stats.dropped[XCAP_DROP_UNREAD] ? EXIT_LOSSY : EXIT_DONE;
}

void capture_close(struct capture *c)
{
	interrupted = NULL;
	running_close(c->running);
	xcap_sink_close(c->sink);
	xcap_close(c->x);
	free(c->specs);
}

/* ---- standard output ---- */

static const char *source_name(void *user, int i)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	struct capture *c = user;

	return xcap_source_info(c->x, i, &info) ? "?" : info.spec;
}

void capture_text(struct capture *c, struct text *t)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	int nr_packets = 0;

	for (int i = 0; i < xcap_nr_sources(c->x); i++)
		if (!xcap_source_info(c->x, i, &info) && strcmp(info.mode, "syscalls") &&
		    strcmp(info.mode, "probe"))
			nr_packets++;
	t->out = stdout;
	t->source = source_name;
	t->user = c;
	t->name_sources = nr_packets > 1;
}

int capture_printed(struct capture *c)
{
	int err = errno;

	if (!ferror(stdout))
		return 0;
	if (err == EPIPE)
		return -EPIPE;
	if (!c->failed)
		fprintf(stderr, "%s: cannot write to standard output: %s; make room, or write "
			"elsewhere\n", c->called, strerror(err));
	c->failed = true;
	return -EIO;
}

int capture_flush(struct capture *c)
{
	fflush(stdout);
	return capture_printed(c);
}
