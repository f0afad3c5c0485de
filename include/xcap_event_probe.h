/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   what the probes' BPF programs emit.
 * Out:  the same layout on both sides, and in files.
 * Owns: nothing. Part of xcap_event.h, which includes it; not installed.
 * Runs on: both sides; rules as there.
 *
 * Numbers and layouts stand in files: they are never changed, fields are appended only.
 */
#ifndef XCAP_EVENT_PROBE_H
#define XCAP_EVENT_PROBE_H

/* Which probe made a record; the rows are in user/probe_table.c. */
enum {
	XPROBE_EXIT		= 1,
	XPROBE_TCPLIFE		= 2,
	XPROBE_TCPSTATES	= 3,
	XPROBE_RETRANS		= 4,
	XPROBE_DROPS		= 5,
	XPROBE_RESETS		= 6,
	XPROBE_DNS		= 7,
	XPROBE_LATENCY		= 8,
	XPROBE_SYSCOUNT		= 9,
	XPROBE_RUNQ		= 10,
	XPROBE_SIGNALS		= 11,
	XPROBE_LISTEN		= 12,
	XPROBE_SOCKETS		= 13,
	XPROBE_XDP		= 14,
	XPROBE_SOFTIRQ		= 15,
	XPROBE_MAX		= 16,
};

/*
 * XEV_PROBE: what the probe has to say follows, up to ev.len. ev.pid and ev.tid: the task that did
 * it, where there is one; else the process that uses the socket of cookie is found by the reader.
 */
struct xcap_ev_probe {
	struct xcap_ev ev;
	__u32 probe;		/* XPROBE_ */
	__u32 uid;
	__u64 cookie;		/* socket whose process is wanted; 0 none */
	__u64 cgroup_id;	/* the task's; 0 not told */
	char  comm[16];		/* the task's, NUL-terminated; "" not told */
	__u8  data[];
};
_Static_assert(sizeof(struct xcap_ev_probe) == 64, "layout");

/* Two ends of a connection, or one: the others are 0. */
struct xprobe_flow {
	__u8  saddr[16];	/* this host's; IPv4 as ::ffff:a.b.c.d; all zero: any, or none */
	__u8  daddr[16];
	__u16 sport;		/* host order; 0 none */
	__u16 dport;
	__u8  family;		/* AF_INET, AF_INET6; 0 not known */
	__u8  protocol;		/* IPPROTO_ */
	__u16 reserved;
};
_Static_assert(sizeof(struct xprobe_flow) == 40, "layout");

/* Slot i counts what lies in [2^i, 2^(i+1)) ns; slot 0 also 0 ns, the last one all the rest. */
#define XPROBE_SLOTS 40

struct xprobe_hist {
	__u64 count;
	__u64 total_ns;
	__u64 max_ns;
	__u64 slots[XPROBE_SLOTS];
};
_Static_assert(sizeof(struct xprobe_hist) == 344, "layout");

struct xprobe_exit {
	__s32 status;		/* exit(status); 0 if a signal ended it */
	__u32 signal;		/* that ended it; 0 none */
	__u64 age_ns;		/* since it was made */
	__u32 ppid;
	__u32 dumped;		/* 1: it left a core */
};
_Static_assert(sizeof(struct xprobe_exit) == 24, "layout");

/* Who opened a connection. */
enum {
	XPROBE_ROLE_UNKNOWN	= 0,	/* it was there when the probe began */
	XPROBE_ROLE_CLIENT	= 1,
	XPROBE_ROLE_SERVER	= 2,
};

struct xprobe_tcplife {
	struct xprobe_flow flow;
	__u64 bytes_in;		/* in order; without what SYN and FIN count */
	__u64 bytes_out;	/* that the other end has acknowledged, likewise */
	__u64 duration_ns;	/* since the first SYN; a server's, since the connection was made;
				   0 not known */
	__u64 connect_ns;	/* of that, until it was established; 0 never, or not known */
	__u64 rtt_ns;		/* smoothed; 0 not known */
	__u32 retrans;		/* segments sent again */
	__u32 role;		/* XPROBE_ROLE_ */
	__u32 state;		/* TCP_ state that it had until now */
	__u32 error;		/* errno that the process gets; 0 none */
};
_Static_assert(sizeof(struct xprobe_tcplife) == 96, "layout");

struct xprobe_tcpstates {
	struct xprobe_flow flow;	/* what of it is known by then */
	__u64 cookie;		/* of the socket */
	__u64 held_ns;		/* time in the old state; 0 not known, or it is new */
	__u32 from;		/* TCP_ state */
	__u32 to;
};
_Static_assert(sizeof(struct xprobe_tcpstates) == 64, "layout");

/* xprobe_retrans.kind */
enum {
	XPROBE_RETRANS_DATA	= 0,
	XPROBE_RETRANS_SYNACK	= 1,
	XPROBE_RETRANS_SYN	= 2,
	XPROBE_RETRANS_FIN	= 3,	/* with nothing else */
};

/* xprobe_retrans.cause */
enum {
	XPROBE_RETRANS_TIMEOUT	= 0,
	XPROBE_RETRANS_RECOVERY	= 1,	/* acknowledgements showed a hole */
	XPROBE_RETRANS_PROBE	= 2,	/* of the end, to learn whether something is lost */
};

struct xprobe_retrans {
	struct xprobe_flow flow;
	__u32 state;		/* TCP_ state */
	__u32 kind;		/* XPROBE_RETRANS_ */
	__u32 cause;		/* XPROBE_RETRANS_ */
	__u32 segs;		/* that the network gets */
	__u32 bytes;		/* of data */
	__s32 error;		/* why it could not be sent: -errno; 0 it was */
};
_Static_assert(sizeof(struct xprobe_retrans) == 64, "layout");

struct xprobe_resets {
	struct xprobe_flow flow;
	__u32 state;		/* TCP_ state of the socket; 0 there is none */
	__u32 received;		/* 0 sent */
	char  reason[32];	/* NUL-terminated, as this kernel names it; "-" not told */
};
_Static_assert(sizeof(struct xprobe_resets) == 80, "layout");

#define XPROBE_DNS_NONE (-1)	/* xprobe_dns.rcode: no answer has come */
#define XPROBE_DNS_QUESTION 260	/* the longest name, type, class, and a byte */

struct xprobe_dns {
	struct xprobe_flow flow;
	__u64 latency_ns;	/* until the answer; without one, until it was given up */
	__s32 rcode;		/* of the answer; XPROBE_DNS_NONE */
	__u16 answers;		/* records in it */
	__u16 id;
	__u16 truncated;	/* 1: the answer did not fit */
	__u16 question_len;
	__u8  question[XPROBE_DNS_QUESTION];	/* as it was sent: name, type, class; then
						   anything. Hostile. */
};
_Static_assert(sizeof(struct xprobe_dns) == 320, "layout");

/*
 * A packet that was thrown away. flow.saddr and sport are its source, flow.daddr and dport its
 * destination: whether this host is either is not for us to say.
 */
struct xprobe_drops {
	struct xprobe_flow flow;
	__u32 code;		/* of the reason, in this kernel */
	__u32 bytes;		/* from where the kernel had come to */
	__u16 ethertype;	/* host order; 0 not known */
	__u16 reserved;
	__u32 reserved2;
	char  device[16];	/* NUL-terminated, as the other texts; "" not known */
	char  reason[32];	/* as this kernel names it */
	char  place[64];	/* of the kernel's code: "tcp_v4_rcv+0x8a/0xe90" */
};
_Static_assert(sizeof(struct xprobe_drops) == 168, "layout");

/* xprobe_xdp.what */
enum {
	XXDP_EXCEPTION	= 1,	/* ABORTED, an action that there is none, a TX that failed */
	XXDP_REDIRECT	= 2,	/* there was nowhere to redirect it to */
	XXDP_DEVMAP	= 3,	/* the other device did not take them */
	XXDP_CPUMAP	= 4,	/* the other CPU did not, or there was no memory there */
	XXDP_TX		= 5,	/* this device did not take them back */
};

/* What XDP lost. */
struct xprobe_xdp {
	__u32 what;		/* XXDP_ */
	__u32 action;		/* XDP_ action that the program returned */
	__u32 error;		/* errno; 0 not told */
	__u32 lost;		/* frames */
	__u32 prog;		/* id of the program; 0 not told */
	__u32 map;		/* id of the map; 0 not told */
	__u32 index;		/* redirect: in the map; cpumap: the CPU */
	__u32 reserved;
	char  device[16];	/* NUL-terminated; "" not told */
	char  to[16];		/* devmap: the other device */
};
_Static_assert(sizeof(struct xprobe_xdp) == 64, "layout");

/* A socket that waits for who comes: TCP that listens, UDP that is bound and not connected. */
struct xprobe_listen {
	struct xprobe_flow flow;	/* its own end */
	__u32 backlog;		/* TCP: connections that wait to be accepted */
	__u32 backlog_max;
	__u64 inode;
	__u64 netns;		/* cookie */
};
_Static_assert(sizeof(struct xprobe_listen) == 64, "layout");

/* A socket with another end. */
struct xprobe_sockets {
	struct xprobe_flow flow;
	__u32 state;		/* TCP_ state */
	__u32 rx_queue;		/* bytes that the process has not read; of UDP with overhead */
	__u32 tx_queue;		/* bytes the other end has not acknowledged; UDP: not sent yet */
	__u32 reserved;
	__u64 bytes_in;		/* TCP: received in order */
	__u64 bytes_out;	/* TCP: acknowledged by the other end */
	__u64 inode;
	__u64 netns;		/* cookie */
};
_Static_assert(sizeof(struct xprobe_sockets) == 88, "layout");

/* xprobe_signals.result; those up to 4 as the kernel has them */
enum {
	XSIGNAL_DELIVERED	= 0,
	XSIGNAL_IGNORED		= 1,
	XSIGNAL_PENDING		= 2,	/* the same one was pending: there is no second */
	XSIGNAL_OVERFLOW	= 3,	/* too many are queued: lost */
	XSIGNAL_NO_INFO		= 4,	/* delivered, without what came with it */
	XSIGNAL_BLOCKED		= 5,	/* waits until it is unblocked */
};

/* The task of the record sent it; none: the kernel did, for nobody in particular. */
struct xprobe_signals {
	__u32 signal;
	__s32 code;		/* SI_USER, SI_KERNEL, ... */
	__u32 to_pid;
	__u32 to_tid;
	__u32 group;		/* 1: to the process; 0: to the thread */
	__u32 result;		/* XSIGNAL_ */
	char  to_comm[16];
};
_Static_assert(sizeof(struct xprobe_signals) == 40, "layout");

/*
 * Totals since the probe began: a row of a table that the kernel keeps. Its record comes again
 * when it has grown.
 */
struct xprobe_latency {
	__u32 nr;		/* of the system call */
	__u32 compat;		/* 1: of the 32-bit ABI */
	__u64 errors;		/* of hist.count, calls that failed */
	struct xprobe_hist hist;
};
_Static_assert(sizeof(struct xprobe_latency) == 360, "layout");

struct xprobe_syscount {
	__u32 nr;
	__u32 compat;
	__u64 count;		/* of calls that returned */
	__u64 errors;		/* of them */
};
_Static_assert(sizeof(struct xprobe_syscount) == 24, "layout");

/* How long threads of the process waited for a CPU. */
struct xprobe_runq {
	__u64 preempted;	/* of hist.count, waits that began with a CPU taken away */
	struct xprobe_hist hist;
};
_Static_assert(sizeof(struct xprobe_runq) == 352, "layout");

struct xprobe_softirq {
	__u32 vec;		/* as rows of /proc/softirqs */
	__u32 reserved;
	struct xprobe_hist hist;
};
_Static_assert(sizeof(struct xprobe_softirq) == 352, "layout");

#endif
