#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   tests/run.sh, with tests that pass, fail, skip, hang, and fork away.
# Out:  whether it counts them right, and ends what they started, also when it
#       is killed itself.
# Owns: a tree of its own with a copy of the runner.
# Runs on: anything.
set -u
unset RESULTS T REQUIRE TIMEOUT
mkdir -p tree/tests/cli tree/tests/lib tree/build
cp "$TOP/tests/run.sh" tree/tests/
cd tree || exit 1

add() {
	printf '#!/bin/bash\n%s\n' "$2" >"tests/cli/$1.sh"
	chmod +x "tests/cli/$1.sh"
}
fail() {
	echo "FAIL: $*"
	cat out
	exit 1
}
# run EXIT LAST-LINE ENVIRONMENT...
run() {
	local code=$1 last=$2

	shift 2
	env B="$PWD/build" "$@" tests/run.sh check tests/cli >out 2>&1
	[ $? = "$code" ] || fail "not exit $code"
	[ "$(tail -n 1 out)" = "$last" ] || fail "the last line is not '$last'"
	[ "$(grep -cE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' out)" = 1 ] || fail "not one sum"
}

add good 'echo hello'
echo hello >tests/cli/good.sh.stdout.exact
run 0 '1 passed, 0 failed, 0 skipped'
add skipped 'echo something; echo no such thing here; exit 77'
run 0 '1 passed, 0 failed, 1 skipped'
grep -q 'skipped: no such thing here$' out || fail "no reason for the skip"
run 1 '1 passed, 1 failed, 0 skipped' REQUIRE=net,check
run 0 '0 passed, 0 failed, 1 skipped' T=ski
rm tests/cli/skipped.sh

add bad 'echo this went wrong; exit 1'
run 1 '1 passed, 1 failed, 0 skipped'
grep -q '| this went wrong' out || fail "nothing told of the failed test"
add bad 'kill -SEGV $$'
run 1 '1 passed, 1 failed, 0 skipped'
rm tests/cli/bad.sh
echo bye >tests/cli/good.sh.stdout.exact
run 1 '0 passed, 1 failed, 0 skipped'
rm tests/cli/good.*

# what a test starts ends with it: itself, a child, a daemon
word=$$
spawn="setsid sleep 4711.$word & sleep 4711.$word & sleep 4711.$word"
add hang "# timeout: 1
$spawn"
run 1 '0 passed, 1 failed, 0 skipped'
grep -q 'no end after 1 s' out || fail "the timeout is not told"
left() {
	grep -lzx "4711.$word" /proc/[0-9]*/cmdline 2>/dev/null
}
[ -z "$(left)" ] || fail "left after a timeout: $(left)"

# ... and with the runner, however that ends
add hang "$spawn"
for signal in TERM KILL; do
	B="$PWD/build" setsid tests/run.sh check tests/cli >out 2>&1 &
	for _ in $(seq 100); do
		[ "$(left | wc -l)" = 3 ] && break
		sleep 0.05
	done
	[ "$(left | wc -l)" = 3 ] || fail "the test did not start"
	kill -$signal $!
	wait $! 2>/dev/null
	for _ in $(seq 100); do
		[ -z "$(left)" ] && break
		sleep 0.05
	done
	[ -z "$(left)" ] || fail "left after SIG$signal: $(left)"
done
for _ in $(seq 40); do
	[ -z "$(find "$TMPDIR" -maxdepth 1 -name 'xcap-test.*')" ] && break
	sleep 0.05
done
[ -z "$(find "$TMPDIR" -maxdepth 1 -name 'xcap-test.*')" ] || fail "a directory is left"
