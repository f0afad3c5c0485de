#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   two pcap files of the same traffic, ns resolution, either byte order.
Out:  exit 0 when both have the same packets of each sender in the same order (the two
      directions cross on different CPUs, and tcpdump's hook is not ours), less than MS
      milliseconds apart but for one in a hundred: a busy machine may stop between two hooks.
"""
import struct
import sys


def packets(path):
    data = open(path, "rb").read()
    order = "<" if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xd4\xc3\xb2\xa1") else ">"
    scale = 1 if struct.unpack(order + "I", data[:4])[0] == 0xA1B23C4D else 1000
    at, out = 24, []
    while at < len(data):
        sec, sub, caplen, length = struct.unpack_from(order + "IIII", data, at)
        at += 16
        out.append((sec * 10**9 + sub * scale, length, data[at:at + caplen]))
        at += caplen
    return out


def by_sender(path):
    return sorted(packets(path), key=lambda p: p[2][6:12])  # stable


a, b = by_sender(sys.argv[1]), by_sender(sys.argv[2])
ms = float(sys.argv[3])
if len(a) != len(b):
    sys.exit(f"{sys.argv[1]} has {len(a)} packets, {sys.argv[2]} {len(b)}")
for i, (p, q) in enumerate(zip(a, b)):
    if p[1:] != q[1:]:
        sys.exit(f"packet {i} differs: {p[1]} bytes {p[2][:40].hex()}, {q[1]} bytes {q[2][:40].hex()}")
apart = sorted(abs(p[0] - q[0]) for p, q in zip(a, b))
print(f"{len(a)} packets the same; apart: median {apart[len(apart) // 2]} ns, most {apart[-1]} ns")
if apart[len(apart) * 99 // 100] >= ms * 1e6:
    sys.exit(f"more than {ms} ms apart")
