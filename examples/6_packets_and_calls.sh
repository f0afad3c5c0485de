#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   an interface: 6_packets_and_calls.sh eth0.
# Out:  its packets and the host's calls around them, a line each, in the order in which they happened:
#       one reader of one queue.
# Owns: two processes; Ctrl-C ends them.
# Runs on: root.
#
#	eth0     ┐
#	syscalls ┴ queue 0 ─ xcap dump -i xcap:99@0
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH
c=${CLUSTER:-99}

xcap balance -i "tap:${1:-eth0},syscalls?only=sendto,recvfrom,connect,accept4" -c "$c" &
master=$!
for _ in {1..100}; do
	xcap balance -c "$c" --stats >/dev/null 2>&1 && break
	sleep 0.1
done

xcap dump -i "xcap:$c@0" &
trap 'kill -INT $master' INT TERM
until wait; do :; done
