#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   sockets of all states in two namespaces; beside them ss.
# Out:  whether listen and sockets tell the same set, each once a process.
# Owns: two namespaces, its processes.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:a1 rx:b1 net=10.77.6 ipv6 || fail "no veth pair"
ip -n tx addr add fd77:6::1/64 dev a1 nodad
ip -n rx addr add fd77:6::2/64 dev b1 nodad

ns_bg rx server python3 -c '
import os, socket, time
keep = []
def listen(family, address, backlog, accept=0):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(address)
    s.listen(backlog)
    keep.append(s)
    return s
busy = listen(socket.AF_INET, ("10.77.6.2", 5001), 17)
listen(socket.AF_INET6, ("fd77:6::2", 5002), 1)
listen(socket.AF_INET, ("0.0.0.0", 5003), 4)
listen(socket.AF_INET6, ("::", 5004), 7)
keep.append([os.dup(busy.fileno()) for _ in range(5)])
for family, address in ((socket.AF_INET, ("0.0.0.0", 5005)), (socket.AF_INET6, ("::", 5006)),
                        (socket.AF_INET, ("10.77.6.2", 5007))):
    u = socket.socket(family, socket.SOCK_DGRAM)
    u.bind(address)
    keep.append(u)
keep.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))   # bound to nothing
keep.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
print("ready", flush=True)
keep.append([keep[1].accept()[0] for _ in range(2)])
print("accepted", flush=True)
if not os.fork():
    time.sleep(60)
time.sleep(60)'
wait_for server.out ready || exit 1
ns_bg tx client python3 -c '
import socket, time
keep = []
for _ in range(3):                  # nobody accepts them
    keep.append(socket.create_connection(("10.77.6.2", 5001)))
keep[0].send(b"x" * 1009)
for _ in range(2):
    keep.append(socket.create_connection(("fd77:6::2", 5002)))
keep[3].send(b"x" * 1013)
keep[4].shutdown(socket.SHUT_WR)    # FIN-WAIT-2, CLOSE-WAIT
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("10.77.6.2", 5005))
u.send(b"x" * 101)
n = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
n.setblocking(False)
n.connect_ex(("10.77.6.77", 9))     # SYN-SENT: nobody has that address
print("ready", flush=True)
time.sleep(60)'
wait_for client.out ready || exit 1
wait_for server.out accepted || exit 1
sleep 0.2

for probe in listen sockets; do
	xcap probe $probe --json >$probe.out 2>$probe.err || fail "$probe: $(cat $probe.err)"
done
for where in tx rx; do
	ns "$where" ss -HOtunap
done >ss.out
python3 - "${NS_PIDS[server]}" "${NS_PIDS[client]}" <<'P' || exit 1
import json, re, sys

server, client = sys.argv[1:]

def split(address):
    host, _, port = address.rpartition(":")
    host = host.strip("[]").split("%")[0]
    return ("*" if host in ("*", "0.0.0.0", "::", "") else host), int(port.replace("*", "0"))

theirs = {"listen": [], "sockets": []}
children = set()
for line in open("ss.out"):
    net, state, rx, tx, local, peer, *users = line.split(None, 6)
    for pid in set(re.findall(r"pid=(\d+)", users[0] if users else "")):
        children.add(pid)
        state = {"ESTAB": "ESTABLISHED"}.get(state, state)
        if state in ("LISTEN", "UNCONN"):
            queue = (int(rx), int(tx)) if state == "LISTEN" else (0, 0)
            theirs["listen"].append((pid, net.upper(), *split(local), *queue))
        else:
            theirs["sockets"].append((pid, net.upper(), state, *split(local), *split(peer),
                                      int(rx), int(tx)))
ours = {"listen": [], "sockets": []}
for probe in ours:
    *lines, summary = map(json.loads, open(probe + ".out"))
    if summary["events"] != len(lines) or summary["dropped"]:
        sys.exit(f"{probe}: {summary}, {len(lines)} lines")
    for l in lines:
        if str(l["pid"]) not in children:
            continue
        if l["comm"] != "python3":
            sys.exit(f"{probe}: of whom is {l}")
        head = str(l["pid"]), l["proto"]
        l["saddr"] = "*" if l["saddr"] == "0.0.0.0" else l["saddr"]
        if probe == "listen":
            ours[probe].append((*head, l["saddr"], l["sport"], l["backlog"], l["max_backlog"]))
        else:
            ours[probe].append((*head, l["state"], l["saddr"], l["sport"], l["daddr"], l["dport"],
                                l["rx_queue_bytes"], l["tx_queue_bytes"]))
            if l["dport"] == 5002 and l["state"] == "ESTABLISHED" and l["bytes_out"] != 1013:
                sys.exit(f"sockets: 1013 bytes were sent, not those of {l}")
for probe in ours:
    if sorted(ours[probe]) != sorted(theirs[probe]):
        sys.exit(f"{probe} and ss differ:\n" +
                 "\n".join(map(str, sorted(ours[probe]))) + "\nss:\n" +
                 "\n".join(map(str, sorted(theirs[probe]))))
if not {server, client} <= children or len(ours["listen"]) != 14 or len(ours["sockets"]) != 11:
    sys.exit(f"who is there? {ours}")
states = {s[2] for s in ours["sockets"]}
if states != {"ESTABLISHED", "FIN-WAIT-2", "CLOSE-WAIT", "SYN-SENT"}:
    sys.exit(f"states: {states}")
if (server, "TCP", "10.77.6.2", 5001, 3, 17) not in ours["listen"]:
    sys.exit(f"three wait to be accepted: {ours['listen']}")
P
exit 0
