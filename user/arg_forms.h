/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How arguments of system calls are written: flags and enumerations by name, structures by
 * their fields. The table of calls (syscall_names.h) names the forms, so each name here is
 * one that stands there.
 */
#ifndef XCAP_ARG_FORMS_H
#define XCAP_ARG_FORMS_H

#include <xcap.h>
#include "out.h"

/* One argument, or one element of an array that it points to. */
struct arg_value {
	const struct xcap_record *rec;
	__s64 number;		/* the register with its sign */
	__u64 value;		/* the register */
	const __u8 *bytes;	/* memory; not aligned */
	__u32 len;		/* bytes there: a form checks that they suffice */
	bool compat;		/* a 32-bit call: its structures are those of 32 bits */
};

struct arg_form {
	/* Writes the value. Structures: only called with v->len of at least the size. */
	void (*put)(struct out *o, const struct arg_form *form, const struct arg_value *v);
	const void *names;	/* what put() looks in */
	__u16 size;		/* bytes of the structure; 0 the form of a value */
	__u16 size32;		/* the same of 32-bit calls */
};

/* One name of a set; the last has none. */
struct arg_name {
	const char *name;
	__u64 value;
	__u64 mask;		/* 0: the bits of value; else the field that has this value */
};

/* Values by name; a number that has none as such. */
void arg_put_enum(struct out *o, const struct arg_form *form, const struct arg_value *v);

/* "O_RDONLY|O_CLOEXEC|0x1000": fields first where they stand first, bits, the rest in hex. */
void arg_put_flags(struct out *o, const struct arg_form *form, const struct arg_value *v);

/* "10.0.0.1:443", "[::1]:53" */
void out_address(struct out *o, int family, const __u8 *address, __u16 port);

#define FORM(name) extern const struct arg_form arg_form_##name;
#include "arg_forms.list"
#undef FORM

#endif
