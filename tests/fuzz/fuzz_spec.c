// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   any bytes, taken as a list of source specs.
 * Out:  no crash, no hang; what is accepted fits, and reads the same a second time.
 * Owns: nothing.
 * Runs on: libFuzzer, or the replay of the corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct spec *s)
{
	const char *list = s->text;
	struct error err = { "" };
	struct spec again;

	if (strlen(s->text) == sizeof(s->text) - 1)
		return;		/* cut */
	if (spec_next(&list, &again, &err) != 1 || *list || strcmp(again.name, s->name) ||
	    strcmp(again.scheme, s->scheme) || again.nr_options != s->nr_options)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { "" };
	const char *at;
	uint64_t v = 0;
	struct spec s;
	char *text;
	int ret;

	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (at = text; (ret = spec_next(&at, &s, &err)) > 0; ) {
		check_again(&s);
		for (int i = 0; i < s.nr_options; i++)
			if (!spec_number(&s, s.options[i].key, 4, 1 << 30, &v, &err) &&
			    (v < 4 || v > 1 << 30))
				abort();
	}
	if (ret < 0 && !err.text[0])
		abort();
	if (ret == 0 && *at)
		abort();
	free(text);
	return 0;
}
