#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a file of system calls with what their arguments refer to.
# Out:  its lines and JSON, as arguments.sh.stdout.exact has them (64 KiB of data shortened); that a
#       copy says the same, and that tshark finds names and data where sysdig has them.
# Owns: files in its directory.
# Runs on: no root; Debian's tshark (Wireshark 4.0).
set -u
command -v tshark >/dev/null || { echo "no tshark"; exit 77; }
bad=0
fail() {
	echo "$*"
	bad=1
}

make_arguments a.pcapng || exit 1
xcap dump -q -r a.pcapng -w b.pcapng 2>err || fail "cannot copy it: $(cat err)"
for file in a b; do
	xcap dump -r $file.pcapng >$file.txt 2>err || fail "cannot read $file: $(cat err)"
	xcap dump --json -r $file.pcapng 2>err | sed "s/file:$file/file:a/" >$file.json
done
diff a.txt b.txt >&2 || fail "a copy has other lines"
diff a.json b.json >&2 || fail "a copy has other JSON"
[ "$(grep -oE '"(0123456789abcdef)+"' a.txt | wc -c)" = 65539 ] || fail "64 KiB of data are not all there"
sed -E 's/(0123456789abcdef){4096}/[64 KiB]/' a.txt a.json
python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <a.json || fail "no JSON"
xcap dump -q -r a.pcapng 2>/dev/null | grep -F '(' && fail "-q has brackets"

# tshark: nothing is malformed, and parameters are where they should be
tshark -r a.pcapng -V 2>/dev/null >details.txt
! grep -m1 -iE 'malformed|Expert Info' details.txt || fail "tshark does not like it"
names=(openat2.fd openat2.dirfd openat2.name openat2.flags openat2.mode link.oldpath link.newpath execve.exe
	pipe.fd1 pipe.fd2 ptrace.data pwritev.size ptrace.addr accept.tuple)
tshark -r a.pcapng -T fields -E separator='|' -e sysdig.event_type "${names[@]/#/-esysdig.param.}" \
	>fields.txt 2>/dev/null
found() {	# event type, parameters that one of these events has to have
	awk -F '|' -v names="${names[*]}" -v want="$*" '
		BEGIN {
			nr = split(want, w, "|")
			for (i = split(names, name, " "); i; i--) column[name[i]] = i + 1
		}
		$1 == w[1] {
			good = 1
			for (i = 2; i <= nr; i++) {
				at = index(w[i], "=")
				good = good && $column[substr(w[i], 1, at - 1)] == substr(w[i], at + 1)
			}
			found = found || good
		}
		END { exit !found }' fields.txt ||
		fail "tshark does not find $* but $(grep "^${1%%|*}|" fields.txt)"
}
hex() {
	printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n'
}
le() {	# number, bytes
	printf "%0$(($2 * 2))x" "$1" | fold -w2 | tac | tr -d '\n'
}
server="$(hex '\x0a\0\0\x01')$(le 443 2)" client="$(hex '\x0a\0\0\x07')$(le 51122 2)"
found "307|openat2.fd=3|openat2.dirfd=-100|openat2.name=$(hex 'notes (old).txt\0')|openat2.flags=$(le 4103 4)|openat2.mode=416"
found "175|link.oldpath=/tmp/a|link.newpath=/tmp/b"
found "303|openat2.dirfd=5|openat2.name=$(hex 'd\0')"
found "293|execve.exe=ls"
found "61|pipe.fd1=7|pipe.fd2=8"
found "9|ptrace.data=$(hex 'GET / HTTP/1.1\r\n')"
found "7|ptrace.data=$(hex '\0\xff"gr\xc3\xbcn"\n')"
found "48|openat2.fd=8|pwritev.size=5"
found "21|ptrace.addr=02$server"
found "23|accept.tuple=02$server$client"
found "249|openat2.fd=5|accept.tuple=02$client$server"

# xcap.lua has our lines, but for structures, and long and non-ASCII text
differ='[<>] (socket|setsockopt|poll|kill|wait4|nanosleep|pipe2|read|sendto)[( ]'
sed 's/^[0-9:.]* cpu1 //' a.txt | grep -vE "$differ" >ours
tshark -X "lua_script:$B/xcap.lua" -r a.pcapng -T fields -e _ws.col.Info 2>lua.err | grep -vE "$differ" >theirs
[ "$(wc -l <theirs)" -gt 20 ] || fail "xcap.lua shows nothing: $(cat lua.err)"
diff ours theirs >&2 || fail "xcap.lua has other lines"
exit $bad
