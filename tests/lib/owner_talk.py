# SPDX-License-Identifier: BSD-2-Clause
"""
In:   owner_talk.py NAME END CAPTURE.json TRUTH...: records of `xcap dump --json`, lines of owner_talk
      END says whose ends are asked for: src (lo), or the addresses of one side, with commas.
      Options before: --least N (percent, 99.5), --wrong N (percent, 0), --key K=V (in records
      of the processes in the first TRUTH), --either (the process of the other end is right, too).
Out:  how many packets have the right owner; exit 1 if one has a wrong one, or too few have any.
Owns: nothing.
Runs on: anything.
"""
import argparse
import bisect
import json
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--least", type=float, default=99.5)
parser.add_argument("--wrong", type=float, default=0)
parser.add_argument("--key", action="append", default=[])
parser.add_argument("--either", action="store_true")
parser.add_argument("name")
parser.add_argument("end")
parser.add_argument("capture")
parser.add_argument("truth", nargs="+")
args = parser.parse_args()
keys = dict(k.split("=", 1) for k in args.key)

claims, keyed = {}, set()
for name in args.truth:
    for line in open(name, encoding="utf-8"):
        c = json.loads(line)
        if "pid" in c:
            key = (c["proto"], c["port"], c.get("peer"), c.get("family"))
            if name == args.truth[0]:
                keyed.add(c["pid"])
            claims.setdefault(key, []).append((c["t"], c["pid"], c["comm"]))
for sorted_by_time in claims.values():
    sorted_by_time.sort()


def ns(text):
    seconds, digits = text.split(".")
    return int(seconds) * 10**9 + int(digits)


def end_of(r, far):
    """Port or identifier of the end that is asked for (far: of the other), and of the other."""
    here = (args.end == "src" or r["src"] in args.end.split(",")) != far
    if r["proto"] in ("tcp", "udp"):
        return (r["sport"], r["dport"]) if here else (r["dport"], r["sport"])
    # the kernel answers: at that end there is no process
    asks = r["icmp_type"] in (8, 128)
    return (r["icmp_id"] if asks == here else None, None)


def may(r, far=False):
    """The process whose packet it is, and its name; None: nobody's."""
    port, peer = end_of(r, far)
    family = 6 if ":" in r["src"] else 4
    before, first = [], []
    for key in (r["proto"], port, None, None), (r["proto"], port, peer, family), \
            (r["proto"], port, None, family):
        if key in claims:
            at = bisect.bisect(claims[key], (ns(r["time"]), 1 << 40)) - 1
            (before if at >= 0 else first).append(claims[key][max(at, 0)])
    if before:
        return max(before)[1:]
    return min(first)[1:] if first else None


def is_asked(r):
    return r["type"] == "packet" and (
        r.get("proto") in ("tcp", "udp") and "sport" in r or
        r.get("proto") in ("icmp", "icmp6") and r.get("icmp_type") in (0, 8, 128, 129))


total = right = unknown = nobody = 0
wrong = []
for line in open(args.capture, encoding="utf-8"):
    r = json.loads(line)
    if not is_asked(r):
        continue
    truth = may(r)
    if args.either and (r.get("pid"), r.get("comm")) == may(r, True):
        truth = may(r, True)
    if not truth:
        nobody += 1
        # what nobody takes here may have the name of who sent it in another namespace
        if "pid" in r and (r["direction"] == "out" or (r["pid"], r.get("comm")) != may(r, True)):
            wrong.append((r, "nobody"))
        continue
    total += 1
    if "pid" not in r:
        unknown += 1
        if unknown <= 3 and args.least > 50:
            print("unknown:", truth, line.strip()[70:350])
    elif (r["pid"], r.get("comm")) != truth or \
            truth[0] in keyed and any(r.get(k) != v for k, v in keys.items()):
        wrong.append((r, truth))
    else:
        right += 1
for r, truth in wrong[:5]:
    r.pop("cmdline", None)
    print("wrong:", truth, json.dumps(r))
print(f"{args.name}: {total} packets, {right} right ({100 * right / max(total, 1):.2f} %), "
      f"{unknown} unknown, {len(wrong)} wrong, {nobody} of nobody")
sys.exit(not total or right < args.least * total / 100 or len(wrong) > args.wrong * total / 100)
