// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   wanted SCENE: system calls of a child of ours, as many of each as is known.
 * Out:  exit 0: a filter kept exactly those that it says, refused the others where they happened,
 *       so that they took no room in the rings, and counted each; else a line says what is wrong.
 * Owns: the capture, the child.
 * Runs on: one thread and its child; needs the privilege to capture.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcap.h>

#define BATCH 64
#define GETPPID 10007		/* calls; primes */
#define GETUID 200003
#define GETGID 5003
#define COMPAT 1009		/* by the 32-bit door, where 64 is getppid's number */
#define NAME "xcap-wanted"

struct tally {
	uint64_t enters[3], exits[3];	/* getppid, getuid, getgid of the child */
	uint64_t compat;		/* its getppid by the other door, both ways */
	uint64_t strays;		/* others of the child */
	uint64_t swaps;
};

static int failures;

#define check(ok, ...) do {						\
	if (!(ok)) {							\
		fprintf(stderr, "not so: %s: ", #ok);			\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		failures++;						\
	}								\
} while (0)

static void must(struct xcap *x, int ret, const char *what)
{
	if (!ret)
		return;
	fprintf(stderr, "wanted: %s: %s\n", what, xcap_errmsg(x));
	exit(1);
}

/* ---- the child ---- */

static void getppid32(void)
{
#ifdef __x86_64__
	long ret = 64;

	__asm__ volatile("int $0x80" : "+a"(ret) : : "memory", "r8", "r9", "r10", "r11");
#endif
}

static void make_calls(bool slowly)
{
	for (int i = 0; i < GETUID; i++) {
		syscall(SYS_getuid);
		if (i < GETPPID)
			syscall(SYS_getppid);
		if (i < GETGID)
			syscall(SYS_getgid);
		if (i < COMPAT)
			getppid32();
		if (slowly && i < GETPPID && i % 64 == 0)
			usleep(5000);
	}
}

/* Two bytes by pipe: it is named, it may begin. */
static pid_t child_start(int *go, bool slowly)
{
	int to[2], from[2];
	char c = 0;
	pid_t pid;

	if (pipe(to) || pipe(from))
		exit(1);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, NAME);
		if (write(from[1], &c, 1) != 1 || read(to[0], &c, 1) != 1)
			_exit(1);
		make_calls(slowly);
		_exit(0);
	}
	if (pid < 0 || read(from[0], &c, 1) != 1)
		exit(1);
	*go = to[1];
	return pid;
}

static bool child_over(pid_t pid)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

/* ---- the capture ---- */

static void look(struct tally *t, const struct xcap_record *r, pid_t pid)
{
	static const uint32_t nrs[] = { SYS_getppid, SYS_getuid, SYS_getgid };
	bool enter = r->type == XCAP_SYS_ENTER;
	uint32_t nr = enter ? r->enter.nr : r->exit.nr;

	if ((pid_t)r->pid != pid || r->type == XCAP_LOSS)
		return;
	if (r->flags & XCAP_REC_COMPAT) {
		t->compat += nr == 64;
		t->strays += nr != 64;
		return;
	}
	for (int i = 0; i < 3; i++)
		if (r->type != XCAP_SWITCH && nr == nrs[i]) {
			++*(enter ? &t->enters[i] : &t->exits[i]);
			return;
		}
	t->strays++;
}

static int drain(struct xcap *x, struct tally *t, pid_t pid, int timeout_ms)
{
	struct xcap_record recs[BATCH];
	int n = xcap_next_batch(x, recs, BATCH, timeout_ms);

	for (int i = 0; i < n; i++)
		look(t, &recs[i], pid);
	if (n > 0)
		xcap_release(x, recs, n);
	if (n < 0 && n != -ENODATA && n != -EINTR)
		must(x, n, "xcap_next_batch");
	return n;
}

static uint64_t dropped(const struct xcap_stats *st)
{
	uint64_t sum = 0;

	for (int i = 0; i < XCAP_DROP_MAX; i++)
		sum += st->dropped[i];
	return sum;
}

/* All that the child does, under the filter; change: called again and again meanwhile. */
static struct tally watch(const char *spec, const char *filter, struct xcap_stats *st,
			  void (*change)(struct xcap *x, struct tally *t, pid_t pid))
{
	struct xcap_opts opts = { .sz = sizeof(opts) };
	struct tally t = { 0 };
	char text[256];
	struct xcap *x;
	pid_t pid;
	int go, status;

	pid = child_start(&go, change);
	snprintf(text, sizeof(text), filter, pid);
	opts.filter = text;
	must(NULL, xcap_open(&x, spec, &opts), text);
	if (write(go, "", 1) != 1)
		exit(1);
	while (!child_over(pid)) {
		drain(x, &t, pid, 1);
		if (change)
			change(x, &t, pid);
	}
	xcap_stop(x);
	while (drain(x, &t, pid, 100) >= 0)
		;
	*st = (struct xcap_stats){ .sz = sizeof(*st) };
	xcap_stats(x, -1, st);
	xcap_close(x);
	close(go);
	check(waitpid(pid, &status, 0) == pid && !status, "the child failed");
	check(st->seen == st->delivered + st->filtered + dropped(st),
	      "%s: %llu = %llu + %llu + %llu", text, st->seen, st->delivered, st->filtered,
	      (unsigned long long)dropped(st));
	check(!st->out_of_order, "%llu", st->out_of_order);
	return t;
}

#define SHOW "%llu %llu %llu, %llu %llu %llu, compat %llu, strays %llu, filtered %llu, dropped %llu"
#define SHOWN(t, st)							\
	(unsigned long long)(t).enters[0], (unsigned long long)(t).enters[1],	\
	(unsigned long long)(t).enters[2], (unsigned long long)(t).exits[0],	\
	(unsigned long long)(t).exits[1], (unsigned long long)(t).exits[2],	\
	(unsigned long long)(t).compat, (unsigned long long)(t).strays,		\
	(st).filtered, (unsigned long long)dropped(&(st))

/* ---- scenes ---- */

/* What is refused takes no room: this ring has some for half a hundred records. */
static void scene_numbers(void)
{
	struct xcap_stats st;
	struct tally t;

	t = watch("syscalls", "syscall in (getppid)", &st, NULL);
	check(t.enters[0] == GETPPID && t.exits[0] == GETPPID && t.compat == 2 * COMPAT,
	      SHOW, SHOWN(t, st));
	check(!t.enters[1] && !t.exits[1] && !t.enters[2] && !t.exits[2] && !t.strays,
	      SHOW, SHOWN(t, st));
	check(st.filtered >= 2 * (GETUID + GETGID), SHOW, SHOWN(t, st));
	t = watch("syscalls?ring=4K", "syscall=getgid and proc.pid=1", &st, NULL);
	check(st.filtered >= 2 * (GETPPID + GETUID + GETGID + COMPAT) && !t.strays,
	      SHOW, SHOWN(t, st));
	check(!dropped(&st) && !t.enters[2] && !t.exits[2], SHOW, SHOWN(t, st));
}

static void scene_tasks(void)
{
	struct xcap_stats st;
	struct tally t;

	t = watch("syscalls", "proc.pid=%d and evt.type=exit", &st, NULL);
	check(t.exits[0] == GETPPID && t.exits[1] == GETUID && t.exits[2] == GETGID &&
	      t.compat == COMPAT, SHOW, SHOWN(t, st));
	check(!t.enters[0] && !t.enters[1] && !t.enters[2], SHOW, SHOWN(t, st));
	t = watch("syscalls", "proc.name=" NAME " and syscall=getgid", &st, NULL);
	check(t.enters[2] == GETGID && t.exits[2] == GETGID && !t.enters[0] && !t.compat,
	      SHOW, SHOWN(t, st));
	t = watch("syscalls?ring=4K", "not proc.name^=xcap and proc.pid=%d", &st, NULL);
	check(!t.enters[0] && !t.exits[1] && !t.strays && !dropped(&st), SHOW, SHOWN(t, st));
	check(st.filtered >= 2 * (GETPPID + GETUID + GETGID + COMPAT), SHOW, SHOWN(t, st));
	t = watch("syscalls?ring=4K", "proc.pid=%d and syscall in (getppid,getuid) and ret<0", &st,
		  NULL);
	check(!t.enters[0] && !t.exits[1] && !t.strays && !dropped(&st), SHOW, SHOWN(t, st));
	t = watch("syscalls", "proc.pid=%d and proc.uid=0 and syscall=getgid and ret<=0", &st, NULL);
	check(!t.enters[2] && t.exits[2] == GETGID, SHOW, SHOWN(t, st));
}

/* What the kernel cannot judge is judged by the reader: both see the same. */
static void scene_halves(void)
{
	struct xcap_stats st;
	struct tally t;

	t = watch("syscalls", "syscall=getppid and proc.name*=cap-w", &st, NULL);
	check(t.enters[0] == GETPPID && t.exits[0] == GETPPID && !t.strays, SHOW, SHOWN(t, st));
	t = watch("syscalls", "tcp port 443 and proc.pid=%d and not syscall in (getuid,getgid)", &st,
		  NULL);
	check(t.enters[0] == GETPPID && t.exits[0] == GETPPID && t.compat == 2 * COMPAT,
	      SHOW, SHOWN(t, st));
	check(!t.enters[1] && !t.exits[2], SHOW, SHOWN(t, st));
}

/* Every filter keeps getppid, some getuid, none getgid. */
static void change(struct xcap *x, struct tally *t, pid_t pid)
{
	static const char *const filters[] = {
		"syscall=getppid", "syscall in (getppid,getuid)", "proc.pid=%d and syscall=getppid",
		"proc.pid in (1,%d) and syscall in (getppid,getuid)", "syscall^=getpp",
		"syscall=getppid and (proc.name=nosuch or proc.pid=%d)",
		"not syscall=getgid and proc.name=" NAME " and not evt.type=switch",
	};
	const char *filter = filters[t->swaps % (sizeof(filters) / sizeof(filters[0]))];
	char text[256];

	snprintf(text, sizeof(text), filter, pid);
	must(x, xcap_set_filter(x, text), text);
	t->swaps++;
	for (int n = BATCH; n > 0; )
		n = drain(x, t, pid, 1);
}

static void scene_swap(void)
{
	struct xcap_stats st;
	struct tally t = watch("syscalls", "syscall=getppid", &st, change);

	printf("the filter changed %llu times\n", (unsigned long long)t.swaps);
	check(t.swaps > 14, "%llu", (unsigned long long)t.swaps);
	check(t.enters[0] == GETPPID && t.exits[0] == GETPPID, SHOW, SHOWN(t, st));
	check(!t.enters[2] && !t.exits[2], SHOW, SHOWN(t, st));
	check(t.enters[1] && t.enters[1] < GETUID, SHOW, SHOWN(t, st));
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } scenes[] = {
		{ "numbers", scene_numbers }, { "tasks", scene_tasks }, { "halves", scene_halves },
		{ "swap", scene_swap },
	};

	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (argc == 1 || !strcmp(argv[1], scenes[i].name)) {
			scenes[i].run();
			printf("%s: %d failures\n", scenes[i].name, failures);
		}
	return !!failures;
}
