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
found() {	# event type, fields that it has to have
	tshark -r a.pcapng -Y "sysdig.event_type == $1" -T fields -E separator='|' "${@:3}" 2>/dev/null |
		grep -qxF "$2" || fail "event $1: tshark does not find $2 but $(tshark -r a.pcapng \
			-Y "sysdig.event_type == $1" -T fields -E separator='|' "${@:3}" 2>/dev/null)"
}
hex() {
	printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n'
}
le() {	# number, bytes
	printf "%0$(($2 * 2))x" "$1" | fold -w2 | tac | tr -d '\n'
}
p=sysdig.param
found 307 "3|-100|$(hex 'notes (old).txt\0')|$(le 4103 4)|416" -e $p.openat2.fd -e $p.openat2.dirfd \
	-e $p.openat2.name -e $p.openat2.flags -e $p.openat2.mode
found 175 "/tmp/a|/tmp/b" -e $p.link.oldpath -e $p.link.newpath
found 303 "5|$(hex 'd\0')" -e $p.openat2.dirfd -e $p.openat2.name
found 293 "ls|1292" -e $p.execve.exe -e sysdig.thread_id
found 61 "7|8" -e $p.pipe.fd1 -e $p.pipe.fd2
found 9 "$(hex 'GET / HTTP/1.1\r\n')" -e $p.ptrace.data
found 7 "$(hex '\0\xff"gr\xc3\xbcn"\n')" -e $p.ptrace.data
found 48 "8|5" -e $p.openat2.fd -e $p.pwritev.size
found 21 "02$(hex '\x0a\0\0\x01')$(le 443 2)" -e $p.ptrace.addr
found 23 "02$(hex '\x0a\0\0\x01')$(le 443 2)$(hex '\x0a\0\0\x07')$(le 51122 2)" -e $p.accept.tuple
found 249 "5|02$(hex '\x0a\0\0\x07')$(le 51122 2)$(hex '\x0a\0\0\x01')$(le 443 2)" \
	-e $p.openat2.fd -e $p.accept.tuple

# xcap.lua has our lines, but for structures, and long and non-ASCII text
differ='[<>] (socket|setsockopt|poll|kill|wait4|nanosleep|pipe2|read|sendto)[( ]'
sed 's/^[0-9:.]* cpu1 //' a.txt | grep -vE "$differ" >ours
tshark -X "lua_script:$B/xcap.lua" -r a.pcapng -T fields -e _ws.col.Info 2>lua.err | grep -vE "$differ" >theirs
[ "$(wc -l <theirs)" -gt 20 ] || fail "xcap.lua shows nothing: $(cat lua.err)"
diff ours theirs >&2 || fail "xcap.lua has other lines"
exit $bad
