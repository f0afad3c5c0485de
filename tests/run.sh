#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   run.sh TIER TEST...        a test is a program, 'a program and arguments',
#                                  or a directory: each executable script in it
#       run.sh --tiers TARGET...   `make TARGET` for each, one sum at the end
# Out:  a line per test, the output of failed ones, `N passed, N failed, N skipped`.
# Owns: its processes, namespaces and directory; gone also when it is killed.
# Runs on: anything; as root each test has a network namespace and /run of its own.
#
# A test ends with 0 (pass), 1 (fail) or 77 (skip: its last line says why). It
# runs in an empty directory with TOP (the sources), B (the build) and both
# program directories in PATH. NAME.sh.stdout.exact is what NAME.sh must print.
# Comment lines in the head of a script that count:
#	# timeout: N		seconds, instead of 120
#	# network: host		needs the real network (to fetch, never to capture)
#
# B, T (word in the name), REQUIRE (tiers that must not skip) and TIMEOUT come
# from the environment.

set -u
TOP=$(cd "$(dirname "$0")/.." && pwd)
B=$(realpath -m "${B:-$TOP/build}")
export TOP B PATH="$B:$B/tests:$PATH"

# ---- everything a test started carries our mark in its environment ----

marked() {
	grep -lzxE "XCAP_TEST_RUN=$1(\..*)?" /proc/[0-9]*/environ 2>/dev/null | grep -o '[0-9]*'
}

reap() {
	local pid

	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pid=$(marked "$1") || return 0
		# shellcheck disable=SC2086
		kill -KILL $pid 2>/dev/null
		sleep 0.05
	done
}

# Reads until the runner is gone, however it went, then cleans up.
if [ "${1-}" = --watch ]; then
	trap '' INT TERM HUP
	cat >/dev/null
	reap "$2"
	rm -rf "$3"
	exit
fi

# ---- the sum of several tiers ----

sum() {
	awk '{ n[$1]++ } END { printf "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"]
		exit n["fail"] > 0 }' "$1"
}

if [ "${1-}" = --tiers ]; then
	shift
	RESULTS=$(mktemp)
	export RESULTS
	trap 'rm -f "$RESULTS"' EXIT
	trap 'exit 130' INT TERM HUP
	[[ ${MAKEFLAGS-} = *-j* ]] || jobs=-j$(nproc)
	if ${MAKE:-make} ${jobs:+"$jobs"} tests fuzzers; then
		for target; do
			failed=$(grep -c ^fail "$RESULTS")
			${MAKE:-make} "$target" || [ "$(grep -c ^fail "$RESULTS")" -gt "$failed" ] ||
				echo "fail make-$target" >>"$RESULTS"
		done
	else
		echo "fail build" >>"$RESULTS"
	fi
	grep -q ^fail "$RESULTS" && sed -n 's/^fail /failed: /p' "$RESULTS"
	grep -q ^skip "$RESULTS" && sed -n 's/^skip /skipped: /p' "$RESULTS"
	sum "$RESULTS"
	exit
fi

# ---- one tier ----

tier=$1
shift
run=$$.$(date +%s%N)
tmp=$(mktemp -d -t xcap-test.XXXXXX)
chmod 711 "$tmp"	# tests try other users, too
results=${RESULTS:-$tmp/results}
touch "$results"
exec 9> >(exec setsid bash "$TOP/tests/run.sh" --watch "$run" "$tmp" >/dev/null 2>&1)
trap 'reap "$run"; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
started=$(cut -d' ' -f1 /proc/uptime)

if [ "$(id -u)" = 0 ] && unshare -nm true 2>/dev/null; then
	own='unshare -m sh -c'
	own_net='unshare -nm sh -c'
	private=1
else
	own='sh -c'
	own_net='sh -c'
	private=
fi
# shellcheck disable=SC2016
setup='mount -t tmpfs none /run && mkdir /run/netns /run/lock && ip link set lo up; NS_PRIVATE=1 exec "$@"'
[ "$private" ] || setup='exec "$@"'

# A line in the head of a script.
head_line() {
	[ "$(head -c 2 "$1" | tr -d '\0')" = '#!' ] && sed -n "1,30s/^# $2: *//p" "$1"
}

note() {
	printf '  %-7s %s\n' "$1" "$2"
}

verdict() {
	local what=$1 name=$2 why=${3-}

	if [ "$what" = skip ] && [[ ",${REQUIRE-}," = *,$tier,* ]]; then
		what=fail
		why="skipped, but $tier is required: $why"
	fi
	case $what in
	pass)	note ok "$name${why:+ ($why)}" ;;
	skip)	note skip "$name: $why" ;;
	fail)	note FAIL "$name${why:+: $why}" ;;
	esac
	echo "$what $tier/$name${why:+: $why}" >>"$results"
}

# run_one NAME PROGRAM [ARGUMENT...]
run_one() {
	local name=$1 file=$2 dir=$tmp/$1 log=$tmp/$1.log out=$tmp/$1.out
	local limit enter code start why

	shift
	limit=${TIMEOUT:-$(head_line "$file" timeout)}
	limit=${limit:-120}
	enter=$own_net
	[ "$(head_line "$file" network)" = host ] && enter=$own
	mkdir -p "$dir"
	[ -e "$file.stdout.exact" ] || out=$log
	start=$(date +%s%N)
	# in the background, so that a signal ends us at once and not after the test
	# shellcheck disable=SC2086
	(cd "$dir" && exec env --default-signal=INT,QUIT XCAP_TEST_RUN="$run" TMPDIR="$dir" \
		timeout -k 5 "$limit" $enter "$setup" sh "$@") \
		</dev/null 9>&- 2>>"$log" >>"$out" &
	wait $!
	code=$?
	reap "$run"
	why=$(($(date +%s%N) - start))
	why="$((why / 1000000000)).$((why / 100000000 % 10)) s"

	if [ $code = 0 ] && [ "$out" != "$log" ] && ! diff -u "$file.stdout.exact" "$out" >>"$log"; then
		code=1
	fi
	if [ $code != 77 ] && [ "$tier" = net ] && [ "$private" ] &&
	   ! python3 "$TOP/tests/lib/leftovers.py" "$B" "$tmp/before" >>"$log" 2>&1; then
		code=1
	fi
	case $code in
	0)	verdict pass "$name" "$why" ;;
	77)	verdict skip "$name" "$(tail -n 1 "$log")" ;;
	124 | 137)
		verdict fail "$name" "no end after $limit s" ;;
	*)	verdict fail "$name" "exit $code, $why" ;;
	esac
	[ $code = 0 ] || [ $code = 77 ] || tail -n 60 "$log" | sed 's/^/          | /'
	rm -rf "$dir"
}

# What the kernel complained about since we began.
kernel_log() {
	local bad

	if ! dmesg >/dev/null 2>&1; then
		verdict skip kernel-log "dmesg may not be read here"
		return
	fi
	bad=$(dmesg | awk -v from="$started" '{ t = substr($0, 2) + 0 }
		t >= from && /WARNING:|BUG:|Oops|general protection|refcount_t|Call Trace/')
	if [ "$bad" ]; then
		verdict fail kernel-log
		echo "$bad" | head -n 20 | sed 's/^/          | /'
	else
		verdict pass kernel-log
	fi
}

one() {
	local words name

	# shellcheck disable=SC2206
	words=($1)
	[ -e "$TOP/${words[0]}" ] && words[0]=$TOP/${words[0]}
	name=$(basename "${words[0]}" .sh)
	case $name in
	fuzz)		name=fuzz_${words[1]} ;;
	replay_*)	[ -e "$TOP/${words[1]}" ] && words[1]=$TOP/${words[1]} ;;
	esac
	[[ $name = *${T-}* ]] || return
	if [ "$tier" = net ] && [ ! "$private" ]; then
		verdict skip "$name" "needs root and its own network namespace"
	else
		run_one "$name" "${words[@]}"
	fi
}

# Fuzzers need a core each and nothing else: as many at once as there are cores.
at_once() {
	local said=$tmp/${1//[^a-z]/-}.said

	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	(run=$run.${said##*/} && one "$1" >"$said"; cat "$said") &
}

[ "$tier" = net ] && [ "$private" ] &&
	python3 "$TOP/tests/lib/leftovers.py" "$B" "$tmp/before" --remember
for test; do
	if [ -d "$TOP/$test" ]; then
		for script in "$TOP/$test"/*; do
			[ -f "$script" ] && [ -x "$script" ] && [ "${script##*/}" != run.sh ] &&
				one "${script#"$TOP/"}"
		done
	elif [[ $test = */ ]] || [[ $test = tests/* && ! -e $TOP/${test%% *} ]]; then
		: # a tier without tests yet
	elif [ "$tier" = fuzz ]; then
		at_once "$test"
	else
		one "$test"
	fi
done
for job in $(jobs -rp); do
	wait "$job"
done
[ "$tier" = net ] && [ "$private" ] && kernel_log
if [ "${RESULTS-}" ]; then
	! grep -q "^fail $tier/" "$results"
else
	sum "$results"
fi
