#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the option tables as help prints them, what the sources say they know, the
#       header, the names of the places; and the man pages.
# Out:  whether each has what the other has, in both directions.
# Owns: files in its directory.
# Runs on: anything.
set -u
man=$TOP/man
bad=0

fail() {
	echo "FAIL: $*"
	bad=1
}

# same WHAT A B: two lists, one name a line
same() {
	sort -u "$2" >"$2.sorted"
	sort -u "$3" >"$3.sorted"
	[ -s "$2.sorted" ] || fail "$1: nothing found"
	diff -u --label "${4:-program}" --label "${5:-manual}" "$2.sorted" "$3.sorted" || fail "$1 differ"
}

# section FILE NAME: its lines, without backslashes
section() {
	awk -v name="$2" '/^\.SH/ { on = $0 ~ "^\\.SH \"?" name "\"?$" } on' "$1" | tr -d '\134'
}

# ---- options of the commands: "-c --count", letter and name together ----

for command in balance bounce count doctor dump extcap iface list pipe probe run top; do
	xcap help "$command" | sed -nE 's/^ +((-.), )?--([a-z-]+).*/\2 --\3/p' >rows
	section "$man/xcap-$command.1" OPTIONS |
		sed -nE 's/^\.[BIR]+ ((-.) ", " )?--([a-z-]+).*/\2 --\3/p' >pages
	same "options of xcap $command" rows pages
done
xcap help | sed -nE 's/^  xcap ([a-z]+) .*/\1/p' >rows
sed -n 's/^\.BR* "xcap \([a-z]*\)".*/\1/p; s/^\.B xcap \([a-z]*\)$/\1/p' "$man/xcap.1" >pages
same "commands" rows pages

# ---- keys of xcap top: the table that help is, and the page ----

awk '/^const struct top_key_row/ { on = 1 } on' "$TOP/tools/top_keys.c" | tr '\n' ' ' |
	grep -oP '\{ "\K[^"]+", "[^"]+"' | sed 's/", "/: /; s/"$//' >rows
section "$man/xcap-top.1" KEYS | awk '/^\.PP/ { exit } /^\.B / { key = substr($0, 4); getline; print key ": " $0 }' >pages
same "keys of xcap top" rows pages
[ "$(wc -l <rows)" -ge 17 ] || fail "not all keys of xcap top were found"

# and its columns, by which rows are sorted
grep -oP '^\t\w+ = \{ "[^"]*", "\K[^"]+' "$TOP/tools/top_columns.c" >rows
section "$man/xcap-top.1" COLUMNS | awk '/^\.PP/ { exit } after { print; after = 0 } /^\.TP/ { after = 1 }' |
	sed 's/^\.BR* //; s/ ", " /\n/g' >pages
same "columns of xcap top" rows pages

# ---- options of the sources, which they list when asked for one they do not know ----

for source in tap:lo xsk:lo syscalls probe:exit; do
	scheme=${source%:*}
	xcap count -i "$source?nosuch=1" 2>&1 | sed -n 's/.*it knows: //p' | tr -d ' ' |
		tr , '\n' >rows
	[ -s rows ] || { xcap count -i "$source?nosuch=1" 2>&1 | grep -q 'no kind of source' && continue; }
	awk -v scheme="$scheme" 'head && !/=/ { on = $2 ~ "^" scheme ":?$" }
		head && on && /=/ { sub(/=.*/, "", $2); print $2 }
		{ head = $0 == ".TP" }' "$man/xcap.7" >pages
	same "options of $source" rows pages
done

# ---- probes ----

xcap probe --list --json | sed -n 's/^{"probe":"\([a-z]*\)".*/\1/p' >rows
section "$man/xcap-probe.1" PROBES | sed -nE 's/^\.B ([a-z]+)$/\1/p' | sort -u >pages.all
comm -12 pages.all <(sort -u rows) >pages
same "probes" rows pages

# ---- places ----

sed -nE 's/^\t\[XCAP_DROP_[A-Z_]+\] = "([a-z_]+)".*/\1/p' "$TOP/user/accounts.c" >rows
section "$man/xcap.7" ACCOUNTS | sed -nE 's/^\.B ([a-z]+(_[a-z]+)*)$/\1/p' |
	grep -vE '^(seen|delivered|filtered|dropped)$' >pages
same "places of loss" rows pages

# ---- functions ----

sed -nE 's/^XCAP_API .*[ *](xcap_[a-z_]+)\(.*/\1/p' "$TOP"/include/xcap{,_call,_cluster,_probe,_serve}.h >rows
section "$man/xcap.3" SYNOPSIS | grep -oE 'xcap_[a-z_]+\(' | tr -d '(' >pages
same "functions" rows pages
section "$man/xcap.3" EXAMPLES | sed '/^\./d' | sed 's/en"/\\n"/' >example.c
cc -fsyntax-only -Wall -Werror -I"$TOP/include" example.c || fail "the example of xcap.3"

# ---- form ----

for page in "$man"/*.[1-9]; do
	name=${page##*/}
	[[ $(sed -n 2p "$page") = .so* ]] && { [ -f "$man/$(sed -n '2s|.*/||p' "$page")" ] ||
		fail "$name leads nowhere"; continue; }
	if [[ $name != xcap.1 ]]; then
		for need in OVERHEAD LIMITS "SEE ALSO"; do
			grep -q "^\.SH \"*$need" "$page" || fail "$name has no section $need"
		done
	fi
	# pages of ours that are named exist
	for ref in $(tr -d '\134' <"$page" | sed -nE 's/^\.BR (x[a-z-]+) \(([0-9])\).*/\1.\2/p'); do
		[ -f "$man/$ref" ] || fail "$name names $ref, which is not there"
	done
	if command -v groff >/dev/null; then
		groff -man -Tutf8 -ww -z "$page" 2>warnings
		[ -s warnings ] && { fail "$name:"; cat warnings; }
	fi
done
exit $bad
