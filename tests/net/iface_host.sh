#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   frames that this host would take from any other interface - broadcasts, its own
#       addresses, its own hardware address, ARP, IPv6 - shown by xcap iface, with system calls.
# Out:  whether readers see each of them and no protocol of this host sees one: no counter
#       moves, no socket gets anything, no answer leaves. The same frames on a TAP device
#       without us do all of that.
# Owns: a namespace, its processes.
# Runs on: root; TUN.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
ns_new rx
ip -n rx addr add 10.9.9.1/24 dev lo
ip -n rx addr add 192.0.0.8/32 dev lo
ip -n rx addr add fd00::1/64 dev lo nodad
# shellcheck disable=SC2016
ns rx sh -c 'for f in all default lo; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done
	echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_broadcasts' || fail "no sysctl"

cat >frames.py <<'END'
"""frames.py pcap MAC: a capture of them; frames.py tap NAME: on a TAP device of that name."""
import fcntl, os, struct, subprocess, sys, time

def sum16(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def ip4(proto, dst, payload, src="10.9.9.7"):
    a, b = (bytes(map(int, x.split("."))) for x in (src, dst))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, proto, 0) + a + b
    return head[:10] + struct.pack(">H", sum16(head)) + head[12:] + payload

def udp(port, data=b"hello from nobody"):
    return struct.pack(">HHHH", 4321, port, 8 + len(data), 0) + data

def ping(kind=8):
    body = struct.pack(">BBHHH", kind, 0, 0, 1, 1) + b"ping"
    return body[:2] + struct.pack(">H", sum16(body)) + body[4:]

def ip6(dst, next_header, payload):
    src = bytes.fromhex("fe80" + "0" * 24 + "0007")
    pseudo = src + dst + struct.pack(">II", len(payload), next_header)
    payload = payload[:2] + b"\0\0" + payload[4:]
    payload = payload[:2] + struct.pack(">H", sum16(pseudo + payload)) + payload[4:]
    return struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64) + src + dst + payload

ALL = b"\xff" * 6
OTHER = bytes.fromhex("020000000107")
ME6 = bytes.fromhex("fd00" + "0" * 24 + "0001")
NODES6 = bytes.fromhex("ff02" + "0" * 24 + "0001")

def frames(mac):
    ether = lambda dst, kind, data: dst + OTHER + struct.pack(">H", kind) + data
    syn = struct.pack(">HHIIBBHHH", 1234, 80, 1, 0, 0x50, 2, 1000, 0, 0)
    yield ether(ALL, 0x0800, ip4(17, "255.255.255.255", udp(9999)))
    yield ether(ALL, 0x0800, ip4(17, "10.9.9.255", udp(9999)))
    yield ether(bytes.fromhex("01005e000001"), 0x0800, ip4(1, "224.0.0.1", ping()))
    yield ether(mac, 0x0800, ip4(17, "10.9.9.1", udp(9999)))
    yield ether(mac, 0x0800, ip4(17, "10.9.9.1", udp(9998)))     # nobody listens: ICMP
    yield ether(mac, 0x0800, ip4(1, "10.9.9.1", ping()))
    yield ether(mac, 0x0800, ip4(6, "10.9.9.1", syn))
    yield ether(mac, 0x0800, ip4(17, "192.0.0.8", udp(514), "192.0.0.9"))
    yield ether(ALL, 0x0806, struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + OTHER +
                bytes([10, 9, 9, 7]) + bytes(6) + bytes([10, 9, 9, 1]))
    yield ether(bytes.fromhex("333300000001"), 0x86dd, ip6(NODES6, 58, ping(128)))
    yield ether(mac, 0x86dd, ip6(ME6, 58, ping(128)))

if sys.argv[1] == "pcap":
    out = sys.stdout.buffer
    for f in frames(bytes.fromhex(sys.argv[2].replace(":", ""))):
        out.write(struct.pack("<IIII", 1700000000, 0, len(f), len(f)) + f)
else:
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22s", sys.argv[2].encode(), 0x1002, b""))
    subprocess.run(["ip", "link", "set", sys.argv[2], "up"], check=True)
    with open(f"/proc/sys/net/ipv4/conf/{sys.argv[2]}/rp_filter", "w") as f:
        f.write("0")
    print("up", flush=True)
    link = subprocess.run(["ip", "-br", "link", "show", "dev", sys.argv[2]], check=True,
                          capture_output=True, text=True).stdout.split()
    sys.stdin.read(1)
    for f in frames(bytes.fromhex(link[2].replace(":", ""))):
        os.write(tap, f)
    time.sleep(0.5)
END
nr=11

cat >listen.py <<'END'
import select, socket
sockets = []
for port in (9999, 514):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", port))
    sockets.append(s)
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        print(s.getsockname()[1], s.recv(2048), flush=True)
END

# all that the protocols of the namespace have counted
counters() {
	ns rx cat /proc/net/snmp /proc/net/netstat /proc/net/snmp6 /proc/net/softnet_stat |
		grep -E '^(Ip|Icmp|Udp|Tcp|IpExt|Ip6|Icmp6|Udp6)'
}

ns_bg rx listen python3 listen.py
wait_for listen.out ready || exit 1

# ---- ours: read from a pipe, so that the stream goes on ----

mkfifo pipe
exec 8<>pipe
printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\377\377\0\0\1\0\0\0' >&8
ns_bg rx iface sh -c 'exec xcap iface -i -,syscalls?only=getppid --json <pipe'
wait_for iface.err '^xcap: showing' || exit 1
ns_bg rx all tcpdump -n -i syscalls --immediate-mode -U -w all.pcap
ns_bg rx ip static_sniffer syscalls ip 'guest[' 202 20
wait_for all.err listening && wait_for ip.err listening || exit 1
counters >before
mac=$(ip -n rx -br link show dev syscalls | awk '{ print $3 }')
python3 frames.py pcap "$mac" >&8
guest calls 101 >/dev/null
finished ip 20 || fail "the reader lacks calls"
sleep 0.5
counters >after
stop all
diff before after >moved || fail "the host's protocols saw frames: $(cat moved)"
[ "$(wc -l <listen.out)" = 1 ] || fail "a socket got $(tail -n +2 listen.out)"
[ "$(counter rx syscalls tx_packets)" = 0 ] || fail "an answer left"
[ "$(tcpdump -nr all.pcap not src host 192.0.0.8 2>/dev/null | wc -l)" = $nr ] ||
	fail "the reader saw $(tcpdump -nr all.pcap not src host 192.0.0.8 2>/dev/null | wc -l) packets of $nr"
stop iface || fail "$(cat iface.err)"
python3 "$TOP/tests/lib/books.py" iface.out 'packets == 11' 'lost == 0' || exit 1

# ---- any other TAP device: the frames are good enough to be taken and answered ----

mkfifo pipe2
exec 9<>pipe2
ns_bg rx tap sh -c 'exec python3 frames.py tap plain0 <pipe2'
wait_for tap.out up || fail "$(cat tap.err)"
sleep 1
counters >before
echo >&9
finished tap 20 || fail "$(cat tap.err)"
counters >after
grows() {
	python3 - "$1" "$2" <<-'END'
		import sys
		def value(path):
		    rows = [l.split() for l in open(path)]
		    for head, row in zip(rows, rows[1:]):
		        if head[0] == row[0] == sys.argv[1] + ":" and sys.argv[2] in head:
		            return int(row[head.index(sys.argv[2])])
		    return sum(int(r[1]) for r in rows if r[0] == sys.argv[1] + sys.argv[2])
		sys.exit(value("after") <= value("before"))
	END
}
for what in 'Ip InReceives' 'Ip InDelivers' 'Udp NoPorts' 'Udp InDatagrams' 'Icmp OutMsgs' \
	'Ip6 InReceives'; do
	# shellcheck disable=SC2086
	grows $what || fail "even without us $what does not move: the test proves nothing"
done
[ "$(wc -l <listen.out)" -gt 2 ] || fail "even without us no socket gets anything"
exit 0
