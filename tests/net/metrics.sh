#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap top --metrics beside another capture, a known number of packets, hostile names.
# Out:  whether the page has them, in both formats, as Debian's parsers and promtool read it.
# Owns: namespaces.
# Runs on: root; with promtool, which make fetches where there is a way to Debian's mirror.
. "$(dirname "$0")/../lib/netns.sh"

[ -x "$B/promtool/promtool" ] || skip "no promtool: $(tail -1 "$B/promtool/log" 2>&1)"
at=127.0.0.1:9464
openmetrics='Accept: application/openmetrics-text; version=1.0.0'

get() {
	ns rx curl -sS -m 10 "$@"
}

# pages [CONDITION]...: both are good; the conditions hold within five seconds
pages() {
	local i

	for ((i = 0; i < 25; i++)); do
		get -H "$openmetrics" "http://$at/metrics" >new || fail "no page"
		get "http://$at/metrics" >old || fail "no page"
		check "$@" 2>why && return
		sleep 0.2
	done
	fail "$(tail -1 why)"
}

check() {
	/usr/bin/python3 "$TOP/tests/lib/metrics_check.py" new old "$TOP/examples/grafana-xcap.json" "$@"
}

ns_pair tx:veth0 rx:veth0 net=10.77.0 || fail "no veth pair"
ip -n rx neigh add 10.77.0.1 lladdr "$(ip -n tx -br link show dev veth0 | awk '{ print $3 }')" dev veth0
ns_bg tx taker python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.1", 99))
print("takes", flush=True)
time.sleep(60)'
wait_for taker.out takes || exit 1
ns_bg rx other xdpcount -i tap:veth0 -f 'udp port 99' -q
wait_for other.err '^xcap: capturing' || exit 1
ns_bg rx top xcap top -i 'tap:veth0,syscalls' --metrics "$at"
wait_for top.err '^xcap: capturing' || exit 1
ns tx txgen -i veth0 -n 1009 >/dev/null || fail "txgen failed"
ns rx /usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(13):
    s.sendto(b"x", ("10.77.0.1", 99))'
# names that would be more than names, of processes that call so often that they are told
for name in 'a"} 5\nevil 1' 'b\377\033[2J'; do
	# shellcheck disable=SC2059
	name=$(printf "$name")
	cp "$(command -v dd)" "$name" || fail "no dd"
	"./$name" if=/dev/zero of=/dev/null bs=1 count=20011 2>dd.err || fail "$(cat dd.err)"
done
pid="pid=\"${NS_PIDS[other]}\""
pages 'v("xcap_packets_total", direction="in") == 1009' \
	'v("xcap_packets_total", direction="out") == 13' \
	'v("xcap_process_packets_total", comm="python3", direction="out") == 13' \
	'v("xcap_flow_packets_total", right="10.77.0.1", right_port="99", proto="udp") == 13' \
	'v("xcap_interface_packets_total", interface="veth0", direction="in") == 1009' \
	'v("xcap_source_seen_records_total", source="tap:veth0", command="xcap top") == 1022' \
	"v('xcap_source_filtered_records_total', $pid) + v('xcap_source_delivered_records_total', $pid) == 1022" \
	'v("xcap_process_calls_total", comm="a\"} 5\ufffdevil 1") > 0' \
	'v("xcap_process_calls_total", comm="b\ufffd\ufffd[2J") > 0' \
	'v("xcap_syscall_calls_total", syscall="execve") >= 2' \
	'v("xcap_syscall_call_duration_seconds_sum", syscall="execve") > 0' \
	'v("xcap_build_info") == 1 and v("xcap_view_rows", view="process") > 2'
[ -z "$(tr -d '\n -~\200-\377' <new)" ] || fail "control bytes on the page"
"$B/promtool/promtool" check metrics <old >out 2>&1 || fail "promtool: $(cat out)"
[ -s out ] && fail "promtool: $(cat out)"

# types, methods, places
get -I -H "$openmetrics" "http://$at/metrics" >headers
grep -qi '^content-type: application/openmetrics-text; version=1.0.0; charset=utf-8' headers ||
	fail "$(cat headers)"
get -I "http://$at/metrics" | grep -qi '^content-type: text/plain; version=0.0.4' || fail "type"
for try in '405 -X POST -d x /metrics' '404 /metric' '404 /metrics/..%2f..%2fetc/passwd' '200 /'; do
	# shellcheck disable=SC2086
	set -- $try
	code=$(get --path-as-is -o /dev/null -w '%{http_code}' "${@:2:$#-2}" "http://$at${*: -1}")
	[ "$code" = "$1" ] || fail "$try: $code"
done
code=$(get -o /dev/null -w '%{http_code}' -H "A: $(printf 'a%.0s' {1..100000})" "http://$at/metrics" 2>err)
[[ $code = 4* || $code = 000 ]] || fail "a large header: $code"

# who says nothing gets so many connections and no more, and all are there again when it is gone
descriptors() {
	find "/proc/${NS_PIDS[top]}/fd" -mindepth 1 | wc -l
}
before=$(descriptors)
ns_bg rx mute python3 -c 'import socket, time
held = []
for _ in range(40):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", 9464))
    held.append(s)
time.sleep(1)
print("held", flush=True)
time.sleep(60)'
wait_for mute.out held || exit 1
[ $(($(descriptors) - before)) -le 16 ] || fail "$before descriptors, and now $(descriptors)"
stop mute KILL
pages 'v("xcap_packets_total") >= 1009'

# nowhere else, and not twice
get -o /dev/null "http://[::1]:9464/metrics" 2>/dev/null && fail "it serves at ::1 as well"
ns rx xcap top -i tap:veth0 --metrics "$at" >out 2>err && fail "two at one port"
grep -q "cannot serve at $at: Address already in use; take another port" err || fail "$(cat err)"
ns rx xcap top -i tap:veth0 --metrics 192.0.2.1:80 >out 2>err && fail "an address of nobody"
for wrong in 9464 localhost:9464 127.0.0.1 127.0.0.1:0 127.0.0.1:65536 ::1:9464 '[::1]' :9464; do
	ns rx xcap top -i tap:veth0 --metrics "$wrong" >out 2>err
	[ $? = 2 ] || fail "$wrong: $(cat err)"
done
grep -q '^CapEff:[[:space:]]*0*$' "/proc/${NS_PIDS[top]}/status" || fail "it has capabilities"
stop top || fail "top: $(cat top.err)"
stop other || fail "other: $(cat other.err)"
[ -z "$(ls /run/xcap)" ] || fail "left: $(ls /run/xcap)"
exit 0
