#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   queue_chaos.py MASTER SENDER CLUSTER SEED SECONDS ROLES; pids, and which queue has which
      reader, as JSON: honest, chaos, next (who hands on, to whom), end (number of queues).
Out:  exit 0 when nothing was wrong; else what was.
Owns: the readers.
Runs on: a thread for each queue.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

MASTER, SENDER, CLUSTER, SEED, SECONDS = (int(a) for a in sys.argv[1:6])
ROLES = json.loads(sys.argv[6])
PARTS = ("delivered", "filtered", "dropped", "no_reader", "unread", "backlog")
MORE_KIB = 24 << 10     # that the master's own memory may grow by, after a while
wrong = []
counts = {"ended": 0, "killed": 0, "polled": 0}
over = threading.Event()


def complain(text):
    wrong.append(text)
    print("not so:", text, file=sys.stderr)


def status():
    out = subprocess.run(["xcap", "balance", "-c", str(CLUSTER), "--stats", "--json"],
                         capture_output=True, text=True, timeout=20)
    if out.returncode:
        complain(f"status: {out.stderr}")
        return None
    return json.loads(out.stdout)


def check(s, at_rest=False):
    """What holds at every moment."""
    counts["polled"] += 1
    frames = s["frames"]
    held = frames["total"] - frames["free"] - frames["names"]
    readers = sum("pid" in q for q in s["queues"])
    if not 0 <= held <= readers * s["slots"] or (at_rest and (held or frames["kept"])):
        complain(f"{readers} readers hold {held} frames: {frames}")
    for q in s["queues"]:
        if q["seen"] != sum(q[p] for p in PARTS) or not 0 <= q["backlog"] <= s["slots"] or \
           ("pid" not in q and q["backlog"]):
            complain(f"books of a queue: {q}")


def wait_free(queue):
    """The status, once nobody reads the queue: who was killed is noticed a moment later."""
    for _ in range(100):
        s = status()
        if not s:
            return None
        check(s)
        if "pid" not in s["queues"][queue]:
            return s["queues"][queue]
        time.sleep(0.05)
    complain(f"queue {queue} still has a reader")
    return None


def start(queue, *options):
    spec = f"xcap:{CLUSTER}@{queue}"
    if queue == ROLES["next"][0]:
        spec += f"?next={ROLES['next'][1]}"
        options += ("-o",)
    return subprocess.Popen(["queue_reader", *options, spec], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(reader, queue):
    """Its account, when it was told to end."""
    reader.send_signal(signal.SIGINT)
    try:
        out, err = reader.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        reader.kill()
        complain(f"the reader of queue {queue} does not end")
        return None
    if reader.returncode or not out:
        complain(f"the reader of queue {queue}: exit {reader.returncode}, {err}")
        return None
    a = json.loads(out)
    if a["seen"] != a["delivered"] + a["filtered"] + a["dropped"] or a["steps_back"]:
        complain(f"books of the reader of queue {queue}: {a}")
    return a


def chaos(queue, rng):
    """Readers of one queue, one after the other, until time is up."""
    while not over.is_set():
        before = wait_free(queue)
        if not before:
            return
        slow = ("-d", str(rng.choice((2000, 20000)))) if rng.random() < 0.3 else ()
        reader = start(queue, *slow)
        over.wait(rng.random() ** 3 * 3)
        if rng.random() < 0.6:
            reader.kill()
            reader.communicate()
            counts["killed"] += 1
            continue
        reader.stderr.readline()        # it reads: else there is nobody yet to be told
        account = ended(reader, queue)
        after = wait_free(queue)
        if not account or not after:
            return
        counts["ended"] += 1
        if after["delivered"] - before["delivered"] != account["delivered"]:
            complain(f"queue {queue}: the master delivered from {before} to {after}, "
                     f"and the reader got {account}")


def check_honest(a, sent):
    """A number that is not there was lost at a place that says so."""
    lost = sent - a["first"] - a["distinct"]
    upstream = sum(n for place, n in a["told"].items() if place.startswith("xsk") or
                   place in ("held", "redirect"))
    if a["first"] < 0 or a["backwards"] or a["last"] >= sent:
        complain(f"the reader that stays: {sent} were sent: {a}")
    if lost != a["dropped"] + upstream or a["told"]["queue"] != a["dropped"]:
        complain(f"the reader that stays missed {lost}, and {a['dropped']} + {upstream} were "
                 f"lost: {a}")
    print(f"the reader that stays got {a['distinct']}, missed {lost}")


def memory_kib():
    with open(f"/proc/{MASTER}/status", encoding="ascii") as f:
        return int(re.search(r"RssAnon:\s*(\d+)", f.read()).group(1))


def nr_fds():
    return len(os.listdir(f"/proc/{MASTER}/fd"))


def run():
    rng = random.Random(SEED)
    fds = nr_fds()
    packets = subprocess.run(["xcap", "balance", "-c", str(CLUSTER), "--queue-filter",
                              f"{ROLES['honest']}:evt.type=packet and src net 198.18.0.0/24"])
    if packets.returncode:
        complain("the queue's filter was refused")
    honest = start(ROLES["honest"])
    honest.stderr.readline()
    threads = [threading.Thread(target=chaos, args=(q, random.Random(rng.random())))
               for q in ROLES["chaos"]]
    for t in threads:
        t.start()
    end = time.monotonic() + SECONDS
    kib = None
    while time.monotonic() < end:
        time.sleep(0.3)
        s = status()
        if not s:
            break
        check(s)
        if kib is None and time.monotonic() > end - SECONDS * 2 / 3:
            kib = memory_kib()
    while os.path.exists(f"/proc/{SENDER}/exe"):   # it is our parent's to wait for
        try:
            os.readlink(f"/proc/{SENDER}/exe")
        except OSError:
            break
        time.sleep(0.1)
    over.set()
    for t in threads:
        t.join()
    time.sleep(1)
    account = ended(honest, ROLES["honest"])
    if account:
        with open("send.out", encoding="ascii") as f:
            check_honest(account, json.loads(f.readline())["sent"])
    for q in range(ROLES["end"]):
        wait_free(q)
    s = status()
    check(s, at_rest=True)
    if s["queues"][ROLES["next"][0]]["handed_on"] != s["queues"][ROLES["next"][1]]["seen"]:
        complain(f"what was handed on is not what the next queue has seen: {s}")
    if memory_kib() > kib + MORE_KIB:
        complain(f"the master grew from {kib} to {memory_kib()} KiB")
    time.sleep(0.2)
    if nr_fds() > fds + 3:      # of the thread that closes sockets: a pipe; and one in passing
        complain(f"the master had {fds} descriptors and has {nr_fds()}")
    print(f"readers: {counts['ended']} ended, {counts['killed']} killed; {counts['polled']} looks;"
          f" kept ever {s['frames']['kept_ever']}, copied {s['frames']['copied_ever']}")


try:
    run()
finally:
    over.set()
sys.exit(bool(wrong))
