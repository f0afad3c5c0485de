#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   frames that are captured at one interface, and files; -w wire:IF.
# Out:  whether they leave by another one byte for byte and in order, by AF_XDP and by a packet
#       socket, system calls between them in the documented form; whether the books close.
# Owns: three namespaces, its processes.
# Runs on: root.
# timeout: 180
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:a1 rx:b1 || fail "no veth pair"
ns_pair rx:a2 far:b2 || fail "no second veth pair"

# at NS IFACE LABEL [ARGUMENT...]: tcpdump there, into LABEL.pcap
at() {
	ns_bg "$1" "$3" tcpdump -i "$2" -w "$3.pcap" -B 65536 --nano -U --immediate-mode "${@:4}"
	wait_for "$3.err" listening || exit 1
}
# arrived LABEL COUNT: until tcpdump has written so many
arrived() {
	local i

	for ((i = 0; i < 200; i++)); do
		[ "$(tcpdump -r "$1.pcap" 2>/dev/null | wc -l)" -ge "$2" ] && break
		sleep 0.05
	done
	stop "$1"
	[ "$(tcpdump -r "$1.pcap" 2>/dev/null | wc -l)" = "$2" ] ||
		fail "$(tcpdump -r "$1.pcap" 2>/dev/null | wc -l) frames arrive of $2: $(cat cap.err)"
}
# same WHAT A B: the same frames in the same order
same() {
	tcpdump -r "$2.pcap" -n -t -XX >"$2.txt" 2>/dev/null
	tcpdump -r "$3.pcap" -n -t -XX >"$3.txt" 2>/dev/null
	[ -s "$2.txt" ] || fail "$1: nothing in $2.pcap"
	cmp "$2.txt" "$3.txt" || fail "$1: frames are not as they were"
}
# capture ARGUMENT...: into cap.*
capture() {
	ns_bg rx cap "$@"
	wait_for cap.err '^xcap: capturing' || exit 1
}
# books [CONDITION...]: it ends, and they close
books() {
	stop cap || fail "exit $?: $(cat cap.err)"
	python3 "$TOP/tests/lib/books.py" cap.out "$@" || exit 1
}

# ---- each source, each way ----

for spec in xsk:b1 tap:b1; do
	for how in wire:a2 'wire:a2?mode=xsk' 'wire:a2?mode=packet'; do
		at tx a1 sent -Q out
		at far b2 got
		capture xdpcount -i "$spec" -w "$how" --json
		case $how in
		*packet) grep -qF "xcap: $how: packet socket at a2" cap.err ;;
		*) grep -qF "xcap: $how: AF_XDP copy at queue 0 of a2" cap.err ;;
		esac || fail "$how does not say how: $(cat cap.err)"
		grep -q '^CapEff:[[:space:]]*0*$' "/proc/${NS_PIDS[cap]}/status" ||
			fail "$how: sends with capabilities"
		ns tx txgen -i a1 -n 1009 -S 60:1514 --rate 10000 >/dev/null || fail "txgen failed"
		arrived got 1009
		stop sent
		books 'packets == 1009' 'lost == 0'
		same "$spec to $how" sent got
	done
done

# ---- a file, as fast as it goes; by xcap dump ----

for how in wire:a2 'wire:a2?mode=packet'; do
	for ((i = 0; i < 8; i++)); do cat sent.pcap >"part$i.pcap"; done
	at far b2 got
	before=$(counter far b2 rx_packets)
	ns rx xcap dump -r part0.pcap -i "$(printf 'file:part%d.pcap,' 1 2 3 4 5 6)file:part7.pcap" \
		-w "$how" >out 2>cap.err || fail "dump: $(cat cap.err)"
	grep -q ' total .*seen 8072 = delivered 8072 + filtered 0 + dropped 0' cap.err ||
		fail "dump: $(cat cap.err)"
	[ $(($(counter far b2 rx_packets) - before)) = 8072 ] || fail "b2 counts others than we"
	[ -s out ] && fail "dump prints what it sends"
	stop got
done

# ---- system calls between the packets ----

at far b2 got
capture xdpcount -i 'tap:b1,syscalls?only=getppid' -w wire:a2 --json
ns tx txgen -i a1 -n 503 -S 60:1514 --rate 10000 >/dev/null || fail "txgen failed"
pid=$(guest calls 103)
ns tx txgen -i a1 -n 503 -S 60:1514 --rate 10000 >/dev/null || fail "txgen failed"
sleep 0.5
books 's0.delivered == 1006' 's1.delivered >= 206' 'lost == 0'
for ((i = 0; i < 100; i++)); do
	[ "$(tcpdump -r got.pcap 2>/dev/null | wc -l)" -ge "$(field records <cap.out)" ] && break
	sleep 0.05
done
stop got
[ "$(tcpdump -r got.pcap 2>/dev/null | wc -l)" = "$(field records <cap.out)" ] ||
	fail "$(tcpdump -r got.pcap 2>/dev/null | wc -l) frames of $(field records <cap.out)"
tcpdump -r got.pcap -n -v udp dst port 514 >calls.txt 2>/dev/null
[ "$(grep -cF "guest[$pid] > getppid()" calls.txt)" = 103 ] || fail "entries of calls are missing"
[ "$(grep -cE "guest\[$pid\] < getppid = [0-9]+" calls.txt)" = 103 ] || fail "results are missing"
tcpdump -r got.pcap -n 'not udp dst port 514' 2>/dev/null | wc -l | grep -qx 1006 ||
	fail "packets are missing between calls"

# its own calls would make it send for ever; others' leave
at far b2 got
capture xdpcount -i 'syscalls?self=on&only=sendto,getppid' -w wire:a2 --json
pid=${NS_PIDS[cap]}
caller=$(guest calls 3)
sleep 1
books 'filtered > 0'
stop got
tcpdump -r got.pcap -n -v udp dst port 514 >calls.txt 2>/dev/null
[ "$(grep -cF "guest[$caller]" calls.txt)" = 6 ] || fail "others' calls do not leave with self=on"
! grep -F "[$pid] " calls.txt || fail "it sends what it does itself"

# ---- what cannot leave stays, by count ----

# cut by snaplen
at tx a1 sent -Q out less 200
at far b2 got
capture xdpcount -i tap:b1 -s 200 -w wire:a2 --json
ns tx txgen -i a1 -n 1009 -S 60:1514 --rate 10000 >/dev/null || fail "txgen failed"
sleep 0.5
books 'seen == 1009' 'packets > 0' 'refused > 500' 'lost == refused'
arrived got "$(field packets <cap.out)"
stop sent
same "uncut ones" sent got

# longer than the MTU allows; what is longer than a chunk leaves by a packet socket
ns_pair tx:c1 rx:d1 mtu=9000 || fail "no wide pair"
ns_pair rx:c2 far:d2 mtu=9000 || fail "no second wide pair"
at tx c1 sent -Q out less 1514
at far b2 got
capture xdpcount -i tap:d1 -w wire:a2 --json
ns tx txgen -i c1 -n 1009 -S 1400:2500 --rate 10000 >/dev/null || fail "txgen failed"
sleep 0.5
books 'seen == 1009' 'packets == 115' 'lost == refused'	# 1400 to 1514
arrived got "$(field packets <cap.out)"
stop sent
same "short ones" sent got
for how in wire:c2 'wire:c2?mode=xsk'; do
	at tx c1 sent -Q out
	at far d2 got
	capture xdpcount -i tap:d1 -w "$how" --json
	ns tx txgen -i c1 -n 1009 -S 3600:4608 --rate 5000 >/dev/null || fail "txgen failed"
	sleep 0.5
	books 'seen == 1009' 'lost == refused'
	arrived got "$(field packets <cap.out)"
	stop sent
	if [ "$how" = wire:c2 ]; then
		grep -q 'packet socket at c2; frames of an MTU of 9000 do not fit' cap.err ||
			fail "why no AF_XDP is not said: $(cat cap.err)"
		[ "$(field packets <cap.out)" = 1009 ] || fail "wide frames do not leave"
		same "wide ones" sent got
	else
		[ "$(field packets <cap.out)" = 497 ] || fail "not 3600 to 4096: $(cat cap.out)"
	fi
done

# other link types, losses
ns rx xdpcount -i "file:$TOP/tests/data/mixed.pcapng" -w wire:a2 --json >cap.out 2>cap.err ||
	fail "a file of all kinds: $(cat cap.err)"
python3 "$TOP/tests/lib/books.py" cap.out || exit 1
printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\377\377\0\0\151\0\0\0' >wifi.pcap
printf '\1\0\0\0\0\0\0\0\24\0\0\0\24\0\0\0%020d' 7 >>wifi.pcap
ns rx xdpcount -i file:wifi.pcap -w wire:a2 --json >cap.out 2>cap.err || fail "$(cat cap.err)"
python3 "$TOP/tests/lib/books.py" cap.out 'seen == 1' 'refused == 1' || exit 1
exit 0
