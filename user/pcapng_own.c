// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   blocks and options that only xcap writes, from a file that may be damaged.
 * Out:  syscall, switch and loss records, and who was behind a packet.
 * Owns: nothing.
 * Runs on: one thread per reader; no I/O.
 */
#include "pcapng_bytes.h"

bool pcapng_next_option(const struct pcapng_reader *d, struct pcapng_span *rest, uint16_t *code,
			struct pcapng_span *value)
{
	size_t padded;

	if (rest->len < 4)
		return false;
	*code = get16(d, rest->p);
	value->len = get16(d, rest->p + 2);
	value->p = rest->p + 4;
	padded = 4 + ((value->len + 3) & ~(size_t)3);
	if (!*code || padded > rest->len)
		return false;
	rest->p += padded;
	rest->len -= padded;
	return true;
}

/*
 * Arguments are lent as an array, so they are moved onto the alignment of one,
 * over the end of comm, which has been copied by then.
 */
static const uint64_t *align_args(const struct pcapng_reader *d, uint8_t *p)
{
	uint8_t *to = p - ((uintptr_t)p & 7);
	uint64_t v;
	int i;

	for (i = 0; i < 6; i++) {
		v = get64(d, p + 8 * i);
		memcpy(to + 8 * i, &v, 8);
	}
	return (const uint64_t *)__builtin_assume_aligned(to, 8);
}

/* Items begin where the fixed part ends. Those of another byte order say nothing here. */
static void lend_items(const struct pcapng_reader *d, struct pcapng_span o, uint32_t fixed,
		       struct xcap_record *r)
{
	if (o.len == fixed || d->swapped)
		return;
	r->data = o.p + fixed;
	r->caplen = r->len = o.len - fixed;
}

static bool decode_call(const struct pcapng_reader *d, struct pcapng_span o, struct xcap_record *r)
{
	if (r->type == XCAP_SYS_ENTER && o.len >= PCAPNG_XCAP_ENTER) {
		r->enter.nr = get32(d, o.p + 24);
		r->enter.args = (const __u64 *)align_args(d, o.p + PCAPNG_XCAP_TASK);
		lend_items(d, o, PCAPNG_XCAP_ENTER, r);
		return true;
	}
	if (r->type == XCAP_SYS_EXIT && o.len >= PCAPNG_XCAP_EXIT) {
		r->exit.nr = get32(d, o.p + 24);
		r->exit.ret = get64(d, o.p + PCAPNG_XCAP_TASK);
		lend_items(d, o, PCAPNG_XCAP_EXIT, r);
		return true;
	}
	if (r->type == XCAP_PROBE && o.len >= PCAPNG_XCAP_PROBE) {
		r->probe.id = get32(d, o.p + PCAPNG_XCAP_TASK);
		r->probe.cookie = get64(d, o.p + 60);
		lend_items(d, o, PCAPNG_XCAP_PROBE, r);
		return true;
	}
	if (r->type == XCAP_SWITCH && o.len >= PCAPNG_XCAP_SWITCH) {
		r->sw.next_pid = get32(d, o.p + 52);
		r->sw.next_tid = get32(d, o.p + 56);
		r->sw.prev_state = get32(d, o.p + 60);
		r->sw.next_prio = get32(d, o.p + 64);
		memcpy(r->sw.next_comm, o.p + 68, sizeof(r->sw.next_comm));
		r->sw.next_comm[sizeof(r->sw.next_comm) - 1] = '\0';
		return true;
	}
	return false;
}

static bool is_option_type(uint16_t type)
{
	return (type >= XCAP_PACKET && type <= XCAP_SWITCH) || type == XCAP_PROBE;
}

bool pcapng_decode_option(const struct pcapng_reader *d, struct pcapng_span o,
			  struct xcap_record *r)
{
	uint16_t type;

	if (o.len < PCAPNG_XCAP_HEAD || get32(d, o.p) != PCAPNG_MAGIC)
		return false;
	type = get16(d, o.p + 4);
	if (!is_option_type(type) || (type == XCAP_PACKET) != (r->type == XCAP_PACKET))
		return false;
	r->type = type;
	r->flags = get16(d, o.p + 6) & (XCAP_REC_LATE | XCAP_REC_COMPAT);
	r->cpu = get16(d, o.p + 8);
	if (o.len >= PCAPNG_XCAP_TASK) {
		r->pid = get32(d, o.p + 12);
		r->tid = get32(d, o.p + 16);
		r->uid = get32(d, o.p + 20);
		r->cgroup_id = get64(d, o.p + 28);
		memcpy(r->comm, o.p + 36, sizeof(r->comm));
		r->comm[sizeof(r->comm) - 1] = '\0';
	}
	if (type == XCAP_PACKET && o.len >= PCAPNG_XCAP_PACKET) {
		r->owner = get32(d, o.p + 52) <= XCAP_OWNER_CLOSED ? get32(d, o.p + 52) : 0;
		r->packet.cookie = get64(d, o.p + 56);
	}
	return type == XCAP_PACKET || decode_call(d, o, r);
}

/* What one option has no room for stands in those that follow: it is moved to its end. */
static void join_items(const struct pcapng_reader *d, struct pcapng_span rest,
		       struct xcap_record *r)
{
	struct pcapng_span value;
	uint16_t code;

	while (r->caplen && pcapng_next_option(d, &rest, &code, &value) &&
	       code == PCAPNG_OPT_MORE) {
		memmove((uint8_t *)r->data + r->caplen, value.p, value.len);
		r->caplen += value.len;
	}
	r->len = r->caplen;
}

/* Sysdig events that xcap wrote; those of others do not say which call it was. */
int pcapng_decode_event(struct pcapng_reader *d, uint8_t *p, uint32_t len, struct xcap_record *r)
{
	const struct pcapng_hints own = { .own = true };
	struct pcapng_span rest, value;
	uint64_t at = 36, params = 0;
	uint32_t nr, i;
	uint16_t code;

	if (len < at + 4)
		return 0;
	nr = get32(d, p + 32);
	if (nr > (len - 4 - at) / 2)
		return 0;
	for (i = 0; i < nr; i++)
		params += get16(d, p + at + 2 * i);
	at = (at + 2 * nr + params + 3) & ~3ull;
	if (at > len - 4)
		return 0;
	rest = (struct pcapng_span) { p + at, len - 4 - at };
	while (pcapng_next_option(d, &rest, &code, &value)) {
		if (code != PCAPNG_OPT_XCAP || !pcapng_decode_option(d, value, r))
			continue;
		join_items(d, rest, r);
		r->wall_ns = d->last_ns = clamp_ns(get64(d, p + 10));
		pcapng_who_resolve(d, &own, r);	/* without comments it takes no memory */
		return 1;
	}
	return 0;
}

/* Number after "key=" at the start of a line. */
static bool line_number(const char *line, size_t len, const char *key, uint64_t *out)
{
	size_t n = strlen(key);
	uint64_t v = 0;

	if (len <= n || memcmp(line, key, n))
		return false;
	for (; n < len && line[n] >= '0' && line[n] <= '9'; n++)
		v = v * 10 + (line[n] - '0');
	*out = v;
	return true;
}

/* Journal entries that xcap wrote: losses, and what probes tell. */
int pcapng_decode_journal(struct pcapng_reader *d, uint8_t *p, uint32_t len,
			  struct xcap_record *r)
{
	const struct pcapng_hints own = { .own = true };
	const char *line = (const char *)p + 8, *end = (const char *)p + len - 4, *eol;
	uint64_t wall_ns = 0, count = 0, where = 0, cpu = 0, flags = 0;
	bool ours = false, probe = false;

	for (; line < end; line = eol + 1) {
		eol = memchr(line, '\n', end - line);
		if (!eol)
			eol = end;
		ours |= line_number(line, eol - line, "XCAP_COUNT=", &count);
		probe |= pcapng_decode_probe(d, (uint8_t *)line, eol - line, r);
		line_number(line, eol - line, "XCAP_WALL_NS=", &wall_ns);
		line_number(line, eol - line, "XCAP_WHERE=", &where);
		line_number(line, eol - line, "XCAP_CPU=", &cpu);
		line_number(line, eol - line, "XCAP_FLAGS=", &flags);
	}
	if (!ours && !probe)
		return 0;
	r->wall_ns = d->last_ns = clamp_ns(wall_ns);
	if (probe) {
		pcapng_who_resolve(d, &own, r);
		return 1;
	}
	r->type = XCAP_LOSS;
	r->cpu = cpu;
	r->flags = flags & XCAP_REC_LATE;
	r->loss.count = count;
	r->loss.where = where;
	return 1;
}
