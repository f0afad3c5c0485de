// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   XDP copies of a veth's frames in a BPF ring buffer: bench_bare_ring 0|1(stamp).
 * Out:  a count. The shortest reader of such a ring that naps between two passes.
 * Owns: program link and ring, until the driver says stop.
 * Runs on: the reading CPU.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>
#include "bare_ring.h"
#include "bench_packets.skel.h"

static uint64_t times;

static void take(const void *rec)
{
	const struct bench_copy *copy = rec;

	times += copy->mono_ns + copy->data[0];
}

int main(int argc, char **argv)
{
	struct bench_share *share = bench_share_map(BENCH_SHARE_FD);
	struct bench_packets_bpf *skel = bench_packets_bpf__open_and_load();
	int stamp = argc == 2 && atoi(argv[1]);
	struct bare_ring ring;
	struct bpf_link *link;

	if (!skel)
		err(1, "BPF programs");
	bench_pin(BENCH_READ_CPU);
	link = bpf_program__attach_xdp(stamp ? skel->progs.bench_copy_stamp :
					       skel->progs.bench_copy,
				       (int)if_nametoindex(BENCH_NIC));
	if (!link)
		err(1, "XDP on " BENCH_NIC);
	bare_ring_open(&ring, bpf_map__fd(skel->maps.bench_ring));
	snprintf(share->note, sizeof(share->note), "ring %d KiB, naps %d us",
		 BENCH_RING_BYTES >> 10, BARE_NAP_US);
	bench_ready(share);
	while (!bench_stopped(share)) {
		bare_ring_take(&ring, take);
		bench_count(share, ring.taken);
		usleep(BARE_NAP_US);
	}
	bpf_link__destroy(link);
	bare_ring_close(&ring);
	bench_packets_bpf__destroy(skel);
	return 0;
}
