/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   a number of queues.
 * Out:  bench0 and BENCH_NIC, a veth pair in a network namespace of this process.
 * Owns: the namespace: it is gone with the process.
 * Runs on: the driver.
 */
#ifndef WIRE_H
#define WIRE_H

#include <sched.h>
#include "bench.h"

static inline void wire_command(const char *line)
{
	if (system(line))
		errx(1, "failed: %s", line);
}

static inline void wire_make(void)
{
	if (unshare(CLONE_NEWNET))
		err(1, "network namespace (be root)");
	/* IPv6 would talk by itself */
	wire_command("ip link set lo up; for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do "
		     "[ ! -e $f ] || echo 1 >$f; done");
}

/* A new pair. GRO makes a veth take frames when it has no XDP, for tcpdump. */
static inline void wire_up(int queues)
{
	char line[512];

	snprintf(line, sizeof(line),
		 "ip link del bench0 2>/dev/null; "
		 "ip link add bench0 numrxqueues %d numtxqueues %d type veth "
		 "peer name " BENCH_NIC " numrxqueues %d numtxqueues %d && "
		 "ip link set bench0 up && ip link set " BENCH_NIC " up && "
		 "ethtool -K " BENCH_NIC " gro on", queues, queues, queues, queues);
	wire_command(line);
}

#endif
