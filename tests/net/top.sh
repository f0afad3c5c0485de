#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap top on a terminal of 80x24 and 200x60, with a file whose names steer terminals, and
#       keys.
# Out:  its screens, as top.sh.stdout.exact has them; whether what it recorded is what it showed.
# Owns: its namespace, and a tmux server in it.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"
. "$TOP/tests/lib/tmux.sh"

make_top top.pcapng 3 || exit 1
# records FILE [FILTER]: how many
records() {
	xcap dump -q -w /dev/null -r "$@" 2>&1 | sed -n 's/^xcap: \([0-9]*\) records.*/\1/p'
}

terminal 80 24 'xcap top --fast -q -i file:top.pcapng'
shows '\[ended\]'
says start
keys 2; shows '> container$'; says 2
keys 3; shows '> flow$'; says 3
keys Right; shows '> interface$'; says 4
keys Tab; shows '> syscall$'; says 5
keys Tab; shows '> file$'; says 6
keys Left; shows '> syscall$'
keys 7; shows '> port$'; says 7
keys 8; shows '> host$'; says 8
keys Tab; shows '> process$'
keys BTab; shows '> host$'

keys 1; shows '> process$'
keys s; shows '^PROCESSv'; says 'by name'
keys r; shows '^PROCESS\^'; says 'and from its end'
keys r '>'; shows 'PKTv'
keys '<' S S; shows 'TOTALv'; says 'by total'
keys S; shows 'LATENCYv'; says 'by latency'
keys s s; shows 'HISTORYv'

keys f; shows '^filter:$'
types 'tcp and proc.name='; shows 'proc.name=$'
keys Enter; shows 'needs a value'; says 'a wrong filter'
keys h; shows '^xcap top: keys'; says help
keys x; shows '> process$'
keys /; types 'proc.name=nginx or udp'
keys Enter; shows '  filter: '; says 'a filter'
keys f; shows '^filter \(C-u empties it\): proc'
keys Escape; shows '^1-8 view'
keys f C-u Enter; shows '^there is no filter any more'

# into a process, its files, and back
keys Down Up Enter; shows '> process nginx\[99\] > flow'; says 'into a process'
keys 6; shows '> process nginx\[99\] > file'; says 'its files'
keys 5 Enter; shows '> syscall read > process'; says 'who reads, of it'
keys BSpace; shows '> process nginx\[99\] > syscall'
keys w; shows '^record to: xcap-top-'
keys C-u; types nginx.pcapng
keys Enter; shows 'records are in nginx.pcapng'; says 'recorded'
keys w C-u; types nginx.pcapng
keys Enter; shows 'exists'; says 'a file that exists'
keys BSpace; shows 'all > process$'; says back
keys BSpace; shows 'this is all'
[ "$(records nginx.pcapng)" = "$(records top.pcapng 'proc.pid=99')" ] ||
	fail "recorded $(records nginx.pcapng) of $(records top.pcapng 'proc.pid=99')"
[ "$(screen | grep -c .)" -gt 4 ] || fail "no rows"

keys p; shows '\[frozen\]'
keys 3 End; shows '> flow$'; says frozen
keys Space; shows '\[ended\]'
keys p; shows '\[frozen\]'
keys f; types 'tcp port 443 or udp port 53 or udp port 54 or udp port 55 or tcp port 8000tcp'
keys Enter; shows "8000tcp"; says 'a long message'
keys f; shows '^filter:$'; types tcp
keys Enter; shows 'time goes on'; says 'a filter, when frozen'
keys f C-u Enter; shows '^there is no filter'

tm resize-window -x 200 -y 60; shows 'HISTORYv *$'; says '200x60'
tm resize-window -x 80 -y 24; shows 'HISTORYv$'; says '80x24 again'
tm resize-window -x 40 -y 9; shows '^FLOW'; says '40x9'
tm resize-window -x 80 -y 24; shows 'HISTORYv$'
keys q
for ((i = 0; i < 100; i++)); do
	[ "$(tm display-message -p '#{alternate_on}')" = 0 ] && break
	sleep 0.05
done
[ "$(tm display-message -p '#{alternate_on}#{cursor_flag}')" = 01 ] || fail "the terminal is not as it was"
terminal_end

# at its own speed: 3 s of a file, the first interval when it is over
terminal 80 24 'xcap top -q -i file:top.pcapng -V flow'
shows '^xcap top  1 s.*36 pkt/s'
keys e; shows '\[ended\]'; says 'to the end'
terminal_end

# ten thousand flows: the first, the last, by name, and the one that is chosen stays chosen
make_top many.pcapng 2 10007 || exit 1
terminal 80 24 'xcap top --fast -q -i file:many.pcapng -V flow'
shows '\[ended\]'; says '10,007 flows'
keys Enter; shows '> flow 10.0.0.1:443 .*> process'; shows '\[ended\]'; says 'of one of them, all'
keys BSpace; shows '^FLOW \(10013\)'
keys End; shows '10.1.0.0:1024'; says 'the last of them'
keys r; shows 'HISTORY\^'
keys S; shows 'TOTAL\^'; says 'it stays chosen'
keys PPage Home; shows 'TOTAL\^'
keys s s; shows '^FLOW\^'; says 'by name'
keys q
terminal_end
