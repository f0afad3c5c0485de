#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   veth pairs in namespaces: one that is well, then with one fault after the other.
# Out:  whether xcap doctor finds each and no other; whether --fix, --port and --undo, also
#       killed at any call, leave every byte of what ethtool, ip and sysctl show.
# Owns: two namespaces.
# Runs on: root.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
command -v ethtool >/dev/null || skip "no ethtool"
command -v strace >/dev/null || skip "no strace"

export XCAP_STATE_DIR=$PWD/state
cores=$(nproc)
ns_pair tx:veth0 rx:veth0 queues="$((cores < 16 ? cores : 16))" mtu=1500 || fail "no veth pair"
ns rx ethtool -L veth0 rx "$cores" tx "$cores" 2>/dev/null

# shellcheck disable=SC2016 # the inner shell expands
# what ethtool and ip show, as this namespace's own /sys and /proc do
show() {
	ns rx unshare -m sh -c 'mount -t sysfs none /sys
		for option in -k -g -a -l -x; do ethtool $option veth0 2>&1; done
		ip -d link show dev veth0; ip -d addr show dev veth0
		ip -4 route show table all; ip -6 route show table all; ip neigh show nud permanent
		cd /proc/sys/net && grep -r . core ipv4/conf/veth0 ipv6/conf/veth0 2>/dev/null' |
		sed -E 's/(_timer +)[0-9.]+/\1/g'
}

# found [ARG...]: "warn gro" for each of the interface's findings that are not ok
found() {
	ns rx xcap doctor veth0 --json "$@" >findings || fail "exit $?"
	python3 - <<-'END'
		import json
		said = [json.loads(line) for line in open("findings")]
		assert said[-1]["type"] == "summary" and said[-1]["failed"] == 0, said[-1]
		print(*sorted(f'{o["level"]} {o["check"]}' for o in said
		              if o["type"] == "finding" and "iface" in o and o["level"] != "ok"), sep=", ")
	END
}

# a veth has no zero copy, and that is all that is to be said of one that is well
well='note xdp'
offloads='gro off gso off tso off tx off rx off rxvlan off rx-vlan-stag-hw-parse off tx-udp-segmentation off rx-gro-list off'
# shellcheck disable=SC2086
ns rx ethtool -K veth0 $offloads rx-udp-gro-forwarding off >/dev/null || fail "no offloads"
show >healthy
[ "$(found)" = "$well" ] || fail "a veth that is well has $(found)"

# fault FINDINGS COMMAND...: the command makes one fault
fault() {
	local want=$1 now

	shift
	ns rx "$@" >/dev/null || fail "$*: exit $?"
	now=$(found)
	[ "$now" = "$(sed 's/, /\n/g' <<<"$well, $want" | sort | paste -sd, | sed 's/,/, /g')" ] ||
		fail "$*: found $now, not $want"
	echo "$*: $want"
}
fault 'warn gro' ethtool -K veth0 gro on
ns rx ethtool -K veth0 gro off
fault 'warn udp_gro' ethtool -K veth0 rx-udp-gro-forwarding on
ns rx ethtool -K veth0 rx-udp-gro-forwarding off
fault 'warn rx_vlan' ethtool -K veth0 rxvlan on
ns rx ethtool -K veth0 rxvlan off
fault 'warn rx_svlan' ethtool -K veth0 rx-vlan-stag-hw-parse on
ns rx ethtool -K veth0 rx-vlan-stag-hw-parse off
fault 'warn gro_list' ethtool -K veth0 rx-gro-list on
ns rx ethtool -K veth0 rx-gro-list off
fault 'warn gso' ethtool -K veth0 gso on
ns rx ethtool -K veth0 gso off
fault 'note tx_checksum' ethtool -K veth0 tx-checksum-ip-generic on
fault 'note tx_checksum, warn tso' ethtool -K veth0 tso on
ns rx ethtool -K veth0 tso off
fault 'note tx_checksum, warn udp_gso' ethtool -K veth0 tx-udp-segmentation on
ns rx ethtool -K veth0 tx-udp-segmentation off tx off >/dev/null
fault 'note rx_checksum' ethtool -K veth0 rx on
ns rx ethtool -K veth0 rx off
fault 'warn mtu' ip link set veth0 mtu 1280
fault 'note mtu' ip link set veth0 mtu 9000
ip -n rx link set veth0 mtu 1500
[ "$cores" = 1 ] || fault 'note queues' ethtool -L veth0 rx 1 tx 1
[ "$cores" = 1 ] || ns rx ethtool -L veth0 rx "$cores" tx "$cores"
fault 'warn xdp_program' ip link set veth0 xdp obj "$B/tests/xdp_pass.bpf.o" sec xdp
ip -n rx link set veth0 xdp off
ns rx tc qdisc add dev veth0 clsact || fail "no clsact"
fault 'note tc_programs' tc filter add dev veth0 ingress pref 7 bpf da obj "$B/tests/tag_push.bpf.o" sec tc
grep -q 'bpf filter (pref 7)' findings || fail "which filter is not said"
ns rx tc qdisc del dev veth0 clsact
ns rx tc qdisc add dev veth0 ingress || fail "no ingress"
fault 'note tc_programs' tc filter add dev veth0 parent ffff: pref 11 bpf da obj "$B/tests/tag_push.bpf.o" sec tc
[ "$(grep -o 'bpf filter (pref 11)' findings | wc -l)" = 1 ] || fail "one filter is told more than once"
ns rx tc qdisc del dev veth0 ingress
ns_bg rx tcpdump tcpdump -n -i veth0 -w /dev/null
wait_for tcpdump.err 'listening on' || exit 1
fault 'note captures' true
grep -q "tcpdump\[${NS_PIDS[tcpdump]}\]" findings || fail "tcpdump is not named"
stop tcpdump TERM
ns_bg rx count xdpcount -i tap:veth0 -q
wait_for count.err '^xcap: capturing' || exit 1
now=$(found)
grep -q "xcap count\[${NS_PIDS[count]}\]\|xdpcount\[${NS_PIDS[count]}\]" findings ||
	fail "a capture of ours is not named: $now"
stop count
# what stands by a link no ip link takes off: the command that is printed does
if command -v bpftool >/dev/null; then
	ns_bg rx count xdpcount -i 'tap:veth0?hook=xdp' -q
	wait_for count.err '^xcap: capturing' || exit 1
	found >/dev/null
	python3 -c 'import json
for o in map(json.loads, open("findings")):
    if o.get("check") == "xdp_program": print(o["command"])' >detach
	ns rx sh -e detach || fail "$(cat detach): exit $?"
	ip -n rx -d link show dev veth0 | grep -q prog/xdp && fail "it is still there after $(cat detach)"
	stop count
fi
show >after
diff healthy after || fail "the faults are not all gone"

# ---- changed and given back ----

ns rx ethtool -K veth0 gro on gso on tx on tso on rx on rxvlan on tx-udp-segmentation on >/dev/null
ns rx sh -c 'cd /proc/sys/net/ipv6/conf/veth0 && echo 0 >accept_dad && echo 0 >disable_ipv6'
ip -n rx addr add 10.77.0.2/24 dev veth0
ip -n rx addr add 10.77.0.7/24 dev veth0 label veth0:b
ip -n rx addr add 10.78.0.2/16 brd + dev veth0
ip -n rx addr add fd77::2/64 dev veth0 nodad
ip -n rx addr add fd77::7/64 dev veth0 nodad preferred_lft 0
ip -n rx route add 10.80.0.0/16 dev veth0 src 10.77.0.7 metric 7
ip -n rx route add 10.79.0.0/16 via 10.80.0.1 dev veth0
ip -n rx -6 route add fd79::/48 via fd77::9
ip -n rx route add 10.83.0.0/16 nexthop via 10.77.0.3 weight 2 nexthop via 10.77.0.5 weight 3
ip -n rx -6 route add fd83::/48 nexthop via fd77::3 dev veth0 nexthop via fd77::5 dev veth0
ip -n rx nexthop add id 89 via 10.77.0.8 dev veth0
ip -n rx route add 10.84.0.0/16 nhid 89
ip -n rx neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev veth0 nud permanent
# the commands that are printed, as somebody types them
ns rx ethtool -L veth0 rx 1 tx 1
ns rx xcap doctor veth0 --json >findings
python3 -c 'import json
for line in open("findings"):
    o = json.loads(line)
    if "iface" in o and "command" in o: print(o["command"])' >commands
ns rx sh -e commands >/dev/null || fail "a command that was printed: exit $?"
[ "$(found)" = "$well" ] || fail "after all that is printed was done: $(found)"
ns rx ethtool -K veth0 gro on gso on tx on tso on rx on rxvlan on tx-udp-segmentation on >/dev/null

settled() {
	local i

	for ((i = 0; i < 100; i++)); do
		[ "$(ip -n rx -6 addr show dev veth0 tentative)" ] || return
		sleep 0.05
	done
}
settled
show >before

# given_back WHAT: all of it, and nothing is remembered
given_back() {
	ns rx xcap doctor --undo >undo.out || fail "$1: --undo: exit $?, $(cat undo.out)"
	settled
	show >after
	diff before after || fail "$1: not as it was"
	[ ! -e state/doctor ] || fail "$1: something is still remembered"
}
faults=$(found)
fixed=$(found --fix)
[ "$faults" = "$fixed" ] || fail "--fix finds $fixed, without it $faults"
[ "$(found)" = "$well" ] || fail "--fix leaves $(found)"
cp state/doctor once
found --fix >/dev/null
cmp once state/doctor || fail "a second --fix overwrote what was"
ns tx xcap doctor --undo | grep -q '^nothing is remembered' || fail "another namespace's was given back"
cmp once state/doctor || fail "another namespace forgot it"
given_back "--fix"

ns rx xcap doctor veth0 --port || fail "--port: exit $?"
[ -z "$(ip -n rx -br addr show dev veth0 | awk '{ print $3 }')" ] || fail "--port leaves addresses"
[ -z "$(ip -n rx route)$(ip -n rx -6 route show dev veth0)" ] || fail "--port leaves routes"
flags=$(ip -n rx link show dev veth0)
[[ $flags = *NOARP* && $flags = *PROMISC* && $flags = *,UP* ]] || fail "--port: $flags"
given_back "--port"

# killed at a call: every change is an ioctl or a message, and each is remembered before
killed=0
for call in ioctl sendto renameat; do
	for ((n = 1; ; n++)); do
		(ns rx strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
			xcap doctor veth0 --port; exit $?) >/dev/null 2>&1 && break
		killed=$((killed + 1))
		[ $call != ioctl ] || n=$((n + 12))
		ns rx xcap doctor --undo >/dev/null || fail "killed at $call $n: --undo: exit $?"
	done
	given_back "killed at each $call"
done
[ $killed -gt 20 ] || fail "killed only $killed times"
echo "$killed times killed"

# ---- refused ----

# refuses WHY [COMMAND...]: --port, by that command, and nothing is changed
refuses() {
	show >before
	ns rx "${@:2}" xcap doctor veth0 --port 2>err && fail "--port where $1"
	grep -q "$1" err || fail "$1: $(cat err)"
	show >after
	diff before after || fail "$1: refused, and something was changed"
}
ip -n rx route add default via 10.77.0.1
refuses 'the default route goes by veth0'
ip -n rx route del default
# not told of the routes, or not of all of them
refuses 'perhaps the default route goes by veth0' strace -qq -o /dev/null -e trace=recvmsg \
	-e inject=recvmsg:error=ENOBUFS:when=1
ip -n rx route add default via 10.77.0.1
refuses 'the default route goes by veth0' strace -qq -o /dev/null -e trace=recvmsg \
	-e inject=recvmsg:error=EINTR:when=1
ip -n rx route del default
SSH_CONNECTION='10.77.0.1 51122 10.77.0.2 22' refuses 'your ssh connection goes by veth0'
ip -n rx link add br0 type bridge
ip -n rx link set veth0 master br0
refuses 'part of a bridge'
ip -n rx link set br0 up
ip -n rx addr add 10.81.0.2/24 dev br0
ip -n rx route add default via 10.81.0.1
refuses 'the default route, by br0, goes by veth0'
ip -n rx link del br0

# names that an interface can have: that of nothing in the file, and one that breaks lines
for name in - $'a\001b'; do
	ip -n rx link set veth0 down
	ip -n rx link set veth0 name "$name" && ip -n rx link set "$name" up || fail "no such name"
	ns rx ethtool -K "$name" gro on >/dev/null
	ns rx xcap doctor "$name" --json >findings || fail "exit $?"
	grep '"iface"' findings | grep '"command"' && fail "a command with such a name"
	ns rx xcap doctor "$name" --fix >/dev/null || fail "--fix $name: exit $?"
	ns rx ethtool -k "$name" | grep -q '^generic-receive-offload: off' || fail "--fix: not off"
	ns rx xcap doctor "$name" --undo >undo.out || fail "--undo $name: $(cat -v undo.out)"
	ns rx ethtool -k "$name" | grep -q '^generic-receive-offload: on' || fail "--undo: not on"
	ip -n rx link set "$name" down
	ip -n rx link set "$name" name veth0
	ip -n rx link set veth0 up
done

# by another name, as --fix takes it; and by one that it has got meanwhile
ip -n rx link property add dev veth0 altname other0 || fail "no other name"
ns rx ethtool -K veth0 gro on >/dev/null
ns rx xcap doctor other0 --fix >/dev/null || fail "--fix by another name: exit $?"
ns rx xcap doctor other0 --undo | grep -q 'given back *veth0 feature rx-gro' || fail "--undo by another name"
[ ! -e state/doctor ] || fail "by another name: something is still remembered"
ns rx xcap doctor veth0 --fix >/dev/null || fail "--fix: exit $?"
ip -n rx link set veth0 down
ip -n rx link set veth0 name veth7 || fail "no new name"
ns rx xcap doctor veth7 --undo >undo.out && fail "a new name: $(cat undo.out)"
grep -q 'it stays' undo.out || fail "a new name: $(cat undo.out)"
ip -n rx link set veth7 name veth0 && ip -n rx link set veth0 up
ns rx xcap doctor veth0 --undo >/dev/null || fail "the old name: exit $?"

# the interface goes, and what was remembered of it
ns rx xcap doctor veth0 --port >/dev/null || fail "--port: exit $?"
ip -n rx link del veth0
ns rx xcap doctor --undo | grep -q 'the interface is gone' || fail "it is not said that it is gone"
[ ! -e state/doctor ] || fail "an interface that is gone is still remembered"
exit 0
