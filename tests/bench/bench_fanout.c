// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a veth pair, and a storm of getppid(), at a rate that nobody loses anything at; one, two
 *       and three readers of the same capture.
 * Out:  a table: CPU time a record of the process that captures and of each reader; what one more
 *       reader costs the first.
 * Owns: the namespace, the generator or the storm, one receiver at a time.
 * Runs on: generator and storm on CPU 0; who captures and all readers on CPU 1.
 *
 * Usage: bench_fanout [ROUNDS [WORD]], WORD: only sources with it in their name.
 * Exit status: 1 a reader costs more than is promised, or a rate as low as this cannot be kept up.
 */
#define _GNU_SOURCE
#include <libgen.h>
#include <sys/syscall.h>
#include "bench.h"
#include "generator.h"
#include "receiver.h"
#include "wire.h"

enum { MAX_ROUNDS = 25, READERS = 3, RUNS = 3, RUN_MS = 200, TRIES = 5 };
enum { RATE = 500000, STORM_CALLS = 40000, STORM_BURST = 250, STORM_PAUSE_US = 500 };

static struct row {
	const char *name, *spec;
	int is_calls;
	double most;		/* ns that a further reader may cost; 0: only shown */
	double master[READERS][MAX_ROUNDS], each[READERS][MAX_ROUNDS], more[MAX_ROUNDS];
} rows[] = {
	{ .name = "xsk:, nothing copied", .spec = "xsk:" BENCH_NIC, .most = 25 },
	{ .name = "tap:, copied once", .spec = "tap:" BENCH_NIC },
	{ .name = "syscalls, copied once", .spec = "syscalls?only=getppid", .is_calls = 1 },
};
enum { NR_ROWS = sizeof(rows) / sizeof(*rows) };

static struct generator gen;
static char program[4096];

/* Return: records that it made. */
static uint64_t storm(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		bench_pin(BENCH_SEND_CPU);
		for (int i = 1; i <= STORM_CALLS; i++) {
			syscall(SYS_getppid);
			if (i % STORM_BURST == 0)
				usleep(STORM_PAUSE_US);
		}
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the storm failed");
	return 2 * STORM_CALLS;
}

static uint64_t lost_of(const struct receiver *r)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->share->nr_readers; i++)
		sum += __atomic_load_n(&r->share->readers[i].lost, __ATOMIC_RELAXED);
	return sum;
}

static void keep_least(double *least, double ns)
{
	if (!*least || ns < *least)
		*least = ns;
}

/* What disturbs only adds. Return: 0; -1 something was lost, and cost less for that. */
static int run(struct row *row, struct receiver *r, int readers, int round)
{
	uint64_t before = receiver_count(r), lost = lost_of(r), sent, got;
	int64_t master = clock_ns(r->cpu), each = receiver_readers_ns(r);

	sent = row->is_calls ? storm() : gen_run(&gen, RATE, RUN_MS).sent;
	got = receiver_drain(r, before + sent) - before;
	master = clock_ns(r->cpu) - master;
	each = (receiver_readers_ns(r) - each) / readers;
	if (got < sent || lost_of(r) != lost)
		return -1;
	keep_least(&row->master[readers - 1][round], (double)master / (double)got);
	keep_least(&row->each[readers - 1][round], (double)each / (double)got);
	return 0;
}

static void measure(struct row *row, int readers, int round)
{
	const char number[] = { (char)('0' + readers), '\0' };
	const char *argv[] = { program, "fanout", number, row->spec, NULL };
	struct receiver r = { .err_fd = -1 };
	int tries = 0, runs = 0;

	if (receiver_start(&r, argv))
		errx(1, "%s does not start", row->name);
	run(row, &r, readers, round);	/* warms up: the least of those behind it counts */
	row->master[readers - 1][round] = row->each[readers - 1][round] = 0;
	while (runs < RUNS) {
		if (!run(row, &r, readers, round))
			runs++;
		else if (++tries == TRIES)
			errx(1, "%s loses records again and again", row->name);
	}
	receiver_stop(&r);
}

/* Return: broken promises. */
static int print(struct row *row, int rounds)
{
	double median;

	printf("%-22s", row->name);
	for (int i = 0; i < READERS; i++)
		printf(" %9.1f", bench_median(row->master[i], rounds));
	for (int i = 0; i < READERS; i++)
		printf(" %6.1f", bench_median(row->each[i], rounds));
	median = bench_median(row->more, rounds);
	printf(" %8.1f [%5.1f %5.1f]", median, row->more[0], row->more[rounds - 1]);
	if (row->most > 0)
		printf("  at most %.0f: %s", row->most, median <= row->most ? "kept" : "BROKEN");
	putchar('\n');
	return row->most > 0 && median > row->most;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5, broken = 0;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench_fanout [ROUNDS (1 to %d) [WORD]]", MAX_ROUNDS);
	if (!realpath(argv[0], program))
		err(1, "%s", argv[0]);
	strcat(dirname(program), "/bench_queue");
	setvbuf(stdout, NULL, _IOLBF, 0);
	wire_make();
	wire_up(1);
	bench_pin(BENCH_READ_CPU);
	gen_open(&gen);
	for (int round = 0; round < rounds; round++) {
		fprintf(stderr, "fanout: round %d of %d\n", round + 1, rounds);
		for (struct row *row = rows; row < rows + NR_ROWS; row++) {
			if (argc > 2 && !strstr(row->name, argv[2]))
				continue;
			for (int n = 1; n <= READERS; n++)
				measure(row, n, round);
			row->more[round] = (row->master[READERS - 1][round] -
					    row->master[0][round]) / (READERS - 1);
		}
	}
	printf("\n%-22s %29s %20s %22s  %s\n", "CPU ns a record", "who captures", "each reader",
	       "a further reader", "promise");
	printf("%-22s %9s %9s %9s %6s %6s %6s %22s\n", "readers", "1", "2", "3", "1", "2", "3",
	       "median [least most]");
	for (struct row *row = rows; row < rows + NR_ROWS; row++)
		if (argc <= 2 || strstr(row->name, argv[2]))
			broken += print(row, rounds);
	return broken > 0;
}
