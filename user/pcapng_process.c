// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   who is behind a record.
 * Out:  a process block, as Wireshark's development line reads it, and comments for all others.
 * Owns: what has been told already, as hashes: a table that does not grow.
 * Runs on: one thread a table; the rest are pure functions.
 */
#include <endian.h>
#include <stdlib.h>
#include "hash.h"
#include "pcapng_put.h"

enum {
	MAX_PATH	= 4095,	/* longer ones are cut, in blocks */
	MAX_ARGS	= 4096,
	MAX_SHOWN	= 400,	/* in comments, which stand on each packet: no longer Cmd or Args */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- what has been told ---- */

#define SETS 2048		/* power of two */
#define WAYS 4			/* keys of a set; what is forgotten is told again */

/* What was said last of a pid, or of a cgroup. */
struct told {
	uint64_t key;		/* 0: a free place */
	uint64_t print;
};

struct pcapng_told {
	struct told pids[SETS][WAYS], cgroups[SETS][WAYS];
};

struct pcapng_told *pcapng_told_new(void)
{
	return calloc(1, sizeof(struct pcapng_told));
}

void pcapng_told_free(struct pcapng_told *t)
{
	free(t);
}

/*
 * Is that what was said last of the key? It is from now on. A key of which nothing has been
 * said is passed over unless anew is set.
 */
static bool same_as_last(struct told sets[SETS][WAYS], uint64_t key, uint64_t print, bool anew)
{
	struct told *set = sets[hash_mix(0, key) & (SETS - 1)];
	bool same;
	int i;

	for (i = 0; i < WAYS - 1 && set[i].key != key; i++)
		;
	same = set[i].key == key && set[i].print == print;
	if (set[i].key != key) {
		if (!anew)
			return true;
		memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
		i = 0;
	}
	set[i] = (struct told) { key, print };
	return same;
}

/* Of long ones the beginning and the end: this is done for each record. */
static uint64_t hash_args(uint64_t h, const char *p, size_t len)
{
	if (len <= 512)
		return hash_bytes(h, p, len);
	h = hash_mix(h, len);
	h = hash_bytes(h, p, 256);
	return hash_bytes(h, p + len - 256, 256);
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	return hash_bytes(h, s, strlen(s));
}

/* An id has one path; the name of the container may be found out later. */
static uint64_t cgroup_print(const struct xcap_cgroup *g)
{
	uint64_t h = hash_text(g->id, g->container_name);

	return g->id ? h : hash_text(hash_text(h, g->path), g->container);
}

/* A process that runs another program has another one. */
static uint64_t process_print(const struct xcap_record *r)
{
	const struct xcap_process *p = r->process;
	uint64_t h = 0;

	if (p) {
		h = hash_mix(h, p->start_ns);
		h = hash_text(h, p->exe);
		h = hash_args(h, p->args, p->args_len);
	}
	if (r->cgroup && !r->cgroup->id)	/* no record can name it */
		h = hash_mix(h, cgroup_print(r->cgroup));
	return h;
}

/*
 * System calls say themselves who calls: of a process that was not told yet they need a block
 * only if there is more to say. Cgroups are told with any process in them.
 */
bool pcapng_told(struct pcapng_told *t, const struct xcap_record *r)
{
	bool anew = r->type == XCAP_PACKET || r->process, same = true;

	if (!r->pid)
		return true;
	if (r->cgroup && r->cgroup->id)
		same = same_as_last(t->cgroups, r->cgroup->id, cgroup_print(r->cgroup), true);
	return same_as_last(t->pids, r->pid, process_print(r), anew || !same) && same;
}

/* ---- the block ---- */

/* Options of Wireshark's process blocks. */
enum { NAME = 2, PATH, CMDLINE, PPID, UID, USER, START = 9 };

static void put_text(uint8_t **w, const uint8_t *block, uint16_t code, const char *s, size_t max)
{
	if (*s)
		put_option(w, block, htole16(code), s, strnlen(s, max));
}

static void put_option32(uint8_t **w, const uint8_t *block, uint16_t code, uint32_t v)
{
	v = htole32(v);
	put_option(w, block, htole16(code), &v, 4);
}

/* The last NUL is none between arguments. */
static void put_cmdline(uint8_t **w, const uint8_t *block, const struct xcap_process *p)
{
	size_t len = p->args_len;

	if (len && !p->args[len - 1])
		len--;
	if (len > MAX_ARGS)
		len = MAX_ARGS;
	if (len)
		put_option(w, block, htole16(CMDLINE), p->args, len);
}

static void put_piece(uint8_t **w, const char *s, size_t max)
{
	put_bytes(w, s, strnlen(s, max));
	*(*w)++ = '\0';
}

/* See pcapng.h. */
static void put_cgroup(uint8_t **w, const uint8_t *block, const struct xcap_cgroup *g)
{
	uint8_t *value = put_option_begin(w, htole16(PCAPNG_OPT_XCAP));

	put32(w, htole32(PCAPNG_MAGIC));
	put64(w, htole64(g->id));
	put_piece(w, g->path, MAX_PATH);
	put_piece(w, g->runtime, PCAPNG_MAX_STR);
	put_piece(w, g->container, PCAPNG_MAX_STR);
	put_piece(w, g->container_name, PCAPNG_MAX_STR);
	put_piece(w, g->pod, PCAPNG_MAX_STR);
	put_piece(w, g->unit, PCAPNG_MAX_STR);
	put_option_end(w, block, value);
}

/* A thread's name is the process's only if it is the first thread's. */
static void put_name(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	const char *exe = r->process ? base_name(r->process->exe) : "";
	bool first = r->comm[0] && (!r->tid || r->tid == r->pid);

	put_text(w, block, NAME, first || !*exe ? r->comm : exe, PCAPNG_MAX_STR);
}

static void put_user(uint8_t **w, const uint8_t *block, uint32_t uid)
{
	const char *name = xcap_user_name(uid);

	put_option32(w, block, UID, uid);
	if (name)
		put_text(w, block, USER, name, PCAPNG_MAX_STR);
}

static void put_process_options(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	const struct xcap_process *p = r->process;
	uint64_t start_ns;

	put_name(w, block, r);
	if (p) {
		put_text(w, block, PATH, p->exe, MAX_PATH);
		put_cmdline(w, block, p);
		if (p->ppid)
			put_option32(w, block, PPID, p->ppid);
	}
	if (r->comm[0] && r->uid != XCAP_UID_UNKNOWN)
		put_user(w, block, r->uid);
	if (p && p->start_ns > 0) {
		start_ns = htole64(p->start_ns);
		put_option(w, block, htole16(START), &start_ns, 8);
	}
	if (r->cgroup)
		put_cgroup(w, block, r->cgroup);
}

size_t pcapng_put_process(uint8_t *dst, const struct xcap_record *r)
{
	uint8_t *w = put_begin(dst, PCAPNG_CUSTOM), *head, *body, *options;
	uint32_t len;

	put32(&w, PCAPNG_PEN_WIRESHARK);
	head = w;
	put32(&w, htole32(PCAPNG_ENTRY_PROCESS));
	put32(&w, 0);
	body = w;
	put32(&w, htole32(r->pid));
	options = w;
	put_process_options(&w, dst, r);
	if (w > options)
		put32(&w, PCAPNG_OPT_END);
	len = htole32(w - body);
	memcpy(head + 4, &len, 4);
	return put_finish(dst, w);
}

/* ---- comments ---- */

static void put_word(uint8_t **w, const char *word)
{
	put_bytes(w, word, strlen(word));
}

static void put_number(uint8_t **w, uint32_t n)
{
	char text[10], *p = text + sizeof(text);

	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n);
	put_bytes(w, p, text + sizeof(text) - p);
}

/*
 * Eight bytes at once, as most text allows: NULs become spaces. Return: false: one of them is
 * neither a NUL nor printable ASCII.
 */
static bool plain_eight(const char *s, uint8_t *to)
{
	const uint64_t high = 0x8080808080808080, low = ~high;
	uint64_t v, zero;

	memcpy(&v, s, 8);
	zero = ~(((v & low) + low) | v) & high;
	v |= zero >> 2;
	/* a byte of 0x80 or more, below 0x20, 0x7f; or one behind such a byte */
	if ((v | (v - (high >> 2)) | ((v & low) + (high >> 7))) & high)
		return false;
	memcpy(to, &v, 8);
	return true;
}

/*
 * Text of any origin into a line of a comment: UTF-8, and nothing that ends the line. A NUL
 * between arguments becomes a space. What is too long ends in three points.
 */
static void put_line(uint8_t **w, const char *s, size_t len)
{
	size_t i = 0, out = 0;

	while (i < len) {
		unsigned char c = s[i];
		int n;

		if (len - i >= 8 && out + 12 <= MAX_SHOWN && plain_eight(s + i, *w)) {
			*w += 8;
			i += 8;
			out += 8;
			continue;
		}
		n = c < 0x80 ? 1 : xcap_utf8(s + i, len - i);
		if (out + 4 > MAX_SHOWN) {
			put_word(w, "...");
			return;
		}
		if (n > 1) {
			put_bytes(w, s + i, n);
		} else {
			n = n < 0 ? -n : 1;
			*(*w)++ = !c ? ' ' : c < ' ' || c >= 0x7f ? '?' : c;
		}
		i += n;
		out += n;
	}
}

static void put_string(uint8_t **w, const char *word, const char *s, size_t max)
{
	put_word(w, word);
	put_line(w, s, strnlen(s, max));
}

static void comment_process(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	const struct xcap_process *p = r->process;
	uint8_t *value = put_option_begin(w, PCAPNG_OPT_COMMENT);

	put_word(w, "PID: ");
	put_number(w, r->pid);
	if (p && *p->exe)
		put_string(w, "\nCmd: ", p->exe, MAX_PATH);
	else
		put_string(w, "\nCmd: ", r->comm, sizeof(r->comm));
	put_word(w, "\nArgs: ");
	if (p && p->args_len)
		put_line(w, p->args, p->args_len - !p->args[p->args_len - 1]);
	put_option_end(w, block, value);
}

static void comment_thread(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	uint8_t *value = put_option_begin(w, PCAPNG_OPT_COMMENT);

	put_word(w, "ThreadId: ");
	put_number(w, r->tid);
	put_string(w, "\nThreadName: ", r->comm, sizeof(r->comm));
	put_option_end(w, block, value);
}

static void comment_user(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	uint8_t *value = put_option_begin(w, PCAPNG_OPT_COMMENT);

	put_word(w, "UserId: ");
	put_number(w, r->uid);
	put_option_end(w, block, value);
}

static void comment_container(uint8_t **w, const uint8_t *block, const struct xcap_cgroup *g)
{
	uint8_t *value = put_option_begin(w, PCAPNG_OPT_COMMENT);

	put_string(w, "ContainerName: ", g->container_name, PCAPNG_MAX_STR);
	put_string(w, "\nContainerId: ", g->container, PCAPNG_MAX_STR);
	put_option_end(w, block, value);
}

static void comment_pod(uint8_t **w, const uint8_t *block, const struct xcap_cgroup *g)
{
	uint8_t *value = put_option_begin(w, PCAPNG_OPT_COMMENT);

	put_string(w, "PodUID: ", g->pod, PCAPNG_MAX_STR);
	put_option_end(w, block, value);
}

void pcapng_put_comments(uint8_t **w, const uint8_t *block, const struct xcap_record *r)
{
	if (!r->pid)
		return;
	comment_process(w, block, r);
	if (r->tid && r->tid != r->pid)
		comment_thread(w, block, r);
	if (r->comm[0] && r->uid != XCAP_UID_UNKNOWN)
		comment_user(w, block, r);
	if (r->cgroup && *r->cgroup->container)
		comment_container(w, block, r->cgroup);
	if (r->cgroup && *r->cgroup->pod)
		comment_pod(w, block, r->cgroup);
}
