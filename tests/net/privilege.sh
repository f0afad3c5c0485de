#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   captures by root, by a user with only the capabilities it takes, by a user with none.
# Out:  whether they work, hold no privilege while they run, and say what is missing.
# Owns: a namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
needed=bpf,perfmon,net_admin,net_raw,ipc_lock
chmod 755 . && chmod 777 .

check() {
	local what=$1 pid

	shift
	ns_bg rx count "$@" xdpcount -i tap:veth0,syscalls -w "$PWD/$what.pcapng" -q --json
	wait_for count.err '^xcap: capturing' || exit 1
	pid=${NS_PIDS[count]}
	grep -q '^CapEff:[[:space:]]*0*$' "/proc/$pid/status" || fail "$what: runs with capabilities"
	grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$pid/status" || fail "$what: may get them back"
	grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status" || fail "$what: may gain new ones"
	ns tx txgen -i veth0 -n 1009 >/dev/null || fail "txgen failed"
	stop count || fail "$what: $(cat count.err)"
	python3 "$TOP/tests/lib/books.py" count.out 'packets == 1009' 'syscalls > 0' || exit 1
	[ "$(tcpdump -r "$what.pcapng" 2>/dev/null | wc -l)" = 1009 ] || fail "$what: the file"
}

check root env
check capable "${as_user[@]}" --inh-caps=+${needed//,/,+} --ambient-caps=+${needed//,/,+}

ns rx "${as_user[@]}" "$B/xdpcount" -i tap:veth0 -q >out 2>err && fail "a user without any may capture"
grep -q 'CAP_BPF' err || fail "the sentence does not say what is needed: $(cat err)"

# without BTF: seen as it is on a kernel built without
ns rx unshare -m sh -c 'mount -t tmpfs none /sys/kernel && exec xdpcount -i syscalls -q' >out 2>err &&
	fail "works without BTF"
grep -q BTF err || fail "the sentence does not name BTF: $(cat err)"
