#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Known calls with known arguments, of two threads, on each CPU, 64 and 32 bit:
# exactly those records come out, entry and exit paired.
set -eu
t=$B/tests

for cpu in 0 $(($(nproc) - 1)); do
	"$t/witness" "$t/calls" "$cpu"
done
if ! "$t/calls32" 0 >/dev/null 2>&1; then
	echo "this kernel runs no 32-bit programs"
	exit 77
fi
"$t/witness" "$t/calls32" 0
