// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   queue_reader [-o] [-d DELAY_US] SPEC; frames of txgen from 198.18.0.1 come through it.
 * Out:  one JSON line: the account, which numbers were missed, and what loss records told.
 * Owns: the capture.
 * Runs on: one thread, until SIGINT or SIGTERM, or the end of the stream.
 *
 * -o hands everything on, -d sleeps after each batch.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xcap.h>
#include "txgen.h"

#define BATCH 64
#define IP_AT 14
#define FROM 0xc6120001u		/* 198.18.0.1 */

struct tally {
	uint64_t distinct, backwards, handed;
	int64_t first, last;		/* numbers; -1: none yet */
	uint64_t told[XCAP_DROP_MAX];
	int64_t last_ns;
	uint64_t steps_back;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

static void look_at_frame(struct tally *t, const struct xcap_record *r)
{
	const uint8_t *ip = r->data + IP_AT;
	int64_t seq;

	if (r->caplen < TXGEN_IP_MIN || memcmp(r->data + 12, "\x08\x00", 2) ||
	    get32(ip + 28) != TXGEN_MAGIC || get32(ip + 12) != FROM)
		return;
	seq = get32(ip + 32);
	if (t->first < 0)
		t->first = seq;
	else if (seq <= t->last)
		t->backwards++;
	t->distinct++;
	t->last = seq;
}

static void look(struct tally *t, const struct xcap_record *r)
{
	if (!(r->flags & XCAP_REC_LATE)) {
		t->steps_back += r->mono_ns < t->last_ns;
		t->last_ns = r->mono_ns;
	}
	if (r->type == XCAP_LOSS)
		t->told[r->loss.where < XCAP_DROP_MAX ? r->loss.where : 0] += r->loss.count;
	else if (r->type == XCAP_PACKET)
		look_at_frame(t, r);
}

static void print_account(struct xcap *x, const struct tally *t, int end)
{
	struct xcap_stats st = { .sz = sizeof(st) };
	struct xcap_source_info info = { .sz = sizeof(info) };
	uint64_t dropped = 0;

	xcap_stats(x, -1, &st);
	xcap_source_info(x, 0, &info);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		dropped += st.dropped[i];
	printf("{\"spec\": \"%s\", \"seen\": %llu, \"delivered\": %llu, \"filtered\": %llu, "
	       "\"dropped\": %llu, \"packets\": %llu, \"first\": %lld, \"last\": %lld, "
	       "\"distinct\": %llu, \"backwards\": %llu, \"steps_back\": %llu, "
	       "\"handed\": %llu, \"told\": {",
	       info.spec, st.seen, st.delivered, st.filtered, (unsigned long long)dropped,
	       st.packets, (long long)t->first, (long long)t->last,
	       (unsigned long long)t->distinct, (unsigned long long)t->backwards,
	       (unsigned long long)t->steps_back, (unsigned long long)t->handed);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", xcap_drop_name(i),
		       (unsigned long long)t->told[i]);
	printf("}, \"end\": %d, \"error\": \"%s\"}\n", end,
	       end < 0 && end != -ENODATA ? xcap_errmsg(x) : "");
}

static int batch(struct xcap *x, struct tally *t, bool hands_on)
{
	struct xcap_record recs[BATCH];
	int n = xcap_next_batch(x, recs, BATCH, 100);

	for (int i = 0; i < n; i++) {
		look(t, &recs[i]);
		if (hands_on && recs[i].type != XCAP_LOSS)
			t->handed += !xcap_hand_on(x, &recs[i]);
	}
	if (n > 0)
		xcap_release(x, recs, n);
	return n;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct xcap_opts opts = { .sz = sizeof(opts) };
	struct tally t = { .first = -1, .last = -1, .last_ns = INT64_MIN };
	bool hands_on = false, told = false;
	unsigned int delay_us = 0;
	struct xcap *x;
	int c, n = 0;

	while ((c = getopt(argc, argv, "od:")) != -1)
		switch (c) {
		case 'o': hands_on = true; break;
		case 'd': delay_us = atoi(optarg); break;
		default: return 2;
		}
	if (optind + 1 != argc)
		return 2;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (xcap_open(&x, argv[optind], &opts)) {
		fprintf(stderr, "queue_reader: %s\n", xcap_errmsg(NULL));
		return 1;
	}
	fprintf(stderr, "queue_reader: reading\n");
	while (n >= 0 || n == -EINTR) {
		if (stopped && !told) {
			xcap_stop(x);
			told = true;
		}
		n = batch(x, &t, hands_on);
		if (delay_us && !told)
			usleep(delay_us);
	}
	print_account(x, &t, n);
	xcap_close(x);
	return 0;
}
