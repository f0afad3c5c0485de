#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   packets, and processes that end, a prime number of each.
# Out:  whether a probe's records stand between the packets in their order: live, in a file and back,
#       in tshark's list, as tcpdump's frames, in queues, behind filters; and the accounts close.
# Owns: files in its directory.
# Runs on: root; namespaces of its own.
set -eu
. "$(dirname "$0")/../lib/netns.sh"
ns_pair tx:veth0 rx:veth1 net=10.77.0 gro

# 31 times a packet, and a process that ends with 31
work() {
	for _ in {1..31}; do
		ns tx txgen -i veth0 -n 1 >/dev/null
		(exit 31) || true
	done
}
cp /bin/true prober-ends	# a name for a filter
both=tap:veth1,probe:exit

# ---- one stream, written and printed at once ----

ns_bg rx live xcap dump -i $both --json --print -w both.pcapng 'evt.type=packet or proc.name=probe_stream.sh'
# what a shell of this script is called is its own name
ns_bg rx named xcap dump -i probe:exit --json "proc.name=prober-ends"
ns_bg rx frames xcap run tcpdump -i probe:exit -n -v -l --immediate-mode udp src port 16001
ns_bg rx master xcap balance -i $both -c 77 -n 1 -q
wait_for live.err '^xcap: capturing'
wait_for named.err '^xcap: capturing'
wait_for frames.err 'listening on'
wait_for master.err '^xcap: capturing'
ns_bg rx queue xcap dump -i xcap:77@0 --json 'evt.type=probe'
wait_for queue.err '^xcap: capturing'
work
for _ in {1..13}; do ./prober-ends; done
sleep 0.3
stop live INT
stop named INT
stop frames INT
stop queue INT
stop master INT
xcap dump -r both.pcapng --json 2>/dev/null >back.out
tshark -r both.pcapng -T fields -e frame.protocols -e _ws.col.Info >tshark.out 2>tshark.err
tshark -r both.pcapng -X "lua_script:$B/xcap.lua" -T fields -e _ws.col.Info >lua.out 2>>tshark.err

python3 - <<'END'
import json, re

def records(name):
    with open(name, encoding="utf-8") as f:
        return [json.loads(line) for line in f]

def same(what, have, wanted):
    assert have == wanted, f"{what}: {have}, not {wanted}"

live, back = records("live.out"), records("back.out")
same("time", [r["time"] for r in live], sorted(r["time"] for r in live))
packets = [r for r in live if r["type"] == "packet" and r.get("proto") == "udp"]
ends = [r for r in live if r["type"] == "probe" and r["status"] == 31]
same("packets", len(packets), 31)
same("ends", len(ends), 31)
for r in ends:
    assert r["probe"] == "exit" and "signal" not in r and r["age_ns"] > 0 and r["pid"], r
order = "".join("p" if r["type"] == "packet" else "e" for r in live if r in packets or r in ends)
same("one after the other", order, "pe" * 31)

for a, b in zip(live, back):
    for key in ("source",):
        a.pop(key), b.pop(key)
    same("from the file", b, a)
same("from the file", len(back), len(live))

with open("live.err", encoding="utf-8") as f:
    books = re.findall(r"seen (\d+) = delivered (\d+) \+ filtered (\d+) \+ dropped (\d+)$",
                       f.read(), re.M)
same("accounts", len(books), 3)
for seen, *parts in books:
    same("account", int(seen), sum(map(int, parts)))

for name in "tshark.out", "lua.out":
    with open(name, encoding="utf-8") as f:
        listed = [line for line in f if re.search(r"\] \* exit status=31 signal=- ", line)]
    same(name, len(listed), 31)
same("by name", [(r["comm"], r["status"]) for r in records("named.out")], [("prober-ends", 0)] * 13)
with open("frames.out", encoding="utf-8") as f:
    frames = [line for line in f if "* exit status=31 signal=-" in line]
same("tcpdump", len(frames), 31)
queue = records("queue.out")
same("queue", sum(r["status"] == 31 for r in queue), 31)
assert all(r["type"] == "probe" for r in queue)
END
