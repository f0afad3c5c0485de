# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# In:   $1 xcap, $2 the guest program, $3 the shim; Debian's tcpdump and apparmor unpacked.
# Out:  one line for each thing that is so; exit 1 if one is not.
# Owns: the guest.
# Runs on: the guest, as root.
. "$(dirname "$0")/guest_lib.sh"
shim=$3
export PATH=/bin:/usr/bin:/sbin:/usr/sbin

grep -q securityfs /proc/mounts || mount -t securityfs none /sys/kernel/security ||
	{ echo "no securityfs"; exit 1; }
[ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ] || { echo "no AppArmor"; exit 1; }
printf 'root:x:0:0::/root:/bin/sh\ntcpdump:x:104:104::/:/bin/false\n' >/etc/passwd
printf 'root:x:0:\ntcpdump:x:104:\n' >/etc/group
[ -e /proc/self/fd/0 ] && ln -sf /proc/self/fd /dev/fd
profile=/etc/apparmor.d/usr.bin.tcpdump
mkdir -p /etc/apparmor.d/local
: >/etc/apparmor.d/local/usr.bin.tcpdump	# as postinst does
apparmor_parser -r "$profile" 2>/tmp/parser || { cat /tmp/parser; exit 1; }
grep -q 'tcpdump (enforce)' /sys/kernel/security/apparmor/profiles || fail "not enforced"
echo "enforced: $(grep tcpdump /sys/kernel/security/apparmor/profiles)"

# says FILE WORDS
says() {
	grep -q -- "$2" "$1" || { fail "no '$2' in:"; cat "$1"; }
}

# the profile bites: a file where it allows none
tcpdump -Z root -c 1 -i lo -w /etc/forbidden >/tmp/said 2>&1 && fail "plain tcpdump is not confined"
says /tmp/said 'Permission denied'

# preloaded alone, from where the profile knows of no libraries, the loader says so
LD_PRELOAD=$shim tcpdump -i syscalls -c 1 >/tmp/said 2>&1 && fail "tcpdump captures although confined"
says /tmp/said 'cannot be preloaded'
# installed, it says why it is refused
cp "$shim" /usr/lib/x86_64-linux-gnu/
LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libxcap-pcap.so tcpdump -i syscalls -c 1 >/tmp/said 2>&1 &&
	fail "tcpdump captures although confined"
says /tmp/said 'AppArmor confines this program.*: start it with xcap run'
echo "preloaded: $(grep AppArmor /tmp/said)"

# by xcap run it works, unconfined and as user tcpdump
xcap run tcpdump -i syscalls -v -c 100000 >/tmp/calls 2>/tmp/said &
pid=$!
tries=0
until grep -q 'Msg: ' /tmp/calls; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { fail "nothing is printed"; cat /tmp/said; break; }
	usleep 100000
done
says "/proc/$pid/attr/current" unconfined
says "/proc/$pid/status" "^Uid:	104"
kill -INT $pid
wait $pid || fail "xcap run tcpdump: exit status $?"
says /tmp/calls 'Facility kernel (0), Severity info (6)'
says /tmp/calls '\[[0-9]*\] [<>] '
echo "by xcap run: $(grep -m 1 'Msg: ' /tmp/calls)"

xcap run tcpdump -i syscalls -c 20 >/tmp/calls 2>/tmp/said || fail "-c 20: exit status $?"
says /tmp/said '^20 packets captured'

# packets too
nics_up
xcap run tcpdump -n -i tap:eth0 -c 5 >/tmp/packets 2>/tmp/said &
pid=$!
tries=0
until grep -q 'listening on' /tmp/said; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { fail "tap: does not begin"; cat /tmp/said; break; }
	usleep 100000
done
wait_link
# a wire that has just come up may lose the first ones
tries=0
while kill -0 $pid 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 30 ] || { fail "tap:eth0: no five packets"; cat /tmp/said; kill $pid; break; }
	"$guest" send eth1 7 >/dev/null
	usleep 200000
done
wait $pid || fail "tap:eth0: exit status $?"
[ "$(grep -c ethertype /tmp/packets)" = 5 ] || { fail "tap:eth0:"; cat /tmp/packets /tmp/said; }

# where it cannot be lifted: xcap itself is confined, and may not leave
cat >/tmp/cage <<END
#include <tunables/global>
profile cage flags=(attach_disconnected) {
	#include <abstractions/base>
	/** rwmix,
	network,
	capability,
}
END
if apparmor_parser -r /tmp/cage 2>/tmp/parser && command -v aa-exec >/dev/null; then
	aa-exec -p cage -- "$1" run tcpdump -i syscalls -c 1 >/tmp/said 2>&1
	says /tmp/said 'AppArmor confines xcap run itself by cage (enforce), and so .*tcpdump'
	echo "in a cage: $(head -n 1 /tmp/said)"
else
	fail "no cage: $(cat /tmp/parser)"
fi
exit $failed
