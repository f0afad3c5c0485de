#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   dumpcap and tshark, which starts dumpcap, by xcap run.
# Out:  whether packets and calls come, in one file and live, with their options, lists and
#       statistics; whether they end as they do without, and leave nothing.
# Owns: two namespaces.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

need dumpcap tshark capinfos curl
ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
echo 'a page of some words' >page.html
ns_bg tx web python3 -m http.server 8000
fetch() {
	ns rx curl -sf -m 5 -o fetched http://10.77.0.1:8000/page.html
}
for ((i = 0; i < 100; i++)); do
	fetch && break
	sleep 0.05
done

# in_file FILE FILTER [COUNT]: until so many packets of it match
in_file() {
	local i n

	for ((i = 0; i < 100; i++)); do
		n=$(tshark -r "$1" -Y "$2" 2>/dev/null | wc -l)
		[ "$n" -ge "${3:-1}" ] && return
		sleep 0.1
	done
	fail "$n of $2 in $1"
}

# received LABEL IFACE COUNT: dumpcap's line about that interface, with nothing dropped
received() {
	says "$1.err" "^Packets received/dropped on interface '$2': $3/0 \(pcap:0/dumpcap:0/flushed:0/ps_ifdrop:0\)"
}

echo "dumpcap: packets"
run dumpcap '^File:' dumpcap -i tap:veth0 -f 'udp port 7777' -w packets.pcapng
fetch
send -n 1009 -S 60:1514 --rate 4000
in_file packets.pcapng data 1009
over dumpcap
received dumpcap tap:veth0 1009
[ "$(tshark -r packets.pcapng 2>/dev/null | wc -l)" = 1009 ] || fail "not 1009 in the file"

echo "dumpcap: packets and calls, one stream"
run dumpcap '^File:' dumpcap -i 'veth0+syscalls?only=connect' -w both.pcapng
fetch
in_file both.pcapng http.response
over dumpcap
received dumpcap 'veth0\+syscalls\?only=connect' '[1-9][0-9]*'
tshark -r both.pcapng 2>/dev/null >both
says both 'curl\[[0-9]+\] > connect\(sockfd=' 'SYN' 'GET /page.html' 'HTTP/1.0 200 OK'
[ "$(grep -nE 'curl.*> connect\(.*addrlen=16' both | tail -n 1 | cut -d: -f1)" -lt \
	"$(grep -nE '\[SYN\]' both | head -n 1 | cut -d: -f1)" ] || fail "SYN before connect"

echo "dumpcap: two captures at once, in threads"
run dumpcap '^File:' dumpcap -i tap:veth0 -f 'udp port 7777' -i 'syscalls?only=connect' -w two.pcapng
send -n 101
fetch
in_file two.pcapng syslog
in_file two.pcapng data 101
over dumpcap
received dumpcap tap:veth0 101
received dumpcap 'syscalls\?only=connect' '[1-9][0-9]*'
tshark -r two.pcapng -T fields -e frame.interface_name 2>/dev/null | sort | uniq -c >two
says two '^ *101 tap:veth0$' '[0-9] syscalls\?only=connect$'

echo "dumpcap: a ring of files, an end by count and by time, link type"
mkdir ring
run dumpcap '^File:' dumpcap -i tap:veth0 -b filesize:100 -b files:3 -w ring/r.pcapng
send -n 1009 -s 1000 --rate 4000
for ((i = 0; i < 100; i++)); do
	compgen -G 'ring/r_00011_*' >/dev/null && break
	sleep 0.05
done
sleep 0.5
over dumpcap
received dumpcap tap:veth0 1009
[ "$(find ring -name 'r_000*' | wc -l)" = 3 ] || fail "ring: $(ls ring)"
ns_bg tx again sh -c 'while txgen -i veth0 -n 1; do sleep 0.1; done'
for args in '-c 3' '-a duration:1' '-a packets:3 -s 60 -p -B 1' '-c 3 -y USER0 -P'; do
	# shellcheck disable=SC2086
	ns rx timeout 20 xcap run dumpcap -i tap:veth0 -w end.pcapng $args >said 2>&1 ||
		fail "dumpcap $args: $? $(cat said)"
	[ "$(tshark -r end.pcapng 2>/dev/null | wc -l)" -ge 3 ] || fail "dumpcap $args: $(cat said)"
done
capinfos end.pcapng | grep -q 'encapsulation: *USER 0' || fail "-y USER0: $(capinfos end.pcapng)"
nothing_left

echo "dumpcap: lists, and all interfaces at once"
ns rx xcap run dumpcap -D -M >list || fail "-D"
says list '[0-9]+\. syscalls	'
ns rx xcap run dumpcap -i veth0+syscalls -L >list || fail "-L"
says list 'EN10MB' 'USER0'
run every '^syscalls	[1-9]' dumpcap -S -M
over every
says every.out '^veth0	[0-9]+	0$' '^syscalls	[1-9][0-9]*	0$'
stop again KILL 2>/dev/null

echo "tshark: live"
run tshark 'Capture started' tshark -n -l -i 'veth0+syscalls?only=connect' -w live.pcapng -P
fetch
wait_for tshark.out 'HTTP/1.0 200 OK' || exit 1
over tshark
says tshark.out 'KERN.INFO: curl\[[0-9]+\] > connect\(sockfd='
in_file live.pcapng 'http.response and ip.src == 10.77.0.1'
run tshark 'Capture started' tshark -n -l -i tap:veth0 -i syscalls -Y 'udp.port == 7777 or syslog'
send -n 11
wait_for tshark.out '10.77.0|198.18.0.1.*7777' || exit 1
wait_for tshark.out 'KERN.INFO: txgen\[' || exit 1
over tshark TERM
run tshark 'Capture started' tshark -l -i syscalls -y USER0 -X "lua_script:$B/xcap.lua" \
	-Y 'xcap.syscall == "connect" and xcap.comm == "curl"'
fetch
wait_for tshark.out 'curl\[[0-9]+\] > connect' || exit 1
over tshark
ns rx xcap run tshark -D >list 2>list.err || fail "tshark -D: $(cat list.err)"
says list ' syscalls$'
run tshark 'Capture started' --map veth0=veth0+syscalls tshark -n -l -i veth0
wait_for tshark.out 'KERN.INFO' || exit 1
over tshark

echo "what is wrong is said as without"
for name in nosuch tap:nosuch; do
	ns rx xcap run dumpcap -i $name -w end.pcapng >said 2>&1 && fail "$name"
	says said "There is no device named \"$name\""
done
ns rx xcap run tshark -i tap:veth0 -f 'udp portt 7777' >said 2>&1 && fail "a wrong filter"
says said 'Invalid capture filter "udp portt 7777" for interface .tap:veth0'
nothing_left
