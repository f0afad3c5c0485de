// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the statistics of a stream.
 * Out:  where every record went, for people and as JSON.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 */
#include <string.h>
#include "account.h"
#include "capture.h"
#include "json.h"
#include "text.h"

__u64 capture_dropped(const struct xcap_stats *stats)
{
	__u64 sum = 0;

	for (int i = 0; i < XCAP_DROP_MAX; i++)
		sum += stats->dropped[i];
	return sum;
}

void account_books(FILE *out, const char *name, int width, const struct xcap_stats *s)
{
	__u64 sum = s->delivered + s->filtered + capture_dropped(s);
	int pad = width - (int)strlen(name);
	const char *before = " (";

	fputs("  ", out);
	text_safe(out, name, strlen(name));
	fprintf(out, "%*s  seen %llu = delivered %llu + filtered %llu + dropped %llu",
		pad > 0 ? pad : 0, "", s->seen, s->delivered, s->filtered, capture_dropped(s));
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		if (s->dropped[i]) {
			fprintf(out, "%s%s %llu", before, xcap_drop_name(i), s->dropped[i]);
			before = ", ";
		}
	fputs(before[0] == ',' ? ")" : "", out);
	if (sum != s->seen)
		fprintf(out, "; %lld not accounted for", (long long)(s->seen - sum));
	if (s->fill_ring_empty)
		fprintf(out, "; fill ring empty %llu times", s->fill_ring_empty);
	putc('\n', out);
}

void capture_account(struct capture *c, FILE *out)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	struct xcap_stats s = { .sz = sizeof(s) };
	int nr = xcap_nr_sources(c->x), width = 5;

	for (int i = 0; i < nr; i++)
		if (!xcap_source_info(c->x, i, &info) && (int)strlen(info.spec) > width)
			width = strlen(info.spec);
	xcap_stats(c->x, -1, &s);
	fprintf(out, "xcap: %llu records in %.3f s: %llu packets (%llu bytes), %llu syscalls, "
		"%llu switches\n", s.delivered, (c->ended_ns - c->started_ns) / 1e9,
		s.packets, s.bytes, s.syscalls, s.switches);
	if (s.probes)
		fprintf(out, "xcap: %llu of probes\n", s.probes);
	fprintf(out, "xcap: %llu dropped, %llu late, %llu out of order\n",
		capture_dropped(&s), s.late, s.out_of_order);
	if (s.names_lost)
		fprintf(out, "xcap: up to %llu messages about tasks and sockets lost: some records "
			"have no process, or an older name; a larger --ring helps\n",
			s.names_lost);
	for (int i = 0; i < nr; i++) {
		struct xcap_stats one = { .sz = sizeof(one) };

		if (xcap_source_info(c->x, i, &info) || xcap_stats(c->x, i, &one))
			continue;
		account_books(out, info.spec, width, &one);
	}
	if (nr > 1)
		account_books(out, "total", width, &s);
}

void account_source_json(struct json *j, const char *spec, const char *mode,
			 const struct xcap_stats *s)
{
	json_open(j, NULL, '{');
	json_text(j, "spec", spec);
	json_text(j, "mode", mode);
	json_unsigned(j, "seen", s->seen);
	json_unsigned(j, "delivered", s->delivered);
	json_unsigned(j, "filtered", s->filtered);
	json_open(j, "dropped", '{');
	for (int d = 0; d < XCAP_DROP_MAX; d++)
		if (s->dropped[d])
			json_unsigned(j, xcap_drop_name(d), s->dropped[d]);
	json_close(j, '}');
	json_close(j, '}');
}

void account_total_json(struct json *j, const struct xcap_stats *s)
{
	json_unsigned(j, "records", s->delivered);
	json_unsigned(j, "packets", s->packets);
	json_unsigned(j, "syscalls", s->syscalls);
	json_unsigned(j, "switches", s->switches);
	json_unsigned(j, "probes", s->probes);
	json_unsigned(j, "bytes", s->bytes);
	json_unsigned(j, "losses", s->losses);
	json_unsigned(j, "filtered", s->filtered);
	json_unsigned(j, "dropped", capture_dropped(s));
	json_unsigned(j, "late", s->late);
	json_unsigned(j, "out_of_order", s->out_of_order);
	json_unsigned(j, "names_lost", s->names_lost);
}

void capture_account_json(struct capture *c, FILE *out)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	struct xcap_stats s = { .sz = sizeof(s) };
	struct json j = { .out = out };

	xcap_stats(c->x, -1, &s);
	json_open(&j, NULL, '{');
	account_total_json(&j, &s);
	json_seconds(&j, "seconds", c->ended_ns - c->started_ns);
	json_open(&j, "sources", '[');
	for (int i = 0; i < xcap_nr_sources(c->x); i++)
		if (!xcap_source_info(c->x, i, &info) && !xcap_stats(c->x, i, &s))
			account_source_json(&j, info.spec, info.mode, &s);
	json_close(&j, ']');
	json_close(&j, '}');
	json_line(&j);
}
