// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   process blocks of a file and comments on its packets, which may be anybody's.
 * Out:  the process and the cgroup of a record.
 * Owns: nothing: what is told is the table's.
 * Runs on: one thread per reader; no I/O.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include "hash.h"
#include "pcapng_known.h"

#define MAX_DARWIN 65536	/* blocks of a section */

/* Whole numbers of Wireshark's entries are little-endian, in whatever section. */
static const struct pcapng_reader little = { .swapped = __BYTE_ORDER == __BIG_ENDIAN };

/* ---- strings ---- */

static const char *keep(char **to, struct pcapng_span s)
{
	char *text = *to;
	size_t len = s.len ? strnlen((const char *)s.p, s.len) : 0;

	if (!len)
		return "";
	memcpy(text, s.p, len);
	text[len] = '\0';
	*to += len + 1;
	return text;
}

/* Arguments, with what is between two of them made a NUL, and one behind the last. */
static void keep_args(char **to, struct xcap_process *p, struct pcapng_span s, char between)
{
	char *text = *to;
	size_t i;

	if (!s.len)
		return;
	for (i = 0; i < s.len; i++)
		text[i] = s.p[i] == (uint8_t)between ? '\0' : s.p[i];
	text[s.len] = '\0';
	p->args = text;
	p->args_len = s.len + 1;
	*to += s.len + 1;
}

static void keep_comm(char *comm, struct pcapng_span s)
{
	size_t len = s.len ? strnlen((const char *)s.p, s.len < 15 ? s.len : 15) : 0;

	if (len)
		memcpy(comm, s.p, len);
	comm[len] = '\0';
}

static struct pcapng_span base_name(struct pcapng_span s)
{
	uint8_t *slash = s.len ? memrchr(s.p, '/', s.len) : NULL;

	if (!slash)
		return s;
	return (struct pcapng_span) { slash + 1, s.p + s.len - slash - 1 };
}

/* A name alone makes no process. */
static bool has_more(const struct xcap_process *p)
{
	return p->start_ns || p->ppid || p->args_len || *p->exe;
}

/* ---- blocks ---- */

/* The next string of our option. */
static struct pcapng_span piece(struct pcapng_span *rest)
{
	struct pcapng_span s = { rest->p, strnlen((const char *)rest->p, rest->len) };
	size_t used = s.len + (s.len < rest->len);

	rest->p += used;
	rest->len -= used;
	return s;
}

/* Our option of a process block. Return: 0 and *out, NULL where there is none; -ENOMEM. */
static int add_cgroup(struct pcapng_reader *d, struct pcapng_span o,
		      const struct xcap_cgroup **out)
{
	uint64_t id, print = hash_bytes(KNOWN_CGROUP, o.p, o.len);
	struct known *e;
	char *to;
	int err;

	*out = NULL;
	if (o.len < 12 || get32(&little, o.p) != PCAPNG_MAGIC)
		return 0;
	id = get64(&little, o.p + 4);
	e = known_newest(d, KNOWN_CGROUP, id);
	if (e && e->print == print) {
		*out = &e->group;
		return 0;
	}
	err = known_add(d, KNOWN_CGROUP, id, print, o.len, &e);
	if (err || !e)
		return err;
	to = e->strings;
	o = (struct pcapng_span) { o.p + 12, o.len - 12 };
	e->group.id = id;
	e->group.path = keep(&to, piece(&o));
	e->group.runtime = keep(&to, piece(&o));
	e->group.container = keep(&to, piece(&o));
	e->group.container_name = keep(&to, piece(&o));
	e->group.pod = keep(&to, piece(&o));
	e->group.unit = keep(&to, piece(&o));
	*out = &e->group;
	return 0;
}

/* Options of a process block, of Wireshark's form. */
struct block {
	struct pcapng_span name, path, cmdline, own;
	uint32_t ppid, uid;
	int64_t start_ns;
};

static void read_options(struct block *b, struct pcapng_span rest)
{
	struct pcapng_span value;
	uint16_t code;

	while (pcapng_next_option(&little, &rest, &code, &value)) {
		if (code == 2)
			b->name = value;
		else if (code == 3)
			b->path = value;
		else if (code == 4)
			b->cmdline = value;
		else if (code == 5 && value.len == 4)
			b->ppid = get32(&little, value.p);
		else if (code == 6 && value.len == 4)
			b->uid = get32(&little, value.p);
		else if (code == 9 && value.len == 8)
			b->start_ns = clamp_ns((int64_t)(get64(&little, value.p) & INT64_MAX));
		else if (code == PCAPNG_OPT_XCAP)
			b->own = value;
	}
}

static int add_process(struct pcapng_reader *d, uint32_t pid, struct pcapng_span options)
{
	struct block b = { .uid = XCAP_UID_UNKNOWN };
	uint64_t print = hash_bytes(KNOWN_PROCESS, options.p, options.len);
	const struct xcap_cgroup *cgroup;
	struct known *e = known_newest(d, KNOWN_PROCESS, pid);
	char *to;
	int err;

	if (e && e->print == print)
		return 0;	/* said again */
	read_options(&b, options);
	err = add_cgroup(d, b.own, &cgroup);
	if (!err)
		err = known_add(d, KNOWN_PROCESS, pid, print, b.path.len + b.cmdline.len + 2, &e);
	if (err || !e)
		return err;
	to = e->strings;
	keep_comm(e->comm, b.name.len ? b.name : base_name(b.path));
	e->uid = b.uid;
	e->cgroup = cgroup;
	e->process.pid = pid;
	e->process.ppid = b.ppid;
	e->process.start_ns = b.start_ns;
	e->process.exe = keep(&to, b.path);
	keep_args(&to, &e->process, b.cmdline, '\0');
	return 0;
}

int pcapng_who_custom(struct pcapng_reader *d, uint8_t *p, uint32_t len)
{
	uint32_t entry_len;
	int err;

	if (len < 28 || get32(d, p + 8) != PCAPNG_PEN_WIRESHARK ||
	    get32(&little, p + 12) != PCAPNG_ENTRY_PROCESS)
		return 0;
	entry_len = get32(&little, p + 16);
	if (entry_len < 4 || entry_len > len - 24)
		return 0;
	err = known_begin(d);
	if (err)
		return err;
	return add_process(d, get32(&little, p + 20),
			   (struct pcapng_span) { p + 24, entry_len - 4 });
}

/* Return: room for one more. */
static bool darwin_room(struct pcapng_known *k)
{
	uint32_t size = k->darwin_size ? 2 * k->darwin_size : 64;
	struct known **p;

	if (k->nr_darwin < k->darwin_size)
		return true;
	p = reallocarray(k->darwin, size, sizeof(*p));
	if (!p)
		return false;
	k->darwin = p;
	k->darwin_size = size;
	return true;
}

/* macOS: packets name the block by its number. */
int pcapng_who_darwin(struct pcapng_reader *d, uint8_t *p, uint32_t len)
{
	struct pcapng_span rest = { p + 12, len - 16 }, value;
	struct known *e;
	uint16_t code;
	int err = len < 16 ? 0 : known_begin(d);

	if (err || len < 16 || d->known->nr_darwin >= MAX_DARWIN)
		return err;
	if (!darwin_room(d->known))
		return -ENOMEM;
	err = known_add(d, KNOWN_PROCESS, get32(d, p + 8), 0, 0, &e);
	if (err)
		return err;
	d->known->darwin[d->known->nr_darwin++] = e;
	if (!e)
		return 0;
	e->process.pid = e->key;
	while (pcapng_next_option(d, &rest, &code, &value))
		if (code == 2)
			keep_comm(e->comm, value);
	return 0;
}

/* ---- comments ---- */

static uint64_t hash_span(uint64_t h, struct pcapng_span s)
{
	return hash_bytes(h, s.p, s.len);
}

/* Return: 0 and *out, NULL when there is no room; -ENOMEM. */
static int add_comment(struct pcapng_reader *d, const struct pcapng_comment *c, uint64_t cgroup_id,
		       struct known **out)
{
	uint64_t print = hash_mix(KNOWN_COMMENT, (uint64_t)c->pid << 32 | c->ppid) + cgroup_id;
	size_t size = c->cmd.len + c->args.len + c->container.len + c->container_name.len +
		      c->pod.len + 5;
	char *to;
	int err;

	print = hash_span(hash_span(print, c->cmd), c->args);
	print = hash_span(hash_span(hash_span(print, c->container), c->container_name), c->pod);
	*out = known_newest(d, KNOWN_COMMENT, print);
	if (*out)
		return 0;
	err = known_begin(d);
	if (!err)
		err = known_add(d, KNOWN_COMMENT, print, print, size, out);
	if (err || !*out)
		return err;
	to = (*out)->strings;
	(*out)->process.pid = c->pid;
	(*out)->process.ppid = c->ppid;
	if (c->cmd.len && memchr(c->cmd.p, '/', c->cmd.len))
		(*out)->process.exe = keep(&to, c->cmd);
	keep_args(&to, &(*out)->process, c->args, ' ');
	(*out)->group = (struct xcap_cgroup) {
		.id = cgroup_id, .path = "", .runtime = "", .unit = "",
		.container = keep(&to, c->container),
		.container_name = keep(&to, c->container_name),
		.pod = keep(&to, c->pod),
	};
	return 0;
}

/* What was said for people, where nothing better is known. */
static int by_comments(struct pcapng_reader *d, const struct pcapng_hints *h, struct xcap_record *r)
{
	struct pcapng_comment c = { .uid = XCAP_UID_UNKNOWN };
	struct known *e;
	bool found = false;
	int i, err;

	for (i = 0; i < h->nr_comments; i++)
		found |= pcapng_comment_read(&c, h->comments[i]);
	if (!found || (r->pid && c.pid && r->pid != c.pid))
		return 0;
	c.pid = c.pid ? c.pid : r->pid;
	err = add_comment(d, &c, r->cgroup_id, &e);
	if (err || !e)
		return err;
	if (!h->own) {
		r->pid = c.pid;
		r->tid = r->tid ? r->tid : c.tid;
		r->uid = c.uid;
		keep_comm(r->comm, c.thread.len ? c.thread : base_name(c.cmd));
	}
	if (r->pid && has_more(&e->process))
		r->process = &e->process;
	if (!r->cgroup && (c.container.len || c.container_name.len || c.pod.len))
		r->cgroup = &e->group;
	return 0;
}

/* ---- records ---- */

void pcapng_who_section(struct pcapng_reader *d)
{
	d->section++;
	if (d->known)
		d->known->nr_darwin = 0;
}

static void by_block(const struct known *e, const struct pcapng_hints *h, struct xcap_record *r)
{
	r->pid = e->process.pid;
	r->process = has_more(&e->process) ? &e->process : NULL;
	if (!h->own) {
		memcpy(r->comm, e->comm, sizeof(r->comm));
		r->uid = e->uid;
		r->cgroup_id = e->cgroup ? e->cgroup->id : 0;
	}
	if (e->cgroup && !e->cgroup->id && !r->cgroup_id)
		r->cgroup = e->cgroup;
}

int pcapng_who_resolve(struct pcapng_reader *d, const struct pcapng_hints *h,
			 struct xcap_record *r)
{
	const struct known *e = NULL;

	if (!d->known && !h->nr_comments)
		return 0;
	if (d->known && h->darwin && h->index < d->known->nr_darwin)
		e = d->known->darwin[h->index];
	else if (d->known && r->pid)
		e = known_process(d, r->pid, r->wall_ns);
	if (e)
		by_block(e, h, r);
	if (r->cgroup_id && !r->cgroup) {
		struct known *g = known_newest(d, KNOWN_CGROUP, r->cgroup_id);

		r->cgroup = g ? &g->group : NULL;
	}
	return e || !h->nr_comments ? 0 : by_comments(d, h, r);
}
