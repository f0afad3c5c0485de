/* SPDX-License-Identifier: BSD-2-Clause */
/* Where records went, in words that all commands share. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdio.h>
#include <xcap.h>

struct json;

/* "  NAME  seen 12 = delivered 9 + filtered 1 + dropped 2 (ring_full 2)", in a line. */
void account_books(FILE *out, const char *name, int width, const struct xcap_stats *s);

/* An object for a source; the members of the total. */
void account_source_json(struct json *j, const char *spec, const char *mode,
			 const struct xcap_stats *s);
void account_total_json(struct json *j, const struct xcap_stats *s);

#endif
