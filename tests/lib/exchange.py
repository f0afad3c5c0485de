# SPDX-License-Identifier: BSD-2-Clause
"""
In:   exchange.py serve ADDRESS PORT FILE, exchange.py ask ADDRESS PORT COUNT.
Out:  TCP connections in which COUNT numbers go there and back; the port of each that asks, on
      standard output. The server writes "ready" to FILE.
Owns: its sockets.
Runs on: anything.
"""
import socket
import sys


def serve(address, port, file):
    server = socket.create_server((address, port), backlog=64)
    with open(file, "w", encoding="ascii") as f:
        f.write("ready\n")
    while True:
        with server.accept()[0] as peer:
            while data := peer.recv(64):
                peer.sendall(data)


def ask(address, port, count):
    with socket.create_connection((address, port)) as s:
        print(s.getsockname()[1], flush=True)
        for i in range(int(count)):
            s.sendall(b"%08d" % i)
            assert s.recv(64) == b"%08d" % i


{"serve": serve, "ask": ask}[sys.argv[1]](sys.argv[2], int(sys.argv[3]), sys.argv[4])
