#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 60
#
# In:   connections over IPv4 and IPv6 that end, are refused, are aborted; one that is older than
#       the probes; packets that the other end does not get.
# Out:  whether the probes tcplife, tcpstates, resets and retrans tell each of them once, of the
#       right process, with what ss and nstat have; and whether they leave anything behind.
# Owns: its namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

script=$TOP/tests/lib/probe_tcp.py
ns_pair left:veth0 right:veth1 net=10.77.41 ipv6 || fail "no veth pair"
ip -n left addr add fd77:41::1/64 dev veth0 nodad
ip -n right addr add fd77:41::2/64 dev veth1 nodad

# counted NAME COUNTER: what the namespace has counted
counted() {
	ns "$1" nstat -asz "$2" | awk -v name="$2" '$1 == name { print $2 }'
}

probes() {
	for p; do
		ns_bg left "$p" xcap probe "$p" --json
	done
	for p; do
		wait_for "$p.err" '^xcap: capturing' || exit 1
	done
}

# ---- how they end ----

ns_bg right server python3 "$script" serve 10.77.41.2 fd77:41::2
wait_for server.out pid || exit 1
ns_bg left client python3 "$script" talk 10.77.41.2 fd77:41::2
wait_for client.out old || exit 1
ns left ss -tinH dst 10.77.41.2 >ss.out
probes tcplife tcpstates resets
rsts=$(($(counted left TcpOutRsts) + $(counted right TcpOutRsts)))
touch go
wait_for client.out whole || exit 1
sleep 0.5
for p in tcplife tcpstates resets; do
	stop $p || fail "$p ended with $?"
done
rsts=$(($(counted left TcpOutRsts) + $(counted right TcpOutRsts) - rsts))
rm go
python3 "$script" check 2 $rsts || exit 1
# 1 is its SYN
grep -q 'bytes_acked:102 bytes_received:211' ss.out || fail "ss tells otherwise: $(cat ss.out)"

# ---- what is sent again ----

mac=$(ip -n right -j link show dev veth1 | field 0.address)
# deaf: frames for another go by, until deaf no
deaf() {
	ip -n left neigh replace 10.77.41.2 dev veth0 nud permanent \
		lladdr "$([ "${1-}" = no ] && echo "$mac" || echo 02:00:00:00:00:01)"
}

probes retrans
ns_bg left both xcap dump -q -i tap:veth0,probe:retrans -w both.pcapng
wait_for both.err '^xcap: capturing' || exit 1
before=$(counted left TcpRetransSegs)
others=$(counted right TcpRetransSegs)
ns_bg left sender python3 "$script" again 10.77.41.2 7001 7919
wait_for sender.out sport || exit 1
deaf
touch deaf
sleep 0.7
deaf no
pids=${NS_PIDS[sender]}
finished sender 20 || fail "the sender failed"
deaf
ns_bg left caller python3 "$script" again 10.77.41.2 7001 1
sleep 1.3
deaf no
wait_for caller.out sport || exit 1
pids+=,${NS_PIDS[caller]}
finished caller 20 || fail "the caller failed"
# and answers that do not come: the listener sends its SYN-ACK again
ip -n right neigh replace 10.77.41.1 dev veth1 nud permanent lladdr 02:00:00:00:00:01
ns_bg left unheard python3 "$script" again 10.77.41.2 7001 1
sleep 1.3
pids+=,${NS_PIDS[unheard]}
stop unheard KILL
# as many as before it stopped, or as after that
counts() {
	echo $(($(counted left TcpRetransSegs) - before)) \
		$(($(counted right TcpRetransSegs) - others))
}
while_it_ran=$(counts)
stop retrans || fail "retrans ended with $?"
stop both || fail "the dump ended with $?"
xcap dump -r both.pcapng --json >both.json 2>both.err || fail "$(cat both.err)"
tshark -r both.pcapng -Y 'tcp.analysis.retransmission || systemd_journal' >both.txt 2>both.err ||
	fail "$(cat both.err)"
# shellcheck disable=SC2046,SC2086
python3 - "$pids" "${NS_PIDS[server]}" $while_it_ran $(counts) <<'END' || exit 1
import json, sys
rows = [json.loads(line) for line in open("retrans.out")]
assert rows[-1]["dropped"] == 0, rows[-1]
sender, = map(json.loads, open("sender.out"))
# sockets of a test before this one may still try
left = [r for r in rows[:-1] if str(r.get("pid")) in sys.argv[1].split(",")]
right = [r for r in rows[:-1] if str(r.get("pid")) == sys.argv[2]]
kinds = {(r["kind"], r["state"]) for r in left}
counts = [int(n) for n in sys.argv[3:]]
assert 1 < counts[0] <= sum(r["segs"] for r in left) <= counts[2], (left, counts)
assert 0 < counts[1] <= sum(r["segs"] for r in right) <= counts[3], (right, counts)
assert ("SYN", "SYN-SENT") in kinds, kinds
data = [r for r in left if r["sport"] == sender["sport"]]
assert data and {r["pid"] for r in data} == {sender["pid"]}, data
assert {r["kind"] for r in data} <= {"data", "FIN"} and any(r["bytes"] for r in data), data
assert any(r["cause"] == "timeout" for r in data), data
# the same between the packets, each right behind the one that was sent again
stream = [json.loads(line) for line in open("both.json")]
notices = [i for i, r in enumerate(stream) if r["type"] == "probe" and r.get("pid") in
           [r["pid"] for r in left]]
assert len(notices) == len(left), (len(notices), len(left))
again = 0
for i in notices:
    n = stream[i]
    flow = tuple(n[key] for key in ("saddr", "sport", "daddr", "dport"))
    p = [r for r in stream[:i] if r["type"] == "packet" and r.get("direction") == "out" and
         tuple(r.get(key) for key in ("src", "sport", "dst", "dport")) == flow][-1]
    again += 0 <= float(n["time"]) - float(p["time"]) < 0.1
    assert n["probe"] == "retrans", n
assert again == len(notices), (again, notices)
listed = sum("* retrans " in line for line in open("both.txt"))
assert listed == sum(r["type"] == "probe" for r in stream), listed
assert ("SYN-ACK", "NEW-SYN-RECV", 7001) in {(r["kind"], r["state"], r["sport"])
                                              for r in right}, right
END

# ---- killed, they are gone ----

probes tcplife resets
ours=$(sed -n 's/^prog_id:\t//p' "/proc/${NS_PIDS[tcplife]}/fdinfo/"* \
	"/proc/${NS_PIDS[resets]}/fdinfo/"*)
[ "$ours" ] || fail "they have no programs"
stop tcplife KILL
stop resets KILL
for ((i = 0; i < 100; i++)); do
	left=$(for id in $ours; do bpftool prog show id "$id" 2>/dev/null; done)
	[ "$left" ] || exit 0
	sleep 0.05
done
fail "left behind: $left"
