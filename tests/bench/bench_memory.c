// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a veth pair with one queue, then with four; the library under load.
 * Out:  a table: what the capture holds, and what each further queue costs.
 * Owns: a network namespace, the generator, one receiver at a time.
 * Runs on: the generator on CPU 0, the library on CPU 1.
 *
 * Exit status: 1 it is more than promised.
 */
#define _GNU_SOURCE
#include <libgen.h>
#include "bench.h"
#include "generator.h"
#include "receiver.h"
#include "wire.h"

#define MIB ((double)(1 << 20))

enum { QUEUES = 4, RUN_MS = 500, FIRST_MIB = 64, FURTHER_MIB = 16 };

static struct generator gen;

static double mib_of(const struct bench_memory *m)
{
	return (double)(m->umem + m->xsk_rings + m->maps + m->rss_anon) / MIB;
}

/* Opens SPEC on so many queues, sends, and asks what it holds. Return: MiB. */
static double measure(const char *program, const char *spec, int queues)
{
	const char *argv[] = { program, "poll", spec, NULL };
	struct bench_memory m;
	struct receiver r;

	wire_up(queues);
	if (receiver_start(&r, argv))
		errx(1, "%s does not start", spec);
	gen_run(&gen, 0, RUN_MS);
	m = receiver_stop(&r);
	printf("%-22s %6d %9.1f %9.1f %9.1f %9.1f %9.1f\n", spec, queues, (double)m.umem / MIB,
	       (double)m.xsk_rings / MIB, (double)m.maps / MIB, (double)m.rss_anon / MIB,
	       mib_of(&m));
	return mib_of(&m);
}

static int promise(const char *what, double mib, double most)
{
	printf("%-67s %9.1f  at most %.0f: %s\n", what, mib, most, mib <= most ? "kept" : "BROKEN");
	return mib > most;
}

int main(int argc, char **argv)
{
	int broken, cpus = (int)sysconf(_SC_NPROCESSORS_CONF);
	double first, more, calls;
	char path[4096];

	if (!realpath(argv[0], path))
		err(1, "%s", argv[0]);
	strcat(dirname(path), "/bench_library");
	setvbuf(stdout, NULL, _IOLBF, 0);
	wire_make();
	bench_pin(BENCH_READ_CPU);
	wire_up(1);
	gen_open(&gen);
	printf("\n%-22s %6s %9s %9s %9s %9s %9s\n", "MiB held, under load", "queues", "UMEM",
	       "xsk rings", "BPF maps", "RssAnon", "sum");
	first = measure(path, "xsk:" BENCH_NIC ",syscalls", 1);
	more = measure(path, "xsk:" BENCH_NIC ",syscalls", QUEUES);
	calls = measure(path, "syscalls", 1);
	measure(path, "tap:" BENCH_NIC ",syscalls", 1);
	broken = promise("one queue and two CPUs: packets and calls", first, FIRST_MIB);
	broken += promise("each further queue", (more - first) / (QUEUES - 1), FURTHER_MIB);
	broken += promise("each CPU's rings and share", calls / cpus, FURTHER_MIB);
	return broken > 0;
}
