#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   golden DIR CAPTURE                what `xcap dump` printed of args_calls, which ran in DIR
#       same DIR CAPTURE GOLDEN           the same, held against a golden file
#       strace CAPTURE STRACE             one run of args_calls, as both saw it
# Out:  what is between the marks, without what differs from run to run; the differences and how
#       much agreed. Exit 0: no difference.
# Owns: nothing.
# Runs on: anything.
"""What calls were called with: against golden text, and against strace."""
import re
import sys

import args_strace

MARK = "getpriority(which=PRIO_USER, who=4711)"
LINE = re.compile(r"\S+ cpu\d+ (args_calls)\[(\d+)\] ([<>]) (.*)$")


def between(path):
    """The lines of each thread between the marks, the first thread's first: [(tid, [line])]."""
    threads, main = {}, None
    for text in open(path, encoding="utf-8", errors="surrogateescape"):
        line = LINE.match(text.rstrip("\n"))
        if not line:
            raise SystemExit(f"{path}: what is this line: {text}")
        _, tid, way, call = line.groups()
        mark = call.replace("/32", "", 1) == MARK
        if mark and main is None:
            main = tid
        if main is None:
            continue
        thread = threads.setdefault(tid, [])
        if not (thread and thread[-1] == END):
            thread.append(way + " " + call)
        # a program that begins does what its library does: not ours
        if re.match(r"execve(at)?(/32)? = 0$", call):
            thread.append(END)
        if mark and len(thread) > 1:
            return [(t, [x for x in lines if x != END]) for t, lines in threads.items()]
    raise SystemExit(f"{path}: the marks are not there")


END = "the program has begun"

# ---- what differs from run to run ----

# What a call tells of the machine, its clock, or chance.
DIFFERS = {
    "time": r"= \d+$", "times": r"(?<== )\d+$|(?<=time=)\d+", "getpgid": r"\d+$",
    "getppid": r"\d+$", "gettimeofday": r"\d+(?=[,}])", "clock_gettime": r"\d+(?=[,}])",
    "clock_gettime64": r"\d+(?=[,}])", "wait4": r"(?<=ec=)\d+|(?<=rss=)\d+",
    "getrusage": r"(?<=ec=)\d+|(?<=rss=)\d+", "sysinfo": r"(?<=[a-z]=)\d+",
    "uname": r'(?<=(?:ease|sion|hine)=)"[^"]*"', "getrandom": r'"(?:[^"\\]|\\.)*"',
    "capget": r"(?<=tive=|tted=)\w+", "sched_getaffinity": r"(?<== )\d+$",
    "timer_gettime": r"\d+(?=}}\))", "clock_getres": r"(?<=nsec=)\d+",
    "clock_getres_time64": r"(?<=nsec=)\d+", "sched_getattr": r"(?<=runtime=)\d+",
    "personality": r"(?<== )\d+$", "getcwd": r"(?<== )\d+$",
}
PROCESS = re.compile(r"(?<![\w.])((?:pid|tgid|tid|pid2|si_pid|id)=)(\d+)")
PROCESS_RESULT = re.compile(r"^(< (?:fork|clone|clone3|vfork|wait4|waitpid|getpid|gettid|setsid|"
                            r"set_tid_address)\b.* = )(\d+)$")
POINTER = re.compile(r"\b0x[0-9a-f]{8,16}\b")
CONSTANTS = {"0x1122334455"}


LICENCE = "# SPDX-License-Identifier: BSD-2-Clause"


class Names:
    """Numbers of one run get the names they have in each."""

    def __init__(self, prefix):
        self.prefix, self.known = prefix, {}

    def __call__(self, number):
        return self.known.setdefault(number, self.prefix + str(len(self.known)))


def golden(where, path):
    """What is the same in each run."""
    threads = between(path)
    tasks, inodes, out = Names("TASK"), Names("INODE"), [LICENCE]
    for tid, _ in threads:
        tasks(tid)

    def pointer(m):
        kept = m[0] in CONSTANTS or int(m[0], 16) >= 0xfffffff0 and m[0][2:6] == "ffff"
        return m[0] if kept else "PTR"

    for tid, lines in threads:
        out.append(f"[{tasks(tid)}]")
        for line in lines:
            name = re.match(r"[<>] (\w+)", line)[1]
            line = line.replace(where, "DIR")
            for process in (PROCESS, PROCESS_RESULT):
                line = process.sub(lambda m: m[1] + tasks.known.get(m[2], m[2]), line)
            line = re.sub(r"(pipe|socket|uts):\[(\d+)\]", lambda m: f"{m[1]}:[{inodes(m[2])}]", line)
            line = POINTER.sub(pointer, line)
            if line[0] == "<" and name in DIFFERS:
                line = re.sub(DIFFERS[name], "N", line)
            out.append(line)
    return out


def pairs(lines):
    """Each entry has its exit; the names of the calls. What ends a thread has none."""
    names, open_call = set(), None
    for line in lines:
        if line[0] in "[#":
            open_call = None
            continue
        name = re.match(r"[<>] (\w+)", line)[1]
        if line[0] == ">":
            if open_call:
                raise SystemExit(f"{open_call} has no exit before {line}")
            open_call = name
            names.add(name)
        elif open_call == name:
            open_call = None
        elif open_call or name not in ("fork", "clone", "clone3", "vfork"):
            raise SystemExit(f"this exit has no entry: {line}")
    return names


def same(where, path, golden_path):
    """Prints the differences. Return: exit code."""
    got = golden(where, path)
    want = open(golden_path, encoding="utf-8", errors="surrogateescape").read().splitlines()
    calls = len(pairs(got))
    lacks, wrong = 0, 0
    for i in range(max(len(got), len(want))):
        g, w = (a[i] if i < len(a) else "(nothing)" for a in (got, want))
        if g == w:
            continue
        begin = re.match(r"< [\w/]+", g)
        # a kernel without this call, or with one that the golden file's had not
        if begin and w.startswith(begin[0]) and (g + w).count(" = -38 ENOSYS") == 1:
            lacks += 1
            continue
        wrong += 1
        if wrong <= 20:
            print(f"line {i + 1}\n  want {w}\n  got  {g}")
    print(f"{calls} calls, {len(got)} lines, {wrong} differ, {lacks} by what the kernel has")
    return wrong > 0 or calls < 150


def main(argv):
    sys.stdout.reconfigure(errors="surrogateescape")
    if len(argv) == 4 and argv[1] == "golden":
        lines = golden(argv[2], argv[3])
        pairs(lines)
        print("\n".join(lines))
        return 0
    if len(argv) == 5 and argv[1] == "same":
        return same(argv[2], argv[3], argv[4])
    if len(argv) == 4 and argv[1] == "strace":
        return args_strace.agree(between(argv[2]), argv[3])
    print(f"usage: {argv[0]} golden DIR CAPTURE | same DIR CAPTURE GOLDEN | strace CAPTURE STRACE")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
