// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   every open file of every process.
 * Out:  first who asks, then each process with a packet socket that one device feeds; a
 *       number of 32 bits for each, once or several times.
 * Owns: nothing.
 * Runs on: the process that reads the iterator, whatever it may see in /proc.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "xcap_event.h"

#define AF_PACKET 17

const volatile struct readers_cfg cfg = {};

static bool is_ours(struct net_device *dev)
{
	const unsigned char *mac = BPF_CORE_READ(dev, dev_addr);
	__u8 bytes[6] = {};

	if (bpf_probe_read_kernel(bytes, sizeof(bytes), mac))
		return false;
	for (int i = 0; i < 6; i++)
		if (bytes[i] != cfg.mac[i])
			return false;
	return true;
}

/* Bound to the device, in whatever namespace it is by now; or to all of our own namespace. */
static bool reads(struct sock *sk)
{
	struct packet_sock *po = (struct packet_sock *)sk;
	struct task_struct *us = bpf_get_current_task_btf();
	struct net_device *dev;

	if (bpf_core_type_exists(struct packet_sock)) {
		if (!BPF_CORE_READ(po, num))	/* no protocol: it gets nothing */
			return false;
		dev = BPF_CORE_READ(po, prot_hook.dev);
		if (dev)
			return is_ours(dev);
	}
	return BPF_CORE_READ(sk, __sk_common.skc_net.net) == BPF_CORE_READ(us, nsproxy, net_ns);
}

static void put(struct bpf_iter_meta *meta, __u32 tgid)
{
	bpf_seq_write(meta->seq, &tgid, sizeof(tgid));
}

SEC("iter/task_file")
int readers(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *sock;

	if (!ctx->meta->seq_num)
		put(ctx->meta, bpf_get_current_pid_tgid() >> 32);
	if (!task || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock || !sock->sk || sock->sk->__sk_common.skc_family != AF_PACKET)
		return 0;
	if (reads(sock->sk))
		put(ctx->meta, task->tgid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
