#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   our C sources.
# Out:  whether lines are at most 100 columns (tabs of 8; 120 in tables of tests),
#       functions at most 100 lines and files at most 800, and no file has stray blanks.
# Owns: nothing.
# Runs on: anything.
set -u
cd "$TOP" || exit 1
bad=0
while read -r file; do
	# one row a system call: that is a table, and its length is the kernel's
	limit=800
	[ "$file" = user/syscall_names.h ] && limit=100000
	wide=100
	[[ $file = tests/* ]] && wide=120
	awk -v file="$file" -v limit=$limit -v wide=$wide '
	function columns(s,   i, n) {
		n = 0
		for (i = 1; i <= length(s); i++)
			n = substr(s, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
		return n
	}
	/[ \t]$/ { print file ":" NR ": blanks at the end of the line"; bad = 1 }
	limit == 800 && columns($0) > wide { print file ":" NR ": " columns($0) " columns"; bad = 1 }
	/^{/ { start = NR }
	/^}/ && start {
		if (NR - start > 100) { print file ":" start ": a function of " NR - start " lines"; bad = 1 }
		start = 0
	}
	END {
		if (NR > limit) { print file ": " NR " lines"; bad = 1 }
		exit bad
	}' "$file" || bad=1
done < <(find bpf include user tools tests examples -name '*.[ch]' | sort)
exit $bad
