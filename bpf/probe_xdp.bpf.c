// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   tracepoints of XDP, where something was lost.
 * Out:  a record each: what was lost, where, and why.
 * Owns: nothing beyond its maps.
 * Runs on: the CPU of the driver, in softirq: the current task has no part in it.
 */
#include "probe.bpf.h"

/* Return: NULL: no room. lost: frames. */
static __always_inline struct xprobe_xdp *begin(struct xcap_ev_probe **r, __u32 what, __u32 lost,
						__s32 err)
{
	struct xprobe_xdp *x;
	struct emit e;

	*r = probe_reserve(&e, sizeof(*x));
	if (!*r)
		return NULL;
	x = (void *)(*r)->data;
	__builtin_memset(x, 0, sizeof(*x));
	x->what = what;
	x->lost = lost;
	x->error = err < 0 ? -err : 0;
	return x;
}

static __always_inline void put_device(char *to, const struct net_device *dev)
{
	bpf_probe_read_kernel_str(to, 16, dev->name);
}

SEC("tp_btf/xdp_exception")
int BPF_PROG(on_exception, const struct net_device *dev, const struct bpf_prog *prog, __u32 act)
{
	struct xcap_ev_probe *r;
	struct xprobe_xdp *x = begin(&r, XXDP_EXCEPTION, 1, 0);

	if (!x)
		return 0;
	x->action = act;
	x->prog = BPF_CORE_READ(prog, aux, id);
	put_device(x->device, dev);
	emit_submit(r);
	return 0;
}

SEC("tp_btf/xdp_redirect_err")
int BPF_PROG(on_redirect, const struct net_device *dev, const struct bpf_prog *prog,
	     const void *target, int err, __u32 map_type, __u32 map, __u32 index)
{
	struct xcap_ev_probe *r;
	struct xprobe_xdp *x = begin(&r, XXDP_REDIRECT, 1, err);

	if (!x)
		return 0;
	x->action = XDP_REDIRECT;
	x->prog = BPF_CORE_READ(prog, aux, id);
	x->map = map;
	x->index = index;
	put_device(x->device, dev);
	emit_submit(r);
	return 0;
}

SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(on_devmap, const struct net_device *from, const struct net_device *to, int sent,
	     int drops, int err)
{
	struct xcap_ev_probe *r;
	struct xprobe_xdp *x;

	if (drops <= 0)
		return 0;
	x = begin(&r, XXDP_DEVMAP, drops, err);
	if (!x)
		return 0;
	x->action = XDP_REDIRECT;
	put_device(x->device, from);
	put_device(x->to, to);
	emit_submit(r);
	return 0;
}

SEC("tp_btf/xdp_bulk_tx")
int BPF_PROG(on_bulk_tx, const struct net_device *dev, int sent, int drops, int err)
{
	struct xcap_ev_probe *r;
	struct xprobe_xdp *x;

	if (drops <= 0)
		return 0;
	x = begin(&r, XXDP_TX, drops, err);
	if (!x)
		return 0;
	x->action = XDP_TX;
	put_device(x->device, dev);
	emit_submit(r);
	return 0;
}

static __always_inline int on_cpumap(__u32 map, __u32 drops, __u32 cpu)
{
	struct xcap_ev_probe *r;
	struct xprobe_xdp *x;

	if (!drops)
		return 0;
	x = begin(&r, XXDP_CPUMAP, drops, 0);
	if (!x)
		return 0;
	x->action = XDP_REDIRECT;
	x->map = map;
	x->index = cpu;
	emit_submit(r);
	return 0;
}

SEC("tp_btf/xdp_cpumap_enqueue")
int BPF_PROG(on_enqueue, int map, unsigned int processed, unsigned int drops, int to_cpu)
{
	return on_cpumap(map, drops, to_cpu);
}

SEC("tp_btf/xdp_cpumap_kthread")
int BPF_PROG(on_kthread, int map, unsigned int processed, unsigned int drops)
{
	undisturbed(on_cpumap(map, drops, bpf_get_smp_processor_id()));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
