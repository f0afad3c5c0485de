// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   findings and changes.
 * Out:  lines of at most 80 columns, commands aside that are longer; or JSON, an object a line.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <stdio.h>
#include <string.h>
#include "doctor.h"
#include "doctor_print.h"
#include "json.h"
#include "text.h"

#define WIDTH 80
#define COLUMN 21
#define COMMAND_COLUMN 4

static const char *const levels[NR_LEVELS] = { "ok", "note", "warn", "bad" };

/* ---- lines ---- */

/* Words from the column on that the line stands at; the next lines begin at COLUMN. */
static void wrap(const char *text)
{
	int at = COLUMN;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (at > COLUMN && at + 1 + (int)len > WIDTH) {
			printf("\n%*s", COLUMN, "");
			at = COLUMN;
		} else if (at > COLUMN) {
			putchar(' ');
			at++;
		}
		text_safe(stdout, text, len);
		at += len;
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

static bool is_fixed_by(const struct finding *f, enum fixed_by by)
{
	return f->would && f->check->by == by;
}

static void print_line(const struct finding *f)
{
	char text[640];

	snprintf(text, sizeof(text), "%s%s%s", f->is, f->level && f->check->cost ? ": " : "",
		 f->level && f->check->cost ? f->check->cost : "");
	printf("  %-5s %-12s ", levels[f->level], f->check->name);
	wrap(text);
	if (f->command[0]) {
		printf("%*s", COMMAND_COLUMN, "");
		text_safe(stdout, f->command, strlen(f->command));
		putchar('\n');
	}
}

static void print_head(struct doctor *d, const struct finding *f)
{
	text_safe(stdout, f->iface[0] ? f->iface : "host", IF_NAMESIZE);
	putchar('\n');
}

static void print_lines(struct doctor *d)
{
	const char *last = NULL;

	for (int i = 0; i < d->nr_findings; i++) {
		const struct finding *f = &d->findings[i];

		if (d->quiet && !f->level)
			continue;
		if (!last || strcmp(last, f->iface))
			print_head(d, f);
		last = f->iface;
		print_line(f);
	}
}

/* ---- objects ---- */

static void print_object(const struct finding *f)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "type", "finding");
	if (f->iface[0])
		json_text(&j, "iface", f->iface);
	json_text(&j, "check", f->check->name);
	json_text(&j, "level", levels[f->level]);
	json_text(&j, "is", f->is);
	if (f->level && f->check->cost)
		json_text(&j, "cost", f->check->cost);
	if (f->command[0])
		json_text(&j, "command", f->command);
	if (is_fixed_by(f, BY_FIX))
		json_text(&j, "changed_by", "fix");
	if (is_fixed_by(f, BY_PORT))
		json_text(&j, "changed_by", "port");
	json_close(&j, '}');
	json_line(&j);
}

void doctor_print(struct doctor *d)
{
	if (!d->json)
		print_lines(d);
	for (int i = 0; d->json && i < d->nr_findings; i++)
		if (!d->quiet || d->findings[i].level)
			print_object(&d->findings[i]);
}

/* ---- changes ---- */

static const char *const changes[] = { "done", "failed", "none" };
static const char *const results[][2] = {
	{ "changed", "given back" }, { "not changed", "not given back" }, { "-", "forgotten" },
};

void doctor_changed(struct doctor *d, const struct setting *s, const char *from, const char *to,
		    enum change what, const char *why)
{
	struct json j = { .out = stdout };
	char text[640], key[64];

	if (!strcmp(from, "there") || !strcmp(to, "there"))
		netlink_object_text(s->kind, s->key, key, sizeof(key));
	else
		snprintf(key, sizeof(key), "%s", s->key);
	d->changed += what == CHANGE_DONE;
	d->failed += what == CHANGE_FAILED;
	if (d->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "type", "change");
		if (s->iface[0])
			json_text(&j, "iface", s->iface);
		json_text(&j, "kind", s->kind);
		json_text(&j, "key", key);
		json_text(&j, "from", from);
		json_text(&j, "to", to);
		json_text(&j, "result", changes[what]);
		if (why)
			json_text(&j, "why", why);
		json_close(&j, '}');
		json_line(&j);
	} else {
		snprintf(text, sizeof(text), "%s%s%s %s: %s%s%s", s->iface,
			 s->iface[0] ? " " : "", s->kind, key, from, *from ? " -> " : "", to);
		if (why)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ": %s", why);
		printf("  %-18s ", results[what][d->undo]);
		wrap(text);
	}
}

void doctor_summary(struct doctor *d)
{
	int nr[NR_LEVELS] = { 0 }, fix = 0;
	struct json j = { .out = stdout };

	for (int i = 0; i < d->nr_findings; i++) {
		nr[d->findings[i].level]++;
		fix += is_fixed_by(&d->findings[i], BY_FIX);
	}
	if (d->json) {
		json_open(&j, NULL, '{');
		json_text(&j, "type", "summary");
		for (int i = 0; i < NR_LEVELS; i++)
			json_unsigned(&j, levels[i], nr[i]);
		json_unsigned(&j, "fixable", fix);
		json_unsigned(&j, "changed", d->changed);
		json_unsigned(&j, "failed", d->failed);
		json_close(&j, '}');
		json_line(&j);
		return;
	}
	/* it does not look again: a link that was bounced is not up yet */
	if (d->nr_findings)
		printf("%s%d ok, %d note, %d warn, %d bad", d->fix ? "before: " : "", nr[0], nr[1],
		       nr[2], nr[3]);
	if (d->fix)
		printf("; %d setting%s changed, %d failed", d->changed, d->changed == 1 ? "" : "s",
		       d->failed);
	else if (d->undo || d->port)
		printf("%s%d changed, %d failed", d->nr_findings ? "; " : "", d->changed,
		       d->failed);
	else if (fix)
		printf("; --fix sees to %d of them", fix);
	putchar('\n');
}
