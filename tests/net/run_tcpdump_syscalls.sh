#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   Debian's tcpdump and tshark, system calls by xcap run.
# Out:  whether the filters of xcap-linktypes(7) find process and call, in files of both link
#       types, and packets and calls stand in the order in which they were.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"

# mac PID: the destination address of its records
mac() {
	printf '02:00:%02x:%02x:%02x:%02x' $(($1 >> 24)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) \
		$(($1 & 255))
}

# cat_a_file: as a process whose id is in the file pid
cat_a_file() {
	# shellcheck disable=SC2016
	sh -c 'echo $$ >pid; exec cat pid nosuch' >/dev/null 2>&1
}

# seen LABEL FILE REGEX: until the live file has it
seen() {
	local i

	for ((i = 0; i < 100; i++)); do
		tcpdump -n -v -r "$1" 2>/dev/null | grep -qE "$2" && return
		sleep 0.1
	done
	fail "no '$2' in $1"
}

echo "to a file: process, call, results, errors"
start calls -n -i syscalls -w calls.pcap -U -Z root
cat_a_file
seen calls.pcap 'cat\[[0-9]+\] < openat(\(.*\))? = -2 ENOENT'
over calls
mac=$(mac "$(cat pid)")
# found FILTER: what it finds is in the file found
found() {
	tcpdump -n -v -r calls.pcap "$1" 2>/dev/null >found
}
found "ether dst $mac and udp src port 11257"
says found 'Facility kernel \(0\), Severity info \(6\)' 'cat\[[0-9]+\] > openat\(dirfd='
grep -E '\] [<>] ' found | grep -v '> openat(' >other && fail "others: $(head -n 3 other)"
found "ether dst $mac and udp src portrange 13000-13999"
says found 'Severity notice \(5\)' 'cat\[[0-9]+\] < openat(\(.*\))? = -2 ENOENT'
found "ether[8:4] = $(cat pid) and udp src port 12257"
says found 'cat\[[0-9]+\] < openat(\(.*\))? = [0-9]+'
found 'udp src port 14000'
says found '-> (cat|sh|tcpdump|bash|sleep|swapper)'
tshark -r calls.pcap -Y syslog 2>/dev/null >listed
says listed 'KERN.INFO: cat\[[0-9]+\] > openat'

echo "the same filters live"
ns_bg rx again sh -c 'while :; do cat /dev/null; sleep 0.1; done'
start live -l -n -v -i 'syscalls?switches=off' udp src port 11257
wait_for live.out 'cat\[[0-9]+\] > openat\(dirfd=' || exit 1
over live
grep -E '\] [<>] ' live.out | grep -v '> openat(' >other && fail "others: $(head -n 3 other)"
pid=${NS_PIDS[again]}
start process -l -n -v -i syscalls "ether dst $(mac "$pid")"
wait_for process.out "sh\[$pid\] > (clone|vfork|wait4)" || exit 1
over process TERM
stop again KILL 2>/dev/null
grep -E '\] [<>] ' process.out | grep -v "\[$pid\] [<>] " >other && fail "others: $(head -n 3 other)"

echo "tcpdump is not in what it captures; the filter refuses, and it ends"
start self -n -i syscalls -w self.pcap -Z root
pid=${NS_PIDS[self]}
sleep 0.3
over self
tcpdump -n -r self.pcap 2>/dev/null | wc -l >n
[ "$(cat n)" -gt 0 ] || fail "nothing in self.pcap"
tcpdump -n -r self.pcap "ether[8:4] = $pid" 2>/dev/null >self
[ -s self ] && fail "sees itself: $(head -n 3 self)"
start refuses -n -i syscalls udp port 9
sleep 0.3
over refuses
says refuses.err '^0 packets captured'

echo "packets and calls in one stream, in order"
start both -n -i 'veth0+syscalls?only=sendto' -w both.pcap -U -Z root
ns rx python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(101):
    s.sendto(b"%d" % i, ("10.77.0.1", 9))'
seen both.pcap '10.77.0.2.[0-9]+ > 10.77.0.1.9: '
for ((i = 0; i < 100; i++)); do
	[ "$(tcpdump -n -r both.pcap src 10.77.0.2 and udp 2>/dev/null | wc -l)" = 101 ] && break
	sleep 0.1
done
over both
tcpdump -n -v -r both.pcap '(src 10.77.0.2 and udp) or src port 11044 or src port 12044' 2>/dev/null |
	grep -oE '> 10\.77\.0\.1\.9: |python3\[[0-9]+\] [<>] sendto' |
	sed 's/.*> sendto/call/; s/.*< sendto/result/; s/.*9: /packet/' >order
yes "call
packet
result" | head -n 303 | diff - order >different || fail "order: $(head -n 5 different)"

echo "USER0: all of a record, and packets among them"
start binary -i 'veth0+syscalls' -y USER0 -w binary.pcap -U -Z root
cat_a_file
send -n 11
# its bytes, by a reader that makes few calls itself: all of them come into the file too
for ((i = 0; i < 100; i++)); do
	LC_ALL=C grep -qaP '(?s)\xc6\x12\x00\x01.{4}..\x1e\x61' binary.pcap && break
	sleep 0.1
done
over binary
tshark -X "lua_script:$B/xcap.lua" -r binary.pcap 2>/dev/null >listed
says listed 'cat\[[0-9]+\] > openat' '198.18.0.1.*UDP.*7777'
tshark -X "lua_script:$B/xcap.lua" -r binary.pcap -Y "xcap.pid == $(cat pid) && xcap.ret == -2" \
	2>/dev/null >listed
says listed 'cat\[[0-9]+\] < openat'
ns rx timeout 20 xcap run tcpdump -i syscalls -s 64 -c 53 -w short.pcap -Z root 2>said || fail "-s: $(cat said)"
tshark -r short.pcap -T fields -e frame.cap_len -e frame.len 2>/dev/null >lengths
awk '$1 > 64 || $1 > $2 || ($1 < 64 && $1 != $2) { exit 1 } $2 > 64 { cut++ } END { exit !cut || NR != 53 }' lengths ||
	fail "-s 64: $(head -n 3 lengths)"
ns rx xcap run tcpdump -i syscalls -J >said 2>&1 || fail "-J"
says said 'host'
nothing_left
