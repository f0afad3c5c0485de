# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC1091,SC2154
# In:   XCAP GUEST. Inside a guest with a kernel that has neither TCX nor AF_XDP zero copy.
# Out:  exit 0 when every source works all the same, and all accounts close.
# Owns: nothing outside the guest.
# Runs on: busybox sh, root.

. "$(dirname "$0")/guest_lib.sh"
frames=1009	# prime: no ring or batch size divides it
tagged=101
calls=10007

nics_up
# Both ends of the wire: each frame leaves eth1 and comes in on eth0.
if capture -i tap:eth0,tap:eth1; then
	bytes=$("$guest" send eth1 $frames)
	finish
	expect_mode 'tap packet'
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
	expect_mode 'xsk copy'
	[ "$modes" = copy ] || fail "XDP_OPTIONS: $modes"
	expect packets $frames
	expect bytes "$bytes"
	expect dropped 0
fi

if capture -i 'syscalls?only=getppid'; then
	"$guest" calls $calls >/dev/null
	finish
	expect_mode syscalls
	expect syscalls $((2 * calls))
	expect dropped 0
fi

# Packets and all syscalls as one stream: books and order.
if capture -i tap:eth0,syscalls; then
	"$guest" calls $calls >/dev/null &
	"$guest" send eth1 $frames >/dev/null
	wait $!
	finish
	expect packets $frames
	[ "$(number syscalls)" -gt $((2 * calls)) ] || fail "$what: too few syscalls"
fi
exit "$failed"
