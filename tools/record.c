// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a record.
 * Out:  the words for its parts, which text and JSON share.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <string.h>
#include "record.h"

const char *record_type(const struct xcap_record *rec)
{
	static const char *const names[] = {
		[XCAP_PACKET] = "packet", [XCAP_SYS_ENTER] = "sys_enter",
		[XCAP_SYS_EXIT] = "sys_exit", [XCAP_SWITCH] = "switch", [XCAP_LOSS] = "loss",
	};

	return rec->type >= XCAP_PACKET && rec->type <= XCAP_LOSS ? names[rec->type] : "unknown";
}

const char *record_call(const struct xcap_record *rec)
{
	__u32 nr = rec->type == XCAP_SYS_ENTER ? rec->enter.nr : rec->exit.nr;

	return xcap_syscall_name(nr, rec->flags & XCAP_REC_COMPAT);
}

/* Registers hold more bits than an int: what is above means nothing. */
static __s64 with_sign(const struct xcap_record *rec, char kind, __u64 value)
{
	if (kind == 'd' || kind == 'f' || (rec->flags & XCAP_REC_COMPAT))
		return (__s32)value;
	return (__s64)value;
}

bool record_arg(const struct xcap_record *rec, int i, struct record_arg *arg)
{
	static const char *const unnamed[] = { "arg0", "arg1", "arg2", "arg3", "arg4", "arg5" };
	const char *call = record_call(rec);

	if (i < 0 || i > 5)
		return false;
	arg->kind = 'p';
	arg->name = call ? xcap_syscall_arg(call, i, &arg->kind) : unnamed[i];
	if (!arg->name)
		return false;
	arg->value = rec->enter.args[i];
	arg->number = with_sign(rec, arg->kind, arg->value);
	return true;
}

const char *record_errno(__s64 ret)
{
	/* of the kernel only: a signal came, and the call is made again or ends with EINTR */
	static const struct { int nr; const char *name; } inner[] = {
		{ 512, "ERESTARTSYS" }, { 513, "ERESTARTNOINTR" }, { 514, "ERESTARTNOHAND" },
		{ 515, "ENOIOCTLCMD" }, { 516, "ERESTART_RESTARTBLOCK" }, { 530, "EIOCBQUEUED" },
	};

	if (ret >= 0 || ret < -4095)
		return NULL;
	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++)
		if (inner[i].nr == -ret)
			return inner[i].name;
	return strerrorname_np(-ret);
}

bool record_returns_address(const char *call)
{
	static const char *const calls[] = { "mmap", "mmap2", "mremap", "brk", "shmat" };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i], call))
			return true;
	return false;
}

char record_state(__u32 prev_state)
{
	static const char letters[] = "SDTtXZP";

	if ((prev_state & 0x402) == 0x402)	/* asleep, but no load */
		return 'I';
	if (!(prev_state & 0x7f))
		return prev_state & ~0x100u ? '?' : 'R';	/* 0x100: preempted */
	return letters[__builtin_ctz(prev_state)];
}
