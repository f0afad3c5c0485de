#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   programs started by all kinds of names, before a capture of their calls and during it.
# Out:  whether each record says the path of its program as /proc/PID/exe does.
# Owns: its directory.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

declare -A want=()
shell=$(realpath "$(command -v dash)")
long=$PWD
for _ in 1 2 3 4 5 6 7 8 9 10; do long+=/$(printf 'd%.0s' {1..150}); done
mkdir -p a/b "$long"
for to in a/b/plain a/gone a/gone2 "$long/deep"; do
	cp "$shell" "$to"
done
ln -s plain a/b/link
# umask: the one call that is captured
printf '#!%s\nread -r go; umask 022\n' a/b/link >a/script
chmod +x a/script

# begin LABEL PROGRAM ARGUMENT...: it runs, and makes its call when it is told to
begin() {
	local label=$1 pid i

	shift
	mkfifo "$label.in"
	"$@" <"$label.in" &
	pid=$!
	NS_PIDS[$label]=$pid
	exec {go}>"$label.in"
	gos[$label]=$go
	for ((i = 0; i < 200; i++)); do
		[ "$(readlink "/proc/$pid/exe")" != "$bash" ] && break
		sleep 0.02
	done
	want[$pid]=$(readlink "/proc/$pid/exe")
	[ "${want[$pid]}" != "$bash" ] || fail "$label does not start"
}

begin_all() {
	local when=$1 gone=$2

	begin "$when-plain" ./a/../a/b/plain -c 'read -r go; umask 022'
	begin "$when-link" a/b/link -c 'read -r go; umask 022'
	begin "$when-script" a/script
	begin "$when-deep" "$long/deep" -c 'read -r go; umask 022'
	begin "$when-gone" "$gone" -c 'read -r go; umask 022'
	rm "$gone"
}

declare -A gos=()
bash=$(readlink "/proc/$$/exe")
begin_all older a/gone
ns_bg "" capture xcap dump -i 'syscalls?only=umask' --json
wait_for capture.err '^xcap: capturing' || exit 1
begin_all newer a/gone2
for label in "${!gos[@]}"; do
	echo go >&"${gos[$label]}"
	finished "$label" || fail "$label ended with $?"
done
stop capture || fail "xcap dump ended with $?: $(cat capture.err)"
for pid in "${!want[@]}"; do
	printf '%s %s\n' "$pid" "${want[$pid]}"
done >want
grep -c '/a/b/plain$' want | grep -qx 6 || fail "not the programs that were meant: $(cat want)"
python3 - <<'EOF'
import json, sys
want = dict(line.rstrip("\n").split(" ", 1) for line in open("want", encoding="utf-8"))
bad = 0
calls = {}
for line in open("capture.out", encoding="utf-8"):
    r = json.loads(line)
    calls.setdefault(str(r.get("pid")), []).append(r.get("exe"))
for pid, path in want.items():
    # replaced while it runs, it keeps the name it was started by
    if set(calls.get(pid, [])) != {path.removesuffix(" (deleted)")}:
        bad += 1
        print(f"{pid}: {calls.get(pid)} and not {path}")
print(len(want), "programs")
sys.exit(bad or len(want) != 10)
EOF
