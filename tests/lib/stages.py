#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   the lines that xcap pipe --json ends with (a file), and conditions such as 't1.seen == 1009'.
Out:  exit 0 when the books of every thread close, what one hands on is what the next has seen,
      and every condition holds; else what does not.

t0, t1, ... are the threads, each with its keys, 'lost' (the sum of dropped) and the places of
'dropped'; the keys of the account itself stand alone.
"""
import json
import sys


class Names(dict):
    __getattr__ = dict.__getitem__

    def __missing__(self, key):
        return 0        # a place where nothing was dropped


lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8") if line.startswith("{")]
scope = Names(lines.pop())
threads = []
for line in lines:
    threads.append(Names(line, lost=sum(line["dropped"].values()), **line["dropped"]))
scope.update({f"t{i}": t for i, t in enumerate(threads)})
numbers = {t["queue"]: i for i, t in enumerate(threads)}

checks = ["out_of_order == 0"]
for i, t in enumerate(threads):
    checks += [f"t{i}.seen == t{i}.delivered + t{i}.filtered + t{i}.lost", f"t{i}.out_of_order == 0"]
    if t["to"] in numbers:
        checks.append(f"t{numbers[t['to']]}.seen == t{i}.delivered")
checks += sys.argv[2:]
wrong = [c for c in checks if not eval(c, {}, scope)]
for c in wrong:
    print(f"not so: {c}", file=sys.stderr)
if wrong:
    print(open(sys.argv[1], encoding="utf-8").read(), file=sys.stderr)
sys.exit(bool(wrong) or not threads)
