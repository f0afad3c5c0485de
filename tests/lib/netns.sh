# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   . "$(dirname "$0")/../lib/netns.sh", as the first command of a script.
# Out:  private namespaces and veth pairs, and helpers to run things in them.
# Owns: everything it makes: it lives in a mount and network namespace of the
#       script, so that it goes with its last process, also after SIGKILL.
# Runs on: root; else the script ends with 77 (skip).
#
#	ns_pair tx:veth0 rx:veth0 queues=4 mtu=9000 net=10.77.0
#	ns_bg rx capture xdpcount -i xsk:veth0 -q --json
#	wait_for capture.err '^xcap: capturing'
#	sent=$(ns tx txgen -i veth0 -n 10007 | field sent)
#	stop capture INT

TOP=${TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
B=${B:-$TOP/build}
export TOP B

[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
if [ -z "${NS_PRIVATE-}" ]; then
	export NS_PRIVATE=1 PATH="$B:$B/tests:$PATH"
	# shellcheck disable=SC2016
	exec unshare -nm sh -c 'mount -t tmpfs none /run && mkdir /run/netns /run/lock &&
		ip link set lo up; exec "$@"' sh bash "$0" "$@"
fi

declare -A NS_PIDS=()

ns_cleanup() {
	local pid

	for pid in "${NS_PIDS[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	# shellcheck disable=SC2046
	ip -all netns delete
}
trap ns_cleanup EXIT
trap 'exit 130' INT TERM HUP

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# ns NAME COMMAND...: in that namespace, /sys as it was; "" is the script's own
ns() {
	local name=$1

	shift
	nsenter ${name:+--net=/run/netns/$name} "$@"
}

# ns_bg NAME LABEL COMMAND...: the same in the background, output in LABEL.out
# and LABEL.err. It dies with the script.
ns_bg() {
	local name=$1 label=$2

	shift 2
	: >"$label.out"		# now, so that nobody waits for a line of the last run
	: >"$label.err"
	setpriv --pdeathsig KILL env --default-signal=INT,QUIT \
		nsenter ${name:+--net=/run/netns/$name} "$@" \
		>"$label.out" 2>"$label.err" </dev/null &
	NS_PIDS[$label]=$!
}

# stop LABEL [SIGNAL] [SECONDS]: signal it (INT), wait; its exit code is ours
stop() {
	local label=$1 pid=${NS_PIDS[$1]} i

	kill "-${2:-INT}" "$pid" 2>/dev/null
	for ((i = 0; i < 20 * ${3:-20}; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	if kill -0 "$pid" 2>/dev/null; then
		kill -KILL "$pid"
		echo "$label did not end" >&2
	fi
	unset "NS_PIDS[$label]"
	wait "$pid" 2>/dev/null
}

# finished LABEL [SECONDS]: wait until it ends by itself; its exit code is ours
finished() {
	stop "$1" 0 "${2:-60}"
}

# wait_for FILE REGEX [SECONDS]: until a line of the file matches
wait_for() {
	local i

	for ((i = 0; i < 20 * ${3:-20}; i++)); do
		grep -qE -- "$2" "$1" 2>/dev/null && return
		sleep 0.05
	done
	echo "no line like '$2' in $1:" >&2
	cat "$1" >&2
	return 1
}

# field NAME: that number or string of the last JSON object on standard input
field() {
	python3 -c 'import json, sys
value = json.loads(sys.stdin.read().strip().splitlines()[-1])
for key in sys.argv[1].split("."):
    value = value[int(key) if isinstance(value, list) else key]
print(json.dumps(value) if isinstance(value, (dict, list)) else value)' "$1"
}

ns_new() {
	[ -e "/run/netns/$1" ] && return
	ip netns add "$1" && ip -n "$1" link set lo up
}

# ns_quiet NAME: no address or neighbour chatter of its own makes packets there
ns_quiet() {
	ns "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6' 2>/dev/null || true
}

# ns_pair NS:IFACE NS:IFACE [queues=N] [mtu=N] [net=A.B.C] [gro] [ipv6]
#
# Two ends, up. net= gives them .1 and .2 of a /24. gro turns NAPI on in the
# second end: without that or an XDP program there it drops every frame that
# comes by XDP_TX or redirect.
ns_pair() {
	local left=${1%:*} a=${1#*:} right=${2%:*} b=${2#*:}
	local queues=1 mtu=1500 net='' gro='' ipv6='' o

	shift 2
	for o; do
		case $o in
		queues=* | mtu=* | net=*)	local "$o" ;;
		gro | ipv6)			local "$o=1" ;;
		*)				fail "ns_pair: what is '$o'?" ;;
		esac
	done
	ns_new "$left"
	ns_new "$right"
	[ "$ipv6" ] || { ns_quiet "$left"; ns_quiet "$right"; }
	ip link add "$a" netns "$left" mtu "$mtu" numrxqueues "$queues" numtxqueues "$queues" \
		type veth peer name "$b" netns "$right" mtu "$mtu" \
		numrxqueues "$queues" numtxqueues "$queues" || return
	if [ "$net" ]; then
		ip -n "$left" addr add "$net.1/24" dev "$a"
		ip -n "$right" addr add "$net.2/24" dev "$b"
	fi
	[ "$gro" ] && ns "$right" ethtool -K "$b" gro on
	ip -n "$left" link set "$a" up
	ip -n "$right" link set "$b" up
	ns_up "$left" "$a" && ns_up "$right" "$b"
}

# ns_up NAME IFACE: wait until it can carry frames
ns_up() {
	local i

	for ((i = 0; i < 100; i++)); do
		[[ $(ip -n "$1" -br link show dev "$2") = *LOWER_UP* ]] && return
		sleep 0.02
	done
	echo "$2 in $1 does not come up" >&2
	return 1
}

# counter NAME IFACE COUNTER: rx_packets, rx_dropped, tx_dropped, ... of an interface
counter() {
	local json

	json=$(ip -n "$1" -s -s -j link show dev "$2")
	python3 -c 'import json, sys
way, name = sys.argv[2].split("_", 1)
print(json.loads(sys.argv[1])[0]["stats64"][way][name])' "$json" "$3"
}
