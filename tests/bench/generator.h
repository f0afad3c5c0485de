/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a rate and a time.
 * Out:  60-byte frames on BENCH_NIC, by a test run with live frames; how many, how long.
 * Owns: one thread while it runs.
 * Runs on: the sending CPU, which also does the kernel's receiving work for a veth.
 */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <bpf/bpf.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "bench.h"
#include "bench_packets.skel.h"

struct generator {
	struct bench_packets_bpf *skel;
	volatile struct bench_gen *counters;
	const uint8_t *frame;	/* BENCH_FRAME bytes */
	double idle_ns;		/* cost of a slot that sends nothing */
	int stop, done;
	int64_t elapsed_ns, cpu_ns;
};

struct gen_result {
	double pps;		/* really sent */
	double send_ns;		/* of the sending CPU per frame, pauses left out */
	uint64_t sent;
};

static inline void gen_wake(int sig)
{
	(void)sig;	/* its arrival ends the test run */
}

/* What no protocol takes. */
static const uint8_t gen_nobodys[BENCH_FRAME] = {
	255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5,
};

/*
 * UDP from 192.0.2.2, port 9, to BENCH_PORT of BENCH_ADDRESS. Another host's hardware address, so
 * that the stack does as little with it as with nobody's.
 */
static const uint8_t gen_sockets[BENCH_FRAME] = {
	2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00,
	0x45, 0, 0, BENCH_FRAME - 14, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1,
	0, 9, BENCH_PORT >> 8, BENCH_PORT & 255, 0, BENCH_FRAME - 34, 0, 0,
};

static inline void gen_open(struct generator *g)
{
	struct sigaction action = { .sa_handler = gen_wake };

	memset(g, 0, sizeof(*g));
	g->frame = gen_nobodys;
	g->skel = bench_packets_bpf__open_and_load();
	if (!g->skel)
		err(1, "BPF programs of the bench");
	g->counters = &g->skel->bss->gen;
	sigaction(SIGUSR1, &action, NULL);
}

static inline void *gen_thread(void *arg)
{
	struct generator *g = arg;
	struct xdp_md ctx = { .data_end = BENCH_FRAME,
			      .ingress_ifindex = if_nametoindex("bench0") };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = g->frame, .data_size_in = BENCH_FRAME,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1 << 30,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BENCH_BATCH);
	int64_t start, cpu_start;

	bench_pin(BENCH_SEND_CPU);
	start = clock_ns(CLOCK_MONOTONIC);
	cpu_start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	while (!__atomic_load_n(&g->stop, __ATOMIC_RELAXED)) {
		int res = bpf_prog_test_run_opts(bpf_program__fd(g->skel->progs.bench_send), &opts);

		if (res && res != -EINTR)
			errx(1, "test run with live frames: %s", strerror(-res));
	}
	g->elapsed_ns = clock_ns(CLOCK_MONOTONIC) - start;
	g->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
	__atomic_store_n(&g->done, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Sends for run_ms at pps, or as fast as it goes when pps is 0. */
static inline struct gen_result gen_run(struct generator *g, double pps, int run_ms)
{
	volatile struct bench_gen *c = g->counters;
	struct gen_result result;
	pthread_t thread;

	c->interval_ns = pps > 0 ? (uint64_t)(BENCH_BATCH / pps * 1e9) : 0;
	c->next_ns = pps < 0 ? UINT64_MAX : 0;	/* below 0: never */
	c->slot = c->sent = c->idle = c->open = 0;
	g->stop = g->done = 0;
	errno = pthread_create(&thread, NULL, gen_thread, g);
	if (errno)
		err(1, "thread");
	usleep((useconds_t)run_ms * 1000);
	__atomic_store_n(&g->stop, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&g->done, __ATOMIC_RELAXED)) {
		pthread_kill(thread, SIGUSR1);	/* may come before the run: again */
		usleep(1000);
	}
	pthread_join(thread, NULL);
	result.sent = c->sent;
	result.pps = (double)c->sent / (double)g->elapsed_ns * 1e9;
	result.send_ns = ((double)g->cpu_ns - (double)c->idle * g->idle_ns) /
			 (double)(c->sent ? c->sent : 1);
	return result;
}

/* What a pause costs, so that it is not taken for work: the least of several runs. */
static inline void gen_calibrate(struct generator *g)
{
	double ns, least = 0;

	for (int i = 0; i < 5; i++) {
		gen_run(g, -1, 30);
		ns = (double)g->cpu_ns / (double)(g->counters->idle ? g->counters->idle : 1);
		if (!i || ns < least)
			least = ns;
	}
	g->idle_ns = least;
}

#endif
