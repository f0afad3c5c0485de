// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   numbers of a set.
 * Out:  their names.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include "arg_forms.h"

void out_enum(struct out *o, const struct arg_form *form, __s64 number)
{
	for (const struct arg_name *n = form->names; n->name; n++)
		if ((__s64)n->value == number || (__s32)n->value == number) {
			out_text(o, n->name);
			return;
		}
	out_signed(o, number);
}

static void put_bar(struct out *o, bool *first)
{
	if (!*first)
		out_char(o, '|');
	*first = false;
}

void out_flags(struct out *o, const struct arg_form *form, __u64 value)
{
	__u64 rest = value;
	bool first = true;

	for (const struct arg_name *n = form->names; n->name; n++) {
		__u64 mask = n->mask ?: n->value;

		if (n->mask ? (value & mask) != n->value : (rest & mask) != mask || !mask)
			continue;
		put_bar(o, &first);
		out_text(o, n->name);
		rest &= ~mask;
	}
	if (!rest && !first)
		return;
	put_bar(o, &first);
	out_hex(o, rest);
}

/* Registers hold more bits than an int: what is above means nothing. */
void arg_put_enum(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_enum(o, form, (__s32)v->value);
}

void arg_put_flags(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_flags(o, form, form->wide ? v->value : (__u32)v->value);
}
