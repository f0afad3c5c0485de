#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a host made of files (XCAP_DOCTOR_ROOT): two processors, a card at PCIe; then one fault
#       after the other in it; then its state file, hostile in each way.
# Out:  what xcap doctor finds, as doctor.sh.stdout.exact has it: each fault and no other; and
#       whether --undo gives back every byte, also of a --fix that was killed at any call.
# Owns: files in its directory.
# Runs on: anything.
set -u
export XCAP_DOCTOR_ROOT=$PWD/host XCAP_STATE_DIR=$PWD/state
bad=0

fail() {
	echo "FAIL: $*"
	bad=1
}

# put VALUE FILE...
put() {
	local value=$1 file

	shift
	for file; do
		mkdir -p "host/${file%/*}"
		printf '%s\n' "$value" >"host/$file"
	done
}

net=sys/class/net/eth1
cpu=sys/devices/system/cpu
core=proc/sys/net/core

healthy() {
	local n

	rm -rf host
	put 7 $net/ifindex
	put 0x1003 $net/flags
	put 1 $net/type $net/carrier
	put 1500 $net/mtu
	put 10000 $net/speed
	put 0 $net/gro_flush_timeout $net/napi_defer_hard_irqs $net/threaded $net/device/numa_node
	put DRIVER=ixgbe $net/device/uevent
	put '8.0 GT/s PCIe' $net/device/current_link_speed $net/device/max_link_speed
	put 8 $net/device/current_link_width $net/device/max_link_width
	put 772 sys/class/net/lo/ifindex
	put 0x9 sys/class/net/lo/flags
	put 0-7 $cpu/online
	put 0-3 sys/devices/system/node/node0/cpulist
	put 4-7 sys/devices/system/node/node1/cpulist
	for n in 0 1 2 3 4 5 6 7; do
		put performance $cpu/cpu$n/cpufreq/scaling_governor
	done
	for n in 0 1 2 3; do
		mkdir -p host/$net/queues/rx-$n host/proc/irq/4$n/eth1-TxRx-$n
		put msi $net/device/msi_irqs/4$n
		put $n proc/irq/4$n/smp_affinity_list
		put $((n == 0 ? 0 : n == 1 ? 2 : n == 2 ? 10 : 133)) $cpu/cpu0/cpuidle/state$n/latency
		put $((n == 3)) $cpu/cpu0/cpuidle/state$n/disable
		put "C$n" $cpu/cpu0/cpuidle/state$n/name
	done
	mkdir -p host/proc/irq/44/eth1 host/proc/irq/45/eth1-tx-0 host/proc/irq/46/eth10-rx-0
	put msi $net/device/msi_irqs/4{4,5,6}
	put 0 proc/irq/4{4,5,6}/smp_affinity_list
	put x sys/kernel/btf/vmlinux
	put '[none] integrity confidentiality' sys/kernel/security/lockdown
	put 212992 $core/rmem_default
	put 16777216 $core/rmem_max
	put 600 $core/netdev_budget
	put 8000 $core/netdev_budget_usecs
	put 10000 $core/netdev_max_backlog
	put 1 $core/bpf_jit_enable
	put 0 $core/busy_poll $core/busy_read
	put 2 proc/sys/kernel/unprivileged_bpf_disabled proc/sys/kernel/perf_event_paranoid
	put 11d4 proc/sys/kernel/random/boot_id
	printf 'HugePages_Total:      16\nHugePages_Free:        7\n' >host/proc/meminfo
	mkdir -p host/proc/net
	printf '%s\n' '000f4243 00000000 00000003 0 0' '00000065 00000000 00000000 0 0' >host/proc/net/softnet_stat
}

# what is not as it should be: "eth1 warn pcie"
found() {
	xcap doctor --json | python3 -c 'import json, sys
for line in sys.stdin:
	o = json.loads(line)
	if o["type"] == "finding" and o["level"] != "ok":
		print(o.get("iface", "host"), o["level"], o["check"] + ":", o.get("command", "-"))'
}

echo '# a host that is well'
healthy
xcap doctor || fail "exit $?"
found

# plant WHAT VALUE FILE...: one fault
plant() {
	local what=$1

	shift
	healthy
	put "$@"
	echo "$what"
	found | sed 's/^/  /'
}

echo
echo '# one fault after the other'
plant 'one lane of eight' 1 $net/device/current_link_width
plant 'an old slot' '2.5 GT/s PCIe' $net/device/current_link_speed
plant 'half the lanes' 4 $net/device/current_link_width
plant 'a wire that fills the slot' 100000 $net/speed
plant 'a wire that fills it with its smallest frames' 50000 $net/speed
plant 'all queues at one core' 0 proc/irq/4{0,1,2,3}/smp_affinity_list
plant 'queues at the other processor' 5 proc/irq/42/smp_affinity_list
plant 'the card at the other processor' 1 $net/device/numa_node
plant 'a governor' powersave $cpu/cpu{2,3}/cpufreq/scaling_governor
plant 'a deep sleep' 0 $cpu/cpu0/cpuidle/state3/disable
plant 'a less deep one' 61 $cpu/cpu0/cpuidle/state2/latency
put 0 $cpu/cpu0/cpuidle/state3/disable
echo 'both'
found | sed 's/^/  /'
plant 'a small budget' 100 $core/netdev_budget
plant "the kernel's budget" 300 $core/netdev_budget
plant 'a short budget' 1000 $core/netdev_budget_usecs
plant 'a small backlog' 100 $core/netdev_max_backlog
plant 'small buffers' 4096 $core/rmem_default $core/rmem_max
plant 'no JIT' 0 $core/bpf_jit_enable
plant 'a full backlog' '000f4243 00000007 00000003' proc/net/softnet_stat
plant 'a squeeze' '000f4243 00000000 0000ffff' proc/net/softnet_stat
plant 'confidentiality' 'none integrity [confidentiality]' sys/kernel/security/lockdown
plant 'a small MTU' 576 $net/mtu
plant 'a large MTU' 9000 $net/mtu
plant 'down' 0x1002 $net/flags
plant 'no carrier' 0 $net/carrier
plant 'a long wait' 2000000 $net/gro_flush_timeout
healthy
rm host/sys/kernel/btf/vmlinux
echo 'no BTF'
found | sed 's/^/  /'

# ---- changed and given back ----

# a host with all that --fix can change
sick() {
	healthy
	put powersave $cpu/cpu{1,2,5}/cpufreq/scaling_governor
	put 100 $core/netdev_budget $core/netdev_budget_usecs $core/netdev_max_backlog
	put 4096 $core/rmem_default $core/rmem_max
	put 0 $core/bpf_jit_enable
}

same() {
	diff -r before host >differs || { fail "$1: not as it was:"; cat differs; }
	[ ! -e state/doctor ] || fail "$1: something is still remembered"
}

echo
echo '# --fix and --undo'
sick
cp -a host before
xcap doctor eth1 --fix -q || fail "exit $?"
found
[ "$(stat -c %a state state/doctor | xargs)" = '700 600' ] || fail "others can read the state"
cp state/doctor once
put powersave $cpu/cpu1/cpufreq/scaling_governor	# somebody else's, in between
put 77 $core/netdev_budget
xcap doctor eth1 --fix -q >/dev/null || fail "exit $?"
cmp once state/doctor || fail "the second --fix overwrote what was"
xcap doctor eth1 --undo || fail "exit $?"
same "after two --fix"
xcap doctor --undo || fail "exit $?"

# killed_at CALL N ARG...: in a shell of its own, which keeps the word "Killed" to itself
killed_at() {
	local call=$1 n=$2

	shift 2
	(strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
		xcap doctor "$@"; exit $?) >/dev/null 2>&1
}

# killed at every call that writes, and at some that read
killed=0
for call in openat write fsync renameat; do
	for ((n = 1; ; n++)); do
		killed_at $call $n eth1 --fix && break
		[ $call != openat ] || n=$((n + 18))
		killed=$((killed + 1))
		xcap doctor --undo >/dev/null || fail "--undo after a kill at $call $n: exit $?"
		same "killed at $call $n"
	done
	xcap doctor --undo >/dev/null
done
[ $killed -gt 15 ] || fail "killed only $killed times"
same "after all kills"

# killed while it gives back
for ((n = 1; ; n++)); do
	xcap doctor eth1 --fix >/dev/null
	killed_at write $n --undo && break
	xcap doctor --undo >/dev/null || fail "--undo after a killed one: exit $?"
	same "killed in --undo at write $n"
done
same "after all kills of --undo"

echo
echo '# what cannot be given back stays remembered'
sick
xcap doctor eth1 --fix >/dev/null
mv host/$cpu/cpu5 aside
xcap doctor --undo | grep -A 1 'not given back'
wc -l <state/doctor
mv aside host/$cpu/cpu5
xcap doctor --undo
same "at the second try"
xcap doctor eth1 --fix >/dev/null
put 22e5 proc/sys/kernel/random/boot_id
xcap doctor --undo | tail -n 3
[ ! -e state/doctor ] || fail "settings of another boot are still remembered"

echo
echo '# state files that others have written'
sick
line=$'11d4\t0\t0\t-\tsysctl\tnet/core/netdev_budget\t100'
# hostile WHAT LINE: as a file; the host must stay as it is
hostile() {
	printf 'xcap-doctor 1\n%s\n' "$2" >state/doctor
	chmod 600 state/doctor
	refused "$1"
}
refused() {
	cp -a host now
	echo "$1"
	xcap doctor --undo 2>&1 | sed 's/^/  /; s|[^ ]*/state|state|'
	[ "${PIPESTATUS[0]}" = 1 ] || fail "$1: exit is not 1"
	xcap doctor eth1 --fix >/dev/null 2>&1 && fail "$1: --fix goes on"
	diff -r now host || fail "$1: the host was changed"
	rm -rf now
}
hostile 'a path that leads out' $'11d4\t0\t0\t-\tsysctl\tnet/../../../../etc/passwd\tx'
hostile 'another sysctl' $'11d4\t0\t0\t-\tsysctl\tkernel/core_pattern\t|/bin/x'
hostile 'another file' $'11d4\t0\t0\t-\tsysfs\tpower/state\tmem'
hostile 'no such kind' $'11d4\t0\t0\t-\tshell\tx\ty'
hostile 'a word too few' $'11d4\t0\t0\t-\tsysctl\tnet/core/netdev_budget'
hostile 'a word too many' "$line"$'\tx'
hostile 'a control character' "$line"$'\e'
hostile 'a long value' "$line$(printf '%0100d' 0)"
hostile 'no number' $'11d4\t0\t-1\t-\tsysctl\tnet/core/netdev_budget\t1'
hostile 'a name with a slash' $'11d4\t0\t1\t../x\tfeature\trx-gro\ton'
hostile 'no hexadecimal number' $'11d4\t0\t1\teth1\taddress\t02xx\tthere'
printf 'xcap-doctor 1\n%s' "$line" >state/doctor
refused 'cut off'
printf 'xcap-doctor 2\n%s\n' "$line" >state/doctor
refused 'another version'
printf 'xcap-doctor 1\n%s\n\0\n' "$line" >state/doctor
refused 'a NUL'
printf 'xcap-doctor 1\n%s\n' "$line" >state/doctor
chmod 620 state/doctor
refused 'others can write'
chmod 600 state/doctor
ln state/doctor state/twin
refused 'a second name'
rm state/twin
mv state/doctor elsewhere
ln -s ../elsewhere state/doctor
refused 'a symbolic link'
rm state/doctor
mkfifo -m 600 state/doctor
refused 'a pipe'
rm state/doctor
chmod 777 state
refused 'a directory of all'
chmod 700 state

echo
echo '# lines and objects say the same'
sick
put 1 $net/device/current_link_width
xcap doctor --json >objects
xcap doctor >lines
python3 - <<'END' || fail "they do not"
import json
said = [json.loads(line) for line in open("objects")]
end = said.pop()
assert end["type"] == "summary", end
assert all(key == key.lower() for o in said for key in o)
levels = [o["level"] for o in said]
assert all(levels.count(l) == end[l] for l in ("ok", "note", "warn", "bad")), end
assert sum(o.get("changed_by") == "fix" for o in said) == end["fixable"], end
text, where = [], None
for line in open("lines").read().splitlines():
    if not line.startswith(" "):
        where = line
    elif line.startswith(" " * 21):
        text[-1][3] += " " + line.strip()
    elif line.startswith(" " * 4):
        text[-1][4] = line.strip()
    else:
        text.append([where, *line.split(None, 2), None])
want = [[o.get("iface", "host"), o["level"], o["check"], o["is"] +
         (": " + o["cost"] if "cost" in o else ""), o.get("command")] for o in said]
assert text == want, [x for x in zip(text, want) if x[0] != x[1]]
END
[ "$(awk 'length > 80' lines)" = '' ] || fail "lines of more than 80 columns"
xcap doctor eth9 2>&1; echo "exit $?"
exit $bad
