// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records that are no packets.
 * Out:  a line for people, and the parts of it: names of errors, states, owners.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * A line may be wanted for each system call of the host: nothing here allocates or formats.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <xcap.h>
#include "arg_text.h"
#include "out.h"
#include "probe_table.h"

/* ---- parts ---- */

/* The length of the form that bytes[0] begins, or 0. */
static int utf8_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

int xcap_utf8(const char *bytes, size_t size)
{
	const uint8_t *s = (const uint8_t *)bytes;
	int len = size ? utf8_length(s[0]) : 0;
	uint32_t c;

	if (!len || (size_t)len > size)
		return 0;
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f ? -1 : 1;
	c = s[0] & (0x7f >> len);
	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* the short form only, no surrogates, nothing above the last code point */
	if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return c < 0xa0 ? -len : len;	/* U+0080 to U+009F are control characters */
}

const char *xcap_errno_name(__s64 ret)
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

const char *xcap_owner_name(int owner)
{
	static const char *const names[] = {
		[XCAP_OWNER_SOCKET] = "socket", [XCAP_OWNER_LISTENER] = "listener",
		[XCAP_OWNER_SEEDED] = "seeded", [XCAP_OWNER_CLOSED] = "closed",
	};

	return owner >= 0 && owner <= XCAP_OWNER_CLOSED ? names[owner] : NULL;
}

char xcap_state_letter(__u32 prev_state)
{
	static const char letters[] = "SDTtXZPX";	/* the last: dead, and never back */

	if ((prev_state & 0x402) == 0x402)	/* asleep, but no load */
		return 'I';
	if (!(prev_state & 0xff))
		return prev_state & ~0x100u ? '?' : 'R';	/* 0x100: preempted */
	return letters[__builtin_ctz(prev_state)];
}

/* ---- the line ---- */

static void put_task(struct out *o, const char *comm, __u32 tid)
{
	out_safe(o, comm, strnlen(comm, 16));
	out_char(o, '[');
	out_number(o, tid, 10);
	out_char(o, ']');
}

static void put_call(struct out *o, const struct call_row *row, __u32 nr,
		     const struct xcap_record *rec)
{
	if (row) {
		out_text(o, row->name);
	} else {
		out_char(o, '#');
		out_number(o, nr, 10);
	}
	if (rec->flags & XCAP_REC_COMPAT)
		out_text(o, "/32");
}

/* "fd=3(/tmp/x), buf="hi"". Return: how many there were. before: what stands before the first. */
static int put_args(struct out *o, const struct call_row *row, const struct xcap_record *rec,
		    const char *before)
{
	struct xcap_arg arg;
	int nr = 0;

	for (int i = 0; i < 6; i++) {
		if (!arg_read(rec, row, i, &arg))
			continue;
		out_text(o, nr++ ? ", " : before);
		out_text(o, arg.name);
		out_char(o, '=');
		arg_text(o, rec, row, i, &arg);
	}
	return nr;
}

static void put_enter(struct out *o, const struct xcap_record *rec)
{
	struct call_row all, *row = &all;

	if (!syscall_table_row(rec->enter.nr, !!(rec->flags & XCAP_REC_COMPAT), row))
		row = NULL;
	out_text(o, " > ");
	put_call(o, row, rec->enter.nr, rec);
	if (!put_args(o, row, rec, "("))
		out_char(o, '(');
	out_char(o, ')');
}

static void put_result(struct out *o, const struct call_row *row, const struct xcap_record *rec)
{
	const char *error = xcap_errno_name(rec->exit.ret);
	struct xcap_arg arg;

	if (!error && row && arg_read(rec, row, XCAP_ARG_RESULT, &arg)) {
		if (arg.kind == 'p')
			out_hex(o, arg.value);
		else
			arg_text(o, rec, row, XCAP_ARG_RESULT, &arg);
		return;
	}
	out_signed(o, rec->exit.ret);
	if (error) {
		out_char(o, ' ');
		out_text(o, error);
	}
}

static void put_exit(struct out *o, const struct xcap_record *rec)
{
	struct call_row all, *row = &all;

	if (!syscall_table_row(rec->exit.nr, !!(rec->flags & XCAP_REC_COMPAT), row))
		row = NULL;
	out_text(o, " < ");
	put_call(o, row, rec->exit.nr, rec);
	if (put_args(o, row, rec, "("))
		out_char(o, ')');
	out_text(o, " = ");
	put_result(o, row, rec);
}

static void put_switch(struct out *o, const struct xcap_record *rec)
{
	out_text(o, " -> ");
	put_task(o, rec->sw.next_comm, rec->sw.next_tid);
	out_text(o, " (");
	out_char(o, xcap_state_letter(rec->sw.prev_state));
	out_char(o, ')');
}

static void put_loss(struct out *o, const struct xcap_record *rec)
{
	out_text(o, "--- ");
	out_number(o, rec->loss.count, 10);
	out_text(o, " lost (");
	out_text(o, xcap_drop_name(rec->loss.where));
	out_char(o, ')');
}

int xcap_record_text(const struct xcap_record *rec, char *buf, size_t size)
{
	struct out o = { .buf = buf, .size = size };

	if (rec->type < XCAP_SYS_ENTER || rec->type > XCAP_PROBE)
		return -EINVAL;
	if (rec->type != XCAP_LOSS && (rec->type != XCAP_PROBE || rec->tid))
		put_task(&o, rec->comm, rec->tid);
	switch (rec->type) {
	case XCAP_SYS_ENTER:
		put_enter(&o, rec);
		break;
	case XCAP_SYS_EXIT:
		put_exit(&o, rec);
		break;
	case XCAP_SWITCH:
		put_switch(&o, rec);
		break;
	case XCAP_LOSS:
		put_loss(&o, rec);
		break;
	case XCAP_PROBE:
		out_text(&o, rec->tid ? " * " : "* ");
		probe_text(&o, rec);
		break;
	}
	return out_end(&o);
}
