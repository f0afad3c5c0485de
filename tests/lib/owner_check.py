# SPDX-License-Identifier: BSD-2-Clause
"""
In:   owner_check.py client|server CAPTURE.json TRUTH.json; records of `xcap dump --json`.
Out:  how many packets have the right owner; exit 1 if one has a wrong one, or under 99.5 % any.
Owns: nothing.
Runs on: anything.
"""
import json
import sys

side, capture, truth = sys.argv[1:]
TCP, UDP = 7001, 7002
owners, children, listener, udp_server = {}, {}, None, None
for line in open(truth, encoding="utf-8"):
    t = json.loads(line)
    if t["role"] == "listener":
        listener = t["pid"]
    elif "port" in t:
        owners.setdefault((t["role"], t["port"]), []).append(t["pid"])
        if "child" in t:
            children.setdefault(t["port"], []).append(t["child"])
    elif t["role"] == "udp":
        udp_server = t["pid"]
total = right = unknown = 0
wrong = []
for line in open(capture, encoding="utf-8"):
    r = json.loads(line)
    if r["type"] != "packet" or not {TCP, UDP} & {r.get("sport"), r.get("dport")}:
        continue
    total += 1
    proto = "tcp" if TCP in (r["sport"], r["dport"]) else "udp"
    port = r["dport"] if r["sport"] in (TCP, UDP) else r["sport"]
    if side == "client":
        may = owners.get((proto, port), [])
    elif proto == "udp":
        may = [udp_server]
    else:
        may = children.get(port, [])
        # what is not yet data of the child is the listener's
        if not (r["direction"] == "out" and r.get("payload_len")):
            may = may + [listener]
    if "pid" not in r:
        unknown += 1
        if unknown <= 10:
            print("unknown", line.strip()[:300])
    elif r["pid"] in may:
        right += 1
    else:
        wrong.append((r, may))
for r, may in wrong[:10]:
    print("wrong:", may, json.dumps(r))
print(f"{side}: {total} packets, {right} right ({100 * right / max(total, 1):.2f} %), "
      f"{unknown} unknown, {len(wrong)} wrong")
sys.exit(bool(wrong) or not total or right < 0.995 * total)
