#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In:   B the build directory, ROUNDS (5 or more for numbers that are to be shown).
# Out:  the tables; exit 1 if a promise is broken, named at the end.
# Owns: a mount namespace, so that what perf mounts is gone afterwards.
# Runs on: root, an otherwise idle machine with two CPUs or more.
set -uo pipefail

B=${B:-build}
rounds=${ROUNDS:-5}

[[ $(id -u) = 0 ]] || { echo "bench: be root" >&2; exit 1; }
[[ $(nproc) -ge 2 ]] || { echo "bench: needs two CPUs: one sends, one reads" >&2; exit 1; }
for tool in perf strace tcpdump ethtool bpftrace; do
	command -v "$tool" >/dev/null && continue
	echo "bench: $tool is missing: apt-get install linux-perf strace tcpdump ethtool bpftrace" >&2
	exit 1
done
[[ ${BENCH_UNSHARED-} ]] || BENCH_UNSHARED=1 exec setsid -w unshare -m -n "$0" "$@"

echo -15 2>/dev/null >/proc/self/autogroup	# what else runs shall disturb little
load=$(cut -d ' ' -f 1 /proc/loadavg)
talk=$(mktemp)
trap 'rm -f "$talk"' EXIT
printf '%s, %s CPUs, Linux %s; %s rounds, load %s\n' \
	"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" \
	"$rounds" "$load" | tee "$talk"
((${load%.*} < 1)) || echo 'a busy machine: ratios may hold, rates do not'
failed=0
# a twentieth is less than the noise of a few rounds
set -f	# a ? is one
for bench in "packets $rounds" "packets $((15 * rounds)) xsk:?owner" \
	     "packets $((3 * rounds)) tap:?owner" "fanout $rounds" "calls $rounds" \
	     "switch $rounds" "datagram $rounds" "memory $rounds" "top $rounds"; do
	# shellcheck disable=SC2086	# words of their own
	"$B"/tests/bench_$bench | tee -a "$talk" || failed=1
done
echo
if grep -q BROKEN "$talk"; then
	echo 'broken promises:'
	grep BROKEN "$talk"
elif ((failed)); then
	echo 'a part of the bench did not run: see above'
else
	echo 'all promises are kept'
fi
exit $failed
