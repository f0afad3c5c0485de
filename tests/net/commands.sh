#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   live captures that end by signal, time, count, a gone reader and a gone
#       interface; two that are to end at once.
# Out:  whether each begins and ends as its manual says: start line, exit code,
#       closed books, the file of -w whole.
# Owns: namespaces and processes, gone with the script.
# Runs on: root.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

books() {
	python3 "$TOP/tests/lib/books.py" "$@" || fail "books of $1"
}

# say N: N datagrams over the pair, and as many sendto() calls, by a name of its own: others
# may call sendto() as well
say() {
	ns tx python3 -c '
import socket, sys
open("/proc/self/comm", "w").write("say")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    s.sendto(b"%d" % i, ("10.77.0.2", 9))' "$1"
}

ns_pair tx:veth0 rx:veth1 net=10.77.0
say 1	# neighbours know each other from now on

# a signal: everything that was captured before is in the account and in the file
for signal in INT TERM HUP; do
	ns_bg rx count xdpcount -i tap:veth1 -f 'udp port 9' -q --json -w $signal.pcapng
	wait_for count.err '^xcap: capturing tap:veth1$' || fail "no start line"
	say 101
	stop count $signal || fail "exit $? after $signal"
	books count.out 'packets == 101' 'out_of_order == 0' 'lost == 0'
	read=$(xcap dump -r $signal.pcapng -q 2>/dev/null | wc -l)
	[ "$read" = 101 ] || fail "$read packets in $signal.pcapng"
done

# without -q each source says what was chosen; the account is on standard error
ns_bg rx plain xdpcount -i tap:veth1,syscalls?only=sendto
wait_for plain.err '^xcap: capturing tap:veth1, syscalls' || fail "no start line"
grep -q '^xcap: tap:veth1: tap ' plain.err || fail "nothing said of the choice"
say 7
stop plain || fail "exit $?"
grep -qE 'seen [0-9]+ = delivered [0-9]+ \+ filtered 0 \+ dropped 0' plain.err ||
	fail "no account"
grep -q 'not accounted for' plain.err && fail "the books do not close"
[ -s plain.out ] && fail "talk on standard output"

# time and count end it by themselves
ns_bg rx timed xdpcount -i tap:veth1 -q --json --duration 300ms
finished timed 10 || fail "exit $? after --duration"
books timed.out 'seconds >= 0.3' 'seconds < 5'
ns_bg rx counted xdpcount -i tap:veth1 -q --json -c 5 -f 'udp port 9'
wait_for counted.err '^xcap: capturing' || fail "no start line"
say 50
finished counted 10 || fail "exit $? after -c"
books counted.out 'records == 5'

# inbound and outbound, as pcap-filter(7) has them: what goes out here comes in there
for filter in 'outbound 101' 'inbound 0'; do
	ns_bg tx here xdpcount -i tap:veth0 -q --json -f "${filter% *} and udp port 9"
	ns_bg rx there xdpcount -i tap:veth1 -q --json -f "udp port 9 and not ${filter% *}"
	wait_for here.err '^xcap: capturing' || fail "no start line"
	wait_for there.err '^xcap: capturing' || fail "no start line"
	say 101
	stop here || fail "exit $?"
	stop there || fail "exit $?"
	books here.out "packets == ${filter#* }"
	books there.out "packets == ${filter#* }"
done

# lines are there while it runs, not only when a buffer is full
ns_bg tx lines xcap dump -i 'tap:veth0,syscalls?only=sendto' -n
wait_for lines.err '^xcap: capturing' || fail "no start line"
say 1
wait_for lines.out ' out 10.77.0.1:[0-9]+ > 10.77.0.2:9 udp len 43 say\[[0-9]+\]$' 5 || fail "no packet"
wait_for lines.out ' say\[[0-9]+\] > sendto\(sockfd=[0-9]+\(socket:\[[0-9]+\]\), buf="0", len=1, flags=0, dest_addr=10\.77\.0\.2:9, ' 5 ||
	fail "no call"
wait_for lines.out ' say\[[0-9]+\] < sendto = 1$' 5 || fail "no result"
# entry, packet, exit: the order in which they happened
awk '/ say\[.*> sendto/ { e = NR } / > 10.77.0.2:9 udp/ { p = NR } / say\[.*< sendto/ { x = NR }
	END { exit !(e < p && p < x) }' lines.out || fail "call, packet and result are not in order"
stop lines || fail "exit $?"

# -w - to a pipe whose reader goes away
ns rx sh -c 'xcap dump -i tap:veth1 -w - 2>pipe.err; echo $? >code' | head -c 4 >/dev/null &
wait_for pipe.err '^xcap: capturing' || fail "no start line"
for _ in {1..50}; do
	say 20
	[ -s code ] && break
	sleep 0.1
done
[ "$(cat code)" = 0 ] || fail "exit '$(cat code)' when the reader has gone"

# an interface that goes away: a sentence, the account, the file, exit 1
ns_pair tx:veth2 rx:veth3 net=10.78.0
ns_bg rx gone xdpcount -i tap:veth3 -q --json -w gone.pcapng
wait_for gone.err '^xcap: capturing' || fail "no start line"
ns tx python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(11):
    s.sendto(b"x", ("10.78.0.2", 9))'
ip -n rx link del veth3
finished gone 10
code=$?
[ $code = 1 ] || fail "exit $code when the interface has gone"
[ "$(grep -c '^xdpcount: .*veth3' gone.err)" = 1 ] || fail "no sentence: $(cat gone.err)"
books gone.out 'packets >= 11'
[ "$(xcap dump -r gone.pcapng -q udp port 9 2>/dev/null | wc -l)" = 11 ] || fail "packets are missing in the file"

# losses: exit 3 with --strict, loss records in the stream and in the file, sums that agree
ns_bg tx lossy xdpcount -i syscalls --ring 4K -q --json --strict -w lossy.pcapng
wait_for lossy.err '^xcap: capturing' || fail "no start line"
timeout 1 dd if=/dev/zero of=/dev/null bs=1 2>/dev/null
stop lossy
[ $? = 3 ] || fail "exit $? although records were dropped"
books lossy.out 'ring_full > 0' 'losses > 0'
xcap dump -r lossy.pcapng --json 2>/dev/null | grep '"type":"loss"' >loss
python3 -c 'import json, sys
lost = [json.loads(line) for line in open("loss")]
account = json.load(open("lossy.out"))
assert len(lost) == account["losses"], (len(lost), account)
assert sum(l["lost"] for l in lost) == account["dropped"], (sum(l["lost"] for l in lost), account)
assert {l["where"] for l in lost} == {"ring_full"}' || fail "loss records do not agree"

# the second signal does not wait: a sink that blocks for ever
mkfifo full
exec 7<>full
ns_bg tx stuck xcap dump -i tap:veth0,syscalls -w full
wait_for stuck.err '^xcap: capturing' || fail "no start line"
sleep 0.5
kill -INT "${NS_PIDS[stuck]}"
sleep 0.3
stop stuck INT 5
[ $? -le 1 ] || fail "the second signal was not obeyed"

# what is there is told
ns rx xcap list >list.out || fail "list: exit $?"
grep -qE '^veth1 +veth +up +1500 +1 +tap:veth1$' list.out || fail "list: $(cat list.out)"
grep -q 'a copy: it has the address 10.77.0.2/24' list.out || fail "list: $(cat list.out)"
ip -n rx addr flush dev veth1
ns rx xcap list --json >list.out || fail "list: exit $?"
grep -q '"name":"veth1".*"spec":"xsk:veth1","why":"exclusive' list.out || fail "list: $(cat list.out)"

# and what is told is what is done
for addresses in "" 10.77.0.2/24; do
	[ "$addresses" ] && ip -n rx addr add "$addresses" dev veth1
	told=$(ns rx xcap list --json | sed -n 's/.*"name":"veth1".*"spec":"\([^"]*\)".*/\1/p')
	ns rx xdpcount -i veth1 -q --json --duration 10ms >done.out 2>done.err || fail "$(cat done.err)"
	[ "$told" = "$(field sources.0.spec <done.out)" ] || fail "told $told, did $(cat done.out)"
done
exit 0
