#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   files of ours, of ptcpdump, of macOS, and with process blocks of Wireshark's form.
# Out:  who is behind their packets, as processes.sh.stdout.exact has it; that copies keep it,
#       and that tcpdump and tshark read them as well.
# Owns: files in its directory.
# Runs on: no root.
set -u
export TZ=UTC
bad=0
fail() {
	echo "$*"
	bad=1
}

# what others write, in both byte orders
for kind in ptcpdump wireshark macos; do
	"$TOP/tests/lib/owners.py" $kind >$kind.pcapng || exit 1
	"$TOP/tests/lib/owners.py" $kind big >$kind-big.pcapng || exit 1
	echo "\$ xcap dump -r $kind.pcapng"
	xcap dump -r $kind.pcapng 2>err || fail "exit $?"
	xcap dump -r $kind.pcapng -vv 2>err | cut -d ' ' -f 9-
	xcap dump --json -r $kind.pcapng 2>err | sed 's/"direction.*/.../; s/"len.*/.../'
	xcap dump -r $kind-big.pcapng -vv 2>err | sed 's/-big//' |
		cmp - <(xcap dump -r $kind.pcapng -vv 2>err) || fail "$kind: the byte order matters"
done

# ours, and copies of all of them: nothing of it is lost
make_stream ours.pcapng 211 || exit 1
as_json() {
	xcap dump --json -r "$1" 2>err | sed 's/"source":"[^"]*",//'
}
for kind in ours ptcpdump wireshark macos; do
	as_json $kind.pcapng >want.json
	for how in "" blocks blocks,comments; do
		xcap dump -q -r $kind.pcapng -w copy.pcapng ${how:+--process-as $how} 2>err ||
			fail "$kind, '$how': $(cat err)"
		as_json copy.pcapng | cmp - want.json || fail "$kind is another one after a copy as '$how'"
	done
done
# comments have no cgroup, parent and start
xcap dump -q -r ours.pcapng -w copy.pcapng --process-as comments 2>err || fail "$(cat err)"
without() {
	python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    for key in "cgroup", "runtime", "ppid", "started", "unit":
        r.pop(key, None)
    r["cmdline"] = " ".join(r.get("cmdline", []))
    if r["type"] != "packet":   # which have no comments
        r.pop("container", None), r.pop("container_name", None)
    print(json.dumps(r))'
}
diff <(as_json copy.pcapng | without) <(as_json ours.pcapng | without) >diff.txt ||
	fail "comments lose more than they must: $(head -4 diff.txt)"
xcap dump -q -r ours.pcapng -w copy.pcapng --process-as none 2>err || fail "$(cat err)"
as_json copy.pcapng | grep -qE '"(exe|container)"' && fail "none is not none"
as_json copy.pcapng | grep -q '"pid":99,"tid":100,"comm":"nginx","uid":33' || fail "the ids are gone"

for wrong in block blocks,none "blocks," ""; do
	xcap dump -r ours.pcapng -w copy.pcapng --process-as "$wrong" 2>err
	[ $? = 2 ] || fail "--process-as '$wrong' is taken"
	grep -q '^xcap dump: --process-as: ' err || fail "--process-as '$wrong': $(cat err)"
done
xcap dump -r ours.pcapng --process-as blocks >out 2>err
[ $? = 2 ] && [ ! -s out ] || fail "--process-as without -w is taken"

# second opinions
for tool in tcpdump tshark capinfos; do
	command -v $tool >/dev/null || { echo "no $tool"; exit 77; }
done
for how in blocks,comments blocks comments none; do
	xcap dump -q -r ours.pcapng -w as.pcapng --process-as $how 2>err
	[ "$(tcpdump -nr as.pcapng 2>/dev/null | wc -l)" = 211 ] || fail "$how: tcpdump sees other packets"
	capinfos -c as.pcapng 2>/dev/null | grep -qE ' 1?[0-9]{3}$' || fail "$how: capinfos"
	tshark -r as.pcapng -V 2>tshark.err >details.txt || fail "$how: $(cat tshark.err)"
	! grep -m1 -iE 'malformed|Expert Info \(Error' details.txt || fail "$how: tshark finds it malformed"
	n=$(tshark -r as.pcapng -T fields -e frame.comment 2>/dev/null | grep -c '^PID: ')
	case $how in
	*comments) [ "$n" = 140 ] || fail "$how: tshark sees comments on $n packets" ;;
	*) [ "$n" = 0 ] || fail "$how: tshark sees comments" ;;
	esac
	n=$(tshark -r as.pcapng 2>/dev/null | grep -c 'Custom Block')
	case $how in
	blocks*) [ "$n" = 3 ] || fail "$how: tshark sees $n blocks" ;;
	*) [ "$n" = 0 ] || fail "$how: tshark sees blocks" ;;
	esac
done
# a block would have no time: it is never the first, from which relative times count
xcap dump -q -r wireshark.pcapng -w first.pcapng 2>err
tshark -r first.pcapng -T fields -e frame.time_relative 2>/dev/null | awk '$1 > 100 { bad = 1 } END { exit bad }' ||
	fail "relative times count from the epoch"

# with xcap.lua a packet has fields of its owner, and such a frame says which process it is
lua() {
	tshark -X "lua_script:$B/xcap.lua" "$@" 2>lua.err
}
[ "$(lua -r ours.pcapng -Y 'arp && xcap.pid == 99 && xcap.tid == 100 && xcap.comm == "nginx" && xcap.uid == 33 &&
	xcap.exe == "/usr/sbin/nginx" && xcap.args == "nginx -g daemon off;" && xcap.container_name == "web"' | wc -l)" = 70 ] ||
	fail "xcap.lua has other owners: $(cat lua.err)"
lua -r ours.pcapng -Y frame.cb_pen -T fields -e _ws.col.Info >blocks.txt
diff blocks.txt - <<'END' || fail "xcap.lua has other processes: $(cat lua.err)"
process nginx[99] /usr/sbin/nginx (nginx -g daemon off;)
process arping[4321] /usr/sbin/arping (arping -c 10.0.0.1)
process arpd[4321] /usr/sbin/arpd (arpd)
END
lua -r ptcpdump.pcapng -T fields -e xcap.pid -e xcap.comm -e xcap.pod | diff - <(printf '%s\t%s\t%s\n' \
	1292 resolver 8dbc5577-d0e2-4706-8787-57d52c03ddf2 "" "" "" 12 sshd "") ||
	fail "xcap.lua does not read ptcpdump's words"
exit $bad
