#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   tcpdump -l at the interface of xcap iface, writing a line for each call it is shown:
#       its own calls would make it write for ever.
# Out:  whether they stop being shown, also those of tcpdump -i any, and others' do not.
# Owns: a namespace, its processes.
# Runs on: root; TUN; the initial pid namespace.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || skip "needs the initial pid namespace"
ns_new rx

# A process that waits to make COUNT calls, and a reader of what these two do and nobody else:
# calls COUNT; reader INTERFACE OFFSET: where the link-layer header has the thread
calls() {
	ns_bg "" guest sh -c "kill -STOP \$\$; exec guest calls $1"
	for ((i = 0; i < 200; i++)); do
		grep -q '^State:.*T' "/proc/${NS_PIDS[guest]}/status" && return
		sleep 0.02
	done
	fail "no process to make calls"
}
reader() {
	# shellcheck disable=SC2016
	ns_bg rx reader sh -c 'exec tcpdump -l -n -tt -v -i $0 "link[$1:4] = $2 or link[$1:4] = $$"' \
		"$1" "$2" "${NS_PIDS[guest]}"
	wait_for reader.err listening || exit 1
}
# go COUNT: they are made, and the reader has seen them all
go() {
	local task

	task="guest[${NS_PIDS[guest]}]"
	kill -CONT "${NS_PIDS[guest]}"
	finished guest
	for ((i = 0; i < 400; i++)); do
		[ "$(grep -cF "Msg: $task" reader.out)" -ge $((2 * $1)) ] && return
		sleep 0.05
	done
	fail "others' calls are not shown: $(grep -cF "Msg: $task" reader.out) of $((2 * $1))"
}

# By the times of the frames, not of their reading: the reader's own end within a second, and
# from then on there are only others'.
cat >judge.py <<'END'
import re, sys
own, others, now = [], [], 0.0
for line in open(sys.argv[1], errors="replace"):
    if (head := re.match(r"(\d+\.\d+) ", line)):
        now = float(head[1])
    elif line.startswith(f"\tMsg: tcpdump[{sys.argv[2]}]"):
        own.append(now)
    elif line.startswith(f"\tMsg: guest[{sys.argv[3]}]"):
        others.append(now)
# none at all: it was found out before it had written a line
span = own[-1] - own[0] if own else 0
if span > 1 or (own and own[-1] > others[0]):
    sys.exit(f"its own calls are shown for {span:.3f} s: {len(own)} of them")
print(f"{len(own)} of its own in {span * 1000:.0f} ms, then none")
END

# every call of the host: whatever the reader does, it would come back
ns_bg rx iface xcap iface syscalls --json
wait_for iface.err '^xcap: showing' || exit 1
for how in "syscalls 8" "any 14"; do
	calls 1009
	guest=${NS_PIDS[guest]}
	# shellcheck disable=SC2086
	reader $how
	pid=${NS_PIDS[reader]}
	sleep 1.5
	go 1009
	stop reader
	python3 judge.py reader.out "$pid" "$guest" || fail "tcpdump -i $how"
done
stop iface || fail "$(cat iface.err)"
# what was left out was seen, and is in the books
python3 "$TOP/tests/lib/books.py" iface.out 's0.filtered > 1000' || exit 1
grep -q 'what its readers do is left out' iface.err || fail "not said"

# readers that come and go take nobody else along; ?self=on would be the shortest loop of all
ns_bg rx iface xcap iface 'syscalls?self=on&only=write,getppid' --json
wait_for iface.err '^xcap: showing' || exit 1
calls 211
reader syscalls 8
sleep 0.5
stop reader
reader syscalls 8
go 211
# shellcheck disable=SC2016
ns_bg rx self tcpdump -l -n -v -i syscalls "link[8:4] = ${NS_PIDS[iface]}"
wait_for self.err listening || exit 1
sleep 1
stop reader
stop self
stop iface || fail "$(cat iface.err)"
! grep -q Msg self.out || fail "with self=on it shows what it writes: $(head -n 2 self.out)"
python3 "$TOP/tests/lib/books.py" iface.out 's0.filtered > 100' || exit 1
