// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   numbers of calls about futexes, System V and POSIX objects.
 * Out:  their names; structures by their fields.
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/futex.h>
#include <linux/ipc.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include "arg_names.h"

/* newer than the headers of Debian 12 */
#define FUTEX2_SIZE_U8 0
#define FUTEX2_SIZE_U16 1
#define FUTEX2_SIZE_U32 2
#define FUTEX2_SIZE_U64 3
#define FUTEX2_NUMA 4
#define FUTEX2_PRIVATE 128

FLAGS(ipc_flags,
	NAME(IPC_CREAT), NAME(IPC_EXCL), NAME(IPC_NOWAIT));

ENUM(msg_cmd,
	NAME(IPC_RMID), NAME(IPC_SET), NAME(IPC_STAT), NAME(IPC_INFO), NAME(MSG_STAT),
	NAME(MSG_INFO), NAME(MSG_STAT_ANY));

FLAGS(msg_rcv,
	NAME(MSG_NOERROR), NAME(MSG_EXCEPT), NAME(MSG_COPY), NAME(IPC_NOWAIT));

ENUM(sem_cmd,
	NAME(IPC_RMID), NAME(IPC_SET), NAME(IPC_STAT), NAME(IPC_INFO), NAME(SEM_STAT),
	NAME(SEM_INFO), NAME(SEM_STAT_ANY), NAME(GETPID), NAME(GETVAL), NAME(GETALL),
	NAME(GETNCNT), NAME(GETZCNT), NAME(SETVAL), NAME(SETALL));

ENUM(shm_cmd,
	NAME(IPC_RMID), NAME(IPC_SET), NAME(IPC_STAT), NAME(IPC_INFO), NAME(SHM_LOCK),
	NAME(SHM_UNLOCK), NAME(SHM_STAT), NAME(SHM_INFO), NAME(SHM_STAT_ANY));

FLAGS(shmat_flags,
	NAME(SHM_RDONLY), NAME(SHM_RND), NAME(SHM_REMAP), NAME(SHM_EXEC));

FLAGS(futex2_flags,
	PART(FUTEX2_SIZE_U8, 3), PART(FUTEX2_SIZE_U16, 3), PART(FUTEX2_SIZE_U32, 3),
	PART(FUTEX2_SIZE_U64, 3), NAME(FUTEX2_NUMA), NAME(FUTEX2_PRIVATE));

/* "IPC_CREAT|0600": flags, and the mode of what is made */
static void put_made(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	__u32 flags = v->value & ~0777u;

	if (flags) {
		out_flags(o, form, flags);
		out_char(o, '|');
	}
	if (!(v->value & 0777))
		out_char(o, '0');
	out_octal(o, v->value & 0777);
}

const struct arg_form arg_form_ipc_get = {
	.put = put_made,
	.names = NAMES(NAME(IPC_CREAT), NAME(IPC_EXCL)),
};

const struct arg_form arg_form_shm_get = {
	.put = put_made,
	.names = NAMES(NAME(IPC_CREAT), NAME(IPC_EXCL), NAME(SHM_HUGETLB), NAME(SHM_NORESERVE)),
};

static void put_key(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	if ((__u32)v->value == IPC_PRIVATE)
		out_text(o, "IPC_PRIVATE");
	else
		out_hex(o, (__u32)v->value);
}

const struct arg_form arg_form_ipc_key = { .put = put_key };

static const struct arg_form sem_flags = { .names = NAMES(NAME(SEM_UNDO), NAME(IPC_NOWAIT)) };

static void put_sembuf(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{sem_num=");
	out_number(o, arg_u16(v, 0), 10);
	out_text(o, ", sem_op=");
	out_signed(o, (__s16)arg_u16(v, 2));
	out_text(o, ", sem_flg=");
	out_flags(o, &sem_flags, arg_u16(v, 4));
	out_char(o, '}');
}

STRUCT(sembuf, 6, 6, put_sembuf);

static void put_mq_attr(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	static const char *const names[] = {
		", mq_maxmsg=", ", mq_msgsize=", ", mq_curmsgs=",
	};

	out_text(o, "{mq_flags=");
	out_flags(o, &arg_form_fd_flags, arg_ulong(v, 0));
	for (int i = 0; i < 3; i++) {
		out_text(o, names[i]);
		out_signed(o, arg_long(v, i + 1));
	}
	out_char(o, '}');
}

STRUCT(mq_attr, 64, 32, put_mq_attr);

/* ---- futexes ---- */

static const struct arg_form futex_ops = { .names = NAMES(
	NAME(FUTEX_WAIT), NAME(FUTEX_WAKE), NAME(FUTEX_FD), NAME(FUTEX_REQUEUE),
	NAME(FUTEX_CMP_REQUEUE), NAME(FUTEX_WAKE_OP), NAME(FUTEX_LOCK_PI), NAME(FUTEX_UNLOCK_PI),
	NAME(FUTEX_TRYLOCK_PI), NAME(FUTEX_WAIT_BITSET), NAME(FUTEX_WAKE_BITSET),
	NAME(FUTEX_WAIT_REQUEUE_PI), NAME(FUTEX_CMP_REQUEUE_PI), NAME(FUTEX_LOCK_PI2)) };

/* "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME" */
static void put_futex_op(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	__u32 op = v->value;

	out_enum(o, &futex_ops, op & FUTEX_CMD_MASK);
	if (op & FUTEX_PRIVATE_FLAG)
		out_text(o, "_PRIVATE");
	if (op & FUTEX_CLOCK_REALTIME)
		out_text(o, "|FUTEX_CLOCK_REALTIME");
}

const struct arg_form arg_form_futex_op = { .put = put_futex_op };

static void put_futex_waitv(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{val=");
	out_hex(o, arg_u64(v, 0));
	out_text(o, ", uaddr=");
	out_hex(o, arg_u64(v, 8));
	out_text(o, ", flags=");
	out_flags(o, &arg_form_futex2_flags, arg_u32(v, 16));
	out_char(o, '}');
}

STRUCT(futex_waitv, 24, 24, put_futex_waitv);
