#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a TCP connection over an interface while it is captured; captures killed at any moment.
# Out:  whether the connection does without a retransmission, and nothing stays attached.
# Owns: two namespaces.
# Runs on: root.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"

retransmits() {
	ns "$1" python3 -c 'import sys
rows = [l.split() for l in open("/proc/net/snmp") if l.startswith("Tcp:")]
print(dict(zip(*rows))["RetransSegs"])'
}

# at a pace that no queue of a busy machine overflows by itself
transfer='import socket, sys, time
def serve(s):
    c, _ = s.accept()
    while c.recv(1 << 16): pass
if sys.argv[1] == "serve":
    s = socket.create_server(("10.77.0.2", 5001))
    print("ready", flush=True)
    for _ in range(int(sys.argv[2])): serve(s)
else:
    c = socket.create_connection(("10.77.0.2", 5001))
    for _ in range(500):
        c.sendall(bytes(20_001))
        time.sleep(0.002)
    c.close()'

# a connection that lives through the attaching, the capture and the detaching
survives() {
	local what=$1 before after

	shift
	before=$(($(retransmits tx) + $(retransmits rx)))
	ns_bg rx serve python3 -c "$transfer" serve 1
	wait_for serve.out ready || exit 1
	ns_bg tx send python3 -c "$transfer" send
	ns_bg rx count xdpcount "$@" -q --json
	wait_for count.err '^xcap: capturing' || exit 1
	finished send 60 || fail "$what: the sender failed: $(cat send.err)"
	stop count || fail "$what: $(cat count.err)"
	finished serve 60 || fail "$what: the server failed"
	after=$(($(retransmits tx) + $(retransmits rx)))
	[ "$before" = "$after" ] || fail "$what: $((after - before)) retransmissions"
	python3 "$TOP/tests/lib/books.py" count.out 'packets > 0' || fail "$what"
	echo "$what: $(field packets <count.out) packets, no retransmission"
}

survives "copied at TCX" -i tap:veth0
survives "by its plain name" -i veth0
survives "with system calls" -i veth0,syscalls
grep -qE '"mode": ?"tap' count.out || fail "an interface with an address was taken from the host"

ours='xcap|sys_enter|sys_exit|sched_switch|task_|tcx_|xdp_|packet_both'
attached() {
	ns rx bpftool -n net show 2>/dev/null | grep -E "$ours"
	bpftool -n link show 2>/dev/null | grep -E "$ours"
	bpftool -n prog show 2>/dev/null | grep -E " name ($ours)"
	ip -n rx -d link show dev veth0 | grep -oE 'promiscuity [1-9]|xdp'
	return 0
}

# kill -9 at some moment between the first instruction and a running capture
for ms in 1 5 10 20 35 50 80 130 200 400; do
	ns_bg rx count xdpcount -i 'tap:veth0?promisc=on,tap:veth0?hook=xdp,syscalls' -q
	sleep "$(printf '0.%03d' $ms)"
	stop count KILL || true
	for ((i = 0; i < 40; i++)); do	# the kernel lets go of a link a moment later
		left=$(attached)
		[ "$left" ] || break
		sleep 0.05
	done
	[ -z "$left" ] || fail "killed after $ms ms, this is still there: $left"
done
echo "killed ten times, nothing left"
