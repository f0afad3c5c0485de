/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For files that write sets of names. A value is that of the kernel's header, so where two
 * architectures differ the header decides. Each name stands once: as it is written.
 */
#ifndef XCAP_ARG_NAMES_H
#define XCAP_ARG_NAMES_H

#include "arg_forms.h"

#define NAME(n) { #n, n, 0 }
#define PART(n, m) { #n, n, m }		/* the field m has the value n */
#define NAMES(...) (const struct arg_name[]){ __VA_ARGS__, { 0 } }

#define ARG_FORM(form, ...) const struct arg_form arg_form_##form = { __VA_ARGS__ }

/* An int with one of these values; an int of these bits; a register of these bits. */
#define ENUM(form, ...) ARG_FORM(form, .put = arg_put_enum, .names = NAMES(__VA_ARGS__))
#define FLAGS(form, ...) ARG_FORM(form, .put = arg_put_flags, .names = NAMES(__VA_ARGS__))
#define LONG_FLAGS(form, ...) \
	ARG_FORM(form, .put = arg_put_flags, .wide = true, .names = NAMES(__VA_ARGS__))

/* A structure: its bytes, those of 32-bit calls, what writes it. */
#define STRUCT(form, bytes, bytes32, function) \
	ARG_FORM(form, .put = function, .size = bytes, .size32 = bytes32)

#endif
