// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   changes of the state of TCP sockets.
 * Out:  a record for each.
 * Owns: when each socket changed last.
 * Runs on: task context and softirq.
 */
#include "probe_sock.bpf.h"

/* value when it changed last. Written and read by the program; goes with its socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} changed SEC(".maps");

static __always_inline void tell(struct sock *sk, int from, int to)
{
	struct xcap_ev_probe *r;
	struct xprobe_tcpstates *x;
	struct emit e;
	__u64 *last;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	r->cookie = bpf_get_socket_cookie(sk);
	x = (void *)r->data;
	flow_of(&x->flow, sk, PROTO_TCP);
	x->cookie = r->cookie;
	x->from = from;
	x->to = to;
	last = bpf_sk_storage_get(&changed, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	x->held_ns = last && *last ? r->ev.mono_ns - *last : 0;
	if (last)
		*last = r->ev.mono_ns;
	emit_submit(r);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int from, int to)
{
	if (BPF_CORE_READ(sk, sk_protocol) == PROTO_TCP)
		undisturbed(tell(sk, from, to));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
