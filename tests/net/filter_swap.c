// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   filter_swap SPEC: frames of txgen come, of 16 flows, while the filter changes again and
 *       again; every filter keeps flow 0, none keeps flows from 8 on.
 * Out:  one JSON line: the account, how often it changed, how many of flow 0 came, how many strays.
 * Owns: the capture.
 * Runs on: one thread, until SIGINT; needs the privilege to capture.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcap.h>
#include "txgen.h"

#define BATCH 64
#define FLOWS 16
#define OTHERS 7		/* flows that some filters keep */
#define PORT_AT 34		/* in an untagged frame of txgen */
#define SEQ_AT 46
#define TOO_MUCH "ifindex 1"	/* what only libpcap's own capture can tell */

struct tally {
	uint64_t kept, others, strays, twice;
	int64_t last;			/* number of the last of flow 0 */
	uint64_t swaps, refused;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

static uint32_t get(const struct xcap_record *r, int at, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | r->data[at + i];
	return v;
}

static void look(struct tally *t, const struct xcap_record *r)
{
	uint32_t flow;
	int64_t seq;

	if (r->type != XCAP_PACKET)
		return;
	flow = r->caplen < SEQ_AT + 4 ? FLOWS : get(r, PORT_AT, 2) - TXGEN_FROM;
	if (flow > OTHERS) {
		t->strays++;
	} else if (flow) {
		t->others++;
	} else {
		seq = get(r, SEQ_AT, 4);
		t->kept++;
		t->twice += seq <= t->last;
		t->last = seq;
	}
}

static void must(struct xcap *x, int ret, const char *what)
{
	if (!ret)
		return;
	fprintf(stderr, "filter_swap: %s: %s\n", what, xcap_errmsg(x));
	exit(1);
}

/* A filter that the kernel cannot run must leave the one before, or stay in user space. */
static void change(struct xcap *x, struct tally *t)
{
	char filter[128];
	int ret;

	if (t->swaps % 8 == 5) {
		ret = xcap_set_filter(x, "udp src port 20000 and not " TOO_MUCH);
		if (ret == -EOPNOTSUPP)
			t->refused++;
		else
			must(x, ret, TOO_MUCH);
	}
	snprintf(filter, sizeof(filter), "udp src port %d or (src port %d and len < 2000)",
		 TXGEN_FROM, TXGEN_FROM + 1 + (int)(t->swaps % OTHERS));
	must(x, xcap_set_filter(x, filter), filter);
	t->swaps++;
}

static void print(struct xcap *x, const struct tally *t, int end)
{
	struct xcap_stats st = { .sz = sizeof(st) };
	unsigned long long dropped = 0;

	xcap_stats(x, -1, &st);
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		dropped += st.dropped[i];
	printf("{\"seen\": %llu, \"delivered\": %llu, \"filtered\": %llu, \"dropped\": %llu, "
	       "\"out_of_order\": %llu, \"swaps\": %llu, \"refused\": %llu, \"kept\": %llu, "
	       "\"others\": %llu, \"strays\": %llu, \"twice\": %llu, \"end\": %d}\n",
	       st.seen, st.delivered, st.filtered, dropped, st.out_of_order,
	       (unsigned long long)t->swaps, (unsigned long long)t->refused,
	       (unsigned long long)t->kept, (unsigned long long)t->others,
	       (unsigned long long)t->strays, (unsigned long long)t->twice, end);
}

int main(int argc, char **argv)
{
	struct xcap_opts opts = { .sz = sizeof(opts), .filter = "udp src port 20000" };
	struct sigaction sa = { .sa_handler = on_signal };
	struct xcap_record recs[BATCH];
	struct tally t = { .last = -1 };
	struct xcap *x;
	int n = 0;

	if (argc != 2)
		return 2;
	sigaction(SIGINT, &sa, NULL);
	if (xcap_open(&x, argv[1], &opts))
		must(NULL, -1, argv[1]);
	fprintf(stderr, "filter_swap: capturing\n");
	while (n >= 0 || n == -EINTR) {
		if (stopped)
			xcap_stop(x);
		else
			change(x, &t);
		for (int i = 0; i < 64 && n >= 0; i++) {
			n = xcap_next_batch(x, recs, BATCH, 1);
			for (int k = 0; k < n; k++)
				look(&t, &recs[k]);
			if (n > 0)
				xcap_release(x, recs, n);
			if (n <= 0)
				break;
		}
	}
	print(x, &t, n);
	xcap_close(x);
	return 0;
}
