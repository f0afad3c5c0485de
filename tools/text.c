// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  a line for each, for people.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <stdlib.h>
#include <string.h>
#include "text.h"

#define NS_PER_SEC 1000000000LL

void text_safe(FILE *out, const char *s, size_t size)
{
	while (size && *s) {
		int len = xcap_utf8(s, size), bytes = len < 0 ? -len : len ? len : 1;

		if (len > 0)
			fwrite(s, 1, len, out);
		for (int i = 0; len <= 0 && i < bytes; i++)
			fprintf(out, "\\x%02x", (unsigned char)s[i]);
		s += bytes;
		size -= bytes;
	}
}

void text_hex(FILE *out, const uint8_t *data, uint32_t len, bool ascii)
{
	for (uint32_t at = 0; at < len; at += 16) {
		uint32_t n = len - at < 16 ? len - at : 16;

		fprintf(out, "\t0x%04x: ", at);
		for (uint32_t i = 0; i < 16; i++) {
			if (i % 2 == 0 && (i < n || ascii))
				putc(' ', out);
			if (i < n)
				fprintf(out, "%02x", data[at + i]);
			else if (ascii)
				fputs("  ", out);
		}
		if (ascii)
			fputs("  ", out);
		for (uint32_t i = 0; ascii && i < n; i++)
			putc(data[at + i] >= 0x20 && data[at + i] < 0x7f ? data[at + i] : '.', out);
		putc('\n', out);
	}
}

const char *text_clock(struct text_clock *c, int64_t wall_ns)
{
	int64_t second = wall_ns / NS_PER_SEC - (wall_ns % NS_PER_SEC < 0);
	time_t sec = second;
	struct tm tm;

	if (second != c->second || !c->text[0]) {
		localtime_r(&sec, &tm);
		snprintf(c->text, sizeof(c->text), "%02u:%02u:%02u", tm.tm_hour % 24u,
			 tm.tm_min % 60u, tm.tm_sec % 61u);
		c->second = second;
	}
	return c->text;
}

static void put_time(struct text *t, int64_t wall_ns)
{
	fputs(text_clock(&t->clock, wall_ns), t->out);
	fprintf(t->out, ".%09d", (int)(wall_ns - t->clock.second * NS_PER_SEC));
}

static const char *source_name(struct text *t, const struct xcap_record *rec)
{
	return t->source ? t->source(t->user, rec->source) : "?";
}

/* How long a name is in a line. */
static size_t safe_length(const char *s, size_t size)
{
	size_t length = 0;

	while (size && *s) {
		int len = xcap_utf8(s, size), bytes = len < 0 ? -len : len ? len : 1;

		length += len > 0 ? bytes : 4 * bytes;
		s += bytes;
		size -= bytes;
	}
	return length;
}

/* Without what stands in brackets. Nothing before the call has one but the task's own name. */
static void shorten(const struct xcap_record *rec, char *line)
{
	char *end = NULL;

	if (rec->type == XCAP_SYS_ENTER)
		end = strchr(line + safe_length(rec->comm, sizeof(rec->comm)), '(');
	if (rec->type == XCAP_SWITCH)
		end = strrchr(line, ' ');
	if (end)
		*end = '\0';
}

/* What the library says of it, however long. */
static void put_line(struct text *t, const struct xcap_record *whole)
{
	struct xcap_record rec = *whole;
	char room[XCAP_TEXT_MAX], *line = room;
	int len;

	if (t->quiet && rec.type != XCAP_PROBE)
		rec.caplen = 0;		/* and what arguments refer to is not told */
	len = xcap_record_text(&rec, room, sizeof(room));
	if (len < 0)
		return;
	if (len >= (int)sizeof(room)) {
		line = malloc(len + 1);
		if (line)
			xcap_record_text(&rec, line, len + 1);
		else
			line = room;
	}
	if (t->quiet)
		shorten(&rec, line);
	putc(' ', t->out);
	fputs(line, t->out);
	if (line != room)
		free(line);
	if (rec.type == XCAP_LOSS)
		fprintf(t->out, " by %s", source_name(t, &rec));
	if (rec.type == XCAP_SWITCH && t->verbose)
		fprintf(t->out, " prio %u", rec.sw.next_prio);
}

static void put_packet(struct text *t, const struct xcap_record *rec)
{
	static const char *const directions[] = { "", " in", " out" };

	if (t->name_sources || t->verbose)
		fprintf(t->out, " %s", source_name(t, rec));
	if (rec->direction <= XCAP_DIR_OUT)
		fputs(directions[rec->direction], t->out);
	putc(' ', t->out);
	text_packet(t, rec);
	text_owner(t, rec);
}

void text_record(struct text *t, const struct xcap_record *rec)
{
	put_time(t, rec->wall_ns);
	if (rec->cpu != XCAP_CPU_UNKNOWN)
		fprintf(t->out, " cpu%u", rec->cpu);
	if (rec->type == XCAP_PACKET)
		put_packet(t, rec);
	else
		put_line(t, rec);
	if (t->verbose)
		text_more(t, rec);
	if (rec->flags & XCAP_REC_LATE)
		fputs(" (late)", t->out);
	putc('\n', t->out);
	if (t->hex && rec->type == XCAP_PACKET)
		text_hex(t->out, rec->data, rec->caplen, t->hex > 1);
}
