#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   tests/data/frames.hex, and a capture of packets and system calls.
# Out:  their JSON lines, as dump_json.sh.stdout.exact has them; each is parsed.
# Owns: files in its directory.
# Runs on: anything.
set -u

"$TOP/tests/lib/frames.py" "$TOP/tests/data/frames.hex" >frames.pcap
cp "$TOP/tests/data/mixed.pcapng" .

xcap dump --json -r frames.pcap >frames.json 2>err || { cat err; exit 1; }
xcap dump --json -r mixed.pcapng >mixed.json 2>err || { cat err; exit 1; }
xcap count --json -i file:mixed.pcapng,file:frames.pcap -f 'tcp' 2>err >count.json || { cat err; exit 1; }

python3 - <<'END' || exit 1
import json

def lines(name):
    with open(name, encoding="utf-8") as f:
        return [json.loads(line) for line in f]

both = lines("frames.json") + lines("mixed.json")
for r in both:
    seconds, nanoseconds = r["time"].split(".")
    assert seconds.isdigit() and len(nanoseconds) == 9, r
    assert r["type"] in ("packet", "sys_enter", "sys_exit", "switch", "loss"), r
    if r["type"] == "packet":
        assert {"len", "caplen"} <= r.keys(), r
    if r["type"] == "sys_enter":
        assert isinstance(r["args"], dict) and r["name"], r
    if r["type"] == "sys_exit":
        assert (r["ret"] < 0) == ("errno" in r), r
assert len(lines("frames.json")) == 32 and len(lines("mixed.json")) == 31

total, = lines("count.json")
assert list(total) == ["records", "packets", "syscalls", "switches", "probes", "bytes", "losses",
                       "filtered", "dropped", "late", "out_of_order", "names_lost",
                       "seconds", "sources"]
assert total["records"] == total["packets"] + total["syscalls"] + total["switches"]
for s in total["sources"]:
    assert list(s) == ["spec", "mode", "seen", "delivered", "filtered", "dropped"]
    assert s["seen"] == s["delivered"] + s["filtered"] + sum(s["dropped"].values())
assert sum(s["filtered"] for s in total["sources"]) == total["filtered"]
END
cat frames.json mixed.json
sed -E 's/"seconds":[0-9]+\.[0-9]{9}/"seconds":T/' count.json
