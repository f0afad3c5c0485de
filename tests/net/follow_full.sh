#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a process that is followed, which makes others when the kernel's map of who is followed has
#       no room for them; and others that make the same calls.
# Out:  whether all their calls are shown and nobody else's, though the kernel tells those of all.
# Owns: its namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_bg "" tree sh -c 'until [ -e go ]; do sleep 0.1; done
	for i in 1 2 3 4 5 6 7; do sh -c "guest calls 101; guest calls 101" & done; wait'
pid=${NS_PIDS[tree]}
ns_bg "" capture xcap dump --json -i 'syscalls?only=getppid' -p "$pid"
wait_for capture.err '^xcap: capturing' || exit 1
ns_bg "" before guest calls 1009
finished before || fail "nobody makes calls"
filled=$(tree_fill "$pid") || fail "the map cannot be filled"
touch go
ns_bg "" others sh -c 'until [ -e enough ]; do guest calls 1009; done'
finished tree || fail "the tree ended with $?"
touch enough
finished others
finished capture || fail "exit $?: $(cat capture.err)"
python3 - <<'END' || fail "$(tail -3 capture.err)"
import json, re, sys
calls = [r for r in map(json.loads, open("capture.out")) if r["type"] == "sys_enter"]
makers = {}
for r in calls:
    makers[r["pid"]] = makers.get(r["pid"], 0) + 1
seen = re.search(r"seen (\d+) = delivered (\d+) \+ filtered (\d+) ", open("capture.err").read())
print(len(calls), "calls of", len(makers), "processes, and", seen[3], "of others were told")
sys.exit(sorted(n for n in makers.values() if n > 50) != [101] * 14 or int(seen[3]) < 2000)
END
echo "$filled places filled"
