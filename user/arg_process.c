// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what processes do to themselves and to each other.
 * Out:  names of flags and commands, structures by their fields.
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <linux/pidfd.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/wait.h>
#include <asm/ptrace.h>
#include "arg_names.h"

/* newer than the headers of Debian 12, or of one architecture only */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#define SCHED_OTHER SCHED_NORMAL	/* what everybody calls it */

#ifdef __x86_64__
#define PTRACE_OF_MACHINE \
	NAME(PTRACE_GETREGS), NAME(PTRACE_SETREGS), NAME(PTRACE_GETFPREGS), \
	NAME(PTRACE_SETFPREGS), NAME(PTRACE_GETFPXREGS), NAME(PTRACE_SETFPXREGS), \
	NAME(PTRACE_GET_THREAD_AREA), NAME(PTRACE_SET_THREAD_AREA), NAME(PTRACE_ARCH_PRCTL), \
	NAME(PTRACE_SYSEMU), NAME(PTRACE_SYSEMU_SINGLESTEP), NAME(PTRACE_SINGLEBLOCK),
#else
#define PTRACE_OF_MACHINE
#endif

FLAGS(namespaces,
	NAME(CLONE_NEWTIME), NAME(CLONE_VM), NAME(CLONE_FS), NAME(CLONE_FILES),
	NAME(CLONE_SIGHAND), NAME(CLONE_PIDFD), NAME(CLONE_PTRACE), NAME(CLONE_VFORK),
	NAME(CLONE_PARENT), NAME(CLONE_THREAD), NAME(CLONE_NEWNS), NAME(CLONE_SYSVSEM),
	NAME(CLONE_SETTLS), NAME(CLONE_PARENT_SETTID), NAME(CLONE_CHILD_CLEARTID),
	NAME(CLONE_DETACHED), NAME(CLONE_UNTRACED), NAME(CLONE_CHILD_SETTID),
	NAME(CLONE_NEWCGROUP), NAME(CLONE_NEWUTS), NAME(CLONE_NEWIPC), NAME(CLONE_NEWUSER),
	NAME(CLONE_NEWPID), NAME(CLONE_NEWNET), NAME(CLONE_IO), NAME(CLONE_CLEAR_SIGHAND),
	NAME(CLONE_INTO_CGROUP));

FLAGS(wait_options,
	NAME(WNOHANG), NAME(WSTOPPED), NAME(WEXITED), NAME(WCONTINUED), NAME(WNOWAIT),
	NAME(__WNOTHREAD), NAME(__WALL), NAME(__WCLONE));

ENUM(wait_id,
	NAME(P_ALL), NAME(P_PID), NAME(P_PGID), NAME(P_PIDFD));

FLAGS(pidfd_flags,
	NAME(PIDFD_NONBLOCK));

ENUM(prctl,
	NAME(PR_SET_PDEATHSIG), NAME(PR_GET_PDEATHSIG), NAME(PR_GET_DUMPABLE),
	NAME(PR_SET_DUMPABLE), NAME(PR_GET_UNALIGN), NAME(PR_SET_UNALIGN),
	NAME(PR_GET_KEEPCAPS), NAME(PR_SET_KEEPCAPS), NAME(PR_GET_FPEMU), NAME(PR_SET_FPEMU),
	NAME(PR_GET_FPEXC), NAME(PR_SET_FPEXC), NAME(PR_GET_TIMING), NAME(PR_SET_TIMING),
	NAME(PR_SET_NAME), NAME(PR_GET_NAME), NAME(PR_GET_ENDIAN), NAME(PR_SET_ENDIAN),
	NAME(PR_GET_SECCOMP), NAME(PR_SET_SECCOMP), NAME(PR_CAPBSET_READ),
	NAME(PR_CAPBSET_DROP), NAME(PR_GET_TSC), NAME(PR_SET_TSC), NAME(PR_GET_SECUREBITS),
	NAME(PR_SET_SECUREBITS), NAME(PR_SET_TIMERSLACK), NAME(PR_GET_TIMERSLACK),
	NAME(PR_TASK_PERF_EVENTS_DISABLE), NAME(PR_TASK_PERF_EVENTS_ENABLE), NAME(PR_MCE_KILL),
	NAME(PR_MCE_KILL_GET), NAME(PR_SET_MM), NAME(PR_SET_PTRACER),
	NAME(PR_SET_CHILD_SUBREAPER), NAME(PR_GET_CHILD_SUBREAPER), NAME(PR_SET_NO_NEW_PRIVS),
	NAME(PR_GET_NO_NEW_PRIVS), NAME(PR_GET_TID_ADDRESS), NAME(PR_SET_THP_DISABLE),
	NAME(PR_GET_THP_DISABLE), NAME(PR_MPX_ENABLE_MANAGEMENT),
	NAME(PR_MPX_DISABLE_MANAGEMENT), NAME(PR_SET_FP_MODE), NAME(PR_GET_FP_MODE),
	NAME(PR_CAP_AMBIENT), NAME(PR_SVE_SET_VL), NAME(PR_SVE_GET_VL),
	NAME(PR_GET_SPECULATION_CTRL), NAME(PR_SET_SPECULATION_CTRL), NAME(PR_PAC_RESET_KEYS),
	NAME(PR_SET_TAGGED_ADDR_CTRL), NAME(PR_GET_TAGGED_ADDR_CTRL), NAME(PR_SET_IO_FLUSHER),
	NAME(PR_GET_IO_FLUSHER), NAME(PR_SET_SYSCALL_USER_DISPATCH),
	NAME(PR_PAC_SET_ENABLED_KEYS), NAME(PR_PAC_GET_ENABLED_KEYS), NAME(PR_SCHED_CORE),
	NAME(PR_SME_SET_VL), NAME(PR_SME_GET_VL), NAME(PR_SET_MDWE), NAME(PR_GET_MDWE),
	NAME(PR_SET_VMA));

ENUM(rlimit_resource,
	NAME(RLIMIT_CPU), NAME(RLIMIT_FSIZE), NAME(RLIMIT_DATA), NAME(RLIMIT_STACK),
	NAME(RLIMIT_CORE), NAME(RLIMIT_RSS), NAME(RLIMIT_NPROC), NAME(RLIMIT_NOFILE),
	NAME(RLIMIT_MEMLOCK), NAME(RLIMIT_AS), NAME(RLIMIT_LOCKS), NAME(RLIMIT_SIGPENDING),
	NAME(RLIMIT_MSGQUEUE), NAME(RLIMIT_NICE), NAME(RLIMIT_RTPRIO), NAME(RLIMIT_RTTIME));

ENUM(rusage_who,
	NAME(RUSAGE_SELF), NAME(RUSAGE_CHILDREN), NAME(RUSAGE_BOTH), NAME(RUSAGE_THREAD));

ENUM(priority_which,
	NAME(PRIO_PROCESS), NAME(PRIO_PGRP), NAME(PRIO_USER));

ENUM(ioprio_which,
	NAME(IOPRIO_WHO_PROCESS), NAME(IOPRIO_WHO_PGRP), NAME(IOPRIO_WHO_USER));

FLAGS(sched_policy,
	PART(SCHED_OTHER, 0xff), PART(SCHED_FIFO, 0xff), PART(SCHED_RR, 0xff),
	PART(SCHED_BATCH, 0xff), PART(SCHED_IDLE, 0xff), PART(SCHED_DEADLINE, 0xff),
	NAME(SCHED_RESET_ON_FORK));

ENUM(ptrace,
	PTRACE_OF_MACHINE
	NAME(PTRACE_TRACEME), NAME(PTRACE_PEEKTEXT), NAME(PTRACE_PEEKDATA),
	NAME(PTRACE_PEEKUSR), NAME(PTRACE_POKETEXT), NAME(PTRACE_POKEDATA),
	NAME(PTRACE_POKEUSR), NAME(PTRACE_CONT), NAME(PTRACE_KILL), NAME(PTRACE_SINGLESTEP),
	NAME(PTRACE_ATTACH), NAME(PTRACE_DETACH), NAME(PTRACE_SYSCALL), NAME(PTRACE_SETOPTIONS),
	NAME(PTRACE_GETEVENTMSG), NAME(PTRACE_GETSIGINFO), NAME(PTRACE_SETSIGINFO),
	NAME(PTRACE_GETREGSET), NAME(PTRACE_SETREGSET), NAME(PTRACE_SEIZE),
	NAME(PTRACE_INTERRUPT), NAME(PTRACE_LISTEN), NAME(PTRACE_PEEKSIGINFO),
	NAME(PTRACE_GETSIGMASK), NAME(PTRACE_SETSIGMASK), NAME(PTRACE_SECCOMP_GET_FILTER),
	NAME(PTRACE_SECCOMP_GET_METADATA), NAME(PTRACE_GET_SYSCALL_INFO),
	NAME(PTRACE_GET_RSEQ_CONFIGURATION));

ENUM(seccomp_op,
	NAME(SECCOMP_SET_MODE_STRICT), NAME(SECCOMP_SET_MODE_FILTER),
	NAME(SECCOMP_GET_ACTION_AVAIL), NAME(SECCOMP_GET_NOTIF_SIZES));

FLAGS(seccomp_flags,
	NAME(SECCOMP_FILTER_FLAG_TSYNC), NAME(SECCOMP_FILTER_FLAG_LOG),
	NAME(SECCOMP_FILTER_FLAG_SPEC_ALLOW), NAME(SECCOMP_FILTER_FLAG_NEW_LISTENER),
	NAME(SECCOMP_FILTER_FLAG_TSYNC_ESRCH), NAME(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));

ENUM(membarrier,
	NAME(MEMBARRIER_CMD_QUERY), NAME(MEMBARRIER_CMD_GLOBAL),
	NAME(MEMBARRIER_CMD_GLOBAL_EXPEDITED), NAME(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED), NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ));

FLAGS(membarrier_flags,
	NAME(MEMBARRIER_CMD_FLAG_CPU));

ENUM(kcmp,
	NAME(KCMP_FILE), NAME(KCMP_VM), NAME(KCMP_FILES), NAME(KCMP_FS), NAME(KCMP_SIGHAND),
	NAME(KCMP_IO), NAME(KCMP_SYSVSEM), NAME(KCMP_EPOLL_TFD));

/* The low byte is the signal that tells the parent of its child's end. */
static void put_clone_flags(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	__u64 flags = v->value & ~(__u64)CSIGNAL;

	if (flags || !(v->value & CSIGNAL))
		out_flags(o, &arg_form_namespaces, flags);
	if (flags && v->value & CSIGNAL)
		out_char(o, '|');
	if (v->value & CSIGNAL)
		out_signal(o, v->value & CSIGNAL, false);
}

const struct arg_form arg_form_clone_flags = { .put = put_clone_flags };

/* ---- structures ---- */

static void put_clone_args(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{flags=");
	out_flags(o, &arg_form_namespaces, arg_u64(v, 0));
	out_text(o, ", exit_signal=");
	out_signal(o, arg_u64(v, 32), false);
	out_text(o, ", stack=");
	out_hex(o, arg_u64(v, 40));
	out_text(o, ", stack_size=");
	out_hex(o, arg_u64(v, 48));
	out_char(o, '}');
}

STRUCT(clone_args, CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER0, put_clone_args);

/* What wait4() tells of a child. */
static void put_wait_status(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	__u32 status = arg_u32(v, 0), signal = status & 0x7f, high = status >> 8 & 0xff;

	if (v->rec->type == XCAP_SYS_EXIT && !v->rec->exit.ret) {
		out_text(o, "[]");		/* no child had anything to tell */
	} else if (status == 0xffff) {
		out_text(o, "[{WIFCONTINUED(s)}]");
	} else if (signal == 0x7f) {
		out_text(o, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		out_signal(o, high & 0x7f, false);
		out_text(o, high & 0x80 ? " | 0x80}]" : "}]");
	} else if (signal) {
		out_text(o, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		out_signal(o, signal, false);
		out_text(o, status & 0x80 ? " && WCOREDUMP(s)}]" : "}]");
	} else {
		out_text(o, "[{WIFEXITED(s) && WEXITSTATUS(s) == ");
		out_number(o, high, 10);
		out_text(o, "}]");
	}
}

STRUCT(wait_status, 4, 4, put_wait_status);

static void put_limit(struct out *o, __u64 n, bool all)
{
	if (all)
		out_text(o, "RLIM_INFINITY");
	else
		out_number(o, n, 10);
}

static void put_rlimit(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	bool narrow = v->compat && form->size32 == 8;

	for (int i = 0; i < 2; i++) {
		__u64 n = narrow ? arg_u32(v, 4 * i) : arg_u64(v, 8 * i);

		out_text(o, i ? ", rlim_max=" : "{rlim_cur=");
		put_limit(o, n, n == (narrow ? ~0u : ~0ull));
	}
	out_char(o, '}');
}

STRUCT(rlimit, 16, 8, put_rlimit);
STRUCT(rlimit64, 16, 16, put_rlimit);

static void put_seconds(struct out *o, __s64 seconds, __s64 micros)
{
	out_text(o, "{tv_sec=");
	out_signed(o, seconds);
	out_text(o, ", tv_usec=");
	out_signed(o, micros);
	out_char(o, '}');
}

static void put_rusage(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{ru_utime=");
	put_seconds(o, arg_long(v, 0), arg_long(v, 1));
	out_text(o, ", ru_stime=");
	put_seconds(o, arg_long(v, 2), arg_long(v, 3));
	out_text(o, ", ru_maxrss=");
	out_signed(o, arg_long(v, 4));
	out_text(o, ", ...}");
}

STRUCT(rusage, 144, 72, put_rusage);

static void put_sched_param(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_char(o, '[');
	out_signed(o, (__s32)arg_u32(v, 0));
	out_char(o, ']');
}

STRUCT(sched_param, 4, 4, put_sched_param);

static const struct arg_form sched_flags = { .names = NAMES(
	NAME(SCHED_FLAG_RESET_ON_FORK), NAME(SCHED_FLAG_RECLAIM), NAME(SCHED_FLAG_DL_OVERRUN),
	NAME(SCHED_FLAG_KEEP_POLICY), NAME(SCHED_FLAG_KEEP_PARAMS),
	NAME(SCHED_FLAG_UTIL_CLAMP_MIN), NAME(SCHED_FLAG_UTIL_CLAMP_MAX)) };

static void put_sched_attr(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{size=");
	out_number(o, arg_u32(v, 0), 10);
	out_text(o, ", sched_policy=");
	out_flags(o, &arg_form_sched_policy, arg_u32(v, 4));
	out_text(o, ", sched_flags=");
	out_flags(o, &sched_flags, arg_u64(v, 8));
	out_text(o, ", sched_nice=");
	out_signed(o, (__s32)arg_u32(v, 16));
	out_text(o, ", sched_priority=");
	out_number(o, arg_u32(v, 20), 10);
	out_text(o, ", sched_runtime=");
	out_number(o, arg_u64(v, 24), 10);
	out_text(o, ", sched_deadline=");
	out_number(o, arg_u64(v, 32), 10);
	out_text(o, ", sched_period=");
	out_number(o, arg_u64(v, 40), 10);
	out_char(o, '}');
}

STRUCT(sched_attr, 48, 48, put_sched_attr);

/* CPUs of a mask, "[0 1 2]": byte i has the bits from 8 * i on. */
static void put_cpus(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	bool first = true;

	out_char(o, '[');
	for (__u32 cpu = 0; cpu < v->len * 8; cpu++) {
		if (!(v->bytes[cpu / 8] >> cpu % 8 & 1))
			continue;
		if (!first)
			out_char(o, ' ');
		first = false;
		out_number(o, cpu, 10);
	}
	out_char(o, ']');
}

const struct arg_form arg_form_cpus = { .put = put_cpus };

static const struct arg_form versions = { .names = NAMES(
	NAME(_LINUX_CAPABILITY_VERSION_1), NAME(_LINUX_CAPABILITY_VERSION_2),
	NAME(_LINUX_CAPABILITY_VERSION_3)) };

static void put_cap_header(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{version=");
	out_enum(o, &versions, (__s32)arg_u32(v, 0));
	out_text(o, ", pid=");
	out_signed(o, (__s32)arg_u32(v, 4));
	out_char(o, '}');
}

STRUCT(cap_header, 8, 8, put_cap_header);

/* Two halves of 32 capabilities each: version 3, which everybody uses. */
static void put_cap_data(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	static const char *const names[] = {
		"{effective=", ", permitted=", ", inheritable=",
	};

	for (int i = 0; i < 3; i++) {
		out_text(o, names[i]);
		out_hex(o, (__u64)arg_u32(v, 12 + 4 * i) << 32 | arg_u32(v, 4 * i));
	}
	out_char(o, '}');
}

STRUCT(cap_data, 24, 24, put_cap_data);
