// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   rows.
 * Out:  what they are, as text and in parts. Bytes from processes and files are as they came.
 * Owns: nothing.
 * Runs on: the model's thread.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "top_names.h"
#include "top_rows.h"

static const char *const view_names[TOP_VIEWS] = {
	[TOP_PROCESS] = "process", [TOP_CONTAINER] = "container", [TOP_FLOW] = "flow",
	[TOP_INTERFACE] = "interface", [TOP_SYSCALL] = "syscall", [TOP_FILE] = "file",
	[TOP_PORT] = "port", [TOP_HOST] = "host",
};

const char *top_view_name(enum top_view view)
{
	return view_names[view];
}

/* ---- pieces ---- */

static size_t copy(char *buf, size_t size, const char *bytes, size_t len)
{
	if (!size)
		return 0;
	if (len > size - 1)
		len = size - 1;
	memcpy(buf, bytes, len);
	buf[len] = '\0';
	return len;
}

static size_t add(char *buf, size_t size, size_t at, const char *text)
{
	return at + copy(buf + at, size - at, text, strlen(text));
}

static size_t print(char *buf, size_t size, const char *fmt, unsigned long long n)
{
	char text[32];

	snprintf(text, sizeof(text), fmt, n);
	return copy(buf, size, text, strlen(text));
}

static size_t protocol(char *buf, size_t size, uint8_t proto)
{
	static const struct { uint8_t nr; const char *name; } names[] = {
		{ IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" }, { IPPROTO_ICMP, "icmp" },
		{ IPPROTO_ICMPV6, "icmp6" }, { IPPROTO_SCTP, "sctp" }, { IPPROTO_GRE, "gre" },
		{ IPPROTO_ESP, "esp" }, { IPPROTO_IGMP, "igmp" }, { IPPROTO_UDPLITE, "udplite" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].nr == proto)
			return copy(buf, size, names[i].name, strlen(names[i].name));
	return print(buf, size, "ip-%llu", proto);
}

static size_t address(char *buf, size_t size, uint8_t family, const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, bytes, text, sizeof(text));
	return copy(buf, size, text, strlen(text));
}

static size_t syscall_name(char *buf, size_t size, const struct top_key *key)
{
	uint32_t nr[2];
	const char *name;

	memcpy(nr, key->bytes, sizeof(nr));
	name = xcap_syscall_name(nr[0], nr[1]);
	if (!name)
		return print(buf, size, nr[1] ? "syscall_%llu/32" : "syscall_%llu", nr[0]);
	return add(buf, size, copy(buf, size, name, strlen(name)), nr[1] ? "/32" : "");
}

/* The three names of a container: runtime, id, name. */
static const char *section(const struct top_row *row, int i, size_t *len)
{
	const char *at = row->name, *end = row->name + row->name_len;

	for (; i && at < end; i--)
		at += strnlen(at, end - at) + 1;
	*len = at < end ? strnlen(at, end - at) : 0;
	return at;
}

/* ---- flows ---- */

/* The i-th end of the key, 0 or 1, as it stands in the text. */
static const uint8_t *end_address(const struct top_row *row, int i)
{
	return row->key.bytes + ((i ^ row->left) ? 18 : 2);
}

static unsigned int end_port(const struct top_row *row, int i)
{
	uint16_t port;

	memcpy(&port, row->key.bytes + ((i ^ row->left) ? 36 : 34), 2);
	return port;
}

/* What is no IP. */
static size_t other_flow(char *buf, size_t size, const struct top_key *key)
{
	uint16_t type;

	memcpy(&type, key->bytes + 2, 2);
	if (key->bytes[4])
		return copy(buf, size, (const char *)key->bytes + 4,
			    strnlen((const char *)key->bytes + 4, key->len - 4));
	return type ? print(buf, size, "0x%04llx", type) : copy(buf, size, "(unknown)", 9);
}

static size_t host(char *buf, size_t size, uint8_t family, const uint8_t *bytes,
		   const struct top_resolver *r)
{
	const char *name = r ? r->name(r->user, family, bytes) : NULL;

	if (name)
		return copy(buf, size, name, strlen(name));
	return address(buf, size, family, bytes);
}

static size_t flow_end(char *buf, size_t size, const struct top_row *row, int i,
		       const struct top_resolver *r)
{
	uint8_t family = row->key.bytes[1];
	unsigned int port = end_port(row, i);
	size_t at;

	if (family == AF_INET6 && port) {
		at = copy(buf, size, "[", 1);
		at += host(buf + at, size - at, family, end_address(row, i), r);
		at = add(buf, size, at, "]");
	} else {
		at = host(buf, size, family, end_address(row, i), r);
	}
	return port ? at + print(buf + at, size - at, ":%llu", port) : at;
}

static size_t flow(char *buf, size_t size, const struct top_row *row, const struct top_resolver *r)
{
	size_t at;

	if (!row->key.bytes[1])
		return other_flow(buf, size, &row->key);
	at = flow_end(buf, size, row, 0, r);
	at = add(buf, size, at, " > ");
	at += flow_end(buf + at, size - at, row, 1, r);
	at = add(buf, size, at, " ");
	return at + protocol(buf + at, size - at, row->key.bytes[0]);
}

/* ---- parts ---- */

static const char *process_part(const struct top_row *row, int i, char *buf, size_t size)
{
	uint32_t pid;

	memcpy(&pid, row->key.bytes, sizeof(pid));
	if (i == 0) {
		print(buf, size, "%llu", pid);
		return "pid";
	}
	copy(buf, size, row->name, row->name_len);
	return i == 1 ? "comm" : NULL;
}

static const char *container_part(const struct top_row *row, int i, char *buf, size_t size)
{
	static const char *const parts[] = { "runtime", "container", "name" };
	const char *text;
	uint64_t id;
	size_t len;

	switch (row->key.bytes[0]) {
	case TOP_KEY_CONTAINER:
		if (i > 2)
			return NULL;
		text = section(row, i, &len);
		copy(buf, size, text, len);
		return parts[i];
	case TOP_KEY_UNIT:
		copy(buf, size, row->name, row->name_len);
		return i ? NULL : row->name_len && row->name[0] == '/' ? "cgroup" : "unit";
	case TOP_KEY_CGROUP:
		memcpy(&id, row->key.bytes + 1, sizeof(id));
		print(buf, size, "%llu", id);
		return i ? NULL : "cgroup_id";
	default:
		copy(buf, size, "", 0);
		return i ? NULL : "cgroup";
	}
}

static const char *flow_part(const struct top_row *row, int i, char *buf, size_t size)
{
	static const char *const parts[] = { "proto", "left", "left_port", "right", "right_port" };

	if (!row->key.bytes[1]) {
		other_flow(buf, size, &row->key);
		return i ? NULL : "proto";
	}
	if (i > 4 || (i == 0 && !protocol(buf, size, row->key.bytes[0])))
		return NULL;
	if (i == 1 || i == 3)
		address(buf, size, row->key.bytes[1], end_address(row, i == 3));
	if (i == 2 || i == 4)
		print(buf, size, "%llu", end_port(row, i == 4));
	return parts[i];
}

static const char *port_part(const struct top_row *row, int i, char *buf, size_t size)
{
	uint16_t port;

	memcpy(&port, row->key.bytes + 1, 2);
	if (i == 0)
		protocol(buf, size, row->key.bytes[0]);
	else
		print(buf, size, "%llu", port);
	return i == 0 ? "proto" : i == 1 ? "port" : NULL;
}

const char *top_row_part(enum top_view view, const struct top_row *row, int i, char *buf,
			 size_t size)
{
	switch (view) {
	case TOP_PROCESS:
		return process_part(row, i, buf, size);
	case TOP_CONTAINER:
		return container_part(row, i, buf, size);
	case TOP_FLOW:
		return flow_part(row, i, buf, size);
	case TOP_PORT:
		return port_part(row, i, buf, size);
	default:
		if (i)
			return NULL;
		top_row_text(view, row, buf, size);
		return view == TOP_FILE ? "path" : top_view_name(view);
	}
}

/* ---- text ---- */

static size_t process(char *buf, size_t size, const struct top_row *row)
{
	uint32_t pid;
	size_t at;

	memcpy(&pid, row->key.bytes, sizeof(pid));
	if (!pid && !row->name_len)
		return copy(buf, size, "(unknown)", 9);
	at = copy(buf, size, row->name, row->name_len);
	return at + print(buf + at, size - at, "[%llu]", pid);
}

/* "web (docker 4c01db0b339c)" */
static size_t container(char *buf, size_t size, const struct top_row *row)
{
	char id[32];
	const char *runtime, *text, *name;
	size_t len, name_len, at = 0;
	uint64_t nr;

	switch (row->key.bytes[0]) {
	case TOP_KEY_CONTAINER:
		name = section(row, 2, &name_len);
		runtime = section(row, 0, &len);
		at = copy(buf, size, name, name_len);
		at = add(buf, size, at, name_len ? " (" : "");
		at += copy(buf + at, size - at, runtime, len);
		at = add(buf, size, at, len ? " " : "");
		text = section(row, 1, &len);
		at += copy(buf + at, size - at, text, len);
		return add(buf, size, at, name_len ? ")" : "");
	case TOP_KEY_CGROUP:
		memcpy(&nr, row->key.bytes + 1, sizeof(nr));
		snprintf(id, sizeof(id), "cgroup %llu", (unsigned long long)nr);
		return copy(buf, size, id, strlen(id));
	case TOP_KEY_UNIT:
		return copy(buf, size, row->name, row->name_len);
	default:
		return copy(buf, size, "(unknown)", 9);
	}
}

static size_t port(char *buf, size_t size, const struct top_row *row)
{
	uint16_t nr;
	size_t at = protocol(buf, size, row->key.bytes[0]);

	memcpy(&nr, row->key.bytes + 1, 2);
	return at + print(buf + at, size - at, " %llu", nr);
}

size_t top_row_text_with(enum top_view view, const struct top_row *row,
			 const struct top_resolver *r, char *buf, size_t size)
{
	switch (view) {
	case TOP_PROCESS:
		return process(buf, size, row);
	case TOP_CONTAINER:
		return container(buf, size, row);
	case TOP_FLOW:
		return flow(buf, size, row, r);
	case TOP_SYSCALL:
		return syscall_name(buf, size, &row->key);
	case TOP_PORT:
		return port(buf, size, row);
	case TOP_HOST:
		return host(buf, size, row->key.bytes[0], row->key.bytes + 1, r);
	default:
		return copy(buf, size, row->name, row->name_len);
	}
}

size_t top_row_text(enum top_view view, const struct top_row *row, char *buf, size_t size)
{
	return top_row_text_with(view, row, NULL, buf, size);
}

/* ---- order ---- */

static int by_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_flows(const struct top_row *a, const struct top_row *b)
{
	int order = a->key.bytes[1] - b->key.bytes[1];	/* family */

	for (int i = 0; i < 2 && !order; i++) {
		order = memcmp(end_address(a, i), end_address(b, i), 16);
		if (!order)
			order = (int)end_port(a, i) - (int)end_port(b, i);
	}
	return order ? order : memcmp(a->key.bytes, b->key.bytes, TOP_KEY_MAX);
}

static int compare_ports(const struct top_row *a, const struct top_row *b)
{
	uint16_t x, y;

	memcpy(&x, a->key.bytes + 1, 2);
	memcpy(&y, b->key.bytes + 1, 2);
	return x != y ? x - y : a->key.bytes[0] - b->key.bytes[0];
}

int top_row_compare(enum top_view view, const struct top_row *a, const struct top_row *b)
{
	char x[TOP_TEXT_MAX], y[TOP_TEXT_MAX];
	uint32_t p, q;
	int order;

	switch (view) {
	case TOP_FLOW:
		return compare_flows(a, b);
	case TOP_PORT:
		return compare_ports(a, b);
	case TOP_HOST:
		return memcmp(a->key.bytes, b->key.bytes, TOP_KEY_MAX);
	case TOP_SYSCALL:
		return by_bytes(x, syscall_name(x, sizeof(x), &a->key),
				y, syscall_name(y, sizeof(y), &b->key));
	case TOP_PROCESS:
		memcpy(&p, a->key.bytes, sizeof(p));
		memcpy(&q, b->key.bytes, sizeof(q));
		order = by_bytes(a->name, a->name_len, b->name, b->name_len);
		return order ? order : (p > q) - (p < q);
	default:
		return by_bytes(a->name, a->name_len, b->name, b->name_len);
	}
}
