// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what a kernel does with the frames of one AF_XDP queue, on rings in plain memory.
 * Out:  pass when the books of the queue never say what is not so.
 * Owns: the queue; it stands in for the kernel's counters and its grace period.
 * Runs on: one thread, no privilege.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "bpf_load.h"
#include "clock.h"
#include "xskq.h"

#define NR 64		/* chunks, and entries of each ring */
#define CHUNK 2048
#define KEEP 32
#define LO 1		/* an interface that is always there */

static struct xdp_statistics socket_counts;
static struct xcap_cpu counts;
static struct xskq q;
static struct error err;
static struct { uint32_t producer, consumer, flags; } rx, fill;
static struct xdp_desc rx_ring[NR];
static uint64_t fill_ring[NR];
static uint8_t area[NR * CHUNK];
static void (*while_awaiting)(void);
static int nr_awaited;

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	memcpy(value, &socket_counts, sizeof(socket_counts));
	return 0;
}

void bpf_load_await_running(void)
{
	nr_awaited++;
	if (while_awaiting)
		while_awaiting();
}

static int open_queue(void **state)
{
	socket_counts = (struct xdp_statistics){ 0 };
	counts = (struct xcap_cpu){ 0 };
	memset(&rx, 0, sizeof(rx));
	memset(&fill, 0, sizeof(fill));
	while_awaiting = NULL;
	nr_awaited = 0;
	q = (struct xskq){ .area = area, .snaplen = 65535, .counts = &counts, .err = &err,
			   .ifindex = LO, .fd = -1, .spec = "xsk:test", .in_order = true };
	q.mark_ns = clock_mono_ns();
	q.looked_ns = q.mark_ns + 3600 * NS_PER_SEC;	/* not because a test was interrupted */
	q.plain.type = XCAP_PACKET;
	q.rx = (struct xsk_ring_cons){ .mask = NR - 1, .size = NR, .producer = &rx.producer,
				       .consumer = &rx.consumer, .ring = rx_ring,
				       .flags = &rx.flags };
	q.fill = (struct xsk_ring_prod){ .mask = NR - 1, .size = NR, .cached_cons = NR,
					 .producer = &fill.producer, .consumer = &fill.consumer,
					 .ring = fill_ring, .flags = &fill.flags };
	return umem_pool_open(&q.pool, 0, NR, CHUNK, KEEP);
}

static int close_queue(void **state)
{
	xskq_close(&q);
	return 0;
}

static void pass(int64_t ns)
{
	int64_t until = clock_mono_ns() + ns;

	while (clock_mono_ns() < until)
		;
}

/* The program has run for so many frames. */
static void redirect(int n)
{
	counts.seen += n;
	counts.redirected += n;
}

/* So many of them reach the ring, stamped or not. */
static void deliver_as(int n, uint32_t magic)
{
	struct xcap_meta meta = { .magic = magic, .cpu = 3 };

	xskq_refill(&q);
	for (int i = 0; i < n; i++) {
		uint64_t addr = fill_ring[fill.consumer++ % NR] + 256;

		assert_true((int32_t)(fill.producer - fill.consumer) >= 0);
		meta.mono_ns = clock_mono_ns();
		memcpy(area + addr - sizeof(meta), &meta, sizeof(meta));
		rx_ring[rx.producer++ % NR] = (struct xdp_desc){ .addr = addr, .len = 60 };
	}
}

static void deliver(int n)
{
	deliver_as(n, XCAP_META_MAGIC);
}

static uint64_t dropped(int where)
{
	struct source_stats st = { 0 };

	xskq_stats(&q, &st);
	return st.dropped[where];
}

/* ---- the books ---- */

static void ten_arrive(void)
{
	deliver(10);
}

/* A guest was paused between the program's count and the ring: its frames are late, not lost. */
static void late_is_not_lost(void **state)
{
	struct xcap_record recs[NR];

	redirect(10);
	while_awaiting = ten_arrive;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	q.owed_ns = 1;		/* since long ago */
	q.idled_ns = 0;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	assert_int_equal(nr_awaited, 1);
	assert_int_equal(xskq_peek(&q, recs, NR), 10);
	assert_int_equal(recs[9].type, XCAP_PACKET);
	xskq_release(&q, 10);
	assert_int_equal(dropped(XCAP_DROP_REDIRECT), 0);
}

/* The poll is over and the ring empty: lost, and said once. */
static void what_never_comes_is_lost(void **state)
{
	struct xcap_record recs[NR];

	redirect(7);
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	q.owed_ns = 1;
	q.idled_ns = 0;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	assert_int_equal(xskq_peek(&q, recs, NR), 1);
	assert_int_equal(recs[0].type, XCAP_LOSS);
	assert_int_equal(recs[0].loss.where, XCAP_DROP_REDIRECT);
	assert_int_equal(recs[0].loss.count, 7);
	xskq_release(&q, 1);
	assert_int_equal(dropped(XCAP_DROP_REDIRECT), 7);
	assert_false(xskq_is_due(&q));
}

/* Counted while the grace period ran: not yet anybody's loss. */
static void three_are_redirected(void)
{
	redirect(3);
}

static void younger_frames_are_left_alone(void **state)
{
	struct xcap_record recs[NR];

	redirect(2);
	while_awaiting = three_are_redirected;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	q.owed_ns = 1;
	q.idled_ns = 0;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	assert_int_equal(dropped(XCAP_DROP_REDIRECT), 2);
	deliver(3);
	assert_int_equal(xskq_peek(&q, recs, NR), 4);
	assert_int_equal(recs[0].loss.count, 2);
	assert_int_equal(recs[3].type, XCAP_PACKET);
	xskq_release(&q, 4);
	assert_int_equal(dropped(XCAP_DROP_REDIRECT), 2);
}

/* Nothing runs any more: the end needs no waiting and leaves nothing open. */
static void the_end_closes_the_books(void **state)
{
	struct xcap_record recs[NR];

	redirect(9);
	deliver(4);
	socket_counts.rx_ring_full = 3;
	xskq_stop(&q);
	assert_true(xskq_is_due(&q));
	assert_int_equal(xskq_peek(&q, recs, NR), 4);
	assert_int_equal(xskq_peek(&q, recs, NR), 2);
	assert_int_equal(recs[0].loss.where, XCAP_DROP_XSK_RING_FULL);
	assert_int_equal(recs[0].loss.count, 3);
	assert_int_equal(recs[1].loss.where, XCAP_DROP_REDIRECT);
	assert_int_equal(recs[1].loss.count, 2);
	assert_int_equal(xskq_peek(&q, recs, NR), -ENODATA);
	assert_int_equal(xskq_watermark(&q), INT64_MAX);
	assert_false(xskq_is_due(&q));
}

/* The interface vanishes: what its last poll published comes before the reason. */
static void gone_but_complete(void **state)
{
	struct xcap_record recs[NR];

	q.ifindex = INT32_MAX;
	redirect(10);
	while_awaiting = ten_arrive;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	assert_true(xskq_is_due(&q));
	assert_int_equal(xskq_peek(&q, recs, NR), 10);
	assert_int_equal(xskq_peek(&q, recs, NR), -ENETDOWN);
	assert_int_equal(dropped(XCAP_DROP_REDIRECT), 0);
}

/* Its reader holds all it may: drops are learnt nonetheless, else the watermark stands still. */
static void starved_but_honest(void **state)
{
	struct xcap_record recs[NR];
	int64_t mark;

	redirect(NR - KEEP);
	deliver(NR - KEEP);
	assert_int_equal(xskq_peek(&q, recs, NR), NR - KEEP);
	redirect(5);
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	assert_true(q.starved);
	xskq_watermark(&q);
	socket_counts.rx_ring_full = 5;
	q.idled_ns = 0;
	pass(2 * CLOCK_MARGIN_NS);
	mark = clock_mono_ns() - CLOCK_MARGIN_NS;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	assert_true(xskq_watermark(&q) >= mark);
	assert_false(xskq_is_due(&q));

	/* and what is nowhere is not waited for on the CPU */
	redirect(1);
	assert_true(xskq_is_due(&q));
	q.idled_ns = 0;
	assert_int_equal(xskq_peek(&q, recs, NR), 0);
	q.owed_ns -= 10 * NS_PER_MS;
	assert_false(xskq_is_due(&q));

	/* the reader has room again: all is told */
	xskq_release(&q, NR - KEEP);
	deliver(1);
	assert_int_equal(xskq_peek(&q, recs, NR), 2);
	assert_int_equal(recs[0].loss.where, XCAP_DROP_XSK_RING_FULL);
	assert_int_equal(recs[0].loss.count, 5);
	assert_int_equal(recs[1].type, XCAP_PACKET);
}

/* ---- frames ---- */

static void without_a_stamp(void **state)
{
	int64_t before = clock_mono_ns();
	struct xcap_record recs[NR];

	redirect(2);
	deliver_as(1, XCAP_META_MAGIC);
	deliver_as(1, 0);
	assert_int_equal(xskq_peek(&q, recs, NR), 2);
	assert_int_equal(recs[0].cpu, 3);
	assert_int_equal(recs[1].cpu, XCAP_CPU_UNKNOWN);
	assert_true(recs[1].mono_ns >= recs[0].mono_ns && recs[1].mono_ns >= before);
}

/* The bytes of a joined frame that is still lent are not given away with those before it. */
static void released_twice(void **state)
{
	struct xcap_record recs[NR];
	struct joined *j = &q.joined;

	assert_int_equal(joined_open(j, 16 * CHUNK, q.pool.mask + 1), 0);
	redirect(3);
	deliver(2);
	assert_int_equal(xskq_peek(&q, recs, NR), 2);
	xskq_release(&q, 2);
	xskq_release(&q, 2);
	deliver(1);
	rx_ring[(rx.producer - 1) % NR].options = 1;	/* goes on in the next */
	deliver(1);
	assert_int_equal(xskq_peek(&q, recs, NR), 1);
	assert_true(recs[0].flags & XCAP_REC_JOINED);
	assert_true(j->head > j->tail);
	xskq_release(&q, 1);
	assert_true(j->head == j->tail && j->first == j->next);
}

/* ---- the watermark ---- */

/* The generic hook: of two frames counted on two CPUs the younger one came first. */
static void one_cpu_overtakes_another(void **state)
{
	struct xcap_record recs[NR];
	int64_t first, mark;

	q.in_order = false;
	q.trail_ns = 50 * NS_PER_MS;
	q.mark_ns = clock_mono_ns();
	redirect(1);
	first = clock_mono_ns();	/* its CPU is interrupted here, for less than the slack */
	pass(2 * CLOCK_MARGIN_NS);
	xskq_watermark(&q);
	redirect(1);
	deliver(1);
	assert_int_equal(xskq_peek(&q, recs, NR), 1);
	assert_true(xskq_watermark(&q) <= first);

	/* it comes, and what is older than the slack is known to be complete */
	deliver(1);
	assert_int_equal(xskq_peek(&q, recs, NR), 1);
	pass(q.trail_ns + NS_PER_MS);
	mark = xskq_watermark(&q);
	assert_true(mark > first && mark < clock_mono_ns() - q.trail_ns);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_queue, close_queue)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(late_is_not_lost),
		TEST(what_never_comes_is_lost),
		TEST(younger_frames_are_left_alone),
		TEST(the_end_closes_the_books),
		TEST(gone_but_complete),
		TEST(starved_but_honest),
		TEST(without_a_stamp),
		TEST(released_twice),
		TEST(one_cpu_overtakes_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
