// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records that are no packets.
 * Out:  a line for people, and the parts of it: arguments, names of errors, states, owners.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * A line may be wanted for each system call of the host: nothing here allocates or formats.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <xcap.h>
#include "syscall_table.h"

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
	static const char letters[] = "SDTtXZP";

	if ((prev_state & 0x402) == 0x402)	/* asleep, but no load */
		return 'I';
	if (!(prev_state & 0x7f))
		return prev_state & ~0x100u ? '?' : 'R';	/* 0x100: preempted */
	return letters[__builtin_ctz(prev_state)];
}

/* Registers hold more bits than an int: what is above means nothing. */
static __s64 with_sign(const struct xcap_record *rec, char kind, __u64 value)
{
	if (kind == 'd' || kind == 'f' || (rec->flags & XCAP_REC_COMPAT))
		return (__s32)value;
	return (__s64)value;
}

/* row: NULL for a call without name. Return: as xcap_record_arg(). */
static int read_arg(const struct xcap_record *rec, const struct call_row *row, int i,
		    struct xcap_arg *arg)
{
	static const char *const unnamed[] = {
		"p arg0", "p arg1", "p arg2", "p arg3", "p arg4", "p arg5",
	};
	const char *text = row ? row->args[i] : unnamed[i];

	if (!text)
		return 0;
	*arg = (struct xcap_arg) { .name = text + 2, .kind = text[0], .value = rec->enter.args[i] };
	arg->number = with_sign(rec, arg->kind, arg->value);
	return 1;
}

int xcap_record_arg(const struct xcap_record *rec, int i, struct xcap_arg *arg)
{
	struct call_row row;
	int named;

	if (rec->type != XCAP_SYS_ENTER || i < 0 || i > 5)
		return 0;
	named = syscall_table_row(rec->enter.nr, rec->flags & XCAP_REC_COMPAT, &row);
	return read_arg(rec, named ? &row : NULL, i, arg);
}

/* ---- the line: each function writes at p and returns where it stopped ---- */

static char *put(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *put_number(char *p, __u64 n, unsigned int base)
{
	char digits[24], *d = digits + sizeof(digits);

	do {
		*--d = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	memcpy(p, d, digits + sizeof(digits) - d);
	return p + (digits + sizeof(digits) - d);
}

static char *put_hex(char *p, __u64 n)
{
	return put_number(put(p, "0x"), n, 16);
}

static char *put_signed(char *p, __s64 n)
{
	if (n >= 0)
		return put_number(p, n, 10);
	return put_number(put(p, "-"), -(__u64)n, 10);
}

static char *put_escaped(char *p, uint8_t byte)
{
	p = put(p, "\\x");
	*p++ = "0123456789abcdef"[byte >> 4];
	*p++ = "0123456789abcdef"[byte & 15];
	return p;
}

static char *put_name(char *p, const char *comm)
{
	for (size_t at = 0; at < 16 && comm[at];) {
		int len = xcap_utf8(comm + at, 16 - at);
		int bytes = len < 0 ? -len : len ?: 1;

		for (int i = 0; i < bytes; i++, at++) {
			if (len > 0)
				*p++ = comm[at];
			else
				p = put_escaped(p, comm[at]);
		}
	}
	return p;
}

static char *put_task(char *p, const char *comm, __u32 tid)
{
	p = put(put_name(p, comm), "[");
	return put(put_number(p, tid, 10), "]");
}

static char *put_arg(char *p, const struct xcap_arg *arg)
{
	switch (arg->kind) {
	case 'f':
		if (arg->number == -100)
			return put(p, "AT_FDCWD");
		/* fall through */
	case 'd':
	case 'l':
		return put_signed(p, arg->number);
	case 'u':
		return put_number(p, arg->value, 10);
	case 'o':
		return put_number(arg->value ? put(p, "0") : p, arg->value & 07777777, 8);
	default:
		if (arg->value)
			return put_hex(p, arg->value);
		return put(p, arg->kind == 'p' ? "NULL" : "0");
	}
}

static char *put_call(char *p, const char *name, __u32 nr, const struct xcap_record *rec)
{
	p = name ? put(p, name) : put_number(put(p, "#"), nr, 10);
	return rec->flags & XCAP_REC_COMPAT ? put(p, "/32") : p;
}

static char *put_enter(char *p, const struct xcap_record *rec)
{
	struct call_row row;
	struct xcap_arg arg;
	int named = syscall_table_row(rec->enter.nr, rec->flags & XCAP_REC_COMPAT, &row);

	p = put_call(put(p, " > "), named ? row.name : NULL, rec->enter.nr, rec);
	*p++ = '(';
	for (int i = 0; i < 6 && read_arg(rec, named ? &row : NULL, i, &arg); i++) {
		p = put(put(i ? put(p, ", ") : p, arg.name), "=");
		p = put_arg(p, &arg);
	}
	*p++ = ')';
	return p;
}

static int returns_address(const char *call)
{
	static const char *const calls[] = { "mmap", "mmap2", "mremap", "brk", "shmat" };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i], call))
			return 1;
	return 0;
}

static char *put_exit(char *p, const struct xcap_record *rec)
{
	const char *name = xcap_syscall_name(rec->exit.nr, rec->flags & XCAP_REC_COMPAT);
	const char *error = xcap_errno_name(rec->exit.ret);

	p = put(put_call(put(p, " < "), name, rec->exit.nr, rec), " = ");
	if (name && !error && returns_address(name))
		p = put_hex(p, rec->exit.ret);
	else
		p = put_signed(p, rec->exit.ret);
	return error ? put(put(p, " "), error) : p;
}

static char *put_switch(char *p, const struct xcap_record *rec)
{
	p = put(put_task(put(p, " -> "), rec->sw.next_comm, rec->sw.next_tid), " (");
	*p++ = xcap_state_letter(rec->sw.prev_state);
	return put(p, ")");
}

static char *put_loss(char *p, const struct xcap_record *rec)
{
	p = put(put_number(put(p, "--- "), rec->loss.count, 10), " lost (");
	return put(put(p, xcap_drop_name(rec->loss.where)), ")");
}

/* Return: bytes of the line; 0: there is none. text has room for the longest. */
static int put_line(char *text, const struct xcap_record *rec)
{
	char *p = text;

	if (rec->type != XCAP_LOSS)
		p = put_task(p, rec->comm, rec->tid);
	switch (rec->type) {
	case XCAP_SYS_ENTER:
		return put_enter(p, rec) - text;
	case XCAP_SYS_EXIT:
		return put_exit(p, rec) - text;
	case XCAP_SWITCH:
		return put_switch(p, rec) - text;
	case XCAP_LOSS:
		return put_loss(p, rec) - text;
	}
	return 0;
}

/* How much of the line fits into room bytes without half a character at its end. */
static size_t whole(const char *text, size_t room)
{
	size_t at = room;

	while (at && ((uint8_t)text[at] & 0xc0) == 0x80)
		at--;
	for (size_t i = at > 3 ? at - 3 : 0; i < at; i++)
		if (text[i] == '\\')
			return i;
	return at;
}

int xcap_record_text(const struct xcap_record *rec, char *buf, size_t size)
{
	char text[XCAP_TEXT_MAX];
	size_t len = put_line(text, rec), fits = len;

	if (!len)
		return -EINVAL;
	if (!size)
		return len;
	if (len >= size)
		fits = whole(text, size - 1);
	memcpy(buf, text, fits);
	buf[fits] = '\0';
	return len;
}
