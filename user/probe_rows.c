// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   an iterator's output; a table of totals.
 * Out:  records, lent until they are given back.
 * Owns: batches of records: what was read at once.
 * Runs on: the thread of the handle.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clock.h"
#include "probe_rows.h"
#include "rings.h"

#define ONCE_MAX (64u << 20)	/* bytes; a million sockets are fewer */
#define NR_AT_ONCE 512		/* rows asked for by one call */
#define INITIAL_PID_NS 0xeffffffcu	/* its inode, on every kernel */

/* Records one behind the other, each as long as it says, all of one time. */
struct batch {
	struct batch *next;
	size_t len;
	size_t peeked;		/* bytes lent */
	int nr_lent;
	uint8_t bytes[] __attribute__((aligned(8)));
};

struct key {
	uint32_t words[4];	/* struct probe_key */
};

struct told {
	struct key key;
	uint64_t changes;
};

static void add_batch(struct probe_rows *p, struct batch *b)
{
	if (p->last)
		p->last->next = b;
	else
		p->first = b;
	p->last = b;
}

/* Whole records of our kind, and nothing else: each is stamped, and counted. */
static int finish_batch(struct probe_rows *p, struct batch *b, int64_t now)
{
	for (size_t at = 0; at < b->len; ) {
		struct xcap_ev_probe *r = (void *)(b->bytes + at);

		if (b->len - at < sizeof(*r) || r->ev.len < sizeof(*r) || r->ev.len % 8 ||
		    r->ev.len > b->len - at)
			return -EBADMSG;
		r->ev.mono_ns = now;
		r->ev.type = XEV_PROBE;
		at += r->ev.len;
		p->nr_made++;
	}
	add_batch(p, b);
	return 0;
}

/* ---- once ---- */

static int read_all(int fd, struct batch **out)
{
	struct batch *b = NULL, *larger;
	size_t size = 0;
	ssize_t n;

	do {
		if (!b || size - b->len < 65536) {
			size = size ? 2 * size : 1u << 17;
			if (size > ONCE_MAX || !(larger = realloc(b, sizeof(*b) + size))) {
				free(b);
				return -ENOMEM;
			}
			if (!b)
				*larger = (struct batch){ 0 };
			b = larger;
		}
		n = read(fd, b->bytes + b->len, size - b->len);
		if (n > 0)
			b->len += n;
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
	if (n < 0) {
		n = -errno;
		free(b);
		return n;
	}
	*out = b;
	return 0;
}

int probe_rows_once(struct probe_rows *p, int iter_link_fd)
{
	int fd = bpf_iter_create(iter_link_fd);
	struct batch *b = NULL;
	int ret = fd < 0 ? fd : read_all(fd, &b);

	if (fd >= 0)
		close(fd);
	p->ended = true;
	if (ret)
		return ret;
	ret = finish_batch(p, b, clock_mono_ns());
	if (ret)
		free(b);
	return ret;
}

/* ---- totals ---- */

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key));
}

/* Return: false: it has been told as it is. */
static bool has_changed(struct probe_rows *p, const struct key *key, uint64_t changes)
{
	struct told **at, *t = calloc(1, sizeof(*t));

	if (!t)
		return true;	/* told once too often */
	t->key = *key;
	at = tsearch(t, &p->told, by_key);
	if (!at || *at != t)
		free(t);
	if (!at)
		return true;
	if ((*at)->changes == changes)
		return false;
	(*at)->changes = changes;
	return true;
}

/* Of the initial pid namespace: else numbers of processes are others here. */
static bool knows_processes(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NS;
}

/*
 * A process that has ended adds nothing to what was told of it: its row is for others. What it did
 * between our look at the row and its end is told the next time. row: room for one.
 */
static void forget_ended(struct probe_rows *p, const struct key *key, struct xcap_ev_probe *row)
{
	struct told t = { .key = *key }, **at;
	uint64_t changes = row->ev.mono_ns;

	if (!key->words[0] || !kill(key->words[0], 0) || errno != ESRCH)
		return;
	if (bpf_map_lookup_elem(p->totals_fd, key, row) || row->ev.mono_ns != changes)
		return;
	bpf_map_delete_elem(p->totals_fd, key);
	at = tfind(&t, &p->told, by_key);
	if (at) {
		struct told *gone = *at;

		tdelete(&t, &p->told, by_key);
		free(gone);
	}
}

static void keep_changed(struct probe_rows *p, struct batch *b, const struct key *keys,
			 uint8_t *values, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct xcap_ev_probe *r = (void *)(values + (size_t)i * p->value_size);

		/* not filled in yet: another CPU is about to */
		if (r->ev.len != p->value_size || !r->ev.mono_ns)
			continue;
		/* rows that came and went meanwhile: the next time */
		if (b->len + p->value_size > (size_t)p->max_entries * p->value_size)
			return;
		if (!has_changed(p, &keys[i], r->ev.mono_ns)) {
			if (p->forgets)
				forget_ended(p, &keys[i], r);
			continue;
		}
		memcpy(b->bytes + b->len, r, p->value_size);
		b->len += p->value_size;
	}
}

static int read_table(struct probe_rows *p, struct batch *b, struct key *keys, uint8_t *values)
{
	uint32_t in, out, nr, sum = 0;
	bool begun = false;
	int ret;

	do {
		nr = NR_AT_ONCE;	/* all of a bucket has to have room */
		ret = bpf_map_lookup_batch(p->totals_fd, begun ? &in : NULL, &out, keys, values,
					   &nr, NULL);
		if (ret && ret != -ENOENT)
			return ret;
		keep_changed(p, b, keys, values, nr);
		p->nr_rows = sum += nr;
		in = out;
		begun = true;
	} while (!ret);
	return 0;
}

int probe_rows_totals(struct probe_rows *p, bool last)
{
	size_t size = (size_t)p->max_entries * p->value_size;
	int64_t now = clock_mono_ns();
	struct key *keys;
	uint8_t *values;
	struct batch *b;
	int ret;

	p->read_ns = now;
	p->ended = last;
	if (p->first && !last)
		return 0;
	keys = calloc(NR_AT_ONCE, sizeof(*keys));
	values = calloc(NR_AT_ONCE, p->value_size);
	b = calloc(1, sizeof(*b) + size);
	ret = keys && values && b ? read_table(p, b, keys, values) : -ENOMEM;
	p->forgets = p->nr_rows > p->max_entries / 2 && knows_processes();
	ret = ret ?: finish_batch(p, b, now);
	free(keys);
	free(values);
	if (ret)
		free(b);
	return ret;
}

/* ---- the lane ---- */

static struct batch *unread(const struct probe_rows *p)
{
	struct batch *b = p->first;

	while (b && b->peeked == b->len)
		b = b->next;
	return b;
}

/* What has been read and has come back. */
static void drop_done(struct probe_rows *p)
{
	while (p->first && p->first->peeked == p->first->len && !p->first->nr_lent) {
		struct batch *b = p->first;

		p->first = b->next;
		if (!p->first)
			p->last = NULL;
		free(b);
	}
}

int probe_rows_peek(struct probe_rows *p, const struct source *s, struct xcap_record *recs,
		    int max)
{
	struct batch *b;
	int n = 0;

	drop_done(p);
	while (n < max && (b = unread(p))) {
		const struct xcap_ev *ev = (const void *)(b->bytes + b->peeked);

		rings_decode(s, ev, &recs[n++]);
		b->peeked += ev->len;
		b->nr_lent++;
	}
	return n || !p->ended ? n : -ENODATA;
}

void probe_rows_release(struct probe_rows *p, int n)
{
	for (struct batch *b = p->first; b && n > 0; b = b->next) {
		int here = n < b->nr_lent ? n : b->nr_lent;

		b->nr_lent -= here;
		n -= here;
	}
	drop_done(p);
}

int64_t probe_rows_watermark(const struct probe_rows *p)
{
	const struct batch *b = unread(p);

	if (b)
		return ((const struct xcap_ev *)(b->bytes + b->peeked))->mono_ns;
	return p->ended ? INT64_MAX : clock_mono_ns() - CLOCK_MARGIN_NS;
}

void probe_rows_close(struct probe_rows *p)
{
	while (p->first) {
		struct batch *b = p->first;

		p->first = b->next;
		free(b);
	}
	tdestroy(p->told, free);
	*p = (struct probe_rows){ .totals_fd = -1 };
}
