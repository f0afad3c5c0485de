#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   records in both forms of xcap-linktypes(7), whole and broken; the examples of that page.
# Out:  whether tcpdump and tshark read them as it says, and each example finds what it should.
# Owns: files in its directory.
# Runs on: no root; Debian's tcpdump and tshark.
set -u
for tool in tcpdump tshark; do
	command -v $tool >/dev/null || { echo "no $tool"; exit 77; }
done
page=$TOP/man/xcap-linktypes.7
cp "$B/xcap.lua" .
bad=0
fail() {
	echo "$*"
	bad=1
}

test_forms syscalls.pcap ethernet && test_forms user0.pcap user0 && test_forms garbage.pcap garbage || exit 1

cat >lines <<'END'
nginx[1293] > write(fd=8, buf=0x7ffc0010, count=4096)
nginx[1293] < write = 4096
nginx[1293] < connect = -115 EINPROGRESS
nginx[1293] > write/32(fd=8, buf=0x7ffc0010, count=4096)
\x1b[2J\xff[66000] < #4711 = -2 ENOENT
nginx[1293] -> bash[78] (S)
--- 42 lost (ring_full)
END

# ---- Ethernet: every tool, and nothing is wrong with a sum ----

tcpdump -nvv -r syscalls.pcap >tcpdump.txt 2>/dev/null
sed -n 's/^\tMsg: //p' tcpdump.txt | diff -u lines - || fail "tcpdump -v prints other lines"
[ "$(grep -c '\[udp sum ok\] SYSLOG' tcpdump.txt)" = 7 ] || fail "a UDP checksum is wrong"
! grep -E 'bad|cksum 0x.*incorrect|truncated' tcpdump.txt || fail "tcpdump does not like it"
tshark -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -r syscalls.pcap -T fields -e syslog.msg \
	>msgs 2>/dev/null
diff -u lines msgs || fail "tshark shows other lines"
tshark -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -r syscalls.pcap -V 2>/dev/null >details.txt
! grep -m1 -iE 'malformed|Expert Info|\[(incorrect|bad)' details.txt || fail "tshark does not like it"
tshark -r syscalls.pcap 2>/dev/null | grep -q 'KERN.NOTICE: nginx\[1293\] < connect' ||
	fail "a failed call is no notice"
xcap dump -r syscalls.pcap 2>/dev/null | grep -q '192.0.0.8:13042 > 192.0.0.8:514 udp' || fail "xcap itself"

# ---- USER0: names and fields in Wireshark ----

wireshark=(tshark -X lua_script:xcap.lua)
"${wireshark[@]}" -r user0.pcap -T fields -e _ws.col.Info >list 2>err || fail "tshark fails: $(cat err)"
diff -u <(cat lines; echo "Who has 10.0.0.7? Tell 10.0.0.1") list || fail "other lines with xcap.lua"
"${wireshark[@]}" -r user0.pcap -T fields -E separator=, -e xcap.type -e xcap.pid -e xcap.tid -e xcap.cpu \
	-e xcap.syscall -e xcap.nr -e xcap.ret -e xcap.arg2 -e xcap.cgroup -e xcap.comm -e xcap.compat \
	-e xcap.lost -e xcap.where >found.fields 2>/dev/null
diff -u - found.fields <<'END' || fail "other fields with xcap.lua"
enter,1292,1293,1,write,1,,4096,1234605616436508552,nginx,0,,
exit,1292,1293,1,write,1,4096,,1234605616436508552,nginx,0,,
exit,1292,1293,1,connect,42,-115,,1234605616436508552,nginx,0,,
enter,1292,1293,1,write,4,,4096,1234605616436508552,nginx,1,,
exit,66000,66000,300,#4711,4711,-2,,1234605616436508552,\x1b[2J\xff,0,,
switch,1292,1293,1,,,,,1234605616436508552,nginx,0,,
loss,0,0,1,,,,,0,,0,42,ring_full
packet,1292,1293,1,,,,,1234605616436508552,nginx,0,,
END
grep -q '^	{ "write"\|^{ "write"' xcap.lua || fail "no table in xcap.lua"
places=$(sed -nE 's/^\t\[XCAP_DROP_[A-Z_]+\] = "([a-z_]+)".*/\1/p' "$TOP/user/accounts.c" | paste -sd,)
lua=$(sed -n '/^local places/,/}/p' xcap.lua | grep -oE '"[a-z_]+"' | tr -d '"' | paste -sd,)
[ "$places" = "$lua" ] || fail "places of loss: $places; xcap.lua has $lua"

# ---- broken records: no error of Lua's, and no crash ----

"${wireshark[@]}" -r garbage.pcap -V >garbage.txt 2>err || fail "tshark fails with garbage: $(tail -n 3 err)"
frames=$(tshark -r garbage.pcap 2>/dev/null | wc -l)
[ "$frames" -gt 1000 ] || fail "only $frames broken frames"
[ "$(grep -c '^Frame [0-9]*:' garbage.txt)" = "$frames" ] || fail "tshark stops within the garbage"
! grep -i -m3 'lua error' garbage.txt err || fail "garbage makes errors in xcap.lua"
grep -q 'The record is cut' garbage.txt || fail "nothing says that a record is cut"

# ---- the examples of the page, and how many records each finds ----

examples() {
	sed -n "/^\.\\\\\" tested: $1/,/^\.\\\\\" end/p" "$page" | grep "^$1" | sed 's/\\-/-/g'
}
examples tcpdump >example.tcpdump
examples tshark >example.tshark
run() {
	while read -r command; do
		echo "$(eval "$command" 2>/dev/null | wc -l) ${command#* -r }"
	done <"$1"
}
{ run example.tcpdump && run example.tshark; } >found
diff -u - found <<'END' || fail "examples find something else"
5 syscalls.pcap ether dst 02:00:00:00:05:0c
5 syscalls.pcap 'ether[8:4] = 1293'
1 syscalls.pcap udp src port 11001
2 syscalls.pcap udp src portrange 13000-13999
2 syscalls.pcap 'udp src port 14000 or udp src port 15000'
1 syscalls.pcap udp src portrange 21000-23999
6 syscalls.pcap 'ether[6] >> 2 = 0 and ether[7] = 1'
7 syscalls.pcap 'net 192.0.0.8/32 and udp port 514'
6 user0.pcap -Y 'xcap.pid == 1292'
3 user0.pcap -Y 'xcap.syscall == "write"'
2 user0.pcap -Y 'xcap.ret < 0'
2 user0.pcap -Y 'xcap.arg == 0x7ffc0010'
1 user0.pcap -Y 'arp && xcap.comm == "nginx"'
END
exit $bad
