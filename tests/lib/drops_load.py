#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   drops_load.py KIND [ARGUMENT]..., in a namespace of a test.
Out:  a load whose packets die at one layer. "ready" when what comes next will die; then N of
      them for each line N on standard input, and "done".

  frames IFACE          Ethernet frames to nobody's address, sent by AF_PACKET
  udp-full              datagrams to a socket on lo whose buffer is full
  udp-closed            datagrams to a port on lo where nobody is
  packet-full OUT IN    frames out of OUT, seen by an AF_PACKET socket at IN that nobody reads
  listen-full           SYNs to a listener on lo that accepts nobody
"""
import socket
import sys
import time

FRAME = bytes.fromhex("02000000aaaa" "02000000bbbb" "88b5") + bytes(46)    # local experiments


def sender(iface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind((iface, 0))

    def send(nr):
        for i in range(nr):
            try:
                s.send(FRAME)
            except OSError:
                pass            # refused by a queue: dead as well
            if i % 32 == 31:
                time.sleep(0.001)       # a backlog is another layer
    return send


def udp_full():
    full = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    full.bind(("127.0.0.1", 7777))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(nr):
        for _ in range(nr):
            s.sendto(b"x" * 100, full.getsockname())
    send(100)
    return send


def udp_closed():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(nr):
        for _ in range(nr):
            s.sendto(b"x", ("127.0.0.1", 9))
    return send


def packet_full(out, iface):
    full = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    full.bind((iface, 3))       # ETH_P_ALL
    send = sender(out)
    send.keep = full            # open, as long as somebody sends
    send(100)
    time.sleep(0.1)
    return send


def listen_full():
    full = socket.socket()
    full.bind(("127.0.0.1", 7777))
    full.listen(0)
    waiting = socket.create_connection(full.getsockname())

    def send(nr, _=waiting):
        for _ in range(nr):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(full.getsockname())
            s.close()           # and no second SYN
    return send


KINDS = {"frames": sender, "udp-full": udp_full, "udp-closed": udp_closed,
         "packet-full": packet_full, "listen-full": listen_full}
send = KINDS[sys.argv[1]](*sys.argv[2:])
print("ready", flush=True)
for line in sys.stdin:
    send(int(line))
    print("done", flush=True)
