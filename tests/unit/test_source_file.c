// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   capture files and pipes made here, good and bad.
 * Out:  that the library reads each to its end, or says in a sentence why not.
 * Owns: files in the directory it runs in.
 * Runs on: no root; one more process as the writer of a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "pcapng.h"
#include "records.h"

#define NR 20011	/* prime; more than one chunk */

static const char path[] = "in.pcapng";

static size_t put_record(uint8_t *p, const struct xcap_record *r)
{
	struct pcapng_frame f = { 0 };

	switch (r->type) {
	case XCAP_PACKET:
		return pcapng_put_packet(p, r, &f);
	case XCAP_LOSS:
		return pcapng_put_loss(p, r, "tap:eth0");
	case XCAP_PROBE:
		return pcapng_put_probe(p, r);
	default:
		return pcapng_put_event(p, r, NULL);
	}
}

static void write_all(int fd, const void *p, size_t len)
{
	assert_int_equal(write(fd, p, len), len);
}

/* nr records of a seed, after a header. */
static void write_records(int fd, uint64_t seed, int nr, useconds_t nap_us)
{
	static uint8_t buf[8192];
	struct records *s = malloc(sizeof(*s));
	struct xcap_record r;
	size_t len;

	len = pcapng_put_section(buf, "x", "y", "z");
	len += pcapng_put_interface(buf + len, 1, "eth0", "tap:eth0");
	write_all(fd, buf, len);
	records_seed(s, seed);
	for (int i = 0; i < nr; i++) {
		records_next(s, &r);
		len = put_record(buf, &r);
		if (nap_us) {	/* in two pieces, so that a block is seen half */
			write_all(fd, buf, len / 2);
			usleep(nap_us);
			write_all(fd, buf + len / 2, len - len / 2);
		} else {
			write_all(fd, buf, len);
		}
	}
	free(s);
}

static void make_file(const char *name, uint64_t seed, int nr)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	write_records(fd, seed, nr, 0);
	close(fd);
}

static struct xcap *must_open(const char *spec)
{
	struct xcap *x;

	if (xcap_open(&x, spec, NULL))
		fail_msg("%s: %s", spec, xcap_errmsg(NULL));
	return x;
}

static void expect_refused(const char *spec, int err, const char *words)
{
	struct xcap *x;

	assert_int_equal(xcap_open(&x, spec, NULL), err);
	if (!strstr(xcap_errmsg(NULL), words))
		fail_msg("'%s' says nothing of '%s'", xcap_errmsg(NULL), words);
}

/* Reads to the end, comparing with what the seed makes. Return: how it ended. */
static int read_back(struct xcap *x, uint64_t seed, int *nr)
{
	struct records *s = malloc(sizeof(*s));
	struct xcap_record want, r;
	int ret;

	records_seed(s, seed);
	for (*nr = 0; (ret = xcap_next(x, &r, -1)) == 1; ++*nr) {
		records_next(s, &want);
		if (records_differ(&want, &r))
			fail_msg("record %d: %s differs", *nr, records_differ(&want, &r));
		xcap_release(x, &r, 1);
	}
	free(s);
	return ret;
}

static void a_file_is_read_to_its_end(void **state)
{
	struct xcap_source_info info = { .sz = sizeof(info) };
	struct xcap_stats st = { .sz = sizeof(st) };
	struct stat file;
	struct xcap *x;
	int nr;

	make_file(path, 1, NR);
	assert_int_equal(stat(path, &file), 0);
	x = must_open("file:in.pcapng");
	assert_int_equal(read_back(x, 1, &nr), -ENODATA);
	assert_int_equal(nr, NR);
	assert_int_equal(xcap_stats(x, -1, &st), 0);
	assert_true(st.losses > 0);
	assert_int_equal(st.delivered + st.losses, NR);
	assert_int_equal(st.seen, st.delivered);	/* the books close */
	assert_int_equal(st.out_of_order, 0);
	assert_int_equal(xcap_source_info(x, 0, &info), 0);
	assert_string_equal(info.spec, "file:in.pcapng");
	assert_string_equal(info.mode, "file");
	assert_int_equal(info.file_dev, file.st_dev);
	assert_int_equal(info.file_ino, file.st_ino);
	xcap_close(x);
}

/* Bytes stay where they are until released, however much else is read. */
static void lent_bytes_stay(void **state)
{
	struct xcap_record *held = malloc(NR * sizeof(*held)), want;
	struct records *s = malloc(sizeof(*s));
	struct xcap *x;
	int n = 0;

	make_file(path, 2, NR);
	x = must_open("file:in.pcapng");
	while (n < NR && xcap_next(x, &held[n], -1) == 1)
		n++;
	assert_int_equal(n, NR);
	records_seed(s, 2);
	for (int i = 0; i < n; i++) {
		records_next(s, &want);
		if (records_differ(&want, &held[i]))
			fail_msg("record %d: %s differs", i, records_differ(&want, &held[i]));
	}
	xcap_release(x, held, n);
	xcap_close(x);
	free(s);
	free(held);
}

static int run_writer(const char *name, int nr, useconds_t nap_us)
{
	int pid = fork();

	if (!pid) {
		int fd = open(name, O_WRONLY);

		write_records(fd, 3, nr, nap_us);
		_exit(0);
	}
	return pid;
}

static void a_slow_pipe_is_waited_for(void **state)
{
	struct xcap *x;
	int pid, nr, status;

	assert_int_equal(mkfifo("slow", 0600), 0);
	x = must_open("file:slow");	/* before there is a writer */
	pid = run_writer("slow", 101, 2000);
	assert_int_equal(read_back(x, 3, &nr), -ENODATA);
	assert_int_equal(nr, 101);
	xcap_close(x);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	unlink("slow");
}

static void a_fast_pipe_is_drained(void **state)
{
	struct xcap *x;
	int pid, nr, status;

	assert_int_equal(mkfifo("fast", 0600), 0);
	pid = run_writer("fast", NR, 0);
	x = must_open("file:fast");
	assert_int_equal(read_back(x, 3, &nr), -ENODATA);
	assert_int_equal(nr, NR);
	xcap_close(x);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	unlink("fast");
}

/* A quiet pipe costs the caller its timeout and no more. */
static void a_quiet_pipe_does_not_hang(void **state)
{
	struct xcap_record r;
	struct xcap *x;
	int fd;

	assert_int_equal(mkfifo("quiet", 0600), 0);
	fd = open("quiet", O_RDWR);
	x = must_open("file:quiet");
	assert_int_equal(xcap_next(x, &r, 0), 0);
	assert_int_equal(xcap_next(x, &r, 50), 0);
	close(fd);
	assert_int_equal(xcap_next(x, &r, 1000), -EBADMSG);
	assert_non_null(strstr(xcap_errmsg(x), "is empty"));
	xcap_close(x);
	unlink("quiet");
}

static void standard_input(void **state)
{
	int nr, keep = dup(0), fd;
	struct xcap *x;

	make_file(path, 4, 11);
	fd = open(path, O_RDONLY);
	dup2(fd, 0);
	x = must_open("-");
	assert_int_equal(read_back(x, 4, &nr), -ENODATA);
	assert_int_equal(nr, 11);
	xcap_close(x);
	assert_true(fcntl(0, F_GETFD) >= 0);	/* it is not ours to close */
	dup2(keep, 0);
	close(keep);
	close(fd);
}

static void two_files_merge_by_time(void **state)
{
	int64_t last = INT64_MIN;
	struct xcap_record r;
	struct xcap *x;
	int nr[2] = { 0 }, ret;

	make_file("a.pcapng", 5, 503);
	make_file("b.pcapng", 6, 509);
	x = must_open("file:a.pcapng,file:b.pcapng");
	while ((ret = xcap_next(x, &r, -1)) == 1) {
		assert_true(r.wall_ns >= last);
		last = r.wall_ns;
		nr[r.source]++;
		xcap_release(x, &r, 1);
	}
	assert_int_equal(ret, -ENODATA);
	assert_int_equal(nr[0], 503);
	assert_int_equal(nr[1], 509);
	xcap_close(x);
}

/* Files of others need not be in order: what steps back is late, and still comes. */
static void a_file_out_of_order(void **state)
{
	static const int order[] = { 1, 2, 5, 3, 4, 6 };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), nr_late = 0;
	struct xcap_stats st = { .sz = sizeof(st) };
	struct xcap_record r = { .type = XCAP_PACKET };
	static uint8_t buf[8192];
	struct xcap *x;

	write_all(fd, buf, pcapng_put_section(buf, "", "", ""));
	write_all(fd, buf, pcapng_put_interface(buf, 1, "eth0", ""));
	for (int i = 0; i < 6; i++) {
		r.wall_ns = RECORDS_EPOCH + order[i];
		write_all(fd, buf, put_record(buf, &r));
	}
	close(fd);
	x = must_open("file:in.pcapng");
	for (int i = 0; i < 6; i++) {
		assert_int_equal(xcap_next(x, &r, -1), 1);
		assert_int_equal(r.wall_ns, RECORDS_EPOCH + order[i]);
		nr_late += !!(r.flags & XCAP_REC_LATE);
		xcap_release(x, &r, 1);
	}
	assert_int_equal(xcap_next(x, &r, -1), -ENODATA);
	assert_int_equal(xcap_stats(x, -1, &st), 0);
	assert_int_equal(nr_late, 2);
	assert_int_equal(st.late, 2);
	assert_int_equal(st.out_of_order, 0);
	xcap_close(x);
}

/* Whatever the length, the whole records come, then the end or a sentence. */
static void a_file_that_was_cut(void **state)
{
	struct stat st;
	int nr, ret, most = 0;

	make_file(path, 9, 7);
	assert_int_equal(stat(path, &st), 0);
	for (off_t len = st.st_size; len > 0; len -= 13) {
		struct xcap *x;

		assert_int_equal(truncate(path, len), 0);
		ret = xcap_open(&x, "file:in.pcapng", NULL);
		if (ret) {
			assert_int_equal(ret, -EBADMSG);
			continue;
		}
		ret = read_back(x, 9, &nr);
		most = nr > most ? nr : most;
		assert_true(ret == -ENODATA || ret == -EBADMSG);
		if (ret == -EBADMSG)
			assert_non_null(strstr(xcap_errmsg(x), "in the middle of a block"));
		xcap_close(x);
	}
	assert_int_equal(most, 7);
}

static void a_damaged_file_gives_what_was_before(void **state)
{
	struct xcap *x;
	int nr, fd;

	make_file(path, 10, 50);
	fd = open(path, O_WRONLY | O_APPEND);
	write_all(fd, "\6\0\0\0\1\0\0\0\1\0\0\0", 12);
	write_records(fd, 10, 3, 0);
	close(fd);
	x = must_open("file:in.pcapng");
	assert_int_equal(read_back(x, 10, &nr), -EBADMSG);
	assert_int_equal(nr, 50);
	assert_non_null(strstr(xcap_errmsg(x), "in.pcapng is damaged at byte"));
	assert_non_null(strstr(xcap_errmsg(x), "the 50 records before it were read"));
	xcap_close(x);
}

static void what_cannot_be_read_is_refused(void **state)
{
	int fd = open("text", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	write_all(fd, "hello, world\n", 13);
	close(fd);
	close(open("empty", O_WRONLY | O_CREAT | O_TRUNC, 0644));
	mkdir("dir", 0700);
	expect_refused("file:text", -EBADMSG, "neither pcap nor pcapng");
	expect_refused("file:empty", -EBADMSG, "empty is empty");
	expect_refused("file:dir", -EISDIR, "is a directory");
	expect_refused("file:missing", -ENOENT, "cannot open missing");
	expect_refused("file:/dev/null", -EBADMSG, "is empty");
	rmdir("dir");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_to_its_end),
		cmocka_unit_test(lent_bytes_stay),
		cmocka_unit_test(a_slow_pipe_is_waited_for),
		cmocka_unit_test(a_fast_pipe_is_drained),
		cmocka_unit_test(a_quiet_pipe_does_not_hang),
		cmocka_unit_test(standard_input),
		cmocka_unit_test(two_files_merge_by_time),
		cmocka_unit_test(a_file_out_of_order),
		cmocka_unit_test(a_file_that_was_cut),
		cmocka_unit_test(a_damaged_file_gives_what_was_before),
		cmocka_unit_test(what_cannot_be_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
