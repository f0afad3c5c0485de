#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   captures of several kinds, by root and by others, killed and ended.
# Out:  whether xcap list tells of those that run what they say themselves, and of no ghost.
# Owns: namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod 755 . && chmod 777 .

captures() {
	ns rx xcap list --json | grep '"type":"capture"'
}

# told CONDITION: of c, the only capture, within two seconds
told() {
	local i

	for ((i = 0; i < 40; i++)); do
		captures >told
		python3 -c 'import json, sys
found = [json.loads(line) for line in open("told")]
c = found[0] if len(found) == 1 else sys.exit(1)
s = c["sources"]
sys.exit(not eval(sys.argv[1]))' "$1" && return
		sleep 0.05
	done
	fail "not told: $1: $(cat told)"
}

# ends WHAT: nothing is told, and nothing lies about
ends() {
	[ -z "$(captures)" ] || fail "$1: told although it is gone: $(captures)"
	[ -z "$(find /run/xcap -name '*.account')" ] || fail "$1: it has left $(ls /run/xcap)"
}

# what is told while it runs is what it says at its end
ns_bg rx count xdpcount -i tap:veth0,syscalls?only=getppid -f 'udp port 7' -w both.pcapng -q --json
wait_for count.err '^xcap: capturing' || exit 1
ns tx txgen -i veth0 -n 1009 >/dev/null || fail "txgen failed"
told "s[0]['seen'] == 1009 and s[0]['filtered'] + s[0]['delivered'] == 1009 and not s[0]['dropped']"
told "c['command'] == 'xdpcount' and c['sink'] == 'both.pcapng' and c['pid'] == ${NS_PIDS[count]}"
told "[x['spec'] for x in s] == ['tap:veth0', 'syscalls?only=getppid'] and c['uid'] == 0"
told "c['nr_sources'] == 2 and not c['records'] - s[0]['delivered'] - s[1]['delivered']"
ns rx xcap list >text || fail "list: $?"
grep -qE "^${NS_PIDS[count]} +xdpcount +20[0-9-]+ [0-9:]{8}  both.pcapng$" text || fail "$(cat text)"
grep -qE '^  tap:veth0  seen 1009 = delivered [0-9]+ \+ filtered [0-9]+ \+ dropped 0$' text ||
	fail "$(cat text)"
"${as_user[@]}" "$B/xcap" list | grep -q '^  tap:veth0  seen 1009 ' || fail "not told to a user"
stop count || fail "$(cat count.err)"
ends "who ended"
python3 "$TOP/tests/lib/books.py" count.out 's0.seen == 1009' || exit 1

# so does a screen, which reads the stream by itself
ns_bg rx top xcap top -b -i tap:veth0
wait_for top.err '^xcap: capturing' || exit 1
ns tx txgen -i veth0 -n 89 >/dev/null || fail "txgen failed"
told "[x['spec'] for x in s] == ['tap:veth0'] and s[0]['seen'] == 89"
stop top || fail "$(cat top.err)"
ends "a screen"

# nor does a program that captures by way of another process: the account of each handle is there
ns_bg rx dump xcap run tcpdump -i tap:veth0 -w both.pcap udp port 7
wait_for dump.err 'listening on' || exit 1
ns tx txgen -i veth0 -n 503 >/dev/null || fail "txgen failed"
told "s[0]['seen'] == 503 and s[0]['filtered'] + s[0]['delivered'] == 503 and not s[0]['dropped']"
told "c['command'] == 'xcap run tcpdump' and c['sink'] == 'tcpdump[${NS_PIDS[dump]}]' and c['uid'] == 0"
told "[(x['spec'], x['mode'][:3]) for x in s] == [('tap:veth0', 'tap')] and c['nr_sources'] == 1"
stop dump || fail "$(cat dump.err)"
for ((i = 0; i < 40; i++)); do	# the other process sees it end
	[ -z "$(find /run/xcap -name '*.account')" ] && break
	sleep 0.05
done
ends "a program"

# another user's capture leaves no word: neither a file nor a complaint
needed=bpf,perfmon,net_admin,net_raw,ipc_lock
ns_bg rx user "${as_user[@]}" --inh-caps=+${needed//,/,+} --ambient-caps=+${needed//,/,+} \
	"$B/xcap" count -i tap:veth0 --json
wait_for user.err '^xcap: capturing' || exit 1
ends "who may not write"
stop user || fail "$(cat user.err)"
grep -qvE '^xcap: (tap:veth0: tap|capturing)' user.err && fail "it complains: $(cat user.err)"

# killed, with capabilities and without; whoever may not remove it does not see it either
for command in "xcap dump -i tap:veth0" "xcap balance -i tap:veth0 -c 97" \
	"xcap pipe -i tap:veth0 --stages 2"; do
	# shellcheck disable=SC2086
	ns_bg rx dies $command
	wait_for dies.err '^xcap: capturing' || exit 1
	told "c['pid'] == ${NS_PIDS[dies]} and '${command% -i*}' == c['command']"
	if [[ $command = *balance* ]]; then
		told "c['sink'] == 'xcap:97'"
		ns rx xcap list --json | grep -q '^{"type":"cluster","cluster":97,' ||
			fail "no cluster: $(ns rx xcap list --json)"
		ns rx xcap list | grep -q '^cluster 97: 0 records' || fail "no cluster in text"
	fi
	stop dies KILL
	[ -n "$(find /run/xcap -name '*.account')" ] || fail "$command was told from nowhere"
	"${as_user[@]}" "$B/xcap" list --json | grep '"type":"capture"' && fail "a ghost, to a user"
	ns rx xcap list --json | grep '"type":"cluster"' && fail "a master that is dead"
	ends "$command, killed"
done

# what a capture writes about itself steers no terminal and breaks no line
ns_bg rx count xdpcount -i tap:veth0 -q
wait_for count.err '^xcap: capturing' || exit 1
told "c['command'] == 'xdpcount'"
ns_bg rx liar python3 -c 'import fcntl, glob, os, struct, time
data = open(glob.glob("/run/xcap/*.account")[0], "rb").read()
data = data.replace(b"xdpcount\0\0\0\0\0", b"\x1b[2J\n\xff\xfe\"}\0\0\0\0")
data = data.replace(struct.pack("<I", '"${NS_PIDS[count]}"'), struct.pack("<I", os.getpid()), 1)
fd = os.open("/run/xcap/%d.account" % os.getpid(), os.O_RDWR | os.O_CREAT)
os.write(fd, data)
fcntl.fcntl(fd, 37, struct.pack("hhlli", fcntl.F_WRLCK, 0, 0, 1, 0))	# F_OFD_SETLK
print("lies", flush=True)
time.sleep(60)'
wait_for liar.out lies || exit 1
ns rx xcap list >text
grep -qF '\x1b[2J\x0a\xff\xfe"}' text || fail "not told as it is: $(cat -v text)"
[ "$(tr -d '\n -~\200-\377' <text | wc -c)" = 0 ] || fail "control bytes: $(cat -v text)"
[ "$(captures | wc -l)" = 2 ] || fail "lines: $(captures)"
captures | python3 -c 'import json, sys
print(sorted(json.loads(line)["command"] for line in sys.stdin))' >names || fail "no JSON"
grep -qF "'\\x1b[2J\\n\\ufffd\\ufffd\"}'" names || grep -q '2J' names || fail "$(cat names)"
stop liar KILL
stop count || fail "$(cat count.err)"
ends "a liar"
exit 0
