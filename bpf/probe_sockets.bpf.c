// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   the open files of all processes, in all network namespaces.
 * Out:  of the probe listen, sockets that wait for who comes; of the probe sockets, those with
 *       another end. Each once a process, however many descriptors it has of it.
 * Owns: which were told.
 * Runs on: the process that reads the iterator.
 */
#include "probe_sock.bpf.h"

struct use {
	__u64 socket;
	__u64 tgid;
};

/*
 * key a socket and its process. Written and read by the program. Full: those of the processes
 * that came first go, which come no more.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct use);
	__type(value, __u8);
} told SEC(".maps");

struct listens {
	struct xcap_ev_probe head;
	struct xprobe_listen row;
};

struct connected {
	struct xcap_ev_probe head;
	struct xprobe_sockets row;
};

static __always_inline void put_head(struct xcap_ev_probe *head, struct task_struct *task,
				     __u32 size)
{
	head->ev.len = size;
	head->ev.type = XEV_PROBE;
	head->ev.cpu = 0xffff;
	head->probe = cfg.probe;
	probe_task(head, task);
}

static __always_inline void tell_listens(struct seq_file *seq, struct task_struct *task,
					 struct sock *sk, __u64 inode)
{
	struct listens r = {};

	put_head(&r.head, task, sizeof(r));
	flow_of(&r.row.flow, sk, BPF_CORE_READ(sk, sk_protocol));
	if (r.row.flow.protocol == PROTO_TCP) {
		r.row.backlog = BPF_CORE_READ(sk, sk_ack_backlog);
		r.row.backlog_max = BPF_CORE_READ(sk, sk_max_ack_backlog);
	}
	r.row.inode = inode;
	r.row.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	bpf_seq_write(seq, &r, sizeof(r));
}

/* Queues as ss has them. */
static __always_inline void put_tcp(struct xprobe_sockets *x, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	__u64 sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans);
	__s32 unread = BPF_CORE_READ(tp, rcv_nxt) - BPF_CORE_READ(tp, copied_seq);

	x->rx_queue = unread > 0 ? unread : 0;	/* a FIN that was read counts one */
	x->tx_queue = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_una);
	x->bytes_in = BPF_CORE_READ(tp, bytes_received);
	x->bytes_out = BPF_CORE_READ(tp, bytes_acked);
	if (x->bytes_out > sent)	/* SYN and FIN are no bytes */
		x->bytes_out = sent;
}

static __always_inline void put_udp(struct xprobe_sockets *x, struct sock *sk)
{
	x->rx_queue = BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter) -
		      BPF_CORE_READ((struct udp_sock *)sk, forward_deficit);
	x->tx_queue = BPF_CORE_READ(sk, sk_wmem_alloc.refs.counter) - 1;
}

static __always_inline void tell_connected(struct seq_file *seq, struct task_struct *task,
					   struct sock *sk, __u64 inode)
{
	struct connected r = {};

	put_head(&r.head, task, sizeof(r));
	flow_of(&r.row.flow, sk, BPF_CORE_READ(sk, sk_protocol));
	r.row.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (r.row.flow.protocol == PROTO_TCP)
		put_tcp(&r.row, sk);
	else
		put_udp(&r.row, sk);
	r.row.inode = inode;
	r.row.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	bpf_seq_write(seq, &r, sizeof(r));
}

/* Return: false: it is no socket of TCP or UDP, or of the other probe, or of none. */
static __always_inline bool is_wanted(struct sock *sk)
{
	__u32 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u32 protocol = BPF_CORE_READ(sk, sk_protocol);
	__u32 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	bool bound = BPF_CORE_READ(sk, __sk_common.skc_num);

	if ((family != AF_INET && family != AF_INET6) ||
	    (protocol != PROTO_TCP && protocol != PROTO_UDP))
		return false;
	if (cfg.probe == XPROBE_SOCKETS)
		return state != TCP_CLOSE && state != TCP_LISTEN;
	return state == (protocol == PROTO_TCP ? TCP_LISTEN : TCP_CLOSE) && bound;
}

SEC("iter/task_file")
int once(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct use use = {};
	struct socket *socket;
	struct sock *sk;
	__u64 inode;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : NULL;
	if (!sk || !is_wanted(sk))
		return 0;
	use.socket = (__u64)sk;
	use.tgid = task->tgid;
	if (!probe_is_first(&told, &use))
		return 0;
	inode = BPF_CORE_READ(file, f_inode, i_ino);
	if (cfg.probe == XPROBE_SOCKETS)
		tell_connected(ctx->meta->seq, task, sk, inode);
	else
		tell_listens(ctx->meta->seq, task, sk, inode);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
