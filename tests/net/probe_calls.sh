#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a process that makes a known number of each thing, strace beside it.
# Out:  whether the probes exec, exit, open, connect and accept tell each of them, with what was
#       asked and what came of it, in JSON and in columns; and as many as strace sees.
# Owns: files in its directory.
# Runs on: root.
set -eu
. "$(dirname "$0")/../lib/netns.sh"
load=$TOP/tests/lib/probe_load.py

# trace CALLS: strace is attached to the load
trace() {
	strace -f -qq -o strace.out -e "trace=$1" -e signal=none -p "${NS_PIDS[load]}" 2>strace.err &
	NS_PIDS["strace"]=$!
	for _ in {1..200}; do
		grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/${NS_PIDS[load]}/status" && return
		sleep 0.05
	done
	fail "strace did not come: $(cat strace.err)"
}

# watch OPTION... -- PROBE...: the load waits until all of them are attached, and strace with CALLS
watch() {
	local probe options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -rf there gate
	mkfifo gate
	ns_bg "" load python3 -E -S "$load" gate
	wait_for load.out '^ready'
	for probe; do
		ns_bg "" "$probe" xcap probe "$probe" "${options[@]}" -p "${NS_PIDS[load]}"
	done
	for probe; do
		wait_for "$probe.err" '^xcap: capturing'
	done
	[ -z "${CALLS-}" ] || trace "$CALLS"
	echo go >gate
	finished load || fail "the load: $(cat load.err)"
	[ -z "${CALLS-}" ] || finished strace || true	# it has the load's own end
	for probe; do
		finished "$probe" || fail "$probe: $(cat "$probe.err")"
	done
}

CALLS=execve,execveat,open,openat,openat2,creat,connect,accept,accept4 \
	watch --json -- exec open connect accept exit
read -r _ server closed <load.out

python3 - "$load" "$server" "$closed" <<'END'
import collections, json, os, re, sys

want = {}
with open(sys.argv[1], encoding="ascii") as f:
    for line in f:
        m = re.match(r"([A-Z_0-9, ]+) = ([0-9, ]+)\s*#", line)
        if m:
            want.update(zip(m[1].split(", "), map(int, m[2].split(", "))))

def told(probe):
    with open(f"{probe}.out", encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    *events, summary = lines
    assert summary["type"] == "summary" and summary["probe"] == probe, summary
    assert summary["events"] == len(events) and summary["dropped"] == 0, summary
    assert summary.get("unpaired", 0) == 0, summary
    for e in events:
        assert e["probe"] == probe and re.fullmatch(r"\d+\.\d{9}", e["time"]), e
        assert isinstance(e["pid"], int) and e["comm"], e
    assert [e["time"] for e in events] == sorted(e["time"] for e in events)
    return events, summary

def traced(name):
    with open("strace.out", encoding="utf-8") as f:
        return sum(bool(re.match(rf"\d+ +{name}\w*\(", line)) for line in f)

def same(what, have, wanted):
    assert have == wanted, f"{what}: {have}, not {wanted}"

events, _ = told("exec")
same("exec", len(events), want["RUNS"] + want["NO_RUNS"])
same("exec by strace", traced("exec"), len(events))
ran = [e for e in events if e["ret"] == 0]
same("run", [e["args"] for e in ran], [f"true number {i} x\ny" for i in range(want["RUNS"])])
assert all(e["exe"].endswith("/true") and e["comm"] == "true" for e in ran), ran[0]
failed = [e for e in events if e["ret"] == -2]
same("not run", [(e["args"], e["error"]) for e in failed],
     [(f"program {i}", "ENOENT") for i in range(want["NO_RUNS"])])
assert len({e["parent"] for e in events}) == 1

events, summary = told("open")
same("open by strace", traced("open"), len(events))
by = collections.Counter((e["path"], e["ret"] >= 0, e.get("error")) for e in events)
same("opened", by[os.path.realpath("there") + "/file", True, None], want["OPENS"])
same("not there", by["/nonexistent/file", False, "ENOENT"], want["NO_OPENS"])
assert any("O_CREAT" in e["flags"] for e in events)
h = summary["histogram"]["latency_ns"]
same("histogram", sum(n for _, n in h), len(events))
for low, n in h:
    same(f"from {low}", sum((low or 1) <= max(e["latency_ns"], 1) < 2 * (low or 1)
                            for e in events), n)

events, _ = told("connect")
server, closed = int(sys.argv[2]), int(sys.argv[3])
same("connect by strace", traced("connect"), len(events))
by = collections.Counter((e["daddr"], e.get("error")) for e in events)
same("connected", by["127.0.0.1", None], want["CONNECTS"])
same("refused", by["127.0.0.1", "ECONNREFUSED"], want["REFUSED"])
same("unix", by["/nonexistent/socket", "ENOENT"] + by["@nobody@here", "ECONNREFUSED"],
     want["UNIX"])
same("all", len(events), want["CONNECTS"] + want["REFUSED"] + want["UNIX"])

events, _ = told("accept")
same("accept by strace", traced("accept"), len(events))
same("accepted", [(e["daddr"], e["ret"] > 0, e["sport"] == events[0]["sport"])
                  for e in events], [("127.0.0.1", True, True)] * want["CONNECTS"])
assert all(1024 <= e["dport"] != e["sport"] for e in events)

events, _ = told("exit")
by = collections.Counter((e["status"], e.get("signal")) for e in events)
same("exits", by, {(0, None): want["RUNS"] + 1, (127, None): want["NO_RUNS"],
                   (3, None): want["STATUS_3"], (0, "KILL"): want["KILLED"]})
assert all(e["age_ns"] > 0 for e in events)
END

# ---- in columns: the same, 79 wide, one head; --wide has all of a path ----

watch -- open
[ "$(grep -cE ' ENOENT .* /nonexistent/file$' open.out)" = 5 ] || fail "columns: $(head -5 open.out)"
[ "$(grep -c '^TIME ' open.out)" = 1 ] || fail "the head: $(head -3 open.out)"
grep -q '^open: [0-9]* events in ' open.out || fail "no summary: $(tail -3 open.out)"
[ "$(awk 'length > 79' open.out | wc -l)" = 0 ] || fail "wider than 79: $(awk 'length > 79' open.out | head -3)"
watch --wide -- exec
[ "$(grep -cE ' true number [0-9]+ x\\x0ay$' exec.out)" = 13 ] || fail "--wide: $(cat exec.out)"

# ---- by name, of whatever signs, and no other ----

name="pro'be\\13"
ns_bg "" comm xcap probe exec --json --comm "$name"
wait_for comm.err '^xcap: capturing'
cp /bin/true "$name"
for _ in {1..13}; do "./$name"; /bin/true; done
stop comm INT
[ "$(grep -cF "\"comm\":\"pro'be\\\\13\"" comm.out)" = 13 ] || fail "--comm: $(cat comm.out)"
[ "$(grep -vc '"comm":"pro\|"summary"' comm.out)" = 0 ] || fail "--comm: others"

# ---- in a container, and nowhere else ----

mkdir -p cg
if mount -t cgroup2 none cg; then
	id=$(printf '13%.0s' {1..32})
	box=$PWD/cg/xcap-probe-$$/docker-$id.scope
	mkdir -p "$box"
	# the directories go with the script, however it goes
	# shellcheck disable=SC2016
	exec 8> >(exec setsid env -u XCAP_TEST_RUN sh -c 'cat >/dev/null; sleep 0.2
		rmdir "$0" "${0%/*}"' "$box" >/dev/null 2>&1)
	for probe in exec exit; do
		ns_bg "" $probe xcap probe $probe --json --container "${id:0:12}"
		wait_for $probe.err '^xcap: capturing'
	done
	# shellcheck disable=SC2016
	sh -c 'echo $$ >"$0/cgroup.procs"; for i in 1 2 3 4 5 6 7; do /bin/true; done' "$box"
	for _ in {1..5}; do /bin/true; done
	for probe in exec exit; do
		stop $probe INT
	done
	[ "$(grep -c "\"comm\":\"true\",\"uid\":0,\"container\":\"$id\"" exec.out)" = 7 ] ||
		fail "--container exec: $(cat exec.out)"
	[ "$(grep -c "\"container\":\"$id\"" exit.out)" = 8 ] || fail "--container exit: $(cat exit.out)"
	[ "$(grep -vc "\"container\":\"$id\"\|\"summary\"" exec.out)" = 0 ] || fail "others: $(cat exec.out)"
fi
