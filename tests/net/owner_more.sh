#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# In:   processes of known name and pid that talk TCP, UDP and ICMP echo, by IPv4, IPv6 and IPv4
#       through IPv6 sockets; that fork, execute and hand descriptors over.
# Out:  whether packets name their process, at both ends and on lo, at TCX and at XDP: 99.5 % of
#       them the right one, none a wrong one.
# Owns: its namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

left=10.77.8.1,fd77:8::1
right=10.77.8.2,fd77:8::2
ns_pair left:veth0 right:veth1 net=10.77.8 ipv6 || fail "no veth pair"
ip -n left addr add fd77:8::1/64 dev veth0 nodad
ip -n right addr add fd77:8::2/64 dev veth1 nodad
ns left sh -c 'echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range' || fail "no ping sockets"
bad=0

# check OPTION... NAME END CAPTURE TRUTH...
check() {
	python3 "$TOP/tests/lib/owner_talk.py" "$@" || bad=1
}

# capture NS LABEL SPEC: begins it
capture() {
	ns_bg "$1" "$2" xcap dump --json -i "$3"
	wait_for "$2.err" '^xcap: capturing' || exit 1
}

# talk NS PROCESSES ROUNDS KIND/ADDRESS/PORT...: what they say is added to talk.truth
talk() {
	local name=$1

	shift
	ns "$name" owner_talk talk "$@" >>talk.truth || fail "nobody answers"
}

# all A4 A6: each kind of talk with the server there
all() {
	echo {tcp,fork,exec,pass}/{"$1","$2",::ffff:"$1"}/7001 \
		{udp,udpc}/{"$1","$2",::ffff:"$1"}/7002 udp/"$2"/7004 lost/"$1"/7004
}

ends() {
	sleep 0.5
	for label; do
		stop "$label" || fail "$label: exit $?: $(cat "$label.err")"
		grep -q 'messages .* lost' "$label.err" && fail "$(cat "$label.err")"
	done
}

ns_bg right server owner_talk serve
wait_for server.out ready || exit 1

# ---- TCX, both ends ----

capture left near tap:veth0
capture right far tap:veth1
# shellcheck disable=SC2046
talk left 5 10 $(all 10.77.8.2 fd77:8::2) {ping,rawping}/{10.77.8.2,fd77:8::2}/0
ends near far
check "TCX, who asks" $left near.out talk.truth server.out
check "TCX, who answers" $right far.out server.out talk.truth

# ---- XDP, what comes in only ----

: >talk.truth
capture left near 'tap:veth0?hook=xdp'
capture right far 'tap:veth1?hook=xdp'
# shellcheck disable=SC2046
talk left 5 10 $(all 10.77.8.2 fd77:8::2)
ends near far
check "XDP, who asks" $left near.out talk.truth server.out
check "XDP, who answers" $right far.out server.out talk.truth
# nothing tells an identifier before the answer, unless the process waits for it by then
capture left near 'tap:veth0?hook=xdp'
talk left 5 10 ping/{10.77.8.2,fd77:8::2}/0
ends near
check --least 50 "XDP, echo" $left near.out talk.truth
capture left near 'tap:veth0?hook=xdp'
talk left 5 10 rawping/{10.77.8.2,fd77:8::2}/0
ends near
check --least 0 "XDP, echo by raw sockets" $left near.out talk.truth

# ---- AF_XDP: whose it would have been ----

: >talk.truth
ns_bg right far xcap dump --json -i xsk:veth1 udp
wait_for far.err '^xcap: capturing' || exit 1
talk left 5 10 lost/{10.77.8.2,fd77:8::2}/7002 lost/fd77:8::2/7004
ends far
check "AF_XDP" $right far.out server.out
stop server KILL

# ---- without owners nothing is attached but what captures ----

capture left near 'tap:veth0?owner=off'
links=$(readlink "/proc/${NS_PIDS[near]}/fd/"* | grep -c bpf_link)
[ "$links" -le 2 ] || fail "owner=off: $links links, more than the capture's own two"
ends near

# ---- lo ----

: >talk.truth
ns_bg left server owner_talk serve
wait_for server.out ready || exit 1
capture left near tap:lo
# shellcheck disable=SC2046
talk left 5 5 $(all 127.0.0.1 ::1) $(all 10.77.8.1 fd77:8::1) {ping,rawping}/{127.0.0.1,::1,10.77.8.1}/0
ends near
check "lo" src near.out talk.truth server.out
stop server KILL

# ---- two processes at one port: who sent is known, who will get it is not always ----

: >talk.truth
ns_bg right server owner_talk group
wait_for server.out ready || exit 1
capture left near tap:veth0
capture right far tap:veth1
talk left 5 20 {tcp,udp,udpc}/{10.77.8.2,fd77:8::2}/7005
ends near far
stop server KILL
check "a group, who asks" $left near.out talk.truth server.out
check --least 40 "a group, who answers" $right far.out server.out talk.truth
exit $bad
