#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap dump -- COMMAND and -p PID in pid namespaces of their own, where numbers of processes
#       are others than those in records.
# Out:  whether the right process is followed, and no other.
# Owns: the namespaces, which end with the commands.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

# inside SCRIPT: by sh, as the first process of a pid namespace, its /proc as well
inside() {
	setpriv --pdeathsig KILL unshare -p -f --mount-proc --kill-child sh -c "$1"
}

# comms: who made the calls in out
comms() {
	grep -o '"comm":"[^"]*"' out | sort -u | paste -sd' '
}

inside 'exec 3>err; xcap dump -q --json -i "syscalls?only=getppid,execve,write" -- \
	sh -c "echo one | cat; exit 3" >out 2>&3'
[ $? = 3 ] || fail "-- COMMAND: the exit code is not the command's: $(cat err)"
grep -q '"name":"write"' out || fail "-- COMMAND: no call of it: $(cat err out)"
[ "$(comms)" = '"comm":"cat" "comm":"sh" "comm":"xcap-starts"' ] || fail "-- COMMAND: calls of $(comms)"

# two levels down, and a number that here is another's
cat >others.sh <<'END'
waits() {
	until [ -e go ]; do sleep 0.1; done
	echo "$1" >/dev/null
	sleep 0.2
}
waits two & wanted=$!
waits three &
xcap dump --json -p $wanted -i 'syscalls?only=write' >out 2>err &
capture=$!
until grep -q '^xcap: capturing' err || ! kill -0 $capture; do sleep 0.1; done
: >go
wait $capture
echo $? >code
END
inside 'unshare -p -f --mount-proc --kill-child sh others.sh'
[ "$(cat code)" = 0 ] || fail "-p: exit $(cat code): $(cat err)"
[ "$(grep -c '"buf":"two' out)" = 1 ] || fail "-p: $(cat err out)"
grep -q '"buf":"three' out && fail "-p: another's calls: $(cat out)"

inside 'xcap dump -q -p 4000000 -i syscalls >out 2>err; echo $? >code'
[ "$(cat code)" = 2 ] && grep -q 'there is no process 4000000' err ||
	fail "-p of nobody: exit $(cat code): $(cat err)"
echo "followed in pid namespaces"
