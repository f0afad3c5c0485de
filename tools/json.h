/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON as it is written: an object per line, no tree in between. */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>
#include <stdio.h>

struct text;
struct xcap_record;

struct json {
	FILE *out;
	char separator;		/* what the next member needs before it; 0 nothing */
};

/* Where a member has a name, key is it; NULL in arrays and at the top. */
void json_open(struct json *j, const char *key, char bracket);	/* '{' or '[' */
void json_close(struct json *j, char bracket);			/* '}' or ']' */
/* the newline after the top object */
void json_line(struct json *j);
void json_unsigned(struct json *j, const char *key, uint64_t n);
void json_signed(struct json *j, const char *key, int64_t n);
void json_true(struct json *j, const char *key);
void json_text(struct json *j, const char *key, const char *text);
/* At most size bytes, up to a NUL. What is no UTF-8 becomes U+FFFD. */
void json_bytes(struct json *j, const char *key, const char *text, size_t size);
/* All of size bytes, NULs as \u0000. */
void json_data(struct json *j, const char *key, const void *bytes, size_t size);
__attribute__((format(printf, 3, 4)))
void json_format(struct json *j, const char *key, const char *fmt, ...);	/* a string of it */
/* "1732345678.123456789": a double cannot hold it */
void json_time(struct json *j, const char *key, int64_t ns);
/* Seconds with their fraction, a number. */
void json_seconds(struct json *j, const char *key, int64_t ns);

/* Who is behind a record: members of its object. */
void json_owner(struct json *j, const struct xcap_record *rec);

/* What a system call is asked and what it answers: members of its object. */
void json_enter(struct json *j, const struct xcap_record *rec);
void json_exit(struct json *j, const struct xcap_record *rec);

/* What a probe tells: members of its object; and one of them. */
struct xcap_field;
void json_probe(struct json *j, const struct xcap_record *rec);
void json_field(struct json *j, const struct xcap_field *f);

/* One record as one object on one line. */
void json_record(struct text *t, const struct xcap_record *rec);

#endif
