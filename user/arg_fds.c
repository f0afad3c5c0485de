// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   sets of descriptors.
 * Out:  "[3, 4]", "{0 5}".
 * Owns: nothing.
 * Runs on: any thread.
 */
#include "arg_forms.h"

/* What pipe() and socketpair() give. */
static void put_fds(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	__s32 fds[2];

	memcpy(fds, v->bytes, sizeof(fds));
	out_char(o, '[');
	out_signed(o, fds[0]);
	out_text(o, ", ");
	out_signed(o, fds[1]);
	out_char(o, ']');
}

const struct arg_form arg_form_fds = { .put = put_fds, .size = 8, .size32 = 8 };

/* Words are little-endian: byte i has the bits from 8 * i on. */
static void put_fd_set(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	bool first = true;

	out_char(o, '{');
	for (__u32 fd = 0; fd < v->len * 8; fd++) {
		if (!(v->bytes[fd / 8] >> fd % 8 & 1))
			continue;
		if (!first)
			out_char(o, ' ');
		first = false;
		out_number(o, fd, 10);
	}
	out_char(o, '}');
}

const struct arg_form arg_form_fd_set = { .put = put_fd_set };
