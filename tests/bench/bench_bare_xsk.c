// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   frames of one veth queue, by AF_XDP in copy mode: bench_bare_xsk poll|busy 0|1(stamp).
 * Out:  a count. The shortest loop that AF_XDP allows: the library is compared with it.
 * Owns: socket, UMEM and program link, until the driver says stop.
 * Runs on: the reading CPU.
 */
#define _GNU_SOURCE
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>
#include <xdp/xsk.h>
#include "bench.h"
#include "bench_packets.skel.h"

/* As the library opens one queue (xsk_conf.c). */
enum { RING_SIZE = 8192, CHUNK_SIZE = 2048, UMEM_SIZE = RING_SIZE * CHUNK_SIZE, BATCH = 256 };

struct bare {
	struct xsk_ring_prod fill;
	struct xsk_ring_cons comp, rx;
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	char *area;
	uint64_t received, times;
};

/* The whole UMEM goes to the fill ring. Return: 0 or -errno. */
static int bare_bind(struct bare *b)
{
	struct xsk_umem_config umem = { .fill_size = RING_SIZE, .comp_size = RING_SIZE,
					.frame_size = CHUNK_SIZE };
	struct xsk_socket_config socket = { .rx_size = RING_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP };
	uint32_t first, i;
	int res;

	memset(&b->fill, 0, sizeof(b->fill));	/* libxdp does not begin again by itself */
	res = xsk_umem__create(&b->umem, b->area, UMEM_SIZE, &b->fill, &b->comp, &umem);
	if (res)
		return res;
	if (xsk_ring_prod__reserve(&b->fill, RING_SIZE, &first) != RING_SIZE)
		errx(1, "fill ring");
	for (i = 0; i < RING_SIZE; i++)
		*xsk_ring_prod__fill_addr(&b->fill, first + i) = (uint64_t)i * CHUNK_SIZE;
	xsk_ring_prod__submit(&b->fill, RING_SIZE);
	res = xsk_socket__create(&b->xsk, BENCH_NIC, 0, b->umem, &b->rx, NULL, &socket);
	if (res)
		xsk_umem__delete(b->umem);
	return res;
}

/* The kernel gives a queue back some time after its last socket was closed. */
static void bare_open(struct bare *b)
{
	int res, tries = 200;

	b->area = mmap(NULL, UMEM_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->area == MAP_FAILED)
		err(1, "UMEM");
	while ((res = bare_bind(b)) == -EBUSY && --tries)
		usleep(10000);
	errno = -res;
	if (res)
		err(1, "AF_XDP socket");
}

/* Reads each frame's first bytes, and its time where there is one; gives the chunk back. */
static uint32_t bare_batch(struct bare *b)
{
	uint32_t rx, fill, i, nr = xsk_ring_cons__peek(&b->rx, BATCH, &rx);

	if (!nr)
		return 0;
	while (xsk_ring_prod__reserve(&b->fill, nr, &fill) != nr)
		;	/* the kernel tells what it took from it a moment later */
	for (i = 0; i < nr; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&b->rx, rx + i);
		const char *frame = xsk_umem__get_data(b->area, desc->addr);
		const struct bench_stamp *stamp = (const void *)(frame - sizeof(*stamp));

		b->times += stamp->magic == BENCH_MAGIC ? stamp->mono_ns : (uint8_t)frame[0];
		*xsk_ring_prod__fill_addr(&b->fill, fill + i) =
			xsk_umem__extract_addr(desc->addr) & ~(uint64_t)(CHUNK_SIZE - 1);
	}
	xsk_ring_prod__submit(&b->fill, nr);
	xsk_ring_cons__release(&b->rx, nr);
	b->received += nr;
	return nr;
}

int main(int argc, char **argv)
{
	struct bench_share *share = bench_share_map(BENCH_SHARE_FD);
	struct bench_packets_bpf *skel = bench_packets_bpf__open_and_load();
	int busy = argc == 3 && !strcmp(argv[1], "busy"), stamp = argc == 3 && atoi(argv[2]);
	struct bpf_program *prog;
	struct bpf_link *link;
	struct pollfd pfd = { .events = POLLIN };
	struct bare b = { 0 };

	if (!skel)
		err(1, "BPF programs");
	bench_pin(BENCH_READ_CPU);
	prog = stamp ? skel->progs.bench_stamp : skel->progs.bench_redirect;
	link = bpf_program__attach_xdp(prog, (int)if_nametoindex(BENCH_NIC));
	if (!link)
		err(1, "XDP on " BENCH_NIC);
	bare_open(&b);
	if (xsk_socket__update_xskmap(b.xsk, bpf_map__fd(skel->maps.bench_xsks)))
		err(1, "XSKMAP");
	pfd.fd = xsk_socket__fd(b.xsk);
	snprintf(share->note, sizeof(share->note), "rings of %d, chunks of %d",
		 RING_SIZE, CHUNK_SIZE);
	bench_ready(share);
	while (!bench_stopped(share)) {
		if (bare_batch(&b))
			bench_count(share, b.received);
		else if (!busy)
			poll(&pfd, 1, 100);
	}
	bpf_link__destroy(link);
	xsk_socket__delete(b.xsk);
	xsk_umem__delete(b.umem);
	bench_packets_bpf__destroy(skel);
	return 0;
}
