#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   two pcap files of the same traffic, ns resolution, either byte order.
Out:  exit 0 when both have the same packets in the same order, less than MS milliseconds
      apart but for one in a hundred: a busy machine may stop between two hooks. Packets
      that cross two CPUs within TOGETHER ns may stand the other way round: tcpdump's hook
      is not ours.
"""
import struct
import sys

TOGETHER = 200_000


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


def pairs(a, b):
    """Each packet of b with its like in a: the next one, or one that crossed it."""
    for i, q in enumerate(b):
        for j, p in enumerate(a):
            if p[1:] == q[1:]:
                break
            if p[0] > a[0][0] + TOGETHER:
                j = None
                break
        else:
            j = None
        if j is None:
            sys.exit(f"packet {i} differs: {q[1]} bytes {q[2][:40].hex()}, "
                     f"expected {a[0][1]} bytes {a[0][2][:40].hex()}")
        if j and q[0] > a[0][0] + TOGETHER + 10**6:
            sys.exit(f"packet {i} stands before one that is older")
        yield a.pop(j), q


a, b = packets(sys.argv[1]), packets(sys.argv[2])
ms = float(sys.argv[3])
if len(a) != len(b):
    sys.exit(f"{sys.argv[1]} has {len(a)} packets, {sys.argv[2]} {len(b)}")
apart = sorted(abs(p[0] - q[0]) for p, q in pairs(a, b))
print(f"{len(b)} packets the same; apart: median {apart[len(apart) // 2]} ns, most {apart[-1]} ns")
if apart[len(apart) * 99 // 100] >= ms * 1e6:
    sys.exit(f"more than {ms} ms apart")
