#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   masters that are killed while a reader polls; readers that stand still while a file is read.
# Out:  whether who polls hears of the end, and nobody waits for who stands still.
# Owns: its processes.
# Runs on: root.
# timeout: 120
. "$(dirname "$0")/../lib/netns.sh"
export XCAP_RUN_DIR=$PWD/run

# ---- the master is killed: who polls looked at the queue a moment ago, and is woken once ----

ns_pair tx:a1 rx:b1 gro || fail "no veth pair"
ns_bg tx send txgen -i a1 -n 100000000 --rate 700
for i in 1 2 3 4 5; do
	ns_bg rx master xcap balance -c 9 -i tap:b1
	wait_for master.err '^xcap: capturing' || exit 1
	ns_bg '' poller queue_poll xcap:9@0
	wait_for poller.err '^reading' || exit 1
	sleep 0.2
	stop master KILL
	finished poller 20 || fail "a reader that polls, $i: $(cat poller.err)"
	grep -q '^[1-9].*is gone' poller.out || fail "what it says at the end: $(cat poller.out)"
done
stop send

# ---- a file waits for a reader, but not for ever, and not for each record ----

python3 - <<'END'
import struct
open("head", "wb").write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
with open("body", "wb") as f:
    for i in range(1009):
        f.write(struct.pack("<IIII", 1000 + i, 0, 60, 60) + bytes(60))
END
mkfifo fifo
ns_bg '' master xcap balance -c 9 -i file:fifo -n 1,1 --slots 64 --json
exec 3>fifo
cat head >&3
wait_for master.err '^xcap: (reading|capturing)' || exit 1
ns_bg '' still queue_reader xcap:9@0 3>&-
wait_for still.err reading || exit 1
ns_bg '' comes_on queue_reader -d 1000 xcap:9@1 3>&-
wait_for comes_on.err reading || exit 1
kill -STOP "${NS_PIDS[still]}"
cat body >&3
exec 3>&-
finished master 20 || fail "the master waits for a reader that stands still"
finished comes_on 20 || fail "$(cat comes_on.err)"
[ "$(field delivered <comes_on.out)" = 1009 ] || fail "who comes on misses some: $(cat comes_on.out)"
kill -CONT "${NS_PIDS[still]}"
finished still 20 || fail "$(cat still.err)"
[ "$(field delivered <still.out)" -gt 20 ] || fail "who stood still: $(cat still.out)"
python3 "$TOP/tests/lib/books.py" master.out || exit 1
exit 0
