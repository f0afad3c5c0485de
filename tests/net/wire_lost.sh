#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   -w wire:IF where the interface has no carrier, is slow, is set down, is deleted; where
#       it cannot be had; where it would feed itself; kill -9.
# Out:  whether each frame is counted, nothing waits for ever, sentences say why, and nothing
#       stays.
# Owns: three namespaces, its processes.
# Runs on: root.
# timeout: 180
. "$(dirname "$0")/../lib/netns.sh"

chmod 711 .
ns_pair tx:a1 rx:b1 || fail "no veth pair"
ns_pair rx:a2 far:b2 || fail "no second veth pair"

capture() {
	ns_bg rx cap "$@"
	wait_for cap.err '^xcap: capturing' || exit 1
}
books() {
	python3 "$TOP/tests/lib/books.py" cap.out "$@" || exit 1
}
send() {
	ns tx txgen -i a1 -n "$1" -S 60:1514 --rate "${2:-10000}" >/dev/null || fail "txgen failed"
}
# got PACKETS|BYTES: what b2 was given
got() {
	counter far b2 "rx_$1"
}
# refused WORDS ARGUMENT...: xcap dump fails at the start with a sentence like that; wrong: by its
# use
refused() {
	local words=$1 code

	shift
	ns rx timeout 10 xcap dump "$@" >out 2>err
	code=$?
	[ $code = "${expected:-1}" ] || fail "exit $code, not ${expected:-1}: dump $*: $(cat err)"
	grep -qE -- "$words" err || fail "no '$words' in the sentence for $*: $(cat err)"
}
wrong() { expected=2 refused "$@"; }

# ---- no carrier for a while: each of these frames is counted, and by its own length ----

for how in wire:a2 'wire:a2?mode=packet'; do
	packets=$(got packets) bytes=$(got bytes)
	capture xdpcount -i tap:b1 -w "$how" --json
	send 503
	sleep 0.3
	ip -n far link set b2 down
	send 307
	sleep 0.3
	ip -n far link set b2 up
	ns_up rx a2
	send 101
	sleep 0.3
	stop cap || fail "$how: exit $? without a carrier: $(cat cap.err)"
	books 'seen == 911' 'wire == 307' 'packets == 604' 'lost == wire' \
		"packets == $(($(got packets) - packets))" "bytes == $(($(got bytes) - bytes))"
done

# ---- set down, deleted: it says so and ends, and what did not leave is counted ----

for how in wire:a2 'wire:a2?mode=packet'; do
	packets=$(got packets)
	capture xcap dump -i xsk:b1 -w "$how" --json
	send 503
	sleep 0.3
	ip -n rx link set a2 down
	send 307
	finished cap 5
	code=$?
	[ $code = 1 ] || fail "$how: exit $code with the interface down: $(cat cap.err)"
	grep -q 'a2 takes no frames any more: .*ip link set a2 up' cap.err ||
		fail "$how: no sentence: $(cat cap.err)"
	[ $(($(got packets) - packets)) = 503 ] || fail "$how: other frames arrive than were sent"
	grep -qE 'xsk:b1 +seen ([0-9]+) = delivered 503 \+ filtered 0 \+ dropped [1-9]' cap.err ||
		fail "$how: the account: $(cat cap.err)"
	grep -q 'wire [1-9]' cap.err || fail "$how: no place: $(cat cap.err)"
	ip -n rx link set a2 up
	ns_up rx a2
done
ns_pair rx:g1 far:h1 || fail "no third pair"
for how in wire:g1 'wire:g1?mode=packet'; do
	ip -n rx link show dev g1 >/dev/null 2>&1 || ns_pair rx:g1 far:h1 || fail "no pair again"
	capture xdpcount -i tap:b1 -w "$how" --json
	ip -n rx link delete g1
	send 101
	finished cap 5
	code=$?
	[ $code = 1 ] || fail "$how: exit $code without the interface: $(cat cap.err)"
	grep -q 'the interface g1 has gone away' cap.err || fail "$how: no sentence: $(cat cap.err)"
	books 'packets == 0' 'wire > 0'
done

# ---- slow: what it does not send in time is counted, and the end does not wait for it ----

if ip -n rx link add slow link a2 type macvlan mode private 2>/dev/null &&
   ns rx tc qdisc add dev a2 root tbf rate 1mbit burst 3000 limit 10000000 2>/dev/null; then
	ip -n rx link set slow up
	ns_up rx slow
	ns_quiet rx
	for how in wire:slow 'wire:slow?mode=packet'; do
		packets=$(got packets)
		capture xdpcount -i tap:b1 -w "$how" --json
		send 2003 20000
		begin=$(date +%s%N)
		stop cap || fail "$how: exit $?: $(cat cap.err)"
		ms=$((($(date +%s%N) - begin) / 1000000))
		[ $ms -lt 5000 ] || fail "$how: it takes $ms ms to end"
		books 'seen == 2003' 'wire > 0' 'lost == wire' 'packets > 0'
		sleep 3		# what the kernel still had
		there=$(($(got packets) - packets))
		[ $there -ge "$(field packets <cap.out)" ] ||
			fail "$how: $there frames arrive of $(field packets <cap.out)"
	done
	ns rx tc qdisc delete dev a2 root
	ip -n rx link delete slow
else
	echo "no macvlan or tbf here: a slow interface is not tried"
fi

# ---- kill -9: no socket, no program ----

sockets() {
	# shellcheck disable=SC2016
	ns rx awk '$1 == "XDP" || $1 == "PACKET" { n += $3 } END { print n + 0 }' /proc/net/protocols
}
for how in wire:a2 'wire:a2?mode=packet'; do
	none=$(sockets)
	capture xdpcount -i tap:b1 -w "$how" --json
	[ "$(sockets)" -gt "$none" ] || fail "$how: its sockets are not seen"
	ns_bg tx gen txgen -i a1 -n 100003 --rate 20000
	sleep 0.5
	stop cap KILL
	stop gen KILL
	for ((i = 0; i < 100; i++)); do
		[ "$(sockets)" = "$none" ] && break
		sleep 0.05
	done
	[ "$(sockets)" = "$none" ] || fail "$how: sockets stay: $(sockets), and $none before"
	left=$(ns rx bpftool net show 2>/dev/null | grep -E '^[ab][12]\(')
	[ -z "$left" ] || fail "$how: attached still: $left"
done

# ---- somebody has the queue: a packet socket does, and says why ----

ns_bg rx other xdpcount -i xsk:a2 --json
wait_for other.err '^xcap: capturing' || exit 1
packets=$(got packets)
capture xdpcount -i tap:b1 -w wire:a2 --json
grep -q 'wire:a2: packet socket at a2; queue 0 of a2 is held by another AF_XDP socket' cap.err ||
	fail "the way is not said: $(cat cap.err)"
send 211
sleep 0.3
stop cap || fail "$(cat cap.err)"
books 'packets == 211' 'lost == 0'
[ $(($(got packets) - packets)) = 211 ] || fail "not all arrive beside another socket"
refused 'queue 0 of a2 is held' -i tap:b1 -w 'wire:a2?mode=xsk'
stop other

# ---- what it captures it does not send there ----

again='it would be sent again and again'
refused "tap:a2 captures at a2 itself.*$again" -i tap:a2 -w wire:a2
refused "xsk:a2 captures.*$again" -i tap:b1,xsk:a2 -w wire:a2
ns_pair rx:e1 rx:e2 || fail "no pair in one namespace"
refused "tap:e2 captures .* what leaves it comes by: $again" -i tap:e2 -w wire:e1
ip -n rx link add br0 type bridge && ip -n rx link set e2 master br0 && ip -n rx link set br0 up ||
	fail "no bridge"
refused "tap:e2 captures.*$again" -i tap:e2 -w wire:br0
refused "tap:e1 captures.*$again" -i tap:e1 -w wire:br0
capture xcap dump -i tap:e1 -w wire:a2 --duration 5
stop cap || fail "another interface is refused: $(cat cap.err)"

# ---- what is wrong with it ----

refused "there is no interface 'nosuch' here" -i tap:b1 -w wire:nosuch
ip -n rx link set e1 down
refused 'e1 is down: ip link set e1 up' -i tap:b1 -w wire:e1
wrong "wire:a2 has no option 'queue=1'; it knows: mode" -i tap:b1 -w 'wire:a2?queue=1'
wrong 'mode=fast is neither auto nor xsk nor packet' -i tap:b1 -w 'wire:a2?mode=fast'
wrong 'names no interface' -i tap:b1 -w wire:
tun=$(ns rx ip tuntap add t0 mode tun 2>&1) && ip -n rx link set t0 up &&
	refused 't0 is no Ethernet interface' -i tap:b1 -w wire:t0
[ -z "$tun" ] || echo "no tun device here: $tun"

printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\377\377\0\0\1\0\0\0' >one.pcap
printf '\1\0\0\0\0\0\0\0\74\0\0\0\74\0\0\0%060d' 7 >>one.pcap
chmod 644 one.pcap
as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
ns rx "${as_user[@]}" "$B/xcap" dump -r one.pcap -w wire:a2 >out 2>err && fail "anybody may send"
grep -q 'cannot send on a2: .*CAP_NET_RAW' err || fail "the sentence on privilege: $(cat err)"
packets=$(got packets)
ns rx "${as_user[@]}" --inh-caps=+net_raw --ambient-caps=+net_raw \
	"$B/xcap" dump -r one.pcap -w wire:a2 >out 2>err || fail "with CAP_NET_RAW: $(cat err)"
[ $(($(got packets) - packets)) = 1 ] || fail "with CAP_NET_RAW nothing arrives: $(cat err)"
exit 0
