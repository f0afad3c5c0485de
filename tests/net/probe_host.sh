#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   calls, waits and signals whose numbers are known; beside them strace -c, /proc/*/schedstat,
#       /proc/softirqs.
# Out:  whether latency, syscount, runq, softirq and signals tell exactly those.
# Owns: its processes.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ask() {		# PROBE...: all of them, from when they say so
	local probe

	for probe; do
		ns_bg '' "$probe" xcap probe "$probe" --json
	done
	for probe; do
		wait_for "$probe.err" '^xcap: capturing' || exit 1
	done
}
end() {
	local probe

	for probe; do
		stop "$probe" || fail "$probe: exit $?: $(cat "$probe.err")"
	done
}
dropped() {
	field dropped <"$1.out"
}

# ---- system calls: a kernel that preempts programs skips some, and says how many ----

for round in 1 2 3 4 5; do
	ask syscount latency
	strace -f -c -o strace.txt busy_calls >pid.traced
	busy_calls >pid.alone
	pids32=''
	busy_calls32 >pid.32 2>/dev/null && pids32=$(cat pid.32)
	end syscount latency
	[ "$(dropped syscount)$(dropped latency)" = 00 ] && break
done
[ "$(dropped syscount)$(dropped latency)" = 00 ] ||
	fail "in $round rounds there were always drops: $(tail -qn 1 syscount.out latency.out)"
for probe in syscount latency; do
	python3 "$TOP/tests/lib/probe_calls.py" "$probe.out" "$(cat pid.traced)" strace.txt ||
		fail "$probe and strace -c differ"
	for pid in $(cat pid.alone) $pids32; do
		python3 "$TOP/tests/lib/probe_calls.py" "$probe.out" "$pid" || fail "$probe: see above"
	done
done
# nobody says how an exit ended
grep -qE '"call":"exit' latency.out syscount.out && fail "a call that does not return is counted"

# ---- of one process, and of one name: rows of others take no room in the kernel's table ----

mkfifo gate
# shellcheck disable=SC2016
ns_bg '' waits sh -c 'read -r line <gate; busy_calls >pid.child'
cp "$B/tests/busy_calls" busy-13
ns_bg '' syscount xcap probe syscount --json -p "${NS_PIDS[waits]}"
ns_bg '' latency xcap probe latency --json --comm busy-13
for probe in syscount latency; do
	wait_for "$probe.err" '^xcap: capturing' || exit 1
done
busy_calls >pid.other
./busy-13 >pid.named
echo >gate
finished syscount || fail "syscount -p: $(cat syscount.err)"
end latency
unset "NS_PIDS[waits]"
for probe in syscount latency; do
	[ "$(field filtered <$probe.out)" = 0 ] || fail "$probe: others were in its table: $(tail -n 1 $probe.out)"
	grep -q "\"pid\":$(cat pid.other)," $probe.out && fail "$probe tells of another process"
done
grep -q "\"pid\":$(cat pid.child),.*\"call\":\"getppid\"" syscount.out || fail "no child: $(cat syscount.out)"
grep -vE '"comm":"busy-13"|"summary"' latency.out && fail "--comm tells of other names"
grep -q "\"pid\":$(cat pid.named),.*\"call\":\"getppid\"" latency.out || fail "no busy-13: $(cat latency.out)"

# ---- waits for a CPU: the kernel counts them as well, where it has been told to ----

ask runq softirq
cp /proc/softirqs softirqs.first
[ -e /proc/self/schedstat ] || skip "this kernel has no /proc/PID/schedstat"
: >pid.runq
busy_calls stay >pid.runq &
worker=$!
busy_calls >/dev/null &
other=$!
for ((i = 0; i < 200; i++)); do
	[ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$worker/status")" = T ] && break
	sleep 0.05
done
read -r _ _ runs <"/proc/$worker/schedstat"
taken=$(sed -n 's/^nonvoluntary_ctxt_switches:\t//p' "/proc/$worker/status")
wait "$other"
cp /proc/softirqs softirqs.last
end runq softirq
cp /proc/softirqs softirqs.after
kill -CONT "$worker"
wait "$worker"
python3 - "$worker" "$runs" "$taken" <<'P' || exit 1
import json, sys

pid, runs, taken = map(int, sys.argv[1:])
rows = [json.loads(line) for line in open("runq.out")]
row = [r for r in rows if r.get("pid") == pid]
# the last run ended with SIGSTOP, taken off while it could have run on: no wait of ours
if len(row) != 1 or row[0]["count"] != runs or sum(n for _, n in row[0]["histogram"]) != runs:
    sys.exit(f"runq: {row}, and the kernel counts {runs} runs")
if row[0]["preempted"] != taken:
    sys.exit(f"runq: {row}, and the kernel counts {taken} times that it was taken off")

def softirqs(path):
    lines = open(path).read().splitlines()[1:]
    return {l.split(":")[0].strip(): sum(map(int, l.split(":")[1].split())) for l in lines}

first, last, after = map(softirqs, ("softirqs.first", "softirqs.last", "softirqs.after"))
rows = {r["vector"]: r for r in map(json.loads, open("softirq.out")) if "vector" in r}
for name in first:
    count = rows[name]["count"] if name in rows else 0
    if count < last[name] - first[name]:
        sys.exit(f"softirq: {name} {count} times, and the kernel counts {first} to {last}")
    # it began a little before
    if count and sum(n for _, n in rows[name]["histogram"]) != count:
        sys.exit(f"softirq: {rows[name]}")
if not set(rows) <= set(first) or not rows:
    sys.exit(f"softirq: {set(rows)} of {set(first)}")
P

# ---- signals ----

ask signals
python3 - >pids <<'P'
import os, signal

seen, told = os.pipe()
target = os.fork()
if not target:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    for number in (signal.SIGUSR1, signal.SIGALRM):
        signal.signal(number, lambda *_: os.write(told, b"1"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while True:
        signal.pause()
os.read(seen, 1)    # the alarm has come
for _ in range(5):
    os.kill(target, signal.SIGHUP)
for _ in range(3):
    os.kill(target, signal.SIGUSR2)
for _ in range(7):
    os.kill(target, signal.SIGUSR1)
    os.read(seen, 1)
os.kill(target, signal.SIGRTMIN + 3)
os.waitpid(target, 0)
fault = os.fork()
if not fault:
    import ctypes
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(8)
os.waitpid(fault, 0)
print(os.getpid(), target, fault)
P
end signals
read -r sender target fault <pids
python3 - "$sender" "$target" "$fault" <<'P' || exit 1
import collections, json, sys

sender, target, fault = map(int, sys.argv[1:])
lines = [json.loads(line) for line in open("signals.out")]
got = collections.Counter((l.get("pid", 0), l["to_pid"], l["signal"], l["result"])
                          for l in lines if l.get("to_pid") in (sender, target, fault) and
                          (l["signal"] != "CHLD" or l.get("pid") in (target, fault)))
wanted = {
    (0, target, "ALRM", "delivered"): 1,        # a timer's: it interrupted somebody
    (sender, target, "HUP", "ignored"): 5,
    (sender, target, "USR2", "blocked"): 1,
    (sender, target, "USR2", "pending"): 2,
    (sender, target, "USR1", "delivered"): 7,
    (sender, target, "RT37", "delivered"): 1,
    (fault, fault, "SEGV", "delivered"): 1,
    (target, sender, "CHLD", "ignored"): 1,
    (fault, sender, "CHLD", "ignored"): 1,
}
if got != wanted or lines[-1]["events"] != len(lines) - 1:
    sys.exit(f"signals: {got}\nwanted: {wanted}\n{lines[-1]}")
P

# ---- killed: nothing stays ----

ask latency runq signals
ids=$(for probe in latency runq signals; do
	sed -n 's/^prog_id:\t//p' /proc/"${NS_PIDS[$probe]}"/fdinfo/* 2>/dev/null
done | sort -u)
[ "$(wc -w <<<"$ids")" -ge 6 ] || fail "which programs are theirs? $ids"
for probe in latency runq signals; do
	stop "$probe" KILL
done
for ((i = 0; i < 60; i++)); do
	left=''
	for id in $ids; do
		if bpftool prog show id "$id" >/dev/null 2>&1; then left+=" $id"; fi
	done
	[ "$left" ] || break
	sleep 0.05
done
[ -z "$left" ] || fail "programs stay: $left"
exit 0
