#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   real TCP in large segments, tags beside frames, frames of every size; captures of all of
#       it, and captures with a filter, all at once.
# Out:  whether each filter kept as many packets as tcpdump finds with it in the capture of all.
# Owns: two namespaces.
# Runs on: root.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 mtu=9000 net=10.77.0 || fail "no veth pair"
ns_pair tx:veth1 rx:veth1 || fail "no veth pair"
ns tx tc qdisc add dev veth1 clsact &&
	ns tx tc filter add dev veth1 egress bpf direct-action obj "$B/tests/tag_push.bpf.o" sec tc ||
	fail "no program at the tc hook"

head -c 3000017 /dev/urandom >traffic
ns_bg rx server python3 -m http.server 8000
for ((i = 0; i < 100; i++)); do
	ns tx curl -sf -o /dev/null http://10.77.0.2:8000/traffic && break
	sleep 0.05
done

traffic() {
	ns tx curl -sf -o page http://10.77.0.2:8000/traffic &&
	ns tx txgen -i veth0 -n 211 -S 60:9014 --rate 5000 &&
	ns tx txgen -i veth0 -n 101 --qinq 5,7 -S 60:1522 --rate 5000 &&
	ns tx txgen -i veth1 -n 211 -S 60:1514 --rate 5000 &&
	ns tx txgen -i veth1 -n 101 --vlan 5 -S 60:1518 --rate 5000
}

filters=(
	'tcp port 8000'
	'tcp[tcpflags] & tcp-syn != 0'
	'tcp[(tcp[12] >> 4) * 4:4] = 0x47455420 or tcp[(tcp[12] >> 4) * 4:4] = 0x48545450'
	'tcp and ip[1000] & 1 = 1'
	'tcp and ip[20000:2] > 0x7fff'
	'tcp and ether[len - 1] & 1 = 1'
	'greater 10000'
	'udp and ip[100:2] > 0x7fff or arp'
	'vlan 7'
	'vlan 5 and vlan 7'
	'vlan 7 and udp[8:4] = 0x78636170'
	'vlan 7 and vlan 5 and udp'
	'ether[14:4] = 0x00070800'
	'ether[13:2] = 0x0000 and ether[10:4] & 0xffff = 0x8100'
	'not vlan and less 1000'
)

# agree WHERE IFACE
agree() {
	local where=$1 iface=$2 i all got want

	ns_bg "$where" all xcap dump -i "tap:$iface?ring=16M" -w all.pcapng -q
	wait_for all.err '^xcap: capturing' || exit 1
	for i in "${!filters[@]}"; do
		ns_bg "$where" "f$i" xcap count -i "tap:$iface?snaplen=64&ring=1M" -f "${filters[i]}" --json
		wait_for "f$i.err" '^xcap: capturing' || exit 1
		! grep 'runs on the copies' "f$i.err" || fail "${filters[i]} does not run in the kernel"
	done
	traffic >traffic.out 2>&1 || fail "no traffic: $(cat traffic.out)"
	sleep 0.3
	for i in "${!filters[@]}"; do
		stop "f$i" || fail "${filters[i]}: $(cat "f$i.err")"
	done
	stop all || fail "$(cat all.err)"
	all=$(tcpdump -nr all.pcapng 2>/dev/null | wc -l)
	for i in "${!filters[@]}"; do
		want=$(tcpdump -nr all.pcapng "${filters[i]}" 2>/dev/null | wc -l)
		got=$(field packets <"f$i.out")
		[ "$(field dropped <"f$i.out")" = 0 ] || fail "${filters[i]}: some are lost"
		[ "$got" = "$want" ] ||
			fail "$where $iface, '${filters[i]}': $got packets, tcpdump finds $want of $all"
		sum=$((sum + got))
	done
	echo "$where $iface: $all packets, ${#filters[@]} filters agree"
}
sum=0
agree tx veth0
agree rx veth0
agree rx veth1
[ $sum -gt 1500 ] || fail "the filters kept $sum packets only"
exit 0
