#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""In:   what to write: ptcpdump, wireshark or macos; and "big" for that byte order.
Out:  a pcapng file on standard output as that program writes it, with owners of packets.
Owns: nothing.
Runs on: Python's own library.

ptcpdump: comments on the packets and their direction, one interface for any and one for each
device. wireshark: process blocks of its development line, one pid used by two processes.
macos: Darwin's process blocks and packets that name them by number."""
import struct
import sys

T = 1700000000 * 10**9
SECOND = 10**9


def main(kind, order):
    def block(code, body):
        body += b"\0" * (-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", code) + size + body + size

    def option(code, value, to=order):
        return struct.pack(to + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    def numbers(*values, to=order):
        return struct.pack(to + "%dI" % len(values), *values)

    def comments(*texts):
        return b"".join(option(1, text.encode()) for text in texts)

    def interface(name, comment, description):
        return block(1, struct.pack(order + "HHI", 1, 0, 0) + comments(*comment) +
                     option(2, name.encode()) + option(3, description.encode()) +
                     option(9, b"\x09") + option(12, b"linux") + option(0, b""))

    def packet(t, options, interface=0, port=80):
        frame = bytes.fromhex("020000000002020000000001080045000028000140004006") + \
            bytes.fromhex("00000a4d00010a4d0002") + struct.pack(">HH", 40000, port) + \
            bytes.fromhex("000000010000000050020400" "00000000")
        return block(6, struct.pack(order + "5I", interface, t >> 32, t & 0xffffffff, len(frame),
                                    len(frame)) + frame + b"\0" * (-len(frame) % 4) +
                     (options + option(0, b"") if options else b""))

    def process(pid, *options):
        body = struct.pack("<I", pid) + b"".join(option(c, v, "<") for c, v in options)
        if options:
            body += bytes(4)
        return block(0xbad, numbers(32622) + numbers(3, len(body), to="<") + body)

    def owner(pid, tid):
        return option(8, numbers(pid, tid))

    out = block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1) +
                option(2, b"amd64") + option(3, b"linux") + option(4, kind.encode()) +
                option(0, b""))
    if kind == "ptcpdump":
        out += interface("any", [], "any") + interface("eth0", [], "eth0")
        curl = ["PID: 1292\nCmd: /usr/bin/curl\nArgs: curl http://10.77.0.2/ -o...",
                "ThreadId: 1293\nThreadName: resolver", "UserId: 0\nGroupId: 0",
                "ParentPID: 77\nParentCmd: /usr/bin/bash\nParentArgs: bash",
                "ContainerName: web\nContainerId: " + "4c01db0b339c" * 5 + "4c01\n"
                "ContainerImage: debian:12\nContainerLabels: {\"a\":\"b\"}",
                "PodName: shop\nPodNamespace: default\nPodUID: 8dbc5577-d0e2-4706-8787-57d52c03ddf2"
                "\nPodLabels: {}\nPodAnnotations: {}"]
        out += packet(T, comments(*curl) + option(2, numbers(2)), 1)
        out += packet(T + 1, option(2, numbers(1)), 1)
        out += packet(T + 2, comments("PID: 12\nCmd: sshd\nArgs: sshd") + option(2, numbers(1)), 1)
    elif kind == "wireshark":
        out += interface("eth0", [], "eth0")
        out += process(4321)
        out += packet(T, owner(4321, 4321))
        out += process(7, (2, b"first"), (3, b"/usr/bin/first"), (4, b"first\0-a\0b c"),
                       (5, numbers(1, to="<")), (6, numbers(0, to="<")), (7, b"root"),
                       (8, bytes(16)), (9, struct.pack("<Q", T)))
        out += process(7, (2, b"second"), (3, b"/usr/bin/second"),
                       (9, struct.pack("<Q", T + 10 * SECOND)))
        out += packet(T + 5 * SECOND, owner(7, 8))
        out += packet(T + 15 * SECOND, owner(7, 7))
        out += packet(T + 6 * SECOND, owner(7, 0))
    else:
        out += interface("en0", [], "en0")
        for i, name in enumerate([b"Safari", b"mDNSResponder"]):
            out += block(0x80000001, numbers(500 + i) + option(2, name) + option(4, bytes(16)) +
                         option(0, b""))
        out += packet(T, option(0x8001, numbers(1)) + option(2, numbers(1)))
        out += packet(T + 1, option(0x8001, numbers(0)) + option(2, numbers(2)))
    sys.stdout.buffer.write(out)


main(sys.argv[1], ">" if "big" in sys.argv[2:] else "<")
