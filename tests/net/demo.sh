#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   examples/demo.sh, once to its end and killed in many places.
# Out:  whether a newcomer sees packets and syscalls interleaved in time order,
#       in less than 20 s, and whether nothing is left of it.
# Owns: the demo's processes, known by a word in their environment.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

mark=XCAP_DEMO=$$.$RANDOM
demo() {
	env "$mark" TMPDIR="$PWD" "$@" "$TOP/examples/demo.sh" curl.pcapng
}

# nothing of it after this many seconds: processes, files, interfaces
gone() {
	local i left

	for ((i = 0; i < 40; i++)); do
		left=$(grep -lzx "$mark" /proc/[0-9]*/environ 2>/dev/null)
		[ "$left" ] || break
		sleep 0.05
	done
	[ -z "$left" ] || fail "$1: left behind: $(cat /proc/"$(grep -o '[0-9]*' <<<"$left" | head -n 1)"/comm)"
	[ "$(ip -br link | wc -l)" = 1 ] || fail "$1: an interface is left: $(ip -br link)"
	[ -z "$(find . -mindepth 1 -type d)" ] || fail "$1: a directory is left"
	[ -z "$(ip netns)" ] || fail "$1: a namespace is left: $(ip netns)"
}

SECONDS=0
demo >out 2>err || { cat out err; fail "the demo failed"; }
[ $SECONDS -lt 20 ] || fail "it took $SECONDS s"
gone "the whole demo"
cat out
[ -s err ] && { cat err; fail "it complained"; }

awk '
/^[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\.[0-9]* cpu/ {
	lines++
	if ($1 < last) { print "a step back at " $0; bad = 1 }
	last = $1
	if ($3 ~ /^curl\[/ && $4 == ">") { inside = 1; calls++ }
	if ($3 ~ /^curl\[/ && $4 == "<") inside = 0
	# the packet leaves while curl is in the call that sends it
	if ($3 == "out" || $4 == "out") { packets++; if (inside) within++ }
	if ($3 == "in" || $4 == "in") packets++
}
/0 dropped/ { account = 1 }
END {
	printf "%d lines, %d calls, %d packets, %d of them sent within a call\n",
		lines, calls, packets, within
	exit bad || lines < 20 || lines > 60 || calls < 5 || packets < 9 || !within || !account
}' out || fail "that is not the stream it should be"

[ "$(tcpdump -r curl.pcapng 2>/dev/null | wc -l)" -ge 9 ] && xcap dump -r curl.pcapng 2>/dev/null | grep -q ' curl\[.*> connect(' ||
	fail "the file does not hold it"

for signal in INT TERM HUP KILL; do
	for after in 0.05 0.15 0.25 0.35 0.5; do
		demo setsid timeout -s $signal $after >out 2>err
		[ $signal = KILL ] || [ -z "$(grep -vE "Killed|Terminated|Hangup" err)" ] || fail "$signal after $after: $(cat err)"
		gone "$signal after $after s"
	done
done
