// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   resets that TCP sends and receives.
 * Out:  a record for each.
 * Owns: the names of reasons.
 * Runs on: softirq, and the task that closes.
 */
#include "probe_sock.bpf.h"

/*
 * key reason, value its name, as this kernel has it. The library writes before anything is
 * attached, the program reads. Full: never, there are some thirty.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, char[32]);
} reasons SEC(".maps");

struct reset {
	struct sock *sk;	/* either may be NULL */
	struct sk_buff *skb;	/* that came in and asks for it */
	__u64 cookie;
	__u32 reason;
	bool received;
};

/* A listening socket is not what is reset. */
static __always_inline void tell(const struct reset *t)
{
	struct sock *sk = t->sk;
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct xcap_ev_probe *r;
	struct xprobe_resets *x;
	__u32 reason = t->reason;
	const char *name;
	struct emit e;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	r->cookie = t->cookie;
	x = (void *)r->data;
	if (state && state != TCP_LISTEN)
		flow_of(&x->flow, sk, PROTO_TCP);
	else
		flow_of_skb(&x->flow, t->skb);
	x->state = state;
	x->received = t->received;
	__builtin_memset(x->reason, 0, sizeof(x->reason));
	name = bpf_map_lookup_elem(&reasons, &reason);
	if (name && !t->received)
		__builtin_memcpy(x->reason, name, sizeof(x->reason));
	if (!x->reason[0])
		x->reason[0] = '-';
	emit_submit(r);
}

/*
 * Until 6.9 no reason is told, and what is sent by no socket is not. Since 6.13 the verifier knows
 * that both may be NULL, before it does not, and a test would be left out: so what is read from
 * are numbers, for which NULL reads as zeros.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(on_send)
{
	struct sock *sk = (void *)ctx[0];
	struct reset t = { .cookie = sk ? bpf_get_socket_cookie(sk) : 0 };

	bpf_probe_read_kernel(&t.sk, sizeof(t.sk), &ctx[0]);
	bpf_probe_read_kernel(&t.skb, sizeof(t.skb), &ctx[1]);
	if (bpf_core_enum_value_exists(enum sk_rst_reason, SK_RST_REASON_NO_SOCKET))
		t.reason = ctx[2];
	undisturbed(tell(&t));
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(on_receive, struct sock *sk)
{
	struct reset t = { .sk = sk, .cookie = bpf_get_socket_cookie(sk), .received = true };

	undisturbed(tell(&t));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
