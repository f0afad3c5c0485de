// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   socket addresses, as a process handed them to the kernel or got them.
 * Out:  "10.0.0.1:443", "[::1]:53", "/run/x.sock", "@abstract".
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include "arg_forms.h"

void out_address(struct out *o, int family, const __u8 *address, __u16 port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, address, text, sizeof(text));
	if (family == AF_INET6)
		out_char(o, '[');
	out_text(o, text);
	out_text(o, family == AF_INET6 ? "]:" : ":");
	out_number(o, port, 10);
}

static __u16 port_at(const __u8 *p)
{
	return p[0] << 8 | p[1];
}

static void put_unix(struct out *o, const char *path, size_t len)
{
	if (!len) {
		out_text(o, "unnamed");
	} else if (path[0]) {
		out_quoted(o, path, strnlen(path, len));
	} else {			/* abstract: every byte counts */
		out_char(o, '@');
		out_quoted(o, path + 1, len - 1);
	}
}

static void put_sockaddr(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	const __u8 *p = v->bytes;
	__u16 family = 0;

	if (v->len >= 2)
		memcpy(&family, p, 2);
	if (family == AF_INET && v->len >= 8) {
		out_address(o, AF_INET, p + 4, port_at(p + 2));
	} else if (family == AF_INET6 && v->len >= 24) {
		out_address(o, AF_INET6, p + 8, port_at(p + 2));
	} else if (family == AF_UNIX && v->len >= 2) {
		put_unix(o, (const char *)p + 2, v->len - 2);
	} else if (family == AF_NETLINK && v->len >= sizeof(struct sockaddr_nl)) {
		out_text(o, "netlink:");
		out_number(o, arg_u32(v, 4), 10);
	} else if (family == AF_PACKET && v->len >= 8) {
		out_text(o, "packet:");
		out_number(o, arg_u32(v, 4), 10);
	} else {
		out_text(o, "family ");
		out_number(o, family, 10);
	}
}

const struct arg_form arg_form_sockaddr = { .put = put_sockaddr };

static void put_linger(struct out *o, const struct arg_value *v)
{
	out_text(o, "{l_onoff=");
	out_signed(o, (__s32)arg_u32(v, 0));
	out_text(o, ", l_linger=");
	out_signed(o, (__s32)arg_u32(v, 4));
	out_char(o, '}');
}

/* The value of a socket option: most are an int. Which it is, only the entry knows. */
static void put_option(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	bool linger = arg_other(v, 1) == SOL_SOCKET && arg_other(v, 2) == SO_LINGER;

	if (linger && v->len == sizeof(struct linger))
		put_linger(o, v);
	else if (v->len == sizeof(int))
		out_signed(o, (__s32)arg_u32(v, 0));
	else
		out_quoted(o, v->bytes, v->len);
}

const struct arg_form arg_form_option = { .put = put_option };
