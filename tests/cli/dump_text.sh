#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   tests/data/frames.hex, and a capture of packets and system calls.
# Out:  their lines, as dump_text.sh.stdout.exact has them.
# Owns: files in its directory.
# Runs on: anything.
set -u
export TZ=UTC

"$TOP/tests/lib/frames.py" "$TOP/tests/data/frames.hex" >frames.pcap
cp "$TOP/tests/data/mixed.pcapng" .

show() {
	echo "\$ xcap dump $*"
	xcap dump "$@" 2>err || echo "exit $?"
}

show -r frames.pcap
show -r frames.pcap -q 'tcp[tcpflags] & tcp-fin != 0 or vlan'
show -r frames.pcap -v -c 8
show -r frames.pcap -x -f 'udp port 53 and not vlan' -c 1
show -r frames.pcap -X -c 1 'arp and greater 60'
show -nr mixed.pcapng
show -v -r mixed.pcapng -c 6
show -i file:mixed.pcapng,file:frames.pcap -q -c 34 | tail -n 4
# the account is talk, and it closes
xcap dump -r frames.pcap -w /dev/null 'icmp or icmp6' 2>&1 | sed -E 's/in [0-9.]+ s/in T s/'
