// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   names and values, member by member.
 * Out:  JSON text.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "json.h"

static const unsigned char *bytes_of(const char *s)
{
	return (const unsigned char *)s;
}

int json_utf8(const char *text, size_t size)
{
	const unsigned char *s = bytes_of(text);
	uint32_t c;
	int len;

	if (!size || s[0] < 0x80)
		return size ? 1 : 0;
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || (size_t)len > size)
		return 0;
	c = s[0] & (0x7f >> len);
	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* the short form only, no surrogates, nothing above the last code point */
	if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return 0;
	return len;
}

static void quoted(FILE *out, const char *s, size_t size)
{
	putc('"', out);
	while (size && *s) {
		int len = json_utf8(s, size);

		if (!len) {
			fputs("\\ufffd", out);
			len = 1;
		} else if (*s == '"' || *s == '\\') {
			putc('\\', out);
			putc(*s, out);
		} else if (*bytes_of(s) < 0x20 || *s == 0x7f) {
			fprintf(out, "\\u%04x", *bytes_of(s));
		} else {
			fwrite(s, 1, len, out);
		}
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
	if (key)
		fprintf(j->out, "\"%s\":", key);
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
	fprintf(j->out, "%" PRIu64, n);
}

void json_signed(struct json *j, const char *key, int64_t n)
{
	member(j, key);
	fprintf(j->out, "%" PRId64, n);
}

void json_true(struct json *j, const char *key)
{
	member(j, key);
	fputs("true", j->out);
}

void json_bytes(struct json *j, const char *key, const char *text, size_t size)
{
	member(j, key);
	quoted(j->out, text, size);
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

/* Both halves of a time before the epoch too: -0.5 s is "-0.500000000". */
static void seconds(FILE *out, int64_t ns)
{
	uint64_t n = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	fprintf(out, "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "", n / 1000000000, n % 1000000000);
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
