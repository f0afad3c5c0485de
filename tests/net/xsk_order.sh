#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   frames on two interfaces of one and of four queues, sent from both CPUs,
#       with a storm of system calls beside them.
# Out:  whether the merged stream never steps back. With a slack that is never
#       used up nothing may be late either: then no watermark said too much, not
#       even while frames were dropped.
# Owns: three namespaces.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair a:veth0 rx:veth0 queues=4 || fail "no veth pair"
ns_pair b:veth0 rx:veth1 || fail "no veth pair"

# round WHAT SPEC LATE "READER OPTIONS" RATE
round() {
	local what=$1 spec=$2 late=$3 options=$4 rate=$5

	# shellcheck disable=SC2086
	ns_bg rx reader reader $options "$spec"
	wait_for reader.err '^reader: capturing.*veth1' || exit 1
	ns_bg a one txgen -i veth0 -n 200003 --queues 4 --rate "$rate" --cpu 0
	ns_bg b two txgen -i veth0 -n 200003 --rate "$rate" --cpu 1
	ns "" timeout 1 sh -c 'while :; do read -r line </proc/self/stat; done'
	finished one && finished two || fail "$what: txgen"
	sleep 0.2
	stop reader
	echo "$what:" "$(cat reader.out)"
	python3 - "$late" "$(cat reader.out)" <<-'END' || fail "$what"
		import json, sys
		late, a = sys.argv[1], json.loads(sys.argv[2])
		bad = [what for what, ok in {
			"the books close": a["seen"] == a["delivered"] + a["filtered"] + a["dropped"],
			"losses are told": a["lost"] == a["dropped"],
			"all frames are seen": a["seen"] >= 400006,
			"in order": a["out_of_order"] == a["backwards"] == 0,
			"nothing is late": late == "any" or a["late"] == 0,
		}.items() if not ok]
		print(*("not so: " + what for what in bad), sep="\n")
		sys.exit(bool(bad))
	END
}

round "two interfaces, usual slack" xsk:veth0,xsk:veth1 any "" 100000
round "two interfaces, no end of slack" xsk:veth0,xsk:veth1 0 "-s 1000000" 100000
round "and system calls" xsk:veth0,xsk:veth1,syscalls 0 "-s 1000000" 100000
round "flat out, with losses" "xsk:veth0?ring=256,xsk:veth1?ring=256" 0 "-s 1000000 -d 500" 400000
exit 0
