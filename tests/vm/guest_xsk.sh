# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC1091,SC2154
# In:   XCAP GUEST QUEUES zero-copy|copy. Inside a guest whose NIC offers AF_XDP zero copy.
# Out:  exit 0 when xsk: runs in zero copy on every queue and accounts for each frame.
# Owns: nothing outside the guest.
# Runs on: busybox sh, root.

. "$(dirname "$0")/guest_lib.sh"
queues=$3
sends=$4	# igb sends in zero copy only where it has an XDP program
frames=1009	# prime: no ring or batch size divides it

nics_up
if capture -i xsk:eth0; then
	modes=$("$guest" xsk-mode "$capture")
	bytes=$("$guest" send eth1 $frames)
	finish
	expect_mode 'xsk zero-copy'
	expect packets $frames
	expect bytes "$bytes"
	expect dropped 0
	[ "$(echo "$modes" | grep -cx zero-copy)" = "$queues" ] ||
		fail "XDP_OPTIONS of $queues queues: $(echo "$modes" | tr '\n' ' ')"
fi

# A filter in front: half of it passes, all of it is accounted for.
if capture -i xsk:eth0 -f 'less 787'; then
	"$guest" send eth1 $frames >/dev/null
	finish
	expect packets 728
	expect filtered $((frames - 728))
	expect dropped 0
fi

# kill -9 takes everything with it: XDP, which is never replaced, and promiscuous mode.
promiscuous() { [ $(($(cat /sys/class/net/eth0/flags) & 0x100)) != 0 ]; }
if capture -i xsk:eth0; then
	promiscuous || fail "eth0 is not promiscuous during the capture"
	kill -9 "$capture"
	wait "$capture"
	promiscuous && fail "eth0 is still promiscuous after kill -9"
	if capture -i xsk:eth0; then
		"$guest" send eth1 $frames >/dev/null
		finish
		expect packets $frames
		expect dropped 0
	fi
fi

# A file out of eth1, whose frames come in at eth0: all of them.
if begin xdpcount -i tap:eth0 -w /tmp/sent.pcapng; then
	bytes=$("$guest" send eth1 $frames)
	finish
	expect packets $frames
fi
for way in 'wire:eth1' 'wire:eth1?mode=packet'; do
	capture -i tap:eth0 || continue
	xcap dump -r /tmp/sent.pcapng -w "$way" 2>/tmp/wire || fail "$way: exit status $?"
	cat /tmp/wire
	case $way in
	*packet) grep -q 'packet socket at eth1' /tmp/wire ;;
	*) grep -q 'AF_XDP '"$sends at queue 0 of eth1" /tmp/wire ;;
	esac || fail "$way is sent in another way"
	grep -q " = delivered $frames + filtered 0 + dropped 0" /tmp/wire ||
		fail "$way: not all was sent"
	finish
	expect packets $frames
	expect bytes "$bytes"
	expect dropped 0
done
exit "$failed"
