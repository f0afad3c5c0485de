// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   reader [-h HOLD] [-d DELAY_US] [-s SLACK_US] [-t SECONDS] [-w] [-u] SPEC[,SPEC...];
 *       frames of txgen come through it.
 * Out:  one JSON line: the account, and what was seen of the records themselves.
 * Owns: the capture.
 * Runs on: one thread, until SIGINT, SIGTERM, the end of the stream or -t.
 *
 * -h keeps that many records before the oldest goes back, -d sleeps after each
 * batch, -w does not wait in the library, but asks again and again; -u stops
 * reading when it is signalled and discards the rest.
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
#include <time.h>
#include <unistd.h>
#include <xcap.h>
#include "txgen.h"

#define BATCH 64
#define NUMBERS (1u << 26)		/* sequence numbers told apart */

struct tally {
	uint8_t *seen;			/* bit per sequence number */
	uint64_t distinct, twice, numbered, joined, lost, backwards, bad_bytes;
	uint64_t queues;		/* bit per queue */
	int64_t last_ns;
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

/* Where the IPv4 header begins, behind as many tags as there are; 0: none. */
static uint32_t ip_at(const uint8_t *p, uint32_t len)
{
	uint32_t at = 12;

	while (at + 6 <= len && (!memcmp(p + at, "\x81\x00", 2) || !memcmp(p + at, "\x88\xa8", 2)))
		at += 4;
	return at + 2 + TXGEN_IP_MIN - 14 <= len && !memcmp(p + at, "\x08\x00", 2) ? at + 2 : 0;
}

/* Frames of 50 bytes and more carry their number; all bytes behind it are the same each time. */
static void look_at_frame(struct tally *t, const struct xcap_record *r)
{
	uint32_t ip = ip_at(r->data, r->caplen), seq;

	t->joined += !!(r->flags & XCAP_REC_JOINED);
	t->queues |= 1ull << (r->packet.queue & 63);
	if (!ip || get32(r->data + ip + 28) != TXGEN_MAGIC)
		return;
	if ((uint32_t)(r->data[ip + 2] << 8 | r->data[ip + 3]) > r->len - ip)
		t->bad_bytes++;
	t->numbered++;
	seq = get32(r->data + ip + 32) % NUMBERS;
	if (t->seen[seq / 8] & 1 << seq % 8)
		t->twice++;
	else
		t->distinct++;
	t->seen[seq / 8] |= 1 << seq % 8;
}

static void look(struct tally *t, const struct xcap_record *r)
{
	if (!(r->flags & XCAP_REC_LATE)) {
		t->backwards += r->mono_ns < t->last_ns;
		t->last_ns = r->mono_ns;
	}
	if (r->type == XCAP_LOSS)
		t->lost += r->loss.count;
	else if (r->type == XCAP_PACKET)
		look_at_frame(t, r);
}

static void print_account(struct xcap *x, const struct tally *t, int end)
{
	struct xcap_stats st = { .sz = sizeof(st) };
	uint64_t dropped = 0;

	xcap_stats(x, -1, &st);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		dropped += st.dropped[i];
	printf("{\"seen\": %llu, \"delivered\": %llu, \"filtered\": %llu, \"dropped\": %llu, "
	       "\"bytes\": %llu, ",
	       st.seen, st.delivered, st.filtered, (unsigned long long)dropped, st.bytes);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		printf("\"%s\": %llu, ", xcap_drop_name(i), st.dropped[i]);
	printf("\"late\": %llu, \"out_of_order\": %llu, \"losses\": %llu, \"lost\": %llu, "
	       "\"distinct\": %llu, "
	       "\"twice\": %llu, \"numbered\": %llu, \"joined\": %llu, \"backwards\": %llu, "
	       "\"bad_bytes\": %llu, \"queues\": %d, \"end\": %d, \"error\": \"%s\"}\n",
	       st.late, st.out_of_order, st.losses, (unsigned long long)t->lost,
	       (unsigned long long)t->distinct, (unsigned long long)t->twice,
	       (unsigned long long)t->numbered, (unsigned long long)t->joined,
	       (unsigned long long)t->backwards, (unsigned long long)t->bad_bytes,
	       __builtin_popcountll(t->queues), end,
	       end < 0 && end != -ENODATA ? xcap_errmsg(x) : "");
}

/* A queue of lent records: the oldest goes back when more than `hold` are kept. */
struct kept {
	struct xcap_record *recs;
	unsigned int size, head, nr;
};

static void keep(struct xcap *x, struct kept *k, const struct xcap_record *r, unsigned int hold)
{
	k->recs[(k->head + k->nr++) % k->size] = *r;
	while (k->nr > hold) {
		xcap_release(x, &k->recs[k->head], 1);
		k->head = (k->head + 1) % k->size;
		k->nr--;
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int hold = 0, delay_us = 0;
	bool spin = false, discard = false, told = false;
	struct xcap_record recs[BATCH];
	struct xcap_opts opts = { .sz = sizeof(opts) };
	struct xcap_source_info info;
	struct tally t = { 0 };
	struct kept k = { 0 };
	struct xcap *x;
	int c, n = 0;

	while ((c = getopt(argc, argv, "h:d:s:t:wu")) != -1)
		switch (c) {
		case 'h': hold = atoi(optarg); break;
		case 'd': delay_us = atoi(optarg); break;
		case 's': opts.slack_us = atoi(optarg); break;
		case 't': alarm(atoi(optarg)); break;
		case 'w': spin = true; break;
		case 'u': discard = true; break;
		default: return 2;
		}
	if (optind + 1 != argc)
		return 2;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	t.seen = calloc(NUMBERS / 8, 1);
	t.last_ns = INT64_MIN;
	k.size = hold + 1;
	k.recs = calloc(k.size, sizeof(*k.recs));
	if (!t.seen || !k.recs)
		return 1;
	if (xcap_open(&x, argv[optind], &opts)) {
		fprintf(stderr, "reader: %s\n", xcap_errmsg(NULL));
		return 1;
	}
	if (xcap_errmsg(x)[0]) {
		fprintf(stderr, "reader: open, but there is a complaint: %s\n", xcap_errmsg(x));
		return 1;
	}
	for (int i = 0; i < xcap_nr_sources(x); i++) {
		info.sz = sizeof(info);
		xcap_source_info(x, i, &info);
		fprintf(stderr, "reader: capturing %s by %s: %s\n", info.spec, info.mode,
			info.note);
	}
	while (n >= 0 || n == -EINTR) {
		if (stopped && !told) {
			told = true;
			if (discard)
				break;
			xcap_stop(x);
		}
		n = xcap_next_batch(x, recs, BATCH, spin ? 0 : 100);
		for (int i = 0; i < n; i++) {
			look(&t, &recs[i]);
			keep(x, &k, &recs[i], hold);
		}
		if (delay_us && !told)
			usleep(delay_us);
	}
	if (discard)
		xcap_discard(x);
	print_account(x, &t, n);
	xcap_close(x);
	free(k.recs);
	free(t.seen);
	return 0;
}
