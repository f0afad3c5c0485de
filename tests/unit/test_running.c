// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   captures that publish their accounts, end, are killed; and files that only look so.
 * Out:  that those who run are listed with their figures, and nothing else is or stays.
 * Owns: a directory below the current one, in which XCAP_RUN_DIR is.
 * Runs on: no root, no kernel state.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <xcap.h>
#include "running.h"
#include "running_file.h"

static char dir[128];
static struct running_account last;
static int nr_listed;

static int note(void *user, const struct running_account *a)
{
	last = *a;
	nr_listed++;
	return user ? *(int *)user : 0;
}

static int listed(void)
{
	nr_listed = 0;
	assert_int_equal(running_list(note, NULL), 0);
	return nr_listed;
}

static const char *path(int pid)
{
	static char p[192];

	snprintf(p, sizeof(p), "%s/%d.account", dir, pid);
	return p;
}

static bool exists(int pid)
{
	struct stat st;

	return !lstat(path(pid), &st);
}

static int set_up(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test_running.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return setenv("XCAP_RUN_DIR", dir, 1);
}

static int tear_down(void **state)
{
	return rmdir(dir);		/* and nothing is left in it */
}

static struct xcap *open_mixed(void)
{
	struct xcap *x = NULL;
	char spec[512];

	snprintf(spec, sizeof(spec), "file:%s/tests/data/mixed.pcapng", getenv("TOP") ?: ".");
	if (access(spec + 5, R_OK))
		fail_msg("no %s", spec);
	assert_int_equal(xcap_open(&x, spec, NULL), 0);
	return x;
}

static void the_account_is_told(void **state)
{
	struct xcap_stats s = { .sz = sizeof(s) };
	struct xcap *x = open_mixed();
	struct running *r = running_open("xcap dump", "out.pcapng");
	struct xcap_record rec;

	assert_non_null(r);
	assert_int_equal(listed(), 1);
	assert_int_equal(last.nr_sources, 0);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(xcap_next(x, &rec, 0), 1);
		xcap_release(x, &rec, 1);
	}
	running_update(r, x);
	xcap_stats(x, -1, &s);
	assert_int_equal(listed(), 1);
	assert_int_equal(last.pid, getpid());
	assert_int_equal(last.uid, geteuid());
	assert_string_equal(last.command, "xcap dump");
	assert_string_equal(last.sink, "out.pcapng");
	assert_int_equal(last.nr_sources, 1);
	assert_int_equal(last.nr_all, 1);
	assert_string_equal(last.sources[0].mode, "file");
	assert_true(s.delivered >= 7);
	assert_memory_equal(&last.total, &s, sizeof(s));
	assert_memory_equal(&last.sources[0].stats, &s, sizeof(s));
	assert_true(last.started_ns > 0 && last.updated_ns > 0);
	running_close(r);
	assert_int_equal(listed(), 0);
	assert_false(exists(getpid()));
	xcap_close(x);
}

/* Some of the same file, as one stream. */
static struct xcap *open_several(int nr, bool to_its_end)
{
	struct xcap_record rec;
	char *specs = NULL;
	struct xcap *x;
	size_t size;
	FILE *f = open_memstream(&specs, &size);

	for (int i = 0; i < nr; i++)
		fprintf(f, "%sfile:%s/tests/data/mixed.pcapng", i ? "," : "", getenv("TOP") ?: ".");
	fclose(f);
	assert_int_equal(xcap_open(&x, specs, NULL), 0);
	while (to_its_end && xcap_next(x, &rec, 0) == 1)
		xcap_release(x, &rec, 1);
	free(specs);
	return x;
}

static void more_sources_than_are_told_are_in_the_total(void **state)
{
	struct xcap *x = open_several(37, true);
	struct running *r = running_open("a command with a name that is much too long for it", NULL);

	running_update(r, x);
	assert_int_equal(listed(), 1);
	assert_int_equal(last.nr_sources, RUNNING_SOURCES);
	assert_int_equal(last.nr_all, 37);
	assert_true(last.total.seen > 0);
	assert_int_equal(last.total.seen, 37 * last.sources[31].stats.seen);
	assert_string_equal(last.command, "a command with a name that is m");
	assert_string_equal(last.sink, "");
	running_close(r);
	xcap_close(x);
}

/* A child that publishes and waits to be killed. */
static pid_t publisher(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (running_open("xcap count", NULL))
			c = write(ready[1], "", 1);
		pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void kill_child(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void who_is_killed_leaves_no_ghost(void **state)
{
	pid_t a = publisher(), b = publisher();
	struct running *own = running_open("xcap top", NULL);
	int stop = 7;

	assert_int_equal(listed(), 3);
	assert_int_equal(running_list(note, &stop), 7);
	kill_child(a);
	assert_true(exists(a));
	assert_int_equal(listed(), 2);
	assert_false(exists(a));
	kill_child(b);
	running_close(running_open("xcap count", NULL));	/* it is taken away by who starts, too */
	assert_false(exists(b));
	running_close(own);
}

/* Nor lets go of it, by closing a file that the same process may have locked. */
static void who_lists_does_not_take_the_lock(void **state)
{
	pid_t pid = publisher();

	for (int i = 0; i < 5; i++)
		assert_int_equal(listed(), 1);
	kill_child(pid);
	assert_int_equal(listed(), 0);
}

/* ---- what only looks so ---- */

/* A file with what a live one has, changed by somebody; locked, as a capture would. */
static int forge(int pid, off_t at, const void *bytes, size_t size, off_t file_size)
{
	struct running *r = running_open("xcap count", NULL);
	struct running_file f;
	int from = open(path(getpid()), O_RDONLY), fd;

	assert_non_null(r);
	assert_int_equal(read(from, &f, sizeof(f)), sizeof(f));
	close(from);
	running_close(r);
	f.account.pid = pid;
	memcpy((char *)&f + at, bytes, size);
	fd = open(path(pid), O_RDWR | O_CREAT | O_EXCL, 0644);
	assert_int_equal(write(fd, &f, sizeof(f)), sizeof(f));
	assert_int_equal(ftruncate(fd, file_size), 0);
	assert_int_equal(running_lock(fd, RUNNING_ALIVE), 0);
	return fd;
}

#define AT(field) offsetof(struct running_file, field)

static void what_is_not_whole_is_not_listed(void **state)
{
	static const char letters[] = "\x1b[31mAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static const uint32_t one = 1, many = RUNNING_SOURCES + 1, other = 4242;
	const off_t whole = sizeof(struct running_file);
	const struct { off_t at; const void *bytes; size_t size; off_t file_size; } cases[] = {
		{ AT(magic), "XCAPACC", 8, whole },
		{ AT(version), &other, 4, whole },
		{ AT(size), &other, 4, whole },
		{ AT(seq), &one, 4, whole },		/* for ever in the middle of writing */
		{ AT(account.pid), &other, 4, whole },
		{ AT(account.nr_sources), &many, 4, whole },
		{ AT(account.nr_sources), &one, 4, whole },	/* of none */
		{ AT(account.command), letters, sizeof(last.command), whole },
		{ AT(account.sink), letters, sizeof(last.sink), whole },
		{ 0, "", 0, 0 },
		{ 0, "", 0, whole - 1 },
		{ 0, "", 0, whole + 1 },
		{ 0, "", 0, 1 << 30 },
	};
	int fd = forge(1009, 0, "", 0, whole);

	assert_int_equal(listed(), 1);	/* what is changed below is the reason */
	close(fd);
	assert_int_equal(listed(), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = forge(1009, cases[i].at, cases[i].bytes, cases[i].size, cases[i].file_size);
		assert_int_equal(listed(), 0);
		assert_true(exists(1009));	/* somebody lives who has it */
		close(fd);
		assert_int_equal(listed(), 0);
		assert_false(exists(1009));
	}
}

static void texts_of_sources_end(void **state)
{
	struct running_account a = { .pid = 1009, .nr_sources = 2, .nr_all = 2 };
	int fd;

	memset(a.sources[1].spec, 'A', sizeof(a.sources[1].spec));
	fd = forge(1009, AT(account), &a, sizeof(a), sizeof(struct running_file));
	assert_int_equal(listed(), 0);
	close(fd);
	memset(a.sources[1].spec, 0, sizeof(a.sources[1].spec));
	memset(a.sources[1].mode, 'A', sizeof(a.sources[1].mode));
	listed();
	fd = forge(1009, AT(account), &a, sizeof(a), sizeof(struct running_file));
	assert_int_equal(listed(), 0);
	close(fd);
	listed();
}

/* Neither opened nor removed, and nobody waits at it. */
static void what_is_no_file_is_left_alone(void **state)
{
	char other[192];

	assert_int_equal(mkfifo(path(1013), 0644), 0);
	assert_int_equal(symlink("/dev/zero", path(1019)), 0);
	assert_int_equal(mkdir(path(1021), 0755), 0);
	assert_int_equal(listed(), 0);
	assert_int_equal(unlink(path(1013)) || unlink(path(1019)) || rmdir(path(1021)), 0);
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = { "0.account", "01.account", "x.account",
						     "99999999999.account", "7.accounts" };

		snprintf(other, sizeof(other), "%s/%s", dir, names[i]);
		close(open(other, O_CREAT | O_WRONLY, 0644));
		assert_int_equal(listed(), 0);
		assert_int_equal(unlink(other), 0);
	}
}

static void a_reader_cannot_make_it_live(void **state)
{
	pid_t pid = publisher();
	struct flock all = { .l_type = F_RDLCK };
	int fd = open(path(pid), O_RDONLY);

	kill_child(pid);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), 0);
	assert_int_equal(listed(), 0);
	close(fd);
	assert_int_equal(listed(), 0);
	assert_false(exists(pid));
}

static void where_nothing_can_be_written_nothing_is_told(void **state)
{
	struct xcap *x = open_mixed();

	setenv("XCAP_RUN_DIR", "/proc/self", 1);
	assert_null(running_open("xcap count", NULL));
	running_update(NULL, x);
	running_close(NULL);
	setenv("XCAP_RUN_DIR", "/nowhere/at/all", 1);
	assert_null(running_open("xcap count", NULL));
	assert_int_equal(listed(), 0);
	setenv("XCAP_RUN_DIR", dir, 1);
	xcap_close(x);
}

static void clusters_are_those_with_a_socket(void **state)
{
	static const char *const names[] = { "7.sock", "0.sock", "1009.sock", "7.lock", "x.sock",
					     "-3.sock", "4294967296.sock" };
	unsigned int numbers[8];
	char file[192];

	for (size_t i = 0; i < 7; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		close(open(file, O_CREAT | O_WRONLY, 0644));
	}
	assert_int_equal(running_clusters(numbers, 8), 3);
	assert_int_equal(numbers[0], 0);
	assert_int_equal(numbers[1], 7);
	assert_int_equal(numbers[2], 1009);
	assert_int_equal(running_clusters(numbers, 2), 2);
	for (size_t i = 0; i < 7; i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		unlink(file);
	}
}

/* ---- what changes while it is read ---- */

static void (*meanwhile)(void);		/* done once, in the middle of the next long read */
static struct running *shown;
static struct xcap *shown_next;

static void show_next(void)
{
	running_update(shown, shown_next);
}

/* The order of a read is nobody's promise: here what stands behind the number comes first. */
ssize_t pread(int fd, void *buf, size_t size, off_t at)
{
	void (*fn)(void) = meanwhile;
	size_t head = offsetof(struct running_file, account);

	if (!fn || size < sizeof(struct running_file))
		return syscall(SYS_pread64, fd, buf, size, at);
	meanwhile = NULL;
	if (syscall(SYS_pread64, fd, (char *)buf + head, size - head, at + head) < 0)
		return -1;
	fn();
	return syscall(SYS_pread64, fd, buf, head, at) < 0 ? -1 : (ssize_t)size;
}

static void what_was_read_first_is_not_what_is_numbered(void **state)
{
	struct xcap *before = open_several(RUNNING_SOURCES, false);

	shown = running_open("xcap count", NULL);
	shown_next = open_several(RUNNING_SOURCES, true);
	running_update(shown, before);
	meanwhile = show_next;
	assert_int_equal(listed(), 1);
	assert_null(meanwhile);
	assert_true(last.total.seen > 0);
	assert_true(last.sources[RUNNING_SOURCES - 1].stats.seen > 0);
	running_close(shown);
	xcap_close(shown_next);
	xcap_close(before);
}

/* A reader never sees half of what is written: between total and last source lie 12 KB. */
static void what_is_read_is_of_one_instant(void **state)
{
	struct xcap *before = open_several(RUNNING_SOURCES, false);
	struct xcap *after = open_several(RUNNING_SOURCES, true);
	int seen[2] = { 0 };
	struct running *r;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		r = running_open("xcap count", NULL);
		for (;;) {
			running_update(r, before);
			running_update(r, after);
		}
	}
	for (int i = 0; seen[0] < 1009 || seen[1] < 1009; i++) {
		assert_true(i < 1000000);
		if (!listed() || !last.nr_sources)
			continue;
		assert_int_equal(!last.total.seen, !last.sources[RUNNING_SOURCES - 1].stats.seen);
		seen[!last.total.seen]++;
	}
	kill_child(pid);
	listed();
	xcap_close(before);
	xcap_close(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_account_is_told),
		cmocka_unit_test(more_sources_than_are_told_are_in_the_total),
		cmocka_unit_test(who_is_killed_leaves_no_ghost),
		cmocka_unit_test(who_lists_does_not_take_the_lock),
		cmocka_unit_test(what_is_not_whole_is_not_listed),
		cmocka_unit_test(texts_of_sources_end),
		cmocka_unit_test(what_is_no_file_is_left_alone),
		cmocka_unit_test(a_reader_cannot_make_it_live),
		cmocka_unit_test(where_nothing_can_be_written_nothing_is_told),
		cmocka_unit_test(clusters_are_those_with_a_socket),
		cmocka_unit_test(what_was_read_first_is_not_what_is_numbered),
		cmocka_unit_test(what_is_read_is_of_one_instant),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
