#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   xdpcount's last line (a file), and conditions such as 'seen == 10007'.
Out:  exit 0 when its books close and every condition holds; else what does not.

The names are the keys of the object, 'lost' (the sum of dropped), the places of
'dropped' by name, and those of one source as s0.seen, s1.lost, ...
"""
import json
import sys


class Names(dict):
    __getattr__ = dict.__getitem__

    def __missing__(self, key):
        return 0        # a place where nothing was dropped


def names(obj):
    dropped = obj["dropped"]
    out = Names(obj)
    if isinstance(dropped, dict):
        out.update(dropped)
        out["lost"] = sum(dropped.values())
    return out


total = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])
sources = [names(s) for s in total["sources"]]
scope = Names(total)
scope.update({f"s{i}": s for i, s in enumerate(sources)})
scope["lost"] = sum(s["lost"] for s in sources)
scope["seen"] = sum(s["seen"] for s in sources)
scope["delivered"] = sum(s["delivered"] for s in sources)
for s in sources:
    for place, count in s["dropped"].items():
        scope[place] = scope[place] + count

checks = [f"s{i}.seen == s{i}.delivered + s{i}.filtered + s{i}.lost" for i in range(len(sources))]
checks += ["records == delivered", "dropped == lost", "out_of_order == 0"]
checks += sys.argv[2:]
wrong = [c for c in checks if not eval(c, {}, scope)]
for c in wrong:
    print(f"not so: {c}", file=sys.stderr)
if wrong:
    print(json.dumps(total), file=sys.stderr)
sys.exit(bool(wrong))
