// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a veth's frames at XDP.
 * Out:  a count. The least that a program can do that lets all of them pass and says how many.
 * Owns: the program's link, until the driver says stop.
 * Runs on: the reading CPU; the program where the frames come in.
 */
#define _GNU_SOURCE
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>
#include "bench.h"
#include "bench_packets.skel.h"

int main(void)
{
	struct bench_share *share = bench_share_map(BENCH_SHARE_FD);
	struct bench_packets_bpf *skel = bench_packets_bpf__open_and_load();
	struct bpf_link *link;

	if (!skel)
		err(1, "BPF programs");
	bench_pin(BENCH_READ_CPU);
	link = bpf_program__attach_xdp(skel->progs.bench_pass, (int)if_nametoindex(BENCH_NIC));
	if (!link)
		err(1, "XDP on " BENCH_NIC);
	bench_ready(share);
	while (!bench_stopped(share)) {
		bench_count(share, *(volatile __u64 *)&skel->bss->nr_passed);
		usleep(1000);
	}
	bpf_link__destroy(link);
	bench_packets_bpf__destroy(skel);
	return 0;
}
