// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   system calls.
 * Out:  members of their objects: arguments, files, results.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * A number stays one unless it has a name: "flags":"O_RDONLY|O_CLOEXEC". What a pointer refers
 * to stands instead of it; pointers are strings, for a double cannot hold them.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "text.h"

static void put_call(struct json *j, const struct xcap_record *rec, __u32 nr)
{
	const char *name = xcap_syscall_name(nr, rec->flags & XCAP_REC_COMPAT);

	if (name)
		json_text(j, "name", name);
	else
		json_unsigned(j, "nr", nr);
	if (rec->flags & XCAP_REC_COMPAT)
		json_true(j, "compat");
}

/* ---- arguments ---- */

static void put_number(struct json *j, const struct xcap_arg *arg)
{
	if (arg->kind == 'p')
		json_format(j, arg->name, "0x%llx", arg->value);
	else if (arg->kind == 'd' || arg->kind == 'l' || arg->kind == 'f')
		json_signed(j, arg->name, arg->number);
	else
		json_unsigned(j, arg->name, arg->value);
}

/* As a line has it. named: only if there is a name in it, which has capital letters. */
static bool put_text(struct json *j, const struct xcap_record *rec, int i, const char *key,
		     bool named)
{
	char room[256], *text = room;
	int len = xcap_record_arg_text(rec, i, room, sizeof(room));

	if (len >= (int)sizeof(room)) {
		text = malloc(len + 1);
		if (text)
			xcap_record_arg_text(rec, i, text, len + 1);
		else
			text = room;
	}
	named = len >= 0 && (!named || strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
	if (named)
		json_text(j, key, text);
	if (text != room)
		free(text);
	return named;
}

static void put_strings(struct json *j, const struct xcap_arg *arg)
{
	const char *s = (const char *)arg->bytes, *end = s + arg->len;

	json_open(j, arg->name, '[');
	while (s < end) {
		size_t len = strnlen(s, end - s);

		json_data(j, NULL, s, len);
		s += len + 1;
	}
	json_close(j, ']');
}

static void put_arg(struct json *j, const struct xcap_record *rec, int i,
		    const struct xcap_arg *arg)
{
	bool nothing = arg->fault && !arg->len;

	if (arg->memory == XCAP_MEMORY_STRUCT && !nothing)
		put_text(j, rec, i, arg->name, false);
	else if (arg->memory == XCAP_MEMORY_STRINGS && !nothing)
		put_strings(j, arg);
	else if (arg->memory && !nothing)
		json_data(j, arg->name, arg->bytes, arg->len);
	else if (arg->kind == 'f' || arg->kind == 'p' || !put_text(j, rec, i, arg->name, true))
		put_number(j, arg);
}

/* always: an empty object as well */
static void put_args(struct json *j, const struct xcap_record *rec, bool always)
{
	bool open = always;
	struct xcap_arg arg;

	if (always)
		json_open(j, "args", '{');
	for (int i = 0; i < XCAP_ARG_RESULT; i++) {
		if (!xcap_record_arg(rec, i, &arg))
			continue;
		if (!open)
			json_open(j, "args", '{');
		open = true;
		put_arg(j, rec, i, &arg);
	}
	if (open)
		json_close(j, '}');
	put_text(j, rec, XCAP_ARG_ADDRESS, "address", false);
}

/* Of what is not all here: how many bytes there were. */
static void put_cut(struct json *j, const struct xcap_record *rec)
{
	bool open = false;
	struct xcap_arg arg;

	for (int i = 0; i < XCAP_ARG_RESULT; i++) {
		if (!xcap_record_arg(rec, i, &arg) || !arg.memory || !(arg.cut || arg.fault))
			continue;
		if (!open)
			json_open(j, "cut", '{');
		open = true;
		json_unsigned(j, arg.name, arg.whole);
	}
	if (open)
		json_close(j, '}');
}

/* ---- files ---- */

static void put_endpoint(struct json *j, const char *key, int family, const __u8 *address,
			 __u16 port)
{
	char text[INET6_ADDRSTRLEN];

	if (!port)
		return;
	inet_ntop(family, address, text, sizeof(text));
	json_format(j, key, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

/* The name of a number, or the number. */
static void put_name(struct json *j, const char *key, const char *const *names, size_t nr,
		     unsigned int n)
{
	if (n < nr && names[n])
		json_text(j, key, names[n]);
	else
		json_unsigned(j, key, n);
}

#define PUT_NAME(j, key, names, n) put_name(j, key, names, sizeof(names) / sizeof(names[0]), n)

static void put_socket(struct json *j, const struct xcap_file *f)
{
	static const char *const families[] = {
		[AF_UNIX] = "unix", [AF_INET] = "inet", [AF_INET6] = "inet6",
		[AF_NETLINK] = "netlink", [AF_PACKET] = "packet", [AF_VSOCK] = "vsock",
		[AF_BLUETOOTH] = "bluetooth", [AF_ALG] = "alg",
	};
	static const char *const types[] = {
		[SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram", [SOCK_RAW] = "raw",
		[SOCK_SEQPACKET] = "seqpacket",
	};
	static const char *const protocols[] = {
		[IPPROTO_ICMP] = "icmp", [IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp",
		[IPPROTO_ICMPV6] = "icmp6", [IPPROTO_SCTP] = "sctp", [IPPROTO_RAW] = "raw",
	};

	PUT_NAME(j, "family", families, f->family);
	PUT_NAME(j, "type", types, f->type);
	if (f->family != AF_INET && f->family != AF_INET6)
		return;
	PUT_NAME(j, "protocol", protocols, f->protocol);
	put_endpoint(j, "local", f->family, f->local, f->local_port);
	put_endpoint(j, "remote", f->family, f->remote, f->remote_port);
}

static void put_file(struct json *j, const char *key, const struct xcap_file *f)
{
	static const char *const kinds[] = {
		[XCAP_FILE_OTHER] = "other", [XCAP_FILE_PATH] = "path",
		[XCAP_FILE_SOCKET] = "socket",
	};

	json_open(j, key, '{');
	PUT_NAME(j, "kind", kinds, f->kind);
	if (f->kind == XCAP_FILE_SOCKET)
		put_socket(j, f);
	if (f->path_len)
		json_data(j, "path", f->path, f->path_len);
	json_close(j, '}');
}

static void put_files(struct json *j, const struct xcap_record *rec, __u32 nr)
{
	const char *call = xcap_syscall_name(nr, rec->flags & XCAP_REC_COMPAT);
	bool open = false;
	struct xcap_file file;

	for (int i = 0; call && i < XCAP_ARG_RESULT; i++) {
		const char *name = xcap_syscall_arg(call, i, NULL);

		if (!name || !xcap_record_file(rec, i, &file))
			continue;
		if (!open)
			json_open(j, "files", '{');
		open = true;
		put_file(j, name, &file);
	}
	if (open)
		json_close(j, '}');
}

/* ---- both ends ---- */

void json_enter(struct json *j, const struct xcap_record *rec)
{
	put_call(j, rec, rec->enter.nr);
	put_args(j, rec, true);
	put_cut(j, rec);
	put_files(j, rec, rec->enter.nr);
}

void json_exit(struct json *j, const struct xcap_record *rec)
{
	const char *error = xcap_errno_name(rec->exit.ret);
	struct xcap_file file;

	put_call(j, rec, rec->exit.nr);
	json_signed(j, "ret", rec->exit.ret);
	if (error)
		json_text(j, "errno", error);
	put_args(j, rec, false);
	put_cut(j, rec);
	put_files(j, rec, rec->exit.nr);
	if (xcap_record_file(rec, XCAP_ARG_RESULT, &file))
		put_file(j, "ret_file", &file);
}
