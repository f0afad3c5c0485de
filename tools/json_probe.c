// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a record of a probe.
 * Out:  its fields as members of an object.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <xcap.h>
#include "json.h"

/* [[1024,3],[4096,1]]: 3 in [1024, 2048) ns, ... */
static void put_histogram(struct json *j, const struct xcap_field *f)
{
	json_open(j, f->name, '[');
	for (int i = 0; i < f->nr_slots; i++) {
		if (!f->slots[i])
			continue;
		json_open(j, NULL, '[');
		json_unsigned(j, NULL, i ? 1ULL << i : 0);
		json_unsigned(j, NULL, f->slots[i]);
		json_close(j, ']');
	}
	json_close(j, ']');
}

void json_field(struct json *j, const struct xcap_field *f)
{
	switch (f->kind) {
	case XCAP_FIELD_SIGNED:
		json_signed(j, f->name, f->value);
		break;
	case XCAP_FIELD_TEXT:
	case XCAP_FIELD_ADDRESS:
		if (f->text_len)	/* what there is not is left out */
			json_data(j, f->name, f->text, f->text_len);
		break;
	case XCAP_FIELD_HISTOGRAM:
		put_histogram(j, f);
		break;
	default:
		json_unsigned(j, f->name, f->value);
	}
}

void json_probe(struct json *j, const struct xcap_record *rec)
{
	const char *name = xcap_probe_name(rec->probe.id);
	struct xcap_field f = { .sz = sizeof(f) };

	json_text(j, "probe", name ? name : "unknown");
	for (int i = 0; xcap_probe_field(rec, i, &f) == 1; i++)
		json_field(j, &f);
}
