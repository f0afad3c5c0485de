# SPDX-License-Identifier: BSD-2-Clause
"""
In:   "serve": addresses to answer queries at; "ask": queries of all kinds, and garbage; "check":
      what the probe told of them.
Out:  facts as JSON lines; complaints, and exit 1.
Owns: its sockets.
Runs on: tests/net/probe_dns.sh.
"""
import json
import os
import random
import socket
import struct
import sys
import threading
import time

SERVER4, SERVER6, LOCAL, DOCKER = "10.77.43.2", "fd77:43::2", "127.0.0.53", "127.0.0.11"
MOVED = 5353                            # where the packets to DOCKER go
UDP, NX, BIG, DEAD, PIPELINED, GARBAGE = 31, 7, 5, 3, 5, 499
FLOOD, TABLE = 4999, 4096               # queries; what there is room for while they wait
HEADER = ">HHHHHH"


def facts(**what):
    print(json.dumps(what), flush=True)


def query(name, qtype=1, ident=7):
    labels = name if isinstance(name, list) else name.encode().split(b".")
    wire = b"".join(bytes([len(part)]) + part for part in labels) + b"\0"
    return struct.pack(HEADER, ident, 0x100, 1, 0, 0, 0) + wire + struct.pack(">HH", qtype, 1)


def answer(asked):
    """nx... does not exist, big... has seventeen long records, dead... and flood... get nothing."""
    end = asked.index(b"\0", 12) + 5
    kind = asked[13:13 + asked[12]]
    if kind.startswith((b"dead", b"flood")) or end > len(asked):
        return None
    records = b""
    if kind.startswith(b"big"):
        records = 17 * (b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 60, 201) + b"\xc8" + 200 * b"x")
    code = 3 if kind.startswith(b"nx") else 0
    flags = 0x8180 | code | (0x200 if kind.startswith(b"cut") else 0)
    return struct.pack(HEADER, int.from_bytes(asked[:2], "big"), flags, 1,
                       17 if records else 0, 0, 0) + asked[12:end] + records


def serve_udp(s):
    late = 0
    while True:
        asked, who = s.recvfrom(4096)
        try:
            reply = answer(asked)
        except (ValueError, IndexError):    # garbage
            reply = None
        if asked[13:17] == b"late":         # only who asks again gets an answer, and slowly
            late += 1
            if late == 2:
                threading.Timer(1.7, s.sendto, (reply, who)).start()
        elif reply:
            s.sendto(reply, who)


def serve_tcp(s):
    while True:
        c = s.accept()[0]
        while asked := c.recv(4096):
            out = b""
            while asked:
                size = 2 + int.from_bytes(asked[:2], "big")
                reply = answer(asked[2:size])
                out += struct.pack(">H", len(reply)) + reply
                asked = asked[size:]
            c.sendall(out)


def serve(*addresses):
    for where in addresses:
        address, port = where.split("@")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((address, int(port)))
        threading.Thread(target=serve_udp, args=(s,), daemon=True).start()
        s = socket.create_server((address, int(port)), family=family)
        threading.Thread(target=serve_tcp, args=(s,), daemon=True).start()
    facts(pid=os.getpid())
    threading.Event().wait()


def talk(server, *asked, connected=True):
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        if connected:
            s.connect((server, 53))
        for q in asked:
            s.send(q) if connected else s.sendto(q, (server, 53))
        for _ in asked:
            s.recv(65535)


def garbage(server):
    """What may be a query and what is none; told is what has the head of one."""
    chance = random.Random(1)
    told = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for ident in range(GARBAGE):
            head = struct.pack(HEADER, ident, chance.choice((0, 0x8000, 0x0800, 0x100)),
                               chance.choice((0, 1, 1, 2, 0xffff)), 0, 0, 0)
            body = chance.choice((
                b"", b"\xc0\x0c", b"\x3f", 300 * b"\x01a", 260 * b"\x3f", b"\xff" * 99,
                b"\x04dead\xc0\x0c\0\1\0\1", b"\x05dead\0\0\0\1\0\1", b"\x04dead\0\0",
                chance.randbytes(chance.randrange(600))))
            body = body if body[1:5] == b"dead" else b"\x04dead"[:len(body)] + body[5:]
            data = (head + body)[:chance.choice((3, 11, 12, 13, 9999, 9999, 9999))]
            s.sendto(data, (server, 53))
            told += len(data) >= 12 and data[2] in (0, 1) and data[4:6] == b"\0\1"
        s.sendto(b"", (server, 53))
    return told


def ask_again():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect((SERVER4, 53))
        s.send(query("late.example.com"))
        time.sleep(4)
        s.send(query("late.example.com"))
        s.recv(65535)


def ask():
    threading.Thread(target=ask_again, daemon=True).start()
    for i in range(UDP):
        talk(SERVER4, query(f"udp{i}.example.com", (1, 28, 65, 1234)[i % 4], i), connected=i % 2)
        talk(SERVER6, query(f"six{i}.example.com", 28, i))
    for i in range(NX):
        talk(LOCAL, query(f"nx{i}.example.com", 15, i))
        talk(DOCKER, query(f"docker{i}.example.com", 1, i))
    for i in range(BIG):
        talk(SERVER4, query(f"big{i}.example.com", 16, i))
        talk(SERVER6, query(f"big{i}.example.com", 16, i))
    talk(SERVER4, query("cut.example.com"))
    # two at once, and names that are none of a person
    talk(SERVER4, query("both.example.com", 1, 1), query("both.example.com", 28, 2))
    talk(SERVER4, query([b"a.b", b"\n\"\\\x1b[31m\xff", b"c"], 16))
    talk(SERVER4, query([63 * b"x", 63 * b"y", 63 * b"\x01", 61 * b"\xff"], 16))
    talk(SERVER4, struct.pack(HEADER, 1, 0x100, 1, 0, 0, 0) + b"\0\0\2\0\1")
    with socket.create_connection((SERVER4, 53)) as s:
        asked = [query(f"tcp{i}.example.com", 1, i) for i in range(PIPELINED)]
        s.sendall(b"".join(struct.pack(">H", len(q)) + q for q in asked))
        size = sum(len(q) + 2 for q in asked)
        while size:
            size -= len(s.recv(size))
    lonely = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    lonely.connect((SERVER4, 53))
    for i in range(DEAD):
        for _ in range(3):              # it asks again: still the same query
            lonely.send(query(f"dead{i}.example.com", 1, i))
    rubbish = garbage(SERVER4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(FLOOD):
            s.sendto(query("flood.example.com", 1, i), (SERVER4, 53))
    facts(pid=os.getpid(), garbage=rubbish)
    while os.path.exists("go"):
        time.sleep(0.01)


# ---- what the probe told ----

def check(glibc_pid, calls):
    with open("ask.out", encoding="utf-8") as f:
        said = json.loads(f.read())
    with open("dns.out", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    bad = []

    def same(what, is_, wanted):
        if is_ != wanted:
            bad.append(f"{what}: {is_}, should be {wanted}")

    mine = [r for r in rows if r.get("pid") == said["pid"]]
    flood = [r for r in mine if r["qname"] == "flood.example.com"]
    mine = [r for r in mine if r["qname"] != "flood.example.com"]
    # others of this host may ask, too
    same("flood", TABLE - DEAD - said["garbage"] - 100 < len(flood) <= TABLE, True)
    same("no room", 0 <= rows[-1]["dropped"] - (FLOOD - len(flood)) < 100, True)

    def of(name):
        return [r for r in mine if r["qname"].startswith(name)]

    def told(name, n, **wanted):
        got = of(name)
        same(f"{name}: how many", len(got), n)
        for key, value in wanted.items():
            same(f"{name}: {key}", {r[key] for r in got}, {value})
        same(f"{name}: each once", len({(r["qname"], r["daddr"], r["qtype"]) for r in got}), n)

    told("udp", UDP, rcode="NOERROR", daddr=SERVER4, dport=53, protocol="UDP", saddr="10.77.42.1")
    same("types", [r["qtype"] for r in of("udp")][:4], ["A", "AAAA", "HTTPS", "TYPE1234"])
    told("six", UDP, rcode="NOERROR", daddr=SERVER6, qtype="AAAA", saddr="fd77:42::1")
    told("nx", NX, rcode="NXDOMAIN", daddr=LOCAL, qtype="MX")
    told("docker", NX, rcode="NOERROR", daddr=DOCKER, dport=53)
    told("big", 2 * BIG, rcode="NOERROR", answers=17, qtype="TXT")
    told("cut", 1, truncated=1)
    told("both", 2, rcode="NOERROR")
    told("tcp", PIPELINED, rcode="NOERROR", protocol="TCP")
    same("dead", sorted((r["qname"], r["rcode"]) for r in of("dead") if "example" in r["qname"]),
         [(f"dead{i}.example.com", "TIMEOUT") for i in range(DEAD)])
    told("a\\.b", 1, qname='a\\.b.\\010\\"\\\\\\027[31m\\255.c', rcode="NOERROR")
    told("xxx", 1, rcode="NOERROR")
    same("root", [(r["qtype"], r["rcode"]) for r in mine if r["qname"] == "."],
         [("NS", "NOERROR")])
    same("garbage", len([r for r in mine if r["rcode"] == "TIMEOUT"]), DEAD + said["garbage"])
    same("the kinds", {r["type"] for r in rows if "type" in r}, {"loss", "summary"})
    late = [r["latency_ns"] for r in mine if r["rcode"] == "TIMEOUT"]
    same("patience", [n for n in late if not 5e9 <= n < 8e9], [])
    told("late", 1, rcode="NOERROR")
    same("late", [r["latency_ns"] > 5.5e9 for r in of("late")], [True])
    soon = [r["latency_ns"] for r in mine if r["rcode"] != "TIMEOUT" and r not in of("late")]
    same("latency", [n for n in soon if not 0 < n < 5e9], [])
    glibc = [r for r in rows if r.get("pid") == int(glibc_pid)]
    same("glibc's", sorted((r["qname"], r["qtype"]) for r in glibc),
         sorted((f"name{i}.example.com", t) for i in range(int(calls)) for t in ("A", "AAAA")))
    compare(rows, same)
    print("\n".join(bad))
    sys.exit(bool(bad))


def compare(rows, same):
    """tshark saw the same answers on the wire that client and server share."""
    with open("tshark.out", encoding="utf-8") as f:
        wire = [line.rstrip("\n").split("\t") for line in f]
    wire = sorted((int(i, 16), name, int(code), 1e9 * float(t)) for i, name, code, t in wire
                  if name.startswith("udp"))
    here = sorted((r["id"], r["qname"], {"NOERROR": 0}.get(r["rcode"]), r["latency_ns"])
                  for r in rows if r.get("qname", "").startswith("udp"))
    same("as tshark has it", [r[:3] for r in here], [w[:3] for w in wire])
    # both stamp at the device, but a host that is busy may do something in between
    near = sum(abs(h[3] - w[3]) < 5e6 for h, w in zip(here, wire))
    same("times as tshark has them", near > UDP // 2, True)


{"serve": serve, "ask": ask, "check": check}[sys.argv[1]](*sys.argv[2:])
