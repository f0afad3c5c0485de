/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as lines for people. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <xcap.h>

/* The second that was turned into hours last: they are asked for once a second. */
struct text_clock {
	int64_t second;
	char text[16];	/* "09:41:58"; "": none yet */
};

struct text {
	FILE *out;
	int verbose;		/* 1: more of each header, source, user, container; 2: program */
	bool quiet;		/* shorter lines */
	int hex;		/* 1: bytes as -x, 2: as -X */
	const char *(*source)(void *user, int i);	/* name of a source */
	void *user;
	bool name_sources;	/* packets can come from several: say from which */
	struct text_clock clock;
};

/* Hours, minutes and seconds, here, of ns since the epoch. Return: c->text. */
const char *text_clock(struct text_clock *c, int64_t wall_ns);

/* One record, one line, and the bytes below it where they are asked for. */
void text_record(struct text *t, const struct xcap_record *rec);

/* What the headers of a packet say, without time and task. */
void text_packet(struct text *t, const struct xcap_record *rec);

/* " curl[1292]" behind a packet whose owner is known. */
void text_owner(struct text *t, const struct xcap_record *rec);

/* How that is known, user, cgroup, container; of the program with verbose 2. */
void text_more(struct text *t, const struct xcap_record *rec);

/* At most size bytes up to a NUL; what could steer a terminal is written \xNN. */
void text_safe(FILE *out, const char *s, size_t size);

/* tcpdump's dump of bytes: 16 a line, ascii beside them if asked for. */
void text_hex(FILE *out, const uint8_t *data, uint32_t len, bool ascii);

#endif
