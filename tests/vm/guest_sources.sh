# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC1091,SC2154
# In:   XCAP GUEST TAP XSK SKIPS: the modes that this guest's kernel allows tap: and xsk:,
#       and whether it may skip tracing programs: none, some.
# Out:  exit 0 when every source works in its mode, and all accounts close.
# Owns: nothing outside the guest.
# Runs on: busybox sh, root.

. "$(dirname "$0")/guest_lib.sh"
tap_mode=$3
xsk_mode=$4
skips=$5
frames=1009	# prime: no ring or batch size divides it
tagged=101
calls=10007

nics_up
# Both ends of the wire: each frame leaves eth1 and comes in on eth0.
if capture -i tap:eth0,tap:eth1; then
	bytes=$("$guest" send eth1 $frames)
	finish
	expect_mode "$tap_mode"
	expect packets $((2 * frames))
	expect bytes $((2 * bytes))
	expect dropped 0
fi

# The kernel takes the tag out of the frame; it is back before the filter looks.
if capture -i tap:eth0 -f 'vlan 7'; then
	bytes=$("$guest" send eth1 $tagged 7)
	"$guest" send eth1 $tagged >/dev/null
	finish
	expect packets $tagged
	expect bytes "$bytes"
	expect filtered $tagged
fi

# Filters run in the kernel here, too, and say of each frame what libpcap says.
xcap count -i tap:eth0 -f 'vlan 7' --duration 1 >/tmp/out 2>/tmp/err || fail "vlan 7: $(cat /tmp/err)"
grep 'runs on the copies' /tmp/err && fail "a filter runs in user space"
here=$(dirname "$0")
TOP=${here%/tests/vm} "${guest%/*}/test_cbpf" 20 >/tmp/out 2>&1 || fail "test_cbpf: $(cat /tmp/out)"

# What the kernel cannot say, the doctor does not make up.
xcap doctor eth0 --json >/tmp/out || fail "doctor: exit status $?"
case $tap_mode in
'tap packet')
	grep '"check":"xdp"' /tmp/out | grep -q 'begins with Linux 6.3' || fail "doctor: $(cat /tmp/out)"
	grep '"check":"tcx"' /tmp/out | grep -q '"is":"not before Linux 6.6' || fail "doctor: $(cat /tmp/out)"
	;;
*)
	grep '"check":"xdp"' /tmp/out | grep -q '"is":"basic' || fail "doctor: $(cat /tmp/out)"
	grep '"check":"tcx"' /tmp/out | grep -q '"is":"there"' || fail "doctor: $(cat /tmp/out)"
	;;
esac

if capture -i 'tap:eth0?hook=xdp'; then
	bytes=$("$guest" send eth1 $frames)
	finish
	expect_mode 'tap xdp'
	expect packets $frames
	expect bytes "$bytes"
	expect dropped 0
fi

if capture -i xsk:eth0; then
	modes=$("$guest" xsk-mode "$capture")
	bytes=$("$guest" send eth1 $frames)
	finish
	expect_mode "$xsk_mode"
	[ "xsk $modes" = "$xsk_mode" ] || fail "XDP_OPTIONS: $modes"
	expect packets $frames
	expect bytes "$bytes"
	expect dropped 0
fi

# A kernel that preempts programs skips those of other tasks meanwhile, and counts them:
# on a guest's slow CPU that happens. The books close all the same.
if capture -i 'syscalls?only=getppid'; then
	"$guest" calls $calls >/dev/null
	finish
	expect_mode syscalls
	if [ "$skips" = none ]; then
		expect syscalls $((2 * calls))
		expect dropped 0
	else
		[ $(($(number syscalls) + $(number dropped))) -ge $((2 * calls)) ] ||
			fail "$what: records are missing from the account"
		recursion=$(echo "$account" | grep -o '"recursion": *[0-9]*' | grep -o '[0-9]*$')
		expect dropped "${recursion:-0}"
	fi
fi

# What a filter refuses is refused where it happens: this ring has room for some fifty records.
if capture -i 'syscalls?ring=4K' -f 'syscall=getppid and proc.name=guest and ret<0'; then
	"$guest" calls $calls >/dev/null
	finish
	expect syscalls 0
	[ $(($(number filtered) + $(number dropped))) -ge $((2 * calls)) ] ||
		fail "$what: calls are missing from the account"
	[ "$skips" = some ] || expect dropped 0
fi
if capture -i syscalls -f 'proc.name=guest and ret>0 and syscall=getppid and proc.uid=0'; then
	"$guest" calls $calls >/dev/null
	finish
	[ $(($(number syscalls) + $(number dropped))) -ge $calls ] || fail "$what: calls are missing"
	[ "$skips" = some ] || expect syscalls $calls
fi

# A command: its calls and its child's, and no others; the kernel keeps the set of who is followed.
what='xcap dump -- COMMAND'
"$guest" calls 1000000 >/dev/null &
others=$!
xcap dump -q -i 'syscalls?only=getppid' 'proc.name=guest' -- \
	sh -c "$guest calls $calls & $guest calls 101; wait" >/tmp/shown 2>/tmp/err ||
	fail "$what: $? $(cat /tmp/err)"
kill $others 2>/dev/null
wait $others
shown=$(grep -c '[<>] getppid' /tmp/shown)
skipped=$(grep -o 'recursion [0-9]*' /tmp/err | head -n 1 | grep -o '[0-9]*$')
[ $((shown + ${skipped:-0})) -ge $((2 * calls + 202)) ] && [ "$shown" -le $((2 * calls + 202)) ] ||
	fail "$what: $shown records are shown: $(cat /tmp/err)"

# Packets and all syscalls as one stream: books and order.
if capture -i tap:eth0,syscalls; then
	"$guest" calls $calls >/dev/null &
	"$guest" send eth1 $frames >/dev/null
	wait $!
	finish
	expect packets $frames
	[ $(($(number syscalls) + $(number dropped))) -gt $((2 * calls)) ] ||
		fail "$what: too few syscalls"
fi

# An interface that shows calls and packets; a program that knows nothing of it reads them.
# What the kernel skips of its own accord nobody is shown.
if begin xcap iface 'tap:eth0,syscalls?only=getppid'; then
	[ "$skips" = none ] && shown=$((2 * calls)) || shown=$calls
	"${guest%/*}/static_sniffer" syscalls ip 'guest[' "$shown" 60 >/tmp/shown 2>/tmp/sniffer &
	sniffer=$!
	until grep -q listening /tmp/sniffer || ! kill -0 $sniffer; do usleep 100000; done
	"$guest" calls $calls >/dev/null
	"$guest" send eth1 $frames >/dev/null
	wait $sniffer || fail "$what: $(wc -l </tmp/shown) of $shown calls are shown"
	finish
	expect packets $frames
	[ "$skips" = some ] || expect dropped 0
	ip link show dev syscalls 2>/dev/null && fail "$what: its interface stays"
fi

# Every probe loads here, all of them at once, and those of which there is something see it.
probes=$(xcap probe --list | sed -n 's/^\([a-z]\{1,\}\) .*/,probe:\1/p' | tr -d '\n')
if capture -i "${probes#,}"; then
	kill -CONT $$
	"$guest" calls 101 >/dev/null
	finish
	for probe in $(echo "$probes" | tr , ' '); do
		echo "$account" | grep -q "\"spec\": *\"$probe\"" || fail "there is no account of $probe"
	done
	for probe in exec exit open latency syscount runq softirq signals; do
		echo "$account" | grep -q "\"spec\": *\"probe:$probe\"[^}]*\"seen\": *[1-9]" ||
			fail "probe:$probe saw nothing"
	done
fi

# A process ends once, however many threads end with it.
if begin xcap probe exit --comm guest; then
	"$guest" ends 101
	sleep 1
	kill -TERM "$capture"
	wait "$capture" || fail "$what: exit status $?"
	ended=$(grep -c '"comm":"guest",.*"status":5,' /tmp/out)
	[ "$ended" = 101 ] || fail "$what: 101 processes ended $ended times"
fi

# A socket is its process' once, however often it is open there.
"$guest" listen >/tmp/listens &
listens=$!
until grep -q listens /tmp/listens || ! kill -0 $listens; do usleep 100000; done
xcap probe listen --json -p $listens >/tmp/out 2>/tmp/err || fail "probe listen: $(cat /tmp/err)"
kill $listens
[ "$(grep -c '"sport":99,' /tmp/out)" = 1 ] || fail "probe listen: $(cat /tmp/out)"

# Who sent a signal is the task, where no interrupt did: that is read off stacks.
if begin xcap probe signals; then
	kill -WINCH $$
	sleep 1
	kill -TERM "$capture"
	wait "$capture" || fail "$what: exit status $?"
	grep -q "\"pid\":$$,.*\"signal\":\"WINCH\",\"to_pid\":$$," /tmp/out ||
		fail "$what: $(cat /tmp/out)"
fi

# Names of files, by the walk that all programs share.
mkdir /tmp/files && mount -t tmpfs files /tmp/files
(cd /tmp/files && "${guest%/*}/paths") || fail "paths of open files"
exit "$failed"
