// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   text, bytes of any kind, numbers.
 * Out:  a line that is as wide as it says, on whatever terminal.
 * Owns: nothing.
 * Runs on: any thread.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <xcap.h>
#include "top_cells.h"

void top_line_start(struct top_line *l, int width, bool utf8)
{
	l->len = 0;
	l->at = 0;
	l->width = width < TOP_COLUMNS_MAX ? width : TOP_COLUMNS_MAX;
	l->utf8 = utf8;
	l->text[0] = '\0';
}

/* One character. Return: false: it has no room. */
static bool put(struct top_line *l, const char *bytes, size_t len, int columns)
{
	if (l->at + columns > l->width || l->len + len >= sizeof(l->text))
		return false;
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
	l->text[l->len] = '\0';
	l->at += columns;
	return true;
}

void top_line_put(struct top_line *l, const char *text)
{
	while (*text && put(l, text, 1, 1))
		text++;
}

void top_line_print(struct top_line *l, const char *fmt, ...)
{
	char text[TOP_COLUMNS_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	top_line_put(l, text);
}

void top_line_pad(struct top_line *l, int column)
{
	while (l->at < column && put(l, " ", 1, 1))
		;
}

static wchar_t code_point(const char *s, int len)
{
	static const unsigned char first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	wchar_t c = (unsigned char)s[0] & first[len];

	for (int i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

/* A character as it is shown: itself, or each of its bytes as \xNN. Return: bytes it takes. */
static int shown(const char *s, size_t size, bool utf8, char *out, size_t *out_len, int *columns)
{
	int len = xcap_utf8(s, size), bytes = len < 0 ? -len : len ? len : 1;
	int width = len == 1 ? 1 : len > 1 && utf8 ? wcwidth(code_point(s, len)) : 0;

	if (width > 0) {
		memcpy(out, s, bytes);
		*out_len = bytes;
		*columns = width;
		return bytes;
	}
	*out_len = 0;
	for (int i = 0; i < bytes; i++)
		*out_len += sprintf(out + *out_len, "\\x%02x", (unsigned char)s[i]);
	*columns = *out_len;
	return bytes;
}

/* Does all of it fit into so many columns? */
static bool fits(const struct top_line *l, const char *bytes, size_t len, int columns)
{
	size_t out_len;
	char out[20];
	int wide;

	for (size_t at = 0; at < len && columns >= 0; columns -= wide)
		at += shown(bytes + at, len - at, l->utf8, out, &out_len, &wide);
	return columns >= 0;
}

void top_line_some(struct top_line *l, const char *bytes, size_t len, int columns)
{
	int end = l->at + columns < l->width ? l->at + columns : l->width, wide;
	bool whole = fits(l, bytes, len, end - l->at);
	size_t at = 0, out_len;
	char out[20];

	while (at < len) {
		at += shown(bytes + at, len - at, l->utf8, out, &out_len, &wide);
		if (l->at + wide > (whole ? end : end - 1))
			break;
		put(l, out, out_len, wide);
	}
	if (!whole && l->at < end)
		put(l, "~", 1, 1);
}

void top_line_bytes(struct top_line *l, const char *bytes, size_t len, int columns)
{
	int end = l->at + columns;

	top_line_some(l, bytes, len, columns);
	top_line_pad(l, end);
}

void top_line_tail(struct top_line *l, const char *bytes, size_t len, int columns)
{
	size_t at = 0, out_len;
	char out[20];
	int wide;

	if (columns <= 0 || fits(l, bytes, len, columns))
		return top_line_bytes(l, bytes, len, columns);
	while (at < len && !fits(l, bytes + at, len - at, columns - 1))
		at += shown(bytes + at, len - at, l->utf8, out, &out_len, &wide);
	columns += l->at;
	put(l, "~", 1, 1);
	top_line_some(l, bytes + at, len - at, columns - l->at);
	top_line_pad(l, columns);
}

void top_line_right(struct top_line *l, const char *text, int columns)
{
	top_line_pad(l, l->at + columns - (int)strlen(text));
	top_line_put(l, text);
}

void top_line_bars(struct top_line *l, const uint32_t *values, int nr)
{
	static const char *const blocks[] = {
		" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587",
		"\u2588",
	};
	static const char *const ascii[] = { " ", ".", ":", "-", "=", "+", "*", "%", "#" };
	uint32_t max = 1;

	for (int i = 0; i < nr; i++)
		if (values[i] > max)
			max = values[i];
	for (int i = 0; i < nr; i++) {
		int level = values[i] ? 1 + (uint64_t)values[i] * 7 / max : 0;
		const char *bar = l->utf8 ? blocks[level] : ascii[level];

		put(l, bar, strlen(bar), 1);
	}
}
