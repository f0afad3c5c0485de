#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# In:   Debian's tshark and dumpcap, with xcap-extcap where Wireshark looks for a user's own.
# Out:  whether they list its interfaces and capture packets and system calls together,
#       filtered and ended as Wireshark does it; whether a user without privilege is told
#       so, and one whose copy has file capabilities can capture.
# Owns: namespaces, processes, a mount with a copy of the program.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
for tool in tshark dumpcap curl setcap; do
	command -v $tool >/dev/null || skip "no $tool"
done

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
ns_pair tx:veth7 rx:veth7 || fail "no veth pair"
ip -n tx link set veth7 name 've{7}'
ns_pair tx:veth8 rx:veth8 || fail "no veth pair"
ip -n tx link set veth8 down
mkdir www && echo '<h1>a page</h1>' >www/index.html
ns_bg rx server python3 -u -m http.server -d www 8080
wait_for server.out '^Serving' || exit 1
export HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/.config
mkdir -p home/.config/wireshark/extcap
ln -s "$B/xcap-extcap" home/.config/wireshark/extcap/

# children PID NAME: those of a process that are called so
children() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" -v name="$2" '{
		match($0, /\(.*\)/)
		split(substr($0, RSTART + RLENGTH + 1), rest, " ")
		if (rest[2] == parent && substr($0, RSTART + 1, RLENGTH - 2) == name) print $1 }'
}

# within_10s COMMAND...: until it works
within_10s() {
	for _ in {1..100}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

# begins FILE: until the capture is in it, which begins when all is attached
begins() {
	local i

	for ((i = 0; i < 400; i++)); do
		[ -s "$1" ] && return
		sleep 0.05
	done
	return 1
}

# writing: until the one called extcap has begun, and has the pipe open twice
writing() {
	local i

	for ((i = 0; i < 400; i++)); do
		[ "$(readlink "/proc/${NS_PIDS[extcap]}/fd/"* 2>/dev/null | grep -c '/pipe$')" = 2 ] && return
		sleep 0.05
	done
	return 1
}

# gone PID WHAT: it ends by itself, soon
gone() {
	local i

	for ((i = 0; i < 60; i++)); do
		[ -d "/proc/$1" ] || return 0
		sleep 0.05
	done
	fail "$2 is still there"
}

# ---- what it offers ----

ns tx tshark -D >list.out 2>list.err || fail "$(cat list.err)"
grep -q '^[0-9]*\. xcap-veth0 (veth0 and system calls)$' list.out || fail "no xcap-veth0: $(cat list.out)"
grep -q '^[0-9]*\. xcap-syscalls (System calls)$' list.out || fail "no xcap-syscalls: $(cat list.out)"
grep -q '^[0-9]*\. xcap-lo (' list.out || fail "no xcap-lo: $(cat list.out)"
[ "$(grep -c ' xcap-' list.out)" = 3 ] || fail "it offers more: $(cat list.out)"

# ---- packets and calls in one list ----

ns_bg tx shark tshark -i xcap-veth0 -w both.pcapng
shark=${NS_PIDS[shark]}
begins both.pcapng || fail "no capture: $(cat shark.err)"
extcap=$(children "$shark" xcap-extcap)
dumpcap=$(children "$shark" dumpcap)
[ "$extcap" ] && [ "$dumpcap" ] || fail "xcap-extcap '$extcap', dumpcap '$dumpcap'"
grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$extcap/status" || fail "it runs with capabilities"
ns tx curl -sf -o page http://10.77.0.2:8080/ || fail "curl failed"
sent() { xcap dump -r both.pcapng --json 2>/dev/null | grep '"comm":"curl".*"name":"sendto"'; }
within_10s sent || fail "no sendto by curl"
sleep 0.3
stop shark || fail "tshark: exit $?: $(cat shark.err)"
gone "$extcap" xcap-extcap
grep -q 'Error' shark.err && fail "$(cat shark.err)"
xcap dump -r both.pcapng --json 2>/dev/null >both.json
tid=$(grep '"comm":"curl".*"name":"sendto"' both.json | tail -1 | field tid)
tshark -r both.pcapng -T fields -e sysdig.event_type -e tcp.flags.syn -e tcp.len \
	-e frame.time_epoch -e sysdig.thread_id >list.txt 2>/dev/null
awk -F '\t' -v tid="$tid" '$4 + 0 < last { back = 1 } { last = $4 + 0 }
	$1 == 22 && $5 == tid && !syn { enter = NR }
	$2 == 1 && enter && !syn { syn = NR }
	$1 == 23 && $5 == tid && syn && !leave { leave = NR }
	$1 == 30 && $5 == tid && leave && !send { send = NR }
	$3 > 0 && send && !request { request = NR }
	END { printf "connect %d, SYN %d, connected %d, sendto %d, request %d\n",
		enter, syn, leave, send, request
	      exit back || !(enter && syn && leave && send && request) }' list.txt ||
	fail "calls and packets do not stand in order"
tshark -r both.pcapng 2>/dev/null >text.txt
grep -q 'Sysdig Event [0-9]* connect' text.txt && grep -q '10.77.0.1 .*\[SYN\]' text.txt ||
	fail "tshark does not name them"
python3 - "$shark" "$dumpcap" "$extcap" <<'END' || fail "who looks on is seen"
import json, sys
records = [json.loads(line) for line in open("both.json")]
seen = {str(r["pid"]) for r in records if "pid" in r} & set(sys.argv[1:])
assert not seen, seen
assert not any(r["type"] == "switch" for r in records), "switches were not asked for"
END
capinfos both.pcapng | grep -q "Name = veth0" || fail "the interface has no name"

# ---- live lines, a filter, controls ----

ns_bg tx live tshark -l -i xcap-veth0 -f 'udp port 9' -o extcap.xcap_veth0.only:sendto,getppid \
	-o extcap.xcap_veth0.snaplen:50 -T fields -e frame.time_epoch -e frame.cap_len -e udp.dstport \
	-e sysdig.event_type
say() {
	ns tx python3 -c '
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in 9, 10:
    s.sendto(bytes(100), ("10.77.0.2", port))
os.getppid()'
}
shown() { say; grep $'\t50\t9\t' live.out; }
within_10s shown || fail "no packet is shown: $(cat live.err)"
wait_for live.out $'\t\t30$' 5 || fail "no call is shown"
grep -q $'\t10\t' live.out && fail "the filter was not obeyed"
[ -z "$(cut -f 4 live.out | grep -vxE '30|31|0|1|')" ] || fail "other calls: $(cut -f 4 live.out | sort | uniq -c)"
extcap=$(children "${NS_PIDS[live]}" xcap-extcap)
stop live || fail "tshark: exit $?: $(cat live.err)"
gone "$extcap" xcap-extcap
ns tx tshark -i xcap-veth0 -f 'udp prot 9' -c 1 >bad.out 2>bad.err && fail "a bad filter is taken"
grep -q "xcap-extcap: filter 'udp prot 9' does not compile" bad.err || fail "not said: $(cat bad.err)"

# ---- by hand: dumpcap at the other end of a pipe ----

mkfifo pipe
ns_bg tx extcap xcap-extcap --capture --extcap-interface xcap-veth0 --fifo pipe --only sendto
ns_bg tx dumpcap dumpcap -q -i pipe -w dumpcap.pcapng
begins dumpcap.pcapng || fail "no capture: $(cat extcap.err dumpcap.err)"
say
arrived() { [ "$(tshark -r dumpcap.pcapng -Y 'udp && !icmp' 2>/dev/null | wc -l)" = 2 ]; }
within_10s arrived || fail "packets are missing"
stop dumpcap || fail "dumpcap: $(cat dumpcap.err)"
finished extcap 5 || fail "exit $? when the reader has gone: $(cat extcap.err)"
[ -s extcap.err ] || [ -s extcap.out ] && fail "it said: $(cat extcap.err extcap.out)"
tshark -r dumpcap.pcapng -Y 'sysdig.event_type == 30' 2>/dev/null | grep -q sendto || fail "calls are missing"

# a reader that goes away while the stream is silent; each signal; nobody who reads
ns_bg rx reader sh -c 'exec sleep 60 <pipe'
ns_bg rx extcap xcap-extcap --capture --extcap-interface xcap-syscalls --fifo pipe --only acct
writing || fail "no capture: $(cat extcap.err)"
stop reader KILL
finished extcap 5 || fail "silent: exit $? when the reader has gone: $(cat extcap.err)"
for signal in INT TERM both; do
	exec 7<>pipe
	ns_bg rx extcap xcap-extcap --capture --extcap-interface xcap-syscalls --fifo pipe --only acct
	writing || fail "no capture: $(cat extcap.err)"
	if [ $signal = both ]; then
		# as with Ctrl-C: the terminal's goes to all of them, and tshark sends the other
		kill -STOP "${NS_PIDS[extcap]}"
		kill -INT "${NS_PIDS[extcap]}"
		kill -TERM "${NS_PIDS[extcap]}"
		signal=CONT
	fi
	stop extcap $signal 5 || fail "$signal: exit $?: $(cat extcap.err)"
	[ -s extcap.err ] && fail "$signal: it said: $(cat extcap.err)"
	exec 7>&-
done
ns_bg rx extcap xcap-extcap --capture --extcap-interface xcap-syscalls --fifo pipe
sleep 0.3
readlink "/proc/${NS_PIDS[extcap]}/fd/"* | grep -q bpf && fail "attached before somebody reads"
stop extcap TERM 2

# ---- without privilege, and with that of the file ----

mkdir user && mount -t tmpfs -o mode=755 none user && chmod 755 .
mkdir -p user/.config/wireshark/extcap
cp "$B/xcap" user/.config/wireshark/extcap/xcap-extcap
chown -R 65534:65534 user
as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD/user" XDG_CONFIG_HOME="$PWD/user/.config" TMPDIR="$PWD/user")
ns tx "${as_user[@]}" tshark -i xcap-veth0 -c 1 >out 2>err && fail "a user without privilege may capture"
grep -q 'xcap-extcap: no permission.*CAP_BPF.*xcap-extcap(1)' err || fail "not said: $(cat err)"
setcap cap_bpf,cap_perfmon,cap_net_admin,cap_net_raw+ep user/.config/wireshark/extcap/xcap-extcap || fail "setcap"
ns_bg tx shark "${as_user[@]}" tshark -i xcap-veth0 -f 'udp port 9' -w user/user.pcapng
begins user/user.pcapng || fail "no capture: $(cat shark.err)"
say
said() { [ "$(tshark -r user/user.pcapng -Y udp 2>/dev/null | wc -l)" = 1 ]; }
within_10s said || fail "not the packet"
stop shark || fail "tshark: exit $?: $(cat shark.err)"
tshark -r user/user.pcapng -Y 'sysdig.event_type == 30' 2>/dev/null | grep -q sendto || fail "calls are missing"
capinfos user/user.pcapng | grep -q 'Description = syscalls.*without=' || fail "Wireshark is not left out"
exit 0
