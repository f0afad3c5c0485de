/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   pieces of a line.
 * Out:  the line in a buffer, as far as it fits, and its whole length, as snprintf() does.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * A line may be wanted for each system call of the host: nothing here allocates or formats.
 */
#ifndef XCAP_OUT_H
#define XCAP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct out {
	char *buf;
	size_t size;	/* bytes at buf */
	size_t len;	/* of the whole line, what did not fit included */
};

static inline void out_bytes(struct out *o, const char *bytes, size_t len)
{
	if (o->len < o->size)
		memcpy(o->buf + o->len, bytes, len < o->size - o->len ? len : o->size - o->len);
	o->len += len;
}

static inline void out_text(struct out *o, const char *text)
{
	out_bytes(o, text, strlen(text));
}

static inline void out_char(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static inline void out_number(struct out *o, uint64_t n, unsigned int base)
{
	char digits[24], *d = digits + sizeof(digits);

	do {
		*--d = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	out_bytes(o, d, digits + sizeof(digits) - d);
}

static inline void out_signed(struct out *o, int64_t n)
{
	if (n < 0)
		out_char(o, '-');
	out_number(o, n < 0 ? -(uint64_t)n : (uint64_t)n, 10);
}

/* "0x2a"; "0" */
static inline void out_hex(struct out *o, uint64_t n)
{
	if (n)
		out_text(o, "0x");
	out_number(o, n, 16);
}

/* "0644"; "0" */
static inline void out_octal(struct out *o, uint64_t n)
{
	if (n)
		out_char(o, '0');
	out_number(o, n, 8);
}

/* With zeros before it up to so many digits: nanoseconds. */
static inline void out_padded(struct out *o, uint64_t n, int digits)
{
	uint64_t limit = 1;

	for (int i = 1; i < digits; i++)
		limit *= 10;
	for (; limit > 1 && n < limit; limit /= 10)
		out_char(o, '0');
	out_number(o, n, 10);
}

/* Characters as they are, but \xNN for what steers a terminal or is no UTF-8. */
void out_safe(struct out *o, const char *text, size_t len);

/*
 * Ends the text with a NUL, if there is room for one; what is cut off is no part of a character
 * or of an escape. Return: bytes of all of it, as snprintf().
 */
int out_end(struct out *o);

/* "text" as in JSON; what is no UTF-8 as U+FFFD. */
void out_json(struct out *o, const char *text);

/* "text" as in C: \n, \t, \", \\; UTF-8 as it is; \xNN for the rest. */
void out_quoted(struct out *o, const void *bytes, size_t len);

#endif
