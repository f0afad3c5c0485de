// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   system calls, with what their arguments refer to.
 * Out:  one argument as a value, and for people.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <xcap.h>
#include "arg_forms.h"
#include "arg_text.h"
#include "items.h"

static const struct call_arg unnamed[7] = {
	{ .name = "arg0", .kind = 'p' }, { .name = "arg1", .kind = 'p' },
	{ .name = "arg2", .kind = 'p' }, { .name = "arg3", .kind = 'p' },
	{ .name = "arg4", .kind = 'p' }, { .name = "arg5", .kind = 'p' },
};

/* ---- as a value ---- */

/* Registers hold more bits than an int: what is above means nothing. */
static __s64 with_sign(const struct xcap_record *rec, char kind, __u64 value)
{
	if (kind == 'd' || kind == 'f' || (rec->flags & XCAP_REC_COMPAT))
		return (__s32)value;
	return (__s64)value;
}

/* An address is as wide as a register of the caller; errors are told by name, and before this. */
static __u64 raw_value(const struct xcap_record *rec, int i, char kind)
{
	if (i == XCAP_ARG_RESULT && kind == 'p' && (rec->flags & XCAP_REC_COMPAT))
		return (__u32)rec->exit.ret;
	if (i == XCAP_ARG_RESULT)
		return rec->exit.ret;
	return rec->type == XCAP_SYS_ENTER ? rec->enter.args[i] : 0;
}

static void read_memory(struct xcap_arg *arg, const struct call_arg *a, const struct item *item)
{
	bool several = a->how == XREAD_IOV || a->how == XREAD_MSG || a->how == XREAD_MMSG;

	arg->memory = item->head.kind == XITEM_STRINGS ? XCAP_MEMORY_STRINGS :
		      several ? XCAP_MEMORY_DATA :
		      a->form ? XCAP_MEMORY_STRUCT : XCAP_MEMORY_BYTES;
	arg->cut = !!(item->head.flags & XITEM_CUT);
	arg->fault = !!(item->head.flags & XITEM_FAULT);
	arg->bytes = item->bytes;
	arg->len = item->head.len;
	arg->whole = item->head.whole;
}

/* The mode of an open() that makes nothing is whatever stood in the register. */
static bool is_meant(const struct xcap_record *rec, const struct call_row *row, int i)
{
	if (rec->type != XCAP_SYS_ENTER || !row || !i || row->args[i].kind != 'o' ||
	    row->args[i - 1].form != &arg_form_open_flags)
		return true;
	return rec->enter.args[i - 1] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY));
}

int arg_read(const struct xcap_record *rec, const struct call_row *row, int i,
	     struct xcap_arg *arg)
{
	const struct call_arg *a = row ? &row->args[i] : &unnamed[i];
	bool at_exit = rec->type == XCAP_SYS_EXIT;
	struct item item;

	if (!a->kind || (i == XCAP_ARG_RESULT && !at_exit) || !is_meant(rec, row, i))
		return 0;
	*arg = (struct xcap_arg){ .name = a->name, .kind = a->kind };
	arg->value = raw_value(rec, i, a->kind);
	arg->number = with_sign(rec, arg->kind, arg->value);
	if (items_find(rec, i, XITEM_BYTES, &item) || items_find(rec, i, XITEM_STRINGS, &item))
		read_memory(arg, a, &item);
	/* the registers are those of the entry: at exit there is what was read, or nothing */
	return !at_exit || i == XCAP_ARG_RESULT || (arg->memory && (arg->len || !arg->fault));
}

/* Return: 1; 0: it is no call, or has no such argument. */
static int find(const struct xcap_record *rec, int i, struct call_row *row, bool *named,
		struct xcap_arg *arg)
{
	bool enter = rec->type == XCAP_SYS_ENTER;

	if ((!enter && rec->type != XCAP_SYS_EXIT) || i < 0 || i > XCAP_ARG_RESULT)
		return 0;
	*named = syscall_table_row(enter ? rec->enter.nr : rec->exit.nr,
				   !!(rec->flags & XCAP_REC_COMPAT), row);
	return arg_read(rec, *named ? row : NULL, i, arg);
}

int xcap_record_arg(const struct xcap_record *rec, int i, struct xcap_arg *arg)
{
	struct call_row row;
	bool named;

	return find(rec, i, &row, &named, arg);
}

/* ---- for people ---- */

static void put_file(struct out *o, const struct xcap_file *f)
{
	bool bound = f->local_port || f->remote_port;

	out_char(o, '(');
	if (bound && (f->family == AF_INET || f->family == AF_INET6)) {
		out_address(o, f->family, f->local, f->local_port);
		if (f->remote_port) {
			out_text(o, "→");
			out_address(o, f->family, f->remote, f->remote_port);
		}
	} else {
		out_safe(o, f->path, f->path_len);
	}
	out_char(o, ')');
}

static void put_fd(struct out *o, const struct xcap_record *rec, int i, __s64 fd)
{
	struct xcap_file file;

	if (fd == AT_FDCWD)
		out_text(o, "AT_FDCWD");
	else
		out_signed(o, fd);
	if (xcap_record_file(rec, i, &file))
		put_file(o, &file);
}

static void put_number(struct out *o, const struct xcap_arg *arg)
{
	switch (arg->kind) {
	case 'd':
	case 'l':
		out_signed(o, arg->number);
		break;
	case 'u':
		out_number(o, arg->value, 10);
		break;
	case 'o':
		out_octal(o, arg->value & 07777777);
		break;
	default:
		if (!arg->value && arg->kind == 'p')
			out_text(o, "NULL");
		else
			out_hex(o, arg->value);
	}
}

static void put_text(struct out *o, const struct xcap_arg *arg)
{
	out_quoted(o, arg->bytes, arg->len);
	if (arg->cut || arg->fault)
		out_text(o, "...");
}

static void put_strings(struct out *o, const struct xcap_arg *arg)
{
	const char *s = (const char *)arg->bytes, *end = s + arg->len;

	out_char(o, '[');
	while (s < end) {
		size_t len = strnlen(s, end - s);

		out_quoted(o, s, len);
		s += len + 1;
		if (s < end)
			out_text(o, ", ");
	}
	out_text(o, arg->cut || arg->fault ? ", ...]" : "]");
}

static void put_elements(struct out *o, const struct call_arg *a, struct arg_value *v)
{
	__u32 size = v->compat ? a->form->size32 : a->form->size, left = v->len;
	bool array = a->count != XCOUNT_ONE;

	if (array)
		out_char(o, '[');
	for (v->len = size; left >= size; left -= size, v->bytes += size) {
		a->form->put(o, a->form, v);
		if (left >= 2 * size)
			out_text(o, ", ");
	}
	if (array)
		out_char(o, ']');
}

/* The address in a message. i: argument; -1 any. Return: false: it has none. */
static bool put_address(struct out *o, const struct xcap_record *rec, int i)
{
	struct arg_value v = { .rec = rec };
	struct item name;

	if (!items_find(rec, i, XITEM_NAME, &name))
		return false;
	v.bytes = name.bytes;
	v.len = name.head.len;
	arg_form_sockaddr.put(o, &arg_form_sockaddr, &v);
	return true;
}

static void put_message(struct out *o, const struct xcap_record *rec, int i,
			const struct xcap_arg *arg)
{
	out_char(o, '{');
	if (put_address(o, rec, i))
		out_text(o, ", ");
	put_text(o, arg);
	out_char(o, '}');
}

static void put_memory(struct out *o, const struct xcap_record *rec, const struct call_arg *a,
		       int i, const struct xcap_arg *arg)
{
	struct arg_value v = {
		.rec = rec, .number = arg->number, .value = arg->value, .bytes = arg->bytes,
		.len = arg->len, .compat = rec->flags & XCAP_REC_COMPAT,
	};

	if (a->how == XREAD_STRINGS)
		put_strings(o, arg);
	else if (a->how == XREAD_MSG || a->how == XREAD_MMSG)
		put_message(o, rec, i, arg);
	else if (!a->form)
		put_text(o, arg);
	else if (a->elements)
		put_elements(o, a, &v);
	else
		a->form->put(o, a->form, &v);
}

/* Structures need all of their bytes, and an ABI that has them: a file may claim anything. */
static bool is_complete(const struct call_arg *a, const struct xcap_arg *arg, bool compat)
{
	__u32 size = !a->elements ? 0 : compat ? a->form->size32 : a->form->size;

	if (!arg->memory || (arg->fault && !arg->len) || (a->elements && !size))
		return false;
	return a->count != XCOUNT_ONE || arg->len >= size;
}

void arg_text(struct out *o, const struct xcap_record *rec, const struct call_row *row, int i,
	      const struct xcap_arg *arg)
{
	const struct call_arg *a = row ? &row->args[i] : &unnamed[i];
	struct arg_value v = { .rec = rec, .number = arg->number, .value = arg->value };

	if (arg->kind == 'f')
		put_fd(o, rec, i, arg->number);
	else if (is_complete(a, arg, rec->flags & XCAP_REC_COMPAT))
		put_memory(o, rec, a, i, arg);
	else if (a->form && a->how == XREAD_NOTHING)
		a->form->put(o, a->form, &v);
	else
		put_number(o, arg);
}

int xcap_record_arg_text(const struct xcap_record *rec, int i, char *buf, size_t size)
{
	struct out o = { .buf = buf, .size = size };
	struct call_row row;
	struct xcap_arg arg;
	bool named;

	if (i == XCAP_ARG_ADDRESS)
		return put_address(&o, rec, -1) ? out_end(&o) : -EINVAL;
	if (!find(rec, i, &row, &named, &arg))
		return -EINVAL;
	arg_text(&o, rec, named ? &row : NULL, i, &arg);
	return out_end(&o);
}
