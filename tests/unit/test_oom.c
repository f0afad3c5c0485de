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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <pcap/pcap.h>
#include <xcap.h>

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

static void make_file(void)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	struct pcap_pkthdr h = { .caplen = 60, .len = 60 };
	unsigned char frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45 };
	pcap_dumper_t *d;

	close(mkstemp(in));
	close(mkstemp(out));
	d = pcap_dump_open(dead, in);
	for (int i = 0; i < NR_PACKETS; i++) {
		h.ts.tv_sec = 1000 + i;
		pcap_dump((unsigned char *)d, &h, frame);
	}
	pcap_dump_close(d);
	pcap_close(dead);
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
