#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   10 s of packets on two veth pairs, and a syscall storm on every CPU.
# Out:  whether the stream never steps back, and its books close.
# Owns: two namespaces.
# Runs on: root.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
seconds=10

ns_pair tx:veth0 rx:veth0 gro || fail "no veth pair"
ns_pair tx:veth1 rx:veth1 gro || fail "no veth pair"

storm='import os, time
end = time.monotonic() + float(os.environ["SECONDS_LONG"])
while time.monotonic() < end:
    for _ in range(200): os.getppid()
    time.sleep(0.0002)'

ns_bg rx count xdpcount -i 'tap:veth0,tap:veth1?hook=xdp,syscalls' -q --json
wait_for count.err '^xcap: capturing' || exit 1
for ((cpu = 0; cpu < $(nproc); cpu++)); do
	SECONDS_LONG=$seconds ns_bg '' "storm$cpu" taskset -c $cpu python3 -c "$storm"
done
for i in 0 1; do
	ns_bg tx "send$i" txgen -i veth$i -n $((seconds * 20000 + 3)) --rate 20000
done
for i in 0 1; do
	finished send$i 60 || fail "txgen failed: $(cat send$i.err)"
done
for ((cpu = 0; cpu < $(nproc); cpu++)); do
	finished "storm$cpu" 60 || fail "the storm failed: $(cat "storm$cpu.err")"
done
stop count || fail "$(cat count.err)"

n=$((seconds * 20000 + 3))
python3 "$TOP/tests/lib/books.py" count.out 'out_of_order == 0' "s0.seen == $n" \
	"s1.seen == $n" "s0.delivered > 0" "s1.delivered > 0" \
	"syscalls > 100000 * $seconds / 10" || exit 1
echo "late: $(field late <count.out), lost: $(field dropped <count.out) of $(field records <count.out)"
