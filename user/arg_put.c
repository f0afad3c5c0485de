// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   numbers of a set.
 * Out:  their names.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include "arg_forms.h"

void arg_put_enum(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	for (const struct arg_name *n = form->names; n->name; n++)
		if (n->value == v->value || (__s64)n->value == v->number) {
			out_text(o, n->name);
			return;
		}
	out_signed(o, v->number);
}

static void put_bar(struct out *o, bool *first)
{
	if (!*first)
		out_char(o, '|');
	*first = false;
}

void arg_put_flags(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	__u64 rest = v->value;
	bool first = true;

	for (const struct arg_name *n = form->names; n->name; n++) {
		__u64 mask = n->mask ?: n->value;

		if (n->mask ? (v->value & mask) != n->value : (rest & mask) != mask || !mask)
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
