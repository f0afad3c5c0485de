#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   an interface: 3_two_tcpdumps.sh eth0.
# Out:  what two tcpdumps print, as they are installed: each flow is seen by one of them.
# Owns: three processes; Ctrl-C ends them.
# Runs on: root.
#
#	eth0 ─ queue 0 ─ xcap run tcpdump -i xcap:99@0
#	     └ queue 1 ─ xcap run tcpdump -i xcap:99@1
set -eu
PATH=$(cd "$(dirname "$0")/.." && pwd)/build:$PATH
c=${CLUSTER:-99}

xcap balance -i "tap:${1:-eth0}" -c "$c" -n 2 -m flow &
master=$!
for _ in {1..100}; do
	xcap balance -c "$c" --stats >/dev/null 2>&1 && break
	sleep 0.1
done

xcap run tcpdump -l -n -i "xcap:$c@0" &
xcap run tcpdump -l -n -i "xcap:$c@1" &
trap 'kill -INT $master' INT TERM
until wait; do :; done
