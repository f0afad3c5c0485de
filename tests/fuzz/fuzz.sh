#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   fuzz.sh NAME SECONDS
# Out:  what libFuzzer says; an input that fails is kept as $B/fuzz/NAME-*, and the exit code is 1:
#       libFuzzer's own, 77, is a skipped test to the runner.
# Owns: nothing in the sources: new inputs stay in the test's own directory.
# Runs on: two cores for that long.
set -eu

name=$1
seconds=$2
corpus=$TOP/tests/fuzz/corpus/$name
mkdir -p new
[ -d "$corpus" ] || corpus=
export ASAN_OPTIONS=detect_leaks=${LEAKS:-1}
# shellcheck disable=SC2086
exec "$B/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
	-error_exitcode=1 -timeout_exitcode=1 -print_final_stats=1 -verbosity=0 -artifact_prefix="$B/fuzz/$name-" new $corpus
