#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the checkout after it was built.
# Out:  whether building made files outside of build/ that git would show.
# Owns: nothing.
# Runs on: a git checkout; else a skip. Your own new files are fine: only what
#       looks built counts.
set -u
cd "$TOP" || exit 1
new=$(git status --porcelain --untracked-files=all 2>/dev/null) || { echo "not a git checkout"; exit 77; }
made=$(sed -n 's/^?? //p' <<<"$new" | grep -E '\.(o|d|a|so|skel\.h|pcap|pcapng|log)$|^[^.]*$|core' |
	grep -vE '^(tests/(data|fuzz/corpus)/|Makefile|LICENSE)')
[ -z "$made" ] || { echo "not in build/:"; echo "$made"; exit 1; }
[ -z "${CI-}" ] || [ -z "$new" ] || { echo "git status is not clean:"; echo "$new"; exit 1; }
