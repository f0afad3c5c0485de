#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# In:   queries over IPv4, IPv6, TCP, lo, a bridge, a router that puts its own address into them,
#       a server on another port (as in containers), of glibc; without an answer; garbage.
# Out:  whether the probe dns tells each once, of the right process, with name, type, code and time,
#       as tshark has them.
# Owns: its namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

script=$TOP/tests/lib/probe_dns.py
calls=5

# ---- left - bridge and router - right ----

ns_pair left:veth0 mid:port0 ipv6 || fail "no veth pair"
ns_pair mid:veth2 right:veth1 ipv6 || fail "no veth pair"
ip -n mid link add br0 type bridge forward_delay 0
ip -n mid link set port0 master br0
ip -n mid link set br0 up
address() {
	ip -n "$1" addr add "$3" dev "$2" ${4+nodad} || fail "$1: no address"
}
address left veth0 10.77.42.1/24
address mid br0 10.77.42.254/24
address mid veth2 10.77.43.254/24
address right veth1 10.77.43.2/24
address left veth0 fd77:42::1/64 nodad
address mid br0 fd77:42::fe/64 nodad
address mid veth2 fd77:43::fe/64 nodad
address right veth1 fd77:43::2/64 nodad
ip -n left route add default via 10.77.42.254
ip -n left route add default via fd77:42::fe
ip -n right route add default via fd77:43::fe	# for IPv4 there is nobody to answer but the router
ns mid sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ns mid nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; };
	add rule ip nat post oif veth2 masquerade' || skip "nft cannot translate addresses here"
ns left nft 'add table ip nat; add chain ip nat out { type nat hook output priority -100; };
	add chain ip nat post { type nat hook postrouting priority 100; };
	add rule ip nat out ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:5353;
	add rule ip nat post ip saddr 127.0.0.11 udp sport 5353 snat to :53' ||
	skip "nft cannot translate ports here"

# ---- who asks, who answers ----

ns_bg right far python3 "$script" serve 10.77.43.2@53 fd77:43::2@53
ns_bg left near python3 "$script" serve 127.0.0.53@53 127.0.0.11@5353
wait_for far.out pid && wait_for near.out pid || exit 1
ns_bg left dns xcap probe dns --json
ns_bg left wire tcpdump -B 8192 -Uni veth0 -w wire.pcap port 53
wait_for dns.err '^xcap: capturing' && wait_for wire.err 'listening on' || exit 1
touch go
echo "nameserver 10.77.43.2" >resolv.conf
echo "hosts: dns" >nsswitch.conf
# shellcheck disable=SC2016
ns_bg left glibc unshare -m sh -c 'mount --bind resolv.conf "$(realpath /etc/resolv.conf)" &&
	mount --bind nsswitch.conf /etc/nsswitch.conf && exec python3 -c "
import os, socket, sys, time
for i in range(int(sys.argv[1])):
    try:
        socket.getaddrinfo(f\"name{i}.example.com\", 80, type=socket.SOCK_STREAM)
    except socket.gaierror:
        pass
print(os.getpid(), flush=True)
while os.path.exists(\"go\"):
    time.sleep(0.01)" '"$calls"
wait_for glibc.out . || exit 1
ns_bg left ask python3 "$script" ask
wait_for ask.out garbage || exit 1
sleep 6.4
stop wire
tshark -r wire.pcap -Y 'dns.flags.response == 1 && udp' -T fields -e dns.id -e dns.qry.name \
	-e dns.flags.rcode -e dns.time >tshark.out 2>/dev/null || fail "tshark does not read it"
stop dns || fail "dns ended with $?"
rm go
python3 "$script" check "$(cat glibc.out)" $calls
