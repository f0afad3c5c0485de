// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   bytes of any origin.
 * Out:  characters that harm no terminal.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <xcap.h>
#include "out.h"

static void out_escaped(struct out *o, uint8_t byte)
{
	char text[4] = "\\x";

	text[2] = "0123456789abcdef"[byte >> 4];
	text[3] = "0123456789abcdef"[byte & 15];
	out_bytes(o, text, sizeof(text));
}

/* One character, or one byte that is none. Return: how many bytes it was. */
static size_t out_one(struct out *o, const char *text, size_t size)
{
	int len = xcap_utf8(text, size), bytes = len < 0 ? -len : len ?: 1;

	if (len > 0)
		out_bytes(o, text, len);
	for (int i = 0; len <= 0 && i < bytes; i++)
		out_escaped(o, text[i]);
	return bytes;
}

void out_safe(struct out *o, const char *text, size_t len)
{
	for (size_t at = 0; at < len;)
		at += out_one(o, text + at, len - at);
}

void out_quoted(struct out *o, const void *bytes, size_t len)
{
	static const char special[] = "\n\r\t\v\f\"\\", letters[] = "nrtvf\"\\";
	const char *text = bytes, *c;

	out_char(o, '"');
	for (size_t at = 0; at < len;) {
		c = text[at] ? strchr(special, text[at]) : NULL;
		if (!c) {
			at += out_one(o, text + at, len - at);
			continue;
		}
		out_char(o, '\\');
		out_char(o, letters[c - special]);
		at++;
	}
	out_char(o, '"');
}

void out_json(struct out *o, const char *text)
{
	size_t left = strlen(text);
	int len, bytes;

	out_char(o, '"');
	for (; left; text += bytes, left -= bytes) {
		len = xcap_utf8(text, left);
		bytes = len < 0 ? -len : len ?: 1;
		if (*text == '"' || *text == '\\')
			out_char(o, '\\');
		if (len > 0) {
			out_bytes(o, text, len);
		} else if (len < 0 && bytes == 1) {
			out_text(o, "\\u00");
			out_char(o, "0123456789abcdef"[*text >> 4 & 15]);
			out_char(o, "0123456789abcdef"[*text & 15]);
		} else {
			out_text(o, "\\ufffd");
		}
	}
	out_char(o, '"');
}

/* How much of text fits into room bytes, with a byte behind it that may be looked at. */
static size_t whole(const char *text, size_t room)
{
	size_t at = room;

	while (at && ((uint8_t)text[at] & 0xc0) == 0x80)
		at--;
	for (size_t i = at > 3 ? at - 3 : 0; i < at; i++)
		if (text[i] == '\\')
			return i;
	return at;
}

int out_end(struct out *o)
{
	if (o->size)
		o->buf[o->len < o->size ? o->len : whole(o->buf, o->size - 1)] = '\0';
	return o->len;
}
