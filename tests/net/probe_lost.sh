#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   packets and frames that the kernel or an XDP program throws away; nstat, ip.
# Out:  whether drops and xdp tell exactly those, and why, where, and whose.
# Owns: three namespaces, its processes.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:a1 rx:b1 net=10.77.5 ipv6 || fail "no veth pair"
ns_pair rx:a2 far:b2 gro ipv6 || fail "no second veth pair"
ip -n tx addr add fd77:5::1/64 dev a1 nodad
ip -n rx addr add fd77:5::2/64 dev b1 nodad

nobody=101 unread=13

# nstat NAME: that counter of rx
counted() {
	ns rx nstat -asz --json "$1" | field "kernel.$1"
}
wait_lines() {	# FILE REGEX COUNT
	local i

	for ((i = 0; i < 200; i++)); do
		[ "$(grep -cE -- "$2" "$1")" -ge "$3" ] && return
		sleep 0.05
	done
	fail "$(grep -cE -- "$2" "$1") of $3 lines like $2 in $1: $(tail -n 3 "$1")"
}

# ---- drops ----

ns_bg rx drops xcap probe drops --json
wait_for drops.err '^xcap: capturing' || exit 1
before="$(counted UdpNoPorts) $(counted Udp6NoPorts) $(counted UdpRcvbufErrors)"
# a socket that takes a few datagrams, and reads none
ns_bg rx lazy python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
s.bind(("10.77.5.2", 4007))
print("bound", flush=True)
time.sleep(60)'
wait_for lazy.out bound || exit 1
ns tx python3 - $nobody $unread <<'P' || fail "cannot send"
import socket, sys, time

nobody, unread = map(int, sys.argv[1:])
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
four.bind(("10.77.5.1", 4005))
six.bind(("fd77:5::1", 4005))
for _ in range(nobody):
    four.sendto(b"x" * 31, ("10.77.5.2", 4006))
    six.sendto(b"x" * 31, ("fd77:5::2", 4006))
for _ in range(unread):
    four.sendto(b"x" * 1400, ("10.77.5.2", 4007))
P
wait_lines drops.out '"daddr":"10.77.5.2","dport":4006,' $nobody
wait_lines drops.out '"daddr":"fd77:5::2","dport":4006,' $nobody
after="$(counted UdpNoPorts) $(counted Udp6NoPorts) $(counted UdpRcvbufErrors)"
sleep 0.1
stop drops || fail "drops: exit $?: $(cat drops.err)"
python3 - $nobody "$before" "$after" "${NS_PIDS[lazy]}" <<'P' || exit 1
import collections, json, sys

nobody, lazy = int(sys.argv[1]), int(sys.argv[4])
noports, noports6, full = (b - a for a, b in zip(*(map(int, w.split()) for w in sys.argv[2:4])))
*lines, summary = map(json.loads, open("drops.out"))
ours = [l for l in lines if l["saddr"] in ("10.77.5.1", "fd77:5::1") and l["proto"] == "UDP"]
got = collections.Counter((l["daddr"], l["dport"], l["reason"], l["device"]) for l in ours)
# the reason of the third is told since 6.0; who the socket was for, since 6.11
wanted = {
    ("10.77.5.2", 4006, "NO_SOCKET", "b1"): noports,
    ("fd77:5::2", 4006, "NO_SOCKET", "b1"): noports6,
    ("10.77.5.2", 4007, "SOCKET_RCVBUFF", "b1"): full,
}
if got != wanted or noports != nobody or noports6 != nobody or not 0 < full < 13:
    sys.exit(f"drops: {got}\nwanted: {wanted}")
for l in ours:
    place = "__udp" if l["reason"] == "NO_SOCKET" else "udp"
    if not l["place"].startswith(place) or l["sport"] != 4005 or l["bytes"] < 31:
        sys.exit(f"drops: {l}")
    if l["reason"] == "SOCKET_RCVBUFF" and l.get("pid", lazy) != lazy or \
            l["reason"] == "NO_SOCKET" and "pid" in l:
        sys.exit(f"drops: {l}, and the socket was that of {lazy}")
if not any(l.get("pid") == lazy for l in ours):
    print("this kernel does not say whose socket it was")
if summary["events"] != len(lines) or summary["dropped"]:
    sys.exit(f"drops: {summary}, {len(lines)} lines")
P

# ---- XDP ----

ip -n rx link set b1 xdp obj "$B/tests/xdp_lose.bpf.o" sec xdp || fail "no XDP on veth"
ns_up tx a1
ns_bg rx xdp xcap probe xdp --json
wait_for xdp.err '^xcap: capturing' || exit 1
send() {	# ACTION IFINDEX COUNT
	ns tx python3 - "$@" <<'P' || fail "cannot send frames"
import socket, struct, sys

action, ifindex, count = map(int, sys.argv[1:])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("a1", 0))
for _ in range(count):
    s.send(b"\xff" * 6 + b"\x02" + bytes(4) + b"\x01\x88\xb5" +
           struct.pack("=HII", 0, action, ifindex) + bytes(140))
P
}
send 0 0 17		# ABORTED
send 77 0 7		# there is none
send 1 0 5		# DROP is no loss
send 4 99999 11		# nor such a device
# of redirected frames a2 takes none that is too long for b2
ip -n far link set b2 mtu 68
send 4 "$(ns rx cat /sys/class/net/a2/ifindex 2>/dev/null || ip -n rx -j link show a2 |
	field 0.ifindex)" 19
sleep 0.2
stop xdp || fail "xdp: exit $?: $(cat xdp.err)"
python3 - <<'P' || exit 1
import collections, json, sys

*lines, summary = map(json.loads, open("xdp.out"))
got = collections.Counter()
for l in lines:
    if l["device"] in ("b1", "a2"):
        got[l["what"], l["action"], l.get("error"), l["device"], l.get("to")] += l["lost"]
wanted = {
    ("exception", "ABORTED", None, "b1", None): 17,
    ("exception", "?", None, "b1", None): 7,
    ("redirect", "REDIRECT", "EINVAL", "b1", None): 11,
    ("devmap", "REDIRECT", None, "b1", "a2"): 19,
}
if got != wanted or summary["events"] != len(lines) or summary["dropped"]:
    sys.exit(f"xdp: {got}\nwanted: {wanted}\n{summary}")
P
exit 0
