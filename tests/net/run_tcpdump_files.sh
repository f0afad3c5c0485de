#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   Debian's tcpdump, by xcap run.
# Out:  whether it changes its user, rotates files, and meets signals and pipes as it does
#       without.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
mkdir files && chown tcpdump files

# has N FILE...: so many packets, in all of them
has() {
	local n=$1 file sum=0

	shift
	for file; do
		sum=$((sum + $(tcpdump -n -r "$file" 2>/dev/null | wc -l)))
	done
	[ $sum = "$n" ] || fail "$sum packets and not $n in $*"
}

is_user() {
	grep -q "^Uid:	$2	$2	$2	" "/proc/${NS_PIDS[$1]}/status" || fail "$1: not user $2"
	grep -q '^CapEff:	0000000000000000$' "/proc/${NS_PIDS[$1]}/status" || fail "$1: has capabilities"
}

echo "user tcpdump: captures on, sets its filter then, owns the files; -C and -W"
start user -n -i tap:veth0 -w files/r -C 1 -W 3 udp port 7777
is_user user "$(id -u tcpdump)"
send -n 4001 -s 1400
send -n 101 -s 46	# no UDP
settled user 4001
over user
adds_up user
[ "$(figure user captured)" = 4001 ] || fail "as user tcpdump: $(cat user.err)"
[ "$(cd files && echo *)" = 'r0 r1 r2' ] || fail "rotation: $(ls files)"
for name in r0 r1 r2; do
	[ "$(stat -c %U files/$name)" = tcpdump ] || fail "$name is of $(stat -c %U files/$name)"
done

echo "-Z: another user, or none"
start nobody -n -i tap:veth0 -Z nobody
is_user nobody 65534
send -n 11
settled nobody 11
over nobody TERM
[ "$(grep -c UDP nobody.out)" = 11 ] || fail "as nobody: $(cat nobody.out)"
start root -n -i tap:veth0 -Z root -w root.pcap
grep -q '^Uid:	0	' "/proc/${NS_PIDS[root]}/status" || fail "-Z root"
over root
[ "$(stat -c %U root.pcap)" = root ] || fail "file of $(stat -c %U root.pcap)"

echo "-z: what it starts is left alone"
rm files/*
start zip -n -i tap:veth0 -w files/z -C 1 -z gzip
send -n 1801 -s 1400
settled zip 1801
over zip
for ((i = 0; i < 100; i++)); do
	[ -e files/z.gz ] && [ -e files/z1.gz ] && [ ! -e files/z1 ] && break
	sleep 0.05
done
gunzip -q files/*.gz || fail "-z gzip: $(ls files)"
has 1801 files/z files/z1 files/z2

echo "-G: by time"
rm files/*
start timed -n -i tap:veth0 -G 1 -w 'files/t%s'
for ((i = 0; i < 4; i++)); do
	send -n 11
	sleep 0.6
done
settled timed 44
over timed
[ "$(find files -name 't*' | wc -l)" -ge 2 ] || fail "-G: $(ls files)"
has 44 files/t*

echo "-U: in the file at once; without, by SIGUSR2"
start asap -n -i tap:veth0 -w asap.pcap -U -Z root
start late -n -i tap:veth0 -w late.pcap -Z root
send -n 11
settled asap 11
settled late 11
has 11 asap.pcap
has 0 late.pcap
kill -USR2 "${NS_PIDS[late]}"
for ((i = 0; i < 100; i++)); do
	[ "$(tcpdump -r late.pcap 2>/dev/null | wc -l)" = 11 ] && break
	sleep 0.05
done
has 11 late.pcap
stop late
over asap HUP

echo "through pipes: a line as it comes, a file, a reader that goes"
mkfifo pipe
# piped LINES "READER" ARGUMENT...: what the reader gets, and how tcpdump ends after it; and
# both without us
piped() {
	local lines=$1 reader=$2 how device code

	shift 2
	for how in shim plain; do
		device=veth0
		[ $how = shim ] && device=tap:veth0
		# shellcheck disable=SC2086
		ns_bg "" reader $reader pipe
		# shellcheck disable=SC2016
		ns_bg rx $how sh -c '[ "$0" = shim ] && set -- xcap run "$@"; exec "$@" >pipe' $how \
			tcpdump -i $device "$@"
		wait_for $how.err 'listening on' || exit 1
		for ((code = 0; code < 50; code++)); do
			send -n 1
			[ "$(wc -l <reader.out)" -ge "$lines" ] && break
			sleep 0.1
		done
		[ "$(wc -l <reader.out)" -ge "$lines" ] || fail "$how $*: $(cat reader.out)"
		stop reader KILL 2>/dev/null
		for ((code = 0; code < 20; code++)); do
			send -n 1
			kill -0 "${NS_PIDS[$how]}" 2>/dev/null || break
			sleep 0.1
		done
		finished $how 10
		echo "exit $?" >>$how.err
		sed -i "s/$device/veth0/; s/^[0-9]* packet/N packet/" $how.err
		nothing_left
	done
	diff plain.err shim.err || fail "$*: ends otherwise"
}
piped 1 cat -l -n
piped 7 'tcpdump -n -l -r' -U -w -
piped 3 'head -n 3' -l -n

echo "killed, in the middle of it"
start killed -n -i veth0+syscalls -w /dev/null
stop killed KILL 2>/dev/null
nothing_left
start widow -n -i tap:veth0 -w widow.pcap -Z root
send -n 101
settled widow 101
for pid in /proc/[0-9]*; do
	[ "$(cat "$pid/comm" 2>/dev/null)" = xcap ] &&
		[ "$(stat -Lc %i "$pid/ns/net" 2>/dev/null)" = "$(stat -Lc %i /run/netns/rx)" ] &&
		kill -KILL "${pid#/proc/}"
done
finished widow 10
code=$?
[ $code = 1 ] || fail "who captures for it is killed: exit $code"
says widow.err 'xcap run, which captured for this program, is gone' '^101 packets captured'
has 101 widow.pcap
nothing_left
