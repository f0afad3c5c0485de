/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xcap - packets and system calls as one stream in time order
 *
 *	driver/XDP - AF_XDP UMEM ring  \
 *	XDP/TCX copy - BPF ring buffer  \
 *	tracepoints - BPF ring buffers   > source - merge - stream - your loop, sink
 *	pcap/pcapng file, pipe          /
 *
 * A program that prints ten records:
 *
 *	struct xcap_record r;
 *	struct xcap *x;
 *
 *	if (xcap_open(&x, "tap:eth0,syscalls", NULL)) {
 *		fprintf(stderr, "%s\n", xcap_errmsg(NULL));
 *		return 1;
 *	}
 *	for (int i = 0; i < 10 && xcap_next(x, &r, -1) == 1; i++) {
 *		printf("%lld %s %u bytes\n", (long long)r.wall_ns, r.comm, r.len);
 *		xcap_release(x, &r, 1);
 *	}
 *	xcap_close(x);
 *
 * Every function that can fail returns a negative errno and leaves a sentence
 * for people in xcap_errmsg(). The library never prints, exits, forks, or
 * touches signals and limits. One thread per handle; handles are independent.
 */
#ifndef XCAP_H
#define XCAP_H

#include <stddef.h>
#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XCAP_API __attribute__((visibility("default")))

/* ---- version ---- */

#define XCAP_VERSION_MAJOR 0
#define XCAP_VERSION_MINOR 1
#define XCAP_VERSION_PATCH 0

/**
 * xcap_version - the library's version
 *
 * Return: a constant string, "0.1.0".
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_version(void);

/* ---- record ---- */

/* What a record is. */
enum xcap_type {
	XCAP_PACKET	= 1,
	XCAP_SYS_ENTER	= 2,
	XCAP_SYS_EXIT	= 3,
	XCAP_SWITCH	= 4,
	XCAP_LOSS	= 5,
	XCAP_PROBE	= 6,	/* xcap_probe.h reads its fields */
};

/* xcap_record.flags */
#define XCAP_REC_LATE	(1u << 0)	/* came after its turn; its time is true */
#define XCAP_REC_COMPAT	(1u << 1)	/* a 32-bit call: number and arguments are 32 bit's */
#define XCAP_REC_JOINED	(1u << 2)	/* frame over several chunks, joined by a copy */

#define XCAP_CPU_UNKNOWN 0xffff	/* xcap_record.cpu */
#define XCAP_UID_UNKNOWN 0xffffffff	/* xcap_record.uid, from foreign files */

/* xcap_record.direction */
#define XCAP_DIR_NONE	0		/* not a packet, or not known */
#define XCAP_DIR_IN	1
#define XCAP_DIR_OUT	2

/* xcap_record.linktype of packets: the LINKTYPE_ value of pcap savefiles */
#define XCAP_LINK_ETHERNET 1

/* xcap_record.owner: how it is known which process a packet belongs to */
#define XCAP_OWNER_NONE		0	/* it is not known */
#define XCAP_OWNER_SOCKET	1	/* the process that uses the packet's socket */
#define XCAP_OWNER_LISTENER	2	/* it listens there, and nobody has accepted yet */
#define XCAP_OWNER_SEEDED	3	/* it held the socket when the capture began */
#define XCAP_OWNER_CLOSED	4	/* it had the socket, which is closed */

/* A process as it has been since it was made, or since its last exec. Strings are never NULL. */
struct xcap_process {
	__u32 pid;		/* thread group id, as xcap_record.pid */
	__u32 ppid;		/* of the process that made it; 0 not known */
	__s64 start_ns;		/* when it was made, ns since the epoch; 0 not known */
	const char *exe;	/* path of its program, as /proc/PID/exe; "" not known, or none */
	const char *args;	/* its arguments, a NUL behind each; may be cut at its end */
	__u32 args_len;		/* bytes at args, the last NUL included; 0 not known */
	__u32 reserved;
};

/* A cgroup, and what its name says of a container. Strings are never NULL; "" not known. */
struct xcap_cgroup {
	__u64 id;			/* as xcap_record.cgroup_id */
	const char *path;		/* from the root: "/system.slice/ssh.service" */
	const char *runtime;		/* "docker", "containerd", "podman", "systemd", ... */
	const char *container;		/* the container's id */
	const char *container_name;	/* its name, where anything tells it */
	const char *pod;		/* the pod's uid, in Kubernetes */
	const char *unit;		/* systemd's unit: "ssh.service" */
};

/*
 * One record, lent until it is given back by xcap_release(). (l) is written by
 * the library from what the kernel side wrote, (p) is the library's own: leave
 * it alone.
 */
struct xcap_record {
	__s64 mono_ns;		/* (l) CLOCK_MONOTONIC; negative: a file's, before this boot */
	__s64 wall_ns;		/* (l) the same instant, ns since the epoch */
	const __u8 *data;	/* (l) packet: the frame; else for who reads arguments, fields */
	__u32 caplen;		/* (l) bytes at data */
	__u32 len;		/* (l) bytes on the wire */
	__u16 source;		/* (l) index of the spec, in the order they were opened */
	__u16 cpu;		/* (l) CPU it happened on; XCAP_CPU_UNKNOWN from foreign files */
	__u8  type;		/* (l) enum xcap_type */
	__u8  direction;	/* (l) XCAP_DIR_ */
	__u16 flags;		/* (l) XCAP_REC_ */
	__u32 pid;		/* (l) process (thread group) id; 0 not known */
	__u32 tid;		/* (l) thread id; 0 not known, or the idle task */
	char  comm[16];		/* (l) the task's name at that instant; "" not known */
	__u64 cgroup_id;	/* (l) cgroup v2 id; 0 not known */
	__u32 uid;		/* (l) user id, if comm is known; XCAP_UID_UNKNOWN */
	__u32 ifindex;		/* (l) packet: interface; 0 from a file */
	__u8  owner;		/* (l) packet: XCAP_OWNER_, how pid is known */
	__u8  epoch;		/* (p) */
	__u16 reserved;
	__u32 trees;		/* (p) */
	/* (l) lent as data is; NULL not known */
	const struct xcap_process *process;
	const struct xcap_cgroup *cgroup;
	__u64 place;		/* (p) */
	union {
		struct {
			__u32 linktype;		/* LINKTYPE_ value */
			__u32 queue;		/* receive queue, where known */
			__u64 cookie;		/* of the socket that sent it; 0 not known */
		} packet;
		struct {
			__u32 nr;		/* syscall number of its ABI */
			__u32 reserved;
			const __u64 *args;	/* six arguments; lent as data is */
		} enter;
		struct {
			__u32 nr;
			__u32 reserved;
			__s64 ret;		/* result; -errno when it failed */
		} exit;
		struct {
			__u32 next_pid;		/* gets the CPU; pid and tid leave it */
			__u32 next_tid;
			char  next_comm[16];	/* "" not known */
			__u32 prev_state;	/* kernel's TASK_ state; 0 runnable */
			__u32 next_prio;
		} sw;
		struct {
			__u64 count;		/* records lost */
			__u32 where;		/* enum xcap_drop */
			__u32 reserved;
		} loss;
		struct {
			__u32 id;		/* which probe; xcap_probe_name() */
			__u32 reserved;
			__u64 cookie;		/* of the socket it tells of; 0 none */
		} probe;
	};
	__u32 lane;		/* (p) */
	__u32 span;		/* (p) */
};

/* ---- open, next, release, close ---- */

struct xcap;

/* xcap_opts.flags */
#define XCAP_SELF	(1u << 0)	/* this process's own syscalls too */
#define XCAP_PROMISC	(1u << 1)	/* interfaces see all frames, but for ?promisc=off */
#define XCAP_NO_OWNERS	(1u << 2)	/* packets need not name their process, but for ?owner=on */

/* Size first; zero means default in each field. Fields are only ever appended. */
struct xcap_opts {
	size_t sz;		/* sizeof(struct xcap_opts) */
	__u32 flags;		/* XCAP_SELF, XCAP_PROMISC, XCAP_NO_OWNERS */
	__u32 snaplen;		/* bytes kept of a packet; 0: 262144 */
	__u32 slack_us;		/* longest wait for a slow source; 0: 2000 */
	__u32 ring_kb;		/* BPF ring buffer per CPU, power of two; 0: 8192 */
	const char *filter;	/* filter expression, xcap(7); NULL: all */
};

/**
 * xcap_open - open one or several sources as one stream
 * @out:   the handle, written on success only
 * @specs: source specs, separated by commas ("tap:eth0,syscalls?only=connect")
 * @opts:  options, NULL for all defaults
 *
 * Everything is attached when it returns: what happens from then on is in the
 * stream. xcap(7) has the grammar of specs.
 *
 * Return: 0; -EINVAL a bad spec or option; -ENODEV no such interface; -EPERM
 *         missing privilege; -EBUSY another XDP program holds the hook;
 *         other -errno. xcap_errmsg(NULL) has the sentence.
 * Owns:   the caller, until xcap_close().
 * Threads: any; the handle then belongs to one thread at a time.
 * Since:  0.1
 */
XCAP_API int xcap_open(struct xcap **out, const char *specs, const struct xcap_opts *opts);

/**
 * xcap_next - lend the next record of the merged stream
 * @x:          handle
 * @rec:        out; its bytes stay valid until xcap_release() or xcap_close()
 * @timeout_ms: longest wait; 0 only looks, -1 waits without end
 *
 * Records come in non-decreasing mono_ns; one that came after its turn is
 * flagged XCAP_REC_LATE.
 *
 * Return: 1 one record; 0 time is up; -ENODATA every source has ended; -EINTR
 *         xcap_break() was called or a signal came (nothing is lost); other
 *         -errno, with a sentence in xcap_errmsg(x).
 * Owns:   the library owns the bytes; the caller gives them back.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_next(struct xcap *x, struct xcap_record *rec, int timeout_ms);

/**
 * xcap_next_batch - lend up to a number of records at once
 * @x:          handle
 * @recs:       out, room for @max records
 * @max:        at least 1
 * @timeout_ms: longest wait for the first; 0 only looks, -1 waits without end
 *
 * Return: the number of records, in order; else as xcap_next().
 * Owns:   as xcap_next().
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_next_batch(struct xcap *x, struct xcap_record *recs, int max, int timeout_ms);

/**
 * xcap_release - give lent records back
 * @x:    handle
 * @recs: records as they were lent
 * @nr:   how many
 *
 * Records of one source are given back oldest first; between sources any order
 * will do. What is not given back keeps room in the rings: a reader that holds
 * too much loses later records, which is counted.
 *
 * Owns:   the bytes go back to the library.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API void xcap_release(struct xcap *x, const struct xcap_record *recs, int nr);

/* Called by xcap_loop() for each record. */
typedef void (*xcap_handler)(void *user, const struct xcap_record *rec);

/**
 * xcap_loop - call a function for each record
 * @x:       handle
 * @max:     stop after so many; 0 or less: no limit
 * @handler: called in stream order; each record is released when it returns
 * @user:    handed to @handler
 *
 * Return: the number handled, when @max was reached or every source has ended;
 *         -EINTR after xcap_break(); other -errno.
 * Owns:   records are the library's again after each call.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_loop(struct xcap *x, int max, xcap_handler handler, void *user);

/**
 * xcap_break - make the waiting or next call return -EINTR
 * @x: handle
 *
 * Owns:   nothing.
 * Threads: any thread, and signal handlers, while the handle is open.
 * Since:  0.1
 */
XCAP_API void xcap_break(struct xcap *x);

/**
 * xcap_stop - detach everything; what is in the rings can still be read
 * @x: handle
 *
 * After it xcap_next() hands out what was captured before, then returns
 * -ENODATA, and the accounts close: seen = delivered + filtered + dropped.
 * Interfaces are given back to the host at once.
 *
 * Owns:   nothing.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API void xcap_stop(struct xcap *x);

/**
 * xcap_discard - read the stream to its end without handing it out
 * @x: handle, stopped by this call if it is not yet
 *
 * What was still in the rings is counted as dropped, place "unread", so that
 * the accounts of a reader that stops early close as well.
 *
 * Owns:   nothing; lent records stay valid.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API void xcap_discard(struct xcap *x);

/**
 * xcap_close - detach, free and forget
 * @x: handle, or NULL
 *
 * Owns:   lent records are invalid afterwards.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API void xcap_close(struct xcap *x);

/**
 * xcap_fd - a descriptor for select, poll and epoll
 * @x: handle
 *
 * Readable when xcap_next(x, r, 0) may have something. Call xcap_next() until
 * it returns 0 before waiting: that is what arms it.
 *
 * Return: the descriptor, or -errno.
 * Owns:   the library; do not close it.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_fd(struct xcap *x);

/**
 * xcap_set_filter - keep only records that match
 * @x:          handle
 * @expression: filter expression (xcap(7)); NULL or "" keeps all
 *
 * Holds for records of every source from the next batch on (xcap_next() has up to
 * 63 records in hand); an expression of pcap-filter(7) does not touch what is no
 * packet. If it asks for processes, and the handle was opened with XCAP_NO_OWNERS
 * and another filter, packets have none. What it
 * refuses is counted as filtered. Filters run in the kernel where they can, so that
 * what is refused is neither copied nor, by xsk:, taken from the host; what comes
 * meanwhile is judged by the filter before or by this one. Takes some
 * tens of milliseconds while packets are captured.
 *
 * Return: 0; else the filter before stays, and xcap_errmsg(x) says why: -EINVAL no
 *         filter; of xsk: -EOPNOTSUPP or -E2BIG the kernel cannot run it, and -EPERM
 *         the process has given up what is needed to load it.
 * Owns:   the expression is not kept.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_set_filter(struct xcap *x, const char *expression);

/**
 * xcap_followed - how many processes the filter's proc.tree terms follow
 * @x: handle
 *
 * Those named and their descendants that have not ended, as far as the stream has been read.
 *
 * Return: the number; -ENOENT the filter has no such term.
 * Owns:   nothing.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_followed(struct xcap *x);

/**
 * xcap_pid - the number that records and filters have for a process
 * @pid: its number in the caller's pid namespace
 *
 * Records have the numbers of the initial pid namespace. Where the caller runs in that, @pid is
 * the number, and nothing is asked. In another, a container's, it takes the privilege to capture.
 *
 * Return: the number; -ESRCH there is no such process; other -errno. All with a sentence in
 *         xcap_errmsg(NULL).
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_pid(int pid);

/**
 * xcap_explain_filter - what of a filter is decided where
 * @expression: filter expression (xcap(7)); NULL or "" is none
 * @buf:        out, lines for people, always ended by a NUL if there is room for one
 * @size:       bytes at @buf
 *
 * Says of packets, of system calls and of switches what the kernel decides where they
 * are met, and what is left to who reads them. Nothing is opened, and no privilege needed.
 *
 * Return: bytes of all lines without the NUL, as snprintf(): at @size or above they were
 *         cut; -EINVAL no filter, with a sentence in xcap_errmsg(NULL); -ENOMEM.
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_explain_filter(const char *expression, char *buf, size_t size);

/* ---- accounts ---- */

/* Where a record was lost. Names by xcap_drop_name(). */
enum xcap_drop {
	XCAP_DROP_NIC_MISSED	= 0,	/* NIC had no buffer */
	XCAP_DROP_XSK_NO_FRAME	= 1,	/* AF_XDP: no frame, or too small a one */
	XCAP_DROP_XSK_RING_FULL	= 2,	/* AF_XDP: rx ring full */
	XCAP_DROP_RING_FULL	= 3,	/* BPF ring buffer full */
	XCAP_DROP_RECURSION	= 4,	/* program skipped by recursion protection */
	XCAP_DROP_NO_META	= 5,	/* driver has no room for the time stamp */
	XCAP_DROP_HELD		= 6,	/* reader held too many frames */
	XCAP_DROP_UNREAD	= 7,	/* left in the rings when the reader stopped */
	XCAP_DROP_REDIRECT	= 8,	/* redirected, but no socket took it */
	XCAP_DROP_REFUSED	= 9,	/* the interface of a sink does not take such a frame */
	XCAP_DROP_WIRE		= 10,	/* the interface did not send it in time */
	XCAP_DROP_QUEUE		= 11,	/* the reader of a queue was too slow */
	XCAP_DROP_NO_READER	= 12,	/* its queue had no reader */
	XCAP_DROP_TABLE_FULL	= 13,	/* a probe's table had no room for another row */
	XCAP_DROP_MAX		= 14,
};

/* Size first; the library sets sz to what it filled. Counts are records. */
struct xcap_stats {
	size_t sz;		/* in: sizeof(struct xcap_stats); out: bytes filled */
	__u64 seen;		/* delivered + filtered + the sum of dropped, once stopped */
	__u64 delivered;	/* handed to the reader */
	__u64 filtered;		/* passed over on purpose */
	__u64 dropped[16];	/* by enum xcap_drop */
	__u64 packets;		/* of delivered */
	__u64 syscalls;		/* of delivered: enter and exit */
	__u64 switches;		/* of delivered */
	__u64 bytes;		/* wire bytes of delivered packets */
	__u64 late;		/* delivered after their turn, flagged */
	__u64 out_of_order;	/* steps back between unflagged records: always 0 */
	__u64 losses;		/* loss records handed out; not in delivered */
	__u64 fill_ring_empty;	/* AF_XDP: a cause, not a count of packets */
	__u64 names_lost;	/* of all sources: what would have told names and owners */
	__u64 probes;		/* of delivered */
};

/**
 * xcap_stats - the accounts of one source or of all
 * @x:      handle
 * @source: index of the spec, or -1 for the total
 * @stats:  in: sz; out: everything
 *
 * Return: 0; -EINVAL no such source, or sz is too small.
 * Owns:   the caller.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_stats(struct xcap *x, int source, struct xcap_stats *stats);

/**
 * xcap_drop_name - short name of a place where records are lost
 * @where: enum xcap_drop
 *
 * Return: a constant string such as "ring_full"; "unknown" out of range.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_drop_name(int where);

/**
 * xcap_nr_sources - how many sources the handle has
 * @x: handle
 *
 * Return: the number, at least 1.
 * Owns:   nothing.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_nr_sources(const struct xcap *x);

/* xcap_source_info.flags */
#define XCAP_SOURCE_NET_ADMIN	(1u << 0)	/* its end takes CAP_NET_ADMIN: busy_poll */

/* What a source is; strings live as long as the handle. */
struct xcap_source_info {
	size_t sz;		/* in: sizeof(struct xcap_source_info) */
	const char *spec;	/* canonical: "tap:eth0" where "eth0" was asked for */
	const char *mode;	/* "xsk zero-copy", "tap tcx", "syscalls", "file", ... */
	const char *note;	/* one sentence: what was chosen and why; "" nothing to say */
	__u32 ifindex;		/* 0: no interface */
	__u32 linktype;		/* LINKTYPE_ value of its packets */
	__u64 file_dev;		/* st_dev of the file or pipe that is read */
	__u64 file_ino;		/* its st_ino; both 0: no file */
	__u32 flags;		/* XCAP_SOURCE_ */
	__u32 reserved;
};

/**
 * xcap_source_info - what one source is and how it captures
 * @x:      handle
 * @source: index of the spec
 * @info:   in: sz; out: everything
 *
 * Return: 0; -EINVAL no such source, or sz is too small.
 * Owns:   the library owns the strings.
 * Threads: one thread per handle.
 * Since:  0.1
 */
XCAP_API int xcap_source_info(struct xcap *x, int source, struct xcap_source_info *info);

/* ---- what can be captured ---- */

/* xcap_iface.flags */
#define XCAP_IFACE_UP		(1u << 0)	/* set up by its administrator */
#define XCAP_IFACE_RUNNING	(1u << 1)	/* its carrier is there */
#define XCAP_IFACE_PROMISC	(1u << 2)

/* Something that -i can name. Strings live for the call only; "" not known. */
struct xcap_iface {
	size_t sz;		/* sizeof(struct xcap_iface) of the library */
	const char *name;	/* "eth0"; "syscalls", which is no interface */
	const char *driver;	/* "ixgbe" */
	const char *kind;	/* "veth", "bridge"; "" a device */
	const char *spec;	/* what the plain name means here: "tap:eth0", "xsk:eth0" */
	const char *why;	/* why so, one sentence */
	__u32 ifindex;		/* 0: no interface */
	__u32 mtu;		/* bytes */
	__u32 queues;		/* receive queues in use */
	__u32 flags;		/* XCAP_IFACE_ */
	__u32 xdp_prog_id;	/* XDP program that is there; 0 none */
	__u32 reserved;
};

/* Called by xcap_list() for each; not 0 ends the list. */
typedef int (*xcap_lister)(void *user, const struct xcap_iface *iface);

/**
 * xcap_list - what can be captured here, and how
 * @fn:   called for each interface in the order of their numbers, then for "syscalls"
 * @user: handed to @fn
 *
 * Looks at this network namespace and touches nothing.
 *
 * Return: 0; what @fn returned when that was not 0; -errno with a sentence in
 *         xcap_errmsg(NULL).
 * Owns:   the library; nothing outlives the call of @fn.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_list(xcap_lister fn, void *user);

/* ---- errors ---- */

/**
 * xcap_errmsg - the sentence for the last failure
 * @x: handle; NULL for the last failure of this thread that left no handle
 *
 * Return: one sentence without a newline; "" if nothing failed.
 * Owns:   the library; valid until the next failure.
 * Threads: one thread per handle; with NULL any, each has its own.
 * Since:  0.1
 */
XCAP_API const char *xcap_errmsg(const struct xcap *x);

/* ---- names ---- */

/**
 * xcap_owner_name - how a packet's owner is known, in one word
 * @owner: XCAP_OWNER_
 *
 * Return: a constant string such as "listener"; NULL: it is not known.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_owner_name(int owner);

/**
 * xcap_user_name - name of a user id, as /etc/passwd has it
 * @uid: user id
 *
 * Other databases are not asked: they may take seconds. A file that has changed is read
 * again, once a second at most.
 *
 * Return: the name, valid as long as the library is loaded; NULL: it has none there.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_user_name(__u32 uid);

/* ---- records for people ---- */

#define XCAP_TEXT_MAX 1400	/* room for most lines, with a NUL; a long path has more */

/**
 * xcap_record_text - what happened, in one line: "cat[9] > write(fd=1(/tmp/x), buf="hi", count=2)"
 * @rec:  a record that is no packet
 * @buf:  out, always ended by a NUL if there is room for one; NULL if @size is 0
 * @size: bytes at @buf
 *
 * "curl[7] < connect = -115 EINPROGRESS" is a result, "cat[9] < read(buf="hi") = 2" one that
 * came with bytes, "curl[7] -> bash[9] (S)" a context switch, "--- 42 lost (ring_full)" a
 * loss. Time, CPU and source are not in it. What would steer terminals is written \xNN.
 *
 * Return: bytes of the whole line without its NUL, as snprintf(): at @size or above it was
 *         cut, never within a character; -EINVAL a packet, or no record.
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_record_text(const struct xcap_record *rec, char *buf, size_t size);

/**
 * xcap_state_letter - the state that a task was left in
 * @prev_state: as in XCAP_SWITCH records
 *
 * Return: a letter as ps(1) has them: R S D T t X Z P I; '?'
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API char xcap_state_letter(__u32 prev_state);

/**
 * xcap_utf8 - the UTF-8 character at a place
 * @bytes: of any origin, such as a task's name
 * @size:  how many there are
 *
 * Return: its length, 1 to 4; less than 0 the same of a control character, which may
 *         steer a terminal; 0 what begins there is none.
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_utf8(const char *bytes, size_t size);

/* ---- writing what was read ---- */

struct xcap_sink;

/**
 * xcap_sink_open - open a place to write records to
 * @out:  the sink, written on success only
 * @spec: "FILE" or "pcapng:FILE"; "-" is standard output; "iface:NAME" a network
 *        interface that is made, and is gone when the sink is closed; "wire:NAME" an
 *        interface that is there, out of which it is sent (xcap(7), SENDING)
 * @x:    the stream whose sources are described in it
 *
 * A file is emptied first, unless it is one that @x reads; a new one is its owner's to read
 * alone: the data of system calls is in it. What an interface does not
 * take, or is not shown because its readers made it, xcap_stats() counts as dropped or
 * filtered, and no longer as delivered; what was still under way is settled by
 * xcap_sink_close(). No privilege is needed any more from here on.
 *
 * Return: 0; -EINVAL @x reads that file, or it is a terminal; -EEXIST there is such an
 *         interface; -ELOOP what is sent out of it would be captured by @x; -ENETDOWN it is
 *         down; other -errno; with a sentence in xcap_errmsg(x).
 * Owns:   the caller, until xcap_sink_close(); close it before @x.
 * Threads: one thread per sink, the same as @x.
 * Since:  0.1
 */
XCAP_API int xcap_sink_open(struct xcap_sink **out, const char *spec, struct xcap *x);

/* xcap_sink_opts.process: how a file says who is behind its records, beside their ids */
#define XCAP_PROCESS_BLOCKS	(1u << 0)	/* a block before the first record of a process */
#define XCAP_PROCESS_COMMENTS	(1u << 1)	/* comments on packets, for people */
#define XCAP_PROCESS_NOWHERE	(1u << 2)	/* alone: neither */

/* Size first; zero means default in each field. Fields are only ever appended. */
struct xcap_sink_opts {
	size_t sz;		/* sizeof(struct xcap_sink_opts) */
	__u32 process;		/* XCAP_PROCESS_; 0: blocks and comments */
	__u32 slots;		/* of each queue, a power of two; 0: 8192 */
	/* of "xcap:CLUSTER": queues of each application, "2,1"; NULL: "1" */
	const char *instances;
	const char *modes;	/* how each balances, "pid,fanout"; the last holds for the rest */
	__u32 more;		/* queues behind those, which get what readers hand on */
	__u32 allow_uid;	/* a user beside root and our own who may read; 0: none */
	__u32 allow_gid;	/* a group whose members may; 0: none */
	__u32 first;		/* number of the first of them; lower ones get nothing */
};

/**
 * xcap_sink_open_opts - open a place to write records to, other than by default
 * @out:  as xcap_sink_open()
 * @spec: as xcap_sink_open()
 * @x:    as xcap_sink_open()
 * @opts: options, NULL for all defaults; interfaces have none
 *
 * Return: as xcap_sink_open(); -EINVAL an option with a value that is not known; -E2BIG an
 *         option of a later version is set.
 * Owns:   as xcap_sink_open(); @opts is not kept.
 * Threads: one thread per sink, the same as @x.
 * Since:  0.1
 */
XCAP_API int xcap_sink_open_opts(struct xcap_sink **out, const char *spec, struct xcap *x,
				 const struct xcap_sink_opts *opts);

/**
 * xcap_sink_note - how records leave by a sink, for people
 * @s: sink
 *
 * Return: a text such as "AF_XDP copy at queue 0 of eth1"; "" there is nothing to say.
 * Owns:   the sink.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_sink_note(const struct xcap_sink *s);

/**
 * xcap_sink_put - write records
 * @s:    sink
 * @recs: records, in stream order
 * @nr:   how many
 *
 * Return: 0; -errno with a sentence in xcap_errmsg() of the stream. -EPIPE: the
 *         reader of the pipe is gone.
 * Owns:   records stay the caller's; nothing is kept.
 * Threads: one thread per sink.
 * Since:  0.1
 */
XCAP_API int xcap_sink_put(struct xcap_sink *s, const struct xcap_record *recs, int nr);

/**
 * xcap_sink_flush - hand everything put so far to the operating system
 * @s: sink
 *
 * Return: as xcap_sink_put().
 * Owns:   nothing.
 * Threads: one thread per sink.
 * Since:  0.1
 */
XCAP_API int xcap_sink_flush(struct xcap_sink *s);

/**
 * xcap_sink_close - write the final statistics, flush and close
 * @s: sink, or NULL
 *
 * Return: 0; -errno with a sentence in xcap_errmsg() of the stream.
 * Owns:   the sink is gone, also on failure.
 * Threads: one thread per sink.
 * Since:  0.1
 */
XCAP_API int xcap_sink_close(struct xcap_sink *s);

#ifdef __cplusplus
}
#endif

#include "xcap_call.h"
#include "xcap_cluster.h"
#include "xcap_probe.h"
#include "xcap_serve.h"

#endif
