// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   two processes on one CPU that wake one another by turns, under one observer after another.
 * Out:  a table: ns that each observer adds to a switch; ratios.
 * Owns: one observer and one pair at a time.
 * Runs on: the pair on CPU 0, observers on CPU 1.
 *
 * Usage: bench_switch [ROUNDS]
 * Exit status: 1 a ratio is above its promise.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <sys/eventfd.h>
#include <xcap.h>
#include "bench_switch.skel.h"
#include "observers.h"
#include "tracer.h"

enum { WARM_UP = 1000, TURNS = 200000, BATCH = 256 };

/* ---- the pair: each turn is two wake-ups and two switches ---- */

static void take_turn(int wait_fd, int wake_fd)
{
	uint64_t one = 1;

	if (read(wait_fd, &one, sizeof(one)) != sizeof(one) ||
	    write(wake_fd, &one, sizeof(one)) != sizeof(one))
		err(1, "a turn");
}

/*
 * The first of the two; writes to out how long a switch took: CPU time of both, which whoever else
 * runs there has no part in.
 */
static void play(int out)
{
	int ping = eventfd(1, EFD_CLOEXEC), pong = eventfd(0, EFD_CLOEXEC);
	pid_t other = fork();
	clockid_t clock;
	int64_t begin = 0;
	double ns;

	bench_pin(BENCH_SEND_CPU);
	if (other && clock_getcpuclockid(other, &clock))
		errx(1, "no clock of another process");
	for (int i = 0; i < WARM_UP + TURNS; i++) {
		if (other && i == WARM_UP)
			begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + clock_ns(clock);
		take_turn(other ? ping : pong, other ? pong : ping);
	}
	if (!other)
		while (true)
			pause();
	ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + clock_ns(clock) - begin;
	ns /= 2 * TURNS;
	kill(other, SIGKILL);
	if (waitpid(other, NULL, 0) != other || write(out, &ns, sizeof(ns)) != sizeof(ns))
		err(1, "the pair");
	_exit(0);
}

struct pair {
	pid_t pid;
	int fd;		/* readable when it has ended */
};

static struct pair pair_start(void)
{
	struct pair p;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	p.pid = fork();
	if (!p.pid)
		play(fds[1]);
	close(fds[1]);
	p.fd = fds[0];
	return p;
}

static double pair_end(struct pair *p)
{
	double ns;

	if (read(p->fd, &ns, sizeof(ns)) != sizeof(ns) || waitpid(p->pid, NULL, 0) != p->pid)
		errx(1, "the pair failed");
	close(p->fd);
	return ns;
}

static bool pair_over(const struct pair *p)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

/* ---- observers ---- */

static double under_nobody(void)
{
	struct pair p = pair_start();

	return pair_end(&p);
}

static double under_empty(void)
{
	struct bench_switch_bpf *skel = bench_switch_bpf__open_and_load();
	struct pair p;
	double ns;

	if (!skel || bench_switch_bpf__attach(skel))
		err(1, "BPF programs of the bench");
	p = pair_start();
	ns = pair_end(&p);
	bench_switch_bpf__destroy(skel);
	return ns;
}

static uint64_t waits_of(const struct xcap_record *rec, pid_t pid)
{
	struct xcap_field f = { .sz = sizeof(f) };

	for (int i = 0; (int)rec->pid == pid && xcap_probe_field(rec, i, &f) == 1; i++)
		if (!strcmp(f.name, "count"))
			return f.value;
	return 0;
}

static double under_runq(void)
{
	struct xcap_opts opts = { .sz = sizeof(opts) };
	struct xcap_record recs[BATCH];
	uint64_t made = 0;
	struct pair p;
	struct xcap *x;
	double ns;
	int n;

	if (xcap_open(&x, "probe:runq", &opts))
		errx(1, "%s", xcap_errmsg(NULL));
	p = pair_start();
	while ((n = xcap_next_batch(x, recs, BATCH, 10)) >= 0 || n == -EINTR) {
		for (int i = 0; i < n; i++)
			if (waits_of(&recs[i], p.pid) > made)
				made = waits_of(&recs[i], p.pid);
		if (n > 0)
			xcap_release(x, recs, n);
		if (pair_over(&p))
			xcap_stop(x);
	}
	ns = pair_end(&p);
	xcap_close(x);
	if (made < TURNS)
		errx(1, "probe:runq saw %llu waits of %d", (unsigned long long)made, TURNS);
	return ns;
}

/* The same question: waits by process, with a histogram. */
static double under_bpftrace(void)
{
	struct tracer t = tracer_start("interval:s:1 { printf(\"on\\n\"); }"
		"tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new"
		" { @since[args->pid] = nsecs; }"
		"tracepoint:sched:sched_switch {"
		" if (args->prev_state == 0) { @since[args->prev_pid] = nsecs; }"
		" if (@since[args->next_pid]) {"
		" @n[args->next_pid] = count();"
		" @ns[args->next_pid] = hist(nsecs - @since[args->next_pid]); }"
		" delete(@since[args->next_pid]); }");
	struct pair p = pair_start();
	double ns = pair_end(&p);
	char begins[64];
	uint64_t made;

	snprintf(begins, sizeof(begins), "@n[%d]: ", p.pid);
	made = tracer_end(&t, begins);
	if (made < TURNS)
		errx(1, "bpftrace saw %llu waits of %d", (unsigned long long)made, TURNS);
	return ns;
}

/* ---- the table ---- */

enum { NOBODY, EMPTY, RUNQ, BPFTRACE, NR_OBSERVERS };

static const struct observer observers[NR_OBSERVERS] = {
	[NOBODY] = { "nobody", under_nobody },
	[EMPTY] = { "two empty programs", under_empty },
	[RUNQ] = { "probe:runq", under_runq },
	[BPFTRACE] = { "bpftrace, waits by process", under_bpftrace },
};

static const struct ratio ratios[] = {
	{ RUNQ, EMPTY, 0 },
	{ RUNQ, BPFTRACE, 1 },
};

int main(int argc, char **argv)
{
	static struct observed bench = {
		.work = "two processes, one core", .unit = "CPU ns a switch",
		.observers = observers, .nr_observers = NR_OBSERVERS,
		.ratios = ratios, .nr_ratios = sizeof(ratios) / sizeof(*ratios),
	};

	return observers_main(&bench, argc, argv);
}
