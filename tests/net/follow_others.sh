#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 120
#
# In:   processes that run already, with children and without, and a container's cgroup.
# Out:  whether xcap dump -p and --container show all their calls, and no others; and end when the
#       last process has.
# Owns: a cgroup, which goes with the script; its namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

python=$(python3 -c 'import sys; print(sys.executable)')	# the name may be a script's
# One in the other; when the pipe closes each makes so many calls, and a child that makes seven. The
# first ends before the last begins.
cat >family.py <<'EOF'
import os, sys, time
name, depth, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for level in range(depth + 1):
    if level == depth or os.fork():
        break
if level == depth:
    with open(f"up.{name}", "w", encoding="ascii") as f:
        f.write("1\n")
with open(f"go.{name}", encoding="ascii") as f:
    f.read()
time.sleep(0.3 * level)
for _ in range(calls):
    os.getppid()
child = os.fork()
if not child:
    for _ in range(7):
        os.getppid()
    os._exit(0)
os.waitpid(child, 0)
EOF

# family NAME DEPTH CALLS: one in the other, started before any capture
family() {
	mkfifo "go.$1"
	ns_bg "" "$1" "$python" family.py "$1" "$2" "$3"
	wait_for "up.$1" '[0-9]' || exit 1
}

# go NAME...: all of these families at once
go() {
	local name hold holds=()

	for name; do
		exec {hold}<>"go.$name"
		holds+=("$hold")
	done
	sleep 0.5	# until all of them have opened it
	for hold in "${holds[@]}"; do
		exec {hold}>&-
	done
}

# calls FILE: how many entries of getppid
calls() {
	python3 - "$1" <<'EOF'
import json, sys
print(sum(r["type"] == "sys_enter" and r["name"] == "getppid"
          for r in map(json.loads, open(sys.argv[1], encoding="utf-8"))))
EOF
}

# the capture has all calls of the families that it is about
expect() {
	local got

	got=$(calls capture.out)
	[ "$got" = "$1" ] || fail "$got calls and not $1: $(cat capture.err)"
}

# ---- processes ----

family one 2 101
family two 0 211
family other 1 307
ns_bg "" capture xcap dump -q -i 'syscalls?only=getppid' --json \
	-p "${NS_PIDS[one]}" -p "${NS_PIDS[two]}"
wait_for capture.err '^xcap: capturing' || exit 1
go one two other
finished one || fail "family one: $?"
finished two || fail "family two: $?"
finished capture 20 || fail "it does not end with the last of them: $? $(cat capture.err)"
finished other || fail "the other family: $?"
expect $((3 * 101 + 211 + 4 * 7))
# with a list, everything that is up, into a file; by a signal
family three 0 53
family four 1 59
ns_bg "" capture xcap dump -q -w three.pcapng -p "${NS_PIDS[three]},$$"
wait_for capture.err '^xcap: capturing tap:lo, syscalls$' || exit 1
go three four
finished three && finished four || fail "families three and four"
sleep 1	# the second of four
stop capture INT
[ $? = 0 ] || fail "it does not end by a signal: $(cat capture.err)"
xcap dump -r three.pcapng --json proc.name="$(basename "$python")" \
	>capture.out 2>/dev/null
expect $((53 + 2 * 59 + 3 * 7))		# four is this script's child
# who ends before anything is captured
ns_bg "" gone sleep 0
wait "${NS_PIDS[gone]}"
xcap dump -q -i syscalls -p "${NS_PIDS[gone]}" >capture.out 2>capture.err
[ $? = 2 ] && grep -q "there is no process ${NS_PIDS[gone]}" capture.err || fail "$(cat capture.err)"
unset "NS_PIDS[gone]"

# ---- containers ----

root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
[ "$root" ] || skip "no cgroup2 hierarchy is mounted: --container is not tried"
id=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n')
group=$root/xcap-test-$$/docker-$id.scope
mkdir -p "$group" || fail "no cgroup"
# it goes when we are gone, by whatever end
# shellcheck disable=SC2016
setsid sh -c 'while [ -d "/proc/$0" ]; do sleep 0.2; done; for i in 1 2 3 4 5 6 7 8 9; do
	rmdir "$1" "${1%/*}" 2>/dev/null; [ -d "${1%/*}" ] || exit; sleep 0.2
	done' $$ "$group" </dev/null >/dev/null 2>&1 &
# shellcheck disable=SC2016
inside=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")
exchange=$TOP/tests/lib/exchange.py
ns_bg "" server "$python" "$exchange" serve 127.0.0.1 7003 ready
wait_for ready ready || exit 1
ns_bg "" capture xcap dump -q --container "${id:0:12}" --json
wait_for capture.err '^xcap: capturing tap:lo, syscalls$' || exit 1
"$python" "$exchange" ask 127.0.0.1 7003 5 >outside || fail "the exchange outside"
"${inside[@]}" "$python" "$exchange" ask 127.0.0.1 7003 11 >inside || fail "the exchange inside"
"${inside[@]}" guest calls 103 >/dev/null || fail "calls inside"
guest calls 107 >/dev/null
stop capture INT
[ $? = 0 ] || fail "the capture of a container: $(cat capture.err)"
expect 103
python3 - "$(cat inside)" "$(cat outside)" "$id" <<'EOF' || fail "not the container's packets"
import json, sys
inside, outside, container = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
sent = wrong = 0
for line in open("capture.out", encoding="utf-8"):
    r = json.loads(line)
    if r["type"] == "packet":
        wrong += outside in (r["sport"], r["dport"])
        sent += r["sport"] == inside and bool(r.get("payload_len"))
    elif r["type"].startswith("sys_"):
        wrong += r.get("container") != container
print(sent, "sent,", wrong, "of others")
sys.exit(sent != 11 or bool(wrong))
EOF
