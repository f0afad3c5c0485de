#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the same traffic seen by tcpdump and by xcap at once: every size, tags, a real curl.
# Out:  whether bytes, lengths and order are equal, and times less than a millisecond apart.
# Owns: two namespaces.
# Runs on: root.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 mtu=9000 net=10.77.0 || fail "no veth pair"

traffic() {
	ns tx txgen -i veth0 -n 1009 -S 60:1514 --rate 5000 &&
	ns tx txgen -i veth0 -n 211 -S 60:9014 --rate 5000 &&
	ns tx txgen -i veth0 -n 211 --vlan 7 -S 60:1518 --rate 5000 &&
	ns tx txgen -i veth0 -n 211 --qinq 5,7 -S 60:1522 --rate 5000 &&
	ns tx curl -sf -o page http://10.77.0.2:8000/traffic
}

head -c 1000003 /dev/urandom >traffic
ns_bg rx server python3 -m http.server 8000
# the server answers, and both ends know one another
for ((i = 0; i < 100; i++)); do
	ns tx curl -sf -o /dev/null http://10.77.0.2:8000/traffic && break
	sleep 0.05
done

# agree WHAT NS SPEC: tcpdump and xcap at the same interface
agree() {
	local what=$1 where=$2 spec=$3

	ns_bg "$where" tcpdump tcpdump -i veth0 -w a.pcap -B 65536 --nano --immediate-mode
	ns_bg "$where" xcap xcap dump -i "$spec" -w b.pcapng -q
	wait_for tcpdump.err 'listening on' || exit 1
	wait_for xcap.err '^xcap: capturing' || exit 1
	traffic >traffic.out 2>&1 || fail "$what: no traffic: $(cat traffic.out)"
	sleep 0.3
	stop xcap || fail "$what: $(cat xcap.err)"
	stop tcpdump
	grep -q '^0 packets dropped by kernel' tcpdump.err || fail "$what: tcpdump lost some"
	tcpdump -r b.pcapng --nano -w b.pcap 2>/dev/null || fail "$what: tcpdump cannot read it"
	python3 "$TOP/tests/lib/same_packets.py" a.pcap b.pcap 1 || fail "$what"
}

agree "coming in" rx tap:veth0
agree "going out" tx tap:veth0
