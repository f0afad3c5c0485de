#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   what to capture; all system calls of the host if nothing is named. A file.
# Out:  two processes share it, and all of it from when they read is in the file, in pcapng.
# Owns: four processes; Ctrl-C ends them.
# Runs on: root.
#
#	syscalls ─ queue 0 ─ xdpcount -i xcap:99@0     -n 2,1: one application of two, and
#	         ├ queue 1 ─ xdpcount -i xcap:99@1     one of one; each gets everything
#	         └ queue 2 ─ xcap dump -i xcap:99@2 -w file
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH
c=${CLUSTER:-99}

xcap balance -i "${1:-syscalls}" -c "$c" -n 2,1 -m pid &
master=$!
for _ in {1..100}; do
	xcap balance -c "$c" --stats >/dev/null 2>&1 && break
	sleep 0.1
done

xcap dump -i "xcap:$c@2" -w "${2:-all.pcapng}" &
xdpcount -i "xcap:$c@0" &
xdpcount -i "xcap:$c@1" &
trap 'kill -INT $master' INT TERM
until wait; do :; done
