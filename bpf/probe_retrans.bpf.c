// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   what TCP sends again.
 * Out:  a record for each time.
 * Owns: nothing beyond its maps (emit.bpf.h).
 * Runs on: softirq, mostly; nobody's task did it.
 */
#include "probe_sock.bpf.h"

#define FLAG_FIN	0x01
#define FLAG_SYN	0x02
#define FLAG_ACK	0x10

#define CA_RECOVERY	3
#define CA_LOSS		4

static __always_inline __u32 kind_of(__u8 flags, __u32 bytes)
{
	if (flags & FLAG_SYN)
		return flags & FLAG_ACK ? XPROBE_RETRANS_SYNACK : XPROBE_RETRANS_SYN;
	return flags & FLAG_FIN && !bytes ? XPROBE_RETRANS_FIN : XPROBE_RETRANS_DATA;
}

static __always_inline __u32 cause_of(struct sock *sk)
{
	__u8 ca = BPF_CORE_READ_BITFIELD_PROBED((struct inet_connection_sock *)sk, icsk_ca_state);

	return ca == CA_LOSS ? XPROBE_RETRANS_TIMEOUT :
	       ca == CA_RECOVERY ? XPROBE_RETRANS_RECOVERY : XPROBE_RETRANS_PROBE;
}

static __always_inline void tell(struct sock *sk, struct sk_buff *skb, __s32 error)
{
	struct tcp_skb_cb *cb = (void *)__builtin_preserve_access_index(&skb->cb);
	struct xcap_ev_probe *r;
	struct xprobe_retrans *x;
	struct emit e;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	r->cookie = bpf_get_socket_cookie(sk);
	x = (void *)r->data;
	flow_of(&x->flow, sk, PROTO_TCP);
	x->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	x->bytes = BPF_CORE_READ(skb, len);
	x->kind = kind_of(BPF_CORE_READ(cb, tcp_flags), x->bytes);
	x->cause = cause_of(sk);
	x->segs = BPF_CORE_READ(cb, tcp_gso_segs);
	x->error = error;
	emit_submit(r);
}

/* of a connection that no socket stands for yet: the listening one does */
static __always_inline void tell_synack(struct sock *sk, struct sock *req)
{
	struct xcap_ev_probe *r;
	struct xprobe_retrans *x;
	struct emit e;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	r->cookie = bpf_get_socket_cookie(sk);
	x = (void *)r->data;
	flow_of(&x->flow, req, PROTO_TCP);
	x->state = BPF_CORE_READ(req, __sk_common.skc_state);
	x->bytes = 0;
	x->kind = XPROBE_RETRANS_SYNACK;
	x->cause = XPROBE_RETRANS_TIMEOUT;
	x->segs = 1;
	x->error = 0;
	emit_submit(r);
}

/* Until 6.15 only what could be sent is told; since then also what could not, and why. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_again, struct sock *sk, struct sk_buff *skb)
{
	__s32 error = 0;

	if (bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err))
		error = ctx[2];
	undisturbed(tell(sk, skb, error));
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(on_synack, struct sock *sk, struct sock *req)
{
	undisturbed(tell_synack(sk, req));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
