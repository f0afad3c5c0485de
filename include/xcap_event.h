/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   what the BPF programs emit, count and are configured with.
 * Out:  the same layout on both sides of the ring buffers and mapped arrays.
 * Owns: nothing. The one header that bpf/ and user/ share; it is not installed.
 * Runs on: both sides, so fixed-width fields only, naturally aligned, no holes.
 */
#ifndef XCAP_EVENT_H
#define XCAP_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/*
 * What a record is. The public names are enum xcap_type in xcap.h; stream.c
 * asserts that the two agree. From XEV_TASK on they never leave the library: they fill
 * the tables that other records are joined with.
 */
enum {
	XEV_PACKET	= 1,
	XEV_ENTER	= 2,
	XEV_EXIT	= 3,
	XEV_SWITCH	= 4,
	XEV_LOSS	= 5,
	XEV_PROBE	= 6,
	XEV_TASK	= 7,
	XEV_IMAGE	= 8,
	XEV_CGROUP	= 9,
	XEV_SOCK	= 10,
	XEV_MAX		= 11,
};

/* xcap_ev.flags */
enum {
	XEV_OUT		= 1 << 0,	/* packet: leaving the host; else coming in */
	XEV_COMPAT	= 1 << 1,	/* syscall: 32-bit call with 32-bit numbers */
	XEV_SEED	= 1 << 2,	/* task: was there before the capture began */
};

/* Every record in a BPF ring buffer begins with this. */
struct xcap_ev {
	__u64 mono_ns;		/* CLOCK_MONOTONIC, taken after the reservation */
	__u32 len;		/* bytes in use, this header included */
	__u8  type;		/* XEV_ type */
	__u8  flags;
	__u16 cpu;
	__u32 pid;		/* thread group, initial pid namespace; 0 unknown */
	__u32 tid;
};
_Static_assert(sizeof(struct xcap_ev) == 24, "layout");

/* XEV_PACKET: caplen bytes of frame follow. */
struct xcap_ev_packet {
	struct xcap_ev ev;
	__u32 ifindex;
	__u32 wire_len;		/* bytes on the wire, a restored VLAN tag included */
	__u32 caplen;		/* bytes that follow */
	__u32 queue;
	__u64 cookie;		/* of the socket that sent it; 0 none, or nobody wants to know */
	__u8  data[];
};
_Static_assert(sizeof(struct xcap_ev_packet) == 48, "layout");

/*
 * What an argument refers to: memory, an open file. Items stand behind xcap_ev_enter and
 * xcap_ev_exit up to ev.len, each followed by zeros up to a multiple of 8.
 */
struct xcap_ev_item {
	__u8  arg;		/* 0 to 5; XITEM_RESULT: what the call returned */
	__u8  kind;		/* XITEM_ */
	__u8  flags;		/* XITEM_CUT, XITEM_FAULT */
	__u8  reserved;
	__u32 len;		/* bytes that follow, without those zeros */
	__u64 whole;		/* bytes there were; strings: len if all are here */
};
_Static_assert(sizeof(struct xcap_ev_item) == 16, "layout");

#define XITEM_RESULT 6

/* xcap_ev_item.kind */
enum {
	XITEM_BYTES	= 1,	/* memory: a string without its NUL, a structure, data */
	XITEM_STRINGS	= 2,	/* strings of an array of pointers, each with its NUL */
	XITEM_HEAD	= 3,	/* the struct msghdr itself */
	XITEM_NAME	= 4,	/* the address that msg_name points to */
	XITEM_FILE	= 5,	/* struct xcap_ev_file, then its path without a NUL */
};

/* xcap_ev_item.flags */
enum {
	XITEM_CUT	= 1 << 0,	/* there was more */
	XITEM_FAULT	= 1 << 1,	/* what follows the len bytes could not be read */
	XITEM_CWD	= 1 << 2,	/* XITEM_FILE: the current directory, AT_FDCWD */
};

/* XITEM_FILE: what a descriptor is. */
struct xcap_ev_file {
	__u64 ino;
	__u64 cookie;		/* socket cookie; 0 none */
	__u8  kind;		/* XFILE_ */
	__u8  family;		/* sockets: AF_ */
	__u8  protocol;		/* sockets: IPPROTO_ */
	__u8  type;		/* sockets: SOCK_ */
	__u16 local_port;	/* host order */
	__u16 remote_port;
	__u8  local[16];	/* network order; IPv4: the first four */
	__u8  remote[16];
};
_Static_assert(sizeof(struct xcap_ev_file) == 56, "layout");

/* The public names are XCAP_FILE_ in xcap.h; call_args.c asserts that the two agree. */
enum {
	XFILE_OTHER	= 0,	/* path has what it is: "pipe:[4711]" */
	XFILE_PATH	= 1,
	XFILE_SOCKET	= 2,
};

/* XEV_ENTER: items follow. */
struct xcap_ev_enter {
	struct xcap_ev ev;
	__u32 nr;		/* syscall number of the ABI in flags */
	__u32 reserved;
	__u64 args[6];
};
_Static_assert(sizeof(struct xcap_ev_enter) == 80, "layout");

/* XEV_EXIT: items follow. */
struct xcap_ev_exit {
	struct xcap_ev ev;
	__u32 nr;
	__u32 reserved;
	__s64 ret;
};
_Static_assert(sizeof(struct xcap_ev_exit) == 40, "layout");

/* XEV_SWITCH: ev.pid and ev.tid leave the CPU, these get it. */
struct xcap_ev_switch {
	struct xcap_ev ev;
	__u32 next_pid;
	__u32 next_tid;
	__u32 prev_state;	/* TASK_ state that prev left in; 0 runnable */
	__u32 next_prio;
};
_Static_assert(sizeof(struct xcap_ev_switch) == 40, "layout");

/* What happened to the task in an XEV_TASK record. */
enum {
	XTASK_SEED	= 0,	/* found by the iterator at start */
	XTASK_FORK	= 1,
	XTASK_EXEC	= 2,
	XTASK_RENAME	= 3,
	XTASK_CGROUP	= 4,
	XTASK_UID	= 5,
	XTASK_EXIT	= 6,
	XTASK_CGROUP_ALL = 7,	/* all threads of the process moved, told of its leader */
	XTASK_GONE	= 8,	/* XTASK_EXIT of the last thread: the process has ended */
};

/* XEV_TASK: how the task is called from ev.mono_ns on. */
struct xcap_ev_task {
	struct xcap_ev ev;
	__u32 what;		/* XTASK_ */
	__u32 uid;
	__u64 cgroup_id;	/* cgroup v2 id */
	__u64 start_ns;		/* CLOCK_BOOTTIME when its process was made */
	__u32 ppid;		/* its process's parent, as getppid() */
	__u32 maker;		/* XTASK_FORK: process that made it; else as ppid */
	char  comm[16];		/* NUL-terminated */
};
_Static_assert(sizeof(struct xcap_ev_task) == 72, "layout");

/*
 * XEV_IMAGE: what the process of ev.pid runs from ev.mono_ns on. The path of its program, a NUL,
 * then its arguments, each with a NUL. Follows the task record of the same instant.
 */
struct xcap_ev_image {
	struct xcap_ev ev;
	__u32 exe_len;		/* bytes of the path, its NUL included */
	__u32 args_len;		/* bytes of arguments behind it */
	char  text[];
};
_Static_assert(sizeof(struct xcap_ev_image) == 32, "layout");
#define XCAP_IMAGE_EXE 4096	/* longest, with its NUL: that of a path */
#define XCAP_IMAGE_ARGS 2048	/* what is longer is cut */

/* XEV_CGROUP: the path of a cgroup, told before the first task record that has its id. */
struct xcap_ev_cgroup {
	struct xcap_ev ev;
	__u64 cgroup_id;
	__u32 path_len;		/* with its NUL */
	__u32 reserved;
	char  path[];
};
_Static_assert(sizeof(struct xcap_ev_cgroup) == 40, "layout");
#define XCAP_CGROUP_PATH 1024	/* longest, with its NUL */

/* What happened to the socket in an XEV_SOCK record. */
enum {
	XSOCK_SEED	= 0,	/* the task held it when the capture began */
	XSOCK_BORN	= 1,	/* the task made it, or accepted it */
	XSOCK_USED	= 2,	/* the task uses it, and is another, or its addresses are */
	XSOCK_STATE	= 3,	/* its state or addresses changed; the task may be any */
	XSOCK_CLOSED	= 4,
};

/* xcap_ev_sock.flags; of a record that has no ports, nothing is known */
enum {
	XSOCK_LISTENS	= 1 << 0,	/* TCP, waits for connections */
	XSOCK_ONLY6	= 1 << 1,	/* IPv6, and takes nothing by IPv4 */
};

/* XEV_SOCK: whose a socket is, and what packets it takes, from ev.mono_ns on. */
struct xcap_ev_sock {
	struct xcap_ev ev;	/* pid and tid: the task; 0 in XSOCK_STATE and XSOCK_CLOSED */
	__u64 cookie;
	__u64 netns;		/* cookie of its network namespace */
	__u64 cgroup_id;	/* the task's */
	__u32 uid;		/* the task's */
	__u8  what;		/* XSOCK_ */
	__u8  family;		/* AF_INET, AF_INET6 */
	__u8  protocol;		/* IPPROTO_ */
	__u8  flags;		/* XSOCK_ */
	__u16 local_port;	/* host order; ICMP: the identifier; 0 none yet */
	__u16 remote_port;	/* 0: not connected */
	__u32 device;		/* index of the interface that it is bound to; 0: to none */
	__u8  local[16];	/* IPv4 as ::ffff:a.b.c.d; all zero, or so but for ffff: any */
	__u8  remote[16];
};
_Static_assert(sizeof(struct xcap_ev_sock) == 96, "layout");

/*
 * Where a record can be lost, or given up on purpose. The public names are
 * XCAP_DROP_ in xcap.h; accounts.c asserts that the two agree.
 */
enum {
	XDROP_NIC_MISSED	= 0,	/* the NIC had no buffer (rx_missed_errors) */
	XDROP_XSK_NO_FRAME	= 1,	/* AF_XDP rx_dropped: no or too small a frame */
	XDROP_XSK_RING_FULL	= 2,	/* AF_XDP rx_ring_full */
	XDROP_RING_FULL		= 3,	/* a BPF ring buffer had no room */
	XDROP_RECURSION		= 4,	/* program skipped by recursion protection */
	XDROP_NO_META		= 5,	/* driver gave no room for the time stamp */
	XDROP_HELD		= 6,	/* frames ran out: reader held too many */
	XDROP_UNREAD		= 7,	/* left in the rings when the reader stopped */
	XDROP_REDIRECT		= 8,	/* redirected, but the socket never saw it */
	XDROP_REFUSED		= 9,	/* the device that shows records did not take it */
	XDROP_WIRE		= 10,	/* the interface did not send it in time */
	XDROP_QUEUE		= 11,	/* the reader of a queue was too slow */
	XDROP_NO_READER		= 12,	/* a queue had none */
	XDROP_TABLE_FULL	= 13,	/* a probe's table had no room for another row */
	XDROP_MAX		= 14,
};

/* XEV_LOSS: so many records were lost on this ring, between the record before and this one. */
struct xcap_ev_loss {
	struct xcap_ev ev;
	__u64 count;
	__u32 where;		/* XDROP_ */
	__u32 reserved;
};
_Static_assert(sizeof(struct xcap_ev_loss) == 40, "layout");

/*
 * One per CPU (or AF_XDP queue) in a BPF_F_MMAPABLE array: written by the
 * programs of that CPU only, read by the library. A cache line each, so that
 * CPUs do not disturb one another.
 */
struct xcap_cpu {
	__u64 seen;		/* records that a program looked at */
	__u64 filtered;		/* passed over on purpose, counted in seen */
	__u64 dropped;		/* no room, counted in seen */
	__u64 lost;		/* of those, not yet told by a loss record */
	__u64 redirected;	/* AF_XDP only: handed to the socket, counted in seen */
	__u64 no_meta;		/* AF_XDP only: passed on, no room for the stamp */
	__u64 alone;		/* sockets.bpf.c: calls that one of two programs saw alone */
	__u64 caller;		/* sockets.bpf.c: whose call the other was the last to begin with */
};
_Static_assert(sizeof(struct xcap_cpu) == 64, "layout");

/*
 * Slots of a prog array (bpf/filter.bpf.h). A filter that is set stands before the program that
 * captures; without one the slot is empty, and the program at the hook captures itself.
 */
enum {
	XPROG_FILTER_IN		= 0,
	XPROG_CAPTURE_IN	= 1,
	XPROG_FILTER_OUT	= 2,	/* where the two ways have a hook each */
	XPROG_CAPTURE_OUT	= 3,
	XPROG_MAX		= 4,
};

/* Reader to programs, in .bss. */
struct xcap_ctl {
	__u32 sleeping;		/* set before the reader sleeps, cleared by the first to wake it */
	__u32 round;		/* sockets.bpf.c: who uses a socket is told anew in each */
	__u32 reserved[14];
};
_Static_assert(sizeof(struct xcap_ctl) == 64, "layout");

/*
 * AF_XDP metadata: the 16 bytes in front of each frame in the UMEM. Without magic
 * nobody stamped the frame. An earlier frame of the chunk leaves the same magic: it
 * shows a driver that never brings the stamp along, and no single frame without one.
 */
#define XCAP_META_MAGIC 0x70616378	/* "xcap" */
struct xcap_meta {
	__u64 mono_ns;
	__u32 magic;
	__u16 cpu;
	__u16 flags;
};
_Static_assert(sizeof(struct xcap_meta) == 16, "layout");

/* ---- configuration: one `const volatile struct <file>_cfg cfg` per BPF file ---- */

#define XCAP_NR_SYSCALLS 512		/* numbers the bitmap has room for */

/* How what an argument refers to is read (bpf/args.bpf.h). */
enum {
	XREAD_NOTHING	= 0,
	XREAD_FILE	= 1,	/* a descriptor */
	XREAD_STRING	= 2,
	XREAD_DATA	= 3,	/* size * count bytes, at most cfg.data */
	XREAD_BYTES	= 4,	/* size * count bytes, at most XCAP_BYTES */
	XREAD_VIA	= 5,	/* as many bytes as the int says that count points to */
	XREAD_STRINGS	= 6,	/* pointers to strings, up to NULL */
	XREAD_IOV	= 7,	/* count struct iovec: data */
	XREAD_MSG	= 8,	/* struct msghdr: head, name, data */
	XREAD_MMSG	= 9,	/* the first of count struct mmsghdr: as that */
	XREAD_BITS	= 10,	/* count bits, in whole words */
};

#define XCAP_BYTES	4096	/* longest structure, array or string that is read whole */
#define XCAP_ADDRESS	128	/* longest socket address */
#define XCAP_NR_STRINGS	64	/* of an array of pointers */
#define XCAP_NR_IOV	64	/* of an array of struct iovec */
#define XCAP_DATA_MAX	65536	/* highest ?data= */

/* xcap_read.count: where the number of elements is, beside arguments 0 to 5 */
#define XCOUNT_ONE	7
#define XCOUNT_RESULT	6	/* bytes or elements that the call returned */

struct xcap_read {
	__u8  arg;		/* 0 to 5; XITEM_RESULT */
	__u8  how;		/* XREAD_ */
	__u8  count;		/* argument, or XCOUNT_ */
	__u8  limit;		/* data: argument that says how much has room there; 0 none */
	__u32 size;		/* bytes of an element */
};

/* What is read of a call. Value of an array, its key compat * XCAP_NR_SYSCALLS + number. */
struct xcap_plan {
	__u32 nr_enter;
	__u32 nr_exit;		/* done where the call has not failed */
	__u32 nr_exit_always;	/* the first of those also where it has */
	__u32 retold;		/* arguments that are told again where it has, a bit each */
	struct xcap_read enter[6];
	struct xcap_read exit[7];
};
_Static_assert(sizeof(struct xcap_plan) == 120, "layout");
#define XCAP_MAX_WITHOUT 8		/* processes that can be left out */

struct syscalls_cfg {
	__u32 only;		/* 1: the bitmap decides which numbers are wanted */
	__u32 hold_cpu;		/* 1: the kernel lets programs be preempted, they switch it off */
	__u64 wanted[2][XCAP_NR_SYSCALLS / 64];	/* by number; [1] 32-bit calls */
	__u32 nr_without;
	__u32 data;		/* bytes of data that are read, XCAP_DATA_MAX at most */
	__u32 room;		/* bytes of a CPU's room for items, a power of two */
	__u32 args;		/* 1: what arguments refer to is read */
	__u32 casts;		/* 1: the kernel has bpf_rdonly_cast() */
	__u32 tree;		/* 1: only of processes in the map of those who are followed */
	__u32 without[XCAP_MAX_WITHOUT];	/* thread groups, initial pid namespace */
};

struct sockets_cfg {
	__u32 hold_cpu;		/* 1: as in syscalls_cfg */
	__u32 tree;		/* 1: keep the map of processes that are followed */
	__u32 casts;		/* 1: as in syscalls_cfg */
	__u32 reserved;
};

struct tcx_copy_cfg {
	__u32 snaplen;
	__u32 ifindex;
	__u32 loopback;		/* 1: the outgoing copy is no record */
	__u32 owner;		/* 1: whose socket sent it is wanted */
};

struct xdp_copy_cfg {
	__u32 snaplen;
	__u32 ifindex;
};

struct xdp_redirect_cfg {
	__u32 ifindex;
	__u32 pass_host;	/* 1: ARP, ND and the ssh connection go to the host */
	__u8  ssh_remote[16];	/* IPv6 or v4-mapped address of the ssh client */
	__u8  ssh_local[16];
	__u16 ssh_remote_port;	/* network order; 0 no ssh connection to spare */
	__u16 ssh_local_port;
	__u32 shared;		/* 1: several CPUs may run one queue (generic hook) */
};

struct probe_cfg {
	__u32 probe;		/* XPROBE_: one object may have several */
	__u32 hold_cpu;		/* 1: as in syscalls_cfg */
	__u32 casts;		/* 1: as in syscalls_cfg */
	__u32 dynptrs;		/* 1: a packet's bytes are read wherever they are */
	__u32 tree;		/* totals: 1: only of processes that are followed */
	__u32 by_comm;		/* totals: 1: only of processes of this name */
	__u64 comm[2];		/* ended and filled up by NULs */
};

/* The device whose readers are looked for. */
struct readers_cfg {
	__u8  mac[6];		/* its own, which no other has */
	__u16 reserved;
};

/* ---- which system calls and switches a filter wants ---- */

/* What a term asks of the task or of the result. */
enum {
	XASK_PID	= 0,
	XASK_TID	= 1,
	XASK_UID	= 2,
	XASK_RET	= 3,
	XASK_ERRNO	= 4,
	XASK_NAME	= 5,
};

#define XWANT_TERMS	6	/* what holds of them is the number of a bit in a table */
#define XWANT_RANGES	32	/* values of all terms together */
#define XWANT_NAMES	16
#define XWANT_TABLES	32

/* A value that asks for a number; both ends belong to it, and there is something in it. */
struct xcap_range {
	__s64 from, to;
	__u32 what;		/* XASK_ */
	__u32 term;
};

/* A value that asks for a name, or how it begins: equal where mask has bits. */
struct xcap_name {
	__u64 text[2], mask[2];
	__u64 term;
};

/*
 * By kind and number each record has a table: is it wanted, for each way that the terms hold?
 * A term holds where one of its values is met, or, if it differs, none.
 */
struct xcap_wanted {
	__u8 calls[2][2][XCAP_NR_SYSCALLS];	/* index of a table; [1] exits, [1] 32-bit calls */
	__u8 beyond[2];				/* the same of higher numbers; [1] exits */
	__u8 switches;
	__u8 nr_ranges, nr_names;
	__u8 differs;				/* terms, as bits */
	__u8 reserved[2];
	__u8 asks[8];				/* by XASK_: which terms ask for that, as bits */
	__u64 tables[XWANT_TABLES];		/* [0] never, [1] always */
	struct xcap_range ranges[XWANT_RANGES];
	struct xcap_name names[XWANT_NAMES];
};
_Static_assert(sizeof(struct xcap_wanted) == 3728, "layout");

/* Whom a record would be about. */
struct xcap_subject {
	__u64 name[2];		/* NUL-padded */
	__s64 n[8];		/* by XASK_ */
	__u32 known;		/* terms that ask for what is known of it, as bits */
	__u32 reserved;
};

/*
 * From here on code, the same in both halves, so that one can be tested by the other. Without
 * jumps but those of the loops: verifiers walk both ways of each.
 */
#define XCAP_BOTH static inline __attribute__((always_inline))
#define XCAP_MAX_ERRNO 4095

XCAP_BOTH __u64 xcap_wanted_table(const struct xcap_wanted *w, __u32 exit, __u32 compat, __u32 nr)
{
	__u32 i = w->beyond[exit & 1];

	if (nr < XCAP_NR_SYSCALLS)
		i = w->calls[exit & 1][compat & 1][nr & (XCAP_NR_SYSCALLS - 1)];
	return w->tables[i & (XWANT_TABLES - 1)];
}

/* Return: 1 they differ; 0. Compilers make jumps of it where they see through it. */
XCAP_BOTH __u64 xcap_differ(__u64 a, __u64 b)
{
	__u64 d = a ^ b, minus = -d;

	__asm__ volatile("" : "+r"(minus));
	return (d | minus) >> 63;
}

/* Return: 1 n is within; 0. */
XCAP_BOTH __u64 xcap_within(const struct xcap_range *r, __u64 n)
{
	__u64 span = (__u64)r->to - (__u64)r->from, at = n - (__u64)r->from;
	__u64 rest = span - at;

	__asm__ volatile("" : "+r"(rest));
	return ~((~span & at) | (~(span ^ at) & rest)) >> 63;	/* no borrow */
}

/* Which terms have a value that is met, as bits. */
XCAP_BOTH __u32 xcap_wanted_met(const struct xcap_wanted *w, const struct xcap_subject *s)
{
	__u64 met = 0;

	for (__u32 k = 0; k < XWANT_RANGES && k < w->nr_ranges; k++) {
		const struct xcap_range *r = &w->ranges[k];

		met |= xcap_within(r, s->n[r->what & 7]) << (r->term & 31);
	}
	for (__u32 k = 0; k < XWANT_NAMES && k < w->nr_names; k++) {
		const struct xcap_name *v = &w->names[k];

		met |= (1 ^ (xcap_differ(s->name[0] & v->mask[0], v->text[0]) |
			     xcap_differ(s->name[1] & v->mask[1], v->text[1]))) << (v->term & 31);
	}
	return met & s->known;
}

/* What is known of a task: a name that is empty says that nothing is. other: it is switched to. */
XCAP_BOTH __u32 xcap_wanted_known(const struct xcap_wanted *w, const struct xcap_subject *s,
				  int other)
{
	__u32 known = (1u << XWANT_TERMS) - 1;

	if (!*(const char *)s->name)
		known &= ~(w->asks[XASK_NAME] | w->asks[XASK_UID]);
	if (other)
		known &= ~w->asks[XASK_UID];
	if (!s->n[XASK_ERRNO])
		known &= ~w->asks[XASK_ERRNO];
	return known;
}

XCAP_BOTH int xcap_wanted_asks(const struct xcap_wanted *w, __u64 table, __u32 met, __u32 known)
{
	return table >> ((met ^ w->differs) & known & 63) & 1;
}

#include "xcap_event_probe.h"

#endif
