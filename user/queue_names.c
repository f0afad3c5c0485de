// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the processes and cgroups of records.
 * Out:  numbers and frames for them; on the other side, processes and cgroups.
 * Owns: the table.
 * Runs on: the thread of the stream; the readers' half anywhere.
 */
#include <stdlib.h>
#include <string.h>
#include "queue_names.h"

#define MOST 16384		/* bytes of a name; what is longer is cut: arguments */
#define NR_TEXTS 6

/* As it lies in a frame, texts behind it, each with its NUL but for arguments. */
struct written {
	uint64_t id;		/* cgroup */
	int64_t start_ns;
	uint32_t pid, ppid;
	uint32_t kind;		/* QUEUE_PROCESS, QUEUE_CGROUP */
	uint32_t args_len;	/* of the last text */
	uint32_t len[NR_TEXTS];	/* NUL included */
};

struct entry {
	uint32_t generation;
	uint32_t frame;		/* FRAME_NONE: nothing stands here */
	uint32_t bytes;
	uint8_t *copy;		/* what the frame holds */
	void *read;		/* made of it, when somebody asked */
	const void *of;		/* what was asked about last */
	uint64_t batch;		/* and when */
};

struct queue_names {
	struct frames *frames;
	uint32_t nr_generations;
	uint64_t batch;
	uint8_t draft[MOST];
	struct entry entries[QUEUE_NAMES];
};

struct queue_names *queue_names_new(struct frames *f)
{
	struct queue_names *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->frames = f;
	for (int i = 0; i < QUEUE_NAMES; i++)
		t->entries[i].frame = FRAME_NONE;
	return t;
}

static void forget(struct queue_names *t, struct entry *e)
{
	if (e->frame != FRAME_NONE)
		frames_put(t->frames, e->frame);
	free(e->copy);
	free(e->read);
	*e = (struct entry){ .frame = FRAME_NONE };
}

void queue_names_free(struct queue_names *t)
{
	if (!t)
		return;
	for (int i = 0; i < QUEUE_NAMES; i++)
		forget(t, &t->entries[i]);
	free(t);
}

uint32_t queue_names_count(const struct queue_names *t)
{
	uint32_t n = 0;

	for (int i = 0; i < QUEUE_NAMES; i++)
		n += t->entries[i].frame != FRAME_NONE;
	return n;
}

/* ---- writing ---- */

static uint32_t append(struct queue_names *t, uint32_t at, uint32_t *len, const char *text,
		       uint32_t bytes)
{
	if (bytes > MOST - at)
		bytes = MOST - at;
	memcpy(t->draft + at, text, bytes);
	*len = bytes;
	return at + bytes;
}

static uint32_t draft_process(struct queue_names *t, const struct xcap_process *p)
{
	struct written w = { .kind = QUEUE_PROCESS, .pid = p->pid, .ppid = p->ppid,
			     .start_ns = p->start_ns };
	uint32_t at = append(t, sizeof(w), &w.len[0], p->exe, strlen(p->exe) + 1);

	at = append(t, at, &w.args_len, p->args, p->args_len);
	memcpy(t->draft, &w, sizeof(w));
	return at;
}

static uint32_t draft_cgroup(struct queue_names *t, const struct xcap_cgroup *g)
{
	const char *texts[NR_TEXTS] = { g->path, g->runtime, g->container, g->container_name,
					g->pod, g->unit };
	struct written w = { .kind = QUEUE_CGROUP, .id = g->id };
	uint32_t at = sizeof(w);

	for (int i = 0; i < NR_TEXTS; i++)
		at = append(t, at, &w.len[i], texts[i], strlen(texts[i]) + 1);
	memcpy(t->draft, &w, sizeof(w));
	return at;
}

/* Places of their own, so that a process never stands in the way of its cgroup. */
enum { CGROUPS = QUEUE_NAMES / 8, PROCESSES = QUEUE_NAMES - CGROUPS };

static uint32_t place_of(const void *p, uint32_t first, uint32_t nr)
{
	uint32_t hash = (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15 >> 32;

	return first + (uint32_t)((uint64_t)hash * nr >> 32);
}

/* The drafted bytes stand at e, or will; false: there is no room for them. */
static bool put(struct queue_names *t, struct entry *e, uint32_t bytes)
{
	if (e->frame != FRAME_NONE && e->bytes == bytes && !memcmp(e->copy, t->draft, bytes))
		return true;
	forget(t, e);
	e->copy = malloc(bytes);
	e->frame = e->copy ? frames_copy(t->frames, t->draft, bytes) : FRAME_NONE;
	if (e->frame == FRAME_NONE) {
		free(e->copy);
		e->copy = NULL;
		return false;
	}
	memcpy(e->copy, t->draft, bytes);
	e->bytes = bytes;
	e->generation = ++t->nr_generations;
	return true;
}

void queue_names_batch(struct queue_names *t)
{
	t->batch++;
}

/*
 * Entries of the tables do not change while a record of theirs is lent, and all of a batch are;
 * later, what is at the same place may be another: then bytes are compared.
 */
static bool is_known(const struct queue_names *t, const struct entry *e, const void *p)
{
	return e->of == p && e->batch == t->batch && e->frame != FRAME_NONE;
}

static struct queue_name name_of(struct queue_names *t, struct entry *e, const void *p)
{
	e->of = p;
	e->batch = t->batch;
	return (struct queue_name){ (uint32_t)(e - t->entries) + 1, e->generation };
}

struct queue_name queue_names_process(struct queue_names *t, const struct xcap_process *p)
{
	struct entry *e = p ? &t->entries[place_of(p, 0, PROCESSES)] : NULL;

	if (!p || (!is_known(t, e, p) && !put(t, e, draft_process(t, p))))
		return (struct queue_name){ 0 };
	return name_of(t, e, p);
}

struct queue_name queue_names_cgroup(struct queue_names *t, const struct xcap_cgroup *g)
{
	struct entry *e = g ? &t->entries[place_of(g, PROCESSES, CGROUPS)] : NULL;

	if (!g || (!is_known(t, e, g) && !put(t, e, draft_cgroup(t, g))))
		return (struct queue_name){ 0 };
	return name_of(t, e, g);
}

static const struct entry *find(const struct queue_names *t, struct queue_name name)
{
	const struct entry *e = name.id ? &t->entries[name.id - 1] : NULL;

	return e && e->frame != FRAME_NONE && e->generation == name.generation ? e : NULL;
}

uint32_t queue_names_frame(const struct queue_names *t, struct queue_name name, uint32_t *bytes)
{
	const struct entry *e = find(t, name);

	*bytes = e ? e->bytes : 0;
	return e ? e->frame : FRAME_NONE;
}

const struct xcap_process *queue_names_as_process(struct queue_names *t, struct queue_name name)
{
	struct entry *e = (struct entry *)find(t, name);

	if (e && !e->read)
		e->read = queue_names_read_process(e->copy, e->bytes);
	return e ? e->read : NULL;
}

const struct xcap_cgroup *queue_names_as_cgroup(struct queue_names *t, struct queue_name name)
{
	struct entry *e = (struct entry *)find(t, name);

	if (e && !e->read)
		e->read = queue_names_read_cgroup(e->copy, e->bytes);
	return e ? e->read : NULL;
}

/* ---- reading ---- */

/* The head, and all that stands behind it copied behind `size` bytes of a new block. */
static void *read_block(const uint8_t *bytes, uint32_t len, size_t size, uint32_t kind,
			struct written *w)
{
	uint64_t sum = sizeof(*w);
	uint8_t *block;

	if (len < sizeof(*w))
		return NULL;
	memcpy(w, bytes, sizeof(*w));
	for (int i = 0; i < NR_TEXTS; i++)
		sum += w->len[i];
	if (w->kind != kind || sum + w->args_len > len)
		return NULL;
	block = calloc(1, size + len - sizeof(*w) + 1);
	if (block)
		memcpy(block + size, bytes + sizeof(*w), len - sizeof(*w));
	return block;
}

/* A text with its NUL; what has none is none. */
static const char *next_text(const char **at, uint32_t len)
{
	const char *text = *at;

	*at += len;
	return len && !text[len - 1] ? text : "";
}

struct xcap_process *queue_names_read_process(const uint8_t *bytes, uint32_t len)
{
	struct written w;
	struct xcap_process *p = read_block(bytes, len, sizeof(*p), QUEUE_PROCESS, &w);
	const char *at = (const char *)(p + 1);

	if (!p)
		return NULL;
	p->pid = w.pid;
	p->ppid = w.ppid;
	p->start_ns = w.start_ns;
	p->exe = next_text(&at, w.len[0]);
	p->args = at;
	p->args_len = w.args_len;
	return p;
}

struct xcap_cgroup *queue_names_read_cgroup(const uint8_t *bytes, uint32_t len)
{
	struct written w;
	struct xcap_cgroup *g = read_block(bytes, len, sizeof(*g), QUEUE_CGROUP, &w);
	const char *at = (const char *)(g + 1);

	if (!g)
		return NULL;
	g->id = w.id;
	g->path = next_text(&at, w.len[0]);
	g->runtime = next_text(&at, w.len[1]);
	g->container = next_text(&at, w.len[2]);
	g->container_name = next_text(&at, w.len[3]);
	g->pod = next_text(&at, w.len[4]);
	g->unit = next_text(&at, w.len[5]);
	return g;
}
