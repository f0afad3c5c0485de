# SPDX-License-Identifier: BSD-2-Clause
"""
In:   "serve", "talk": a server and a client whose connections end in ways that are known; "check":
      what probes told of them.
Out:  facts as JSON lines; complaints, and exit 1.
Owns: its sockets.
Runs on: tests/net/probe_tcp.sh.
"""
import json
import os
import socket
import struct
import sys
import threading
import time

WHOLE, REFUSED, ABORTED = 13, 7, 5      # connections; the aborted ones end with a reset
ASKED, ANSWERED = 1009, 20011           # bytes
OLD_ASKED, OLD_ANSWERED = 101, 211      # of the one that is there before
PORT, CLOSED = 7001, 7002


def facts(**what):
    print(json.dumps(what), flush=True)


def read_all(s, size):
    while size:
        got = len(s.recv(min(size, 65536)))
        if not got:
            return
        size -= got


def answer(s):
    with s:
        kind = s.recv(1)
        if kind == b"o":
            read_all(s, OLD_ASKED - 1)
            s.sendall(b"y" * OLD_ANSWERED)
        elif kind == b"w":
            read_all(s, ASKED - 1)
            s.sendall(b"y" * ANSWERED)
        try:
            while s.recv(4096):
                pass
        except ConnectionResetError:
            pass


def serve(*addresses):
    threads = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.create_server((address, PORT), family=family, backlog=64)

        def accepts(s=s):
            while True:
                threading.Thread(target=answer, args=(s.accept()[0],), daemon=True).start()
        threads.append(threading.Thread(target=accepts, daemon=True))
        threads[-1].start()
    facts(role="server", pid=os.getpid())
    for t in threads:
        t.join()


def talk(*addresses):
    old = socket.create_connection((addresses[0], PORT))
    old.sendall(b"o" * OLD_ASKED)
    read_all(old, OLD_ANSWERED)
    facts(role="client", pid=os.getpid(), old=old.getsockname()[1])
    while not os.path.exists("go"):
        time.sleep(0.01)
    ports = {"whole": [], "refused": 0, "aborted": []}
    for address in addresses:
        for _ in range(WHOLE):
            with socket.create_connection((address, PORT)) as s:
                ports["whole"].append(s.getsockname()[1])
                s.sendall(b"w" * ASKED)
                read_all(s, ANSWERED)
        for _ in range(REFUSED):
            try:
                socket.create_connection((address, CLOSED))
            except ConnectionRefusedError:
                ports["refused"] += 1
        for _ in range(ABORTED):
            s = socket.create_connection((address, PORT))
            ports["aborted"].append(s.getsockname()[1])
            s.sendall(b"a")
            time.sleep(0.01)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
    old.close()
    facts(**ports)
    while os.path.exists("go"):         # its records name it as long as it is there
        time.sleep(0.01)


# ---- what probes told ----

bad = 0


def same(what, is_, wanted):
    global bad
    if is_ != wanted:
        print(f"{what}: {is_}, should be {wanted}")
        bad += 1


def lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def told(path, pids):
    """Of these processes only: others of this host have connections, too."""
    rows = lines(path)
    same(f"{path}: dropped", rows[-1]["dropped"], 0)
    return [r for r in rows if r.get("pid") in pids]


def check_life(client, server, talked, nr):
    rows = told("tcplife.out", (client["pid"], server["pid"]))
    live = {"saddr", "sport", "daddr", "dport", "role", "bytes_in", "bytes_out", "duration_ns",
            "connect_ns", "rtt_ns", "retrans", "state"}
    same("a field is missing", live - set(rows[0]), set())
    for pid, role in (client["pid"], "client"), (server["pid"], "server"):
        into, out = (ANSWERED, ASKED) if role == "client" else (ASKED, ANSWERED)
        mine = [r for r in rows if r["pid"] == pid]
        end = "sport" if role == "client" else "dport"
        whole = [r for r in mine if r[end] in talked["whole"]]
        same(f"{role}: whole", len(whole), WHOLE * nr)
        same(f"{role}: bytes", {(r["bytes_in"], r["bytes_out"]) for r in whole}, {(into, out)})
        same(f"{role}: role", {r["role"] for r in whole}, {role})
        same(f"{role}: error", {r.get("error") for r in whole}, {None})
        same(f"{role}: longer than to connect",
             [r for r in whole if not 0 < r["connect_ns"] < r["duration_ns"] < 60e9], [])
        cut = [r for r in mine if r[end] in talked["aborted"]]
        same(f"{role}: aborted", len(cut), ABORTED * nr)
        same(f"{role}: aborted bytes", {(r["bytes_in"], r["bytes_out"]) for r in cut},
             {(0, 1) if role == "client" else (1, 0)})
        same(f"{role}: aborted error", {r.get("error") for r in cut},
             {None} if role == "client" else {"ECONNRESET"})
        old = [r for r in mine if r[end] == client["old"]]
        same(f"{role}: old", [(r.get("role"), r["bytes_in"], r["bytes_out"], r["duration_ns"])
                              for r in old],
             [(None, OLD_ANSWERED, OLD_ASKED, 0) if role == "client" else
              (None, OLD_ASKED, OLD_ANSWERED, 0)])
    refused = [r for r in rows if r["dport"] == CLOSED]
    same("refused", len(refused), REFUSED * nr)
    same("refused: how", {(r.get("error"), r["state"], r["connect_ns"]) for r in refused},
         {("ECONNREFUSED", "SYN-SENT", 0)})
    same("all", len(rows), nr * (2 * WHOLE + REFUSED + 2 * ABORTED) + 2)


def check_states(client, talked, nr):
    rows = told("tcpstates.out", (client["pid"],))
    sockets = {}
    for r in rows:
        sockets.setdefault(r["socket"], []).append(r)
    same("sockets", len(sockets), nr * (WHOLE + REFUSED + ABORTED) + 1)
    ways = {}
    for steps in sockets.values():
        way = " ".join([steps[0]["from"]] + [s["to"] for s in steps])
        same("each begins where the last ended",
             [a["to"] for a in steps[:-1]], [b["from"] for b in steps[1:]])
        if steps[-1]["sport"] != client["old"]:
            same("times", [s["held_ns"] > 0 for s in steps], [False] + [True] * (len(steps) - 1))
        ways[way] = ways.get(way, 0) + 1
    same("refused", ways.get("CLOSE SYN-SENT CLOSE"), nr * REFUSED)
    same("aborted", ways.get("CLOSE SYN-SENT ESTABLISHED CLOSE"), nr * ABORTED)
    same("whole", sum(n for w, n in ways.items() if w.startswith("CLOSE SYN-SENT ESTABLISHED FIN")
                      and w.endswith(" CLOSE")), nr * WHOLE)


def check_resets(client, talked, nr, out_rsts):
    rows = lines("resets.out")
    same("resets: dropped", rows[-1]["dropped"], 0)
    rows = [r for r in rows[:-1] if r["sport"] in (PORT, CLOSED) or r["dport"] in (PORT, CLOSED)]
    out = [r for r in rows if r["direction"] == "out"]
    same("sent, as the kernel counts them", len(out), out_rsts)
    closed = [r for r in out if r["sport"] == CLOSED]
    same("of no socket", len(closed), nr * REFUSED)
    same("state of no socket", {r.get("state") for r in closed}, {None})
    same("why", {r["reason"] for r in closed}, {"NO_SOCKET"})
    same("nobody's", {r.get("pid") for r in closed}, {None})
    cut = [r for r in out if r["dport"] == PORT]
    same("of who aborts", len(cut), nr * ABORTED)
    same("whose", {r["pid"] for r in cut}, {client["pid"]})
    same("ports", {r["sport"] for r in cut}, set(talked["aborted"]))
    came = [(r["state"], r["dport"]) for r in rows if r["direction"] == "in"]
    same("received by who connects", came.count(("SYN-SENT", CLOSED)), nr * REFUSED)
    same("received by the server", sum(r["direction"] == "in" and r["sport"] == PORT
                                       for r in rows), nr * ABORTED)


def check(nr, out_rsts):
    client, talked = lines("client.out")
    server, = lines("server.out")
    same("refused", talked["refused"], REFUSED * int(nr))
    check_life(client, server, talked, int(nr))
    check_states(client, talked, int(nr))
    check_resets(client, talked, int(nr), int(out_rsts))
    sys.exit(bool(bad))


def again(address, port, size):
    """Sends that much to an end that lost its hearing, waits until it has it back."""
    s = socket.create_connection((address, int(port)))
    facts(sport=s.getsockname()[1], pid=os.getpid())
    while not os.path.exists("deaf"):
        time.sleep(0.01)
    s.sendall(b"z" * int(size))
    s.shutdown(socket.SHUT_WR)
    while s.recv(1):
        pass


{"serve": serve, "talk": talk, "check": check, "again": again}[sys.argv[1]](*sys.argv[2:])
