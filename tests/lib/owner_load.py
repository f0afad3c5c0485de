# SPDX-License-Identifier: BSD-2-Clause
"""
In:   owner_load.py serve ADDRESS | clients ADDRESS PROCESSES EACH; FIFO-like files in the directory.
Out:  JSON lines: who was behind which port, the truth that a capture is compared with.
Owns: its children.
Runs on: any namespace.

serve accepts on TCP 7001 and forks for each connection; UDP 7002 answers. clients opens some
connections, says "open", waits for the file "go", then does the exchanges in PROCESSES processes.
"""
import ctypes
import json
import os
import socket
import sys
import time

TCP, UDP, OLD = 7001, 7002, 5
libc = ctypes.CDLL(None)


def say(**what):
    os.write(1, (json.dumps(what) + "\n").encode())


def call_me(name):
    libc.prctl(15, name.encode(), 0, 0, 0)


def answer_tcp(conn):
    """One line for each line, until the other end closes."""
    while data := conn.recv(100):
        conn.sendall(data.upper())
    conn.close()


def serve(address):
    call_me("server")
    listener = socket.create_server((address, TCP), backlog=1000)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, UDP))
    if not os.fork():
        call_me("server-udp")
        listener.close()
        say(role="udp", pid=os.getpid())
        while True:
            data, peer = udp.recvfrom(100)
            udp.sendto(data.upper(), peer)
    udp.close()
    say(role="listener", pid=os.getpid())
    while True:
        conn, peer = listener.accept()
        child = os.fork()
        if not child:
            listener.close()
            call_me("server-child")
            answer_tcp(conn)
            os._exit(0)
        conn.close()
        say(role="tcp", port=peer[1], pid=os.getpid(), child=child)
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break


def exchange(sock, port, proto):
    sock.sendall(b"question")
    assert sock.recv(100) == b"QUESTION"
    say(role=proto, port=port, pid=os.getpid())


def tcp_once(address):
    sock = socket.create_connection((address, TCP))
    exchange(sock, sock.getsockname()[1], "tcp")
    sock.close()


def udp_once(address, connected):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    if connected:
        sock.connect((address, UDP))
        exchange(sock, sock.getsockname()[1], "udp")
    else:
        sock.sendto(b"question", (address, UDP))
        assert sock.recvfrom(100)[0] == b"QUESTION"
        say(role="udp", port=sock.getsockname()[1], pid=os.getpid())
    sock.close()


def clients(address, processes, each):
    old = [socket.create_connection((address, TCP)) for _ in range(OLD)]
    say(role="open")
    while not os.path.exists("go"):
        time.sleep(0.05)
    for sock in old:
        exchange(sock, sock.getsockname()[1], "tcp")
    pids = []
    for i in range(processes):
        pid = os.fork()
        if not pid:
            call_me(f"client-{i}")
            for n in range(each):
                tcp_once(address)
                udp_once(address, n % 2)
            os._exit(0)
        pids.append(pid)
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in pids)
    for sock in old:
        sock.close()
    sys.exit(failed != 0)


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    clients(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
