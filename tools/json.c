// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   names and values, member by member.
 * Out:  JSON text.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <xcap.h>
#include "json.h"

static bool plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\';
}

/* Return: bytes taken: one character, or one that is none. */
static int quoted_char(FILE *out, const char *s, size_t size)
{
	int len = xcap_utf8(s, size);

	len = len < 0 ? -len : len;
	if (!len)
		fputs("\\ufffd", out);
	else if (len > 1)
		fwrite(s, 1, len, out);
	else if (*s == '"' || *s == '\\')
		fprintf(out, "\\%c", *s);
	else
		fprintf(out, "\\u%04x", (unsigned char)*s);
	return len ? len : 1;
}

static void quoted(FILE *out, const char *s, size_t size)
{
	putc('"', out);
	while (size) {
		size_t len = 0;

		while (len < size && plain(s[len]))
			len++;
		if (len)
			fwrite(s, 1, len, out);
		else
			len = quoted_char(out, s, size);
		s += len;
		size -= len;
	}
	putc('"', out);
}

static void member(struct json *j, const char *key)
{
	if (j->separator)
		putc(j->separator, j->out);
	j->separator = ',';
	if (!key)
		return;
	putc('"', j->out);
	fputs(key, j->out);
	fputs("\":", j->out);
}

/* A dump is numbers for the most part: several times as fast as a format. */
static void digits(FILE *out, uint64_t n, int width)
{
	char text[20], *p = text + sizeof(text);

	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n);
	while (text + sizeof(text) - p < width)
		*--p = '0';
	fwrite(p, 1, text + sizeof(text) - p, out);
}

void json_open(struct json *j, const char *key, char bracket)
{
	member(j, key);
	putc(bracket, j->out);
	j->separator = 0;
}

void json_close(struct json *j, char bracket)
{
	putc(bracket, j->out);
	j->separator = ',';
}

void json_line(struct json *j)
{
	putc('\n', j->out);
	j->separator = 0;
}

void json_unsigned(struct json *j, const char *key, uint64_t n)
{
	member(j, key);
	digits(j->out, n, 1);
}

void json_signed(struct json *j, const char *key, int64_t n)
{
	member(j, key);
	if (n < 0)
		putc('-', j->out);
	digits(j->out, n < 0 ? -(uint64_t)n : (uint64_t)n, 1);
}

void json_true(struct json *j, const char *key)
{
	member(j, key);
	fputs("true", j->out);
}

void json_data(struct json *j, const char *key, const void *bytes, size_t size)
{
	member(j, key);
	quoted(j->out, bytes, size);
}

void json_bytes(struct json *j, const char *key, const char *text, size_t size)
{
	json_data(j, key, text, strnlen(text, size));
}

void json_text(struct json *j, const char *key, const char *text)
{
	json_bytes(j, key, text, strlen(text));
}

void json_format(struct json *j, const char *key, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_text(j, key, text);
}

/* Before the epoch too: half a second is "-0.500000000". */
static void seconds(FILE *out, int64_t ns)
{
	uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		putc('-', out);
	digits(out, n / 1000000000, 1);
	putc('.', out);
	digits(out, n % 1000000000, 9);
}

void json_time(struct json *j, const char *key, int64_t ns)
{
	member(j, key);
	putc('"', j->out);
	seconds(j->out, ns);
	putc('"', j->out);
}

void json_seconds(struct json *j, const char *key, int64_t ns)
{
	member(j, key);
	seconds(j->out, ns);
}
