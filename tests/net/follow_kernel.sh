#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# In:   a tree of processes that changes while it is captured twice: by a filter that the kernel
#       helps with, and by one that means the same, and that only the reader judges.
# Out:  whether both have the same records; and the kernel has written hardly any others.
# Owns: its namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

python=$(python3 -c 'import sys; print(sys.executable)')
# Forks all the time, before the captures are open and while they are: chains whose makers end,
# brothers, threads that execute, and what is left to init.
cat >tree.py <<'EOF'
import ctypes, os, signal, sys, threading, time
libc = ctypes.CDLL(None)
guest = sys.argv[1]
def chain(depth):
    if depth and not os.fork():
        chain(depth - 1)
        os.getppid()
        os._exit(0)
def brother():
    if not libc.syscall(56, 0x8000 | signal.SIGCHLD, 0, 0, 0, 0):
        os.getppid()
        os._exit(0)
def execute():
    if not os.fork():
        threading.Thread(target=lambda: os.execv(guest, ["guest", "calls", "3"])).start()
        time.sleep(5)
def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
print("up", flush=True)
n = 0
while not os.path.exists("enough"):
    n += 1
    chain(n % 4)
    brother()
    if n % 8 == 0:
        execute()
    reap()
    time.sleep(0.002)
os.getuid()
EOF
ns_bg "" tree sh -c 'while [ ! -e enough ]; do "$@"; done' sh "$python" tree.py "$(command -v guest)"
wait_for tree.out up || exit 1
ns_bg "" others sh -c 'while :; do guest calls 4001; done'
pid=${NS_PIDS[tree]}
spec='syscalls?only=getppid,clone,clone3,fork,execve,exit_group,getuid'
ns_bg "" helped xcap dump -i "$spec" --json -w helped.pcapng "proc.tree=$pid"
ns_bg "" alone xcap dump -i "$spec" --json -w alone.pcapng "not (not proc.tree=$pid)"
wait_for helped.err '^xcap: capturing' || exit 1
wait_for alone.err '^xcap: capturing' || exit 1
sleep 4
touch enough
finished tree || fail "the tree ended with $?"
sleep 0.5
stop helped || fail "with the kernel: $? $(cat helped.err)"
stop alone || fail "without: $? $(cat alone.err)"
stop others KILL
python3 - <<'EOF' || fail "$(tail -3 helped.err alone.err)"
import collections, json, re, sys
def read(name):
    records, first = [], None
    for line in open(name, encoding="utf-8"):
        r = json.loads(line)
        if r["type"] == "loss":
            sys.exit(f"{name} has lost records")
        records.append((float(r["time"]), r["pid"], r["type"], r.get("name"), r["comm"]))
    return records
both = [read("helped.out"), read("alone.out")]
# who was made before the second capture began is in one of them only
since = max(records[0][0] for records in both) + 0.1
counts = [collections.Counter(r[1:] for r in records if r[0] > since) for records in both]
for key in (counts[0] - counts[1]) | (counts[1] - counts[0]):
    print(key, "with the kernel", counts[0][key], "without", counts[1][key])
pids = {key[0] for key in counts[1]}
print(sum(counts[0].values()), "records of", len(pids), "processes")
seen = [int(re.search(r"seen (\d+) ", open(n, encoding="utf-8").read())[1])
        for n in ("helped.err", "alone.err")]
extra = seen[0] - len(both[0])
print("written for nothing:", extra, "and without the kernel's help", seen[1] - len(both[1]))
# times differ by less than a record's place: one or two at the edge
differ = sum(((counts[0] - counts[1]) + (counts[1] - counts[0])).values())
sys.exit(differ > 2 or len(pids) < 200 or extra > 0 or seen[1] - len(both[1]) < 10000)
EOF
