#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   N prime frames of every kind, on one queue and on four.
# Out:  whether xsk: delivers or accounts for each of them, and each only once.
# Owns: two namespaces for each kind.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

# books WHAT MADE ACCOUNT [EXPRESSION]: the account closes, losses were told,
# nothing came twice or out of order; EXPRESSION is about the account a and N n
books() {
	python3 - "$@" <<-'END' || fail "$1: the books do not close: $3"
		import json, sys
		n, a = int(sys.argv[2]), json.loads(sys.argv[3])
		bad = [what for what, ok in {
			"seen is what was sent": a["seen"] == n,
			"seen = delivered + filtered + dropped":
				a["seen"] == a["delivered"] + a["filtered"] + a["dropped"],
			"loss records tell of every loss": a["lost"] == a["dropped"] - a["unread"],
			"nothing twice": a["twice"] == 0,
			"all that has a number is told apart": a["distinct"] == a["numbered"],
			"lengths as sent": a["bad_bytes"] == 0,
			"in order": a["out_of_order"] == a["backwards"] == 0,
			"an orderly end": a["end"] == -61,
			"as expected": eval(sys.argv[4]) if len(sys.argv) > 4 else True,
		}.items() if not ok]
		print(*("not so: " + what for what in bad), sep="\n")
		sys.exit(bool(bad))
	END
}

# check WHAT "PAIR OPTIONS" SPEC "READER OPTIONS" EXPRESSION TXGEN OPTIONS...
check() {
	local what=$1 pair=$2 spec=$3 reader=$4 expression=$5 sent i=$((++round))

	shift 5
	# shellcheck disable=SC2086
	ns_pair "tx$i:veth0" "rx$i:veth0" $pair || fail "no veth pair"
	# shellcheck disable=SC2086
	[ -z "$prepare" ] || ns "rx$i" sh -c "$prepare" || fail "$what: prepare"
	# shellcheck disable=SC2086
	ns_bg "rx$i" reader reader $reader "$spec"
	wait_for reader.err '^reader: capturing' || exit 1
	sent=$(ns "tx$i" txgen -i veth0 "$@" | field sent) || fail "$what: txgen"
	sleep 0.2
	stop reader || fail "$what: $(cat reader.err)"
	books "$what" "$sent" "$(cat reader.out)" "$expression"
	echo "$what:" "$(python3 -c 'import json, sys
print({k: v for k, v in json.loads(sys.argv[1]).items() if v})' "$(cat reader.out)")"
	ip netns del "tx$i"
	ip netns del "rx$i"
}
round=0 prepare=

all='a["delivered"] == n and a["numbered"] == n'
check "one queue" "" xsk:veth0 "" "$all" -n 10007
check "one queue, every size" "" xsk:veth0 "" "$all" -n 10007 -S 60:1514
check "four queues" "queues=4" xsk:veth0 "" "$all and a['queues'] == 4" -n 10007 --queues 4
check "one tag" "" xsk:veth0 "" "$all" -n 1009 --vlan 7 -S 64:1518
check "two tags" "" xsk:veth0 "" "$all" -n 1009 --qinq 5,7 -S 68:1522
check "runts" "" xsk:veth0 "" 'a["delivered"] == n' -n 1009 -S 14:59
check "jumbo" "mtu=9000" xsk:veth0 "" "$all and a['joined']" -n 5003 -S 60:9014 --rate 20000
check "jumbo, four queues" "mtu=9000 queues=4" xsk:veth0 "" "$all and a['joined']" \
	-n 5003 -S 60:9014 --queues 4
check "MTU 3000, no pieces" "mtu=3000" xsk:veth0 "" "$all and not a['joined']" -n 1009 -S 60:3014
check "made in the kernel" "" xsk:veth0 "" 'a["numbered"] == a["delivered"]' -n 300007 --mode xdp
check "made in the kernel, four queues, two CPUs" "queues=4" xsk:veth0 "" \
	'a["numbered"] == a["delivered"]' -n 300007 --mode xdp --queues 2

# a device without native XDP, frames made for its address
prepare='ip link add mac0 address 02:00:00:00:00:02 link veth0 type macvlan &&
	ip link set mac0 up'
check "generic" "" xsk:mac0 "" "$all" -n 10007 -S 60:1514
prepare=

# a tag beside the frame, as VLAN devices put it, is lost here: the note says so and what helps
ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
ns tx tc qdisc add dev veth0 clsact &&
	ns tx tc filter add dev veth0 egress bpf direct-action obj "$B/tests/tag_push.bpf.o" sec tc ||
	fail "no program at the tc hook"
for offload in on off; do
	ns tx ethtool -K veth0 txvlan $offload
	ns_bg rx dump xcap dump -i xsk:veth0 -w tags.pcapng
	wait_for dump.err 'capturing' || exit 1
	grep -q 'tags of VLAN devices on the other end are not seen: ethtool -K there' dump.err ||
		fail "tags beside frames: $(cat dump.err)"
	ns tx txgen -i veth0 -n 11 >/dev/null
	sleep 0.2
	stop dump
	tags=$(tcpdump -nner tags.pcapng vlan 7 2>/dev/null | wc -l)
	echo "txvlan $offload: $tags tags"
	[ $offload = on ] || [ "$tags" = 11 ] || fail "what the note says does not help: $tags of 11"
done
ip netns del tx
ip netns del rx

# the kernel has no frames left, the reader holds too many, the reader leaves
check "a slow reader" "" "xsk:veth0?ring=256" "-d 20000" \
	'a["xsk_no_frame"] + a["xsk_ring_full"] > 0 and a["losses"] > 0' -n 50021
check "a slow reader, jumbo" "mtu=9000" "xsk:veth0?ring=256" "-d 20000" \
	'a["dropped"] > 0 and a["joined"] > 0' -n 5003 -S 4000:9014
check "a slow reader, four queues" "queues=4" "xsk:veth0?ring=256" "-d 20000" \
	'a["dropped"] > 0' -n 50021 --queues 4
check "a reader that holds" "" "xsk:veth0?ring=256&frames=1024" "-h 4000" \
	'a["held"] > 0 and a["losses"] > 0' -n 10007
check "a reader that holds, no power of two, jumbo" "mtu=9000" \
	"xsk:veth0?ring=1024&frames=3000" "-h 9000" 'a["held"] > 0 and a["losses"] > 0 and a["joined"]' \
	-n 10007 -S 4000:9014
check "a reader that holds, no power of two" "" "xsk:veth0?ring=1024&frames=3000" "-h 9000" \
	'a["held"] > 0 and a["losses"] > 0' -n 20011
check "a reader that holds, jumbo" "mtu=9000" "xsk:veth0?ring=256&frames=1024" "-h 4000" \
	'a["held"] > 0 and a["losses"] > 0' -n 5003 -S 4000:9014
exit 0
