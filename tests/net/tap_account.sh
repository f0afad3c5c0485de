#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   N prime frames of every kind over veth, copied at TCX and at XDP.
# Out:  whether N = delivered + filtered + dropped, at both ends, byte for byte.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
books=$TOP/tests/lib/books.py

ns_pair tx:veth0 rx:veth0 mtu=9000 gro || fail "no veth pair"
ns_pair tx:veth1 rx:veth1 queues=4 gro || fail "no veth pair of four queues"

# account WHAT N SPEC IFACE TXGEN...: SPEC sees every one of N frames that arrive at IFACE
account() {
	local what=$1 n=$2 spec=$3 iface=$4 json lossless='lost == 0'

	shift 4
	# at a driver's rate a machine that is busy otherwise may lose some, and must say so
	[[ $what = *driver ]] && lossless='delivered > 0'
	ns_bg rx count xdpcount -i "$spec" -q --json
	wait_for count.err '^xcap: capturing' || exit 1
	json=$(ns tx txgen -i "$iface" -n "$n" "$@") || fail "$what: txgen failed"
	[ "$(field tx_dropped <<<"$json")" = 0 ] || echo "$what: veth refused some: $json"
	stop count || fail "$what: xdpcount failed: $(cat count.err)"
	n=$(field sent <<<"$json")
	python3 "$books" count.out "packets + lost == $n" "seen == $n" "$lossless" ||
		fail "$what: $n sent"
	echo "$what: $n accounted for"
}

for hook in tcx xdp; do
	account "$hook, 60 bytes" 100003 "tap:veth0?hook=$hook" veth0
	account "$hook, every size" 2917 "tap:veth0?hook=$hook" veth0 -S 60:1514
	account "$hook, runts" 1013 "tap:veth0?hook=$hook" veth0 -S 14:59
	account "$hook, jumbo" 9001 "tap:veth0?hook=$hook" veth0 -S 60:9014 --rate 20000
	account "$hook, one tag" 1009 "tap:veth0?hook=$hook" veth0 --vlan 7 -S 60:1518
	account "$hook, two tags" 1009 "tap:veth0?hook=$hook" veth0 --qinq 5,7 -S 60:1522
	account "$hook, four queues" 50021 "tap:veth1?hook=$hook" veth1 --queues 4
	account "$hook, from the driver" 500009 "tap:veth0?hook=$hook" veth0 --mode xdp --rate 500000
done

# at the sending end, and what a filter refuses
ns_bg tx count xdpcount -i tap:veth0 -f 'udp src port 20003' -q --json
wait_for count.err '^xcap: capturing' || exit 1
ns tx txgen -i veth0 -n 16001 >/dev/null || fail "txgen failed"
stop count || fail "$(cat count.err)"
python3 "$books" count.out 'packets == 1000' 'filtered == 15001' 'lost == 0' || exit 1

# a ring far too small: what is lost is counted, and told by loss records
ns_bg rx count xdpcount -i 'tap:veth0?ring=16K' -q --json
wait_for count.err '^xcap: capturing' || exit 1
json=$(ns tx txgen -i veth0 -n 300007 --mode xdp)
stop count || fail "$(cat count.err)"
python3 "$books" count.out "seen == $(field sent <<<"$json")" 'ring_full > 0' \
	'lost == ring_full' || exit 1

# -c stops early, and the account still closes
ns_bg rx count xdpcount -i tap:veth0 -c 1009 -q --json
wait_for count.err '^xcap: capturing' || exit 1
ns tx txgen -i veth0 -n 10007 >/dev/null
finished count || fail "$(cat count.err)"
python3 "$books" count.out 'records == 1009' 'seen >= 1009' || exit 1

# a cut through a tag that the kernel keeps beside the frame: its first bytes are there
for snaplen in 13 14 16 17 18; do
	ns_bg rx dump xcap dump -i "tap:veth0?snaplen=$snaplen" -w cut.pcapng -q
	wait_for dump.err '^xcap: capturing' || exit 1
	ns tx txgen -i veth0 -n 7 --vlan 7 >/dev/null || fail "txgen failed"
	sleep 0.2
	stop dump || fail "$(cat dump.err)"
	tcpdump -r cut.pcapng -w cut.pcap 2>/dev/null
	python3 - "$snaplen" <<-'END' || fail "a tagged frame cut at $snaplen bytes is wrong"
		import struct, sys
		data, n, at, packets = open("cut.pcap", "rb").read(), int(sys.argv[1]), 24, 0
		while at < len(data):
		    caplen, length = struct.unpack_from("<II", data, at + 8)
		    frame = data[at + 16:at + 16 + caplen]
		    tag = bytes.fromhex("810000070800")[:caplen - 12]
		    if caplen != n or length != 60 or frame[12:] != tag:
		        sys.exit(f"{caplen} of {length} bytes: {frame.hex()}")
		    at += 16 + caplen
		    packets += 1
		sys.exit(packets != 7)
	END
done
