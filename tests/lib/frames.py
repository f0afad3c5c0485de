#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   frames.py FILE.hex    a frame a line, see tests/data/frames.hex
Out:  a pcap file with nanoseconds on standard output: frames a millisecond
      and a nanosecond apart.
Owns: nothing.
Runs on: anything.
"""
import struct
import sys


def main():
    out = sys.stdout.buffer
    out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
    ns = 1732345678_000000000
    with open(sys.argv[1], encoding="ascii") as f:
        for line in f:
            words = line.split()
            if not words or words[0] == "#":
                continue
            data = bytes.fromhex(words[0].replace("-", ""))
            length = len(data) + (int(words[1]) if len(words) > 1 else 0)
            ns += 1000001
            out.write(struct.pack("<IIII", *divmod(ns, 10**9), len(data), length) + data)


main()
