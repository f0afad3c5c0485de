#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   filters.
# Out:  what of each is decided where, as explain.sh.stdout.exact has it; nothing is opened for that.
# Owns: nothing.
# Runs on: anything.
set -u

explain() {
	echo "\$ xcap dump --explain-filter $*"
	xcap dump --explain-filter "$@" 2>&1 || echo "exit $?"
	echo
}

explain tcp port 443
explain 'tcp port 443 and proc.name=nginx'
explain -i nosuch0 -f 'syscall in (connect,accept4,sendto) and ret<0'
explain 'not syscall in (read,write,futex) and proc.exe=/bin/sh and proc.pid=1292'
explain 'tcp and proc.exe^=/usr and syscall^=socket'
explain 'udp or (proc.uid=0 and not proc.name^=kworker)'
explain 'evt.type=switch and proc.tid=7'
explain 'syscall=39 or evt.type=packet'
explain 'syscall*=send or syscall^=recv'
explain 'proc.pid=1 or ifindex 1'
explain 'evt.type in (packet,syscall,switch) and (arp or icmp)'
explain 'proc.args*=x'
explain 'tcp and proc.tree in (7,8)'
explain 'proc.tree=7 or proc.name=x'
# a seventh has no room
explain 'proc.pid=1 or proc.pid=2 or proc.pid=3 or proc.pid=4 or proc.pid=5 or proc.pid=6 or proc.pid=7'
explain 'proc.pid=x'
explain 'prt 80'
explain
