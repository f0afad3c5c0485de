#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a file of packets and calls, live calls and packets, spread over queues.
# Out:  whether readers get what the capture itself would show, byte for byte and name for name;
#       whether all calls of a process come to one queue, in order, with its packets; whether a
#       filter is replaced without losing a record; who is refused; what a killed master leaves.
# Owns: two namespaces, its processes.
# Runs on: root.
# timeout: 180
. "$(dirname "$0")/../lib/netns.sh"

export XCAP_RUN_DIR=$PWD/run
ns_pair tx:a1 rx:b1 gro || fail "no veth pair"

# bg LABEL COMMAND...: until it captures
bg() {
	ns_bg rx "$@"
	wait_for "$1.err" '^xcap: (capturing|reading)' || exit 1
}

# ---- the same as without queues ----

ns rx xcap dump -i syscalls,tap:lo -w some.pcapng -- sh -c 'for i in 1 2 3; do ls -l / | head -n 3; done
	python3 -c "
import socket
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2))
a.bind((\"127.0.0.1\", 0))
for i in range(53):
    b.sendto(b\"hello\", a.getsockname())
"' >/dev/null 2>some.err || fail "no recording: $(cat some.err)"
xcap dump -r some.pcapng --json >direct.json 2>/dev/null

# from a pipe, which begins to flow when the readers are there: 100 bytes tell what it is
mkfifo pipe
xcap balance -i - -c 7 -n 1,3 -m fifo,pid --json <pipe >file.out 2>file.err &
NS_PIDS[file]=$!
exec 9>pipe
head -c 100 some.pcapng >&9
wait_for file.err '^xcap: reading' || exit 1
for q in 0 1 2 3; do
	bg "r$q" xcap dump -i "xcap:7@$q" --json 9>&-
done
tail -c +101 some.pcapng >&9
exec 9>&-
for label in r0 r1 r2 r3 file; do
	finished $label || fail "$label: $(cat $label.err)"
done
python3 - <<'END' || exit 1
import json, sys
read = lambda f: [json.loads(l) for l in open(f)]
direct, fifo, parts = read("direct.json"), read("r0.out"), [read(f"r{q}.out") for q in (1, 2, 3)]
for r in direct + fifo + sum(parts, []):
    r.pop("source", None)
for a, b in zip(direct, fifo):
    if a != b:
        sys.exit(f"differ:\n{a}\n{b}")
if len(direct) != len(fifo) or len(direct) < 1000 or not any(r["type"] == "packet" for r in direct):
    sys.exit(f"{len(direct)} records, {len(fifo)} by a queue")
if sum(map(len, parts)) != len(direct):
    sys.exit(f"{len(direct)} records, {[len(p) for p in parts]} in three queues")
homes = {}
for q, part in enumerate(parts):
    for r in part:
        homes.setdefault(r.get("pid"), set()).add(q)
    if [r["time"] for r in part] != sorted(r["time"] for r in part):
        sys.exit(f"queue {q + 1} is not in order")
astray = {p: h for p, h in homes.items() if p and len(h) > 1}
if astray or len(homes) < 5:
    sys.exit(f"{len(homes)} processes, in more than one queue: {astray}")
print(f"{len(direct)} records, the same by a queue; {len(homes)} processes in {[len(p) for p in parts]}")
END

# ---- filters change, and nothing is lost ----

bg master xcap balance -i tap:b1 -c 9 -n 1,1 -m fifo -q --json
bg all xcap count -i xcap:9@0 -q --json
bg some xcap count -i xcap:9@1 -q --json
ns_bg tx send txgen -i a1 -n 40009 --rate 20000
for i in 1 2 3 4 5 6; do
	sleep 0.15
	ns rx xcap balance -c 9 --queue-filter "1:ether[12:2] = $((i % 2 ? 0x88b5 : 7))" ||
		fail "filter $i is refused"
	ns rx xcap balance -c 9 --stats --json | grep -q '"filter":"ether' || fail "no filter $i"
done
ns rx xcap balance -c 9 --queue-filter '1:tcp porx' 2>wrong.err && fail "a wrong filter is taken"
grep -q 'tcp porx' wrong.err || fail "$(cat wrong.err)"
ns rx xcap balance -c 9 --queue-filter '2:tcp' 2>wrong.err && fail "there is no queue 2"
finished send || fail "$(cat send.err)"
sleep 0.5
stop master || fail "the master: $(cat master.err)"
for label in all some; do
	finished $label || fail "$label: $(cat $label.err)"
done
python3 "$TOP/tests/lib/books.py" all.out 'seen >= 40009' 'delivered + lost == seen' || exit 1
python3 "$TOP/tests/lib/books.py" some.out 'seen >= 40009' 'filtered > 1000' 'delivered > 1000' || exit 1
[ "$(python3 -c 'import json; print(*(json.load(open(f))["sources"][0]["seen"] for f in ("all.out", "some.out")))' |
	tr ' ' '\n' | uniq | wc -l)" = 1 ] || fail "two queues were offered different numbers: $(cat all.out some.out)"

# ---- a reader that stops for a while is told what it missed, though nothing comes after it ----

bg master xcap balance -i tap:b1 -c 9 --slots 64 -q --json
bg slow xcap dump -i xcap:9@0 --json
kill -STOP "${NS_PIDS[slow]}"
ns tx txgen -i a1 -n 1009 --rate 20000 >/dev/null || fail "txgen"
kill -CONT "${NS_PIDS[slow]}"
wait_for slow.out '"type":"loss"'
sleep 0.5
ns rx xcap balance -c 9 --stats --json >status.json
python3 - <<'END' || exit 1
import json, sys
q = json.load(open("status.json"))["queues"][0]
told = sum(r["lost"] for r in map(json.loads, open("slow.out")) if r["type"] == "loss")
print(f"{q['dropped']} dropped, {told} told")
sys.exit(q["dropped"] < 900 or q["dropped"] != told)
END
stop slow || fail "$(cat slow.err)"
stop master || fail "$(cat master.err)"

# ---- a service's packets and calls, by what is installed ----

bg both xcap balance -i 'syscalls?switches=off,tap:lo' -c 9 -n 4 -m pid -q --json
for q in 0 1 2 3; do
	bg "p$q" xcap dump -i "xcap:9@$q" --json
done
ns rx python3 -c '
import os, socket
print(os.getpid())
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2))
a.bind(("127.0.0.1", 0))
for i in range(101):
    b.sendto(b"hello", a.getsockname())
' >pid
sleep 0.5
stop both || fail "$(cat both.err)"
for q in 0 1 2 3; do
	finished "p$q" || fail "$(cat "p$q.err")"
done
python3 - "$(cat pid)" <<'END' || exit 1
import json, sys
pid, found = int(sys.argv[1]), {}
for q in range(4):
    for r in map(json.loads, open(f"p{q}.out")):
        if r.get("pid") == pid:
            found.setdefault(q, []).append(r)
kinds = [(r["type"], r.get("name")) for r in sum(found.values(), [])]
packets = sum(k == "packet" for k, n in kinds)
calls = sum(k == "sys_enter" and n == "sendto" for k, n in kinds)
print(f"process {pid}: {packets} packets, {calls} calls of sendto, in queues {list(found)}")
sys.exit(len(found) != 1 or packets != 101 or calls != 101)
END

# ---- who is refused, and what a killed master leaves ----

ns rx xcap count -i xcap:9@0 2>none.err && fail "a cluster without a master is read"
grep -q 'cluster 9 has no master; start one' none.err || fail "$(cat none.err)"
bg master xcap balance -i tap:b1 -c 9 -q --json
ns rx xcap balance -i tap:b1 -c 9 2>second.err && fail "a second master"
grep -q 'cluster 9 has a master' second.err || fail "$(cat second.err)"
bg reader xcap count -i xcap:9@auto -q
ns rx xcap count -i xcap:9@0 2>taken.err && fail "a second reader"
grep -q "is read by process" taken.err || fail "$(cat taken.err)"
stop master KILL
finished reader && fail "the master was killed, and the reader says nothing"
grep -q 'the master of xcap:9@0 is gone' reader.err || fail "$(cat reader.err)"
bg master xcap balance -i tap:b1 -c 9 -q --json
stop master || fail "a master after a killed one: $(cat master.err)"
exit 0
