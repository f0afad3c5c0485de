// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   calls with what their arguments refer to.
 * Out:  parameters of sysdig events, in sysdig's forms.
 * Owns: what is remembered of calls that have begun.
 * Runs on: any thread; calls are of one thread.
 *
 * Numbers are in the order of this machine: low bytes come first on all that xcap runs on.
 */
#include <linux/fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "items.h"
#include "sysdig_event.h"

/* ---- calls that have begun ---- */

#define NR_PLACES 1024		/* a power of two */
#define KEPT 4096		/* bytes of items of each */

struct place {
	uint32_t tid, nr, len, size;
	uint16_t flags;
	bool begun;
	__u64 args[6];
	uint8_t *items;
};

struct sysdig_calls {
	struct place places[NR_PLACES];
};

struct sysdig_calls *sysdig_calls_new(void)
{
	return calloc(1, sizeof(struct sysdig_calls));
}

void sysdig_calls_free(struct sysdig_calls *calls)
{
	for (int i = 0; calls && i < NR_PLACES; i++)
		free(calls->places[i].items);
	free(calls);
}

static struct place *place_of(struct sysdig_calls *calls, const struct xcap_record *r)
{
	return &calls->places[r->tid & (NR_PLACES - 1)];
}

/* Return: false: no memory, and so nothing is kept. */
static bool reserve(struct place *p, uint32_t size)
{
	uint8_t *items;

	if (size <= p->size)
		return true;
	items = realloc(p->items, size);
	if (items) {
		p->items = items;
		p->size = size;
	}
	return items;
}

/* As much as there is room for; the last is cut. */
static void keep_items(struct place *p, const struct xcap_record *r)
{
	uint32_t room = (r->caplen < KEPT ? (r->caplen + 7) & ~7u : KEPT);
	struct items it = items_of(r);
	struct item item;

	p->len = 0;
	if (!room || !reserve(p, room))
		return;
	while (p->len + sizeof(item.head) < room && items_next(&it, &item)) {
		uint32_t left = room - p->len - sizeof(item.head);

		if (item.head.len > left) {
			item.head.len = left;
			item.head.flags |= XITEM_CUT;
		}
		memcpy(p->items + p->len, &item.head, sizeof(item.head));
		p->len += sizeof(item.head);
		memcpy(p->items + p->len, item.bytes, item.head.len);
		p->len += item.head.len;
		for (; p->len % 8 && p->len < room; p->len++)
			p->items[p->len] = 0;
	}
}

void sysdig_calls_begin(struct sysdig_calls *calls, const struct xcap_record *enter)
{
	struct place *p = place_of(calls, enter);

	p->begun = true;
	p->tid = enter->tid;
	p->nr = enter->enter.nr;
	p->flags = enter->flags & XCAP_REC_COMPAT;
	memcpy(p->args, enter->enter.args, sizeof(p->args));
	keep_items(p, enter);
}

bool sysdig_calls_end(struct sysdig_calls *calls, const struct xcap_record *exit,
		      struct xcap_record *enter)
{
	struct place *p = place_of(calls, exit);

	if (!p->begun || p->tid != exit->tid || p->nr != exit->exit.nr ||
	    p->flags != (exit->flags & XCAP_REC_COMPAT))
		return false;
	p->begun = false;
	*enter = (struct xcap_record) {
		.type = XCAP_SYS_ENTER, .flags = p->flags, .tid = p->tid, .data = p->items,
		.caplen = p->len, .enter = { .nr = p->nr, .args = p->args },
	};
	return true;
}

/* ---- parameters ---- */

void sysdig_param(struct sysdig_event *ev, const void *p, size_t len)
{
	if (len > UINT16_MAX)
		len = UINT16_MAX;
	ev->params[ev->nr_params] = p;
	ev->lens[ev->nr_params++] = len;
}

/* Room for it in the event. NULL: there is none. */
static uint8_t *scratch(struct sysdig_event *ev, size_t len)
{
	uint8_t *p = ev->scratch + ev->used;

	if (len > sizeof(ev->scratch) - ev->used)
		return NULL;
	ev->used += len;
	return p;
}

static void add_copy(struct sysdig_event *ev, const void *bytes, size_t len)
{
	uint8_t *p = scratch(ev, len);

	if (p)
		memcpy(p, bytes, len);
	sysdig_param(ev, p, p ? len : 0);
}

void sysdig_number(struct sysdig_event *ev, uint64_t n, int bytes)
{
	add_copy(ev, &n, bytes);
}

/* What an argument refers to: where the call ended, else where it began. */
static bool find_item(const struct xcap_record *r, const struct xcap_record *enter, int arg,
		      int kind, struct item *item)
{
	return items_find(r, arg, kind, item) ||
	       (enter && items_find(enter, arg, kind, item));
}

static void add_string(struct sysdig_event *ev, const void *s, size_t len)
{
	uint8_t *p;

	len = strnlen(s, len);
	if (len > sizeof(ev->scratch) / 4)
		len = sizeof(ev->scratch) / 4;	/* as sysdig does with long paths */
	p = scratch(ev, len + 1);
	if (!p) {
		sysdig_param(ev, NULL, 0);
		return;
	}
	memcpy(p, s, len);
	p[len] = 0;
	sysdig_param(ev, p, len + 1);
}

/* "x" the first string of an array, "e" those that follow it. */
static void add_strings(struct sysdig_event *ev, const struct item *item, bool first)
{
	size_t len = strnlen((const char *)item->bytes, item->head.len);

	if (first)
		add_string(ev, item->bytes, len);
	else if (len + 1 < item->head.len)
		sysdig_param(ev, item->bytes + len + 1, item->head.len - len - 1);
	else
		sysdig_param(ev, NULL, 0);
}

static uint32_t open_flags(uint64_t flags)
{
	static const struct { uint32_t ours, theirs; } bits[] = {
		{ O_CREAT, 1 << 2 }, { O_APPEND, 1 << 3 }, { O_DSYNC, 1 << 4 },
		{ O_EXCL, 1 << 5 }, { O_NONBLOCK, 1 << 6 }, { O_SYNC, 1 << 7 },
		{ O_TRUNC, 1 << 8 }, { O_DIRECT, 1 << 9 }, { O_DIRECTORY, 1 << 10 },
		{ O_LARGEFILE, 1 << 11 }, { O_CLOEXEC, 1 << 12 },
	};
	uint32_t mode = flags & O_ACCMODE, theirs = mode == O_RDWR ? 3 : mode == O_WRONLY ? 2 : 1;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if ((flags & bits[i].ours) == bits[i].ours)
			theirs |= bits[i].theirs;
	return theirs;
}

/* u8 family, address, u16 port; u8 family, path. Return: false: of another family. */
static bool add_address(struct sysdig_event *ev, const struct item *item)
{
	const uint8_t *p = item->bytes;
	uint16_t family = 0, port;
	uint8_t out[128];
	size_t len;

	if (item->head.len >= 2)
		memcpy(&family, p, 2);
	out[0] = family;
	if (family == AF_INET && item->head.len >= 8)
		len = 4;
	else if (family == AF_INET6 && item->head.len >= 24)
		len = 16;
	else if (family == AF_UNIX && item->head.len > 2)
		len = 0;
	else
		return false;
	if (len) {
		port = p[2] << 8 | p[3];
		memcpy(out + 1, p + (len == 4 ? 4 : 8), len);
		memcpy(out + 1 + len, &port, 2);
		add_copy(ev, out, len + 3);
		return true;
	}
	len = strnlen((const char *)p + 2, item->head.len - 2);
	len = len < sizeof(out) - 2 ? len : sizeof(out) - 2;
	memcpy(out + 1, p + 2, len);
	out[1 + len] = 0;
	add_copy(ev, out, len + 2);
	return true;
}

/* u8 family, then address and port of who sends and of who receives. */
static bool add_tuple(struct sysdig_event *ev, const struct xcap_file *f, bool accepted)
{
	size_t size = f->family == AF_INET ? 4 : 16;
	uint8_t out[1 + 2 * 18], *p = out;

	if (f->family != AF_INET && f->family != AF_INET6)
		return false;
	*p++ = f->family;
	for (int i = 0; i < 2; i++) {
		bool remote = i ^ accepted;
		uint16_t port = remote ? f->remote_port : f->local_port;

		memcpy(p, remote ? f->remote : f->local, size);
		memcpy(p + size, &port, 2);
		p += size + 2;
	}
	add_copy(ev, out, p - out);
	return true;
}

static bool add_socket(struct sysdig_event *ev, const struct xcap_record *r,
		       const struct xcap_record *enter, int arg, bool accepted)
{
	struct xcap_file f;

	if (!xcap_record_file(r, arg, &f) && !(enter && xcap_record_file(enter, arg, &f)))
		return false;
	return add_tuple(ev, &f, accepted);
}

static void add_pair(struct sysdig_event *ev, const struct item *item)
{
	int32_t fds[2];

	memcpy(fds, item->bytes, sizeof(fds));
	sysdig_number(ev, (int64_t)fds[0], 8);
	sysdig_number(ev, (int64_t)fds[1], 8);
}

/* Return: false: it is not known. */
static bool add_memory(struct sysdig_event *ev, const struct xcap_record *r,
		       const struct xcap_record *enter, char width, char what)
{
	int kind = width == 'x' || width == 'e' ? XITEM_STRINGS : XITEM_BYTES, arg = what - '0';
	struct item item;

	if (width == 'T' || width == 'A')
		return add_socket(ev, r, enter, what == 'r' ? XCAP_ARG_RESULT : arg, width == 'A');
	if (!find_item(r, enter, arg, kind, &item))
		return false;
	switch (width) {
	case 's':
		add_string(ev, item.bytes, item.head.len);
		return true;
	case 'd':
		sysdig_param(ev, item.bytes, item.head.len);
		return true;
	case 'n':
		sysdig_number(ev, item.head.whole, 4);
		return true;
	case 'a':
		return add_address(ev, &item);
	case 'v':
		if (item.head.len < 8)
			return false;
		add_pair(ev, &item);
		return true;
	default:
		add_strings(ev, &item, width == 'x');
		return true;
	}
}

/* Return: false: it is not known. */
static bool add_number(struct sysdig_event *ev, const struct xcap_record *r,
		       const struct xcap_record *enter, char width, char what)
{
	uint64_t v = 0;

	if (what >= '0' && what <= '5') {
		if (!enter)
			return false;
		v = enter->enter.args[what - '0'];
	} else if (what == 'r') {
		v = r->exit.ret;
	} else if (what == 't' || what == 'p') {
		v = what == 't' ? r->tid : r->pid;
	}
	if (width == 'f')
		v = (uint64_t)(int64_t)(int32_t)v;
	if (width == 'o')
		v = open_flags(v);
	sysdig_number(ev, v, width == 'u' || width == 'o' ? 4 : width == 'h' ? 2 :
		      width == 'b' ? 1 : 8);
	return true;
}

/* In place of one that is not known. */
static void add_nothing(struct sysdig_event *ev, char width)
{
	if (width == 'o' || width == 'u')
		sysdig_number(ev, 0, 4);
	else if (width == 'f' || width == 'q')
		sysdig_number(ev, 0, 8);
	else
		sysdig_param(ev, NULL, 0);
}

void sysdig_params(struct sysdig_event *ev, const struct xcap_record *r,
		   const struct xcap_record *enter, const char *format)
{
	bool all = *format == '=', known;

	for (format += all; *format; format += 2) {
		if (format[0] == 's' && format[1] == 'c') {
			add_string(ev, r->comm, sizeof(r->comm));
			continue;
		}
		if (format[0] == 's' && format[1] == '-')
			known = false;
		else if (strchr("sdnxevaTA", format[0]))
			known = add_memory(ev, r, enter, format[0], format[1]);
		else
			known = add_number(ev, r, enter, format[0], format[1]);
		/* a string may be empty, where nothing behind it depends on it */
		if (!known && !all && format[0] != 's')
			return;
		if (!known)
			add_nothing(ev, format[0]);
	}
}
