#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a fetch by curl across a veth pair, captured by us and by tcpdump.
# Out:  whether our file has the packets that tcpdump saw, at the same times, and
#       curl's calls between them in tshark's list.
# Owns: two namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
for tool in tcpdump tshark curl; do
	command -v $tool >/dev/null || skip "no $tool"
done

ns_pair tx:veth0 rx:veth0 net=10.77.0 gro || fail "no veth pair"
mkdir www && head -c 300000 /dev/urandom >www/page
ns_bg rx server python3 -u -m http.server -d www 8080
wait_for server.out '^Serving' || exit 1
ns_bg tx theirs tcpdump --immediate-mode -i veth0 -Z root --time-stamp-precision=nano -w theirs.pcap tcp
wait_for theirs.err '^tcpdump: listening' || exit 1
ns_bg tx ours xcap dump -q -i tap:veth0,syscalls -w ours.pcapng
wait_for ours.err '^xcap: capturing' || exit 1
ns tx curl -s -o page http://10.77.0.2:8080/page || fail "curl failed"
cmp page www/page || fail "curl got another page"
sleep 0.3
stop ours || fail "$(cat ours.err)"
stop theirs

# packets: the same bytes in the same order, less than a millisecond apart. TCX
# stands before the taps on the way in and behind them on the way out: so what is
# compared is each direction by itself.
fields() {	# FILE FILTER
	tshark -r "$1" -Y "tcp.port == 8080 && $2" -T fields -e frame.time_epoch \
		-e frame.len -e tcp.seq_raw -e tcp.ack_raw -e tcp.flags -e tcp.checksum -e ip.id 2>/dev/null
}
for way in 'ip.src == 10.77.0.1' 'ip.src == 10.77.0.2'; do
	fields ours.pcapng "$way" >ours.txt
	fields theirs.pcap "$way" >theirs.txt
	[ "$(wc -l <theirs.txt)" -gt 5 ] || fail "tcpdump saw too little: $(cat theirs.err)"
	diff <(cut -f 2- ours.txt) <(cut -f 2- theirs.txt) >diff.txt ||
		fail "$way: other packets than tcpdump's: $(head -5 diff.txt)"
	paste ours.txt theirs.txt | awk -F '\t' '{ d = $1 - $8; if (d < 0) d = -d; if (d > max) max = d }
		END { printf "%d packets, at most %.0f us from tcpdump'\''s\n", NR, max * 1e6
		      exit max >= 0.05 }' || fail "$way: 50 ms or more from tcpdump's time"
done
diff <(tcpdump -xx -nr ours.pcapng 'tcp src port 8080' 2>/dev/null | grep 0x) \
	<(tcpdump -xx -nr theirs.pcap 'tcp src port 8080' 2>/dev/null | grep 0x) >/dev/null ||
	fail "other bytes than tcpdump's"

# calls of curl's main thread: connect enters before the SYN and leaves after it (it
# does not wait), and the request is sent before its packet
tid=$(xcap dump -r ours.pcapng --json 2>/dev/null | grep '"comm":"curl".*"name":"sendto"' |
	tail -1 | field tid)
tshark -r ours.pcapng -T fields -e frame.number -e sysdig.event_type -e tcp.flags.syn \
	-e tcp.len -e frame.time_epoch -e sysdig.thread_id >list.txt 2>/dev/null
awk -F '\t' -v tid="$tid" '$2 == 22 && $6 == tid && !syn { enter = NR }
	$3 == 1 && enter && !syn { syn = NR }
	$2 == 23 && $6 == tid && syn && !leave { leave = NR }
	$2 == 30 && $6 == tid && leave && !send { send = NR }
	$4 > 0 && send && !request { request = NR }
	END { printf "connect %d, SYN %d, connected %d, sendto %d, request %d\n",
		enter, syn, leave, send, request; exit !(enter && syn && leave && send && request) }' \
	list.txt || fail "curl's calls and packets do not stand in order"
# process blocks are frames without a time
awk -F '\t' '$5 + 0 == 0 { next } $5 + 0 < last { bad = 1 } { last = $5 + 0 } END { exit bad }' list.txt ||
	fail "the list steps back in time"

# an interface that has only IP: its packets stand in Ethernet frames
command -v python3 >/dev/null || skip "no python3"
ns_bg tx tun python3 -u -c '
import fcntl, os, socket, struct, time
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))
os.system("ip addr add 10.9.0.1/24 dev tun0; ip link set tun0 up")
print("up")
while not os.path.exists("go"):
    time.sleep(0.01)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(17):
    s.sendto(b"out %d" % i, ("10.9.0.2", 9))
'
wait_for tun.out '^up' || skip "no tun device"
ns_bg tx ours xcap dump -q -i tap:tun0 -w tun.pcapng
wait_for ours.err '^xcap: capturing' || exit 1
touch go
finished tun
sleep 0.2
stop ours
n=$(tcpdump -nr tun.pcapng 'ip dst host 10.9.0.2 and udp dst port 9' 2>tcpdump.err | wc -l)
grep -q 'link-type EN10MB' tcpdump.err || fail "the file is not Ethernet: $(cat tcpdump.err)"
[ "$n" = 17 ] || fail "$n of 17 IP packets are in the file"
echo "17 IP packets in Ethernet frames"
