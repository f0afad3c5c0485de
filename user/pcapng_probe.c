// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of probes; journal entries that xcap wrote of them.
 * Out:  a journal entry that every Wireshark lists with its text, and the record again.
 * Owns: nothing.
 * Runs on: one thread per file; no I/O.
 *
 * The record is a line of the entry: what would be our own option elsewhere, in hex, because a
 * journal entry has no options.
 */
#include <stdio.h>
#include "pcapng_bytes.h"
#include "pcapng_put.h"
#include "probe_table.h"

#define RECORD_MAX 4096		/* bytes of a record in a file: no probe tells more */
#define LINE "XCAP_PROBE="

static void put_hex(uint8_t **w, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		*(*w)++ = "0123456789abcdef"[p[i] >> 4];
		*(*w)++ = "0123456789abcdef"[p[i] & 15];
	}
}

/* What stands in a line has no end of line in it: names are escaped by whoever makes it. */
size_t pcapng_put_probe(uint8_t *dst, const struct xcap_record *r)
{
	unsigned long long wall_ns = r->wall_ns < 0 ? 0 : r->wall_ns;
	uint8_t value[PCAPNG_XCAP_PROBE], *v = value;
	uint8_t *w = put_begin(dst, PCAPNG_JOURNAL);
	uint32_t len = r->caplen < RECORD_MAX ? r->caplen : RECORD_MAX;
	char text[XCAP_TEXT_MAX];

	xcap_record_text(r, text, sizeof(text));
	w += sprintf((char *)w, "__REALTIME_TIMESTAMP=%llu\nMESSAGE=%s\nPRIORITY=6\n"
		     "SYSLOG_IDENTIFIER=xcap\nXCAP_WALL_NS=%llu\n" LINE, wall_ns / 1000, text,
		     wall_ns);
	pcapng_put_fixed(&v, r);
	put_hex(&w, value, v - value);
	put_hex(&w, r->data, len);
	*w++ = '\n';
	return put_finish(dst, w);
}

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * In place, as there are two digits a byte; what the probe tells begins at a multiple of 8.
 * Return: the bytes.
 */
static struct pcapng_span from_hex(uint8_t *hex, size_t len)
{
	uint8_t *to = hex - (((uintptr_t)hex + PCAPNG_XCAP_PROBE) & 7);
	size_t n = 0;

	while (2 * n + 1 < len && n < PCAPNG_XCAP_PROBE + RECORD_MAX) {
		int high = digit(hex[2 * n]), low = digit(hex[2 * n + 1]);

		if (high < 0 || low < 0)
			break;
		to[n++] = high << 4 | low;
	}
	return (struct pcapng_span) { to, n };
}

bool pcapng_decode_probe(const struct pcapng_reader *d, uint8_t *line, size_t len,
			 struct xcap_record *r)
{
	size_t name = strlen(LINE);
	struct pcapng_span o;

	if (len <= name || memcmp(line, LINE, name))
		return false;
	o = from_hex(line + name, len - name);
	r->type = XCAP_PROBE;
	return pcapng_decode_option(d, o, r) && r->type == XCAP_PROBE;
}
