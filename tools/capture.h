/* SPDX-License-Identifier: BSD-2-Clause */
/* What count and dump share: open, say so, read, write, end in order, and the account. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <xcap.h>
#include "options.h"

/* First member of the struct that a capturing command's options are written to. */
struct capture {
	/* from the options */
	char *specs;
	const char *filter;
	const char *write_to;
	uint64_t count;
	uint64_t duration_ns;
	uint64_t slack_ns;
	uint64_t snaplen;
	uint64_t ring_bytes;
	bool self;
	bool strict;
	bool quiet;
	bool json;

	/* from the command */
	const char *called;	/* for sentences on stderr */
	const char *denied;	/* what the sentence on a missing privilege ends with; or NULL */
	bool silent;		/* nothing there but what fails: somebody takes it for that */
	bool no_owners;		/* packets need not name their process */
	bool managed;		/* a second signal of another kind is no impatience */
	__u32 process_as;	/* xcap_sink_opts.process of -w */
	const char *sink_spec;	/* where records go, instead of -w; NULL: nowhere */
	struct xcap_sink_opts sink_opts;	/* of sink_spec */
	/* All is open, and privilege is given up next. Return: as capture_open(). NULL: nothing. */
	int (*opened)(struct capture *c);

	/*
	 * Records, lent for the call. NULL: only counted. Return: 0; -EPIPE reader gone;
	 * -errno said.
	 */
	int (*records)(struct capture *c, const struct xcap_record *recs, int nr);
	/*
	 * The stream is quiet: what was printed may be flushed. Return as records. NULL:
	 * nothing to do.
	 */
	int (*idle)(struct capture *c);
	/* About once a second. NULL: nothing to do. */
	void (*tick)(struct capture *c);
	/* Ten times a second, and when a child has ended: sets over. NULL: nothing to do. */
	void (*look)(struct capture *c);

	/* while it runs */
	struct xcap *x;
	struct xcap_sink *sink;
	int64_t started_ns;	/* CLOCK_MONOTONIC */
	int64_t ended_ns;
	int64_t tick_ns;	/* when the next tick is due */
	struct running *running;	/* told to others of this host; NULL: not */
	int64_t tell_ns;	/* when it is told next */
	uint64_t nr_records;	/* read so far */
	bool over;		/* tick or look says: end as after a signal */
	bool dirty;		/* records were handed on since the last flush */
	bool failed;		/* exit code 1 */
};

/*
 * The rows for it, and those of commands that have fewer; type is the command's struct, whose
 * member of type struct capture is c.
 */
#define CAPTURE_ROWS(type)									\
	CAPTURE_ROW_INTERFACE(type), CAPTURE_ROWS_EXTENT(type), CAPTURE_ROW_WRITE(type),	\
	CAPTURE_ROWS_SIZES(type), CAPTURE_ROW_SELF(type), CAPTURE_ROWS_RESULT(type)

#define CAPTURE_ROW_INTERFACE(type)								\
	{ 'i', "interface", OPTION_LIST, offsetof(type, c.specs), "SPEC",			\
	  "what to capture: an interface, tap:IF, xsk:IF, syscalls, file:PATH or - (standard "	\
	  "input); several with commas between them, or -i again", 0, 0 }

#define CAPTURE_ROWS_EXTENT(type)								\
	{ 'f', "filter", OPTION_TEXT, offsetof(type, c.filter), "FILTER",			\
	  "keep only what matches this filter: pcap's, and terms about processes and calls",	\
	  0, 0 },										\
	{ 'c', "count", OPTION_NUMBER, offsetof(type, c.count), "COUNT",			\
	  "end after so many records", 1, 0 },							\
	{ 0, "duration", OPTION_TIME, offsetof(type, c.duration_ns), "SECONDS",			\
	  "end after this time; also 500ms, 2m, 1h", 1000000, 0 }

#define CAPTURE_ROW_WRITE(type)									\
	{ 'w', "write", OPTION_TEXT, offsetof(type, c.write_to), "FILE",			\
	  "write the records to FILE in pcapng; - is standard output; wire:IF sends them out "	\
	  "of that interface", 0, 0 }

#define CAPTURE_ROWS_SIZES(type)								\
	{ 's', "snaplen", OPTION_SIZE, offsetof(type, c.snaplen), "BYTES",			\
	  "keep so many bytes of a packet (262144)", 1, 262144 },				\
	{ 0, "slack", OPTION_TIME, offsetof(type, c.slack_ns), "TIME",				\
	  "longest wait for a slow source before later records go on (2ms)", 1000, 60000000000 }, \
	{ 0, "ring", OPTION_SIZE, offsetof(type, c.ring_bytes), "BYTES",			\
	  "BPF ring buffer of each CPU, a power of two (8M)", 4096, 1u << 30 }

#define CAPTURE_ROW_SELF(type)									\
	{ 0, "self", OPTION_FLAG, offsetof(type, c.self), NULL,					\
	  "the capturing process's own system calls too", 0, 0 }

#define CAPTURE_ROWS_RESULT(type)								\
	{ 0, "strict", OPTION_FLAG, offsetof(type, c.strict), NULL,				\
	  "exit with 3 if records were dropped", 0, 0 },					\
	{ 0, "json", OPTION_FLAG, offsetof(type, c.json), NULL,					\
	  "for programs: JSON on standard output", 0, 0 }

struct running;
struct text;

/* Refuse what does not go together. Return: OPTIONS_RUN; 2 wrong use, said. */
int capture_check(struct capture *c, const struct command *cmd, bool prints);

/* Open the stream, and the sink of -w. Return: OPTIONS_RUN; the exit code after a sentence. */
int capture_open(struct capture *c);

/*
 * Files once more from their start, with the filter that c has now; other sources anew. Return: 0;
 * -errno with a sentence in xcap_errmsg(NULL), and nothing has changed.
 */
int capture_reopen(struct capture *c);

/* Before the second signal ends the process without waiting: fn, which may do what handlers may. */
void capture_at_kill(void (*fn)(void));

/* Make records text on standard output: the names of the sources, when to say them. */
void capture_text(struct capture *c, struct text *t);

/* Read to the end, the count, the time or the signal, and close the accounts. */
void capture_run(struct capture *c);

/*
 * After writing to standard output. Return: 0; -EPIPE the reader is gone; -EIO it cannot be
 * written, said once, and the exit code is 1.
 */
int capture_printed(struct capture *c);
int capture_flush(struct capture *c);

/* The account as text. */
void capture_account(struct capture *c, FILE *out);

/* The account as one object on one line. */
void capture_account_json(struct capture *c, FILE *out);

/* 0, 1 or 3, before it is closed. */
int capture_exit_code(struct capture *c);

/* Close everything; takes what was never opened. */
void capture_close(struct capture *c);

/*
 * Before capture_open(): a child that signals are for as well. The first one to ask for an end is
 * passed on to it, unless the terminal has done so; the next is for the capture.
 */
void capture_command(pid_t pid);

/* For who does not run capture_run(): tells others of this host how it stands, when that is due. */
void capture_tell(struct capture *c);

/* How long it has been reading. */
int64_t capture_running_ns(const struct capture *c);

/* The signal that asked for an end; 0 none. */
int capture_signal(void);

/* Sum over the places of xcap_stats.dropped. */
__u64 capture_dropped(const struct xcap_stats *stats);

/* Say on stderr what failed, with the library's sentence, and make the exit code 1. */
void capture_failed(struct capture *c);

#endif
