#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   frames that come in at interfaces, and xcap pipe between them and others.
# Out:  whether they leave byte for byte, in order, all of them accounted for: through stages in
#       threads and in processes, filtered on the way, to several interfaces, from several, and late.
# Owns: three namespaces, its processes.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"

export XCAP_RUN_DIR=$PWD/run
ns_pair tx:a1 rx:b1 gro || fail "no veth pair"
ns_pair tx:a3 rx:b3 gro || fail "no second veth pair"
ns_pair rx:a2 far:b2 || fail "no third veth pair"
ns_pair rx:a4 far:b4 || fail "no fourth veth pair"

# at NS IFACE LABEL [ARGUMENT...]: tcpdump there, into LABEL.pcap
at() {
	ns_bg "$1" "$3" tcpdump -i "$2" -w "$3.pcap" -B 65536 --nano -U --immediate-mode "${@:4}"
	wait_for "$3.err" listening || exit 1
}
count() {
	tcpdump -r "$1.pcap" --count 2>/dev/null | cut -d' ' -f1
}
# arrived LABEL COUNT: until tcpdump has written so many, and no more
arrived() {
	local i

	for ((i = 0; i < 200; i++)); do
		[ "$(count "$1")" -ge "$2" ] && break
		sleep 0.05
	done
	stop "$1"
	[ "$(count "$1")" = "$2" ] || fail "$(count "$1") frames arrive of $2: $(cat pipe.err)"
}
# same A B [FILTER]: the same frames in the same order, those of A that match
same() {
	tcpdump -r "$1.pcap" -n -t -XX ${3:+"$3"} >"$1.txt" 2>/dev/null
	tcpdump -r "$2.pcap" -n -t -XX >"$2.txt" 2>/dev/null
	[ -s "$1.txt" ] || fail "nothing in $1.pcap"
	cmp "$1.txt" "$2.txt" || fail "frames are not as they were"
}
# pipe ARGUMENT...: in the background, into pipe.*
pipe() {
	ns_bg rx pipe xcap pipe --json "$@"
	wait_for pipe.err '^xcap: capturing' || exit 1
}
send() {
	ns tx txgen -i a1 "$@" >/dev/null || fail "txgen failed"
}
# books CONDITION...: it ends in order, and they close
books() {
	stop pipe || fail "exit $?: $(cat pipe.err)"
	python3 "$TOP/tests/lib/stages.py" pipe.out "$@" || exit 1
	[ -z "$(find run -name '*.sock')" ] || fail "a socket is left: $(ls run)"
}

# ---- stages in threads: all frames, as they were ----

for how in "tap:b1 --stages 1" "tap:b1 --stages 3 --cpus 0:0:0" "xsk:b1" "xsk:b1 --stages 8"; do
	at tx a1 sent -Q out
	at far b2 got
	# shellcheck disable=SC2086
	pipe -o a2 -i $how
	grep -q '^xcap: wire:a2: AF_XDP' pipe.err || fail "$how does not say how: $(cat pipe.err)"
	for task in /proc/"${NS_PIDS[pipe]}"/task/*; do
		grep -q '^CapEff:[[:space:]]*0*$' "$task/status" || fail "$how: a thread has capabilities"
	done
	send -n 1009 -S 60:1514 --rate 10000
	arrived got 1009
	stop sent
	books 'records == 1009' 'dropped == 0' 't0.seen == 1009' 't0.lost == 0'
	same sent got
	echo "$how: 1009 frames"
done

# ---- and filtered on the way: 41 of each 100 sizes are up to 100, 21 up to 80 ----

at tx a1 sent -Q out
at far b2 got
pipe -i tap:b1 -o a2 --stages 3 --stage-filter '0:less 100' --stage-filter '2:less 80'
send -n 1009 -S 60:159 --rate 10000
arrived got 219
stop sent
books 't0.seen == 1009' 't0.delivered == 419' 't1.delivered == 419' 't2.seen == 419' \
	't2.delivered == 219' 't2.filtered == 200' 't0.lost + t1.lost + t2.lost == 0'
same sent got 'less 80'

# ---- without an interface, the last one counts ----

pipe -i tap:b1 -f 'less 100' --stages 2 --stage-filter '1:greater 61'
send -n 1009 -S 60:159 --rate 10000
sleep 0.3
books 'records == 419' 't1.seen == 419' 't1.filtered == 11' 't1.delivered == 408' 't1.lost == 0'

# ---- to several interfaces ----

at tx a1 sent -Q out
at far b2 got
at far b4 got4
pipe -i tap:b1 -o a2 -o a4 --replicate --stages 2
send -n 503 -S 60:1514 --rate 10000
arrived got 503
arrived got4 503
stop sent
books 'records == 503' 't0.delivered == 503' 't3.delivered == 503' 't0.to == t2.queue' \
	't1.to == t3.queue' 't2.to == "wire:a2"' 't3.to == "wire:a4"'
same sent got
same sent got4

# ---- from several, in the order in which they came ----

cat >in_turn.py <<'END'
import socket, sys, time
socks = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW) for _ in range(2)]
for s, name in zip(socks, ("a1", "a3")):
    s.bind((name, 0))
for i in range(int(sys.argv[1])):
    # runs of one interface and changes between them, in a pattern of eleven
    socks[0b01101110010 >> i % 11 & 1].send(b"\xff" * 12 + b"\x88\xb5" + i.to_bytes(46, "big"))
    time.sleep(0.0002)
END
at far b2 got
pipe -i tap:b1,xsk:b3 -o a2
ns tx python3 in_turn.py 1009 || fail "nothing sent"
arrived got 1009
books 'records == 1009' 'late == 0' 't1.late == 0'
python3 - <<'END' || fail "not in the order in which they came"
import struct
data = open("got.pcap", "rb").read()
at, got = 24, []
while at < len(data):
    length = struct.unpack_from("<I", data, at + 8)[0]
    got.append(int.from_bytes(data[at + 16 + 14:at + 16 + length], "big"))
    at += 16 + length
assert got == list(range(1009)), got
END

# ---- late: not one before its time, and at the end what waits still leaves ----

at tx a1 sent -Q out
at far b2 got
pipe -i tap:b1 -o a2 --delay 700ms
send -n 211 -S 60:300 --rate 1000
[ "$(count got)" = 0 ] || fail "$(count got) frames leave before their time"
stop pipe INT || fail "exit $?: $(cat pipe.err)"
arrived got 211
stop sent
python3 "$TOP/tests/lib/stages.py" pipe.out 't1.delivered == 211' 't1.lost == 0' || exit 1
same sent got
for f in sent got; do tcpdump -r $f.pcap --nano -n -tt 2>/dev/null | cut -d' ' -f1 >$f.times; done
paste sent.times got.times | awk '{ d = $2 - $1; if (d < least || NR == 1) least = d
		if (d > most) most = d }
	END { printf "late by %.4f to %.4f s\n", least, most; exit least < 0.6999 || most > 1.5 }' ||
	fail "not late by 700 ms"

# ---- what waits is bounded by the slots; what is lost is said, and --strict minds ----

at far b2 got
ns_bg rx pipe xcap pipe --json -i tap:b1 -o a2 --delay 500ms --slots 64 --stages 1 --strict
wait_for pipe.err '^xcap: capturing' || exit 1
send -n 211 --rate 10000
sleep 1
stop pipe
[ $? = 3 ] || fail "--strict: $(cat pipe.err pipe.out)"
python3 "$TOP/tests/lib/stages.py" pipe.out 't0.seen == 211' 't0.lost > 100' \
	't0.delivered > 30' || exit 1
n=$(head -n 1 pipe.out | field delivered)
arrived got "$n"
echo "$n of 211 fit into 64 slots"

# ---- the same between processes; a plain forwarder; a first queue that is not 0 ----

for how in "2 tap:b1,0 a2,1" "5 xsk:b1,1 a2,4" "2 tap:b1,1 a2,1"; do
	read -r n in out <<<"$how"
	at tx a1 sent -Q out
	at far b2 got
	pipe -i "$in" -o "$out" -c 7 -n "$n"
	if [ "${in#*,}" != "${out#*,}" ]; then
		ns_bg rx bounce xcap bounce -i "xcap:7@${in#*,}" -o "xcap:7@${out#*,}" --json
		wait_for bounce.err '^xcap: capturing' || exit 1
	fi
	send -n 1009 -S 60:1514 --rate 10000
	arrived got 1009
	stop sent
	books 'records == 1009' 't0.seen == 1009' 't0.delivered == 1009'
	[ ! -e bounce.err ] || finished bounce || fail "bounce: exit $?: $(cat bounce.err)"
	rm -f bounce.err
	same sent got
done

# ---- an interface that goes away is the end, and said ----

pipe -i tap:b1 -o a4 --stages 2
ip -n rx link del a4
send -n 11
finished pipe && fail "a pipe without an interface goes on"
grep -q '^xcap pipe: .*a4' pipe.err || fail "an interface that goes: $(cat pipe.err)"
[ -z "$(find run -name '*.sock')" ] || fail "a socket is left: $(ls run)"

# ---- what cannot be ----

ns rx xcap pipe -i tap:b1 -o b1 2>err && fail "a loop"
grep -q 'xcap pipe: tap:b1 sees what is sent out of b1' err || fail "a loop: $(cat err)"
ns rx xcap pipe -i tap:b1 -o nosuch 2>err && fail "an interface that is not there"
grep -q '^xcap pipe: .*nosuch' err || fail "no interface: $(cat err)"
exit 0
