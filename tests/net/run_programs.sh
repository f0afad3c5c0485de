#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   ngrep, tcpflow, p0f, arp-scan and scapy, as Debian has them, and lines of Python that
#       call libpcap; traffic and system calls.
# Out:  whether each sees them by xcap run, sends what it sends otherwise, ends as it does
#       otherwise, and leaves nothing. docs/programs.md has the list.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

need ngrep tcpflow p0f arp-scan curl
ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
echo 'a page of some words' >page.html
ns_bg tx web python3 -m http.server 8000
fetch() {
	ns rx curl -sf -m 5 -o fetched http://10.77.0.1:8000/page.html
}
for ((i = 0; i < 100; i++)); do
	fetch && break
	sleep 0.05
done

# fetched FILE REGEX: a page is fetched until the file says so
fetched() {
	local i

	for ((i = 0; i < 50; i++)); do
		fetch || fail "no traffic"
		sleep 0.1
		grep -qE -- "$2" "$1" 2>/dev/null && return
	done
	fail "no '$2' in $1: $(cat "$1")"
}

echo "ngrep: words in packets, words in calls, from both"
run ngrep '^interface: tap:veth0' ngrep -l -d tap:veth0 -W byline -q 'some words' tcp
fetched ngrep.out 'a page of some words'
over ngrep
says ngrep.out '^interface: tap:veth0 \(10.77.0.0/255.255.255.0\)' '^T 10.77.0.1:8000 -> 10.77.0.2:'
grep -q GET ngrep.out && fail "ngrep shows what has not the words"
run ngrep '^interface: syscalls' ngrep -l -d 'syscalls' -W single -q '(curl.* connect)' udp src portrange 11000-11999
fetched ngrep.out '<6>curl\[[0-9]+\] > connect'
grep -q '\] < ' ngrep.out && fail "ngrep shows results"
over ngrep TERM 143
run ngrep '^interface: veth0\+syscalls' ngrep -l -d 'veth0+syscalls?only=connect' -O ngrep.pcap -q \
	'(GET|> connect)'
fetched ngrep.out 'GET /page.html'
says ngrep.out '<6>curl\[[0-9]+\] > connect'
over ngrep
tcpdump -n -A -r ngrep.pcap 2>/dev/null >said
says said 'GET /page.html' '> connect\('
run ngrep '^interface: tap:veth0' ngrep -l -d tap:veth0 -n 3 xcap udp
send -n 11
finished ngrep 10 || fail "ngrep -n: $(cat ngrep.err)"
says ngrep.out '^3 received, 3 matched' '^U 198.18.0.1:20000 -> 198.18.0.2:7777'
ns rx xcap run ngrep -d tap:nosuch >said 2>&1 && fail "tap:nosuch"
says said "^there is no interface 'nosuch' here.*: No such device"
nothing_left

echo "tcpflow: a connection put together"
run tcpflow 'listening on tap:veth0' tcpflow -o flows -i tap:veth0 port 8000
fetch
for ((i = 0; i < 50; i++)); do
	grep -q 'some words' flows/010.077.000.001.08000-* 2>/dev/null && break
	sleep 0.1
done
over tcpflow
cat flows/010.077.000.001.08000-* >flow
says flow 'HTTP/1.0 200 OK' 'a page of some words'
cat flows/010.077.000.002.*-010.077.000.001.08000 >flow
says flow 'GET /page.html'
run tcpflow 'listening on veth0\+syscalls' tcpflow -c -o flows -i 'veth0+syscalls?only=connect'
fetched tcpflow.out 'a page of some words'
over tcpflow TERM

echo "p0f: who is who, by poll() on the descriptor; from a chroot, as another user"
run p0f 'Entered main event loop' p0f -i tap:veth0 -o p0f.log
fetched p0f.log 'mod=syn\|cli=10.77.0.2/'
over p0f
says p0f.out 'Processed [1-9][0-9]* packets'
run p0f 'Entered main event loop' p0f -i veth0+syscalls -p -u games -o other.log 'tcp port 8000'
grep -q "^Uid:	$(id -u games)	" "/proc/${NS_PIDS[p0f]}/status" || fail "not user games"
[ "$(readlink "/proc/${NS_PIDS[p0f]}/root")" = / ] && fail "not in its chroot"
fetched other.log 'mod=http response\|'
over p0f TERM
says p0f.out 'Processed [1-9][0-9]* packets'
ns rx xcap run p0f -i tap:nosuch >said 2>&1 && fail "tap:nosuch"
says said "pcap_open_live: there is no interface 'nosuch' here"
nothing_left

echo "arp-scan: asks on the wire, and hears the answer"
ns_bg tx asked tcpdump -l -n -i veth0 'arp[6:2] = 1'
wait_for asked.err 'listening on' || exit 1
for spec in tap:veth0 'veth0+syscalls'; do
	ns rx timeout 20 xcap run --map "veth0=$spec" arp-scan -I veth0 10.77.0.0/29 >scan 2>&1 ||
		fail "arp-scan: $? $(cat scan)"
	says scan '^10.77.0.1	' '8 hosts scanned' ' 1 responded'
done
nothing_left
wait_for asked.out 'who-has 10.77.0.7 tell 10.77.0.2' || exit 1
# the network is the interface's, whatever else is captured: -l asks 256 hosts and not 2^32
ns rx timeout 20 xcap run --map 'veth0=veth0+syscalls' arp-scan -I veth0 -l -r 1 -B 2M >scan 2>&1 ||
	fail "arp-scan -l: $? $(cat scan)"
says scan '256 hosts scanned'
ip -n rx addr del 10.77.0.2/24 dev veth0
ns rx timeout 20 xcap run --map 'veth0=tap:veth0' arp-scan -I veth0 -l >scan 2>&1
[ $? = 1 ] || fail "arp-scan -l without a network: $(cat scan)"
says scan 'pcap_lookupnet: veth0: no IPv4 address assigned'
ip -n rx addr add 10.77.0.2/24 dev veth0
ns rx xcap run arp-scan -I tap:veth0 10.77.0.1 >scan 2>&1
says scan '^ioctl: No such device'	# docs/programs.md: that is why there is --map
stop asked
nothing_left

echo "scapy: sniffs, sends, asks and hears the answer"
cat >with_scapy.py <<'END'
import os
import sys
import time
from scapy.all import AsyncSniffer, Ether, ARP, ICMP, IP, UDP, conf, get_if_hwaddr, sendp, sniff, sr1, srp

conf.use_pcap = True
what, device = sys.argv[1:3]
if what == "send":
    sniffer = AsyncSniffer(iface=device, filter="udp port 9999", count=3, timeout=20)
    sniffer.start()
    while sniffer.running and not (sniffer.results or []):
        sendp(Ether(dst="ff:ff:ff:ff:ff:ff") / IP(dst="10.77.0.1") / UDP(sport=9998, dport=9999)
              / b"scapy was here", iface=device, count=3, inter=0.1, verbose=False)
        sniffer.join(1)
    for packet in sniffer.results:
        print(packet.summary(), bytes(packet))
elif what == "calls":
    for packet in sniff(iface=device, filter="udp src port 11257", count=5, timeout=20):
        print(packet.summary(), bytes(packet[UDP].payload))
elif what == "arp":
    answers, _ = srp(Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(pdst="10.77.0.0/29"), iface=device, timeout=2,
                     verbose=False)
    for _, answer in answers:
        print(answer.summary())
elif what == "ping":
    print(get_if_hwaddr(device))
    print(sr1(IP(dst="10.77.0.1") / ICMP(), iface=device, timeout=5, verbose=False).summary())
END
scapy() {
	ns rx timeout 40 xcap run "${@:3}" /usr/bin/python3 with_scapy.py "$1" "$2" >said 2>scapy.err ||
		fail "scapy $*: $? $(cat scapy.err)"
	nothing_left
}
/usr/bin/python3 -c 'import scapy' || fail "scapy is missing: make deps"
ns_bg tx peer timeout 30 tcpdump -l -n -i veth0 -A -c 3 udp port 9999
wait_for peer.err 'listening on' || exit 1
scapy send tap:veth0
says said "10.77.0.1:9999.*scapy was here"
finished peer 10 || fail "what scapy sent does not arrive"
says peer.out "scapy was here"
scapy arp tap:veth0
says said 'ARP is at .* says 10.77.0.1'
scapy ping veth0 --map veth0=tap:veth0
says said "^$(ip -n rx -br link show dev veth0 | awk '{ print $3 }')$" 'ICMP 10.77.0.1 > 10.77.0.2 echo-reply'
ns_bg rx again sh -c 'while :; do cat /dev/null; sleep 0.1; done'
scapy calls 'syscalls?switches=off'
says said "192.0.0.8:11257 > 192.0.0.8:syslog.*<6>.*> openat\("
scapy calls 'veth0+syscalls'
says said '> openat\('
stop again KILL 2>/dev/null

echo "a flood that the filter refuses keeps no program that asks without waiting"
cat >flood.py <<'END'
import ctypes
import time

pcap = ctypes.CDLL("libpcap.so.0.8")
pcap.pcap_open_live.restype = ctypes.c_void_p
error, code = ctypes.create_string_buffer(256), ctypes.create_string_buffer(64)
handle = ctypes.c_void_p(pcap.pcap_open_live(b"syscalls", 65535, 1, 100, error))
assert handle, error.value
assert pcap.pcap_compile(handle, code, b"udp port 9", 1, 0) == 0
assert pcap.pcap_setfilter(handle, code) == 0
assert pcap.pcap_setnonblock(handle, 1, error) == 0
nothing = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: None)
longest, end = 0, time.monotonic() + 3
while time.monotonic() < end:
    begin = time.monotonic()
    assert pcap.pcap_dispatch(handle, -1, nothing, None) == 0
    longest = max(longest, time.monotonic() - begin)
print(f"{longest:.3f} s")
assert longest < 0.7
END
for i in 1 2; do
	ns_bg rx flood$i dd if=/dev/zero of=/dev/null bs=1
done
ns rx timeout 20 xcap run /usr/bin/python3 flood.py || fail "pcap_dispatch() does not come back"
for i in 1 2; do
	stop flood$i KILL 2>/dev/null
done
nothing_left

echo "another user, another namespace: refused, and said why"
chmod 755 .
ns rx xcap run setpriv --reuid 65534 --clear-groups tcpdump -i tap:veth0 >said 2>&1 && fail "another user"
says said 'xcap run was started by user 0 and captures for no other, and this is user 65534'
ns rx xcap run nsenter --net=/run/netns/tx tcpdump -i tap:veth0 >said 2>&1 && fail "another namespace"
says said 'this is another network namespace'
caps=+bpf,+perfmon,+net_admin,+net_raw,+ipc_lock
start user -n -i tap:veth0 -w /dev/null
over user
ns_bg rx user setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps $caps --ambient-caps $caps \
	xcap run tcpdump -n -i veth0+syscalls -w /dev/null
wait_for user.err 'listening on' || exit 1
send -n 101
reads user 'captured >= 101'
over user
nothing_left
