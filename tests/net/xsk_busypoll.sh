#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xsk:veth0?busy_poll=1, ended in order and by SIGKILL.
# Out:  whether every frame comes, and the interface's settings are what they were.
# Owns: two namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"

# settings [VALUES]: what they are; ip netns exec shows the sysfs of that namespace
settings() {
	# shellcheck disable=SC2016
	ip netns exec rx sh -c 'cd /sys/class/net/veth0 &&
		for f in napi_defer_hard_irqs gro_flush_timeout; do
			[ -z "$1" ] || { echo "$1" >$f; shift; }
			cat $f
		done' sh "$@" | tr '\n' ' '
}

# start SPEC
start() {
	ns_bg rx reader ip netns exec rx reader -w "$1"
	wait_for reader.err '^reader: capturing' || exit 1
}

before=$(settings 1 12345)
[ "$before" = "1 12345 " ] || skip "the settings cannot be set here: $before"
start "xsk:veth0?busy_poll=1"
[ "$(settings)" != "$before" ] || fail "nothing was set: $(settings)"
ls /run/xcap/busypoll-* || fail "the old values are nowhere"
ns tx txgen -i veth0 -n 10007 >/dev/null
stop reader
cat reader.out
[ "$(field delivered <reader.out)" = 10007 ] || fail "frames are missing"
[ "$(settings)" = "$before" ] || fail "not restored: $(settings)"
[ -z "$(ls /run/xcap)" ] || fail "the old values are still kept"

# killed: the next start restores them, whatever its own options are
start "xsk:veth0?busy_poll=1"
stop reader KILL
[ "$(settings)" != "$before" ] || fail "who restored them?"
start xsk:veth0
[ "$(settings)" = "$before" ] || fail "not restored after SIGKILL: $(settings)"
stop reader
start "xsk:veth0?busy_poll=1"
stop reader KILL
start "xsk:veth0?busy_poll=1"
stop reader
[ "$(settings)" = "$before" ] || fail "the changed values were taken for the old ones: $(settings)"

# tools give their privilege up meanwhile, all but what that takes
for tool in 'xdpcount -q -i' 'xcap run tcpdump -Z root -w busy.pcap -i'; do
	# shellcheck disable=SC2086
	ns_bg rx tool ip netns exec rx $tool 'xsk:veth0?busy_poll=1'
	wait_for tool.err '^xcap: capturing|listening on' || exit 1
	[ "$(settings)" != "$before" ] || fail "$tool: nothing was set"
	stop tool || fail "$tool: $(cat tool.err)"
	for ((i = 0; i < 60; i++)); do
		[ "$(settings)" = "$before" ] && break
		sleep 0.05
	done
	[ "$(settings)" = "$before" ] || fail "$tool: not restored: $(settings)"
	[ -z "$(ls /run/xcap)" ] || fail "$tool: the old values are still kept"
done

# where sysfs is another namespace's nothing is touched, and that is said
ns rx reader -t 1 "xsk:veth0?busy_poll=1" 2>refused.err && fail "set up without sysfs"
grep -q 'cannot set veth0 up for busy polling' refused.err || fail "$(cat refused.err)"
exit 0
