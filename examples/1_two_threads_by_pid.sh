#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   what to capture; all system calls of the host if nothing is named.
# Out:  the account of two threads, which share it: what a process does stays in one of them.
# Owns: the capture; Ctrl-C ends it.
# Runs on: root.
#
#	syscalls ─ queue 0 ─ thread on CPU 0
#	         └ queue 1 ─ thread on CPU 1
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH

exec xcap balance -i "${1:-syscalls}" -c "${CLUSTER:-99}" -n 2 -m pid --threads --cpus 0:1
