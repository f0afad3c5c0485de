#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   every tracked file.
# Out:  whether its first lines name its licence, and the right one: GPL-2.0-only
#       in bpf/ and tests/bpf/, BSD-2-Clause elsewhere.
# Owns: nothing.
# Runs on: a git checkout; else a skip.
set -u
cd "$TOP" || exit 1
files=$(git ls-files 2>/dev/null) && [ "$files" ] || { echo "not a git checkout"; exit 77; }

# data has no room for a licence line, and texts do not need one
data='^(LICENSE.*|README\.md|CHANGELOG\.md|docs/.*|tests/(data|fuzz/corpus)/.*|.*\.exact)$'
bad=0
while read -r file; do
	[ -f "$file" ] || continue
	case $file in
	bpf/* | tests/bpf/*)	want=GPL-2.0-only ;;
	*)			want=BSD-2-Clause ;;
	esac
	# vmlinux.h is kernel types for the BPF side
	[ "$file" = vmlinux.h ] && want=GPL-2.0-only
	if ! head -n 3 "$file" | grep -qE "SPDX-License-Identifier: $want( |$)"; then
		echo "$file: no 'SPDX-License-Identifier: $want' in its first lines"
		bad=1
	fi
done < <(grep -vE "$data" <<<"$files")

# in C the licence is line one, in the comment style of the kernel
while read -r file; do
	case $file in
	*.c)	want='// SPDX-License-Identifier: ' ;;
	*)	want='/* SPDX-License-Identifier: ' ;;
	esac
	line=$(head -n 1 "$file")
	[[ $line = "$want"* ]] || { echo "$file: line 1 is not '$want...'"; bad=1; }
done < <(grep -E '\.[ch]$' <<<"$files" | grep -vE "$data")
for text in LICENSE.BSD-2-Clause LICENSE.GPL-2.0-only; do
	[ -s "$text" ] || { echo "$text is missing"; bad=1; }
done
exit $bad
