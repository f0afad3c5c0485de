#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   clusters under traffic, readers that come, go and are killed at any moment; CHAOS_SECONDS
#       of it (20), CHAOS_SEED (the time).
# Out:  whether the master goes on, its books and frames come out even whoever dies, and a reader
#       that stays misses nothing but what its queue says.
# Owns: two namespaces.
# Runs on: root.
# timeout: 400
. "$(dirname "$0")/../lib/netns.sh"
seconds=${CHAOS_SECONDS:-20}
seed=${CHAOS_SEED:-$(date +%s)}
echo "CHAOS_SEED=$seed CHAOS_SECONDS=$seconds"

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
ns_pair tx:veth1 rx:veth1 || fail "no veth pair"

# storm: somebody who calls, and starts others
storm='import os, subprocess, time
while True:
    for _ in range(200): os.getppid()
    subprocess.run(["/bin/true", "x" * 3000])
    time.sleep(0.002)'

# round LABEL PYTHON-ARGUMENT...: one master, and chaos among its readers
round() {
	local name=$1 code

	shift
	rm -f sent.out
	ns_bg rx master xcap balance -c 7 -i 'xsk:veth0,tap:veth1,syscalls' "${@:2}" -q --json
	wait_for master.err '^xcap: capturing' || exit 1
	ns_bg '' storm python3 -c "$storm"
	ns_bg tx other txgen -i veth1 -n 100000000 --rate 5000 --from 198.18.1.1
	# what was lost last is told by what comes behind it
	# shellcheck disable=SC2016
	ns_bg tx send sh -c 'txgen -i veth0 -n "$1" --rate 60000; sleep 1
		txgen -i veth0 -n 10 --rate 10 --from 198.18.0.9' sh $((seconds * 30000 + 1))
	python3 "$TOP/tests/lib/queue_chaos.py" "${NS_PIDS[master]}" "${NS_PIDS[send]}" 7 \
		"$seed" $((seconds / 2)) "$1"
	code=$?
	finished send 120 || fail "txgen: $(cat send.err)"
	stop other
	stop storm KILL
	stop master || fail "$name: the master: $(cat master.err)"
	[ $code = 0 ] || fail "$name: see above; CHAOS_SEED=$seed"
	python3 "$TOP/tests/lib/books.py" master.out || exit 1
	echo "$name: $(field records <master.out) records read"
}

round balanced '{"honest": 4, "chaos": [0, 1, 2, 3, 5], "next": [3, 5], "end": 6}' \
	-n 4,1 -m "${CHAOS_MODES:-flow,fanout}" --more 1
round shared '{"honest": 0, "chaos": [1, 2, 3, 4, 5], "next": [5, 6], "end": 7}' \
	-n 3,1,2 -m "fanout,fifo,${CHAOS_LAST:-pid}" --more 1 --slots 1024
exit 0
