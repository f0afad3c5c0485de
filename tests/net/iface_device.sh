#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the interface of xcap iface set down and up, deleted, killed with its maker, and names
#       that are no good.
# Out:  whether what it did not take is counted and told, the books close, and nothing stays.
# Owns: two namespaces, its processes.
# Runs on: root; TUN.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"

start() {
	ns_bg rx iface xcap iface 'syscalls?only=getppid' --json --strict "$@"
	wait_for iface.err '^xcap: showing' || exit 1
}
books() {
	python3 "$TOP/tests/lib/books.py" iface.out "$@" || exit 1
}
# gone NAME: within two seconds
gone() {
	for ((i = 0; i < 40; i++)); do
		ns rx ip link show dev "$1" >/dev/null 2>&1 || return 0
		sleep 0.05
	done
	return 1
}

# ---- what it is like ----

start
grep -q '^CapEff:[[:space:]]*0*$' "/proc/${NS_PIDS[iface]}/status" || fail "runs with capabilities"
ip -n rx -d link show dev syscalls >about || fail "no interface"
grep -q 'NOARP' about && grep -q 'LOWER_UP' about && grep -q 'persist off' about || fail "$(cat about)"
[ -z "$(ip -n rx -o addr show dev syscalls)" ] || fail "it has $(ip -n rx -o addr show dev syscalls)"
# else libpcap makes places of 64 KiB in its rings, and 2 MiB hold 32 frames instead of 1310
ns rx ethtool -k syscalls | grep -E '^generic-(receive|segmentation)-offload: on' &&
	fail "readers would take it for one that joins frames"
ns rx xcap list >listed
grep -A1 '^syscalls  *tun' listed | grep -q 'it shows system calls to programs made for packets' ||
	fail "xcap list does not say what it is: $(cat listed)"
ns rx xcap list --json | grep -q '"name":"syscalls".*"spec":"tap:syscalls"' ||
	fail "its plain name would take frames from its readers"

# ---- set down, and up again: counted, told in the stream, and it goes on ----

ns_bg rx calls static_sniffer syscalls all 'guest[' 614 30
ns_bg rx losses static_sniffer syscalls all 'lost (refused)' 1 30
wait_for calls.err listening && wait_for losses.err listening || exit 1
guest calls 101 >/dev/null
wait_for calls.out . || exit 1
ip -n rx link set syscalls down
guest calls 503 >/dev/null
sleep 0.3
kill -0 "${NS_PIDS[iface]}" || fail "set down, it ends: $(cat iface.err)"
ip -n rx link set syscalls up
guest calls 206 >/dev/null
finished calls 30 || fail "up again, it shows $(wc -l <calls.out) of 614 calls"
finished losses 30 || fail "the loss is not told"
stop iface
[ $? = 3 ] || fail "--strict does not end with 3: $(cat iface.err)"
books 'refused >= 1006' 'lost == refused' 'syscalls >= 614' 's0.filtered >= 0'
told=$(sed -n 's/^<4>--- \([0-9]*\) lost (refused)$/\1/p' losses.out)
books "refused == $told"
gone syscalls || fail "the interface stays"

# ---- killed, it leaves nothing ----

for i in 1 2 3; do
	start --name "dies$i"
	stop iface KILL
	gone "dies$i" || fail "killed, it leaves its interface"
done
ns rx ip -o link | grep -qE 'dies|syscalls' && fail "left: $(ns rx ip -o link)"

# ---- moved to another network namespace, as to a container: read there ----

start --name moves
ip -n rx link set moves netns tx && ip -n tx link set moves up || fail "cannot be moved"
ns_bg tx calls static_sniffer moves all 'guest[' 202 30
wait_for calls.err listening || exit 1
guest calls 101 >/dev/null
finished calls 30 || fail "moved, it shows $(wc -l <calls.out) of 202 calls"
stop iface
books
ns tx ip link show dev moves >/dev/null 2>&1 && fail "moved, it stays"

# ---- deleted by somebody ----

start
ip -n rx link del syscalls || fail "cannot be deleted"
guest calls 101 >/dev/null
finished iface 20
[ $? = 1 ] || fail "deleted, it goes on"
grep -q 'somebody deleted the interface syscalls' iface.err || fail "no sentence: $(cat iface.err)"
books

# ---- names that are no good, and who may not ----

refused() {
	local what=$1 sentence=$2

	shift 2
	ns rx "$@" >out 2>err && fail "$what: taken"
	grep -q "$sentence" err || fail "$what: $(cat err)"
	[ "$(wc -l <err)" = 1 ] || fail "$what: more than a sentence: $(cat err)"
}
refused "a name in use" "there is an interface 'veth0' already; choose another" \
	xcap iface syscalls --name veth0
ip -n rx link property add dev veth0 altname other
refused "an altname in use" "there is an interface 'other' already" xcap iface syscalls --name other
for name in a/b a:b 'a b' a%d .. 0123456789abcdef; do
	refused "'$name'" 'is no name for an interface' xcap iface syscalls --name "$name"
done
refused "no name" 'is no name for an interface' xcap iface syscalls --name ''
refused "a user without privilege" 'run as root' \
	setpriv --reuid 65534 --regid 65534 --clear-groups "$B/xcap" iface syscalls
ns_up rx veth0 || fail "a refused name harmed the interface that has it"
exit 0
