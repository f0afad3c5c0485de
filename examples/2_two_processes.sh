#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   what to capture; all system calls of the host if nothing is named.
# Out:  the accounts of two processes, which share it, and of the capture.
# Owns: three processes; Ctrl-C ends them.
# Runs on: root.
#
#	syscalls ─ queue 0 ─ xdpcount -i xcap:99@0
#	         └ queue 1 ─ xdpcount -i xcap:99@1
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH
c=${CLUSTER:-99}

xcap balance -i "${1:-syscalls}" -c "$c" -n 2 -m pid &
master=$!
for _ in {1..100}; do
	xcap balance -c "$c" --stats >/dev/null 2>&1 && break
	sleep 0.1
done

# readers come and go as they like; they end with the capture
xdpcount -i "xcap:$c@0" &
xdpcount -i "xcap:$c@1" &
trap 'kill -INT $master' INT TERM
until wait; do :; done
