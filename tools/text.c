// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  a line for each, for people.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "json.h"
#include "record.h"
#include "text.h"

#define NS_PER_SEC 1000000000LL

void text_safe(FILE *out, const char *s, size_t size)
{
	while (size && *s) {
		const unsigned char *c = (const unsigned char *)s;
		int len = json_utf8(s, size);

		/* control characters have a second form, U+0080 to U+009F */
		if (!len || *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) {
			len = len ? len : 1;
			for (int i = 0; i < len; i++)
				fprintf(out, "\\x%02x", c[i]);
		} else {
			fwrite(s, 1, len, out);
		}
		s += len;
		size -= len;
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

/* Hours, minutes and seconds are asked for once a second. */
static void put_time(struct text *t, int64_t wall_ns)
{
	int64_t second = wall_ns / NS_PER_SEC - (wall_ns % NS_PER_SEC < 0);
	time_t sec = second;
	struct tm tm;

	if (second != t->second || !t->clock[0]) {
		localtime_r(&sec, &tm);
		snprintf(t->clock, sizeof(t->clock), "%02u:%02u:%02u", tm.tm_hour % 24u,
			 tm.tm_min % 60u, tm.tm_sec % 61u);
		t->second = second;
	}
	fprintf(t->out, "%s.%09d", t->clock, (int)(wall_ns - second * NS_PER_SEC));
}

static void put_task(FILE *out, const char *comm, uint32_t tid)
{
	putc(' ', out);
	text_safe(out, comm, 16);
	fprintf(out, "[%u]", tid);
}

static void put_arg(FILE *out, const struct record_arg *arg)
{
	switch (arg->kind) {
	case 'f':
		if (arg->number == -100) {
			fputs("AT_FDCWD", out);
			break;
		}
		/* fall through */
	case 'd':
	case 'l':
		fprintf(out, "%lld", arg->number);
		break;
	case 'u':
		fprintf(out, "%llu", arg->value);
		break;
	case 'o':
		fprintf(out, arg->value ? "0%llo" : "%llo", arg->value & 07777777);
		break;
	default:
		if (arg->value || arg->kind != 'p')
			fprintf(out, arg->value ? "0x%llx" : "%llu", arg->value);
		else
			fputs("NULL", out);
	}
}

static void put_call(FILE *out, const struct xcap_record *rec)
{
	const char *name = record_call(rec);

	if (name)
		fputs(name, out);
	else
		fprintf(out, "#%u", rec->type == XCAP_SYS_ENTER ? rec->enter.nr : rec->exit.nr);
	if (rec->flags & XCAP_REC_COMPAT)
		fputs("/32", out);
}

static void put_enter(struct text *t, const struct xcap_record *rec)
{
	struct record_arg arg;

	fputs(" > ", t->out);
	put_call(t->out, rec);
	if (t->quiet)
		return;
	putc('(', t->out);
	for (int i = 0; record_arg(rec, i, &arg); i++) {
		fprintf(t->out, "%s%s=", i ? ", " : "", arg.name);
		put_arg(t->out, &arg);
	}
	putc(')', t->out);
}

static void put_exit(struct text *t, const struct xcap_record *rec)
{
	const char *name = record_call(rec), *error = record_errno(rec->exit.ret);

	fputs(" < ", t->out);
	put_call(t->out, rec);
	if (name && !error && record_returns_address(name))
		fprintf(t->out, " = 0x%llx", rec->exit.ret);
	else
		fprintf(t->out, " = %lld", rec->exit.ret);
	if (error)
		fprintf(t->out, " %s", error);
}

static void put_switch(struct text *t, const struct xcap_record *rec)
{
	fputs(" ->", t->out);
	put_task(t->out, rec->sw.next_comm, rec->sw.next_tid);
	if (!t->quiet)
		fprintf(t->out, " (%c)", record_state(rec->sw.prev_state));
	if (t->verbose)
		fprintf(t->out, " prio %u", rec->sw.next_prio);
}

static const char *source_name(struct text *t, const struct xcap_record *rec)
{
	return t->source ? t->source(t->user, rec->source) : "?";
}

static void put_loss(struct text *t, const struct xcap_record *rec)
{
	fprintf(t->out, " --- %llu lost (%s) by %s", rec->loss.count,
		xcap_drop_name(rec->loss.where), source_name(t, rec));
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
}

static void put_more(struct text *t, const struct xcap_record *rec)
{
	if (rec->pid && rec->pid != rec->tid)
		fprintf(t->out, " pid %u", rec->pid);
	if (rec->comm[0])
		fprintf(t->out, " uid %u", rec->uid);
	if (rec->cgroup_id)
		fprintf(t->out, " cgroup %llu", rec->cgroup_id);
}

void text_record(struct text *t, const struct xcap_record *rec)
{
	put_time(t, rec->wall_ns);
	if (rec->cpu != XCAP_CPU_UNKNOWN)
		fprintf(t->out, " cpu%u", rec->cpu);
	if (rec->tid || rec->comm[0] || (rec->type != XCAP_PACKET && rec->type != XCAP_LOSS))
		put_task(t->out, rec->comm, rec->tid);
	switch (rec->type) {
	case XCAP_PACKET:
		put_packet(t, rec);
		break;
	case XCAP_SYS_ENTER:
		put_enter(t, rec);
		break;
	case XCAP_SYS_EXIT:
		put_exit(t, rec);
		break;
	case XCAP_SWITCH:
		put_switch(t, rec);
		break;
	case XCAP_LOSS:
		put_loss(t, rec);
		break;
	}
	if (t->verbose)
		put_more(t, rec);
	if (rec->flags & XCAP_REC_LATE)
		fputs(" (late)", t->out);
	putc('\n', t->out);
	if (t->hex && rec->type == XCAP_PACKET)
		text_hex(t->out, rec->data, rec->caplen, t->hex > 1);
}
