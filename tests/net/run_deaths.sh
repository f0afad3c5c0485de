#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# In:   a program by xcap run, and the process that captures for it; both die in every order.
# Out:  whether the other ends or goes on as it should, in time, and nothing stays attached;
#       and what xcap run says to programs that it cannot help.
# Owns: two namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
ns_bg tx traffic sh -c 'while txgen -i veth0 -n 100000 --rate 2000 >/dev/null; do :; done'

# start LABEL DEVICE [COMMAND]...: tcpdump by xcap run, under way
start() {
	local label=$1 device=$2

	shift 2
	ns_bg rx "$label" xcap run "$@" tcpdump -n -i "$device" -Z root -w "$label.pcap"
	wait_for "$label.err" 'listening on' || exit 1
}

# brokers: processes that capture for others in rx: the listening one and one for each capture
brokers() {
	local netns pid

	netns=$(stat -Lc %i /run/netns/rx)
	for pid in /proc/[0-9]*; do
		[ "$(cat "$pid/comm" 2>/dev/null)" = xcap ] || continue
		[ "$(stat -Lc %i "$pid/ns/net" 2>/dev/null)" = "$netns" ] && echo "${pid#/proc/}"
	done
}

# workers: of these, those that hold a capture
workers() {
	local pid

	for pid in $(brokers); do
		[ "$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" = 0000000000000000 ] &&
			echo "$pid"
	done
}

for device in tap:veth0 xsk:veth0 veth0+syscalls; do
	echo "$device: the program is killed"
	start killed $device
	kill -KILL "${NS_PIDS[killed]}"
	nobody_left rx
	nothing_attached rx veth0
	stop killed KILL 2>/dev/null

	echo "$device: who captures for it is killed"
	start orphan $device
	sleep 0.3
	[ "$(workers | wc -l)" = 1 ] || fail "$(workers | wc -l) processes hold the capture"
	kill -KILL "$(workers)"
	finished orphan 10
	code=$?
	[ $code = 1 ] || fail "tcpdump: exit $code: $(cat orphan.err)"
	says orphan.err 'xcap run, which captured for this program, is gone; what was captured before is complete'
	[ "$(tcpdump -r orphan.pcap 2>/dev/null | wc -l)" -gt 100 ] || fail "what was captured is lost"
	nobody_left rx
	nothing_attached rx veth0
done

echo "the listening one is killed: captures go on"
start on tap:veth0
for pid in $(brokers); do
	[[ " $(workers) " = *" $pid "* ]] || kill -KILL "$pid"
done
sleep 0.5
kill -0 "${NS_PIDS[on]}" || fail "tcpdump ended with it"
stop on || fail "tcpdump: $(cat on.err)"
nobody_left rx

echo "it stands still: the program closes in bounded time"
start still tap:veth0
worker=$(workers)
kill -STOP "$worker"
from=$SECONDS
stop still INT 20 || fail "tcpdump: $(cat still.err)"
[ $((SECONDS - from)) -le 10 ] || fail "closing took $((SECONDS - from)) s"
kill -CONT "$worker"
nobody_left rx
nothing_attached rx veth0

echo "killed at every step"
for ((i = 0; i < 25; i++)); do
	ns_bg rx step xcap run tcpdump -n -i xsk:veth0+syscalls -Z root -w step.pcap
	sleep "0.$(printf %03d $((i * 12)))"
	stop step KILL
done
nobody_left rx
nothing_attached rx veth0

echo "programs that are started by the program"
ns rx xcap run sh -c 'tcpdump -n -c 3 -i tap:veth0 2>/dev/null; tcpdump -n -c 3 -i tap:veth0 2>/dev/null; exit 7' >twice
[ $? = 7 ] || fail "the exit status of sh -c"
[ "$(wc -l <twice)" = 6 ] || fail "two tcpdumps by one xcap run: $(cat twice)"
ns rx xcap run sh -c 'kill -TERM $$'
[ $? = 143 ] || fail "a signal's exit status"
nobody_left rx

echo "a daemon goes on when its parent has ended"
cat >daemon.py <<'END'
import ctypes
import os
import sys
import time

pcap = ctypes.CDLL("libpcap.so.0.8")
pcap.pcap_open_live.restype = ctypes.c_void_p
errbuf = ctypes.create_string_buffer(256)
handle = pcap.pcap_open_live(sys.argv[1].encode(), 65535, 0, 100, errbuf)
if not handle:
    sys.exit(errbuf.value.decode())
if os.fork():
    os._exit(0)
os.setsid()
header, data, seen, own = ctypes.c_void_p(), ctypes.c_void_p(), 0, 0
needle = b"[%d]" % os.getpid()
since = None
for i in range(1000000):
    if pcap.pcap_next_ex(ctypes.c_void_p(handle), ctypes.byref(header), ctypes.byref(data)) == 1:
        length = ctypes.cast(header.value + 16, ctypes.POINTER(ctypes.c_uint32))[0]
        at = ctypes.cast(header.value, ctypes.POINTER(ctypes.c_long))
        if since and at[0] + at[1] / 1e6 > since:
            seen += 1
            own += needle in ctypes.string_at(data.value, length)
    # the first call says who reads from now on; what was made before may still be on its way
    since = since or time.time()
    if seen == 400:
        break
pcap.pcap_close(ctypes.c_void_p(handle))
with open("daemon.said", "w") as f:
    f.write("seen %d own %d\n" % (seen, own))
END
ns_bg rx noise sh -c 'while :; do cat /dev/null; done'
ns rx xcap run /usr/bin/python3 daemon.py 'syscalls?switches=off' || fail "the daemon does not start"
wait_for daemon.said '^seen' || exit 1
says daemon.said '^seen 400 own 0$'
stop noise KILL 2>/dev/null
nobody_left rx

echo "who does not know the secret is not served, whoever it is"
start secret tap:veth0
cat >ask.py <<'END'
import re
import socket
import sys

# all that /proc shows to everybody
names = re.findall(r"@(xcap-run-\S+)", open("/proc/net/unix").read())
assert names, "no socket is seen"
for words in (b"", b"0" * 32, b"0" * 31, b"0" * 4000):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(10)
    sock.connect("\0" + names[0])
    if words:
        sock.send(words)
    if sock.recv(1) != b"":
        sys.exit("answered to %r" % words)
END
ns rx python3 ask.py || fail "served without the secret"
stop secret || fail "$(cat secret.err)"

echo "standard streams that are closed, many descriptors that are open"
ns rx sh -c 'exec xcap run tcpdump -n -c 3 -i tap:veth0 <&- 2>closed.err' >closed ||
	fail "without standard input: $(cat closed.err)"
[ "$(wc -l <closed)" = 3 ] || fail "without standard input: $(cat closed closed.err)"
ns rx python3 -c '
import os, sys
for i in range(300):
    os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)
os.execvp("xcap", ["xcap", "run", "tcpdump", "-n", "-c", "3", "-i", "tap:veth0"])' >many 2>many.err ||
	fail "with many descriptors: $(cat many.err)"
nobody_left rx

echo "a file needs nobody"
XCAP_RUN=xcap-run-0-nobody:0 LD_PRELOAD=$B/libxcap-pcap.so tcpdump -n -c 1 -i "file:$PWD/secret.pcap" \
	>file 2>file.err || fail "file: $(cat file.err)"

echo "what cannot be helped says so"
# refused CODE REGEX COMMAND...
refused() {
	local want=$1 regex=$2 code

	shift 2
	"$@" >refused 2>&1 </dev/null
	code=$?
	[ $code = "$want" ] || { cat refused; fail "$*: exit $code, not $want"; }
	says refused "$regex"
}
refused 2 'name the program, such as tcpdump -i syscalls' xcap run
refused 127 'nosuch: no such program' xcap run nosuch
refused 126 'static_sniffer is linked statically, .* xcap iface syscalls' \
	xcap run "$B/tests/static_sniffer" x
refused 126 'calls32 is a program of another word size, .*xcap iface' xcap run "$B/tests/calls32"
chmod 755 .
cp "$(command -v tcpdump)" tcpdump.caps && setcap cap_net_raw+ep tcpdump.caps
cp "$(command -v tcpdump)" tcpdump.suid && chmod 4755 tcpdump.suid
for program in caps suid; do
	refused 126 "tcpdump.$program runs with more rights than its caller, .*xcap iface" \
		setpriv --reuid 65534 --regid 65534 --clear-groups xcap run "$PWD/tcpdump.$program" -D
done
refused 1 'no permission to load the BPF programs of syscalls; run as root, or with CAP_BPF' \
	setpriv --reuid 65534 --regid 65534 --clear-groups xcap run tcpdump -i syscalls
refused 1 'it is gone, or this is another network namespace' \
	xcap run nsenter --net=/run/netns/rx tcpdump -i tap:veth0
refused 1 'was started by user 0 and captures for no other, and this is user 65534' \
	xcap run setpriv --reuid 65534 --regid 65534 --clear-groups tcpdump -i syscalls
mkdir 'a b' && cp "$B/xcap" "$B/libxcap-pcap.so" 'a b/'
refused 1 'has a space or a colon in it' './a b/xcap' run tcpdump -D
mkdir alone && cp "$B/xcap" alone/
refused 1 'no libxcap-pcap.so beside this program' ./alone/xcap run tcpdump -D
refused 127 'no libpcap behind this library: .*XCAP_LIBPCAP' \
	env XCAP_LIBPCAP=/nosuch/libpcap.so xcap run tcpdump -D
refused 1 'cannot reach the xcap run that started this program' \
	env XCAP_RUN=xcap-run-0-nobody:0 LD_PRELOAD="$B/libxcap-pcap.so" tcpdump -i syscalls
refused 1 'XCAP_RUN is damaged' env XCAP_RUN=x LD_PRELOAD="$B/libxcap-pcap.so" tcpdump -i syscalls
refused 1 'Too many open files|descriptors|cannot map' \
	sh -c 'ulimit -n 12; exec xcap run tcpdump -i syscalls'
nobody_left rx
