#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   what to capture; all system calls of the host if nothing is named. A filter.
# Out:  the accounts of two threads: the first lets what matches on to the second, which counts.
# Owns: the capture; Ctrl-C ends it.
# Runs on: root.
#
#	syscalls ─ queue 0 ─ thread on CPU 0 ─ queue 1 ─ thread on CPU 1
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH

exec xcap pipe -i "${1:-syscalls}" -c "${CLUSTER:-99}" --stages 2 --cpus 0:1 \
	--stage-filter "0:${2:-syscall in (connect,accept4,openat)}"
