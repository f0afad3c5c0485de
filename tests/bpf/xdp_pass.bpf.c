// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   any frame.
 * Out:  XDP_PASS: a stranger's program on the hook, or a receiver that makes
 *       veth take what XDP_TX and redirects send it.
 * Owns: nothing.
 * Runs on: the receiving CPU.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
