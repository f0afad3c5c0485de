#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   every shell and Python script.
# Out:  what shellcheck and the Python compiler say of them.
# Owns: nothing.
# Runs on: anything with shellcheck.
set -u
command -v shellcheck >/dev/null || { echo "no shellcheck"; exit 77; }
cd "$TOP" || exit 1
bad=0
mapfile -t shell < <(grep -rlIE '^(#!/bin/(ba)?sh|# shellcheck shell=)' --include='*.sh' . .ci/run |
	grep -v '^\./build')
# SC2015: A && B || C reads well where B cannot fail
shellcheck -x -P SCRIPTDIR -S info -e SC1091,SC2015,SC2317 "${shell[@]}" || bad=1
while read -r file; do
	python3 - "$file" <<-'END' || bad=1
		import ast, sys
		ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])
	END
done < <(find tests examples -name '*.py')
for file in "${shell[@]}"; do
	case $file in
	*/lib/*) [ ! -x "$file" ] || { echo "$file is sourced and must not be executable"; bad=1; } ;;
	esac
done
exit $bad
