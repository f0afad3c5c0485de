# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC1091,SC2154,SC3043
# In:   XCAP GUEST SKIPS, as guest_sources.sh; owner_talk beside GUEST.
# Out:  the records and the truth of conversations, each behind a line "=== NAME"; exit 1 no capture.
# Owns: nothing outside the guest.
# Runs on: busybox sh, root. The other end of the wire is in a network namespace of its own.

. "$(dirname "$0")/guest_lib.sh"
skips=$3
talk=${guest%/*}/owner_talk

nics_up
unshare -n sleep 1000 &
far=$!
until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do usleep 10000; done
in_far() {
	nsenter -t $far -n "$@"
}
ip link set eth1 netns $far
in_far ip link set lo up
in_far ip link set eth1 up
in_far ip addr add 10.9.0.2/24 dev eth1
ip addr add 10.9.0.1/24 dev eth0
echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range
in_far "$talk" serve >/tmp/server &
server=$!
until grep -q ready /tmp/server; do usleep 10000; done

# observe NAME SPEC KIND/ADDRESS/PORT...
observe() {
	local name="$1" spec="$2" tries=0
	shift 2
	xcap dump --json -i "$spec" >/tmp/out 2>/tmp/err &
	capture=$!
	until grep -q '^xcap: capturing' /tmp/err; do
		tries=$((tries + 1))
		if [ $tries -ge 300 ] || ! kill -0 "$capture" 2>/dev/null; then
			fail "$spec did not start: $(cat /tmp/err)"
			return
		fi
		usleep 100000
	done
	ip link set eth0 up
	usleep 500000
	"$talk" talk 2 10 "$@" >/tmp/truth || fail "$spec: nobody answers"
	usleep 500000
	kill -TERM "$capture"
	wait "$capture" || fail "$spec: exit status $?"
	[ "$skips" = none ] && grep 'messages about' /tmp/err && fail "$spec: messages were lost"
	echo "=== $name.out"
	cat /tmp/out
	echo "=== $name.truth"
	cat /tmp/truth /tmp/server
}

tcp=10.9.0.2/7001
udp=10.9.0.2/7002
observe tap tap:eth0 tcp/$tcp udp/$udp udpc/$udp fork/$tcp exec/$tcp pass/$tcp
observe xdp 'tap:eth0?hook=xdp' tcp/$tcp udp/$udp udpc/$udp fork/$tcp exec/$tcp pass/$tcp
kill "$server" "$far"
exit "$failed"
