// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a veth pair in a network namespace of its own; receivers, one after another.
 * Out:  a table: frames a second without loss, CPU time a frame on both sides, ratios.
 * Owns: the namespace, the generator, one receiver at a time.
 * Runs on: the generator on CPU 0, receivers on CPU 1.
 *
 * Usage: bench_packets [ROUNDS [WORD...]], WORD: only receivers with one in their name. Those whose
 *        promise is narrower than the noise of a few rounds (OWNED) are run when named.
 * Exit status: 1 a ratio is below its promise.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <libgen.h>
#include <netinet/in.h>
#include "bench.h"
#include "generator.h"
#include "receiver.h"
#include "wire.h"

enum { MAX_ROUNDS = 125, RUN_MS = 150, STEPS = 7, TRIES = 2 };

/* A filter that looks at some of each frame before it refuses it. */
#define REFUSES "ether src 02:00:00:00:00:07 or ether[40:4] = 7 or tcp port 80"

/* OWNED: as RESIDENT, for frames that are a socket's */
enum kind { FLOOR, RESIDENT, OWNED, TCPDUMP };

/* What a frame costs: the sender, the process that captures, each that reads what it captured. */
struct costs {
	double send_ns, read_ns, each_ns;
};

/* Values of one receiver, one of each a round. */
struct values {
	double pps[MAX_ROUNDS], send_ns[MAX_ROUNDS], read_ns[MAX_ROUNDS], flat[MAX_ROUNDS];
	double each_ns[MAX_ROUNDS];
	int nr;
};

static struct mode {
	const char *name;
	enum kind kind;
	const char *argv[4];
	struct values v;
	char note[128];
} modes[] = {
	{ .name = "XDP_DROP with a count", .kind = FLOOR },
	{ .name = "bare AF_XDP, busy", .kind = RESIDENT,
	  .argv = { "bench_bare_xsk", "busy", "0" } },
	{ .name = "bare AF_XDP, busy, stamped", .kind = RESIDENT,
	  .argv = { "bench_bare_xsk", "busy", "1" } },
	{ .name = "library xsk:, busy", .kind = RESIDENT,
	  .argv = { "bench_library", "busy", "xsk:" BENCH_NIC } },
	{ .name = "bare AF_XDP, poll", .kind = RESIDENT,
	  .argv = { "bench_bare_xsk", "poll", "0" } },
	{ .name = "bare AF_XDP, poll, stamped", .kind = RESIDENT,
	  .argv = { "bench_bare_xsk", "poll", "1" } },
	{ .name = "library xsk:, poll", .kind = RESIDENT,
	  .argv = { "bench_library", "poll", "xsk:" BENCH_NIC } },
	{ .name = "queue, one reader", .kind = RESIDENT,
	  .argv = { "bench_queue", "fifo", "1", "xsk:" BENCH_NIC } },
	{ .name = "queues, fanout to two", .kind = RESIDENT,
	  .argv = { "bench_queue", "fanout", "2", "xsk:" BENCH_NIC } },
	{ .name = "bare ring, passed on", .kind = RESIDENT,
	  .argv = { "bench_bare_ring", "0" } },
	{ .name = "bare ring, passed on, stamped", .kind = RESIDENT,
	  .argv = { "bench_bare_ring", "1" } },
	{ .name = "library tap:?hook=xdp", .kind = RESIDENT,
	  .argv = { "bench_library", "poll", "tap:" BENCH_NIC "?hook=xdp" } },
	{ .name = "counts, passed on", .kind = RESIDENT, .argv = { "bench_bare_count" } },
	{ .name = "library xsk:, refuses", .kind = RESIDENT,
	  .argv = { "bench_library", "poll", "xsk:" BENCH_NIC, REFUSES } },
	{ .name = "library tap:?hook=xdp, refuses", .kind = RESIDENT,
	  .argv = { "bench_library", "poll", "tap:" BENCH_NIC "?hook=xdp", REFUSES } },
	{ .name = "library xsk:?owner=off", .kind = OWNED,
	  .argv = { "bench_library", "poll", "xsk:" BENCH_NIC "?owner=off" } },
	{ .name = "library xsk:?owner=on", .kind = OWNED,
	  .argv = { "bench_library", "poll", "xsk:" BENCH_NIC "?owner=on" } },
	{ .name = "library tap:?owner=off", .kind = OWNED,
	  .argv = { "bench_library", "poll", "tap:" BENCH_NIC "?owner=off" } },
	{ .name = "library tap:?owner=on", .kind = OWNED,
	  .argv = { "bench_library", "poll", "tap:" BENCH_NIC "?owner=on" } },
	{ .name = "tcpdump -w /dev/null", .kind = TCPDUMP, .argv = { BENCH_NIC } },
	{ .name = "xcap run tcpdump, xsk:", .kind = TCPDUMP, .argv = { "xsk:" BENCH_NIC } },
	{ .name = "xcap run tcpdump, tap:", .kind = TCPDUMP, .argv = { "tap:" BENCH_NIC } },
};
enum { NR_MODES = sizeof(modes) / sizeof(*modes) };

/* What is promised: a of the one is at least `least` of the other. */
static const struct promise {
	const char *of, *against;
	double least;		/* 0: only shown */
} promises[] = {
	{ "library xsk:, busy", "bare AF_XDP, busy, stamped", 0.85 },
	{ "library xsk:, busy", "bare AF_XDP, busy", 0 },
	{ "library xsk:, poll", "bare AF_XDP, poll, stamped", 0.85 },
	{ "library xsk:, poll", "bare AF_XDP, poll", 0 },
	{ "queue, one reader", "library xsk:, poll", 0.8 },
	{ "queues, fanout to two", "library xsk:, poll", 0.7 },
	{ "library tap:?hook=xdp", "bare ring, passed on, stamped", 0.85 },
	{ "library tap:?hook=xdp", "bare ring, passed on", 0 },
	{ "library xsk:, refuses", "counts, passed on", 0.9 },
	{ "library tap:?hook=xdp, refuses", "counts, passed on", 0.9 },
	{ "library xsk:?owner=on", "library xsk:?owner=off", 0.95 },
	{ "library tap:?owner=on", "library tap:?owner=off", 0.8 },
	{ "bare AF_XDP, poll, stamped", "tcpdump -w /dev/null", 0 },
	{ "library xsk:, poll", "tcpdump -w /dev/null", 0 },
	{ "library tap:?hook=xdp", "tcpdump -w /dev/null", 0 },
	{ "xcap run tcpdump, xsk:", "tcpdump -w /dev/null", 1.2 },
	{ "xcap run tcpdump, tap:", "tcpdump -w /dev/null", 0 },
};

static struct generator gen;
static char bin_dir[4096];

/* tcpdump as it is, for an interface; by xcap run, for what is none. Return: as tcpdump_start(). */
static int tcpdump_open(struct receiver *r, const char *device)
{
	const char *argv[] = { NULL, "run", "tcpdump", "-i", device, "-Z", "root", "-w",
			       "/dev/null", NULL };
	char xcap[sizeof(bin_dir) + 16];

	snprintf(xcap, sizeof(xcap), "%s/../xcap", bin_dir);
	argv[0] = xcap;
	return tcpdump_start(r, strchr(device, ':') ? argv : argv + 2);
}

/* One run against a receiver. Return: frames lost. */
static uint64_t probe(struct mode *m, struct receiver *r, double pps, struct gen_result *sent,
		      struct costs *costs)
{
	uint64_t before = 0, got;
	int64_t cpu, each = 0;

	if (m->kind == TCPDUMP && tcpdump_open(r, m->argv[0]))
		errx(1, "tcpdump does not start");
	if (m->kind == RESIDENT || m->kind == OWNED) {
		before = receiver_count(r);
		each = receiver_readers_ns(r);
	}
	cpu = clock_ns(r->cpu);
	*sent = gen_run(&gen, pps, RUN_MS);
	if (m->kind == TCPDUMP) {
		usleep(50000);
		cpu = clock_ns(r->cpu) - cpu;
		got = tcpdump_stop(r);
	} else {
		got = receiver_drain(r, before + sent->sent) - before;
		cpu = clock_ns(r->cpu) - cpu;
		each = receiver_readers_ns(r) - each;
		each /= r->share->nr_readers ?: 1;
	}
	costs->send_ns = sent->send_ns;
	costs->read_ns = (double)cpu / (double)(got ? got : 1);
	costs->each_ns = (double)each / (double)(got ? got : 1);
	return sent->sent > got ? sent->sent - got : 0;
}

/* The highest rate at which nothing is lost, by halving; twice unlucky is unlucky. */
static void search(struct mode *m, struct receiver *r)
{
	struct values *v = &m->v;
	struct costs best = { 0 }, costs;
	double low = 1e5, high, pps = 0;
	struct gen_result sent;
	uint64_t lost = probe(m, r, 0, &sent, &costs);
	int step, try;

	high = sent.pps;
	v->flat[v->nr] = sent.pps * (double)(sent.sent - lost) / (double)sent.sent;
	if (!lost) {
		pps = sent.pps;
		best = costs;
	}
	for (step = 0; lost && step < STEPS; step++) {
		double middle = (low + high) / 2;

		for (try = 0; try < TRIES; try++) {
			if (probe(m, r, middle, &sent, &costs))
				continue;
			if (sent.pps > pps) {
				pps = sent.pps;
				best = costs;
			}
			break;
		}
		if (try < TRIES)
			low = middle;
		else
			high = middle;
	}
	v->pps[v->nr] = pps;
	v->send_ns[v->nr] = best.send_ns;
	v->each_ns[v->nr] = best.each_ns;
	v->read_ns[v->nr++] = best.read_ns;
}

/* The generator's own limit: nothing but a counter behind the wire. */
static void drop_floor(struct mode *m)
{
	struct bpf_link *link = bpf_program__attach_xdp(gen.skel->progs.bench_drop,
							(int)if_nametoindex(BENCH_NIC));
	struct values *v = &m->v;
	struct gen_result sent;

	if (!link)
		err(1, "XDP on " BENCH_NIC);
	gen.skel->bss->nr_dropped = 0;
	sent = gen_run(&gen, 0, RUN_MS);
	if (gen.skel->bss->nr_dropped != sent.sent)
		errx(1, "the wire lost frames: %llu of %llu arrived",
		     (unsigned long long)gen.skel->bss->nr_dropped, (unsigned long long)sent.sent);
	v->pps[v->nr] = v->flat[v->nr] = sent.pps;
	v->send_ns[v->nr] = sent.send_ns;
	v->read_ns[v->nr++] = 0;
	bpf_link__destroy(link);
}

static void measure(struct mode *m)
{
	struct receiver r = { .err_fd = -1 };
	char path[sizeof(bin_dir) + 64];
	const char *argv[5] = { path };
	int i;

	gen.frame = m->kind == OWNED ? gen_sockets : gen_nobodys;
	if (m->kind == FLOOR) {
		drop_floor(m);
	} else if (m->kind == TCPDUMP) {
		search(m, &r);
	} else {
		snprintf(path, sizeof(path), "%s/%s", bin_dir, m->argv[0]);
		for (i = 1; i < 4; i++)
			argv[i] = m->argv[i];
		if (receiver_start(&r, argv))
			errx(1, "%s does not start", m->name);
		memcpy(m->note, r.share->note, sizeof(m->note));
		search(m, &r);
		receiver_stop(&r);
	}
}

static const struct mode *find(const char *name)
{
	for (int i = 0; i < NR_MODES; i++)
		if (!strcmp(modes[i].name, name) && modes[i].v.nr)
			return &modes[i];
	return NULL;
}

static void print_rates(void)
{
	double pps[MAX_ROUNDS];

	printf("\n%-30s %23s  %8s  %10s %10s\n", "64-byte frames, one queue", "without loss, M/s",
	       "flat out", "sender", "reader");
	printf("%-30s %23s  %8s  %10s %10s\n", "", "median [least most]", "M/s", "ns/frame",
	       "ns/frame");
	for (int i = 0; i < NR_MODES; i++) {
		struct values *v = &modes[i].v;

		if (!v->nr)
			continue;
		memcpy(pps, v->pps, sizeof(pps));	/* rounds stay in order for the ratios */
		bench_median(pps, v->nr);
		printf("%-30s %7.2f [%6.2f %6.2f]  %8.2f  %10.0f %10.0f  %s", modes[i].name,
		       bench_median(pps, v->nr) / 1e6, pps[0] / 1e6, pps[v->nr - 1] / 1e6,
		       bench_median(v->flat, v->nr) / 1e6, bench_median(v->send_ns, v->nr),
		       bench_median(v->read_ns, v->nr), modes[i].note);
		if (bench_median(v->each_ns, v->nr) > 0)
			printf("each of its readers %.0f ns/frame", bench_median(v->each_ns, v->nr));
		putchar('\n');
	}
}

/* Each ratio is that of two neighbours in time; the median of these counts. Return: broken ones. */
static int print_ratios(void)
{
	double ratio[MAX_ROUNDS], median;
	int broken = 0, i, n, nr;

	printf("\n%-61s %6s  %15s  %s\n", "ratio of rates without loss", "median", "[least most]",
	       "promise");
	for (i = 0; i < (int)(sizeof(promises) / sizeof(*promises)); i++) {
		const struct promise *p = &promises[i];
		const struct mode *of = find(p->of), *against = find(p->against);

		if (!of || !against)
			continue;
		nr = of->v.nr;
		for (n = 0; n < nr; n++)
			ratio[n] = against->v.pps[n] ? of->v.pps[n] / against->v.pps[n] : 0;
		median = bench_median(ratio, nr);
		printf("%-30s / %-28s %6.2f  [%6.2f %6.2f]  ", p->of, p->against, median, ratio[0],
		       ratio[nr - 1]);
		if (p->least > 0)
			printf("at least %.2f: %s", p->least,
			       median >= p->least ? "kept" : "BROKEN");
		broken += median < p->least;
		putchar('\n');
	}
	return broken;
}

/* Return: one of the words is in its name; or there are none, and it takes no more rounds. */
static bool is_wanted(const struct mode *m, char **words)
{
	if (!*words)
		return m->kind != OWNED;
	for (; *words; words++)
		if (strstr(m->name, *words))
			return true;
	return false;
}

/* Whose the frames of OWNED are. No interface has its address: that would add frames of its own. */
static void own_socket(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT),
				 .sin_addr.s_addr = inet_addr(BENCH_ADDRESS) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "a socket at " BENCH_ADDRESS);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5, round, i;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench_packets [ROUNDS (1 to %d) [WORD...]]", MAX_ROUNDS);
	if (!realpath(argv[0], bin_dir))
		err(1, "%s", argv[0]);
	dirname(bin_dir);
	setvbuf(stdout, NULL, _IOLBF, 0);
	wire_make();
	wire_up(1);
	own_socket();
	bench_pin(BENCH_READ_CPU);
	gen_open(&gen);
	gen_calibrate(&gen);
	for (round = 0; round < rounds; round++) {
		fprintf(stderr, "packets: round %d of %d\n", round + 1, rounds);
		for (i = 0; i < NR_MODES; i++)
			if (is_wanted(&modes[i], argv + (argc > 1 ? 2 : 1)))
				measure(&modes[i]);
	}
	print_rates();
	return print_ratios() ? 1 : 0;
}
