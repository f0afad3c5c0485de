#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   Debian's tcpdump, by xcap run and beside it without.
# Out:  whether both write the same packets, and say the same.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
head -c 1000003 /dev/urandom >big
ns_bg tx web python3 -m http.server 8000
for ((i = 0; i < 100; i++)); do
	ns rx curl -sf -o /dev/null http://10.77.0.1:8000/ && break
	sleep 0.05
done

traffic() {
	send -n 1009 -S 60:1514 --rate 4000
	send -n 211 --vlan 7 -S 60:1518 --rate 4000
	[ "$1" = xsk:veth0 ] && return
	ns rx txgen -i veth0 -n 101 --rate 4000 >/dev/null || fail "no traffic"
	# with segments of 64 KiB, as the host itself has them
	ns rx curl -sf -o /dev/null http://10.77.0.1:8000/big || fail "no traffic"
}

# same SPEC LEAST [ARGUMENT]...: tcpdump where it sees what the spec sees, and by xcap run.
# What xsk: takes is seen in front of it only, where the peer sends it. With a filter that is
# "inbound" or "outbound", libpcap by itself loses the first packet, but by -Q it does not.
same() {
	local where=rx words=() word

	[ "$1" = xsk:veth0 ] && where=tx words=(-Q out)
	for word in "${@:3}"; do
		case $word in
		inbound)	words+=(-Q in) ;;
		outbound)	words+=(-Q out) ;;
		*)		words+=("$word") ;;
		esac
	done
	ns_bg $where plain tcpdump -i veth0 -w a.pcap -B 65536 --immediate-mode "${words[@]}"
	start shim -i "$1" -w b.pcap "${@:3}"
	wait_for plain.err 'listening on' || exit 1
	traffic "$1"
	settled shim "$2"
	over shim
	reads plain "captured >= $(figure shim captured)"
	stop plain
	adds_up shim
	grep -q '^0 packets dropped by kernel' plain.err || fail "plain tcpdump lost some"
	[ "$(figure shim captured)" -ge "$2" ] || fail "$*: too few: $(cat shim.err)"
	cmp -n 24 a.pcap b.pcap || fail "$*: another head of the file"
	python3 "$TOP/tests/lib/same_packets.py" a.pcap b.pcap 50 || fail "$*"
}

echo "the same packets as without"
same tap:veth0 1321 --nano
same tap:veth0 1321 -s 64
same 'veth0?snaplen=1600' 369 --time-stamp-precision=nano -s 1600 greater 700
same 'tap:veth0?hook=xdp' 1220 --nano -Q in 'port 7777 or vlan'
same xsk:veth0 1220 --nano
same tap:veth0 101 -Q out
same tap:veth0 101 outbound
same tap:veth0 1220 inbound

echo "the loopback: each packet once"
ns_bg rx plain tcpdump -i lo -w a.pcap -B 65536 --immediate-mode
start shim -i tap:lo -w b.pcap
wait_for plain.err 'listening on' || exit 1
ns rx python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(53):
    s.sendto(b"%d" % i, ("127.0.0.1", 9))'
settled shim 106
reads plain 'captured >= 106'
over shim
stop plain
python3 "$TOP/tests/lib/same_packets.py" a.pcap b.pcap 50 || fail "lo"

echo "the closing lines add up: with a filter, and with loss"
start part -n -i tap:veth0 'less 200'
send -n 211 -S 60:400 --rate 4000
settled part 141
over part
adds_up part
[ "$(figure part captured)" = 141 ] || fail "$(cat part.err)"
start none -n -i tap:veth0 tcp port 9
send -n 211
sleep 0.3
over none
says none.err '^0 packets captured' '^0 packets received by filter' '^0 packets dropped by kernel'
start slow -n -i tap:veth0 -B 256 -w slow.pcap
kill -STOP "${NS_PIDS[slow]}"
send -n 20011
kill -CONT "${NS_PIDS[slow]}"
settled slow 20011
send -n 101
settled slow 20112
over slow
adds_up slow
[ "$(figure slow 'received by filter')" = 20112 ] || fail "$(cat slow.err)"
[ "$(figure slow 'dropped by kernel')" -gt 0 ] || fail "nothing lost in 256 KiB? $(cat slow.err)"
[ "$(tcpdump -r slow.pcap 2>/dev/null | wc -l)" = "$(figure slow captured)" ] || fail "not in the file"

echo "what it says is what it says without"
# alike SPEC ARGUMENT...: messages and exit code, but for the name of the device
alike() {
	local spec=$1 plain shim name=${1#tap:}

	shift
	ns rx timeout 10 tcpdump -i "$name" "$@" >plain.said 2>&1
	plain=$?
	ns rx timeout 10 xcap run tcpdump -i "$spec" "$@" >shim.said 2>&1
	shim=$?
	sed -i "s/$spec/$name/" shim.said
	[ $shim = $plain ] || fail "$spec $*: exit $shim, not $plain: $(cat shim.said)"
	# how many it was when it was over depends on the moment
	sed -i 's/^[0-9]* packets* received/N packets received/' plain.said shim.said
	diff plain.said shim.said || fail "$spec $*"
	nobody_left rx
}
alike nosuch
alike any -c 0 -d udp
alike tap:veth0 -d udp port 7777
alike tap:veth0 -d 'ip broadcast and net 10.77.0.0/24'
alike tap:veth0 udp portt 7777
alike tap:veth0 -w /nonexistent/file
alike tap:veth0 -J
alike tap:veth0 -j nosuch
alike tap:veth0 -F /nonexistent/file
ns_bg tx again sh -c 'while txgen -i veth0 -n 1; do sleep 0.1; done'
for args in '' '-j host' '-j adapter' '-p' '-B 64' '--immediate-mode' '-U -l' '-s 100'; do
	# shellcheck disable=SC2086
	alike tap:veth0 -c 3 -w /dev/null $args
done
alike veth0 -c 1 -w /dev/null
stop again KILL 2>/dev/null
ip -n rx addr del 10.77.0.2/24 dev veth0	# pcap_lookupnet() has nothing to say
alike tap:veth0 -d host 10.77.0.1
ip -n rx addr add 10.77.0.2/24 dev veth0
ns rx xcap run tcpdump -i tap:nosuch >said 2>&1 && fail "tap:nosuch"
says said '^tcpdump: tap:nosuch: No such device exists$' "no interface 'nosuch' here"
ns rx xcap run tcpdump -i tap:veth0 -I >said 2>&1 && fail "monitor mode"
says said "doesn't support monitor mode"

echo "lists"
ns rx xcap run tcpdump -D >devices || fail "-D"
says devices 'syscalls \(System calls of the whole host; IF\+syscalls: with packets \(xcap\)\)'
ns rx tcpdump -D >plain || fail "-D"
head -n "$(wc -l <plain)" devices | diff plain - || fail "-D: libpcap's do not come first"
no=$(sed -n 's/^\([0-9]*\)\.syscalls .*/\1/p' devices)
start number -i "$no" -n -c 1
finished number 10 || fail "by its number: $(cat number.err)"
says number.err '^listening on syscalls'
ns rx xcap run tcpdump -i tap:veth0 -L >types 2>&1 || fail "-L"
says types '^  EN10MB \(Ethernet\)$' '^  USER0 \(xcap records\)'

echo "a count; a device that goes"
start few -n -i tap:veth0 -c 7
send -n 101
finished few 10 || fail "-c: $(cat few.err)"
[ "$(wc -l <few.out)" = 7 ] || fail "-c 7 prints $(wc -l <few.out)"
nothing_left
ns_pair tx:veth5 rx:veth5 || fail "no veth pair"
ns_bg rx plain tcpdump -i veth5
start gone -i tap:veth5
wait_for plain.err 'listening on' || exit 1
ip -n rx link del veth5
finished plain 10
code=$?
finished gone 10
[ $? = $code ] || fail "its interface goes: not exit $code: $(cat gone.err)"
says gone.err '^tcpdump: pcap_loop: the interface of tap:veth5 is gone'
nobody_left rx
