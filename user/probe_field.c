// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of probes, live or from a file that may be damaged.
 * Out:  their fields.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "opts.h"
#include "out.h"
#include "probe_table.h"

_Static_assert(sizeof(((struct xcap_field *)0)->slots) == XPROBE_SLOTS * sizeof(__u64), "all fit");

int xcap_probe_row(int i, struct xcap_probe_row *out)
{
	const struct probe_row *row = probe_row_at(i);

	if (!row)
		return 0;
	return opts_out(out, &(struct xcap_probe_row){
		.name = row->name,
		.answers = row->answers,
		.costs = row->costs,
		.kind = row->kind,
		.id = row->id,
		.nobody = row->whose == OF_NOBODY,
	}, sizeof(*out)) ?: 1;
}

const char *xcap_probe_name(__u32 id)
{
	const struct probe_row *row = probe_row_by_id(id);

	return row ? row->name : NULL;
}

static uint64_t number(const uint8_t *p, const struct probe_field *f)
{
	uint64_t n = 0;

	memcpy(&n, p, f->size);		/* little-endian machines only, as elsewhere */
	if (f->kind == XCAP_FIELD_SIGNED && f->size < 8 && n >> (8 * f->size - 1))
		n |= ~0ULL << 8 * f->size;
	return n;
}

static const char *address(const uint8_t *p, char *room, size_t size)
{
	static const uint8_t any[16], mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(p, any, sizeof(any)))
		return "*";
	return !memcmp(p, mapped, sizeof(mapped)) ? inet_ntop(AF_INET, p + 12, room, size) :
						    inet_ntop(AF_INET6, p, room, size);
}

static void histogram(const uint8_t *p, struct xcap_field *out)
{
	const struct xprobe_hist *h = (const void *)p;

	memcpy(out->slots, h->slots, sizeof(h->slots));
	out->nr_slots = XPROBE_SLOTS;
	memcpy(&out->value, &h->count, sizeof(out->value));
}

int xcap_probe_field(const struct xcap_record *rec, int i, struct xcap_field *field)
{
	const struct probe_row *row = rec->type == XCAP_PROBE ? probe_row_by_id(rec->probe.id) :
								NULL;
	struct xcap_field out = { 0 };
	const struct probe_field *f;
	int ret;

	if (!row || rec->caplen < row->size)
		return -EINVAL;
	for (f = row->fields; f->name && i > 0; i--)
		f++;
	if (i < 0 || !f->name)
		return 0;
	out.name = f->name;
	out.kind = f->kind;
	out.width = f->width;
	switch (f->kind) {
	case XCAP_FIELD_TEXT:
		out.text = f->name_of ? f->name_of(rec->data) :
					(const char *)rec->data + f->offset;
		out.text_len = f->name_of ? strlen(out.text) : strnlen(out.text, f->size - 1);
		break;
	case XCAP_FIELD_ADDRESS:
		out.text = address(rec->data + f->offset, out.room, sizeof(out.room));
		out.text_len = strlen(out.text);
		break;
	case XCAP_FIELD_HISTOGRAM:
		histogram(rec->data + f->offset, &out);
		break;
	default:
		out.value = number(rec->data + f->offset, f);
	}
	ret = opts_out(field, &out, sizeof(out));
	if (!ret && out.text == out.room)
		field->text = field->room;
	return ret ?: 1;
}

/* ---- as text ---- */

/* "1.234567s", "56.123ms", "7.5us" and "42ns" are all as exact as the number. */
static void put_duration(struct out *o, uint64_t ns)
{
	static const struct { uint64_t ns; int digits; const char *unit; } units[] = {
		{ 1000000000, 9, "s" }, { 1000000, 6, "ms" }, { 1000, 3, "us" }, { 1, 0, "ns" },
	};
	int i = 0;
	uint64_t rest;

	while (i < 3 && ns < units[i].ns)
		i++;
	out_number(o, ns / units[i].ns, 10);
	rest = ns % units[i].ns;
	if (rest) {
		int digits = units[i].digits;

		for (; rest % 10 == 0; digits--)
			rest /= 10;
		out_char(o, '.');
		out_padded(o, rest, digits);
	}
	out_text(o, units[i].unit);
}

/* "[1us]=3 [2us]=5": what is in each power of two that has something. */
static void put_histogram(struct out *o, const struct xcap_field *f)
{
	const char *before = "";

	for (int i = 0; i < f->nr_slots; i++) {
		if (!f->slots[i])
			continue;
		out_text(o, before);
		out_text(o, ">=");
		put_duration(o, i ? 1ULL << i : 0);
		out_char(o, ':');
		out_number(o, f->slots[i], 10);
		before = ",";
	}
}

static void put_field(struct out *o, const struct xcap_field *f)
{
	size_t len = strlen(f->name);

	/* what has a unit needs none in its name */
	if (f->kind == XCAP_FIELD_DURATION && len > 3 && !strcmp(f->name + len - 3, "_ns"))
		len -= 3;
	out_char(o, ' ');
	out_bytes(o, f->name, len);
	out_char(o, '=');
	switch (f->kind) {
	case XCAP_FIELD_SIGNED:
		out_signed(o, f->value);
		break;
	case XCAP_FIELD_TEXT:
	case XCAP_FIELD_ADDRESS:
		if (f->text_len)
			out_safe(o, f->text, f->text_len);
		else
			out_char(o, '-');
		break;
	case XCAP_FIELD_DURATION:
		put_duration(o, f->value);
		break;
	case XCAP_FIELD_HISTOGRAM:
		put_histogram(o, f);
		break;
	default:
		out_number(o, f->value, 10);
	}
}

void probe_text(struct out *o, const struct xcap_record *rec)
{
	const char *name = xcap_probe_name(rec->probe.id);
	struct xcap_field f = { .sz = sizeof(f) };

	out_text(o, name ?: "?");
	for (int i = 0; xcap_probe_field(rec, i, &f) == 1; i++)
		put_field(o, &f);
}
