#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   calls whose arguments refer to what is not there, is too much, has no end, or is taken
#       away and replaced by other threads while it is looked at.
# Out:  whether what can be known is told, what cannot is not made up, no record is lost or
#       damaged, and the calls end as they do without a capture.
# Owns: its processes and files.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

# has TEXT...: each stands in lines
has() {
	local line

	for line; do
		grep -qF -- "$line" lines || fail "no line with $(cut -c1-200 <<<"$line")"
	done
}

echo "one by one"
args_hostile >want
xcap dump -i 'syscalls?switches=off' -w calls.pcapng -- args_hostile >got 2>err || fail "exit $?: $(cat err)"
cmp want got || fail "the program says something else under a capture"
grep -q '^xcap: 0 dropped, 0 late, 0 out of order' err || fail "$(cat err)"
xcap dump -r calls.pcapng >lines 2>err || fail "read back: $(cat err)"
has '> openat(dirfd=AT_FDCWD('"$PWD"'), pathname=0xdead0000, flags=O_RDONLY)' \
	'> openat(dirfd=AT_FDCWD('"$PWD"'), pathname=0xffff888000000000, flags=O_RDONLY)' \
	'> openat(dirfd=AT_FDCWD('"$PWD"'), pathname=0x123456789abcdef, flags=O_RDONLY)' \
	'< openat = -14 EFAULT' \
	'> openat(dirfd=AT_FDCWD('"$PWD"'), pathname="/no/en"..., flags=O_RDONLY)' \
	"> openat(dirfd=AT_FDCWD($PWD), pathname=\"$(printf 'e%.0s' {1..4095})\"..., flags=O_RDONLY)" \
	'> write(fd=3(/dev/null), buf="tail", count=4)' \
	', buf="tail"..., count=60)' '< write(buf="tail"...) = -14 EFAULT' \
	', buf=0xffff888000000000, count=64)' '< write = -14 EFAULT' \
	"iov=\"$(printf '0123456789%.0s' {1..8})\"..., iovcnt=1024)" '< writev = 10240' \
	'iovcnt=-1)' 'iov="half"..., iovcnt=2)' '< writev(iov="half"...) = -14 EFAULT' \
	'iov=0xffff888000000000, iovcnt=3)' \
	'msg=0xdead0000, flags=0)' 'msg={"msg"}, flags=0)' '< sendmsg = -14 EFAULT' \
	'msgvec=0xdead0000, vlen=2147483648, flags=0)' 'addr=0xdead0000, addrlen=16)' \
	'optname=SO_TYPE, optval=0xdead0000, optlen=0xdead0000)' \
	'> execve(pathname="/nonexistent", argv=["x", "x", ...], envp=NULL)' \
	'> execve(pathname="/nonexistent", argv=["x", ...], envp=NULL)' \
	'> execve(pathname="/nonexistent", argv=0xffff888000000000, envp=0xffff888000000000)' \
	'> execve(pathname=NULL, argv=NULL, envp=NULL)' '< execve = -14 EFAULT' \
	'> ppoll(fds=0xdead0000, nfds=3, tmo_p={tv_sec=0, tv_nsec=0}, sigmask=NULL, sigsetsize=8)' \
	'set=0xdead0000, oldset=NULL, sigsetsize=8)' '> nanosleep(req=0xdead0000, rem=NULL)' \
	'> clone3(cl_args=0xffff888000000000, size=88)' 'how=0xffff888000000000, size=24)' \
	'> fsync(fd=-1)' '> fsync(fd=2147483647)' '> fsync(fd=-2147483648)' '< fsync = -9 EBADF'

echo "a program whose name has no page yet"
xcap dump -i 'syscalls?only=execve' -- python3 -c 'import os; os.system("true")' >lines 2>err || fail "$(cat err)"
has 'execve(pathname="/bin/sh", argv=["sh", "-c", "true"]'

# races LABEL OPTION...: two seconds of them; lines are whole, entries and exits pair
races() {
	local label=$1 wrote dropped

	shift
	echo "races, $label"
	xcap dump -i "syscalls?switches=off&ring=64M$*" -w races.pcapng -- args_hostile 2 >got 2>err ||
		fail "exit $?: $(tail -n 5 err)"
	grep -q 'done' got || fail "the program did not end well"
	grep -q ' 0 late, 0 out of order' err || fail "$(cat err)"
	wrote=$(grep -oE '[0-9]+ records' err | tail -1)
	dropped=$(sed -nE 's/^xcap: ([0-9]+) dropped.*/\1/p' err)
	xcap dump -r races.pcapng --json >json 2>err || fail "read back: $(cat err)"
	python3 - "$wrote" "$dropped" <<-'END' || fail "damaged records"
		import collections, json, sys
		calls, lost, nr = collections.Counter(), int(sys.argv[2]), 0
		for line in open("json", encoding="utf-8"):
		    r = json.loads(line)
		    nr += 1
		    if r["type"] == "sys_enter":
		        calls[r["tid"], r["name"]] += 1
		    elif r["type"] == "sys_exit":
		        calls[r["tid"], r["name"]] -= 1
		open_ones = {k: n for k, n in calls.items() if n and k[1] not in
		             ("exit", "exit_group", "execve", "clone", "clone3")}
		unpaired = sum(abs(n) for n in open_ones.values())
		print(f"{nr} records, {lost} lost, {unpaired} calls not paired")
		sys.exit(f"{nr} records" != sys.argv[1] or unpaired > lost)
	END
}

races "80 bytes of data"
races "all the data there is" '&data=65536'
races "registers only" '&args=off'
