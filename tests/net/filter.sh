#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   N prime frames over veth; filters in front of tap: and xsk:.
# Out:  whether seen = delivered + filtered + dropped, what is refused is not copied, and reaches
#       the host where it was to be taken from it; and whether a filter can change meanwhile.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
books=$TOP/tests/lib/books.py

ns_pair tx:veth0 rx:veth0 mtu=9000 gro || fail "no veth pair"
ns_pair tx:veth1 rx:veth1 queues=4 gro || fail "no veth pair of four queues"

# start NS LABEL SPEC FILTER
start() {
	ns_bg "$1" "$2" xcap count -i "$3" -f "$4" -q --json
	wait_for "$2.err" '^xcap: capturing' || exit 1
}

# filtered WHAT N SPEC IFACE FILTER EXPRESSION TXGEN...
filtered() {
	local what=$1 n=$2 spec=$3 iface=$4 filter=$5 expression=$6 json

	shift 6
	start rx count "$spec" "$filter"
	json=$(ns tx txgen -i "$iface" -n "$n" "$@") || fail "$what: txgen failed"
	n=$(field sent <<<"$json")
	sleep 0.1
	stop count || fail "$what: $(cat count.err)"
	python3 "$books" count.out "seen == $n" "packets + filtered + dropped == $n" \
		"$expression" || fail "$what, $filter: $n sent"
	echo "$what, $filter: $n accounted for"
}

# one in sixteen: flows are told apart by the source port
for spec in tap:veth0 'tap:veth0?hook=xdp' xsk:veth0; do
	filtered "$spec" 16001 "$spec" veth0 'udp src port 20000' 'packets == 1001 and dropped == 0'
	filtered "$spec, tags" 1009 "$spec" veth0 'vlan 7 and udp' 'packets == 1009' --vlan 7
	filtered "$spec, other tags" 1009 "$spec" veth0 'vlan 8' 'filtered == 1009' --vlan 7
	filtered "$spec, jumbo" 503 "$spec" veth0 'udp[8:4] = 0x78636170 and greater 8000' \
		'packets == 503' -S 8001:9014 --rate 20000
	# "xcap" and the number; all bytes behind it are alike, also in the last piece
	filtered "$spec, last piece" 503 "$spec" veth0 'ether[8999] != ether[8998]' \
		'filtered == 503' -S 9000:9014 --rate 20000
	filtered "$spec, outbound" 503 "$spec" veth0 outbound 'filtered == 503'
	filtered "$spec, inbound" 503 "$spec" veth0 inbound 'packets == 503'
done
for spec in tap:veth1 'tap:veth1?hook=xdp' xsk:veth1; do
	filtered "$spec, four queues" 50021 "$spec" veth1 'udp src port 20000 or src port 20001' \
		'packets > 0 and dropped == 0' --queues 4
done

# What is refused takes no room: these rings have some for a handful of copies.
for spec in 'tap:veth0?ring=4K' 'tap:veth0?hook=xdp&ring=4K' 'xsk:veth0?ring=64&frames=128'; do
	filtered "$spec" 300007 "$spec" veth0 'tcp or udp port 7' 'filtered == seen and dropped == 0' \
		--mode xdp
done

# the sending end, both ways at once
start tx count tap:veth0 'outbound and udp src port 20003'
ns tx txgen -i veth0 -n 16001 >/dev/null || fail "txgen failed"
stop count || fail "$(cat count.err)"
python3 "$books" count.out 'packets == 1000' 'filtered == 15001' 'dropped == 0' || exit 1

# xsk: leaves to the host what does not match: behind it stands a tap
start rx count xsk:veth0 'udp src port 20003'
start rx host tap:veth0 udp
ns tx txgen -i veth0 -n 16001 >/dev/null || fail "txgen failed"
sleep 0.1
stop count || fail "$(cat count.err)"
stop host || fail "$(cat host.err)"
python3 "$books" count.out 'packets == 1000' 'filtered == 15001' 'dropped == 0' &&
	python3 "$books" host.out 'packets == 15001' || fail "the host did not get the rest"

# and, killed, all of it: a host that counts frames of other flows misses none
start rx host tap:veth0 'udp and not src port 20003'
ns_bg tx sender txgen -i veth0 -n 40009 --rate 40000
for _ in 1 2 3 4 5; do
	start rx count xsk:veth0 'udp src port 20003'
	stop count KILL
done
finished sender || fail "txgen failed"
sleep 0.1
stop host || fail "$(cat host.err)"
python3 "$books" host.out "packets == 40009 - $(((40009 - 3 + 15) / 16))" ||
	fail "frames that did not match were lost with a capture that was killed"

# What the kernel cannot run: copies are filtered, and say so; nothing is taken from the host.
ns_bg rx count xcap count -i tap:veth0 -f 'udp src port 20003 and not ifindex 1' --json
wait_for count.err 'the filter runs on the copies: the filter asks what only libpcap' || exit 1
ns tx txgen -i veth0 -n 1009 >/dev/null
sleep 0.1
stop count || fail "$(cat count.err)"
python3 "$books" count.out 'packets == 0' 'filtered == 1009' || exit 1
ns rx xcap count -i xsk:veth0 -f 'ifindex 1' -q >/dev/null 2>refused &&
	fail "xsk: took a filter that the kernel cannot run"
grep -q 'cannot leave to the host what does not match: .*tap:veth0' refused ||
	fail "why it is refused is not said: $(cat refused)"

# swap SPEC REFUSED: a filter that changes all the time loses nothing of what all of them keep
swap() {
	local spec=$1 refused=$2 n=60013

	ns_bg rx swap filter_swap "$spec"
	wait_for swap.err '^filter_swap: capturing' || exit 1
	ns tx txgen -i veth0 -n $n --rate 40000 >/dev/null || fail "$spec: txgen failed"
	sleep 0.1
	stop swap || fail "$spec: $(cat swap.err)"
	python3 - "$n" "$refused" "$(cat swap.out)" <<-'END' || fail "$spec: $(cat swap.out)"
		import json, sys
		n, a = int(sys.argv[1]), json.loads(sys.argv[3])
		bad = [what for what, ok in {
			"all are seen": a["seen"] == n,
			"the account closes": a["seen"] == a["delivered"] + a["filtered"] + a["dropped"],
			"nothing is dropped": a["dropped"] == 0,
			"what all filters keep comes": a["kept"] == (n + 15) // 16,
			"once, and in order": a["twice"] == a["out_of_order"] == 0,
			"what none keeps does not": a["strays"] == 0,
			"some keep more": a["others"] > 0,
			"it changed": a["swaps"] > 8,
			"too much is refused, or not": bool(a["refused"]) == (sys.argv[2] == "refused"),
			"an orderly end": a["end"] == -61,
		}.items() if not ok]
		print(*("not so: " + what for what in bad), sep="\n")
		sys.exit(bool(bad))
	END
	echo "$spec: the filter changed $(field swaps <swap.out) times, $n accounted for"
}
swap tap:veth0 ''
swap 'tap:veth0?hook=xdp' ''
swap xsk:veth0 refused
# all sources or none: the first gets back what it had, because the second refuses
swap tap:veth1,xsk:veth0 refused
swap xsk:veth0,tap:veth1 refused
exit 0
