// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a capture file read from open to end, and written again, with every
 *       allocation failing in turn.
 * Out:  that each failure is -ENOMEM or does no harm, with no leak (under ASan) and no crash.
 * Owns: nothing.
 * Runs on: no root, no kernel state. Linked with --wrap for the allocators.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "pcapng.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static long countdown = -1;	/* allocations until one fails; negative: none does */
static int failed;

static int fails(void)
{
	if (countdown < 0 || countdown--)
		return 0;
	failed = 1;
	errno = ENOMEM;
	return 1;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

#define NR_PACKETS 211

static char in[] = "/tmp/test_oom_in_XXXXXX", out[] = "/tmp/test_oom_out_XXXXXX";

static void put(int fd, const uint8_t *block, size_t len)
{
	assert_int_equal(write(fd, block, len), len);
}

/* Packets of processes that blocks tell of, and of those that comments do. */
static void make_file(void)
{
	static uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
	static uint8_t b[PCAPNG_SNAPLEN];
	struct xcap_process p = { .ppid = 1, .exe = "/bin/x", .args = "x", .args_len = 2 };
	struct xcap_cgroup g = { .id = 5, .path = "/docker", .runtime = "", .container = "abc",
				 .container_name = "", .pod = "", .unit = "" };
	struct xcap_record r = {
		.type = XCAP_PACKET, .data = frame, .caplen = 60, .len = 60, .comm = "x",
		.packet.linktype = 1,
	};
	struct pcapng_frame f = { 0 };
	int fd = mkstemp(in);

	close(mkstemp(out));
	put(fd, b, pcapng_put_section(b, "", "", ""));
	put(fd, b, pcapng_put_interface(b, 1, "eth0", ""));
	for (int i = 0; i < NR_PACKETS; i++) {
		r.wall_ns = 1000000000000ll + i;
		r.pid = r.tid = p.pid = i / 10;
		r.process = r.pid ? &p : NULL;
		r.cgroup = r.pid ? &g : NULL;
		r.cgroup_id = r.pid % 3;
		g.id = r.pid % 3;
		f.comments = r.pid % 2;
		if (r.pid && !f.comments && i % 10 == 0)
			put(fd, b, pcapng_put_process(b, &r));
		put(fd, b, pcapng_put_packet(b, &r, &f));
	}
	close(fd);
}

static int copy_all(struct xcap *x, struct xcap_sink *sink)
{
	struct xcap_record recs[16];
	int n, ret, total = 0;

	while ((n = xcap_next_batch(x, recs, 16, 1000)) > 0) {
		ret = xcap_sink_put(sink, recs, n);
		xcap_release(x, recs, n);
		if (ret)
			return ret;
		total += n;
	}
	return n == -ENODATA ? total : n;
}

/* Return: records copied, or -errno of whatever failed first. */
static int run(void)
{
	struct xcap_opts o = { .sz = sizeof(o), .filter = "ether[0] = 2" };
	struct xcap_sink *sink = NULL;
	struct xcap *x = NULL;
	char spec[64];
	int ret, closed;

	snprintf(spec, sizeof(spec), "file:%s", in);
	ret = xcap_open(&x, spec, &o);
	if (ret) {
		assert_null(x);
		assert_true(xcap_errmsg(NULL)[0]);
		return ret;
	}
	ret = xcap_sink_open(&sink, out, x);
	if (!ret)
		ret = copy_all(x, sink);
	else
		assert_null(sink);
	closed = xcap_sink_close(sink);
	xcap_close(x);
	return closed < 0 ? closed : ret;
}

static void every_allocation_may_fail(void **state)
{
	int n, ret;

	for (n = 0; ; n++) {
		assert_in_range(n, 0, 1000);
		failed = 0;
		countdown = n;
		ret = run();
		countdown = -1;
		if (!failed)
			break;
		/* libpcap does not say what it was that it could not do */
		if (ret != -ENOMEM && ret != -EINVAL && ret != NR_PACKETS)
			fail_msg("allocation %d failed: %d", n, ret);
	}
	assert_int_equal(ret, NR_PACKETS);
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_allocation_may_fail) };
	int ret;

	make_file();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(in);
	unlink(out);
	return ret;
}
