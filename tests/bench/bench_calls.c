// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a storm of getppid(), or of writes, on one CPU, under one observer after another.
 * Out:  a table: ns that each observer adds to a call; ratios.
 * Owns: one observer and one storm at a time.
 * Runs on: the storm on CPU 0, observers on CPU 1.
 *
 * Usage: bench_calls [ROUNDS [WORD]], WORD: only observers with it in their name.
 * Exit status: 1 a ratio is above its promise, or the library loses records.
 * Started as "bench_calls storm COUNT CALL" it is the storm, and prints ns a call.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcap.h>
#include "bare_ring.h"
#include "bench_calls.skel.h"
#include "tracer.h"

enum { MAX_ROUNDS = 25, WARM_UP = 1000, CALLS = 2000000, SLOW_CALLS = 30000, BATCH = 256 };
enum { WRITTEN = 64 };		/* bytes of a write, to /dev/null */

static char self[4096];
static double library_lost[MAX_ROUNDS];	/* or not handed out */
static int round_nr;
static int storm_call = SYS_getppid;

static int storm(long count, int nr)
{
	static const char data[WRITTEN] = "GET / HTTP/1.1";
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int64_t begin;
	long i;

	bench_pin(BENCH_SEND_CPU);
	for (i = 0; i < WARM_UP; i++)
		syscall(nr, fd, data, WRITTEN);
	begin = clock_ns(CLOCK_MONOTONIC);
	for (i = 0; i < count; i++)
		syscall(nr, fd, data, WRITTEN);
	printf("%.2f\n", (double)(clock_ns(CLOCK_MONOTONIC) - begin) / (double)count);
	return 0;
}

struct child {
	pid_t pid;
	FILE *out;
};

/* Starts the storm; tracer: the words of a command to put in front, NULL at the end. */
static struct child storm_start(const char *const *tracer, long count)
{
	const char *argv[16];
	char number[32], call[32];
	struct child c;
	int fds[2], n = 0;

	while (tracer && *tracer)
		argv[n++] = *tracer++;
	snprintf(number, sizeof(number), "%ld", count);
	argv[n++] = self;
	argv[n++] = "storm";
	argv[n++] = number;
	snprintf(call, sizeof(call), "%d", storm_call);
	argv[n++] = call;
	argv[n] = NULL;
	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	c.pid = fork();
	if (!c.pid) {
		dup2(fds[1], STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		err(127, "%s", argv[0]);
	}
	close(fds[1]);
	c.out = fdopen(fds[0], "r");
	return c;
}

/* Return: ns a call; the first line the child printed. */
static double storm_end(struct child *c)
{
	double ns = 0;
	int status, got = fscanf(c->out, "%lf", &ns);

	while (fgetc(c->out) != EOF)
		;
	fclose(c->out);
	if (waitpid(c->pid, &status, 0) != c->pid || status || got != 1)
		errx(1, "a storm failed");
	return ns;
}

static int storm_over(const struct child *c)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

static double alone(const char *const *tracer)
{
	struct child c = storm_start(tracer, tracer ? SLOW_CALLS : CALLS);

	return storm_end(&c);
}

/* ---- bare pairs ---- */

enum pair { EMPTY, BARE, STAMPED };

static void take(const void *rec)
{
	(void)rec;
}

static double under_pair(enum pair pair)
{
	struct bench_calls_bpf *skel = bench_calls_bpf__open();
	struct bpf_link *enter, *leave;
	struct bare_ring ring;
	struct child c;
	double ns;

	if (!skel || bench_calls_bpf__load(skel))
		err(1, "BPF programs of the bench");
	enter = bpf_program__attach(pair == EMPTY ? skel->progs.empty_enter :
				    pair == BARE ? skel->progs.bare_enter :
						   skel->progs.stamped_enter);
	leave = bpf_program__attach(pair == EMPTY ? skel->progs.empty_exit :
				    pair == BARE ? skel->progs.bare_exit :
						   skel->progs.stamped_exit);
	if (!enter || !leave)
		err(1, "tp_btf");
	bare_ring_open(&ring, bpf_map__fd(skel->maps.bench_ring));
	c = storm_start(NULL, CALLS);
	while (!storm_over(&c)) {
		bare_ring_take(&ring, take);
		usleep(BARE_NAP_US);
	}
	ns = storm_end(&c);
	bpf_link__destroy(enter);
	bpf_link__destroy(leave);
	bare_ring_close(&ring);
	if (skel->bss->nr_lost)
		warnx("a bare pair lost %llu records: its ns are too few",
		      (unsigned long long)skel->bss->nr_lost);
	bench_calls_bpf__destroy(skel);
	return ns;
}

/* ---- the library ---- */

/* Hands on what there is. Return: how many of the storm's records were among it. */
static uint64_t drain(struct xcap *x, pid_t pid, int timeout_ms, int *res)
{
	struct xcap_record recs[BATCH];
	uint64_t ours = 0;
	int i;

	*res = xcap_next_batch(x, recs, BATCH, timeout_ms);
	for (i = 0; i < *res; i++)
		ours += (int)recs[i].tid == pid &&
			((recs[i].type == XCAP_SYS_ENTER && (int)recs[i].enter.nr == storm_call) ||
			 (recs[i].type == XCAP_SYS_EXIT && (int)recs[i].exit.nr == storm_call));
	if (*res > 0)
		xcap_release(x, recs, *res);
	else if (*res < 0 && *res != -EINTR && *res != -ENODATA)
		errx(1, "%s", xcap_errmsg(x));
	return ours;
}

/* filter: NULL, or one that keeps none of the storm's calls. */
static double under_library(const char *spec, const char *filter)
{
	struct xcap_opts opts = { .sz = sizeof(opts), .filter = filter };
	struct xcap_stats stats = { .sz = sizeof(stats) };
	const uint64_t made = 2 * (CALLS + WARM_UP);
	uint64_t ours = 0, lost = 0;
	struct child c;
	struct xcap *x;
	double ns;
	int res, i;

	if (xcap_open(&x, spec, &opts))
		errx(1, "%s", xcap_errmsg(NULL));
	c = storm_start(NULL, CALLS);
	while (!storm_over(&c))
		ours += drain(x, c.pid, 10, &res);
	xcap_stop(x);
	do
		ours += drain(x, c.pid, 100, &res);
	while (res >= 0 || res == -EINTR);
	ns = storm_end(&c);
	xcap_stats(x, -1, &stats);
	for (i = 0; i < XCAP_DROP_MAX; i++)
		lost += stats.dropped[i];
	xcap_close(x);
	library_lost[round_nr] += (double)lost;
	if (storm_call == SYS_write)
		ours = filter ? 0 : ours < made ? ours : made;	/* it prints a line as well */
	if (!lost && ours != (filter ? 0 : made))
		errx(1, "the library lost nothing, and gave %llu records of %llu",
		     (unsigned long long)ours, (unsigned long long)made);
	if (filter && stats.filtered < made)
		errx(1, "of %llu calls that were not wanted %llu are counted as filtered",
		     (unsigned long long)made, (unsigned long long)stats.filtered);
	return ns;
}

/* ---- totals ---- */

/* How many of that call the rows so far have. */
static uint64_t counted(const struct xcap_record *rec, pid_t pid, const char *call)
{
	struct xcap_field f = { .sz = sizeof(f) };
	bool ours = false;

	for (int i = 0; (int)rec->pid == pid && xcap_probe_field(rec, i, &f) == 1; i++) {
		if (!strcmp(f.name, "call"))
			ours = !strcmp(f.text, call);
		if (ours && !strcmp(f.name, "count"))
			return f.value;
	}
	return 0;
}

static double under_probe(const char *spec)
{
	struct xcap_opts opts = { .sz = sizeof(opts) };
	struct xcap_record recs[BATCH];
	uint64_t made = 0;
	struct child c;
	struct xcap *x;
	double ns;
	int n;

	if (xcap_open(&x, spec, &opts))
		errx(1, "%s", xcap_errmsg(NULL));
	c = storm_start(NULL, CALLS);
	while ((n = xcap_next_batch(x, recs, BATCH, 10)) >= 0 || n == -EINTR) {
		for (int i = 0; i < n; i++)
			made += recs[i].type == XCAP_PROBE &&
				counted(&recs[i], c.pid, "getppid") > made ?
				counted(&recs[i], c.pid, "getppid") - made : 0;
		if (n > 0)
			xcap_release(x, recs, n);
		if (storm_over(&c))
			xcap_stop(x);
	}
	ns = storm_end(&c);
	xcap_close(x);
	if (made != CALLS + WARM_UP)
		errx(1, "%s counted %llu calls of %d", spec, (unsigned long long)made,
		     CALLS + WARM_UP);
	return ns;
}

/* Its own program for the same: counts, or times. */
static double under_bpftrace(const char *program)
{
	struct tracer t = tracer_start(program);
	struct child c = storm_start(NULL, CALLS);
	double ns = storm_end(&c);
	char begins[64];
	uint64_t made;

	snprintf(begins, sizeof(begins), "@n[%d, %d]: ", c.pid, SYS_getppid);
	made = tracer_end(&t, begins);
	if (made < CALLS)
		errx(1, "bpftrace counted %llu calls of %d", (unsigned long long)made, CALLS);
	return ns;
}

/* ---- the table ---- */

static double watch_none(void) { return alone(NULL); }
static double watch_empty(void) { return under_pair(EMPTY); }
static double watch_bare(void) { return under_pair(BARE); }
static double watch_stamped(void) { return under_pair(STAMPED); }
static double watch_library(void) { return under_library("syscalls", NULL); }
static double watch_only(void) { return under_library("syscalls?only=getppid", NULL); }
static double watch_other(void) { return under_library("syscalls", "syscall=connect"); }
static double watch_named(void) { return under_library("syscalls", "proc.name=nobody"); }

static double watch_latency(void) { return under_probe("probe:latency"); }
static double watch_syscount(void) { return under_probe("probe:syscount"); }

static double watch_bt_count(void)
{
	return under_bpftrace("interval:s:1 { printf(\"on\\n\"); }"
			      "tracepoint:raw_syscalls:sys_exit { @n[pid, args->id] = count(); }");
}

static double watch_bt_latency(void)
{
	return under_bpftrace("interval:s:1 { printf(\"on\\n\"); }"
			      "tracepoint:raw_syscalls:sys_enter { @since[tid] = nsecs; }"
			      "tracepoint:raw_syscalls:sys_exit /@since[tid]/ {"
			      " @n[pid, args->id] = count();"
			      " @ns[pid, args->id] = hist(nsecs - @since[tid]);"
			      " delete(@since[tid]); }");
}

/* Pinned as we are, to CPU 1; the storm goes to CPU 0 by itself. */
static double watch_perf(void)
{
	static const char *const argv[] = { "perf", "trace", "-s", "-o", "/dev/null", "--", NULL };

	return alone(argv);
}

static double watch_strace(void)
{
	static const char *const argv[] = { "strace", "-c", "-o", "/dev/null", NULL };

	return alone(argv);
}

/* The same of writes: descriptor and data are read at entry, the descriptor at exit. */
static double of_writes(double (*run)(void))
{
	double ns;

	storm_call = SYS_write;
	ns = run();
	storm_call = SYS_getppid;
	return ns;
}

static double watch_registers(void) { return under_library("syscalls?args=off", NULL); }

static double watch_perf_lines(void)
{
	static const char *const argv[] = {
		"perf", "trace", "-e", "write", "-o", "/dev/null", "--", NULL
	};

	return alone(argv);
}

static double watch_strace_lines(void)
{
	static const char *const argv[] = { "strace", "-yy", "-o", "/dev/null", NULL };

	return alone(argv);
}

static double write_none(void) { return of_writes(watch_none); }
static double write_registers(void) { return of_writes(watch_registers); }
static double write_library(void) { return of_writes(watch_library); }
static double write_perf(void) { return of_writes(watch_perf_lines); }
static double write_strace(void) { return of_writes(watch_strace_lines); }

enum {
	NONE, EMPTY_PAIR, BARE_PAIR, STAMPED_PAIR, LIBRARY, ONLY, OTHER, NAMED, LATENCY, SYSCOUNT,
	BT_LATENCY, BT_COUNT, PERF, STRACE,
	WRITES, WRITE_REGISTERS, WRITE_LIBRARY, WRITE_PERF, WRITE_STRACE, NR_OBSERVERS
};

static const struct {
	const char *name;
	double (*run)(void);
} observers[NR_OBSERVERS] = {
	[NONE] = { "nobody", watch_none },
	[EMPTY_PAIR] = { "two empty programs", watch_empty },
	[BARE_PAIR] = { "bare pair, two 64-byte records", watch_bare },
	[STAMPED_PAIR] = { "bare pair, stamped", watch_stamped },
	[LIBRARY] = { "library syscalls", watch_library },
	[ONLY] = { "library syscalls?only=getppid", watch_only },
	[OTHER] = { "filter: syscall=connect", watch_other },
	[NAMED] = { "filter: proc.name=nobody", watch_named },
	[LATENCY] = { "probe:latency", watch_latency },
	[SYSCOUNT] = { "probe:syscount", watch_syscount },
	[BT_LATENCY] = { "bpftrace, times by call", watch_bt_latency },
	[BT_COUNT] = { "bpftrace, counts by call", watch_bt_count },
	[PERF] = { "perf trace -s", watch_perf },
	[STRACE] = { "strace -c", watch_strace },
	[WRITES] = { "write: nobody", write_none },
	[WRITE_REGISTERS] = { "write: syscalls?args=off", write_registers },
	[WRITE_LIBRARY] = { "write: library syscalls", write_library },
	[WRITE_PERF] = { "write: perf trace", write_perf },
	[WRITE_STRACE] = { "write: strace -yy", write_strace },
};

/* What it is added to. */
static int base_of(int observer)
{
	return observer > WRITES ? WRITES : NONE;
}

static const struct {
	int of, against;
	double most;		/* 0: only shown */
} promises[] = {
	/*
	 * Like with like: a record that is to stand in an order needs a time, and two readings
	 * of the clock alone can cost a third of what the pair without them does.
	 */
	{ LIBRARY, STAMPED_PAIR, 1.3 },
	{ LIBRARY, BARE_PAIR, 0 },
	{ LIBRARY, PERF, 0.06 },
	{ LIBRARY, STRACE, 0 },
	/* what the filter does not want: by its number, by the name of its task */
	{ OTHER, EMPTY_PAIR, 2 },
	{ NAMED, EMPTY_PAIR, 2 },
	/* totals, kept in the kernel, against those who count the same calls */
	{ LATENCY, EMPTY_PAIR, 0 },
	{ LATENCY, BT_LATENCY, 1 },
	{ LATENCY, PERF, 0.06 },
	{ LATENCY, STRACE, 0.06 },
	{ SYSCOUNT, LATENCY, 1 },
	{ SYSCOUNT, BT_COUNT, 1 },
	/* path and data of each call, against the registers, and those who show the same */
	{ WRITE_LIBRARY, WRITE_REGISTERS, 0 },
	{ WRITE_LIBRARY, WRITE_PERF, 0.3 },
	{ WRITE_LIBRARY, WRITE_STRACE, 0.1 },
};

static double added[NR_OBSERVERS][MAX_ROUNDS];

static void print_added(int rounds)
{
	double ns[MAX_ROUNDS];

	printf("\n%-34s %10s  %s\n", "getppid, or write, on one core", "ns a call", "[least most]");
	for (int i = 0; i < NR_OBSERVERS; i++) {
		memcpy(ns, added[i], sizeof(ns));	/* rounds stay in order for the ratios */
		bench_median(ns, rounds);
		if (ns[rounds - 1] > 0)
			printf("%s%-33s %10.1f  [%.1f %.1f]\n",
			       i == NONE || i == WRITES ? " " : "+", observers[i].name,
			       bench_median(ns, rounds), ns[0], ns[rounds - 1]);
	}
}

/* Return: broken promises. */
static int print_ratios(int rounds)
{
	double median;
	int broken = 0;

	printf("\n%-61s %6s  %15s  %s\n", "ratio of ns added", "median", "[least most]", "promise");
	for (size_t i = 0; i < sizeof(promises) / sizeof(*promises); i++) {
		int of = promises[i].of, against = promises[i].against;

		broken += bench_ratio(observers[of].name, observers[against].name, added[of],
				      added[against], rounds, promises[i].most);
	}
	median = bench_median(library_lost, rounds);
	printf("%-61s %6.0f  [%6.0f %6.0f]  none: %s\n", "records the library lost", median,
	       library_lost[0], library_lost[rounds - 1], median > 0 ? "BROKEN" : "kept");
	return broken + (median > 0);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5, i;

	if (argc == 4 && !strcmp(argv[1], "storm"))
		return storm(atol(argv[2]), atoi(argv[3]));
	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench_calls [ROUNDS (1 to %d) [WORD]]", MAX_ROUNDS);
	if (!realpath(argv[0], self))
		err(1, "%s", argv[0]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_pin(BENCH_READ_CPU);
	for (round_nr = 0; round_nr < rounds; round_nr++) {
		fprintf(stderr, "calls: round %d of %d\n", round_nr + 1, rounds);
		for (i = 0; i < NR_OBSERVERS; i++)
			if (i == NONE || i == WRITES || argc < 3 || strstr(observers[i].name, argv[2]))
				added[i][round_nr] = observers[i].run() -
						     (i == NONE || i == WRITES ? 0 :
						      added[base_of(i)][round_nr]);
	}
	print_added(rounds);
	return print_ratios(rounds) ? 1 : 0;
}
