#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a prime number of packets that die at one layer, and the next at the next.
# Out:  whether xcap doctor --drops finds all of them there, and none anywhere else.
# Owns: namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

mkfifo order
exec 7<>order

# dies NS N LAYER NAME LOAD...: N die by a load in the namespace "$from", or in NS
dies() {
	local ns=$1 nr=$2 layer=$3 name=$4

	shift 4
	ns_bg "${from:-$ns}" load sh -c 'exec "$@" <order' sh python3 "$TOP/tests/lib/drops_load.py" "$@"
	wait_for load.out ready || exit 1
	ns_bg "$ns" drops xcap doctor --drops -d 100ms --json --all
	wait_for drops.out '"type":"drop"' || exit 1
	echo "$nr" >order
	wait_for load.out 'done' || exit 1
	ends "$nr" "$layer" "$name"
	stop load KILL
}

# ends N LAYER NAME: the loss is told within ten seconds
ends() {
	local i

	for ((i = 0; i < 50; i++)); do
		found "$@" >why 2>&1 && break
		sleep 0.05
	done
	stop drops || fail "drops: $(tail -3 drops.err)"
	found "$@" >why 2>&1 || fail "$2 $3: $1 died, and: $(cat why)"
}

# found N LAYER NAME: of the last round that is whole
found() {
	tail -n 500 drops.out >last
	python3 - "$@" <<-'END'
	import fnmatch, json, sys
	rows = [json.loads(line) for line in open("last") if line.endswith("}\n")]
	last = max(row["round"] for row in rows)
	new = {(r["layer"], r["where"], r["name"]): r["new"] for r in rows
	       if r["round"] == last and r["new"] and "counted_above" not in r and "no_loss" not in r}
	print(new)
	sys.exit(len(new) != 1 or any(layer != sys.argv[2] or n != int(sys.argv[1]) or
	         not fnmatch.fnmatch(name, sys.argv[3]) for (layer, _, name), n in new.items()))
	END
}

object=$B/tests/drop_all.bpf.o

ns_pair tx:veth0 rx:veth1 || fail "no veth pair"
ip -n rx link set dev veth1 xdp obj "$object" sec xdp || fail "no XDP program"
from=tx dies rx 1009 nic rx_queue_0_xdp_drops frames veth0
ip -n rx link set dev veth1 xdp off

from=tx dies rx 1013 interface rx_dropped frames veth0

ns tx tc qdisc add dev veth0 root handle 7: pfifo limit 0 || fail "no pfifo"
dies tx 1019 qdisc 'pfifo 7:' frames veth0
ns tx tc qdisc del dev veth0 root

ns rx tc qdisc add dev veth1 clsact || fail "no clsact"
ns rx tc filter add dev veth1 ingress bpf da obj "$object" sec tc || fail "no filter"
from=tx dies rx 1021 qdisc 'clsact ffff:' frames veth0
ns rx tc qdisc del dev veth1 clsact

dies rx 1031 udp RcvbufErrors udp-full
python3 -c 'import json
rows = [json.loads(line) for line in open("drops.out") if "127.0.0.1:7777" in line]
assert rows[-1]["new"] == 1031 and rows[-1]["layer"] == "socket" and rows[-1]["counted_above"], rows[-1]
' || fail "the socket is not named"

dies rx 1033 udp NoPorts udp-closed

dies rx 37 tcp ListenOverflows listen-full
grep -q '"where":"127.0.0.1:7777","name":"tcp listen".*"new":37,' drops.out || fail "no listener"

# at the sender: what becomes of the frames at the other end is another namespace's
dies tx 1039 packet 'socket:*' packet-full veth0 veth0
ns tx xcap doctor --drops veth0 -n 1 -d 10ms --json >none || fail "drops: $?"
grep '"layer":"packet"' none && fail "of a socket that is gone"

# a ring of ours: how many fit is the capture's to say
ns_bg tx count xdpcount -i tap:veth0 --ring 4096 --json -q
wait_for count.err '^xcap: capturing' || exit 1
kill -STOP "${NS_PIDS[count]}"
ns_bg tx load sh -c 'exec "$@" <order' sh python3 "$TOP/tests/lib/drops_load.py" frames veth0
wait_for load.out ready || exit 1
ns_bg tx drops xcap doctor --drops -d 100ms --json --all
wait_for drops.out '"type":"drop"' || exit 1
echo 1049 >order
wait_for load.out 'done' || exit 1
kill -CONT "${NS_PIDS[count]}"
told() {
	captured=$(ns tx xcap list --json | grep '"type":"capture"')
	[ "$(field sources.0.seen <<<"$captured")" = 1049 ]
}
for ((i = 0; i < 100; i++)); do
	told && break
	sleep 0.05
done
lost=$(field sources.0.dropped.ring_full <<<"$captured")
ends "$lost" xcap ring_full
stop load KILL
stop count || fail "$(cat count.err)"
[ "$(field sources.0.dropped.ring_full <count.out)" = "$lost" ] || fail "$lost, and: $(cat count.out)"

# for people: no line is longer than a terminal is wide, and the last one says where
ns rx xcap doctor --drops -n 1 -d 10ms >text || fail "drops: $?"
grep -qE '^udp +Udp RcvbufErrors +[0-9]+ +0 +0$' text || fail "no row: $(cat text)"
[ -z "$(grep -E '.{81}' text)" ] || fail "too wide: $(cat text)"
[ "$(tail -1 text)" = "0.0 s: nothing was dropped at any layer" ] || fail "$(tail -1 text)"
# what was there before is told once, and not at all with -q; what grows is told then
ns rx xcap doctor --drops -n 3 -d 10ms >text || fail "drops: $?"
[ "$(grep -c '^udp .* RcvbufErrors' text) $(grep -c 'nothing was dropped' text)" = '1 3' ] || fail "$(cat text)"
ns rx xcap doctor --drops -n 3 -d 10ms -q >text || fail "drops: $?"
[ "$(grep -vc ': nothing was dropped at any layer$' text)" = 0 ] || fail "-q: $(cat text)"
ns_bg rx load sh -c 'exec "$@" <order' sh python3 "$TOP/tests/lib/drops_load.py" udp-closed
wait_for load.out ready || exit 1
ns_bg rx drops xcap doctor --drops -d 50ms
wait_for drops.out 'nothing was dropped' || exit 1
echo 1051 >order
wait_for drops.out '1051 dropped, 1051 of them at udp: Udp NoPorts' || exit 1
stop drops || fail "drops: $(tail -3 drops.err)"
stop load KILL
[ "$(grep -c '^udp .* RcvbufErrors' drops.out)" = 1 ] || fail "$(cat drops.out)"
grep -qE '^udp +Udp NoPorts +[0-9]+ +1051 ' drops.out || fail "$(cat drops.out)"
ns rx xcap doctor --drops nosuch 2>err && fail "there is no such interface"
grep -q "no interface 'nosuch'" err || fail "$(cat err)"
exit 0
