// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   clocks, and times of every width.
 * Out:  names, and fields.
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include "arg_names.h"

/* the kernel has them in headers of its own */
#define UTIME_NOW ((1l << 30) - 1l)
#define UTIME_OMIT ((1l << 30) - 2l)

ENUM(clockid,
	NAME(CLOCK_REALTIME), NAME(CLOCK_MONOTONIC), NAME(CLOCK_PROCESS_CPUTIME_ID),
	NAME(CLOCK_THREAD_CPUTIME_ID), NAME(CLOCK_MONOTONIC_RAW), NAME(CLOCK_REALTIME_COARSE),
	NAME(CLOCK_MONOTONIC_COARSE), NAME(CLOCK_BOOTTIME), NAME(CLOCK_REALTIME_ALARM),
	NAME(CLOCK_BOOTTIME_ALARM), NAME(CLOCK_SGI_CYCLE), NAME(CLOCK_TAI));

FLAGS(timer_flags,
	NAME(TIMER_ABSTIME));

FLAGS(timerfd_flags,
	NAME(TFD_CLOEXEC), NAME(TFD_NONBLOCK));

FLAGS(timerfd_set,
	NAME(TFD_TIMER_ABSTIME), NAME(TFD_TIMER_CANCEL_ON_SET));

ENUM(itimer,
	NAME(ITIMER_REAL), NAME(ITIMER_VIRTUAL), NAME(ITIMER_PROF));

/* ---- structures: seconds, and what stands behind them ---- */

/* Those of 32-bit calls are two longs, but for calls of 2038 and later. */
static bool is_narrow(const struct arg_form *form, const struct arg_value *v)
{
	return v->compat && form->size32 < form->size;
}

static __s64 field(const struct arg_form *form, const struct arg_value *v, int i)
{
	return is_narrow(form, v) ? (__s32)arg_u32(v, 4 * i) : (__s64)arg_u64(v, 8 * i);
}

static void put_pair(struct out *o, const char *second, __s64 sec, __s64 part)
{
	out_text(o, "{tv_sec=");
	out_signed(o, sec);
	out_text(o, second);
	out_signed(o, part);
	out_char(o, '}');
}

static void put_timespec(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	put_pair(o, ", tv_nsec=", field(form, v, 0), field(form, v, 1));
}

static void put_timeval(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	put_pair(o, ", tv_usec=", field(form, v, 0), field(form, v, 1));
}

STRUCT(timespec, 16, 8, put_timespec);
STRUCT(timespec64, 16, 16, put_timespec);
STRUCT(timeval, 16, 8, put_timeval);

static void put_timevals(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_char(o, '[');
	put_pair(o, ", tv_usec=", field(form, v, 0), field(form, v, 1));
	out_text(o, ", ");
	put_pair(o, ", tv_usec=", field(form, v, 2), field(form, v, 3));
	out_char(o, ']');
}

STRUCT(timevals, 32, 16, put_timevals);

/* utimensat(): two times, either of which may be no time */
static void put_utimes(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_char(o, '[');
	for (int i = 0; i < 4; i += 2) {
		__s64 nanos = field(form, v, i + 1);

		if (i)
			out_text(o, ", ");
		if (nanos == UTIME_NOW)
			out_text(o, "UTIME_NOW");
		else if (nanos == UTIME_OMIT)
			out_text(o, "UTIME_OMIT");
		else
			put_pair(o, ", tv_nsec=", field(form, v, i), nanos);
	}
	out_char(o, ']');
}

STRUCT(utimes, 32, 16, put_utimes);
STRUCT(utimes64, 32, 32, put_utimes);

static void put_utimbuf(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{actime=");
	out_signed(o, field(form, v, 0));
	out_text(o, ", modtime=");
	out_signed(o, field(form, v, 1));
	out_char(o, '}');
}

STRUCT(utimbuf, 16, 8, put_utimbuf);

static void put_interval(struct out *o, const struct arg_form *form, const struct arg_value *v,
			 const char *second)
{
	out_text(o, "{it_interval=");
	put_pair(o, second, field(form, v, 0), field(form, v, 1));
	out_text(o, ", it_value=");
	put_pair(o, second, field(form, v, 2), field(form, v, 3));
	out_char(o, '}');
}

static void put_itimerspec(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	put_interval(o, form, v, ", tv_nsec=");
}

static void put_itimerval(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	put_interval(o, form, v, ", tv_usec=");
}

STRUCT(itimerspec, 32, 16, put_itimerspec);
STRUCT(itimerspec64, 32, 32, put_itimerspec);
STRUCT(itimerval, 32, 16, put_itimerval);

static void put_tms(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	static const char *const names[] = {
		"{tms_utime=", ", tms_stime=", ", tms_cutime=", ", tms_cstime=",
	};

	for (int i = 0; i < 4; i++) {
		out_text(o, names[i]);
		out_signed(o, field(form, v, i));
	}
	out_char(o, '}');
}

STRUCT(tms, 32, 16, put_tms);

/* What a futex waits at most, if its operation does: else the register is a number, or left over */
static void put_futex_timeout(struct out *o, const struct arg_form *form,
			      const struct arg_value *v)
{
	switch (arg_other(v, 1) & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		put_timespec(o, form, v);
		break;
	default:
		out_hex(o, v->value);
	}
}

STRUCT(futex_timeout, 16, 8, put_futex_timeout);
STRUCT(futex_timeout64, 16, 16, put_futex_timeout);
