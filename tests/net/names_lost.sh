#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   captures that cannot read while 1,000 processes come and go, and one that can.
# Out:  whether the account says that messages about tasks were lost, or is silent.
# Owns: nothing.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

storm() {
	local i

	for ((i = 0; i < 1000; i++)); do
		(:)
	done
}

# capture STOPPED OPTION...: during a storm, and asleep if STOPPED is 1
capture() {
	local stopped=$1

	shift
	ns_bg '' capture xcap "$@" -i 'syscalls?only=acct'
	wait_for capture.err '^xcap: capturing' || exit 1
	[ "$stopped" = 1 ] && kill -STOP "${NS_PIDS[capture]}"
	storm
	kill -CONT "${NS_PIDS[capture]}"
	sleep 0.3
	stop capture || fail "xcap $*: exit $?: $(cat capture.err)"
}

line='^xcap: up to [1-9][0-9]* messages about tasks and sockets lost: .*--ring'
capture 1 dump --ring 64k
grep -qE "$line" capture.err || fail "nothing said: $(cat capture.err)"
capture 0 dump
grep -q 'messages' capture.err && fail "none was lost: $(cat capture.err)"
capture 1 count --ring 64k --json
lost=$(field names_lost <capture.out)
((lost > 0)) || fail "names_lost is $lost"
[ "$(field dropped <capture.out)" = 0 ] || fail "they are no records: $(cat capture.out)"
capture 0 count --json
[ "$(field names_lost <capture.out)" = 0 ] || fail "none was lost: $(cat capture.out)"
echo "$lost messages lost, and told"
