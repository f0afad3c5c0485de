#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   probe_calls.py JSON PID [STRACE]: what `xcap probe latency` or `syscount --json` told, the
      process of busy_calls, what strace -c says of it.
Out:  exit 1 with a line for what differs.
Owns: nothing.
Runs on: tests/net/probe_host.sh.
"""
import json
import sys

KNOWN = {"getppid": (1009, 0), "getsid": (127, 127), "sched_yield": (61, 0),
         "clock_nanosleep": (7, 0), "clone3": (13, 0)}
BEFORE = {"close", "getpid", "set_robust_list"}  # strace's child calls them, too, before its exec


def rows_of(path, pid):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return {line["call"]: line for line in lines if line.get("pid") == pid}


def strace_of(path):
    """{call: (calls, errors)}"""
    with open(path, encoding="utf-8") as file:
        table = [line.split() for line in file]
    return {f[-1]: (int(f[3]), int(f[4]) if len(f) == 6 else 0) for f in table
            if len(f) in (5, 6) and f[-1] not in ("syscall", "total") and f[0][0].isdigit()}


def main():
    rows = rows_of(sys.argv[1], int(sys.argv[2]))
    wanted = dict(KNOWN, **(strace_of(sys.argv[3]) if len(sys.argv) > 3 else {}))
    wrong = 0
    for call, numbers in wanted.items():
        row = rows.get(call, {"count": 0, "errors": 0})
        got = row["count"], row["errors"]
        if got != numbers and not (call in BEFORE and numbers[0] < got[0] <= numbers[0] + 2):
            print(f"{call}: {got} calls and errors, not {numbers}")
            wrong = 1
        slots = row.get("histogram")
        if slots is not None and sum(n for _, n in slots) != row["count"]:
            print(f"{call}: {slots} do not add up to {row['count']}")
            wrong = 1
    slept = rows.get("clock_nanosleep", {})
    if "histogram" in slept and (slept["histogram"][0][0] < 1 << 24 or
                                 not 7 * 20e6 <= slept["total_ns"] <= 7 * slept["max_ns"]):
        print(f"seven sleeps of 20 ms: {slept}")
        wrong = 1
    return wrong


sys.exit(main())
