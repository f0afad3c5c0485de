#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the BPF objects as they were built.
# Out:  whether the names of programs and maps fit the 15 characters that the
#       kernel shows, and whether all say the same licence.
# Owns: nothing.
# Runs on: anything with llvm-readelf.
set -u
command -v llvm-readelf >/dev/null || { echo "no llvm-readelf"; exit 77; }
bad=0 nr=0
for obj in "$B"/*.bpf.o; do
	[ -f "$obj" ] || continue
	nr=$((nr + 1))
	maps=$(llvm-readelf -S "$obj" | sed -nE 's/^ *\[ *([0-9]+)\] \.maps .*/\1/p')
	# programs are global functions, except what only other programs call (.text)
	text=$(llvm-readelf -S "$obj" | sed -nE 's/^ *\[ *([0-9]+)\] \.text .*/\1/p')
	long=$(llvm-readelf -s "$obj" | awk -v maps="${maps:-x}" -v text="${text:-x}" '
		($4 == "FUNC" && $5 == "GLOBAL" && $7 != text) || ($4 == "OBJECT" && $7 == maps) {
			if (length($8) > 15) print $8 }')
	[ -z "$long" ] || { echo "${obj##*/}: longer than 15 characters: $long"; bad=1; }
	llvm-readelf -p license "$obj" >>licences
done
[ $nr -gt 0 ] || { echo "no BPF objects in $B"; exit 1; }
kinds=$(grep -oE '\] .*' licences | sort -u)
[ "$(wc -l <<<"$kinds")" = 1 ] || { echo "licences differ: $kinds"; bad=1; }
exit $bad
