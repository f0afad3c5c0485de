#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a cluster under traffic; readers that write nonsense, ask without end, send whatever a
#       socket takes, and try to get hold of what is not theirs; users who may not read.
# Out:  whether they are refused or dropped, the master neither stops, waits, grows nor runs in
#       circles, and an honest reader misses nothing but what its queue says.
# Owns: two namespaces.
# Runs on: root.
# timeout: 300
. "$(dirname "$0")/../lib/netns.sh"
ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
# what it keeps of freed memory is no growth of ours
export ASAN_OPTIONS=${ASAN_OPTIONS-quarantine_size_mb=8}

start_master() {	# OPTION...
	ns_bg rx master xcap balance -c 8 -i xsk:veth0 -q --json --slots 1024 "$@"
	wait_for master.err '^xcap: capturing' 40 || exit 1
}

status() { xcap balance -c 8 --stats --json; }

# as USER GROUP COMMAND...
as() {
	local uid=$1 gid=$2

	shift 2
	setpriv --reuid="$uid" --regid="$gid" --clear-groups "$@"
}

# ---- who may read ----

# the programs, where any user may run them
mkdir /run/all && install -m 755 "$B/xcap" "$B/tests/queue_reader" "$B/tests/queue_hostile" /run/all
reads() {		# USER GROUP QUEUE
	ns_bg '' other setpriv --reuid="$1" --regid="$2" --clear-groups \
		/run/all/queue_reader "xcap:8@$3"
	wait_for other.err . && grep -q reading other.err && stop other
}
refused() {		# USER GROUP
	as "$1" "$2" timeout 20 /run/all/queue_reader xcap:8@0 >refused.out 2>refused.err
	[ $? = 1 ] && [ "$(wc -l <refused.err)" = 1 ] &&
		grep -q 'those that --allow names' refused.err
}
start_master -n 2
refused 65534 65534 || fail "another user, not refused: $(cat refused.err)"
as 65534 65534 /run/all/xcap balance -c 8 --stats --json >/dev/null 2>&1 &&
	fail "status for everybody"
stop master || fail "$(cat master.err)"
start_master -n 2 --allow 65534
reads 65534 1234 0 || fail "--allow USER: $(cat other.err)"
as 65534 1234 /run/all/xcap balance -c 8 --queue-filter 0:tcp >refused.out 2>refused.err &&
	fail "a reader of another user may set filters"
grep -q 'for who captures; let' refused.err || fail "a filter of another user: $(cat refused.err)"
refused 65533 65534 || fail "a user who is not named: $(cat refused.err)"
stop master || fail "$(cat master.err)"
start_master -n 2 --allow 0,4321
reads 65533 4321 1 || fail "--allow 0,GROUP: $(cat other.err)"
refused 65534 65534 || fail "--allow 0,GROUP: $(cat refused.err)"
ns_bg '' member setpriv --reuid=65533 --regid=65533 --groups=77,4321 /run/all/queue_reader xcap:8@0
wait_for member.err . && grep -q reading member.err && stop member ||
	fail "a member of the group beside its own: $(cat member.err)"
stop master || fail "$(cat master.err)"

# ---- hostile ones ----

ticks() { awk '{ print $14 + $15 }' "/proc/${NS_PIDS[master]}/stat"; }
fds() { find "/proc/${NS_PIDS[master]}/fd" | wc -l; }
kib() { awk '/RssAnon/ { print $2 }' "/proc/${NS_PIDS[master]}/status"; }

# quick: the master answers in a second, whatever others do
quick() {
	local start
	start=$(date +%s%N)
	timeout 5 xcap balance -c 8 --stats --json >status.out 2>status.err ||
		fail "$1: no status: $(cat status.err)"
	start=$(($(date +%s%N) - start))
	[ $start -lt 2000000000 ] || fail "$1: the master took $((start / 1000000)) ms to answer"
}

each=${HOSTILE_SECONDS:-1}	# 3 and more for who has the time

# one WHAT SECONDS [ARGUMENT...]: it, an honest reader, and packets
one() {
	local what=$1 seconds=$2 last='' sent

	shift 2
	ns_bg '' honest queue_reader xcap:8@0
	wait_for honest.err . && grep -q reading honest.err || fail "$what: $(cat honest.err)"
	ns_bg tx send txgen -i veth0 -n $((seconds * 10000 + 1)) --rate 10000
	queue_hostile "$what" "$seconds" 8 "$@" >hostile.out 2>&1 || last=$?
	[ -z "$last" ] || fail "$what: exit $last, $(cat hostile.out)"
	finished send || fail "$what: $(cat send.err)"
	quick "$what"
	sent=$(field sent <send.out)
	# tells what was lost last
	ns tx txgen -i veth0 -n 10 --rate 20 --from 198.18.0.9 >/dev/null
	sleep 0.3
	stop honest || fail "$what: the honest reader: $(cat honest.err)"
	python3 - "$what" "$sent" honest.out <<'END' || exit 1
import json, sys
what, sent, a = sys.argv[1], int(sys.argv[2]), json.load(open(sys.argv[3]))
lost = sent - a["distinct"]
told = sum(a["told"].values())
print(f"{what}: {sent} sent, {lost} lost and told")
if a["backwards"] or lost != told or a["told"]["queue"] != a["dropped"] or lost > sent / 2:
    sys.exit(f"{what}: {sent} were sent, {lost} missed, {told} told as lost: {a}")
END
}

start_master -n 1,5 -m "fanout,${CHAOS_LAST:-round-robin}" --more 1
one seals 1 1
fds_before=$(fds)
kib_before=$(kib)
for what in garbage questions hold churn linger; do
	one $what "$each"
done
one ring "$each" 1
one ring "$each" 2 6
one poll "$each" 3
# somebody who may not even read
for what in linger hold; do
	ns_bg '' stranger setpriv --reuid=65534 --regid=65534 --clear-groups \
		/run/all/queue_hostile $what $((each + 1)) 8
	one churn "$each"
	finished stranger || fail "$what, of another user: $(cat stranger.out)"
done
# nothing comes, and somebody asks without end: the master does not run in circles
before=$(ticks)
queue_hostile questions 4 8
spent=$(($(ticks) - before))
echo "questions cost the master $spent of 400 ticks"
[ $spent -lt 240 ] || fail "the master spent $spent of 400 ticks on who asks without end"
# all at once
for what in garbage questions hold churn "ring" linger; do
	ns_bg '' "all-$what" queue_hostile $what $((each + 2)) 8
done
sleep $((each + 3))
for what in garbage questions hold churn "ring" linger; do
	finished "all-$what" || fail "$what: $(cat "all-$what.out")"
done
quick "after all"
for ((i = 0; i < 100; i++)); do		# what was sent to linger does so for 5 s
	[ $(($(fds) - fds_before)) -lt 200 ] && break
	sleep 0.1
done
echo "descriptors: $fds_before, then $(fds); memory: $kib_before KiB, then $(kib)"
[ $(($(fds) - fds_before)) -lt 200 ] || fail "the master had $fds_before descriptors, has $(fds)"
[ $(($(kib) - kib_before)) -lt 65536 ] || fail "the master grew from $kib_before to $(kib) KiB"
stop master || fail "the master: $(tail -n 40 master.err)"
python3 "$TOP/tests/lib/books.py" master.out || exit 1
exit 0
