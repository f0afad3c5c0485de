#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap top on a terminal, and frames of known numbers on a veth pair.
# Out:  whether it counts each, stands still, records, filters and names hosts; and whether the
#       terminal is as it was after signals and faults.
# Owns: its namespaces, and a tmux server in one of them.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
. "$TOP/tests/lib/tmux.sh"

ns_pair tx:veth0 rx:veth1 gro || fail "no veth pair"
send() {
	ns tx txgen -i veth0 -n "$1" --rate 20000 >sent || fail "txgen"
}

# begin ARGS...: on a terminal that tells how it was before and is afterwards
begin() {
	rm -f before after
	terminal 80 24 "stty -a >before; nsenter --net=/run/netns/rx xcap top $*; echo code \$?; stty -a >after"
	shows 'HISTORY'
	pid=$(tm display-message -p '#{pane_pid}')
	pid=$(cat "/proc/$pid/task/$pid/children")
	pid=${pid% }
	[ "$(cat "/proc/$pid/comm")" = xcap ] || fail "xcap is not what runs there: $(cat "/proc/$pid/comm")"
}
# as_it_was CODE: the terminal, and the exit code
as_it_was() {
	shows "^code $1\$"
	wait_for after . && cmp before after || fail "the terminal has other settings"
	[ "$(tm display-message -p '#{alternate_on}#{cursor_flag}')" = 01 ] ||
		fail "the terminal shows another screen, or no cursor"
	[ -e "/proc/$pid" ] && fail "it still runs"
	terminal_end
}

printf '10.0.0.1 one.example\n10.0.0.2 \033[31mtwo\n' >hosts
mount --bind hosts /etc/hosts || fail "no hosts"

begin -q -d 0.2 -i tap:veth1 -V host
send 1009
shows 'dropped 0  seen 1009  delivered 1009'
shows ' 60\.[0-9]k'
src=$(screen | awk '/\]$/ { next } /^[0-9]+\./ { print $1; exit }')
[ "$src" ] || fail "no host: $(screen)"
total=$(screen | awk -v h="$src" '$1 == h { print $6 }')
keys n			# what has no name stays, and nobody waits for it
shows "^$src"
keys n p
shows '\[frozen\]'
send 1013
shows 'seen 2022  delivered 2022'
shows '\[frozen\]'
[ "$(screen | awk -v h="$src" '$1 == h { print $6 }')" = "$total" ] || fail "it does not stand still"
keys Space
for ((i = 0; i < 60; i++)); do
	[ "$(screen | awk -v h="$src" '$1 == h { print $6 }')" != "$total" ] && break
	sleep 0.05
done
[ "$i" -lt 60 ] || fail "it does not go on"

keys w C-u
types r.pcapng
keys Enter
shows '^recording, 0 records: r.pcapng'
send 1019
shows '^recording, 1019 records'
keys w
shows '^1019 records are in r.pcapng'
[ "$(xcap dump -q -r r.pcapng 2>/dev/null | wc -l)" = 1019 ] || fail "not all were recorded"

keys f
types 'src host 10.99.99.99'
keys Enter
shows '  filter: src host 10.99.99.99'
send 1021
shows 'filtered 1021'
keys f C-u
types 'port nosuchport'
keys Enter
shows "nosuchport"
shows '  filter: src host 10.99.99.99'
keys f C-u Enter
shows 'there is no filter any more'
send 1031
shows 'dropped 0  seen 5093  delivered 4072  filtered 1021'
keys Enter
shows 'from now on'
send 1033
shows 'seen 6126'
shows '^198.18.*:7777.*[1-9]k'
kill -TERM "$pid"
as_it_was 0

# a fault of ours; and what nobody can catch leaves nothing attached
begin -q -i tap:veth1
kill -SEGV "$pid"
as_it_was 139
begin -q -i tap:veth1
kill -KILL "$pid"
shows 'Killed'
terminal_end

# without -i: what there is, and it says so
begin -d 0.2 -V interface
send 1039
shows '^veth1 '
shows '^syscalls '
keys q
as_it_was 0
ns rx timeout 3 xcap top -b -n 1 -d 0.2 2>err >out || fail "$(cat err)"
grep -q '^xcap: no -i: copies of 2 interfaces that are up, 128 bytes' err || fail "$(cat err)"
grep -qE '^PROCESS \([0-9]+\)' out || fail "$(cat out)"

# an end before the first interval is over: what there was, and of how long
ns_bg rx batch xcap top -b -d 600 -i tap:veth1 -V interface --json
wait_for batch.err '^xcap: capturing' || exit 1
send 1049
stop batch || fail "top -b: $(cat batch.err)"
python3 -c 'import json
o, = map(json.loads, open("batch.out"))
assert o["last"] == o["total"] and o["total"]["packets_in"] == 1049, o
assert 0 < float(o["interval"]) < 599 and o["age"] == o["interval"], o' || fail "$(cat batch.out batch.err)"

# the names that hosts have, whatever is in them
make_top top.pcapng 1
begin -q --fast --names -i file:top.pcapng -V host
shows '^one.example '
shows '10\.0\.0\.2|two|10\.0\.0\.7'
keys q
as_it_was 0

# what comes by a pipe, with keys from the terminal
terminal 80 24 'cat top.pcapng | xcap top -q -i - -V flow; echo code $?'
shows '\[ended\]'
shows '^10.0.0.1:443 > 10.0.0.7:51122 tcp +30 '
keys 8; shows '> host$'
keys q; shows '^code 0$'
terminal_end

# no terminal, or one that nobody knows
for term in '' nosuchterm; do
	terminal 80 24 "TERM=$term; export TERM; xcap top -i file:top.pcapng; echo code \$?"
	shows '^code 2$'
	shows 'needs a terminal'
	terminal_end
done
echo "all counted, and the terminal is as it was"
