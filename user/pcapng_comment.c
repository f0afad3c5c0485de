// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a comment on a packet, of anybody.
 * Out:  what stands in it behind the words that ptcpdump has for processes and containers.
 * Owns: nothing; strings are lent from the comment.
 * Runs on: any thread; pure functions.
 */
#include "pcapng_bytes.h"

enum { NUMBER, TEXT };

#define ROW(word, kind, field) { word, kind, offsetof(struct pcapng_comment, field) }

static const struct { const char *word; int kind; size_t offset; } rows[] = {
	ROW("PID", NUMBER, pid),
	ROW("ThreadId", NUMBER, tid),
	ROW("TID", NUMBER, tid),
	ROW("ParentPID", NUMBER, ppid),
	ROW("UserId", NUMBER, uid),
	ROW("ThreadName", TEXT, thread),
	ROW("Cmd", TEXT, cmd),
	ROW("Command", TEXT, cmd),
	ROW("Args", TEXT, args),
	ROW("ContainerName", TEXT, container_name),
	ROW("ContainerId", TEXT, container),
	ROW("PodUID", TEXT, pod),
};

static bool is_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || !c;
}

static struct pcapng_span trim(struct pcapng_span s)
{
	while (s.len && is_space(s.p[s.len - 1]))
		s.len--;
	while (s.len && is_space(*s.p)) {
		s.p++;
		s.len--;
	}
	return s;
}

static bool number(struct pcapng_span s, uint32_t *out)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s.len && n <= UINT32_MAX; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	if (!s.len || n > UINT32_MAX)
		return false;
	*out = n;
	return true;
}

/* Cut by who wrote it: three points at its end. */
static struct pcapng_span without_points(struct pcapng_span s)
{
	if (s.len >= 3 && !memcmp(s.p + s.len - 3, "...", 3))
		s.len -= 3;
	return s;
}

static bool line(struct pcapng_comment *c, struct pcapng_span s)
{
	uint8_t *colon = memchr(s.p, ':', s.len);
	struct pcapng_span word, value;
	size_t i;

	if (!colon)
		return false;
	word = trim((struct pcapng_span) { s.p, colon - s.p });
	value = trim((struct pcapng_span) { colon + 1, s.p + s.len - colon - 1 });
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *field = (char *)c + rows[i].offset;

		if (strlen(rows[i].word) != word.len || memcmp(rows[i].word, word.p, word.len))
			continue;
		if (rows[i].kind == NUMBER)
			return number(value, (uint32_t *)field);
		value = without_points(value);
		memcpy(field, &value, sizeof(value));
		return value.len;
	}
	return false;
}

bool pcapng_comment_read(struct pcapng_comment *c, struct pcapng_span text)
{
	bool found = false;

	while (text.len) {
		uint8_t *eol = memchr(text.p, '\n', text.len);
		size_t len = eol ? (size_t)(eol - text.p) : text.len;

		found |= line(c, (struct pcapng_span) { text.p, len });
		len += eol != NULL;
		text.p += len;
		text.len -= len;
	}
	return found;
}
