// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   what happens to sockets of the internet families, and to tasks (tasks.bpf.h).
 * Out:  records for the tables that name who is behind a packet or a call.
 * Owns: nothing beyond its maps.
 * Runs on: the CPU of whoever does it, in task context and in softirq.
 *
 * A softirq may come between another program's reservation and its stamp, so times within these
 * rings may step back by microseconds. Nobody sees these records; the tables bear it.
 */
#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"

const volatile struct sockets_cfg cfg = {};

#include "tasks.bpf.h"

#define AF_INET		2
#define AF_INET6	10
#define PROTO_TCP	6
#define TCP_ESTABLISHED	1
#define TCP_LISTEN	10
#define SOCK_RAW	3

/* How user space was told that a socket is used. */
struct usage {
	__u32 tgid;
	__u16 local_port, remote_port;
	__u64 addresses;
	__u32 round;		/* ctl.round then */
	__u32 reserved;
};

/*
 * key socket cookie. Written and read by the programs. Full: the longest unused goes, and is told
 * again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct usage);
} used SEC(".maps");

static __always_inline void put_v4(__u8 *to, __be32 address)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	*(__be32 *)(to + 12) = address;
}

/* All but the header, what and cookie; sk may be any pointer to one. */
static __always_inline void fill_sock(struct xcap_ev_sock *r, struct sock *sk)
{
	r->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	r->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	r->protocol = BPF_CORE_READ(sk, sk_protocol);
	r->flags = 0;
	if (r->protocol == PROTO_TCP && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		r->flags = XSOCK_LISTENS;
	if (BPF_CORE_READ_BITFIELD_PROBED(&sk->__sk_common, skc_ipv6only))
		r->flags |= XSOCK_ONLY6;
	r->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (BPF_CORE_READ(sk, sk_type) == SOCK_RAW)
		r->local_port = 0;	/* what stands there is its protocol */
	r->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	r->device = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	if (r->family == AF_INET) {
		put_v4(r->local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		put_v4(r->remote, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		bpf_probe_read_kernel(r->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(r->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

static __always_inline void fill_user(struct xcap_ev_sock *r, struct task_struct *task)
{
	stamp_task(&r->ev, task);
	r->uid = BPF_CORE_READ(task, cred, uid.val);
	r->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

/* task NULL: nobody in particular. */
static __always_inline void emit_sock(struct sock *sk, __u64 cookie, __u8 what,
				      struct task_struct *task)
{
	struct xcap_ev_sock *r;
	struct emit e;

	if (!emit_begin(&e))
		return;
	r = emit_reserve(&e, sizeof(*r));
	if (!r)
		return;
	emit_stamp(&e, &r->ev, XEV_SOCK, sizeof(*r));
	r->cookie = cookie;
	r->what = what;
	r->uid = 0;
	r->cgroup_id = 0;
	if (task)
		fill_user(r, task);
	fill_sock(r, sk);
	emit_submit(r);
}

/* ---- birth and death ---- */

/* What the hook shows of a socket is no struct sock: the rest comes with its first use. */
static __always_inline void emit_bare(struct bpf_sock *ctx, __u8 what)
{
	struct xcap_ev_sock *r;
	struct emit e;

	if (!emit_begin(&e))
		return;
	r = emit_reserve(&e, sizeof(*r));
	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	emit_stamp(&e, &r->ev, XEV_SOCK, sizeof(*r));
	r->cookie = bpf_get_socket_cookie(ctx);
	r->netns = bpf_get_netns_cookie(ctx);
	r->what = what;
	r->family = ctx->family;
	r->protocol = ctx->protocol;
	if (what == XSOCK_BORN)
		fill_user(r, bpf_get_current_task_btf());
	emit_submit(r);
}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *ctx)
{
	if (ctx->family == AF_INET || ctx->family == AF_INET6)
		emit_bare(ctx, XSOCK_BORN);
	return 1;
}

SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	if (ctx->family == AF_INET || ctx->family == AF_INET6)
		emit_bare(ctx, XSOCK_CLOSED);
	return 1;
}

/*
 * ---- its addresses, before its first packet leaves ----
 *
 * Where packets are seen on their way in only, the answer to that packet may come before the call
 * has ended, and before anything else has told the port that the kernel chose within it.
 */

static __always_inline void put_address(__u8 *to, __u32 family, __u32 v4, const __u32 *v6)
{
	if (family == AF_INET)
		put_v4(to, v4);
	else
		__builtin_memcpy(to, v6, 16);
}

static __always_inline void emit_connects(struct bpf_sock_ops *ctx)
{
	__u32 local[4] = { ctx->local_ip6[0], ctx->local_ip6[1], ctx->local_ip6[2],
			   ctx->local_ip6[3] };
	__u32 remote[4] = { ctx->remote_ip6[0], ctx->remote_ip6[1], ctx->remote_ip6[2],
			    ctx->remote_ip6[3] };
	struct xcap_ev_sock *r;
	struct emit e;

	if (!emit_begin(&e))
		return;
	r = emit_reserve(&e, sizeof(*r));
	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	emit_stamp(&e, &r->ev, XEV_SOCK, sizeof(*r));
	r->cookie = bpf_get_socket_cookie(ctx);
	r->netns = bpf_get_netns_cookie(ctx);
	r->what = XSOCK_STATE;
	r->family = ctx->family;
	r->protocol = PROTO_TCP;
	r->local_port = ctx->local_port;
	r->remote_port = bpf_ntohl(ctx->remote_port);
	put_address(r->local, r->family, ctx->local_ip4, local);
	put_address(r->remote, r->family, ctx->remote_ip4, remote);
	emit_submit(r);
}

SEC("sockops")
int sock_connects(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
		emit_connects(ctx);
	return 1;
}

static __always_inline void emit_sends(struct bpf_sock_addr *ctx, struct bpf_sock *sk, __u64 cookie)
{
	__u32 v6[4] = { sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3] };
	struct xcap_ev_sock *r;
	struct emit e;

	if (!emit_begin(&e))
		return;
	r = emit_reserve(&e, sizeof(*r));
	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	emit_stamp(&e, &r->ev, XEV_SOCK, sizeof(*r));
	r->cookie = cookie;
	r->netns = bpf_get_netns_cookie(ctx);
	r->what = XSOCK_USED;
	r->family = sk->family;
	r->protocol = sk->protocol;
	r->local_port = sk->src_port;
	r->device = sk->bound_dev_if;
	fill_user(r, bpf_get_current_task_btf());
	put_address(r->local, r->family, sk->src_ip4, v6);
	emit_submit(r);
}

/* Told once for a port and a process; whatever else changes, the calls tell. */
static __always_inline void on_send(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = (struct bpf_sock *)(long)ctx->sk;
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u64 cookie = bpf_get_socket_cookie(ctx);
	struct usage now = {}, *last;

	if (!sk)
		return;
	last = bpf_map_lookup_elem(&used, &cookie);
	now.round = ctl.round;
	if (last && last->tgid == tgid && last->local_port == sk->src_port &&
	    last->round == now.round)
		return;
	emit_sends(ctx, sk, cookie);
	now.tgid = tgid;
	now.local_port = sk->src_port;
	bpf_map_update_elem(&used, &cookie, &now, BPF_ANY);
}

SEC("cgroup/sendmsg4")
int sock_sends4(struct bpf_sock_addr *ctx)
{
	on_send(ctx);
	return 1;
}

SEC("cgroup/sendmsg6")
int sock_sends6(struct bpf_sock_addr *ctx)
{
	on_send(ctx);
	return 1;
}

/* ---- its state: of a server's connection before anybody has accepted it ---- */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sock_state, struct sock *sk, int from, int to)
{
	if (BPF_CORE_READ(sk, sk_protocol) != PROTO_TCP ||
	    (to != TCP_ESTABLISHED && to != TCP_LISTEN))
		return 0;
	emit_sock(sk, bpf_get_socket_cookie(sk), XSOCK_STATE, NULL);
	return 0;
}

/* ---- who uses it ---- */

/* Calls whose first argument may be a socket that packets come from or go to. */
static __always_inline bool is_of_socket(__u32 nr, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	if (compat)
		return nr == 3 || nr == 4 || nr == 145 || nr == 146 || (nr >= 362 && nr <= 372) ||
		       nr == 337 || nr == 345;
	return nr <= 1 || nr == 19 || nr == 20 || (nr >= 40 && nr <= 50 && nr != 43) ||
	       nr == 299 || nr == 307;
#else
	return (nr >= 63 && nr <= 66) || nr == 71 || (nr >= 200 && nr <= 212) || nr == 243 ||
	       nr == 269;
#endif
}

static __always_inline __u64 first_argument(struct pt_regs *regs, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	return compat ? (__u32)regs->bx : regs->di;
#else
	return regs->orig_x0;
#endif
}

/* Return: NULL: the descriptor is no socket of the internet families. */
static __always_inline struct sock *sock_of(struct task_struct *task, __u32 fd)
{
	struct file *file = file_of(task, fd);
	struct socket *socket;
	struct inode *inode;
	struct sock *sk;
	__u16 family;

	if (!file)
		return NULL;
	inode = PEEK(struct file, file, f_inode);
	if ((PEEK(struct inode, inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = PEEK(struct file, file, private_data);
	sk = PEEK(struct socket, socket, sk);
	family = PEEK(struct sock, sk, __sk_common.skc_family);
	return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

static __always_inline void tell_use(struct task_struct *task, struct sock *sk, __u64 cookie)
{
	emit_cgroup(task);
	emit_sock(sk, cookie, XSOCK_USED, task);
}

static __always_inline void on_use(struct task_struct *task, struct sock *sk)
{
	__u64 cookie = PEEK(struct sock, sk, __sk_common.skc_cookie.counter);
	struct usage now = {
		.tgid = task->tgid,
		.local_port = PEEK(struct sock, sk, __sk_common.skc_num),
		.remote_port = PEEK(struct sock, sk, __sk_common.skc_dport),
		.addresses = (__u64)PEEK(struct sock, sk, __sk_common.skc_daddr) << 32 |
			     PEEK(struct sock, sk, __sk_common.skc_rcv_saddr),
		.round = ctl.round,
	}, *last;

	if (!cookie)
		return;
	last = bpf_map_lookup_elem(&used, &cookie);
	if (last && last->tgid == now.tgid && last->local_port == now.local_port &&
	    last->remote_port == now.remote_port && last->addresses == now.addresses &&
	    last->round == now.round)
		return;
	undisturbed(tell_use(task, sk, cookie));
	bpf_map_update_elem(&used, &cookie, &now, BPF_ANY);
}

/*
 * Most calls are not of sockets, and most of these tell nothing: the CPU is held for those that do
 * only. For as long as it is, and until this program has ended, a call of another task on this CPU
 * is skipped by the kernel.
 */
static __always_inline void on_call(struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool compat = is_compat(task);
	struct sock *sk;

	if (likely(!is_of_socket(id, compat)))
		return;
	sk = sock_of(task, first_argument(regs, compat));
	if (sk)
		on_use(task, sk);
}

static __always_inline struct xcap_cpu *this_cpu(void)
{
	__u32 id = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &id);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sock_call, struct pt_regs *regs, long id)
{
	struct xcap_cpu *cpu = cfg.hold_cpu ? this_cpu() : NULL;

	if (cpu)
		cpu->caller = (__u64)bpf_get_current_task_btf();
	barrier();
	on_call(regs, id);
	return 0;
}

/*
 * Where the kernel preempts programs it skips them for the tasks that run meanwhile on that CPU,
 * each by itself: what one has missed the other has not, unless both counts of misses grow. And
 * they do so for different calls as long as this one is alone as often as the other misses one.
 * Short, for the time that it takes is what others can miss.
 */
SEC("tp_btf/sys_enter")
int BPF_PROG(sock_call_too, struct pt_regs *regs, long id)
{
	struct xcap_cpu *cpu = this_cpu();

	if (cpu) {
		if (likely(cpu->caller == (__u64)bpf_get_current_task_btf())) {
			cpu->caller = 0;
			return 0;
		}
		__sync_fetch_and_add(&cpu->alone, 1);
	}
	on_call(regs, id);
	return 0;
}

/* ---- what is there at start ---- */

SEC("iter/task_file")
int sock_seed(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct xcap_ev_sock r = {};
	struct socket *socket;
	struct sock *sk;
	__u16 family;

	if (!task || !file || task->pid != task->tgid)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	r.cookie = bpf_get_socket_cookie(sk);
	seed_header(&r.ev, task, XEV_SOCK, sizeof(r));
	r.what = XSOCK_SEED;
	r.uid = BPF_CORE_READ(task, cred, uid.val);
	r.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	fill_sock(&r, sk);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
