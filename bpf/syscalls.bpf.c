// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   sys_enter, sys_exit and sched_switch of the whole host.
 * Out:  one record each in the ring buffer of the CPU; a counted drop where it has no room.
 * Owns: nothing beyond its maps (emit.bpf.h).
 * Runs on: the CPU of the task, in its context. Tracing cannot fail the traced call.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "emit.bpf.h"

const volatile struct syscalls_cfg cfg = {};

#include "calls.bpf.h"
#include "task.bpf.h"
#include "wanted.bpf.h"

#define MAX_ERRNO 4095

int self_tgid = 0;  	/* .bss: the capturing process; 0: nobody is left out */
int opener_tgid = 0;  	/* .bss: who opened it, if that is another */
int whoami = 0;  	/* .bss: thread group that ran the iterator last */

/*
 * The numbers of some calls are gone when they are through: both kinds of sigreturn
 * restore a frame that has none, and an execveat that succeeds is an execve by then.
 * So these are remembered.
 *
 * key task, value the number it entered with. Written at entry, read and freed at
 * exit. Full: the longest unused goes, and that exit keeps the number it has.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} entered SEC(".maps");

#if defined(__TARGET_ARCH_x86)
#define NR_RT_SIGRETURN(compat)	((compat) ? 173 : 15)
#define NR_SIGRETURN32		119
#define NR_EXECVE(compat)	((compat) ? 11 : 59)
#define NR_EXECVEAT(compat)	((compat) ? 358 : 322)

static __always_inline void remember_nr(struct task_struct *task, __u32 nr, bool compat)
{
	__u64 key = (__u64)task;

	if (unlikely(nr == NR_RT_SIGRETURN(compat) || nr == NR_EXECVEAT(compat) ||
		     (compat && nr == NR_SIGRETURN32)))
		bpf_map_update_elem(&entered, &key, &nr, BPF_ANY);
}

/* nr, or what it was at entry. exec: an execveat is looked for, else a sigreturn. */
static __always_inline __u32 recall_nr(struct task_struct *task, __u32 nr, bool exec)
{
	__u64 key = (__u64)task;
	__u32 *was = bpf_map_lookup_elem(&entered, &key);

	if (!was)
		return nr;
	if (exec == (*was == NR_EXECVEAT(false) || *was == NR_EXECVEAT(true)))
		nr = *was;
	bpf_map_delete_elem(&entered, &key);
	return nr;
}

static __always_inline __u32 exit_nr(struct task_struct *task, struct pt_regs *regs, bool compat,
				     long ret)
{
	__u32 nr = regs->orig_ax;

	if (unlikely(nr == (__u32)-1))
		return recall_nr(task, NR_RT_SIGRETURN(compat), false);
	if (unlikely(nr == NR_EXECVE(compat) && !ret))
		return recall_nr(task, nr, true);
	return nr;
}
#else
#define NR_EXECVE(compat)	221
#define NR_EXECVEAT(compat)	281

static __always_inline void remember_nr(struct task_struct *task, __u32 nr, bool compat)
{
}

static __always_inline __u32 exit_nr(struct task_struct *task, struct pt_regs *regs, bool compat,
				     long ret)
{
	return regs->syscallno;
}
#endif

static __always_inline void read_args(struct pt_regs *regs, bool compat, __u64 *args)
{
#if defined(__TARGET_ARCH_x86)
	if (unlikely(compat)) {
		args[0] = (__u32)regs->bx;
		args[1] = (__u32)regs->cx;
		args[2] = (__u32)regs->dx;
		args[3] = (__u32)regs->si;
		args[4] = (__u32)regs->di;
		args[5] = (__u32)regs->bp;
		return;
	}
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
#else
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
	args[3] = regs->regs[3];
	args[4] = regs->regs[4];
	args[5] = regs->regs[5];
#endif
}

#include "args.bpf.h"

/*
 * key task, value the call, shifted by eight, and its arguments that could not be read when it
 * began, a bit each: the kernel brings their pages in, so they are read again at exit. Full:
 * the longest unused goes, and those are not told.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} faulted SEC(".maps");

__s64 nr_faulted = 0;	/* .bss: about as many are in there; 0: none */

static __always_inline bool wanted(__u32 nr, bool compat)
{
	__u32 word = nr / 64;

	if (!cfg.only)
		return true;
	opaque(word);	/* old verifiers follow the mask, not the comparison */
	word %= XCAP_NR_SYSCALLS / 64;
	return nr < XCAP_NR_SYSCALLS && cfg.wanted[compat][word] >> (nr % 64) & 1;
}

#include "tree.bpf.h"

/* Of a process that is not to be seen? With none named, the verifier takes the loop out. */
static __always_inline bool is_hidden(__u32 tgid)
{
	__u32 nr = cfg.nr_without;

	if (self_tgid && (tgid == (__u32)self_tgid ||
			  (opener_tgid && tgid == (__u32)opener_tgid)))	/* 0: the idle task */
		return true;
	for (__u32 i = 0; i < XCAP_MAX_WITHOUT; i++)
		if (i < nr && tgid == cfg.without[i])
			return true;
	return false;
}

static __always_inline bool left_out(__u32 tgid)
{
	return is_hidden(tgid) || !tree_has(tgid);
}

/* A call of which nothing is read: made in place. */
static __always_inline void enter_short(struct emit *e, struct task_struct *task,
					struct pt_regs *regs, __u32 nr, bool compat)
{
	struct xcap_ev_enter *r = emit_reserve(e, sizeof(*r));

	if (!r)
		return;
	emit_stamp(e, &r->ev, XEV_ENTER, sizeof(*r));
	stamp_task(&r->ev, task);
	r->ev.flags = compat ? XEV_COMPAT : 0;
	r->nr = nr;
	r->reserved = 0;
	read_args(regs, compat, r->args);
	emit_submit(r);
}

static __always_inline void enter_long(struct emit *e, struct task_struct *task, struct room *room,
				       __u32 nr, bool compat)
{
	struct xcap_ev_enter r = { .nr = nr };
	struct bpf_dynptr place;

	if (!emit_reserve_long(e, sizeof(r) + room->at, &place))
		return;
	emit_stamp(e, &r.ev, XEV_ENTER, sizeof(r) + room->at);
	stamp_task(&r.ev, task);
	r.ev.flags = compat ? XEV_COMPAT : 0;
	__builtin_memcpy(r.args, room->args, sizeof(r.args));
	emit_long(&place, &r, sizeof(r), room);
}

static __always_inline void remember_faults(struct task_struct *task, __u32 nr, __u32 mask)
{
	__u64 key = (__u64)task;
	__u32 value = nr << 8 | mask;

	if (!bpf_map_update_elem(&faulted, &key, &value, BPF_ANY))
		__sync_fetch_and_add(&nr_faulted, 1);
}

/* Return: the arguments that could not be read when the call began. */
static __always_inline __u32 recall_faults(struct task_struct *task, __u32 nr)
{
	__u64 key = (__u64)task;
	__u32 *was, value;

	if (likely(nr_faulted <= 0))
		return 0;
	was = bpf_map_lookup_elem(&faulted, &key);
	if (!was)
		return 0;
	value = *was;
	bpf_map_delete_elem(&faulted, &key);
	__sync_fetch_and_add(&nr_faulted, -1);
	/* of another call: its exit was not asked for */
	return value >> 8 == nr ? value & 0xff : 0;
}

/* Return: NULL: nothing is to be read of it, or nothing could be. */
static __always_inline struct room *read_at_enter(struct task_struct *task, struct pt_regs *regs,
						  __u32 nr, bool compat)
{
	__u32 key = plan_key(nr, compat);
	struct xcap_plan *plan;
	struct room *room;

	if (!cfg.args)
		return NULL;
	plan = bpf_map_lookup_elem(&plans, &key);
	if (!plan || !plan->nr_enter)
		return NULL;
	room = room_for(regs, compat, 0);
	if (!room)
		return NULL;
	read_rows(key, plan->nr_enter, 0, ~0u);
	if (unlikely(room->faulted))
		remember_faults(task, nr, room->faulted);
	return room->at ? room : NULL;
}

static __always_inline void on_enter(struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool compat = is_compat(task);
	struct room *room;
	struct emit e;

	remember_nr(task, id, compat);
	if (left_out(task->tgid) || !wanted(id, compat) ||
	    filter_call(task, false, compat, id, 0) || !emit_begin(&e))
		return;
	room = read_at_enter(task, regs, id, compat);
	if (room)
		enter_long(&e, task, room, id, compat);
	else
		enter_short(&e, task, regs, id, compat);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long id)
{
	undisturbed(on_enter(regs, id));
	return 0;
}

static __always_inline bool is_exec(__u32 nr, bool compat)
{
	return nr == NR_EXECVE(compat) || nr == NR_EXECVEAT(compat);
}

/* Calls that change the user id leave no other trace. */
static __always_inline bool changes_uid(__u32 nr, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	if (compat)
		return nr == 23 || nr == 70 || nr == 164 || nr == 203 || nr == 208 || nr == 213;
	return nr == 105 || nr == 113 || nr == 117;
#else
	return nr == 145 || nr == 146 || nr == 147;
#endif
}

static __always_inline void exit_short(struct emit *e, struct task_struct *task, __u32 nr,
				       bool compat, long ret)
{
	struct xcap_ev_exit *r = emit_reserve(e, sizeof(*r));

	if (!r)
		return;
	emit_stamp(e, &r->ev, XEV_EXIT, sizeof(*r));
	stamp_task(&r->ev, task);
	r->ev.flags = compat ? XEV_COMPAT : 0;
	r->nr = nr;
	r->reserved = 0;
	r->ret = ret;
	emit_submit(r);
}

static __always_inline void exit_long(struct emit *e, struct task_struct *task, struct room *room,
				      __u32 nr, bool compat, long ret)
{
	struct xcap_ev_exit r = { .nr = nr, .ret = ret };
	struct bpf_dynptr place;

	if (!emit_reserve_long(e, sizeof(r) + room->at, &place))
		return;
	emit_stamp(e, &r.ev, XEV_EXIT, sizeof(r) + room->at);
	stamp_task(&r.ev, task);
	r.ev.flags = compat ? XEV_COMPAT : 0;
	emit_long(&place, &r, sizeof(r), room);
}

static __always_inline struct room *exec_at_exit(struct task_struct *task, struct pt_regs *regs,
						 __u32 nr, bool compat, __u32 wanted_args)
{
	struct room *room = room_for(regs, compat, 0);

	if (!room)
		return NULL;
	read_exec(room, task, nr == NR_EXECVEAT(compat), wanted_args);
	return room->at ? room : NULL;
}

/* Return: NULL: nothing is to be read of it, or nothing could be. */
static __always_inline struct room *read_at_exit(struct task_struct *task, struct pt_regs *regs,
						 __u32 nr, bool compat, long ret)
{
	__u32 key = plan_key(nr, compat), only = recall_faults(task, nr), nr_exit;
	struct xcap_plan *plan = bpf_map_lookup_elem(&plans, &key);
	struct room *room;

	if (!plan)
		return NULL;
	if (unlikely(is_exec(nr, compat) && !ret))	/* then it has no registers of a call */
		return only ? exec_at_exit(task, regs, nr, compat, only) : NULL;
	nr_exit = plan->nr_exit;
	if (ret < 0 && ret >= -MAX_ERRNO) {
		nr_exit = plan->nr_exit_always;
		only |= plan->retold;
	}
	if (!nr_exit && !only)
		return NULL;
	room = room_for(regs, compat, ret);
	if (!room)
		return NULL;
	if (only)
		read_rows(key, plan->nr_enter, 0, only);
	if (nr_exit)
		read_rows(key, nr_exit, 1, ~0u);
	return room->at ? room : NULL;
}

static __always_inline void on_exit(struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool compat = is_compat(task);
	long ret = compat ? (__s32)result : result;
	__u32 nr = exit_nr(task, regs, compat, ret);
	struct room *room;
	struct emit e;

	if (unlikely(changes_uid(nr, compat) && !ret))
		emit_task(task, XTASK_UID, NULL);
	if (left_out(task->tgid) || !wanted(nr, compat) ||
	    filter_call(task, true, compat, nr, ret) || !emit_begin(&e))
		return;
	room = cfg.args ? read_at_exit(task, regs, nr, compat, ret) : NULL;
	if (room)
		exit_long(&e, task, room, nr, compat, ret);
	else
		exit_short(&e, task, nr, compat, ret);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	undisturbed(on_exit(regs, ret));
	return 0;
}

/*
 * Switches to or from a process that is left out are left out with it: the capturing
 * one would wake itself for ever. The scheduler calls this with preemption off.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	struct xcap_ev_switch *r;
	struct emit e;

	if (is_hidden(prev->tgid) || is_hidden(next->tgid) ||
	    (!tree_has(prev->tgid) && !tree_has(next->tgid)) || filter_switch(prev, next))
		return 0;
	if (!emit_begin(&e))
		return 0;
	r = emit_reserve(&e, sizeof(*r));
	if (!r)
		return 0;
	emit_stamp(&e, &r->ev, XEV_SWITCH, sizeof(*r));
	stamp_task(&r->ev, prev);
	r->next_pid = next->tgid;
	r->next_tid = next->pid;
	r->prev_state = preempt ? 0 : prev_state;
	r->next_prio = next->prio;
	emit_submit(r);
	return 0;
}

/* Writes nothing: that it is read tells who reads it, in the initial pid namespace. */
SEC("iter/task")
int who_reads(struct bpf_iter__task *ctx)
{
	whoami = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
