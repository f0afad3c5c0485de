// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   signals, sets of them, what is known of one.
 * Out:  "SIGTERM", "[INT TERM]".
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/fcntl.h>
#include <linux/signal.h>
#include "arg_names.h"

/* signalfd4() takes those of open() */
#define SFD_CLOEXEC O_CLOEXEC
#define SFD_NONBLOCK O_NONBLOCK

ENUM(sig_how,
	NAME(SIG_BLOCK), NAME(SIG_UNBLOCK), NAME(SIG_SETMASK));

FLAGS(signalfd_flags,
	NAME(SFD_CLOEXEC), NAME(SFD_NONBLOCK));

/* ---- one signal ---- */

#define FIRST_RT 32		/* the kernel's first, two below that of the C library */
#define NR_SIGNALS 64

#define SIGNAL(name) [SIG##name] = #name

static const char *const names[FIRST_RT] = {
	SIGNAL(HUP), SIGNAL(INT), SIGNAL(QUIT), SIGNAL(ILL), SIGNAL(TRAP), SIGNAL(ABRT),
	SIGNAL(BUS), SIGNAL(FPE), SIGNAL(KILL), SIGNAL(USR1), SIGNAL(SEGV), SIGNAL(USR2),
	SIGNAL(PIPE), SIGNAL(ALRM), SIGNAL(TERM), SIGNAL(STKFLT), SIGNAL(CHLD), SIGNAL(CONT),
	SIGNAL(STOP), SIGNAL(TSTP), SIGNAL(TTIN), SIGNAL(TTOU), SIGNAL(URG), SIGNAL(XCPU),
	SIGNAL(XFSZ), SIGNAL(VTALRM), SIGNAL(PROF), SIGNAL(WINCH), SIGNAL(IO), SIGNAL(PWR),
	SIGNAL(SYS),
};

void out_signal(struct out *o, __s64 nr, bool shortly)
{
	if (nr <= 0 || nr > NR_SIGNALS) {
		out_signed(o, nr);
		return;
	}
	if (!shortly)
		out_text(o, "SIG");
	if (nr < FIRST_RT) {
		out_text(o, names[nr]);
	} else if (nr == FIRST_RT) {
		out_text(o, "RTMIN");
	} else {
		out_text(o, "RT_");
		out_number(o, nr - FIRST_RT, 10);
	}
}

static void put_signal(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_signal(o, (__s32)v->value, false);
}

const struct arg_form arg_form_signal = { .put = put_signal };

/* ---- sets ---- */

/* "[INT TERM]"; of which most are set: "~[KILL STOP]", those that are not */
static void put_set(struct out *o, __u64 set)
{
	bool most = __builtin_popcountll(set) >= NR_SIGNALS * 2 / 3, first = true;

	if (most) {
		out_char(o, '~');
		set = ~set;
	}
	out_char(o, '[');
	for (int nr = 1; nr <= NR_SIGNALS; nr++) {
		if (!(set >> (nr - 1) & 1))
			continue;
		if (!first)
			out_char(o, ' ');
		first = false;
		out_signal(o, nr, true);
	}
	out_char(o, ']');
}

static void put_sigset(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	put_set(o, v->len >= 8 ? arg_u64(v, 0) : arg_u32(v, 0));
}

STRUCT(sigset, 8, 8, put_sigset);
STRUCT(old_sigset, 4, 4, put_sigset);	/* calls of 1991 */

/* ---- handlers ---- */

static void out_handler(struct out *o, __u64 handler, bool compat)
{
	if (handler == 0)
		out_text(o, "SIG_DFL");
	else if (handler == 1)
		out_text(o, "SIG_IGN");
	else if (handler == (compat ? ~0u : ~0ull))
		out_text(o, "SIG_ERR");
	else
		out_hex(o, handler);
}

static void put_handler(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_handler(o, v->value, v->rec->flags & XCAP_REC_COMPAT);
}

const struct arg_form arg_form_handler = { .put = put_handler };

static const struct arg_form action_flags = { .names = NAMES(
	NAME(SA_RESTORER), NAME(SA_ONSTACK), NAME(SA_RESTART), NAME(SA_NODEFER),
	NAME(SA_RESETHAND), NAME(SA_SIGINFO), NAME(SA_NOCLDSTOP), NAME(SA_NOCLDWAIT),
	NAME(SA_UNSUPPORTED), NAME(SA_EXPOSE_TAGBITS)) };

/* Three longs: handler, flags, restorer; then the mask. */
static void put_sigaction(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{sa_handler=");
	out_handler(o, arg_ulong(v, 0), v->compat);
	out_text(o, ", sa_mask=");
	put_set(o, arg_u64(v, v->compat ? 12 : 24));
	out_text(o, ", sa_flags=");
	out_flags(o, &action_flags, arg_ulong(v, 1));
	if (arg_ulong(v, 1) & SA_RESTORER) {
		out_text(o, ", sa_restorer=");
		out_hex(o, arg_ulong(v, 2));
	}
	out_char(o, '}');
}

STRUCT(sigaction, 32, 20, put_sigaction);

static const struct arg_form stack_flags = { .names = NAMES(
	NAME(SS_ONSTACK), NAME(SS_DISABLE), NAME(SS_AUTODISARM)) };

static void put_altstack(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{ss_sp=");
	out_hex(o, arg_ulong(v, 0));
	out_text(o, ", ss_flags=");
	out_flags(o, &stack_flags, arg_u32(v, v->compat ? 4 : 8));
	out_text(o, ", ss_size=");
	out_number(o, arg_ulong(v, 2), 10);
	out_char(o, '}');
}

STRUCT(altstack, 24, 12, put_altstack);

/* ---- one that came ---- */

static const struct arg_form codes = { .names = NAMES(
	NAME(SI_USER), NAME(SI_KERNEL), NAME(SI_QUEUE), NAME(SI_TIMER), NAME(SI_MESGQ),
	NAME(SI_ASYNCIO), NAME(SI_SIGIO), NAME(SI_TKILL)) };

static const struct arg_form child = { .names = NAMES(
	NAME(CLD_EXITED), NAME(CLD_KILLED), NAME(CLD_DUMPED), NAME(CLD_TRAPPED),
	NAME(CLD_STOPPED), NAME(CLD_CONTINUED)) };

/* A child's end, else who sent it: the fields stand at one place but for the padding. */
static void put_siginfo(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	int fields = v->compat ? 12 : 16;
	__s32 signal = arg_u32(v, 0), code = arg_u32(v, 8), status = arg_u32(v, fields + 8);

	out_text(o, "{si_signo=");
	out_signal(o, signal, false);
	out_text(o, ", si_code=");
	out_enum(o, signal == SIGCHLD && code > 0 ? &child : &codes, code);
	out_text(o, ", si_pid=");
	out_signed(o, (__s32)arg_u32(v, fields));
	out_text(o, ", si_uid=");
	out_number(o, arg_u32(v, fields + 4), 10);
	if (signal == SIGCHLD && code > 0) {
		out_text(o, ", si_status=");
		if (code == CLD_EXITED)
			out_signed(o, status);
		else
			out_signal(o, status, false);
	}
	out_char(o, '}');
}

STRUCT(siginfo, 128, 128, put_siginfo);

static const struct arg_form notify = { .names = NAMES(
	NAME(SIGEV_SIGNAL), NAME(SIGEV_NONE), NAME(SIGEV_THREAD), NAME(SIGEV_THREAD_ID)) };

/* What a timer or a queue does: sigev_value, sigev_signo, sigev_notify. */
static void put_sigevent(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	int at = v->compat ? 4 : 8;

	out_text(o, "{sigev_signo=");
	out_signal(o, (__s32)arg_u32(v, at), false);
	out_text(o, ", sigev_notify=");
	out_enum(o, &notify, (__s32)arg_u32(v, at + 4));
	out_char(o, '}');
}

STRUCT(sigevent, 64, 64, put_sigevent);
