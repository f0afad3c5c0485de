#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   txgen in each of its modes, N prime frames.
# Out:  whether what it says it sent is what the other end received, byte for
#       byte numbered. Every account test stands on that.
# Owns: two namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 queues=4 mtu=9000 net=10.77.0 gro || fail "no veth pair"

# check WHAT N OPTIONS...: sent + dropped = N, and the other end got what was sent
check() {
	local what=$1 n=$2 before after json

	shift 2
	before=$(counter rx veth0 rx_packets)
	json=$(ns tx txgen -i veth0 -n "$n" "$@") || fail "$what: txgen failed"
	after=$(counter rx veth0 rx_packets)
	echo "$what: $json"
	[[ $what != *paced ]] || [ "$(field pps <<<"$json")" -le 1010 ] ||
		fail "$what: faster than asked for"
	python3 - "$json" "$n" $((after - before)) <<-'END' || fail "$what: the books do not close"
		import json, sys
		r, n, got = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
		made = r["frames"] + r["refused"]
		print("received", got)
		sys.exit(not (r["frames"] == n and r["tx_packets"] + r["tx_dropped"] == made
		              and r["sent"] == got == r["tx_packets"]))
	END
}

check "packet, 60 bytes" 10007
check "packet, every size" 9001 -S 14:9014 --queues 4
check "packet, one tag" 1009 --vlan 7 -S 60:1518
check "packet, two tags" 1009 --qinq 5,7 -S 60:1522
check "packet, paced" 211 --rate 1000
check "xdp, 64 bytes" 100003 -s 64 --mode xdp
check "xdp, two CPUs, sizes" 20011 -S 64:1514 --mode xdp --queues 2
check "xdp, tag" 1009 -s 128 --vlan 7 --mode xdp
check "xdp, paced" 211 -s 128 --mode xdp --rate 1000
ns tx ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev veth0
check "udp" 1009 -s 100 --mode udp --to 10.77.0.2 --queues 4

# a second opinion on the bytes: each number once, in order, checksums right
for mode in packet xdp; do
	ns_bg rx dump tcpdump -i veth0 -w "$mode.pcap" -B 65536 --immediate-mode udp port 7777
	wait_for dump.err 'listening on' || exit 1
	ns tx txgen -i veth0 -n 1009 -S 60:1514 --mode $mode --rate 20000 >/dev/null || exit 1
	sleep 0.5
	stop dump
	tshark -r "$mode.pcap" -o ip.check_checksum:TRUE -T fields -e frame.len \
		-e ip.checksum.status -e udp.srcport -e udp.payload >"$mode.txt" 2>/dev/null
	awk -v mode=$mode '{ seq = NR - 1
		if ($1 != 60 + seq % 1455 || $2 != 1 || $3 != 20000 + seq % 16 ||
		    substr($4, 1, 16) != sprintf("78636170%08x", seq)) {
			print mode ": frame " seq " is wrong: " substr($0, 1, 80); exit 1 } }
		END { if (NR != 1009) { print mode ": " NR " of 1009 frames"; exit 1 } }' \
		"$mode.txt" || fail "the bytes are not what they should be"
done

# flows spread over the queues of the other end
ip -n tx link set veth0 mtu 1500
ip -n rx link set veth0 xdp obj "$B/tests/xdp_pass.bpf.o" sec xdp || fail "no XDP on veth"
check "packet, four queues" 1009 --queues 4
used=$(ns rx ethtool -S veth0 | awk '/rx_queue_[0-9]+_xdp_packets/ && $2 > 0' | wc -l)
[ "$used" = 4 ] || fail "$used of 4 queues were used"

# wrong use says so
for wrong in "-n 5" "-i veth0 -n 0" "-i veth0 -n 5 -s 13" "-i veth0 -n 5 --mode xdp -s 20"; do
	# shellcheck disable=SC2086
	ns tx txgen $wrong 2>wrong.err
	[ $? = 2 ] && [ "$(wc -l <wrong.err)" = 1 ] || fail "txgen $wrong: $(cat wrong.err)"
done
ns tx txgen -i nope -n 5 2>/dev/null && fail "no interface, no complaint"
exit 0
