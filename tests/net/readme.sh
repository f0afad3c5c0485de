#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the commands and links of README.md.
# Out:  whether each command runs as it stands there, and each link leads somewhere.
# Owns: a namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

ns_pair tx:veth0 rx:veth0 || fail "no veth pair"
while read -r link; do
	[ -e "$TOP/$link" ] || fail "README.md: there is no $link"
done < <(grep -oE '\]\([^)#]+\)' "$TOP/README.md" | tr -d ']()' | grep -v ://)

# the server of the text; not on the interface, which would be captured otherwise then
ip -n rx addr add 10.0.0.1/32 dev lo
ns_bg rx server python3 -u -m http.server --bind 10.0.0.1 80
wait_for server.out "Serving HTTP" || exit 1

n=0
started='^xcap: (capturing|reading)|^listening on'	# we say the one, tcpdump the other
while read -r command; do
	# the interface of the text is one of ours here
	command=${command//eth0/veth0}
	# and the process is one that runs
	command=${command//1292/$$}
	# and there is no terminal
	[[ $command = 'xcap top'* ]] && command+=' -b'
	ns_bg rx run timeout -s INT 2 sh -c "exec $command"
	[[ $command = *-i* ]] && { wait_for run.err "$started" || exit 1; }
	ns tx txgen -i veth0 -n 101 --rate 200 >/dev/null || fail "txgen failed"
	finished run 10
	code=$?
	[[ $code = 0 || $code = 124 ]] || fail "$command: exit $code: $(cat run.err)"
	# these say what is, and capture nothing
	grep -qE "$started" run.err || { grep -q . run.out &&
		[[ $command = *list* || $command = *--explain-filter* || $command = *doctor* ]]; } ||
		fail "$command: $(cat run.err)"
	n=$((n + 1))
done < <(sed -n 's/^    \(\(xcap\|xdpcount\) [^#]*\).*/\1/p' "$TOP/README.md")
[ "$n" -ge 5 ] || fail "only $n commands found"
[ "$(tcpdump -r both.pcapng 2>/dev/null | wc -l)" -ge 100 ] || fail "the file of the README is empty"
