// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a stream over files, dressed up as a live one, and random records.
 * Out:  that what a sink writes is complete, readable, and whole when it is cut off.
 * Owns: files in the directory it runs in.
 * Runs on: no root; one more process to be killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "pcapng.h"
#include "records.h"
#include "sink.h"
#include "stream.h"

#define NR 10007	/* prime */

static const char seed_pcap[] =
	"\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0";

static void make_seed(void)
{
	int fd = open("seed.pcap", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_int_equal(write(fd, seed_pcap, sizeof(seed_pcap)), sizeof(seed_pcap));
	close(fd);
}

static void dress(struct xcap *x, int i, const char *spec, const char *mode, uint32_t linktype)
{
	snprintf(x->sources[i]->spec, sizeof(x->sources[i]->spec), "%s", spec);
	snprintf(x->sources[i]->mode, sizeof(x->sources[i]->mode), "%s", mode);
	x->sources[i]->linktype = linktype;
}

/* Three sources: Ethernet, one that has only IP, syscalls. */
static struct xcap *live_stream(void)
{
	struct xcap *x;

	make_seed();
	if (xcap_open(&x, "file:seed.pcap,file:seed.pcap,file:seed.pcap", NULL))
		fail_msg("%s", xcap_errmsg(NULL));
	dress(x, 0, "tap:eth0?snaplen=64", "tap tcx", 1);
	dress(x, 1, "tap:wg0", "tap tcx", 101);
	dress(x, 2, "syscalls", "syscalls", 1);
	return x;
}

static struct xcap_sink *must_open_sink(const char *spec, struct xcap *x)
{
	struct xcap_sink *s;

	if (xcap_sink_open(&s, spec, x))
		fail_msg("%s: %s", spec, xcap_errmsg(x));
	return s;
}

static void expect_said(struct xcap *x, const char *words)
{
	if (!strstr(xcap_errmsg(x), words))
		fail_msg("'%s' says nothing of '%s'", xcap_errmsg(x), words);
}

static void put_random(struct xcap_sink *sink, uint64_t seed, int nr)
{
	struct records *s = malloc(sizeof(*s));
	struct xcap_record r;

	records_seed(s, seed);
	for (int i = 0; i < nr; i++) {
		records_next(s, &r);
		r.source = r.type == XCAP_PACKET || r.type == XCAP_LOSS ? 0 : 2;
		assert_int_equal(xcap_sink_put(sink, &r, 1), 0);
	}
	free(s);
}

/* Compare a file with what the seed makes. Return: how reading ended. */
static int read_back(const char *spec, uint64_t seed, int *nr)
{
	struct records *s = malloc(sizeof(*s));
	struct xcap_record want, r;
	struct xcap *x;
	int ret;

	*nr = 0;
	ret = xcap_open(&x, spec, NULL);
	if (ret)
		return ret;
	records_seed(s, seed);
	while ((ret = xcap_next(x, &r, -1)) == 1) {
		records_next(s, &want);
		if (records_differ(&want, &r))
			fail_msg("record %d: %s differs", *nr, records_differ(&want, &r));
		if (records_differ_by_process(&want, &r))
			fail_msg("record %d: %s differs", *nr, records_differ_by_process(&want, &r));
		xcap_release(x, &r, 1);
		++*nr;
	}
	xcap_close(x);
	free(s);
	return ret;
}

static void a_stream_comes_back(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_sink *s = must_open_sink("pcapng:out.pcapng", x);
	int nr;

	put_random(s, 1, NR);
	assert_int_equal(xcap_sink_close(s), 0);
	xcap_close(x);
	assert_int_equal(read_back("file:out.pcapng", 1, &nr), -ENODATA);
	assert_int_equal(nr, NR);
	unlink("out.pcapng");
}

/* ---- what stands in the blocks ---- */

static uint8_t *slurp(const char *name, size_t *len)
{
	int fd = open(name, O_RDONLY);
	struct stat st;
	uint8_t *p;

	assert_true(fd >= 0);
	fstat(fd, &st);
	p = malloc(st.st_size);
	*len = read(fd, p, st.st_size);
	assert_int_equal(*len, st.st_size);
	close(fd);
	return p;
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

/* The n-th block of a type, or NULL. */
static const uint8_t *block(const uint8_t *p, size_t len, uint32_t type, int n)
{
	for (size_t at = 0; at < len; at += u32(p + at + 4))
		if (u32(p + at) == type && !n--)
			return p + at;
	return NULL;
}

/* Value of an option; fixed: length of the part before options, block header included. */
static const uint8_t *option(const uint8_t *b, size_t fixed, uint16_t code, uint16_t *len)
{
	const uint8_t *p = b + fixed, *end = b + u32(b + 4) - 4;
	uint16_t head[2];

	while (p + 4 <= end) {
		memcpy(head, p, 4);
		if (!head[0])
			return NULL;
		if (head[0] == code) {
			*len = head[1];
			return p + 4;
		}
		p += 4 + (head[1] + 3) / 4 * 4;
	}
	return NULL;
}

static void expect_text(const uint8_t *b, size_t fixed, uint16_t code, const char *want)
{
	uint16_t len = 0;
	const uint8_t *p = option(b, fixed, code, &len);

	assert_non_null(p);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(p, want, len);
}

static void expect_u64(const uint8_t *b, size_t fixed, uint16_t code, uint64_t want)
{
	uint16_t len = 0;
	const uint8_t *p = option(b, fixed, code, &len);
	uint64_t v;

	assert_non_null(p);
	assert_int_equal(len, 8);
	memcpy(&v, p, 8);
	assert_int_equal(v, want);
}

static void packets_of(struct xcap_record *r, uint16_t source, uint32_t linktype, const char *data)
{
	*r = (struct xcap_record) {
		.type = XCAP_PACKET, .source = source, .wall_ns = RECORDS_EPOCH,
		.data = (const __u8 *)data, .caplen = strlen(data), .len = strlen(data),
		.direction = XCAP_DIR_IN, .packet.linktype = linktype,
	};
}

static void interfaces_losses_and_counts(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_sink *s = must_open_sink("out.pcapng", x);
	struct xcap_record r[5];
	const uint8_t *b;
	uint8_t *p;
	uint16_t n;
	size_t len;

	packets_of(&r[0], 0, 1, "ethernet frame one");
	r[1] = (struct xcap_record) {
		.type = XCAP_LOSS, .source = 0, .wall_ns = RECORDS_EPOCH,
		.loss = { .count = 120, .where = XCAP_DROP_RING_FULL },
	};
	r[2] = r[1];
	r[2].loss.count = 3;
	packets_of(&r[3], 0, 1, "ethernet frame two");
	r[3].pid = 12;
	r[3].tid = 13;
	packets_of(&r[4], 1, 101, "\x45ip");
	assert_int_equal(xcap_sink_put(s, r, 5), 0);
	x->counts[0] = (struct xcap_stats) { .delivered = 2 };
	assert_int_equal(xcap_sink_close(s), 0);
	p = slurp("out.pcapng", &len);

	b = block(p, len, PCAPNG_IDB, 0);
	expect_text(b, 16, 2, "eth0");
	expect_text(b, 16, 3, "tap:eth0?snaplen=64");
	for (int i = 0; i < 3; i++) {	/* libpcap wants them alike */
		b = block(p, len, PCAPNG_IDB, i);
		assert_int_equal(u32(b + 8), 1);
		assert_int_equal(u32(b + 12), PCAPNG_SNAPLEN);
		assert_int_equal(*option(b, 16, 9, &n), 9);
	}
	assert_null(block(p, len, PCAPNG_IDB, 3));
	assert_null(option(block(p, len, PCAPNG_EPB, 0), 28 + 20, 4, &n));
	b = block(p, len, PCAPNG_EPB, 1);
	expect_u64(b, 28 + 20, 4, 123);
	expect_u64(b, 28 + 20, 8, 12 | 13ull << 32);
	assert_int_equal(u32(option(b, 28 + 20, 2, &n)), 1);
	b = block(p, len, PCAPNG_EPB, 2);	/* an IP packet in an Ethernet frame */
	assert_int_equal(u32(b + 8), 1);
	assert_int_equal(u32(b + 20), 14 + 3);
	assert_memory_equal(b + 28, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45ip", 17);
	b = block(p, len, PCAPNG_JOURNAL, 0);
	assert_non_null(strstr((const char *)b + 8,
			       "MESSAGE=xcap: lost 120 records at ring_full on tap:eth0"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(u32(block(p, len, PCAPNG_ISB, i) + 8), i);
	expect_u64(block(p, len, PCAPNG_ISB, 0), 20, 8, 2);
	free(p);
	xcap_close(x);
	unlink("out.pcapng");
}

/* The accounts of an interface add up as those of a source do. */
static void stats_of(struct source *s, struct source_stats *st)
{
	*st = (struct source_stats) {
		.seen = 1000, .filtered = 100,
		.dropped = { [XCAP_DROP_NIC_MISSED] = 10, [XCAP_DROP_RING_FULL] = 5,
			     [XCAP_DROP_HELD] = 2 },
	};
}

static void counts_add_up(void **state)
{
	struct xcap *x = live_stream();
	struct source_ops ops = *x->sources[0]->ops;
	struct xcap_sink *s = must_open_sink("out.pcapng", x);
	const uint8_t *b;
	uint8_t *p;
	size_t len;

	ops.stats = stats_of;
	x->sources[0]->ops = &ops;
	x->counts[0].delivered = 883;
	assert_int_equal(xcap_sink_close(s), 0);
	p = slurp("out.pcapng", &len);
	b = block(p, len, PCAPNG_ISB, 0);
	expect_u64(b, 20, 4, 1000);
	expect_u64(b, 20, 5, 10);
	expect_u64(b, 20, 6, 890);
	expect_u64(b, 20, 7, 7);
	expect_u64(b, 20, 8, 883);
	free(p);
	xcap_close(x);
	unlink("out.pcapng");
}

/* What a sink could not get rid of is in another place, and the sum stays. */
static void what_is_taken_back(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_stats *c = &x->counts[0], none = { 0 };
	struct xcap_record r;

	packets_of(&r, 1, 1, "a frame");
	r.source = 0;
	accounts_count(x, &r, 1);
	assert_int_equal(c->delivered, 1);
	accounts_take_back(x, &r, XCAP_DROP_REFUSED);
	assert_int_equal(c->dropped[XCAP_DROP_REFUSED], 1);
	accounts_count(x, &r, 1);
	accounts_take_back(x, &r, SINK_FILTERED);
	assert_int_equal(c->filtered, 1);
	assert_int_equal(c->delivered + c->packets + c->bytes + c->late, 0);
	*c = none;
	r.type = XCAP_LOSS;
	accounts_count(x, &r, 1);
	accounts_take_back(x, &r, XCAP_DROP_REFUSED);
	assert_int_equal(c->losses, 1);
	assert_int_equal(c->dropped[XCAP_DROP_REFUSED], 0);
	xcap_close(x);
}

static void link_types_become_ethernet(void **state)
{
	static const struct { uint32_t linktype; const char *in; size_t in_len; const char *out;
			      size_t out_len; } rows[] = {
		{ 101, "\x60v6", 3, "\0\0\0\0\0\0\0\0\0\0\0\0\x86\xdd\x60v6", 17 },
		{ 228, "\x45v4", 3, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45v4", 17 },
		{ 0, "\2\0\0\0\x45lo", 7, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45lo", 17 },
		{ 113, "\0\4\0\1\0\6abcdef\0\0\x08\6arp", 19, "\0\0\0\0\0\0abcdef\x08\6arp", 17 },
		{ 276, "\x08\6\0\0\0\0\0\1\0\1\0\6abcdef\0\0arp", 23,
		  "\0\0\0\0\0\0abcdef\x08\6arp", 17 },
		{ 101, "", 0, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0", 14 },
	};
	struct xcap *x = live_stream();
	struct xcap_sink *s = must_open_sink("out.pcapng", x);
	struct xcap_record r;
	const uint8_t *b;
	uint8_t *p;
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		packets_of(&r, 1, rows[i].linktype, "");
		r.data = (const __u8 *)rows[i].in;
		r.caplen = rows[i].in_len;
		r.len = r.caplen + 1000;
		assert_int_equal(xcap_sink_put(s, &r, 1), 0);
	}
	packets_of(&r, 1, 105, "802.11");
	assert_int_equal(xcap_sink_put(s, &r, 1), -EOPNOTSUPP);
	expect_said(x, "link type 105");
	assert_int_equal(xcap_sink_close(s), 0);
	p = slurp("out.pcapng", &len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b = block(p, len, PCAPNG_EPB, i);
		assert_int_equal(u32(b + 20), rows[i].out_len);
		assert_int_equal(u32(b + 24), rows[i].out_len + 1000);
		assert_memory_equal(b + 28, rows[i].out, rows[i].out_len);
	}
	assert_null(block(p, len, PCAPNG_EPB, 6));
	free(p);
	xcap_close(x);
	unlink("out.pcapng");
}

/* Who looks at a file while it is written is at most a second behind the stream. */
static void a_second_of_the_stream_is_flushed(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_sink *s = must_open_sink("out.pcapng", x);
	struct xcap_record r;
	struct stat st[5];

	stat("out.pcapng", &st[0]);
	assert_true(st[0].st_size > 0);		/* the header */
	for (int i = 1; i < 4; i++) {
		packets_of(&r, 0, 1, "a frame");
		r.wall_ns += i * 400000000ll;
		assert_int_equal(xcap_sink_put(s, &r, 1), 0);
		stat("out.pcapng", &st[i]);
	}
	assert_true(st[1].st_size > st[0].st_size);
	assert_int_equal(st[2].st_size, st[1].st_size);
	assert_int_equal(st[3].st_size, st[1].st_size);
	r.wall_ns += 200000000;
	assert_int_equal(xcap_sink_put(s, &r, 1), 0);
	stat("out.pcapng", &st[4]);
	assert_int_equal(st[4].st_size - st[1].st_size, 3 * (st[1].st_size - st[0].st_size));
	assert_int_equal(xcap_sink_put(s, &r, 1), 0);
	assert_int_equal(xcap_sink_flush(s), 0);
	stat("out.pcapng", &st[1]);
	assert_true(st[1].st_size > st[4].st_size);
	assert_int_equal(xcap_sink_close(s), 0);
	xcap_close(x);
	unlink("out.pcapng");
}

/* ---- what goes wrong ---- */

static void a_reader_that_leaves(void **state)
{
	struct xcap *x = live_stream();
	int fds[2], keep = dup(1), ret = 0;
	struct xcap_record r;
	struct xcap_sink *s;

	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	dup2(fds[1], 1);
	close(fds[1]);
	ret = xcap_sink_open(&s, "-", x);
	close(fds[0]);
	packets_of(&r, 0, 1, "nobody reads this");
	if (!ret) {
		xcap_sink_put(s, &r, 1);
		ret = xcap_sink_flush(s);	/* SIGPIPE has its default: we are still here */
	}
	dup2(keep, 1);
	close(keep);
	assert_int_equal(ret, -EPIPE);
	expect_said(x, "the reader of standard output is gone");
	assert_int_equal(xcap_sink_put(s, &r, 1), -EPIPE);
	assert_int_equal(xcap_sink_close(s), -EPIPE);
	xcap_close(x);
}

static void a_full_device(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_sink *s;

	assert_int_equal(xcap_sink_open(&s, "/dev/full", x), -ENOSPC);
	expect_said(x, "cannot write /dev/full: No space left on device");
	xcap_close(x);
}

#define DISK_BYTES 1000003

/* Put records of seed 5 until files may grow no more. Return: how it ended. */
static int put_until_full(struct xcap_sink *s, int *put)
{
	struct records *rs = malloc(sizeof(*rs));
	struct rlimit old, limit;
	struct xcap_record r;
	int err = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = (struct rlimit) { .rlim_cur = DISK_BYTES, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	records_seed(rs, 5);
	for (*put = 0; !err && *put < 100000; ++*put) {
		records_next(rs, &r);
		r.source = 0;
		err = xcap_sink_put(s, &r, 1);
	}
	setrlimit(RLIMIT_FSIZE, &old);
	free(rs);
	return err;
}

/* What the sentence says can be read. */
static size_t promised(struct xcap *x)
{
	const char *words = strstr(xcap_errmsg(x), "; the first ");

	if (!words)
		fail_msg("'%s' says nothing of what can be read", xcap_errmsg(x));
	return strtoul(words + strlen("; the first "), NULL, 10);
}

/* A disk that fills up in the middle of a block: the file ends before it. */
static void a_disk_that_fills_up(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_sink *s = must_open_sink("out.pcapng", x);
	struct stat st;
	int nr, put;

	assert_int_equal(put_until_full(s, &put), -EFBIG);
	expect_said(x, "cannot write out.pcapng");
	assert_int_equal(xcap_sink_close(s), -EFBIG);
	assert_int_equal(stat("out.pcapng", &st), 0);
	assert_true(st.st_size <= DISK_BYTES && st.st_size > DISK_BYTES - 8192);
	assert_int_equal(st.st_size, promised(x));
	xcap_close(x);
	assert_int_equal(read_back("file:out.pcapng", 5, &nr), -ENODATA);
	assert_true(nr > 100 && nr < put);
	unlink("out.pcapng");
}

/* Standard output is the user's file: nothing in it is cut, and the sentence holds. */
static void fill_standard_output(int flags, size_t before)
{
	struct xcap *x = live_stream();
	int fd, keep = dup(1), err, closed = 0, nr, put;
	char *log = malloc(before);
	struct xcap_sink *s;
	size_t len, whole;
	uint8_t *p;

	memset(log, 'l', before);
	fd = open("log", O_RDWR | O_CREAT | O_TRUNC, 0644);
	assert_int_equal(write(fd, log, before), before);
	close(fd);
	fd = open("log", O_WRONLY | flags);
	if (!(flags & O_APPEND))
		lseek(fd, before, SEEK_SET);
	fflush(stdout);
	dup2(fd, 1);
	err = xcap_sink_open(&s, "-", x);
	if (!err) {
		err = put_until_full(s, &put);
		closed = xcap_sink_close(s);
	}
	dup2(keep, 1);
	close(keep);
	close(fd);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(closed, -EFBIG);
	expect_said(x, "cannot write standard output");
	p = slurp("log", &len);
	assert_int_equal(len, DISK_BYTES);
	assert_memory_equal(p, log, before);
	whole = promised(x);
	assert_true(before + whole <= len && before + whole > len - 8192);
	fd = open("out.pcapng", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_int_equal(write(fd, p + before, whole), whole);
	close(fd);
	xcap_close(x);
	assert_int_equal(read_back("file:out.pcapng", 5, &nr), -ENODATA);
	assert_true(nr > 100 && nr < put);
	free(p);
	free(log);
	unlink("log");
	unlink("out.pcapng");
}

static void a_log_that_fills_up(void **state)
{
	fill_standard_output(O_APPEND, 100000);	/* >> log */
	fill_standard_output(0, 1);		/* { echo; xcap -w -; } > log */
}

/* Without a standard output a file may get its number: it is a file all the same. */
static void a_file_that_is_descriptor_one(void **state)
{
	struct xcap *x = live_stream();
	struct xcap_sink *s = must_open_sink("want.pcapng", x);
	int fd = open("out.pcapng", O_WRONLY | O_CREAT | O_TRUNC, 0644), keep, err, open_after;
	struct stat want, st;

	assert_int_equal(xcap_sink_close(s), 0);
	assert_int_equal(ftruncate(fd, 100000), 0);	/* an older capture */
	close(fd);
	fflush(stdout);
	keep = dup(1);
	close(1);
	err = xcap_sink_open(&s, "out.pcapng", x);
	if (!err)
		err = xcap_sink_close(s);
	open_after = !fstat(1, &st);
	dup2(keep, 1);
	close(keep);
	assert_int_equal(err, 0);
	assert_false(open_after);
	assert_int_equal(stat("want.pcapng", &want), 0);
	assert_int_equal(stat("out.pcapng", &st), 0);
	assert_int_equal(st.st_size, want.st_size);
	xcap_close(x);
	unlink("want.pcapng");
	unlink("out.pcapng");
}

/* Killed at any moment, what was flushed is there, and reads up to the last block. */
static void a_writer_that_is_killed(void **state)
{
	int nr, pid, ret, total = 0;
	struct stat st = { 0 };

	for (int i = 0; i < 10; i++) {
		unlink("out.pcapng");
		pid = fork();
		if (!pid) {
			struct xcap *x = live_stream();

			put_random(must_open_sink("out.pcapng", x), 6, 1 << 30);
			_exit(0);
		}
		while (stat("out.pcapng", &st) || st.st_size < 65536)
			usleep(100);
		assert_int_equal(st.st_mode & 0777, 0600);
		usleep(3001 * (i + 1));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ret = read_back("file:out.pcapng", 6, &nr);
		assert_true(ret == -ENODATA || ret == -EBADMSG);
		total += nr;
	}
	assert_true(total > 100);
	unlink("out.pcapng");
}

static void what_cannot_be_written_is_refused(void **state)
{
	struct xcap *x = live_stream();
	int pty = posix_openpt(O_RDWR | O_NOCTTY);
	struct xcap_record r = { .type = 77 };
	struct xcap_sink *s;

	assert_int_equal(xcap_sink_open(&s, "", x), -EINVAL);
	assert_int_equal(xcap_sink_open(&s, "no/such/dir", x), -ENOENT);
	expect_said(x, "cannot write no/such/dir: No such file");
	if (pty >= 0 && !grantpt(pty) && !unlockpt(pty)) {
		assert_int_equal(xcap_sink_open(&s, ptsname(pty), x), -EINVAL);
		expect_said(x, "is a terminal");
	}
	close(pty);
	s = must_open_sink("odd:name.pcapng", x);	/* no scheme: a file's name */
	assert_int_equal(xcap_sink_put(s, &r, 1), -EINVAL);
	r.source = 3;
	assert_int_equal(xcap_sink_put(s, &r, 1), -EINVAL);
	assert_int_equal(xcap_sink_close(s), 0);
	assert_int_equal(xcap_sink_close(NULL), 0);
	assert_int_equal(unlink("odd:name.pcapng"), 0);
	xcap_close(x);
}

/* Writing what spec reads to path must be refused, and leave path as it was. */
static void expect_own_input(const char *spec, const char *path, const char *name)
{
	size_t len = 0, was_len = 0;
	struct xcap_sink *s = NULL;
	uint8_t *was, *p;
	struct xcap *x;
	int err;

	was = slurp(name, &was_len);
	assert_int_equal(xcap_open(&x, spec, NULL), 0);
	fflush(stdout);
	err = xcap_sink_open(&s, path, x);
	if (!err)
		xcap_sink_close(s);
	p = slurp(name, &len);
	assert_int_equal(len, was_len);
	assert_memory_equal(p, was, len);
	assert_int_equal(err, -EINVAL);
	expect_said(x, "being read");
	xcap_close(x);
	free(was);
	free(p);
}

static void what_is_read_is_not_written(void **state)
{
	int keep, fd;

	make_seed();
	expect_own_input("file:seed.pcap", "seed.pcap", "seed.pcap");
	assert_int_equal(link("seed.pcap", "other.pcap"), 0);
	expect_own_input("file:seed.pcap", "other.pcap", "seed.pcap");
	unlink("other.pcap");

	fd = open("seed.pcap", O_RDONLY);	/* -r - -w seed.pcap < seed.pcap */
	keep = dup(0);
	dup2(fd, 0);
	close(fd);
	expect_own_input("-", "seed.pcap", "seed.pcap");
	dup2(keep, 0);
	close(keep);
}

/* A path that the canonical spec has no room for. */
static void nor_under_a_long_name(void **state)
{
	char dir[201], path[500], spec[510];

	make_seed();
	memset(dir, 'd', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/%s", dir, dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/seed.pcap", dir, dir);
	snprintf(spec, sizeof(spec), "file:%s", path);
	assert_int_equal(link("seed.pcap", path), 0);
	expect_own_input(spec, path, "seed.pcap");
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(dir);
}

/* -r seed.pcap -w - >> seed.pcap would read what it writes, and never end. */
static void nor_by_standard_output(void **state)
{
	struct xcap_sink *s = NULL;
	int keep = dup(1), fd, err;
	struct stat st;
	struct xcap *x;

	make_seed();
	assert_int_equal(xcap_open(&x, "file:seed.pcap", NULL), 0);
	fd = open("seed.pcap", O_WRONLY | O_APPEND);
	fflush(stdout);
	dup2(fd, 1);
	close(fd);
	err = xcap_sink_open(&s, "-", x);
	if (!err)
		xcap_sink_close(s);
	dup2(keep, 1);
	close(keep);
	assert_int_equal(err, -EINVAL);
	expect_said(x, "standard output is a file being read");
	assert_int_equal(stat("seed.pcap", &st), 0);
	assert_int_equal(st.st_size, sizeof(seed_pcap));
	xcap_close(x);
}

/* Copying a file of another link type changes nothing. */
static void a_file_keeps_its_link_type(void **state)
{
	static const char pcap[] = "\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x69\0\0\0"
		"\1\0\0\0\2\0\0\0\5\0\0\0\5\0\0\0hello";
	int fd = open("wifi.pcap", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	struct xcap_record r;
	struct xcap_sink *s;
	struct xcap *x;

	assert_int_equal(write(fd, pcap, sizeof(pcap) - 1), sizeof(pcap) - 1);
	close(fd);
	assert_int_equal(xcap_open(&x, "file:wifi.pcap", NULL), 0);
	s = must_open_sink("wifi.pcapng", x);
	assert_int_equal(xcap_next(x, &r, -1), 1);
	assert_int_equal(xcap_sink_put(s, &r, 1), 0);
	xcap_release(x, &r, 1);
	assert_int_equal(xcap_sink_close(s), 0);
	xcap_close(x);
	assert_int_equal(xcap_open(&x, "file:wifi.pcapng", NULL), 0);
	assert_int_equal(xcap_next(x, &r, -1), 1);
	assert_int_equal(r.packet.linktype, 105);
	assert_int_equal(r.wall_ns, 1000002000);
	assert_int_equal(r.caplen, 5);
	assert_memory_equal(r.data, "hello", 5);
	xcap_close(x);
	unlink("wifi.pcap");
	unlink("wifi.pcapng");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_comes_back),
		cmocka_unit_test(interfaces_losses_and_counts),
		cmocka_unit_test(counts_add_up),
		cmocka_unit_test(what_is_taken_back),
		cmocka_unit_test(link_types_become_ethernet),
		cmocka_unit_test(a_second_of_the_stream_is_flushed),
		cmocka_unit_test(a_reader_that_leaves),
		cmocka_unit_test(a_full_device),
		cmocka_unit_test(a_disk_that_fills_up),
		cmocka_unit_test(a_log_that_fills_up),
		cmocka_unit_test(a_file_that_is_descriptor_one),
		cmocka_unit_test(a_writer_that_is_killed),
		cmocka_unit_test(what_cannot_be_written_is_refused),
		cmocka_unit_test(what_is_read_is_not_written),
		cmocka_unit_test(nor_under_a_long_name),
		cmocka_unit_test(nor_by_standard_output),
		cmocka_unit_test(a_file_keeps_its_link_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
