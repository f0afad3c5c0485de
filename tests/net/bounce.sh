#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   frames in a queue of a cluster, and xcap bounce between it and the next.
# Out:  whether what matches arrives there, in order and accounted for, whoever decides; whether
#       all comes to an end when the command, the bounce or the master does, by whatever end, and
#       nothing leaks.
# Owns: two namespaces, its processes.
# Runs on: root.
# timeout: 240
. "$(dirname "$0")/../lib/netns.sh"

export XCAP_RUN_DIR=$PWD/run
ns_pair tx:a1 rx:b1 gro || fail "no veth pair"

# bg LABEL COMMAND...: until it captures
bg() {
	ns_bg rx "$@"
	wait_for "$1.err" '^(xcap|reader): capturing' || exit 1
}
master() {
	bg master xcap balance -c 9 -i tap:b1 --more 2 "$@"
}
send() {
	ns tx txgen -i a1 "$@" >/dev/null || fail "txgen failed"
}
status() {
	xcap balance -c 9 --stats --json
}
# until_status PYTHON: an expression of q, the queues, and f, the frames
until_status() {
	local i

	for ((i = 0; i < 200; i++)); do
		status | python3 -c 'import json, sys
s = json.load(sys.stdin)
q, f = s["queues"], s["frames"]
sys.exit(not eval(sys.argv[1]))' "$1" && return
		sleep 0.05
	done
	fail "the status never says $1: $(status)"
}
nothing_leaks='f["free"] == f["total"] - f["names"] and f["kept"] == 0 and not any(x["backlog"] for x in q)'
# books LABEL CONDITION...: what it said at its end
books() {
	python3 "$TOP/tests/lib/books.py" "$1.out" "${@:2}" || exit 1
}
# said LABEL REGEX: on standard error
said() {
	grep -qE "$2" "$1.err" || fail "$1 does not say '$2': $(cat "$1.err")"
}
over() {
	stop master || fail "the master: exit $?: $(cat master.err)"
	[ -z "$(find run -name '*.sock')" ] || fail "a socket is left"
}

cat >decide.py <<'END'
import json, sys, time
how, n = sys.argv[1], 0
for line in sys.stdin:
    n += 1
    size = json.loads(line)["len"]
    if how == "end" and n > 100:
        sys.exit(int(sys.argv[2]))
    if how == "mute" and n > 10:
        time.sleep(60)
    word = "pass" if n % 2 else "y"
    print(word if size <= 100 else "no", flush=n % 7 == 0)
    if how == "more":
        print("y")
    sys.stdout.flush()
END

# ---- a filter, and a command: 41 of 100 sizes are up to 100 ----

master
bg end reader xcap:9@2
bg one xcap bounce -i xcap:9@0 -o xcap:9@1 -f 'less 120' --json
bg two xcap bounce -i xcap:9@1 -o xcap:9@2 --exec 'exec python3 decide.py by_size' --json
send -n 1009 -S 60:159 --rate 5000
until_status 'q[2]["delivered"] == 419 and q[0]["delivered"] == 1009'
until_status "$nothing_leaks"
until_status 'q[0]["handed_on"] == 619 and q[1]["seen"] == 619 and q[1]["handed_on"] == 419'
over
for label in one two end; do
	finished $label || fail "$label: exit $?: $(cat $label.err)"
done
books one 'seen == 1009' 'filtered == 390' 'delivered == 619' 'lost == 0' 'late == 0'
books two 'seen == 619' 'delivered == 619' 'lost == 0' 'late == 0'
[ "$(head -n 1 one.out)" = '{"to":"xcap:9@1","handed_on":619,"kept_back":0}' ] || fail "$(cat one.out)"
[ "$(head -n 1 two.out)" = '{"to":"xcap:9@2","handed_on":419,"kept_back":200}' ] || fail "$(cat two.out)"
python3 -c 'import json, sys
a = json.load(open("end.out"))
sys.exit(not (a["delivered"] == a["distinct"] == 419 and not a["backwards"] and not a["late"]))' ||
	fail "the reader at the end: $(cat end.out)"
echo "1009 frames, by a filter 619, by a command 419"

# ---- SIGINT and SIGTERM are an end in order; so is a count ----

master
for sig in INT TERM; do
	bg one xcap bounce -i xcap:9@0 -o xcap:9@1
	send -n 101
	until_status 'q[0]["backlog"] == 0'
	stop one $sig || fail "$sig: exit $?: $(cat one.err)"
	said one 'xcap: 101 handed on to xcap:9@1, 0 kept back'
done
bg one xcap bounce -i xcap:9@auto -o xcap:9@1 -c 53
send -n 101
finished one || fail "-c: exit $?: $(cat one.err)"
said one 'xcap: 53 handed on to xcap:9@1'

# ---- the command ends, does not answer, answers too much ----

bg one xcap bounce -i xcap:9@0 -o xcap:9@1 --exec 'exec python3 decide.py end 0'
send -n 503
finished one || fail "a command that ends: exit $?: $(cat one.err)"
said one 'the command has ended, and nobody decides any more'
bg one xcap bounce -i xcap:9@0 -o xcap:9@1 --exec 'exec python3 decide.py end 3'
send -n 503
finished one && fail "a command that fails is no failure"
said one 'the command has ended with 3'
bg one xcap bounce -i xcap:9@0 -o xcap:9@1 --exec 'exit 4'
finished one 10 && fail "a command that has ended before any record"
said one 'the command has ended with 4'
bg one xcap bounce -i xcap:9@0 -o xcap:9@1 --exec 'exec python3 decide.py more'
send -n 503
finished one && fail "a command that answers twice is none"
said one 'answers with more lines than it was asked'
bg one xcap bounce -i xcap:9@0 -o xcap:9@1 --exec 'python3 decide.py mute'
SECONDS=0
send -n 503
finished one 30 && fail "a command that does not answer is no failure"
[ $SECONDS -lt 20 ] || fail "a command that does not answer is waited for $SECONDS s"
said one 'has not answered for 5 s'
for _ in {1..100}; do pgrep -f 'decide.py mute' >/dev/null || break; sleep 0.05; done
pgrep -f 'decide.py mute' >/dev/null && fail "the command is left running"
until_status "$nothing_leaks"

# ---- kill -9 of the bounce: what it had is unread, and comes back ----

bg one xcap bounce -i xcap:9@0 -o xcap:9@1
before=$(status | field queues.0.unread)
kill -STOP "${NS_PIDS[one]}"
send -n 1009
until_status 'q[0]["backlog"] == 1009'
stop one KILL
until_status "q[0]['unread'] == $before + 1009"
until_status "$nothing_leaks"
until_status '"pid" not in q[0]'
echo "kill -9: 1009 unread"

# ---- losses are told on: a bounce that sleeps, a queue that overflows ----

over
master --slots 64
bg end xdpcount -i xcap:9@1 --json
bg one xcap bounce -i xcap:9@0 -o xcap:9@1 --json
kill -STOP "${NS_PIDS[one]}"
send -n 211
until_status 'q[0]["dropped"] > 0 and q[0]["seen"] == 211'
kill -CONT "${NS_PIDS[one]}"
until_status 'q[0]["backlog"] == 0'
send -n 11
until_status 'q[0]["seen"] == 222 and q[1]["backlog"] == 0 and q[0]["backlog"] == 0'
over
finished one && finished end || fail "$(cat one.err end.err)"
books one 'seen == 222' 'queue > 0' 'losses == 1'
books end 'losses == 1' 'lost == 0'

# ---- what was held on the way comes in its turn, where the reader waits for it ----

ns_bg rx master xcap balance -c 9 -i tap:b1 -n 1,1 --more 1
wait_for master.err '^xcap: capturing' || exit 1
bg one xcap bounce -i xcap:9@0 -o xcap:9@2
bg end xdpcount -i xcap:9@1,xcap:9@2 --slack 5s --json
kill -STOP "${NS_PIDS[one]}"
send -n 503 --rate 5000
sleep 0.3
kill -CONT "${NS_PIDS[one]}"
until_status 'q[2]["delivered"] == 503'
over
finished one && finished end || fail "$(cat one.err end.err)"
books end 'delivered == 1006' 'late == 0' 'lost == 0'

# ---- kill -9 of the master is told ----

master
bg one xcap bounce -i xcap:9@0 -o xcap:9@1
bg two xcap bounce -i xcap:9@1 -o xcap:9@2 --exec 'exec python3 decide.py by_size'
send -n 101
until_status 'q[2]["seen"] == 101'
stop master KILL
for label in one two; do
	finished $label 10 && fail "$label: a master that is killed is an end in order"
	said $label 'the master of xcap:9@[01] is gone'
	said $label 'handed on to'
done

# ---- what cannot be ----

try() {
	local want=$1 code

	shift
	"$@" >err 2>&1 </dev/null
	code=$?
	[ $code != 0 ] && grep -qF "$want" err || fail "$*: exit $code, $(cat err)"
}
try 'are of two clusters' xcap bounce -i xcap:9@0 -o xcap:8@1
try 'cluster 9 has no master' xcap bounce -i xcap:9@0 -o xcap:9@1
master
try 'queue 1 cannot be handed on to 0' xcap bounce -i xcap:9@1 -o xcap:9@0
try 'queue 1 cannot be handed on to 7' xcap bounce -i xcap:9@1 -o xcap:9@7
bg one xcap bounce -i xcap:9@0 -o xcap:9@1
try 'queue 0 of cluster 9 is read by process' xcap bounce -i xcap:9@0 -o xcap:9@1
over
finished one || fail "$(cat one.err)"
exit 0
