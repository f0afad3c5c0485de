#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a connection that a child takes over while the capture cannot read, and its ring for
#       messages about sockets is full.
# Out:  whether what the child sends is anybody's but the child's; and whether it is known again
#       with the next call.
# Owns: nothing.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

cat >talk.py <<'END'
import os, signal, socket, sys, time
capture = int(sys.argv[1])
server = socket.create_server(("127.0.0.1", 7001))
near = socket.create_connection(("127.0.0.1", 7001))
far = server.accept()[0]
near.sendall(b"parent")
far.recv(100)
time.sleep(0.3)
os.kill(capture, signal.SIGSTOP)
for _ in range(1200):
    if not os.fork():
        os._exit(0)
    os.wait()
go, come = os.pipe(), os.pipe()
child = os.fork()
if not child:
    near.sendall(b"missed")		# nobody hears of that
    os.write(come[1], b"x")
    os.read(go[0], 1)
    near.sendall(b"seen")
    os._exit(0)
os.read(come[0], 1)
os.kill(capture, signal.SIGCONT)
time.sleep(1)
os.write(go[1], b"x")
os.waitpid(child, 0)
print(os.getpid(), child)
END
ns_bg '' capture xcap dump --json --ring 64k -i tap:lo tcp port 7001
wait_for capture.err '^xcap: capturing' || exit 1
ids=$(python3 talk.py "${NS_PIDS[capture]}") || fail "nobody talks"
sleep 0.3
stop capture || fail "exit $?: $(cat capture.err)"
grep -q 'messages about tasks and sockets lost' capture.err || fail "none was lost: $(cat capture.err)"
# shellcheck disable=SC2086
python3 - $ids <<'END' || exit 1
import json, sys
parent, child = map(int, sys.argv[1:])
sent = [(r["payload_len"], r.get("pid")) for r in map(json.loads, open("capture.out"))
        if r.get("payload_len")]
print("parent", parent, "child", child, "sent", sent)
sys.exit(sent != [(6, parent), (6, None), (4, child)])
END
