#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   nothing (`make demo` runs it), or the name of a file.
# Out:  a curl that fetches a page, as one stream: its packets and its syscalls
#       in the order in which they happened; then xdpcount's account. The stream is
#       written to the file too.
# Owns: two network namespaces without a name, a web server, a capture. They
#       are gone with this script, however it ends.
# Runs on: root.
set -eu

B=${B:-$(cd "$(dirname "$0")/.." && pwd)/build}
calls=socket,connect,sendto,recvfrom,write
page=http://10.77.0.2/

[ "$(id -u)" = 0 ] || { echo "the demo makes network namespaces: run it as root" >&2; exit 1; }
if [ -z "${DEMO_PRIVATE-}" ]; then
	# everything below lives in here, and goes with the last process in it
	DEMO_PRIVATE=1 exec unshare -nm bash "$0" "$@"
fi

file=${1:+$(realpath -m "$1")}
dir=/mnt
mount -t tmpfs none $dir
capture='' server='' pids=''
cleanup() {
	trap '' INT TERM HUP
	# shellcheck disable=SC2086
	[ -z "$pids" ] || { kill -KILL $pids; wait $pids; } 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# within_5s COMMAND...: until it works
within_5s() {
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	echo "demo: this did not happen within five seconds: $*" >&2
	cat "$dir"/*.err >&2
	return 1
}

# in the background, and dead as soon as this script is
start() {
	setpriv --pdeathsig KILL env --default-signal=INT,QUIT "$@" &
	pids="$pids $!"
}

# the server has a namespace of its own, and a wire to ours
mkdir "$dir/www"
echo '<h1>packets and system calls, one stream</h1>' >"$dir/www/index.html"
start unshare -n python3 -m http.server -d "$dir/www" 80 >/dev/null 2>"$dir/server.err"
server=$!
apart() { ! [ "/proc/$server/ns/net" -ef /proc/self/ns/net ]; }
within_5s apart
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip link add veth0 type veth peer name veth0 netns "$server"
ip addr add 10.77.0.1/24 dev veth0
ip link set veth0 up
nsenter -t "$server" -n sh -c 'ip addr add 10.77.0.2/24 dev veth0 && ip link set veth0 up'
within_5s curl -qsf -o /dev/null $page

# the capture sees veth0 and the syscalls of the whole host
start "$B/xdpcount" -v ${file:+-w "$file"} -i "tap:veth0,syscalls?only=$calls" >"$dir/stream" 2>"$dir/capture.err"
capture=$!
within_5s grep -q '^xcap: capturing' "$dir/capture.err"
echo "\$ xdpcount -v -i 'tap:veth0,syscalls?only=$calls' &"
echo "\$ curl $page"
curl -qsf $page
echo
sleep 0.2
kill -INT "$capture"
wait "$capture" || { cat "$dir/capture.err" >&2; exit 1; }
pids=$server

# curl's syscalls and the packets; the host makes other calls meanwhile
awk '{ who = $3; sub(/\[.*/, "", who) }
	who == "curl" || $3 ~ /^(in|out)$/ || $4 ~ /^(in|out)$/' "$dir/stream" |
	LC_ALL=C.UTF-8 sed -E 's/^(.{116}).*/\1/'
echo
sed -n '/^xcap: capturing/d; p' "$dir/capture.err"
