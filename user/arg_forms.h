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
	__u16 size32;		/* the same of 32-bit calls; 0: they have none */
	bool wide;		/* flags: a whole register, not an int */
};

/* One name of a set; the last has none. */
struct arg_name {
	const char *name;
	__u64 value;
	__u64 mask;		/* 0: the bits of value; else the field that has this value */
};

/* Values by name; a number that has none in decimal. */
void arg_put_enum(struct out *o, const struct arg_form *form, const struct arg_value *v);

/* "O_RDONLY|O_CLOEXEC|0x1000": fields first where they stand first, bits, the rest in hex. */
void arg_put_flags(struct out *o, const struct arg_form *form, const struct arg_value *v);

/* The same for a part of a structure. */
void out_enum(struct out *o, const struct arg_form *form, __s64 number);
void out_flags(struct out *o, const struct arg_form *form, __u64 value);

/* "SIGTERM", "SIGRT_3"; short: "TERM", as in sets */
void out_signal(struct out *o, __s64 nr, bool shortly);

/* "10.0.0.1:443", "[::1]:53" */
void out_address(struct out *o, int family, const __u8 *address, __u16 port);

/* Another argument of the same call. Return: 0 at exit: registers are those of the entry. */
static inline __u64 arg_other(const struct arg_value *v, int i)
{
	return v->rec->type == XCAP_SYS_ENTER ? v->rec->enter.args[i] : 0;
}

/* What stands at that place of the structure. */
static inline __u16 arg_u16(const struct arg_value *v, int at)
{
	__u16 n;

	memcpy(&n, v->bytes + at, sizeof(n));
	return n;
}

static inline __u32 arg_u32(const struct arg_value *v, int at)
{
	__u32 n;

	memcpy(&n, v->bytes + at, sizeof(n));
	return n;
}

static inline __u64 arg_u64(const struct arg_value *v, int at)
{
	__u64 n;

	memcpy(&n, v->bytes + at, sizeof(n));
	return n;
}

/* The i-th long of a structure that begins with longs. */
static inline __u64 arg_ulong(const struct arg_value *v, int i)
{
	return v->compat ? arg_u32(v, 4 * i) : arg_u64(v, 8 * i);
}

static inline __s64 arg_long(const struct arg_value *v, int i)
{
	return v->compat ? (__s32)arg_u32(v, 4 * i) : (__s64)arg_u64(v, 8 * i);
}

#define FORM(name) extern const struct arg_form arg_form_##name;
#include "arg_forms.list"
#undef FORM

#endif
