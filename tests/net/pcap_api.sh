#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 240
#
# In:   pcap_api.c: an ordinary libpcap program that checks what it is promised.
# Out:  whether the promises hold by xcap run, preloaded, compiled again; as with libpcap.
# Owns: two namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
. "$(dirname "$0")/../lib/programs.sh"

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
ns_pair tx:veth1 rx:veth1 || fail "no veth pair"
ns_bg tx traffic sh -c 'while txgen -i veth0 -n 100000 --rate 3000 >/dev/null; do :; done'
shim=$B/libxcap-pcap.so

# api WHAT COMMAND...
api() {
	local what=$1

	shift
	echo "$what"
	ns_bg tx peer timeout 60 tcpdump -Z root -n -i veth0 -w sent.pcap -U --immediate-mode ether proto 0x88b6
	wait_for peer.err 'listening on' || exit 1
	ns rx timeout 60 "$@" >said 2>&1 || { cat said; fail "$what: exit $?"; }
	cat said
	sleep 0.3
	stop peer
	[ "$(tcpdump -e -r sent.pcap 2>/dev/null | grep -c 0x88b6)" = 2 ] || fail "$what: sent frames do not arrive"
	[ "$(tcpdump -r api.pcap udp 2>/dev/null | wc -l)" = 13 ] || fail "$what: its file"
	nobody_left rx
	nothing_attached rx veth0
}

api "libpcap itself" pcap_api veth0 veth1 plain
api "by xcap run" xcap run pcap_api tap:veth0 tap:veth1 ours
api "preloaded" env LD_PRELOAD="$shim" pcap_api tap:veth0 tap:veth1 ours
api "compiled again" pcap_api_twin tap:veth0 tap:veth1 ours
api "AF_XDP, by xcap run" xcap run pcap_api xsk:veth0 xsk:veth1 ours

echo "libpcap opened by its soname"
ns rx pcap_dlopen veth0 || fail "without"
ns rx pcap_dlopen tap:veth0 2>/dev/null && fail "tap:veth0 without xcap"
ns rx xcap run pcap_dlopen tap:veth0 || fail "by xcap run"
ns rx env LD_LIBRARY_PATH="$B/pcap" pcap_dlopen tap:veth0 || fail "by LD_LIBRARY_PATH"
ns rx env LD_LIBRARY_PATH="$B/pcap" pcap_dlopen veth0 || fail "libpcap behind LD_LIBRARY_PATH"
ns rx env LD_LIBRARY_PATH="$B/pcap" tcpdump -n -c 5 -i tap:veth0 >five 2>five.err || fail "$(cat five.err)"
[ "$(wc -l <five)" = 5 ] || fail "tcpdump by LD_LIBRARY_PATH"
ns rx "$B/examples/pcap_port" tap:veth0 udp >ported || fail "the example"
[ "$(wc -l <ported)" = 10 ] || fail "the example prints $(wc -l <ported)"
nobody_left rx
