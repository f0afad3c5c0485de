#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   three processes that make the same calls and sleep between them.
# Out:  whether without= leaves out two of them, their switches too, and nobody else.
# Owns: its processes.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || skip "needs the initial pid namespace"

for who in one two three; do
	ns_bg "" $who python3 -c '
import os, random, time
while True:
    os.getppid()
    time.sleep(random.uniform(0.001, 0.004))'
done
one=${NS_PIDS[one]} two=${NS_PIDS[two]} three=${NS_PIDS[three]}

# They sleep unevenly: in step, they would mostly switch to one another, which is left out.
# seen PID: its calls and the switches to and from it in out
seen() {
	python3 - "$1" <<-'END'
		import json, sys
		pid = int(sys.argv[1])
		records = [json.loads(line) for line in open("out")]
		print(sum(r["type"] != "switch" and r.get("pid") == pid for r in records),
		      sum(r["type"] == "switch" and pid in (r.get("pid"), r["next_pid"]) for r in records))
	END
}

xcap dump -i "syscalls?only=getppid,switch&without=$one,$two" --json --duration 1s >out 2>err ||
	fail "$(cat err)"
grep -q "this process is left out, and so are $one,$two" err || fail "not said: $(cat err)"
[ "$(seen "$one") $(seen "$two")" = "0 0 0 0" ] || fail "seen: $(seen "$one"), $(seen "$two")"
read -r calls switches <<<"$(seen "$three")"
[ "$calls" -gt 20 ] && [ "$switches" -gt 100 ] || fail "of the third only $calls calls, $switches switches"
awk '/not accounted for/ { bad = 1 } END { exit bad }' err || fail "$(cat err)"

# without it all three are there
xcap dump -i "syscalls?only=getppid,switch" --json --duration 1s >out 2>err || fail "$(cat err)"
for pid in "$one" "$two" "$three"; do
	read -r calls switches <<<"$(seen "$pid")"
	[ "$calls" -gt 20 ] && [ "$switches" -gt 200 ] || fail "of $pid only $calls calls, $switches switches"
done
