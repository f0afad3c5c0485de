#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   two interfaces: 5_in_bounce_out.sh eth1 eth2. A filter.
# Out:  what comes in at the first leaves by the second, if a process in the middle hands it on.
#       What is taken by xsk: does not reach the host.
# Owns: two processes; Ctrl-C ends them.
# Runs on: root.
#
#	eth1 ─ queue 0 ─ xcap bounce ─ queue 1 ─ eth2
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH
c=${CLUSTER:-99}

xcap pipe -i "xsk:${1:-eth1},0" -o "${2:-eth2},1" -n 2 -c "$c" &
master=$!
for _ in {1..100}; do
	xcap balance -c "$c" --stats >/dev/null 2>&1 && break
	sleep 0.1
done

# examples/middle.c is the same in C
xcap bounce -i "xcap:$c@0" -o "xcap:$c@1" ${3:+-f "$3"} &
trap 'kill -INT $master' INT TERM
until wait; do :; done
