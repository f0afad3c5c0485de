#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# In:   commands under xcap dump -- COMMAND: children of all kinds, exchanges with who is no child,
#       ends of all kinds, while others do the same.
# Out:  whether their calls and packets are shown, all of them and no others; the command's
#       streams, exit code and rights are as without xcap.
# Owns: its namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

# dump WANTED-CODE OPTION... -- COMMAND...: records in records, standard error in err
dump() {
	local want=$1 code

	shift
	xcap dump -q "$@" >out 2>err </dev/null
	code=$?
	[ $code = "$want" ] || fail "$*: exit code $code and not $want: $(tail -5 err)"
}

# count FIELD=VALUE...: JSON records of out that have all these
count() {
	python3 - "$@" <<'EOF'
import json, sys
want = [w.split("=", 1) for w in sys.argv[1:]]
nr = 0
for line in open("out", encoding="utf-8", errors="replace"):
    if line.startswith("{"):
        r = json.loads(line)
        nr += all(str(r.get(k)) == v for k, v in want)
print(nr)
EOF
}

expect() {
	local want=$1 got

	shift
	got=$(count "$@")
	[ "$got" = "$want" ] || fail "$got and not $want records with $*: $(tail -6 err)"
}

# ---- exit codes, streams ----

dump 0 -w file -- true
dump 7 -w file -- sh -c 'exit 7'
# shellcheck disable=SC2016
dump 137 -w file -- sh -c 'kill -9 $$'
dump 143 -w file -- sh -c 'kill $$'
dump 127 -- ./nosuch
[ "$(cat err)" = 'xcap dump: ./nosuch: no such program' ] || fail "unknown command: $(cat err)"
dump 126 -- /dev/null
: >text && chmod +x text
dump 126 -w file -- ./text
grep -q 'cannot start ./text: Exec format error' err || fail "no program: $(cat err)"
dump 2 --
dump 2 -r file -- true
# a filter that is one only between our parentheses
for filter in 'tcp) or (udp' 'proc.pid=1) or (proc.pid=2' 'tcp) or syscall=read or (udp' ') or (' '(' ')' \
	"proc.name='a) or (b"; do
	dump 2 -i syscalls "$filter" -- sh -c 'echo ran >ran'
	[ -s err ] && [ ! -e ran ] || fail "the filter $filter is taken: $(cat err)"
	dump 2 -i syscalls -p $$ "$filter"
done
dump 0 -i syscalls '(proc.name=true) or (proc.name=none)' -- true
[ -s out ] || fail "parentheses of its own: $(cat err)"
dump 2 -w - -- true
dump 2 -i 'syscalls?nosuch=1' -- sh -c 'echo ran >ran'
[ ! -e ran ] || fail "the command runs without a capture"
echo in | xcap dump -q -w file -- sh -c 'cat; echo err >&2; exit 3' >out 2>err
[ $? = 3 ] && [ "$(cat out)" = in ] && [ "$(grep -c '^err$' err)" = 1 ] ||
	fail "the command's streams: $(cat out err)"
xcap dump -r file >records 2>err || fail "what -w wrote cannot be read: $(cat err)"
head -1 records | grep -q '> execve(' && grep '\] [<>] ' records | tail -1 | grep -q '> exit_group(' ||
	fail "the file is not from the first call to the last: $(head -1 records) $(tail -2 records)"
# the whole of the account is what is shown
dump 0 -- true
[ "$(wc -l <out)" = "$(sed -nE 's/^xcap: ([0-9]+) records.*/\1/p' err)" ] || fail "$(cat err)"

# ---- whose calls ----

ns_bg "" others sh -c 'while :; do guest calls 401; done'
# shellcheck disable=SC2016
dump 0 -i 'syscalls?only=getppid' --json proc.name=guest -- \
	sh -c 'guest calls 211 & (setsid guest calls 101 &) ; guest calls 307; wait; sleep 0.3'
expect 619 type=sys_enter
expect 619 type=sys_exit
expect 1238
# strace's count of the same, name by name
cat >many.sh <<'EOF'
i=0
while [ $i -lt 101 ]; do
	/bin/true
	i=$((i + 1))
done
(exec /bin/ls / | cat >/dev/null)
guest calls 53
EOF
strace -f -qq -e signal=none -o strace.out sh many.sh >strace.stdout </dev/null || fail "strace: $?"
dump 0 -i 'syscalls?switches=off' --json -- sh many.sh
grep -v '^{' out | grep -v '^[0-9]*$' && fail "the command wrote something else"
python3 - <<'EOF' || fail "not the calls that strace counts"
import collections, json, re, sys
strace, ours, exits = (collections.Counter() for _ in range(3))
for line in open("strace.out", encoding="utf-8", errors="replace"):
    m = re.match(r"\d+ +(\w+)\(", line)
    if m:
        strace[m[1]] += 1
for line in open("out", encoding="utf-8"):
    r = json.loads(line) if line.startswith("{") else {}
    if r.get("type") == "sys_enter":
        ours[r["name"]] += 1
    elif r.get("type") == "sys_exit":
        exits[r["name"]] += 1
bad = False
for name in sorted(strace | ours):
    # strace waits for children by signals that it holds back: how often is its own
    if strace[name] != ours[name] and name not in ("wait4", "rt_sigreturn", "restart_syscall"):
        bad = True
        print(name, "strace", strace[name], "xcap", ours[name])
# a fork comes back twice, an end never
for name in ours:
    times = {"exit_group": 0, "clone": 2, "clone3": 2, "vfork": 2}.get(name, 1)
    if exits[name] != times * ours[name]:
        bad = True
        print(name, ours[name], "entries", exits[name], "exits")
print(sum(ours.values()), "calls;", ours["exit_group"], "processes")
sys.exit(bad or ours["exit_group"] < 105)
EOF
python=$(python3 -c 'import sys; print(sys.executable)')	# the name may be a script's
# a brother, not a child: CLONE_PARENT; and a thread that outlives the first
cat >brother.py <<'EOF'
import ctypes, os, signal, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE_PARENT = 0x8000
pid = libc.syscall(56, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
if pid == 0:
    for _ in range(59):
        os.getppid()
    os._exit(0)
def late():
    time.sleep(0.2)
    for _ in range(61):
        os.getppid()
    os.execv(sys.argv[1], ["guest", "calls", "67"])
threading.Thread(target=late).start()
libc.syscall(60, 0)     # the first thread alone
EOF
dump 0 -i 'syscalls?only=getppid' --json -- "$python" brother.py "$(command -v guest)"
expect 187 type=sys_enter

# ---- whose packets ----

ns_pair here:veth0 there:veth1 net=10.77.9 || fail "no veth pair"
exchange=$TOP/tests/lib/exchange.py
ns_bg there server "$python" "$exchange" serve 10.77.9.2 7001 ready.there
ns_bg here local "$python" "$exchange" serve 127.0.0.1 7002 ready.here
wait_for ready.there ready || exit 1
wait_for ready.here ready || exit 1
ns_bg here noise sh -c "while :; do $python $exchange ask 10.77.9.2 7001 3
	$python $exchange ask 127.0.0.1 7002 3; done"
wait_for noise.out '[0-9]' || exit 1
ns here xcap dump -q -w both.pcapng -- \
	sh -c "$python $exchange ask 10.77.9.2 7001 31; $python $exchange ask 127.0.0.1 7002 37" \
	>ports 2>err || fail "the exchange: $(cat err)"
stop noise KILL
xcap dump -r both.pcapng --json >out 2>/dev/null
python3 - "${NS_PIDS[server]}" "${NS_PIDS[local]}" <<'EOF' || fail "not the command's packets"
import json, sys
far, near = [int(line) for line in open("ports", encoding="ascii")]
packets, calls, strangers = {}, 0, 0
for line in open("out", encoding="utf-8"):
    r = json.loads(line)
    if r["type"] == "packet":
        port = r["dport"] if r["sport"] in (7001, 7002) else r["sport"]
        key = port, r["sport"] in (7001, 7002)
        packets[key] = packets.get(key, 0) + bool(r.get("payload_len"))
    elif r["type"].startswith("sys_"):
        calls += 1
        strangers += r["pid"] in map(int, sys.argv[1:])
print(packets, calls, "calls")
# as many numbers there as back, on lo as well; nobody else's ports
sys.exit(packets != {(far, False): 31, (far, True): 31, (near, False): 37, (near, True): 37} or
         not calls or strangers)
EOF
tcpdump -r both.pcapng -nn 'tcp[tcpflags] & tcp-syn != 0' 2>/dev/null | grep -c . | grep -qx 4 ||
	fail "not the first packet of each"
# the filter goes on top
ns here xcap dump -q --json tcp port 7001 -- \
	sh -c "$python $exchange ask 10.77.9.2 7001 5; $python $exchange ask 127.0.0.1 7002 7" >out 2>err ||
	fail "with a filter: $(cat err)"
[ "$(count type=packet dport=7002)" = 0 ] && [ "$(count type=packet dport=7001 payload_len=8)" = 5 ] ||
	fail "the filter is not asked"

# ---- its end is the command's ----

# shellcheck disable=SC2016
ns_bg "" asked xcap dump -q -w file -- sh -c 'trap "echo asked; exit 5" TERM; echo up; while :; do sleep 0.1; done'
wait_for asked.out up || exit 1
stop asked TERM
[ $? = 5 ] && grep -q asked asked.out || fail "SIGTERM is not passed on"
ns_bg "" deaf xcap dump -q -w file -- sh -c 'trap "" INT; echo up $$; sleep 30'
wait_for deaf.out up || exit 1
kill -INT "${NS_PIDS[deaf]}"
sleep 0.5
kill -0 "${NS_PIDS[deaf]}" || fail "the first signal ends the capture"
stop deaf INT
[ $? = 130 ] || fail "a second signal does not end it"
kill -KILL "$(sed 's/up //' deaf.out)"
xcap dump -r file >records 2>&1 || fail "the file of an interrupted capture"
dump 9 -c 5 -- sh -c 'sleep 0.5; exit 9'
[ "$(grep -cE '^[0-9:]+\.' out)" = 5 ] || fail "-c: $(cat out)"
# killed: nothing stays, and the command goes on
ns_bg "" killed xcap dump -q -w file -- sh -c 'echo up $$; sleep 30; echo on'
wait_for killed.out up || exit 1
stop killed KILL
command_pid=$(sed 's/up //' killed.out)
kill -0 "$command_pid" || fail "the command died with the tool"
kill -KILL "$command_pid"

# ---- its rights are the caller's ----

as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
needed=bpf,perfmon,net_admin,net_raw,ipc_lock
chmod 755 . && chmod 777 .
cp "$B/xcap" own
rights='grep -E "^(Uid|Cap|NoNewPrivs)" /proc/self/status; ls /proc/self/fd'
without=$("${as_user[@]}" sh -c "$rights")
with=$("${as_user[@]}" --inh-caps=+${needed//,/,+} --ambient-caps=+${needed//,/,+} \
	xcap dump -q -w file.ambient -- sh -c "$rights" 2>err </dev/null)
[ "$(sed 's/^CapInh.*//' <<<"$with")" = "$(sed 's/^CapInh.*//' <<<"$without")" ] ||
	fail "rights of a command: $with; without xcap: $without; $(cat err)"
if ! setcap "cap_${needed//,/,cap_}=ep" own 2>err; then
	echo "not tried, programs have no capabilities here: $(cat err)"
else
	with=$("${as_user[@]}" ./own dump -q -w file.caps -- sh -c "$rights" 2>err </dev/null)
	[ "$with" = "$without" ] || fail "a program with capabilities: $with, not $without; $(cat err)"
fi
with=$(xcap dump -q -w file -- sh -c "$rights" 2>err </dev/null)
[ "$with" = "$(sh -c "$rights" </dev/null)" ] || fail "root's rights: $with $(cat err)"
# what the caller ignores the command does
# shellcheck disable=SC2016
xcap dump -q -w file -- sh -c 'grep SigIgn /proc/self/status' >with 2>err
grep SigIgn /proc/self/status >without
sh -c 'grep SigIgn /proc/self/status' >without
diff with without || fail "signals of a command"
