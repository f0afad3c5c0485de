#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   args_calls: nearly every call that has arguments, with known ones, 64 and 32 bit.
# Out:  whether what is shown of each is what args.golden and args32.golden have, live and out of
#       a file, and whether strace says the same of the same run.
# Owns: namespaces and processes, gone with the script.
# Runs on: root, x86-64.
#
# GOLDEN=DIR: writes the golden files there instead.
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

[ "$(uname -m)" = x86_64 ] || skip "the golden files are those of x86-64"
ARGS=$TOP/tests/lib/args.py
export PYTHONDONTWRITEBYTECODE=1
ulimit -c 0

# of its own, so that sizes of files and directories are known
mkdir calls
mount -t tmpfs -o size=1m none calls || fail "mount"
where=$PWD/calls

# watched BITS OPTION... -- COMMAND...: runs it in a clean directory while xcap dumps its calls
watched() {
	local bits=${1#64} options=()

	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -rf calls/*
	cp "$B/tests/args_calls$bits" calls/args_calls
	ns_bg "" capture xcap dump -i 'syscalls?switches=off' -f 'proc.name=args_calls' "${options[@]}"
	wait_for capture.err '^xcap: capturing' || fail "no start line"
	# a network of its own each time, so that ports are free
	# shellcheck disable=SC2016
	unshare -n sh -c 'ip link set lo up && exec "$@"' sh "$@" || fail "$* ended with $?"
	stop capture || fail "exit $? of the capture: $(cat capture.err)"
	grep -q '^xcap: 0 dropped, 0 late, 0 out of order$' capture.err || fail "$(cat capture.err)"
}

# compared BITS FILE: against the golden file
compared() {
	if [ "${GOLDEN-}" ]; then
		python3 "$ARGS" golden "$where" "$2" >"$GOLDEN/args${1#64}.golden"
	else
		python3 "$ARGS" same "$where" "$2" "$TOP/tests/net/args${1#64}.golden"
	fi || fail "$1 bit: $2 is not as the golden file has it"
}

both() {
	local bits=$1 wrong

	watched "$bits" -- calls/args_calls calls
	compared "$bits" capture.out
	watched "$bits" -w live.pcapng -- calls/args_calls calls
	xcap dump -r live.pcapng >read.out || fail "exit $? of xcap dump -r"
	compared "$bits" read.out
	command -v strace >/dev/null || skip "strace is not here: make deps"
	watched "$bits" -- strace -f -yy -v -s 80 -o strace.out calls/args_calls calls
	python3 "$ARGS" strace capture.out strace.out || fail "$bits bit: strace says otherwise"
	# and it would be seen
	for wrong in 's/backlog=7/backlog=8/' 's/O_EXCL|\?//' 's/=127.0.0.1:443/=127.0.0.1:444/' \
		's/message"/massage"/' 's/ESRCH/EPERM/' 's/tv_sec=1000,/tv_sec=1001,/'; do
		sed "$wrong" capture.out >wrong.out
		python3 "$ARGS" strace wrong.out strace.out >/dev/null && fail "$wrong is not seen"
	done
}

both 64
if ! "$B/tests/calls32" 0 >/dev/null 2>&1; then
	echo "this kernel runs no 32-bit programs"
	exit 0
fi
both 32
exit 0
