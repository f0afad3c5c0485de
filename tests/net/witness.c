// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a program that makes known calls and then says which (calls.c), with its arguments.
 * Out:  exit 0 when exactly those records came out of a capture, paired and in order.
 * Owns: the capture.
 * Runs on: any CPU; needs the privilege to capture.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcap.h>

#define MAGIC 0x7fca11
#define MAX_SEEN 4096

struct seen {
	__u8 type;
	__u16 cpu;
	bool compat;
	__u32 pid, tid, nr;
	__s64 ret, ns;
	__u64 a[6];
	char comm[16];
};

static struct seen seen[MAX_SEEN];
static int nr_seen;

static void keep(const struct xcap_record *r)
{
	struct seen *s = &seen[nr_seen];

	if (r->type != XCAP_SYS_ENTER && r->type != XCAP_SYS_EXIT)
		return;
	if (nr_seen == MAX_SEEN)
		errx(1, "more than %d records of the program", MAX_SEEN);
	*s = (struct seen){ .type = r->type, .cpu = r->cpu, .pid = r->pid, .tid = r->tid,
			    .compat = r->flags & XCAP_REC_COMPAT, .ns = r->mono_ns };
	memcpy(s->comm, r->comm, sizeof(s->comm));
	if (r->type == XCAP_SYS_ENTER) {
		s->nr = r->enter.nr;
		memcpy(s->a, r->enter.args, sizeof(s->a));
	} else {
		s->nr = r->exit.nr;
		s->ret = r->exit.ret;
	}
	nr_seen++;
}

static void drain(struct xcap *x, pid_t pid)
{
	struct xcap_record recs[64];
	int n;

	while ((n = xcap_next_batch(x, recs, 64, -1)) > 0) {
		for (int i = 0; i < n; i++)
			if (recs[i].pid == (__u32)pid)
				keep(&recs[i]);
		xcap_release(x, recs, n);
	}
	if (n != -61)
		errx(1, "capture: %s", xcap_errmsg(x));
}

/* The next record of the thread, from *at on. */
static const struct seen *next_of(__u32 tid, int *at)
{
	while (*at < nr_seen && seen[*at].tid != tid)
		++*at;
	if (*at == nr_seen)
		errx(1, "thread %u: records are missing", tid);
	return &seen[(*at)++];
}

static void expect(bool ok, const struct seen *s, const char *what)
{
	if (!ok)
		errx(1, "%s %u of thread %u on cpu %u: %s",
		     s->type == XCAP_SYS_ENTER ? "enter" : "exit",
		     s->nr, s->tid, s->cpu, what);
}

struct call {
	unsigned int tid, cpu, compat, nr;
	long long ret;
	unsigned long long a[6];
};

static void check_pair(const struct call *c, const struct seen *in, const struct seen *out,
		       const char *comm)
{
	for (int i = 0; i < 2; i++) {
		const struct seen *s = i ? out : in;

		expect(s->nr == c->nr, s, "is not the number that was called");
		expect(s->compat == c->compat, s, "has the wrong ABI");
		expect(s->cpu == c->cpu, s, "was not on that CPU");
		expect(!strcmp(s->comm, comm), s, "has another name");
	}
	expect(in->type == XCAP_SYS_ENTER, in, "is no entry");
	expect(out->type == XCAP_SYS_EXIT, out, "is no exit");
	expect(in->ns <= out->ns, out, "is older than its entry");
	expect(out->ret == c->ret, out, "has another result");
	for (int i = 0; i < 6; i++)
		expect(in->a[i] == (c->compat ? (__u32)c->a[i] : c->a[i]), in,
		       "has another argument");
}

/* After a signal: sigreturn of either kind, whose number the restored frame has wiped out. */
static void check_sigreturn(unsigned int tid, int *at)
{
	const struct seen *in = next_of(tid, at), *out = next_of(tid, at);

	expect(strstr(xcap_syscall_name(in->nr, in->compat), "sigreturn"), in, "no sigreturn");
	expect(out->type == XCAP_SYS_EXIT && out->nr == in->nr, out, "not sigreturn's exit");
}

static int check_line(const struct call *c, int *at, const char *comm, bool *begun)
{
	const struct seen *in = next_of(c->tid, at);

	/* what libc did before the first marker */
	while (!*begun && !(in->type == XCAP_SYS_ENTER && in->a[0] == MAGIC))
		in = next_of(c->tid, at);
	*begun = true;
	check_pair(c, in, next_of(c->tid, at), comm);
	if (!strcmp(xcap_syscall_name(c->nr, c->compat) ?: "", "tgkill"))
		check_sigreturn(c->tid, at);
	return 1;
}

/* What succeeds is an execve when it is through, and must be told as it was called. */
static void check_execveat(void)
{
	int in = 0, out = 0;

	for (int i = 0; i < nr_seen; i++) {
		if (seen[i].nr != SYS_execveat || seen[i].compat)
			continue;
		in += seen[i].type == XCAP_SYS_ENTER;
		out += seen[i].type == XCAP_SYS_EXIT && seen[i].ret == 0;
	}
	if (in != 1 || out != 1)
		errx(1, "execveat: %d entries, %d exits", in, out);
}

static int check(FILE *f, const char *comm)
{
	unsigned int last = 0;
	bool begun = false;
	struct call c;
	int at = 0, n = 0;

	while (fscanf(f, "%u %u %u %u %lld %llu %llu %llu %llu %llu %llu", &c.tid, &c.cpu,
		      &c.compat, &c.nr, &c.ret, &c.a[0], &c.a[1], &c.a[2], &c.a[3], &c.a[4],
		      &c.a[5]) == 11) {
		if (c.tid != last)
			at = 0, begun = false;
		last = c.tid;
		n += check_line(&c, &at, comm, &begun);
	}
	return n;
}

static void check_accounts(struct xcap *x)
{
	struct xcap_stats st = { .sz = sizeof(st) };
	__u64 dropped = 0;

	if (xcap_stats(x, -1, &st))
		errx(1, "%s", xcap_errmsg(x));
	for (int i = 0; i < XCAP_DROP_MAX; i++)
		dropped += st.dropped[i];
	if (st.seen != st.delivered + st.filtered + dropped)
		errx(1, "seen %llu, delivered %llu, filtered %llu, dropped %llu", st.seen,
		     st.delivered, st.filtered, dropped);
	if (dropped || st.out_of_order)
		errx(1, "dropped %llu, out of order %llu", dropped, st.out_of_order);
}

int main(int argc, char **argv)
{
	struct xcap *x;
	int fds[2], status, n;
	pid_t pid;

	if (argc < 2)
		errx(2, "usage: witness PROGRAM [ARGUMENT...]");
	if (xcap_open(&x, "syscalls?switches=off", NULL))
		errx(1, "%s", xcap_errmsg(NULL));
	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		syscall(SYS_execveat, AT_FDCWD, argv[1], argv + 1, environ, 0);
		err(127, "%s", argv[1]);
	}
	close(fds[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(1, "child");
	if (status)
		errx(1, "%s: status %#x", argv[1], status);
	xcap_stop(x);
	drain(x, pid);
	n = check(fdopen(fds[0], "r"), basename(argv[1]));
	if (!n)
		errx(1, "the program said nothing");
	check_accounts(x);
	if (strcmp(argv[1] + strlen(argv[1]) - 2, "32"))
		check_execveat();
	printf("%d calls, each entry and exit as it was\n", n);
	xcap_close(x);
	return 0;
}
