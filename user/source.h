/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   the source contract: what merge.c and stream.c may ask of a source.
 * Out:  lanes (one per ring, queue or file), each lending records oldest first.
 * Owns: a source owns its kernel state and its records' bytes.
 * Runs on: the thread of the handle.
 *
 * A new source is one source_*.c with one `const struct source_ops`, and one
 * row in source.c.
 */
#ifndef XCAP_SOURCE_H
#define XCAP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <xcap.h>
#include "error.h"
#include "chunk_memory.h"
#include "parcel.h"

struct xcap_wanted;

#define SOURCE_SPEC_SIZE 256
#define SOURCE_MAX_OPTIONS 16

/* One parsed spec: "xsk:eth0?queues=0-3&snaplen=128". */
struct spec {
	char scheme[16];	/* "xsk"; "" plain name */
	char name[4096];	/* "eth0"; a file's path */
	struct {
		char key[16];
		char value[1024];
	} options[SOURCE_MAX_OPTIONS];
	int nr_options;
	bool hidden;		/* made by the stream for source_owner.c: no text says it */
	char text[SOURCE_SPEC_SIZE];	/* as it was written, cut if longer */
};

/* What the handle was opened with, resolved: no zero means default here. */
struct source_conf {
	uint32_t snaplen;
	uint32_t ring_bytes;	/* BPF ring buffer per CPU */
	int64_t  slack_ns;
	bool     self;		/* own syscalls too */
	bool     promisc;	/* interfaces see all frames, unless their spec says otherwise */
	const char *filter;	/* set it before a packet is copied; NULL: none, or open already */
	const struct xcap_wanted *wanted;	/* which calls the filter wants; NULL: all */
	bool     owners;	/* packets are to know their process, unless their spec differs */
	bool     merged;	/* there are other sources, which wait for this one's watermark */
	bool     given;		/* opened for another process, which will take it */
	const uint32_t *trees;	/* calls of these processes and descendants only are wanted */
	int nr_trees;		/* 0: of all */
	int tree_fd, tree_all_fd;	/* the maps of bpf/tree.bpf.h; -1 none */
	struct remote *remote;	/* who opens what takes privilege; NULL: we ourselves */
	const struct ssh_peer *ssh;	/* given: the reader's connection; NULL: look for ours */
};

struct source {
	const struct source_ops *ops;
	const struct source_conf *conf;
	struct error *err;	/* where open() writes its sentence */
	void *priv;		/* the source's own */
	uint16_t index;		/* in the handle: xcap_record.source */
	int nr_lanes;		/* set by open() */
	int64_t slack_ns;	/* longest wait for this source; INT64_MAX: no bound */
	int64_t nap_ns;		/* the reader may look away so long; 0: a millisecond and more */
	int64_t filter_ns;	/* packets not older passed the kernel's filter; INT64_MAX: none */
	uint32_t ifindex;
	uint32_t linktype;	/* LINKTYPE_ value of its packets */
	uint32_t flags;		/* XCAP_SOURCE_ */
	uint32_t wants;		/* SOURCE_WANTS_: what its records are joined with */
	bool loopback;		/* both ends of its packets are on this host */
	int tree_fd, tree_all_fd;	/* the hidden one's: for conf->tree_fd; -1 none */
	uint32_t *tree_all;		/* and mapped: 1 calls of all are wanted; or NULL */
	uint64_t file_dev;	/* st_dev of the file that is read */
	uint64_t file_ino;	/* its st_ino; both 0: no file */
	char spec[SOURCE_SPEC_SIZE];	/* canonical */
	char mode[32];		/* as xcap_source_info.mode */
	char note[512];		/* one sentence: what was chosen and why */
};

/* What a source counted itself; stream.c adds what it delivered and filtered. */
struct source_stats {
	uint64_t seen;
	uint64_t filtered;	/* by the source or its programs */
	uint64_t dropped[XCAP_DROP_MAX];
	uint64_t fill_ring_empty;
};

struct source_ops {
	const char *scheme;	/* "xsk", "tap", "file", ...; "" takes plain names */
	const char *help;	/* one line for people */
	const char *const *options;	/* keys it understands, NULL-terminated; NULL: none */
	bool nameless;			/* the scheme alone is a spec: "syscalls" */
	bool no_packets;		/* never */
	bool events;			/* records that are no packets, or may be */
	bool privileged;		/* conf->remote opens it, where there is one */
	uint32_t wants;			/* SOURCE_WANTS_ */
	uint32_t (*wants_of)(const struct spec *spec);	/* more, by what is named; or NULL */

	/*
	 * What can be said of a spec before anything is touched. All specs are checked before
	 * the first is opened, so that a slip in the second takes no frame by the first.
	 * NULL: nothing. Return: 0; -errno with a sentence.
	 */
	int (*check)(const struct spec *spec, struct error *err);

	/*
	 * Load, attach, map. On success everything is live. On failure returns -errno with a
	 * sentence through error_set(s->err, ...) and has freed what it made.
	 */
	int (*open)(struct source *s, const struct spec *spec);

	/*
	 * Lend up to max records of a lane, oldest first, each written in full (all fields of
	 * xcap_record but wall_ns and lane/span, unless the source is a file: then wall_ns
	 * too). A record whose type is SOURCE_TASK or above is for the tables only.
	 * Return: how many; 0 none now; -ENODATA the lane has ended; other -errno.
	 */
	int (*peek)(struct source *s, int lane, struct xcap_record *recs, int max);

	/* Give the n oldest lent records of the lane back. */
	void (*release)(struct source *s, int lane, int n);

	/*
	 * CLOCK_MONOTONIC ns: every record of the lane older than this has been lent by
	 * peek() already. INT64_MIN: nothing can be said.
	 */
	int64_t (*watermark)(struct source *s, int lane);

	/* Add what wakes the reader to an epoll set (EPOLLIN). NULL: nothing to wait for. */
	int (*arm)(struct source *s, int epoll_fd);

	/*
	 * true: the reader is about to sleep, wake it at the next record; false: it is awake.
	 * Return: 1 records are already there, do not sleep; 0. NULL: nothing to do.
	 */
	int (*sleep)(struct source *s, bool on);

	/*
	 * Detach: no new records, lanes end (-ENODATA) once they are drained. NULL: the
	 * lanes end by themselves.
	 */
	void (*stop)(struct source *s);

	/*
	 * From here on the kernel passes over packets that do not match a pcap expression, as
	 * conf->filter did from the start; NULL: over none. It may let some of them through,
	 * filter_ns says from when on it does not. NULL op: all are let through.
	 * Return: 0; -errno with a sentence, and nothing has changed.
	 */
	int (*filter)(struct source *s, const char *expression);

	/*
	 * The same of system calls and switches, as conf->wanted did from the start. What was
	 * under way is judged by the one or the other. NULL op: all are let through.
	 */
	void (*want)(struct source *s, const struct xcap_wanted *w);

	/* Only looks: on any thread and in signal handlers, while the source is open. */
	void (*stats)(struct source *s, struct source_stats *st);

	/* Takes NULL priv and half-built ones. */
	void (*close)(struct source *s);

	/*
	 * Privileged sources: one process opens it (conf->given) and gives what a reader needs;
	 * another takes that and reads, without privilege. start is called where it was opened,
	 * once the reader has it; until then records may wait, or not be made at all. Which of
	 * the two stops first does not matter. NULL start: nothing to do.
	 */
	int (*give)(struct source *s, struct parcel *p);
	int (*take)(struct source *s, struct parcel *p);
	int (*start)(struct source *s);

	/*
	 * The hidden one: may somebody have taken a socket over, since this was last asked, and
	 * no record tells it? From here on each socket's next use is told, whoever uses it.
	 */
	bool (*missed)(struct source *s);

	/*
	 * The interfaces that its packets come from, in this network namespace. Return: how many.
	 * NULL: s->ifindex, if there is one.
	 */
	int (*captures)(struct source *s, uint32_t *ifindexes, int max);

	/* A lent record goes to the next reader when it is released. NULL: there is none. */
	int (*hand_on)(struct source *s, const struct xcap_record *rec);

	/* Another process reads from here on: the one that forked off the last reader. */
	int (*adopt)(struct source *s);

	/*
	 * Sources whose frames stay in memory that other processes can map. A lent packet's
	 * chunk that is kept is not used again when the record is released, but when it is
	 * given up, in any order. NULL memory: bytes have to be copied. keep: false: there
	 * have to be enough for the kernel.
	 */
	int (*memory)(struct source *s, struct memory *m);
	bool (*keep)(struct source *s, uint32_t chunk);
	void (*unkeep)(struct source *s, uint32_t chunk);
};

/* The first of the internal record types: an xcap_ev at data, of the same type. */
#define SOURCE_TASK 7

/* What a source's records need to be joined with; source_owner.c provides it. */
#define SOURCE_WANTS_TASKS	(1u << 0)	/* names of tasks, processes, cgroups */
#define SOURCE_WANTS_SOCKETS	(1u << 1)	/* and owners of sockets */
#define SOURCE_WANTS_EARLY	(1u << 2)	/* and sees answers only, not what they answer */

/* ---- source.c: the grammar and the table ---- */

/**
 * spec_next - parse the first spec of a list
 * @list: in/out; moved behind the spec and its separator; *list == '\0' at the end
 * @spec: out
 * @err:  sentence on failure
 *
 * Specs are separated by commas, or by a plus before what can only be a spec of ours
 * ("eth0+syscalls"), for programs that split at commas; not behind a file's name.
 * In a name, a backslash takes the next character as it is: "file:a\\,b.pcap".
 * A comma inside the value of `only=` continues that list as long as syscall
 * names follow, inside that of `without=` as long as numbers do.
 * Return: 1 one spec; 0 the list is at its end; -EINVAL.
 */
int spec_next(const char **list, struct spec *spec, struct error *err);

/* Does the text name sources of ours, and not just an interface as any program knows it? */
bool spec_is_ours(const char *list);

/* Does opening any of them take privilege? */
bool spec_is_privileged(const char *list);

/* Value of an option, or NULL. */
const char *spec_option(const struct spec *spec, const char *key);

/*
 * Number with suffix K, M or G within [min, max]. Absent: *out stays. Return: 0 or
 * -EINVAL + sentence.
 */
int spec_number(const struct spec *spec, const char *key, uint64_t min, uint64_t max,
		uint64_t *out, struct error *err);

/* "on" or "off". Absent: *out stays. Return: 0 or -EINVAL + sentence. */
int spec_bool(const struct spec *spec, const char *key, bool *out, struct error *err);

/* Find the row, check the options and what can be checked. Return: 0; -errno with a sentence. */
int source_check(const struct spec *spec, const struct source_ops **ops, struct error *err);

/* A check for sources whose name is an interface: it is there. */
int source_check_interface(const struct spec *spec, struct error *err);

/* What its records need to be joined with, by its table row, its `owner=` and the handle's wish. */
uint32_t source_wants(const struct source_ops *ops, const struct spec *spec,
		      const struct source_conf *conf);

/* Check and open. s->conf, s->err and s->index are set by the caller. */
int source_open(struct source *s, const struct spec *spec);
void source_close(struct source *s);

/* Rows of the table, for `xcap list`; NULL after the last. */
const struct source_ops *source_row(int i);

/* The row of a scheme. Return: NULL: there is none. */
const struct source_ops *source_by_scheme(const char *scheme);

/* ---- one per source_*.c ---- */
extern const struct source_ops source_xsk_ops;
extern const struct source_ops source_tap_ops;
extern const struct source_ops source_syscalls_ops;
extern const struct source_ops source_file_ops;
extern const struct source_ops source_queue_ops;
extern const struct source_ops source_probe_ops;
extern const struct source_ops source_owner_ops;
extern const struct source_ops source_iface_ops;	/* plain "eth0": becomes xsk or tap */

#endif
