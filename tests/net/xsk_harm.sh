#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   captures by xsk: and plain names, killed, refused, on busy interfaces.
# Out:  whether the host keeps what it must: nothing stays attached after SIGKILL,
#       another's program is not replaced, ARP, ND and our ssh get through, and
#       plain eth0 takes frames only where nobody wants them.
# Owns: two namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 net=10.78.0 || fail "no veth pair"

is_attached() { ip -n rx link show veth0 | grep -q xdp; }
is_promisc() { [ "$(ip -n rx -d -j link show veth0 | field 0.promiscuity)" != 0 ]; }

# start SPEC [VARIABLE=VALUE...]
start() {
	ns_bg rx reader env "${@:2}" reader "$1"
	wait_for reader.err '^reader: capturing' || exit 1
	cat reader.err
}

# wait_gone: links go with the last descriptor, a moment after the process
wait_gone() {
	local i

	for ((i = 0; i < 250; i++)); do
		is_attached || is_promisc || return 0
		sleep 0.02
	done
	return 1
}

# reaches: the host there answers, if only by refusing
reaches() {
	ns tx python3 -c '
import socket
try:
    socket.create_connection(("10.78.0.2", 9), 0.7)
except ConnectionRefusedError:
    pass
' 2>/dev/null
}

# kill -9: nothing stays
start xsk:veth0
is_attached || fail "no XDP program while capturing"
is_promisc || fail "not promiscuous while capturing"
stop reader KILL
wait_gone || fail "something stays attached after SIGKILL"
[ -z "$(ns rx bpftool net -j | field 0.xdp.0 2>/dev/null)" ] || fail "bpftool still shows XDP"
for after in 0.005 0.01 0.015 0.02 0.03 0.04 0.06 0.08 0.12; do	# and at any step of its opening
	ns rx timeout -s KILL $after reader xsk:veth0 2>/dev/null
	wait_gone || fail "something stays attached after SIGKILL at $after s"
done
start "xsk:veth0?promisc=off"
is_promisc && fail "promiscuous in spite of promisc=off"
stop reader
wait_gone || fail "something stays attached"

# busy: what the host cannot do without still reaches it, the rest is ours
start xsk:veth0 SSH_CONNECTION="10.78.0.1 40022 10.78.0.2 7722"
grep -q 'has the address 10.78.0.2/24.*ARP.*ssh from 10.78.0.1 port 40022' reader.err ||
	fail "the note does not say what the host loses"
ip -n tx neigh flush dev veth0
reaches && fail "a packet got through an exclusive capture"
ip -n tx neigh show 10.78.0.2 | grep -q lladdr || fail "ARP did not get through"
echo hello >hello
ns_bg rx server python3 -c '
import socket
for port in (7722, 7723):
    s = socket.create_server(("10.78.0.2", port), backlog=4)
    print("listening", flush=True)
    if port == 7722:
        c, _ = s.accept()
        c.sendall(c.recv(100))
        c.close()
'
wait_for server.out listening || exit 1
ns tx python3 -c '
import socket
c = socket.create_connection(("10.78.0.2", 7722), 3, ("10.78.0.1", 40022))
c.sendall(b"hello")
assert c.recv(100) == b"hello"
' || fail "the ssh connection was cut off"
ns tx python3 -c '
import socket
socket.create_connection(("10.78.0.2", 7722), 0.5, ("10.78.0.1", 40023))
' 2>/dev/null && fail "another connection got through"
stop reader
[ "$(field filtered <reader.out)" -gt 4 ] || fail "what was passed on is not counted: $(cat reader.out)"
python3 -c 'import json, sys
a = json.load(open("reader.out"))
sys.exit(a["seen"] != a["delivered"] + a["filtered"] + a["dropped"])' || fail "$(cat reader.out)"

# inside tags too; what only looks like it is captured
start xsk:veth0 SSH_CONNECTION="10.78.0.1 40022 10.78.0.2 7722"
ns tx python3 -c '
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("veth0", 0))
eth, tag, stag = bytes(5) + b"\2" + bytes(5) + b"\1", b"\x81\0\0\7", b"\x88\xa8\0\5"
def ip6(kind): return struct.pack("!IHBB", 6 << 28, 24, 58, 255) + bytes(32) + bytes([kind, 0]) + bytes(22)
def tcp(port, src=b"\x0a\x4e\0\1", frag=0, options=b""):
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0, 40 + len(options), 0, frag, 64, 6, 0)
    return head + src + b"\x0a\x4e\0\2" + options + struct.pack("!HH", port, 7722) + bytes(16)
for frame in (                                           # to the host
        tag + b"\x08\6" + bytes(28),
        stag + tag + b"\x86\xdd" + ip6(135),
        b"\x86\xdd" + ip6(136),
        tag + b"\x08\0" + tcp(40022),
        b"\x08\0" + tcp(40022, options=bytes(8)),
        b"\x08\0" + tcp(1, frag=100),
        # to us
        stag + tag + tag + b"\x08\6" + bytes(28),        # three tags
        b"\x86\xdd" + ip6(128),                         # echo, not discovery
        b"\x08\0" + tcp(40021),
        b"\x08\0" + tcp(40022, src=b"\x0a\x4e\0\3"),
        tag, stag + tag, b"\x86\xdd" + bytes(8)):       # cut off
    s.send(eth + frame)
' || fail "no raw frames"
sleep 0.2
stop reader
[ "$(field filtered <reader.out) $(field delivered <reader.out)" = "6 7" ] ||
	fail "6 frames are the host's, 7 are ours: $(cat reader.out)"

# sudo strips SSH_CONNECTION: an ancestor still has it
# shellcheck disable=SC2016
ns rx env SSH_CONNECTION="fe80::1%veth0 50022 fe80::2%veth0 22" \
	sh -c 'env -u SSH_CONNECTION reader -t 1 xsk:veth0; true' >/dev/null 2>ancestor.err
grep -q 'ssh from fe80::1 port 50022' ancestor.err || fail "ancestor: $(cat ancestor.err)"
wait_gone || fail "something stays attached"

# plain names: busy copies, free takes, occupied copies, and says why
start veth0
grep -q '^reader: capturing tap:veth0 by tap tcx: veth0 has the address 10.78.0.2/24, so tap' reader.err ||
	fail "plain veth0 with an address: $(cat reader.err)"
reaches || fail "a copy cut off the host"
stop reader
ip -n rx addr flush dev veth0
start veth0
grep -q '^reader: capturing xsk:veth0 by xsk copy: veth0 has no address' reader.err ||
	fail "plain veth0 without an address: $(cat reader.err)"
stop reader
wait_gone || fail "something stays attached"
start xsk:veth0 SSH_CONNECTION="192.0.2.1 40022 192.0.2.2 7722"
grep -q 'but for ssh from 192.0.2.1 port 40022;' reader.err ||
	fail "the note does not say what is left to the host: $(cat reader.err)"
ns tx python3 -c '
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("veth0", 0))
eth = bytes(5) + b"\2" + bytes(5) + b"\1"
tcp = struct.pack("!BBHHHBBH8s", 0x45, 0, 40, 0, 0, 64, 6, 0, b"\xc0\0\2\1\xc0\0\2\2")
for frame in (b"\x08\6" + bytes(28), b"\x08\0" + tcp + struct.pack("!HH", 40022, 7722) + bytes(16),
        b"\x08\0" + tcp + struct.pack("!HH", 40023, 7722) + bytes(16)):
    s.send(eth + frame)
' || fail "no raw frames"
sleep 0.2
stop reader
[ "$(field filtered <reader.out) $(field delivered <reader.out)" = "1 2" ] ||	# a mirror port's ARP is not the host's
	fail "ssh by an address of another interface: $(cat reader.out)"
wait_gone || fail "something stays attached"

# a link-local address keeps nobody from taking frames, unless we are logged in by it
for end in tx rx; do
	ns $end sh -c 'echo 0 >/proc/sys/net/ipv6/conf/veth0/disable_ipv6'
done
ip -n tx addr add fe80::1/64 dev veth0 nodad
ip -n rx addr add fe80::2/64 dev veth0 nodad
start veth0
grep -q 'capturing xsk:veth0 by xsk copy: veth0 has no address' reader.err ||
	fail "plain veth0 with a link-local address: $(cat reader.err)"
stop reader
start veth0 SSH_CONNECTION="fe80::1%veth0 40022 fe80::2%veth0 7722"
grep -q 'tap:veth0 by tap tcx: veth0 has the address fe80::2/64 of our ssh connection' reader.err ||
	fail "plain veth0 with our ssh: $(cat reader.err)"
stop reader
start xsk:veth0 SSH_CONNECTION="fe80::1%veth0 40022 fe80::2%veth0 7722"
ip -n tx neigh flush dev veth0
ip -n rx neigh flush dev veth0
ns_bg rx server python3 -c '
import socket
s = socket.socket(socket.AF_INET6)
s.bind(("fe80::2", 7722, 0, socket.if_nametoindex("veth0")))
s.listen()
print("listening", flush=True)
s.accept()[0].sendall(b"hello")
'
wait_for server.out listening || exit 1
ns tx python3 -c '
import socket
scope = socket.if_nametoindex("veth0")
s = socket.socket(socket.AF_INET6)
s.bind(("fe80::1", 40022, 0, scope))
s.settimeout(5)
s.connect(("fe80::2", 7722, 0, scope))
assert s.recv(100) == b"hello"
' || fail "ssh by a link-local address was cut off"
stop reader
wait_gone || fail "something stays attached"
ns_quiet tx
ns_quiet rx
ip -n rx link add br0 type bridge && ip -n rx link set veth0 master br0
start veth0
grep -q 'tap:veth0 by tap tcx: veth0 is a port of br0' reader.err || fail "port: $(cat reader.err)"
stop reader
ip -n rx link del br0
ip -n rx link add mac0 link veth0 type macvlan
start veth0
grep -q 'tap:veth0 by tap tcx: veth0 carries the interface mac0' reader.err ||
	fail "macvlan: $(cat reader.err)"
stop reader
ip -n rx link del mac0
ip -n rx link add mac0 link veth0 address 02:00:00:00:00:77 type macvlan
ip netns add away
ip -n rx link set mac0 netns away
ip -n away link set mac0 up
start veth0
grep -q 'tap:veth0 by tap tcx: veth0 carries an interface in another namespace (02:00:00:00:00:77)' \
	reader.err || fail "macvlan elsewhere: $(cat reader.err)"
stop reader
ip -n away link del mac0
ns_bg rx listener tcpdump -i veth0 -w /dev/null
wait_for listener.err 'listening on veth0' || exit 1
start veth0
grep -q 'tap:veth0 by tap tcx: veth0 is promiscuous' reader.err || fail "tcpdump: $(cat reader.err)"
stop reader
stop listener
start veth0
grep -q 'xsk:veth0 by xsk copy: veth0 has no address' reader.err || fail "free: $(cat reader.err)"
stop reader
# promiscuous by its own flag, as --port leaves it: nobody else listens, but where somebody does
export XCAP_STATE_DIR=$PWD/state
ns rx xcap doctor veth0 --port >port.out || fail "--port: exit $?, $(cat port.out)"
start veth0
grep -q 'xsk:veth0 by xsk copy: veth0 has no address' reader.err || fail "--port: $(cat reader.err)"
stop reader
ns_bg rx listener tcpdump -i veth0 -w /dev/null
wait_for listener.err 'listening on veth0' || exit 1
start veth0
grep -q 'tap:veth0 by tap tcx: veth0 is promiscuous' reader.err ||
	fail "tcpdump at a port: $(cat reader.err)"
stop reader
stop listener
ns rx xcap doctor --undo >port.out || fail "--undo: exit $?, $(cat port.out)"
wait_gone || fail "something stays attached"
ip -n rx link set veth0 xdp obj "$B/tests/xdp_pass.bpf.o" sec xdp || fail "no XDP on veth"
start veth0
grep -q 'tap:veth0 by tap tcx: veth0 has another XDP program' reader.err || fail "$(cat reader.err)"
stop reader
ns rx reader xsk:veth0 2>refused.err && fail "took an occupied hook"
grep -qE "veth0 already has the XDP program '[a-z_]+' \(id [0-9]+\)" refused.err ||
	fail "no name: $(cat refused.err)"
is_attached || fail "another's program was replaced"
ip -n rx link set veth0 xdp off

# two at once: the second is refused with the first one's name
start xsk:veth0
ns rx reader xsk:veth0 2>refused.err && fail "took an occupied hook"
grep -q "already has the XDP program 'xdp_redirect'" refused.err || fail "$(cat refused.err)"
stop reader

# a kernel that does not know what we ask for is nobody's mistake: plain names copy
wait_gone || fail "something stays attached"
ns rx strace -o calls -e trace=bpf reader -t 1 veth0 >reader.out 2>&1 || fail "$(cat reader.out)"
nth=$(grep ^bpf calls | grep -n -m 1 'LINK_CREATE.*BPF_XDP' | cut -d: -f1)
wait_gone || fail "something stays attached"
for call in bpf:when=$nth..$((nth + 1)) setsockopt:when=1; do
	ns rx strace -o calls -e trace=bpf,setsockopt \
		-e "inject=${call%%:*}:error=EINVAL:${call#*:}" \
		reader -t 1 veth0 >refused.out 2>refused.err
	grep EINVAL calls
	grep -q '^reader: capturing tap:veth0 .*Invalid argument' refused.err ||
		fail "$call: $(cat refused.err)"
done

# altnames, and wrong words
ip -n rx link property add dev veth0 altname a_name_longer_than_fifteen
start xsk:a_name_longer_than_fifteen
stop reader
wait_gone || fail "something stays attached"
for wrong in xsk:nope "xsk:veth0?queues=7" "xsk:veth0?queues=2-1" "xsk:veth0?ring=1000" \
	"xsk:veth0?frames=200&ring=4096" "xsk:veth0?chunk=3000" "xsk:veth0?colour=red"; do
	ns rx reader "$wrong" 2>refused.err && fail "$wrong was taken"
	[ "$(wc -l <refused.err)" = 1 ] || fail "$wrong: $(cat refused.err)"
	cat refused.err
done
is_attached && fail "a refused capture stays attached"

# the interface goes away: what was captured is told, then why it ends
ip -n tx link del veth0
ns_pair tx:veth0 rx:veth0 queues=4 || fail "no veth pair"
start xsk:veth0
ns tx txgen -i veth0 -n 101 --queues 4 >/dev/null
ip -n tx link del veth0
finished reader 10 || fail "no end when the interface went away"
cat reader.out
[ "$(field delivered <reader.out)" = 101 ] && [ "$(field end <reader.out)" = -100 ] &&
	grep -q 'is gone' reader.out || fail "the interface went away: $(cat reader.out)"
exit 0
