// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   softirq_entry, softirq_exit of all CPUs.
 * Out:  a row for each vector: how often it ran, and how long.
 * Owns: when each CPU began its vector.
 * Runs on: the CPU, in the softirq; interrupts that come meanwhile are part of its time.
 */
#include "probe.bpf.h"
#include "tree.bpf.h"

PROBE_TOTALS(struct xprobe_softirq, 64)

/* key 0, value when this CPU's softirq began; 0: none runs that we saw begin. Never full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} began SEC(".maps");

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_begin, unsigned int vec)
{
	__u32 zero = 0;
	__u64 *ns = bpf_map_lookup_elem(&began, &zero);

	if (ns)
		*ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_end, unsigned int vec)
{
	struct probe_key key = { .what = { vec } };
	__u32 zero = 0;
	__u64 *ns = bpf_map_lookup_elem(&began, &zero);
	struct total *t;

	if (!ns || !*ns)
		return 0;
	t = probe_total(&key, NULL);
	if (t) {
		t->row.vec = vec;
		probe_hist(&t->row.hist, bpf_ktime_get_ns() - *ns);
		probe_changed(&t->head);
	}
	*ns = 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
