# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC3043,SC2034
# In:   $1 the xcap binary, $2 the guest program. Sourced by guest_*.sh, in busybox sh.
# Out:  functions to start and stop a capture and to check its final account.
# Owns: the files in /tmp of the guest.
# Runs on: the guest, which is thrown away afterwards.

guest=$2
ln -s "$1" /bin/xdpcount
ln -s "$1" /bin/xcap
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# Only the test's own frames may be on the wire, so that accounts are exact.
nics_up() {
	local nic
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	for nic in eth0 eth1; do
		echo 1 >/proc/sys/net/ipv6/conf/$nic/disable_ipv6
		ip link set $nic up
	done
}

# Attaching XDP or buffers may restart a NIC: wait after that, before sending.
# IFF_RUNNING would not do: some NICs claim it before the wire works.
wait_link() {
	local nic tries
	for nic in eth0 eth1; do
		tries=0
		until [ "$(cat /sys/class/net/$nic/carrier 2>/dev/null)" = 1 ] &&
		      [ "$(cat /sys/class/net/$nic/operstate)" = up ]; do
			tries=$((tries + 1))
			[ $tries -lt 200 ] || { fail "$nic: no link after 20 s"; return; }
			usleep 100000
		done
	done
}

# capture ARG...: xdpcount in the background, $capture is its pid
capture() {
	begin xdpcount "$@"
}

# begin COMMAND ARG...: the same with another command that captures
begin() {
	local tries=0
	what="$*"
	: >/tmp/err	# here, not in the child: the last capture's words are in it
	"$@" -q --json >/tmp/out 2>/tmp/err &
	capture=$!
	until grep -q '^xcap: capturing' /tmp/err; do
		tries=$((tries + 1))
		if [ $tries -ge 300 ] || ! kill -0 "$capture" 2>/dev/null; then
			fail "$what did not start"
			cat /tmp/err
			return 1
		fi
		usleep 100000
	done
	wait_link
}

# After the last frame: give it time to arrive, then end the capture in good order.
finish() {
	sleep 1
	kill -TERM "$capture"
	wait "$capture" || fail "$what: exit status $?"
	account=$(tail -n 1 /tmp/out)
	echo "$account"
	books_close
}

# number KEY: of the whole account, the first in the line
number() {
	echo "$account" | sed -n "s/^{\(.*\)$/\1/; s/.*/,&/; s/,[^{[]*\"$1\": *\([0-9]*\).*/\1/p"
}

# expect KEY VALUE
expect() {
	[ "$(number "$1")" = "$2" ] || fail "$what: $1 is '$(number "$1")', not $2"
}

expect_mode() {
	echo "$account" | grep -q "\"mode\": *\"$1\"" || fail "$what: mode is not '$1'"
}

# For each source: seen = delivered + filtered + the sum of dropped.
books_close() {
	expect out_of_order 0
	echo "$account" | awk '
	function value(text, key) {
		if (!match(text, "\"" key "\": *[0-9]+"))
			exit bad = 1
		text = substr(text, RSTART, RLENGTH)
		sub(/.*: */, "", text)
		return text
	}
	{
		nr = split($0, source, /\{"spec":/)
		for (i = 2; i <= nr; i++) {
			dropped = 0
			places = source[i]
			sub(/.*"dropped": *\{/, "", places)
			sub(/\}.*/, "", places)
			n = split(places, place, ",")
			for (j = 1; j <= n; j++) {
				sub(/.*:/, "", place[j])
				dropped += place[j]
			}
			if (value(source[i], "seen") != value(source[i], "delivered") +
			    value(source[i], "filtered") + dropped)
				bad = 1
		}
	}
	END { exit bad || nr < 2 }' || fail "$what: seen is not delivered + filtered + dropped"
}
