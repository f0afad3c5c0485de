// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   signal_generate: signals on their way to a process or thread.
 * Out:  a record each: who sent which to whom, and what became of it.
 * Owns: nothing beyond its maps.
 * Runs on: the CPU of the sender, in its context or in an interrupt's, interrupts off.
 */
#include "probe.bpf.h"
#include "context.bpf.h"

#define SEND_SIG_NOINFO	((struct kernel_siginfo *)0)	/* of a process: kill() without more */
#define SEND_SIG_PRIV	((struct kernel_siginfo *)1)	/* of the kernel */
#define SI_USER		0
#define SI_KERNEL	0x80

static __always_inline bool is_blocked(struct task_struct *target, int sig, int group)
{
	/* one to the process is for any of its threads that does not block it */
	if (group && BPF_CORE_READ(target, signal, nr_threads) > 1)
		return false;
	return sig > 0 && sig <= 64 && BPF_CORE_READ(target, blocked.sig[0]) >> (sig - 1) & 1;
}

/* What a fault brings upon its own thread: ILL, TRAP, BUS, FPE, SEGV, SYS. */
static __always_inline bool by_fault(int sig, struct task_struct *target,
				     struct task_struct *current)
{
	return target == current && sig > 0 && sig < 32 &&
	       (1u << sig) & (1u << 4 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 11 | 1u << 31);
}

static __always_inline void tell(void *ctx, int sig, struct kernel_siginfo *info,
				 struct task_struct *target, int group, int result)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct xcap_ev_probe *r;
	struct xprobe_signals *x;
	struct emit e;

	r = probe_reserve(&e, sizeof(*x));
	if (!r)
		return;
	if (by_task(ctx, current) || by_fault(sig, target, current))
		probe_task(r, current);
	x = (void *)r->data;
	x->signal = sig;
	x->code = info == SEND_SIG_NOINFO ? SI_USER : info == SEND_SIG_PRIV ? SI_KERNEL :
		  BPF_CORE_READ(info, si_code);
	x->to_pid = target->tgid;
	x->to_tid = target->pid;
	x->group = !!group;
	x->result = result;
	if (result == XSIGNAL_DELIVERED && is_blocked(target, sig, group))
		x->result = XSIGNAL_BLOCKED;
	__builtin_memset(x->to_comm, 0, sizeof(x->to_comm));
	bpf_probe_read_kernel_str(x->to_comm, sizeof(x->to_comm), target->comm);
	emit_submit(r);
}

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
	     int result)
{
	undisturbed(tell(ctx, sig, info, task, group, result));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
