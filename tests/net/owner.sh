#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# In:   1,000 TCP and 1,000 UDP exchanges of 50 processes, a server that forks for each connection,
#       connections older than the capture; captured at both ends.
# Out:  whether packets name their process: 99.5 % of them the right one, none a wrong one.
# Owns: its namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

load=$TOP/tests/lib/owner_load.py
ns_pair left:veth0 right:veth1 net=10.77.7 || fail "no veth pair"
ns_bg right server python3 "$load" serve 10.77.7.2
wait_for server.out '"role": "listener"' || exit 1
wait_for server.out '"role": "udp"' || exit 1
ns_bg left clients python3 "$load" clients 10.77.7.2 50 20
wait_for clients.out '"open"' || exit 1
ns_bg left near xcap dump -i tap:veth0 --json
ns_bg right far xcap dump -i tap:veth1 --json
wait_for near.err '^xcap: capturing' || exit 1
wait_for far.err '^xcap: capturing' || exit 1
touch go
finished clients 120 || fail "a client failed"
sleep 1
stop near || fail "xcap dump ended with $?"
stop far || fail "xcap dump ended with $?"
stop server KILL
python3 "$TOP/tests/lib/owner_check.py" client near.out clients.out || exit 1
python3 "$TOP/tests/lib/owner_check.py" server far.out server.out
