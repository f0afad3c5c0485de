#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap iface, and programs that know nothing of it: tcpdump as it is, tcpdump with a file
#       capability run by nobody in particular, a static program with a packet socket, tshark.
# Out:  whether each reads every call by name, packets come through as they are, and the books
#       close.
# Owns: two namespaces, its processes.
# Runs on: root; TUN.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
chmod 711 .

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
calls=1009		# each an entry and a result

# the books of the run before, the sources' in order
account() {
	stop iface || fail "$1: $(cat iface.err)"
	shift
	python3 "$TOP/tests/lib/books.py" iface.out "$@" || exit 1
}

# ---- four readers at once; getppid is what nobody else calls so often ----

ns_bg rx iface xcap iface 'syscalls?only=getppid' --json
wait_for iface.err '^xcap: showing it on the interface syscalls' || exit 1
cp "$(command -v tcpdump)" capable
setcap cap_net_raw+ep capable || fail "no file capabilities here"
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
if ns rx "${as_nobody[@]}" tcpdump -i syscalls -c 1 >/dev/null 2>&1; then
	fail "tcpdump needs no capability here: the test would prove nothing"
fi
ns_bg rx plain tcpdump -l -n -v -i syscalls 'udp src port 11110 or udp src port 12110'
ns_bg rx capable "${as_nobody[@]}" ./capable -l -n -v -i syscalls udp dst port 514
ns_bg rx tshark tshark -l -n -B 16 -i syscalls -T fields -e syslog.msg
ns_bg rx all static_sniffer syscalls all 'guest[' $((2 * calls)) 30
ns_bg rx ip static_sniffer syscalls ip 'guest[' $((2 * calls)) 30
for reader in plain capable all ip; do
	wait_for $reader.err 'listening' || exit 1
done
wait_for tshark.err "Capturing on 'syscalls'" || exit 1
! readelf -l "$B/tests/static_sniffer" | grep -q INTERP || fail "static_sniffer is not static"
sleep 0.5	# tshark says so before its dumpcap listens

pid=$(guest calls $calls)
finished all 30 || fail "the static program lacks calls: $(wc -l <all.out)"
finished ip 30 || fail "its socket for IPv4 alone lacks calls: $(wc -l <ip.out)"
for ((i = 0; i < 100; i++)); do
	[ "$(grep -cF "guest[$pid]" tshark.out)" -ge $((2 * calls)) ] && break
	sleep 0.05
done
stop plain; stop capable; stop tshark
for reader in plain capable tshark all ip; do
	[ "$(grep -cF "guest[$pid] > getppid()" $reader.out)" = $calls ] ||
		fail "$reader: $(grep -cF "guest[$pid] > getppid()" $reader.out) entries of $calls"
	[ "$(grep -cE "guest\[$pid\] < getppid = [0-9]+" $reader.out)" = $calls ] ||
		fail "$reader: $(grep -cF "guest[$pid] < getppid" $reader.out) results of $calls"
done
account "syscalls" "syscalls >= $((2 * calls))" 'lost == 0'
grep -q '"spec":"syscalls' iface.out || fail "no account: $(cat iface.out)"

# ---- a name of its own; filters find a process by its address ----

ns_bg rx iface xcap iface 'syscalls?only=getppid' --name calls0 --json
wait_for iface.err '^xcap: showing it on the interface calls0' || exit 1
mac() {
	printf '02:00:%02x:%02x:%02x:%02x' $(($1 >> 24)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255))
}
# it stops itself before it makes a call, so that its number is known
ns_bg "" caller sh -c 'kill -STOP $$; exec guest calls 211'
for ((i = 0; i < 100; i++)); do
	grep -q '^State:.*T' "/proc/${NS_PIDS[caller]}/status" && break
	sleep 0.02
done
ns_bg rx plain tcpdump -l -n -i calls0 ether dst "$(mac "${NS_PIDS[caller]}")"
wait_for plain.err listening || exit 1
guest calls 101 >/dev/null
kill -CONT "${NS_PIDS[caller]}"
finished caller
for ((i = 0; i < 100; i++)); do
	[ "$(wc -l <plain.out)" -ge 422 ] && break
	sleep 0.05
done
stop plain
[ "$(grep -c SYSLOG plain.out)" = 422 ] || fail "by its address $(grep -c SYSLOG plain.out) frames of 422"
account "a name"

# ---- packets between the calls: byte for byte, in the order of the stream ----

ns_bg rx iface xcap iface 'tap:veth0,syscalls?only=getppid' --name both --json
wait_for iface.err '^xcap: showing' || exit 1
ns_bg rx a tcpdump -i veth0 -w a.pcap -B 65536 --nano --immediate-mode
ns_bg rx b tcpdump -i both -w b.pcap -B 65536 --nano --immediate-mode not src host 192.0.0.8
ns_bg rx calls tcpdump -l -n -i both src host 192.0.0.8
for reader in a b calls; do
	wait_for $reader.err 'listening' || exit 1
done
ns tx txgen -i veth0 -n 503 -S 60:1514 --rate 5000 >/dev/null || fail "txgen failed"
pid=$(guest calls 103)
ns tx txgen -i veth0 -n 503 -S 60:1514 --rate 5000 >/dev/null || fail "txgen failed"
sleep 0.5
account "both" 'packets == 1006' 's1.delivered >= 206' 'lost == 0'
stop a; stop b; stop calls
# their times are those of two devices: bytes and order alone
python3 "$TOP/tests/lib/same_packets.py" a.pcap b.pcap 60000 || fail "packets are not as they were"
[ "$(grep -c ' SYSLOG ' calls.out)" -ge 206 ] || fail "calls are missing beside packets"

# ---- what cannot be shown ----

ns rx xcap iface >out 2>err && fail "shows nothing at all"
grep -q 'what to show is missing' err || fail "no sentence: $(cat err)"
ns rx xcap iface "file:$TOP/tests/data/mixed.pcapng" --json >out 2>err || fail "a file: $(cat err)"
python3 "$TOP/tests/lib/books.py" out || exit 1
printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\377\377\0\0\151\0\0\0' >wifi.pcap
ns rx xcap iface file:wifi.pcap >out 2>err && fail "shows 802.11 as Ethernet"
grep -q 'link type 105.*leave it out' err || fail "no sentence for link types: $(cat err)"
exit 0
