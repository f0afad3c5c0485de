// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   changes of the state of TCP sockets.
 * Out:  a record for each connection that has ended, or has never come about.
 * Owns: what it remembers of each socket.
 * Runs on: task context and softirq.
 */
#include "probe_sock.bpf.h"

#define TCP_ESTABLISHED	1
#define TCP_SYN_RECV	3
#define TCP_FIN_WAIT1	4
#define TCP_FIN_WAIT2	5
#define TCP_LAST_ACK	9
#define TCP_CLOSING	11
#define SOCK_DONE	1	/* sk_flags: a FIN came in */

struct life {
	__u64 began_ns;
	__u64 established_ns;	/* 0: not yet */
	__u32 role;		/* XPROBE_ROLE_ */
	__u32 reserved;
};

/* value how the connection came about. Written and read by the program; goes with its socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct life);
} lives SEC(".maps");

static __always_inline void begin(struct sock *sk, __u32 role)
{
	struct life *l = bpf_sk_storage_get(&lives, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!l || l->began_ns)		/* two that connect to each other at once receive as well */
		return;
	l->began_ns = bpf_ktime_get_ns();
	l->role = role;
}

/* SYN and FIN have numbers in the stream, but are no bytes. */
static __always_inline void fill_bytes(struct xprobe_tcplife *x, struct tcp_sock *tp, int from)
{
	bool fin_sent = from == TCP_FIN_WAIT1 || from == TCP_FIN_WAIT2 || from == TCP_CLOSING ||
			from == TCP_LAST_ACK;
	struct sock *sk = (struct sock *)tp;
	__u64 sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);

	x->bytes_in = BPF_CORE_READ(tp, bytes_received);
	if (x->bytes_in && BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE & 1)
		x->bytes_in--;
	x->bytes_out = BPF_CORE_READ(tp, bytes_acked);
	if (x->bytes_out && fin_sent &&
	    BPF_CORE_READ(tp, snd_una) == BPF_CORE_READ(tp, write_seq))
		x->bytes_out--;
	if (x->bytes_out && x->role == XPROBE_ROLE_CLIENT)
		x->bytes_out--;
	/* it was there before: whether a SYN is among them is not known, but this is */
	if (x->role == XPROBE_ROLE_UNKNOWN && x->bytes_out > sent)
		x->bytes_out = sent;
}

static __always_inline void fill_life(struct xprobe_tcplife *x, const struct life *l, __u64 now)
{
	x->role = l ? l->role : XPROBE_ROLE_UNKNOWN;
	x->duration_ns = l ? now - l->began_ns : 0;
	x->connect_ns = l && l->established_ns ? l->established_ns - l->began_ns : 0;
}

static __always_inline void end(struct sock *sk, int from)
{
	struct life *l = bpf_sk_storage_get(&lives, sk, NULL, 0);
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	struct xcap_ev_probe *r;
	struct xprobe_tcplife *x;
	struct emit e;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	r->cookie = bpf_get_socket_cookie(sk);
	x = (void *)r->data;
	flow_of(&x->flow, sk, PROTO_TCP);
	fill_life(x, l, r->ev.mono_ns);
	fill_bytes(x, tp, from);
	x->state = from;
	x->error = BPF_CORE_READ(sk, sk_err);
	x->retrans = BPF_CORE_READ(tp, total_retrans);
	x->rtt_ns = (BPF_CORE_READ(tp, srtt_us) >> 3) * 1000ULL;
	emit_submit(r);
}

static __always_inline void change(struct sock *sk, int from, int to)
{
	struct life *l;

	switch (to) {
	case TCP_SYN_SENT:
		begin(sk, XPROBE_ROLE_CLIENT);
		break;
	case TCP_SYN_RECV:
		begin(sk, XPROBE_ROLE_SERVER);
		break;
	case TCP_ESTABLISHED:
		l = bpf_sk_storage_get(&lives, sk, NULL, 0);
		if (l)
			l->established_ns = bpf_ktime_get_ns();
		break;
	case TCP_CLOSE:
		if (from != TCP_LISTEN && from != TCP_CLOSE)
			end(sk, from);
		bpf_sk_storage_delete(&lives, sk);	/* it may connect again */
	}
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int from, int to)
{
	if (BPF_CORE_READ(sk, sk_protocol) == PROTO_TCP)
		undisturbed(change(sk, from, to));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
