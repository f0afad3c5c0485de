#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a stream of packets, all system calls, switches, losses and a probe that we wrote.
# Out:  whether tcpdump and tshark read the same in it as we do, in order and by name.
# Owns: files in its directory.
# Runs on: no root; Debian's tcpdump (libpcap 1.10) and tshark (Wireshark 4.0).
set -u
for tool in tcpdump tshark editcap; do
	command -v $tool >/dev/null || { echo "no $tool"; exit 77; }
done
bad=0
fail() {
	echo "$*"
	bad=1
}
packets=509 losses=6	# one loss with every hundredth packet

make_stream s.pcapng $packets || exit 1

# tcpdump: every packet, in order, with our times
tcpdump --time-stamp-precision=nano -tt -nr s.pcapng 2>tcpdump.err >tcpdump.txt ||
	fail "tcpdump refuses the file: $(cat tcpdump.err)"
[ "$(wc -l <tcpdump.txt)" = $packets ] || fail "tcpdump sees $(wc -l <tcpdump.txt) packets of $packets"
for ((i = 0; i < packets; i++)); do echo "10.0.$((i / 256)).$((i % 256))"; done >targets
sed -E 's/.*(who-has|Announcement) ([0-9.]+[0-9]).*/\2/' tcpdump.txt | diff -q - targets >/dev/null ||
	fail "tcpdump sees them in another order"
sort -n -s -k1,1 tcpdump.txt | diff -q - tcpdump.txt >/dev/null || fail "their times step back"

# tshark: one list, in order, nothing malformed
tshark -r s.pcapng >list.txt 2>tshark.err || fail "tshark refuses the file: $(cat tshark.err)"
tshark -r s.pcapng -T fields -e frame.time_epoch -e sysdig.event_type -e sysdig.thread_id \
	-e sysdig.cpu_id >fields.txt 2>/dev/null
awk -F '\t' '$1 == "" { next } $1 + 0 < last { bad = 1 } { last = $1 + 0 } END { exit bad }' fields.txt ||
	fail "tshark's list steps back in time"
[ "$(grep -c ' ARP ' list.txt)" = $packets ] || fail "tshark sees $(grep -c ' ARP ' list.txt) packets"
[ "$(grep -c 'systemd Journal.*xcap: lost 123 records at ring_full' list.txt)" = $losses ] ||
	fail "tshark does not show the losses"
[ "$(grep -c 'systemd Journal.*curl\[1293\] \* exit status=3 signal=- parent=1 age=1.23456789s core=0$' list.txt)" = $losses ] ||
	fail "tshark does not show what a probe tells"
events=$(awk -F '\t' '$2 != "" && $2 != 146' fields.txt | wc -l)
[ "$(grep -c 'Sysdig Event' list.txt)" = $((events + losses)) ] || fail "an event is no event to tshark"
blocks=3	# one process before its first packet; Wireshark 4.0 makes each a frame
[ "$(grep -c 'PCAPNG .* Custom Block' list.txt)" = $blocks ] || fail "tshark sees other process blocks"
[ "$(wc -l <list.txt)" = $((packets + events + 3 * losses + blocks)) ] ||
	fail "tshark lists something beside packets, events, losses and process blocks"

# who is behind a packet, in the comments and in the packet's own options
tshark -r s.pcapng -Y arp -T fields -E occurrence=a -E separator='|' -e frame.packet_id -e frame.comment \
	2>/dev/null >owners.txt
[ "$(grep -cE '^[0-9]+\|PID: 99\\nCmd: /usr/sbin/nginx\\nArgs: nginx -g daemon off;,ThreadId: 100\\nThreadName: nginx,UserId: 33,ContainerName: web\\nContainerId: [0-9a-f]{64}$' owners.txt)" = $(((packets + 1) / 3)) ] ||
	fail "tshark shows other comments: $(sed -n 2p owners.txt)"
[ "$(grep -c 'PID: 4321.nCmd: /usr/sbin/arping.nArgs: arping -c 10.0.0.1,UserId: 0$' owners.txt)" = 84 ] &&
	[ "$(grep -c 'PID: 4321.nCmd: /usr/sbin/arpd.nArgs: arpd,' owners.txt)" = 85 ] ||
	fail "tshark does not tell two processes of one pid apart"
cut -d '|' -f 1 owners.txt | sort -un | wc -l | grep -qx $packets || fail "packet ids are not unique"
awk -F '\t' '$2 != "" && ($3 != 1293 || $4 != 1) { bad = 1 } END { exit bad }' fields.txt ||
	fail "an event has another thread or CPU"
tshark -r s.pcapng -V 2>/dev/null >details.txt
! grep -m1 -iE 'malformed|Expert Info \(Error' details.txt || fail "tshark finds something malformed"

# names in the list, with their parameters in the details
for name in read write open close stat fstat lstat poll lseek mmap munmap brk ioctl pread pwrite \
	readv writev access pipe select dup nanosleep getrlimit socket connect accept sendto recvfrom \
	sendmsg recvmsg shutdown bind listen getsockname getpeername socketpair setsockopt getsockopt \
	clone fork vfork execve procexit kill tkill tgkill fcntl flock getdents getcwd chdir fchdir \
	rename mkdir rmdir link unlink symlink chmod fchmod ptrace getuid setuid getgid setgid geteuid \
	getegid setsid mount umount futex epoll_wait timerfd_create eventfd signalfd inotify_init \
	openat mkdirat unlinkat renameat linkat symlinkat fchmodat unshare splice setns getdents64 \
	preadv pwritev prlimit sendmmsg recvmmsg seccomp bpf userfaultfd openat2 renameat2 sendfile \
	ppoll switch; do
	grep -qE "Sysdig Event [0-9]+ $name(,|\$)" list.txt || fail "no '$name' in tshark's list"
done
grep -q 'write, fd=5' list.txt || fail "write has no descriptor in the list"
for name in mprotect rt_sigaction rt_sigprocmask getpid gettid clock_gettime wait4 madvise \
	epoll_ctl set_robust_list arch_prctl readlink prctl uname; do
	grep -q "nativeID: $name (" details.txt || fail "no '$name' in tshark's details"
done
grep -q '^        size: 96$' details.txt || fail "read has no size in the details"

# with xcap.lua the list has our own lines, and the fields
xcap dump -r s.pcapng 2>/dev/null | sed -E '/ arp | --- | [*] /d; s/^[0-9:.]* cpu1 //' >ours
tshark -X "lua_script:$B/xcap.lua" -r s.pcapng -Y 'xcap && !arp && !frame.cb_pen' \
	-T fields -e _ws.col.Info >theirs 2>lua.err ||
	fail "tshark does not take xcap.lua: $(cat lua.err)"
[ "$(wc -l <theirs)" = $((events + losses)) ] || fail "xcap.lua finds $(wc -l <theirs) events of $events"
# (arguments that are more than a set of names are numbers in it: of those calls the name counts)
numbers=' > (clone|fcntl|fcntl64|futex|futex_time64|getsockopt|ioctl|kill|msgget|personality|'
numbers+='pidfd_send_signal|quotactl|quotactl_fd|rt_sigaction|rt_sigqueueinfo|rt_tgsigqueueinfo|semget|'
numbers+='setsockopt|shmget|sigaction|signal|socket|socketpair|swapon|tgkill|tkill)(/32)?[(]'
paste -d '\n' ours theirs | awk -v numbers="$numbers" '
	NR % 2 { ours = $0; next }
	{ whole = $0 }
	ours ~ numbers { sub(/\(.*/, "", ours); sub(/\(.*/, "") }
	ours != $0 { print "-" ours; print "+" whole }' >diff.txt
[ ! -s diff.txt ] || fail "xcap.lua has other lines: $(head -20 diff.txt)"
[ "$(tshark -X "lua_script:$B/xcap.lua" -r s.pcapng -Y 'xcap.syscall == "write" && xcap.compat == 0 && xcap.ret == 96 &&
	xcap.comm == "curl" && xcap.uid == 1000 && xcap.cgroup == 77' 2>/dev/null | wc -l)" = 1 ] ||
	fail "xcap.lua has other fields"
[ "$(tshark -X "lua_script:$B/xcap.lua" -r s.pcapng -Y 'xcap.next_comm == "kworker" && xcap.next_pid == 7 &&
	xcap.next_tid == 8 && xcap.next_prio == 120' 2>/dev/null | wc -l)" = $losses ] || fail "xcap.lua has other switches"

# we read what they write: each packet at the time that tshark gives it
tcpdump -r s.pcapng -w us.pcap 2>/dev/null
tcpdump --time-stamp-precision=nano -r s.pcapng -w ns.pcap 2>/dev/null
for format in pcap nsecpcap modpcap pcapng; do
	editcap -F $format ns.pcap editcap.$format 2>/dev/null
done
for file in us.pcap ns.pcap editcap.*; do
	tshark -r "$file" -T fields -e frame.time_epoch 2>/dev/null >theirs
	xcap dump -r "$file" --json 2>/dev/null | sed -E 's/.*"time":"([0-9.]+)".*/\1/' >ours
	[ "$(wc -l <ours)" = $packets ] || fail "$file has $(wc -l <ours) packets to us"
	diff -q theirs ours >/dev/null || fail "$file has other times to us"
done

# a copy of a copy is the same stream
xcap dump -q -r s.pcapng -w copy.pcapng 2>/dev/null || fail "cannot copy the file"
for file in s copy; do
	xcap dump -r $file.pcapng --json 2>/dev/null | sed 's/"source":"[^"]*"//' >$file.json
done
[ "$(wc -l <s.json)" = $((packets + events + 3 * losses)) ] || fail "we do not read all we wrote"
diff -q s.json copy.json >/dev/null || fail "a copy is another stream"

# the account stands at the end
capinfos s.pcapng 2>/dev/null | grep -q 'Number of stat entries = 1' || fail "no interface statistics"
exit $bad
