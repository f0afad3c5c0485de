# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC1091,SC2154
# In:   XCAP GUEST QUEUES zero-copy|copy ETHTOOL RING RINGMAX. Inside a guest whose NIC offers
#       AF_XDP zero copy.
# Out:  exit 0 when xsk: runs in zero copy on every queue and accounts for each frame, and
#       xcap doctor sees the NIC as it is, changes it and gives it back.
# Owns: nothing outside the guest.
# Runs on: busybox sh, root.

. "$(dirname "$0")/guest_lib.sh"
queues=$3
sends=$4	# igb sends in zero copy only where it has an XDP program
ethtool=$5
ring=$6 ring_max=$7
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

# A file out of eth1, whose frames come in at eth0: all of them. They leave as fast as they can,
# so the ring that takes them is as large as it gets.
[ "$ring" = "$ring_max" ] || "$ethtool" -G eth0 rx "$ring_max" || fail "no larger ring"
wait_link
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

# What the doctor finds of a real driver, and ethtool as well.
[ "$ring" = "$ring_max" ] || "$ethtool" -G eth0 rx "$ring" || fail "no smaller ring"
wait_link
export XCAP_STATE_DIR=/tmp/state
ip addr add 10.77.0.2/24 dev eth0

show() {
	for option in -k -g -a -l; do "$ethtool" $option eth0 2>&1; done
	ip addr show dev eth0
	ip route
	cat /proc/sys/net/core/netdev_budget /proc/sys/net/core/rmem_max
}

# said CHECK TEXT: that finding begins so
said() {
	grep -q "\"check\":\"$1\".*\"is\":\"$2" /tmp/found ||
		fail "doctor: $1 is not '$2': $(grep "\"check\":\"$1\"" /tmp/found)"
}

# given_back WHAT
given_back() {
	xcap doctor --undo >/tmp/undo || fail "doctor --undo after $1: exit status $?"
	wait_link
	show >/tmp/after
	cmp /tmp/before /tmp/after || { fail "doctor: $1 is not given back"; diff /tmp/before /tmp/after; }
	[ ! -e /tmp/state/doctor ] || fail "doctor: after $1 something is still remembered"
}

xcap doctor eth0 --json >/tmp/found || fail "doctor: exit status $?"
xcap doctor eth0 -q
if [ "$ring" = "$ring_max" ]; then
	said rings "$ring frames, the most there is"
else
	said rings "$ring frames of $ring_max"
fi
said queues "$queues for $queues core"
said xdp '[^"]*zero copy'
[ "$("$ethtool" -g eth0 | grep -c "^RX:.*[^0-9]$ring_max\$")" -ge 1 ] || fail "ethtool -g: other rings"
# what ethtool names and ours names, on or off
while read -r check feature; do
	case $("$ethtool" -k eth0 | grep "^$feature: ") in
	*': on'*) said "$check" on ;;
	*': off'*) said "$check" off ;;
	*) fail "ethtool has no $feature" ;;
	esac
done <<-END
	gro generic-receive-offload
	lro large-receive-offload
	gro_hw rx-gro-hw
	gso generic-segmentation-offload
	tso tcp-segmentation-offload
	rx_vlan rx-vlan-offload
	rx_checksum rx-checksumming
	tx_checksum tx-checksumming
END
show >/tmp/before
xcap doctor eth0 --fix >/tmp/fix || { fail "doctor --fix: exit status $?"; cat /tmp/fix; }
wait_link
xcap doctor eth0 --json >/tmp/found
said rings "$ring_max frames, the most there is"
for check in gro lro gso tso rx_vlan; do
	grep "\"check\":\"$check\"" /tmp/found | grep -q '"is":"off"\|no switch' || fail "doctor --fix: $check is still on"
done
given_back "--fix"
xcap doctor eth0 --port >/tmp/fix || { fail "doctor --port: exit status $?"; cat /tmp/fix; }
wait_link
promiscuous || fail "doctor --port: eth0 is not promiscuous"
ip addr show dev eth0 | grep -q inet && fail "doctor --port: eth0 has an address"
if capture -i xsk:eth0; then
	"$guest" send eth1 $frames >/dev/null
	finish
	expect packets $frames
fi
given_back "--port"

# The commands that it prints do what they say.
xcap doctor eth0 --json | sed -n 's/.*"command":"\([^"]*\)".*/\1/p' >/tmp/commands
PATH=$PATH:${ethtool%/*} sh -ex /tmp/commands >/tmp/log 2>&1 || { fail "doctor: a command fails"; cat /tmp/log; }
wait_link
xcap doctor eth0 -q --json >/tmp/found
grep '"command"' /tmp/found && fail "doctor: its commands have not helped"
exit "$failed"
