#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   leftovers.py BUILD FILE --remember    what of ours is in the kernel now
      leftovers.py BUILD FILE               and what has been left since
Out:  a line for each BPF program and link of ours that no process holds any
      more; exit 1 if there is one after two seconds of grace.
Owns: nothing.
Runs on: the runner, outside of the namespaces of the tests.
"""
import glob
import json
import re
import subprocess
import sys
import time


def names_of(build):
    """Programs in our BPF objects, by the names the kernel shows."""
    names = {"xcap_filter"}     # written at run time, user/cbpf.c
    for obj in glob.glob(f"{build}/*.bpf.o"):
        table = subprocess.run(["llvm-readelf", "-s", obj], check=True,
                               capture_output=True, text=True).stdout
        for line in table.splitlines():
            field = line.split()
            if len(field) == 8 and field[3:5] == ["FUNC", "GLOBAL"]:
                names.add(field[7][:15])
    return names


def show(what):
    for tries in range(5, 0, -1):       # one that goes while it lists them makes bpftool fail
        out = subprocess.run(["bpftool", "-j", what, "show"], check=tries == 1,
                             capture_output=True, text=True)
        if not out.returncode:
            break
        time.sleep(0.1)
    return json.loads(out.stdout or "[]")


def ours(names):
    programs = {p["id"]: p["name"] for p in show("prog") if p.get("name") in names}
    found = {f"program {i}": n for i, n in programs.items()}
    for link in show("link"):
        if link.get("prog_id") in programs:
            found[f"link {link['id']}"] = programs[link["prog_id"]]
    return found


def held():
    """What some process has a descriptor of: no leftover, it dies with it."""
    ids = set()
    for path in glob.glob("/proc/[0-9]*/fdinfo/*"):
        try:
            with open(path, encoding="ascii", errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        ids |= {f"program {i}" for i in re.findall(r"^prog_id:\s*(\d+)", text, re.M)}
        ids |= {f"link {i}" for i in re.findall(r"^link_id:\s*(\d+)", text, re.M)}
    return ids


def main():
    build, file = sys.argv[1:3]
    names = names_of(build)
    if sys.argv[3:] == ["--remember"]:
        with open(file, "w", encoding="ascii") as f:
            json.dump(sorted(ours(names)), f)
        return 0
    with open(file, encoding="ascii") as f:
        before = set(json.load(f))
    for _ in range(20):
        left = {k: v for k, v in ours(names).items() if k not in before}
        if left:
            busy = held()
            left = {k: v for k, v in left.items() if k not in busy}
        if not left:
            return 0
        time.sleep(0.1)
    for key, name in left.items():
        print(f"left in the kernel: {key} ({name})")
    return 1


sys.exit(main())
