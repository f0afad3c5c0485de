# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   . "$(dirname "$0")/../lib/programs.sh" after netns.sh, with a pair tx/rx of net 10.77.0.
# Out:  helpers to run other people's programs by xcap run, and to look at what they leave.
# Owns: nothing.
# Runs on: as netns.sh.
#
#	run LABEL READY PROGRAM...	until it says READY
#	settled LABEL			tcpdump has read all there is
#	over LABEL [SIGNAL] [CODE]	it ends so, and nothing is left
#	says FILE REGEX...

# need PROGRAM...: Debian's, as TEST_DEPS has them
need() {
	local program

	for program; do
		command -v "$program" >/dev/null || fail "$program is missing: make deps"
	done
}

# nobody_left NS: no process of xcap's lives in that namespace, at the latest after 5 s
nobody_left() {
	local netns i pid left

	netns=$(stat -Lc %i "/run/netns/$1")
	for ((i = 0; i < 100; i++)); do
		left=
		for pid in /proc/[0-9]*; do
			[ "$(cat "$pid/comm" 2>/dev/null)" = xcap ] || continue
			[ "$(stat -Lc %i "$pid/ns/net" 2>/dev/null)" = "$netns" ] && left+=" ${pid#/proc/}"
		done
		[ "$left" ] || return 0
		sleep 0.05
	done
	fail "still there:$left"
}

# nothing_attached NS IFACE: no program at its hooks
nothing_attached() {
	local left

	left=$(ns "$1" bpftool net show dev "$2" 2>/dev/null | grep -E '^[a-z0-9]+\([0-9]+\) ')
	[ -z "$left" ] || fail "attached to $2: $left"
}

nothing_left() {
	nobody_left rx
	nothing_attached rx veth0
}

# says FILE REGEX...: the file has a line for each
says() {
	local file=$1 regex

	shift
	for regex; do
		grep -qE -- "$regex" "$file" || { head -c 3000 "$file" >&2; fail "no '$regex' in $file"; }
	done
}

# run LABEL READY PROGRAM [ARGUMENT]...: by xcap run, in rx and in the background, until a line
# of standard output or standard error is like READY. Options of xcap run may come first.
run() {
	local label=$1 ready=$2 i

	shift 2
	ns_bg rx "$label" xcap run "$@"
	for ((i = 0; i < 400; i++)); do
		grep -qE -- "$ready" "$label.out" "$label.err" && return
		sleep 0.05
	done
	fail "$label does not begin: $(cat "$label.out" "$label.err")"
}

# over LABEL [SIGNAL] [CODE]: ended by it (INT) with that exit code (0), and nothing is left
over() {
	local code

	stop "$1" "${2:-INT}"
	code=$?
	[ $code = "${3:-0}" ] || fail "$1: exit $code: $(cat "$1.err")"
	nothing_left
}

# ---- tcpdump ----

# start LABEL ARGUMENT...: tcpdump by xcap run, listening
start() {
	run "$1" '^(tcpdump: )?listening on' tcpdump "${@:2}"
}

# figure LABEL WORDS: the number of that closing line
figure() {
	sed -n "s/^\([0-9]*\) packets* $2.*/\1/p" "$1.err"
}

# adds_up LABEL: what was captured and what was dropped is what was received
adds_up() {
	local captured received dropped

	captured=$(figure "$1" captured)
	received=$(figure "$1" 'received by filter')
	dropped=$(figure "$1" 'dropped by kernel')
	[ "$((captured + dropped))" = "$received" ] || fail "$1: $(cat "$1.err")"
}

# reads LABEL TEST: until its numbers of packets, asked by SIGUSR1, make the arithmetic TEST true
reads() {
	local i captured received dropped

	for ((i = 0; i < 100; i++)); do
		kill -USR1 "${NS_PIDS[$1]}" 2>/dev/null || fail "$1 is gone: $(cat "$1.err")"
		sleep 0.1
		read -r captured received dropped < <(
			grep '^tcpdump: [0-9]* packets* captured,' "$1.err" | tail -n 1 |
				sed 's/[^0-9]\{1,\}/ /g')
		(($2)) && return
	done
	fail "$1: not '$2': $captured captured, $received received, $dropped dropped"
}

# settled LABEL [RECEIVED]: until it has read all that it received
settled() {
	reads "$1" "captured + dropped == received && received >= ${2:-0}"
}

send() {
	ns tx txgen -i veth0 "$@" >send.out 2>&1 || fail "txgen: $(cat send.out)"
}
