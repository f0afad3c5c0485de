#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 180
#
# In:   processes in cgroups that are called as runtimes call them, in a network namespace behind a
#       veth pair, which talk through this host to another namespace, and are talked to.
# Out:  whether packets at the host's end and inside name process and container: inside 99.5 % of
#       them the right one, none a wrong one anywhere.
# Owns: its namespaces, a mount of cgroup2 and directories in it.
# Runs on: root, where cgroup2 can be mounted.
. "$(dirname "$0")/../lib/netns.sh"

mkdir cg
mount -t cgroup2 none cg || skip "cgroup2 cannot be mounted"
top=$PWD/cg/xcap-owners-$$
bad=0

# The directories go when this script has, however it went: their processes go with it.
# shellcheck disable=SC2016
exec 8> >(exec setsid env -u XCAP_TEST_RUN sh -c 'cat >/dev/null
	for i in 1 2 3 4 5 6 7 8 9 10; do
		find "$0" -depth -type d -exec rmdir {} + 2>/dev/null
		[ -d "$0" ] || exit 0
		sleep 0.5
	done' "$top" >/dev/null 2>&1)

ns_pair box:eth0 host:veth0 net=10.77.9 ipv6 || fail "no veth pair"
ns_pair out:eth0 host:veth1 ipv6 || fail "no veth pair"
ip -n out addr add 10.78.9.1/24 dev eth0
ip -n host addr add 10.78.9.2/24 dev veth1
ip -n box route add default via 10.77.9.2
ip -n out route add default via 10.78.9.2
ns host sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' || fail "no forwarding"

# check ARGUMENT...: of owner_talk.py, with the keys of this cgroup
check() {
	python3 "$TOP/tests/lib/owner_talk.py" "${keys[@]}" "$@" || bad=1
}

# run CGROUP KEY=VALUE...: packets of a client and of a server there
run() {
	local cgroup=$1 key in_cgroup

	shift
	keys=()
	for key; do
		keys+=(--key "$key")
	done
	mkdir -p "$top/$cgroup" || fail "no cgroup $cgroup"
	ns_bg host near xcap dump --json -i tap:veth0
	ns_bg box in xcap dump --json -i tap:eth0
	wait_for near.err '^xcap: capturing' || exit 1
	wait_for in.err '^xcap: capturing' || exit 1
	# shellcheck disable=SC2016
	in_cgroup='echo $$ >"$0/cgroup.procs"; exec "$@"'
	ns_bg out server owner_talk serve
	wait_for server.out ready || exit 1
	ns box sh -c "$in_cgroup" "$top/$cgroup" owner_talk talk 3 5 \
		{tcp,fork,exec,pass}/10.78.9.1/7001 {udp,udpc}/10.78.9.1/7002 >client.truth ||
		fail "nobody answers"
	stop near || fail "$(cat near.err)"
	stop in || fail "$(cat in.err)"
	stop server TERM
	check "$cgroup: client, in" 10.77.9.1 in.out client.truth
	# both ends are of this host, so that either may be named; the answers to sockets that are not
	# connected have lost their sender's on the way
	check --least 97 --either "$cgroup: client, near" src near.out client.truth server.out

	ns_bg box server sh -c "$in_cgroup" "$top/$cgroup" owner_talk serve
	wait_for server.out ready || exit 1
	ns_bg host near xcap dump --json -i tap:veth0
	ns_bg box in xcap dump --json -i tap:eth0
	wait_for near.err '^xcap: capturing' || exit 1
	wait_for in.err '^xcap: capturing' || exit 1
	ns out owner_talk talk 3 10 tcp/10.77.9.1/7001 >far.truth || fail "nobody answers"
	stop near || fail "$(cat near.err)"
	stop in || fail "$(cat in.err)"
	stop server TERM
	check "$cgroup: server, in" 10.77.9.1 in.out server.out
	# SYN and SYN-ACK pass before anything tells of a socket with these addresses
	check --least 79 --either "$cgroup: server, near" src near.out server.out far.truth
}

id=$(printf '%064d' 0 | tr 0 a)
uid=8dbc5577-d0e2-4706-8787-57d52c03ddf2
pod=kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice
run "system.slice/docker-$id.scope" runtime=docker "container=$id"
run "machine.slice/libpod-$id.scope" runtime=podman "container=$id"
run "$pod/cri-containerd-$id.scope" runtime=containerd "container=$id" "pod=$uid"
run "system.slice/web.service" runtime=systemd unit=web.service
exit $bad
