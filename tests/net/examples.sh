#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the numbered scripts in examples/, and examples/middle.c, as a user starts them.
# Out:  whether each shows what its head says, all accounted for, and is gone after SIGINT, with
#       all that it started.
# Owns: three namespaces, its processes.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"

export XCAP_RUN_DIR=$PWD/run
ns_pair tx:a1 rx:b1 gro net=10.77.0 || fail "no veth pair"
ns_pair rx:a2 far:b2 || fail "no second veth pair"

# start NAME READERS [ARGUMENT...]: until so many queues of cluster 99 have a reader
start() {
	local nr=$2 i

	ns_bg rx script env XCAP_EXAMPLE=$$ "$TOP"/examples/"$1"_*.sh "${@:3}"
	for ((i = 0; i < 200; i++)); do
		[ "$(status 2>/dev/null | grep -o '"pid":' | wc -l)" = "$nr" ] && return
		sleep 0.05
	done
	fail "$1: no $nr readers: $(cat script.err) $(status)"
}
status() {
	xcap balance -c 99 --stats --json
}
send() {
	ns tx txgen -i a1 "$@" >/dev/null || fail "txgen failed"
}
# over NAME: it ends, and nothing is left of it
over() {
	local i

	stop script || fail "$1: exit $?: $(cat script.err)"
	for ((i = 0; i < 100; i++)); do
		grep -qlzx "XCAP_EXAMPLE=$$" /proc/[0-9]*/environ 2>/dev/null || break
		sleep 0.05
	done
	grep -lzx "XCAP_EXAMPLE=$$" /proc/[0-9]*/environ 2>/dev/null && fail "$1: something is left"
	[ -z "$(find run -name '*.sock')" ] || fail "$1: a socket is left"
	cat script.err >"$1.err"
	cat script.out >"$1.out"
}
# says NAME REGEX...: in what it said
says() {
	local name=$1 regex

	shift
	for regex; do
		cat "$name.err" "$name.out" | grep -qE "$regex" ||
			fail "$name does not say '$regex': $(cat "$name.err" "$name.out")"
	done
}
# sum NAME REGEX: of the numbers behind 'delivered' in lines that match
sum() {
	grep -E "$2" "$1.err" | sed -n 's/.* delivered \([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}
# shares NAME TOTAL: two readers of queues 0 and 1 got all, and each got some
shares() {
	[ "$(grep -cE '^ +xcap:99@[01] .* delivered [1-9]' "$1.err")" = 2 ] &&
		[ "$(sum "$1" '^ +xcap:99@[01] ')" = "$2" ] ||
		fail "$1: the two did not share $2: $(cat "$1.err")"
}
# calls NAME: two readers share them; what all of them say about the capture is one number
calls() {
	local all

	all=$(sed -nE 's/^ +syscalls.* delivered ([0-9]+) .*/\1/p' "$1.err")
	[ "${all:-0}" -gt 1000 ] || fail "$1: ${all:-no} calls"
	shares "$1" "$all"
}

start 1 2
for _ in {1..50}; do ls / >/dev/null; done
over 1
calls 1

start 2 2
for _ in {1..50}; do ls / >/dev/null; done
over 2
calls 2

start 3 2 b1
for ((i = 0; i < 200; i++)); do
	[ "$(grep -c 'listening on xcap:99@' script.err)" = 2 ] && break
	sleep 0.05
done
send -n 503 --flows 16
for ((i = 0; i < 200; i++)); do
	[ "$(grep -c ' IP 198\.18\.0\.1\.' script.out)" -ge 503 ] && break
	sleep 0.05
done
over 3
[ "$(grep -c ' IP 198\.18\.0\.1\.' 3.out)" = 503 ] || fail "3: tcpdump: $(tail -n 20 3.err)"
grep -c 'packets captured' 3.err | grep -qx 2 || fail "3: $(cat 3.err)"

start 4 2
for _ in {1..50}; do ls / >/dev/null; done
over 4
says 4 'xcap:99@0 to xcap:99@1  seen [0-9]+ = delivered [1-9]' 'xcap:99@1  seen [1-9]'

ns_bg far got tcpdump -i b2 -w got.pcap -B 65536 --nano -U --immediate-mode
wait_for got.err listening || exit 1
start 5 2 b1 a2 'less 100'
send -n 1009 -S 60:159 --rate 5000
for ((i = 0; i < 200; i++)); do
	[ "$(tcpdump -r got.pcap --count 2>/dev/null | cut -d' ' -f1)" = 419 ] && break
	sleep 0.05
done
over 5
says 5 'xcap:99@0 .*seen 1009 = delivered 419 \+ filtered 590' '419 handed on to xcap:99@1' \
	'to wire:a2 .*seen 419 = delivered 419'
[ "$(tcpdump -r got.pcap --count 2>/dev/null | cut -d' ' -f1)" = 419 ] || fail "5: not all leave"

start 6 1 b1
send -n 53
python3 -c 'import socket
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2))
a.bind(("127.0.0.1", 0))
for i in range(101):
    b.sendto(b"hello", a.getsockname())'
sleep 0.5
over 6
[ "$(grep -c ' in 198\.18\.0\.1:' 6.out)" = 53 ] || fail "6: packets: $(cat 6.err)"
[ "$(grep -c '\] > sendto' 6.out)" -ge 101 ] || fail "6: no calls: $(cat 6.err)"
awk '/^[0-9][0-9]:/ { if ($1 < last) { print "a step back at " $0; bad = 1 } last = $1 } END { exit bad }' \
	6.out || fail "6: out of order"

start 7 3 tap:b1 all.pcapng
send -n 1009 --flows 16
for ((i = 0; i < 200; i++)); do
	[ "$(status | field queues.2.delivered)" = 1009 ] && break
	sleep 0.05
done
over 7
[ "$(tcpdump -r all.pcapng --count 2>/dev/null | cut -d' ' -f1)" = 1009 ] || fail "7: $(cat 7.err)"
[ "$(grep -cE '^ +xcap:99@[012] ' 7.err)" = 3 ] || fail "7: $(cat 7.err)"
[ "$(sum 7 '^ +xcap:99@[01] ')" = 1009 ] || fail "7: $(cat 7.err)"

# ---- a program in the middle: IPv4 goes on ----

ns_bg rx master xcap balance -c 99 -i tap:b1 --more 1
wait_for master.err '^xcap: capturing' || exit 1
ns_bg rx middle "$B/examples/middle" 'xcap:99@0?next=1'
ns_bg rx count xdpcount -i xcap:99@1 --json
for ((i = 0; i < 200; i++)); do
	[ "$(status | grep -o '"pid":' | wc -l)" = 2 ] && break
	sleep 0.05
done
send -n 1009
send -n 211 -S 14:49
for ((i = 0; i < 200; i++)); do
	[ "$(status | field queues.0.delivered)" = 1220 ] && break
	sleep 0.05
done
stop master || fail "$(cat master.err)"
finished middle || fail "the middle: $(cat middle.err)"
finished count || fail "$(cat count.err)"
python3 "$TOP/tests/lib/books.py" count.out 'seen == 1009' 'delivered == 1009' 'late == 0' || exit 1
exit 0
