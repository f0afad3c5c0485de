// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   entries and exits of the system calls of one probe.
 * Out:  a line for each call that has ended: what it was asked, what came of it.
 * Owns: what the calls under way were asked.
 * Runs on: the tool's only thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "probe.h"

#define NR_UNDER_WAY 4096	/* calls; a power of two. Of two in one place the older one goes */
#define TEXT_MAX 4096		/* of a path, or of all arguments of a program */

/* A call that has begun. */
struct begun {
	uint32_t tid;		/* 0: none */
	int64_t mono_ns;
	char *text;		/* its path, or arguments */
	uint32_t text_len;
	uint16_t port;
	char address[INET6_ADDRSTRLEN];
	char flags[64];
};

struct calls {
	const struct kind *kind;
	uint64_t nr_unpaired;
	char room[TEXT_MAX];
	struct begun begun[NR_UNDER_WAY];
};

struct kind {
	const char *probe;
	void (*enter)(struct calls *c, const struct xcap_record *rec, struct begun *b);
	/* b: NULL, its entry is not known. Return: false: it is no line. */
	bool (*exit)(struct calls *c, const struct xcap_record *rec, struct begun *b,
		     struct answer *a);
};

/* ---- fields ---- */

static struct xcap_field *add(struct answer *a, const char *name, int kind, int width)
{
	struct xcap_field *f = &a->fields[a->nr++];

	*f = (struct xcap_field){ .sz = sizeof(*f), .name = name, .kind = kind, .width = width };
	return f;
}

static void add_number(struct answer *a, const char *name, int kind, int width, uint64_t value)
{
	add(a, name, kind, width)->value = value;
}

static void add_text(struct answer *a, const char *name, int width, const char *text, size_t len)
{
	struct xcap_field *f = add(a, name, XCAP_FIELD_TEXT, width);

	f->text = text;
	f->text_len = len;
}

/* The result, by its name where it is an error, and how long it took. */
static void add_result(struct answer *a, const struct xcap_record *rec, int width)
{
	const char *error = xcap_errno_name(rec->exit.ret);

	add_number(a, "ret", XCAP_FIELD_SIGNED, width, rec->exit.ret);
	if (error)
		add_text(a, "error", XCAP_WIDTH_NEVER, error, strlen(error));
}

static void add_latency(struct answer *a, const struct xcap_record *rec, const struct begun *b)
{
	if (b)
		add_number(a, "latency_ns", XCAP_FIELD_DURATION, 7, rec->mono_ns - b->mono_ns);
}

/* ---- what a call was asked ---- */

static void keep_text(struct begun *b, const void *bytes, size_t len)
{
	free(b->text);
	b->text = malloc(len + 1);
	b->text_len = b->text ? len : 0;
	if (!b->text)
		return;
	memcpy(b->text, bytes, len);
	b->text[len] = '\0';
}

/* By its name, wherever it stands. */
static bool argument(const struct xcap_record *rec, const char *name, struct xcap_arg *arg, int *at)
{
	for (*at = 0; *at < 6; ++*at)
		if (xcap_record_arg(rec, *at, arg) == 1 && !strcmp(arg->name, name))
			return true;
	return false;
}

/* What is relative to a directory that is known gets its path before it. */
static void keep_path(struct calls *c, const struct xcap_record *rec, struct begun *b)
{
	struct xcap_file dir;
	struct xcap_arg arg;
	int at, len;

	if (!argument(rec, "pathname", &arg, &at) && !argument(rec, "filename", &arg, &at) &&
	    !argument(rec, "path", &arg, &at))
		return;
	if (!arg.bytes || (arg.fault && !arg.len))
		return;
	if (arg.len && arg.bytes[0] != '/' && at == 1 && xcap_record_file(rec, 0, &dir) == 1 &&
	    dir.kind == XCAP_FILE_PATH && dir.path_len) {
		len = snprintf(c->room, sizeof(c->room), "%.*s%s%.*s", (int)dir.path_len, dir.path,
			       dir.path[dir.path_len - 1] == '/' ? "" : "/", (int)arg.len,
			       (const char *)arg.bytes);
		keep_text(b, c->room, len < TEXT_MAX ? len : TEXT_MAX - 1);
		return;
	}
	keep_text(b, arg.bytes, arg.len);
}

static void keep_flags(const struct xcap_record *rec, struct begun *b)
{
	struct xcap_arg arg;
	int at;

	if (argument(rec, "flags", &arg, &at))
		xcap_record_arg_text(rec, at, b->flags, sizeof(b->flags));
}

static void keep_unix(const uint8_t *p, size_t len, struct begun *b)
{
	size_t head = offsetof(struct sockaddr_un, sun_path), n;

	if (len <= head)
		return;
	/* a name that is none of the file system begins with a NUL, and may have more */
	n = p[head] ? strnlen((const char *)p + head, len - head) : len - head;
	keep_text(b, p + head, n);
	for (uint32_t i = 0; i < b->text_len; i++)
		if (!b->text[i])
			b->text[i] = '@';
}

/* A socket address as it lies in memory. */
static void keep_address(const uint8_t *p, size_t len, struct begun *b)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	sa_family_t family = AF_UNSPEC;

	if (len >= sizeof(family))
		memcpy(&family, p, sizeof(family));
	if (family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, p, sizeof(in));
		b->port = ntohs(in.sin_port);
		inet_ntop(AF_INET, &in.sin_addr, b->address, sizeof(b->address));
	} else if (family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		memcpy(&in6, p, offsetof(struct sockaddr_in6, sin6_scope_id));
		b->port = ntohs(in6.sin6_port);
		inet_ntop(IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? AF_INET : AF_INET6,
			  in6.sin6_addr.s6_addr +
			  (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) ? 12 : 0),
			  b->address, sizeof(b->address));
	} else if (family == AF_UNIX) {
		keep_unix(p, len, b);
	}
}

/* ---- exec ---- */

/* Arguments with blanks between them. */
static size_t join(char *to, size_t size, const char *args, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++)
		to[n++] = args[i] ? args[i] : ' ';
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
	return n;
}

static void exec_enter(struct calls *c, const struct xcap_record *rec, struct begun *b)
{
	struct xcap_arg arg;
	int at;

	if (argument(rec, "argv", &arg, &at) && arg.bytes && arg.len) {
		keep_text(b, arg.bytes, arg.len);
		return;
	}
	keep_path(c, rec, b);
}

/* What runs now says it best; where it failed, what was asked for. */
static bool exec_exit(struct calls *c, const struct xcap_record *rec, struct begun *b,
		      struct answer *a)
{
	const struct xcap_process *p = rec->exit.ret ? NULL : rec->process;
	size_t len = 0;

	if (p && p->args_len)
		len = join(c->room, sizeof(c->room), p->args, p->args_len);
	else if (p && p->exe[0])
		len = join(c->room, sizeof(c->room), p->exe, strlen(p->exe));
	else if (b && b->text)
		len = join(c->room, sizeof(c->room), b->text, b->text_len);
	add_number(a, "parent", XCAP_FIELD_UNSIGNED, 7, rec->process ? rec->process->ppid : 0);
	add_result(a, rec, 6);
	if (p)
		add_text(a, "exe", XCAP_WIDTH_NEVER, p->exe, strlen(p->exe));
	add_text(a, "args", 0, c->room, len);
	return true;
}

/* ---- open ---- */

static void open_enter(struct calls *c, const struct xcap_record *rec, struct begun *b)
{
	keep_path(c, rec, b);
	keep_flags(rec, b);
}

static bool open_exit(struct calls *c, const struct xcap_record *rec, struct begun *b,
		      struct answer *a)
{
	if (!b)
		return false;
	if (!b->text)		/* its page was not there when it began: the exit has it */
		keep_path(c, rec, b);
	add_result(a, rec, 6);
	add_latency(a, rec, b);
	add_text(a, "flags", XCAP_WIDTH_NEVER, b->flags, strlen(b->flags));
	add_text(a, "path", 0, b->text ? b->text : "?", b->text ? b->text_len : 1);
	return true;
}

/* ---- connect ---- */

static void connect_enter(struct calls *c, const struct xcap_record *rec, struct begun *b)
{
	struct xcap_arg arg;

	(void)c;
	if (xcap_record_arg(rec, 1, &arg) == 1 && arg.bytes)
		keep_address(arg.bytes, arg.len, b);
}

static bool connect_exit(struct calls *c, const struct xcap_record *rec, struct begun *b,
			 struct answer *a)
{
	if (!b)
		return false;
	if (!b->address[0] && !b->text)
		connect_enter(c, rec, b);
	add_result(a, rec, 11);
	add_latency(a, rec, b);
	add_number(a, "dport", XCAP_FIELD_UNSIGNED, 5, b->port);
	if (b->text)
		add_text(a, "daddr", 0, b->text, b->text_len);
	else
		add_text(a, "daddr", 0, b->address, strlen(b->address));
	return true;
}

/* ---- accept ---- */

static void accept_enter(struct calls *c, const struct xcap_record *rec, struct begun *b)
{
	(void)c;
	(void)rec;
	(void)b;
}

static bool accept_exit(struct calls *c, const struct xcap_record *rec, struct begun *b,
			struct answer *a)
{
	struct xcap_file f = { 0 };
	int family = AF_UNSPEC;

	if (rec->exit.ret == -EAGAIN)	/* nobody was there: it will ask again */
		return false;
	if (rec->exit.ret >= 0 && xcap_record_file(rec, XCAP_ARG_RESULT, &f) == 1)
		family = f.family;
	add_result(a, rec, 11);
	add_latency(a, rec, b);
	add_number(a, "sport", XCAP_FIELD_UNSIGNED, 5, f.local_port);
	add_number(a, "dport", XCAP_FIELD_UNSIGNED, 5, f.remote_port);
	if (family != AF_INET && family != AF_INET6)
		c->room[0] = '\0';
	else if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((struct in6_addr *)f.remote))
		inet_ntop(AF_INET, f.remote + 12, c->room, sizeof(c->room));
	else
		inet_ntop(family, f.remote, c->room, sizeof(c->room));
	add_text(a, "daddr", 0, c->room, strlen(c->room));
	return true;
}

/* ---- the table ---- */

static const struct kind kinds[] = {
	{ "exec", exec_enter, exec_exit },
	{ "open", open_enter, open_exit },
	{ "connect", connect_enter, connect_exit },
	{ "accept", accept_enter, accept_exit },
};

struct calls *calls_new(const char *probe)
{
	struct calls *c = calloc(1, sizeof(*c));

	for (size_t i = 0; c && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].probe, probe))
			c->kind = &kinds[i];
	return c;
}

void calls_free(struct calls *c)
{
	for (int i = 0; c && i < NR_UNDER_WAY; i++)
		free(c->begun[i].text);
	free(c);
}

uint64_t calls_unpaired(const struct calls *c)
{
	return c->nr_unpaired;
}

static void begin(struct calls *c, const struct xcap_record *rec)
{
	struct begun *b = &c->begun[rec->tid % NR_UNDER_WAY];

	free(b->text);
	*b = (struct begun){ .tid = rec->tid, .mono_ns = rec->mono_ns };
	c->kind->enter(c, rec, b);
}

bool calls_answer(struct calls *c, const struct xcap_record *rec, struct answer *a)
{
	struct begun *b = &c->begun[rec->tid % NR_UNDER_WAY];
	bool line;

	if (rec->type == XCAP_SYS_ENTER)
		begin(c, rec);
	if (rec->type != XCAP_SYS_EXIT)
		return false;
	if (b->tid != rec->tid)
		b = NULL;
	*a = (struct answer){ .rec = rec, .container = probe_container(rec) };
	line = c->kind->exit(c, rec, b, a);
	if (!b)
		c->nr_unpaired += !line;
	else
		b->tid = 0;	/* its text stays until the next one takes its place */
	return line;
}
