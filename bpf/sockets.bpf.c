// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   what happens to tasks (tasks.bpf.h).
 * Out:  records for the tables that name who is behind a packet or a call.
 * Owns: nothing beyond its maps.
 * Runs on: the CPU of whoever does it.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"

const volatile struct sockets_cfg cfg = {};

#include "tasks.bpf.h"

char LICENSE[] SEC("license") = "GPL";
