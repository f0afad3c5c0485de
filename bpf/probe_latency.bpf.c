// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   sys_enter, sys_exit of the whole host.
 * Out:  a row for each process and call: how long it took, how often it failed.
 * Owns: when each task entered its call.
 * Runs on: the CPU of the task, in its context.
 */
#include "probe.bpf.h"
#include "tree.bpf.h"

#define MAX_ERRNO 4095

PROBE_TOTALS(struct xprobe_latency, 16384)

/* Its number too: some have none any more when they are through. ns 0: in no call. */
struct entry {
	__u64 ns;
	__u32 nr;
	__u32 compat;
};

/*
 * key task, value the call that it is in. Written at entry, read at exit, gone with the task.
 * No memory: counted in table_full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct entry);
} entries SEC(".maps");

static __always_inline void on_enter(long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct entry *e = bpf_task_storage_get(&entries, task, NULL,
					       BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (unlikely(!e)) {
		__sync_fetch_and_add(&table_full, 1);
		return;
	}
	e->nr = nr;
	e->compat = is_compat(task);
	e->ns = bpf_ktime_get_ns();
}

SEC("tp_btf/sys_enter")
int BPF_PROG(latency_enter, struct pt_regs *regs, long nr)
{
	undisturbed(on_enter(nr));
	return 0;
}

static __always_inline void on_exit(long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct entry *e = bpf_task_storage_get(&entries, task, NULL, 0);
	struct probe_key key = {};
	struct total *t;
	__u64 ns;

	if (!e || !e->ns)	/* it entered before the probe began */
		return;
	ns = bpf_ktime_get_ns() - e->ns;
	e->ns = 0;
	key.pid = task->tgid;
	key.what[0] = e->nr;
	key.what[1] = e->compat;
	t = probe_total(&key, task);
	if (!t)
		return;
	t->row.nr = e->nr;
	t->row.compat = e->compat;
	if (e->compat)
		ret = (__s32)ret;
	if (ret < 0 && ret >= -MAX_ERRNO)
		__sync_fetch_and_add(&t->row.errors, 1);
	probe_hist(&t->row.hist, ns);
	probe_changed(&t->head);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(latency_exit, struct pt_regs *regs, long ret)
{
	undisturbed(on_exit(ret));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
