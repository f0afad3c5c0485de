#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the commands, used rightly and wrongly.
# Out:  help on standard output and exit 0, or one line on standard error and
#       exit 2, as usage.sh.stdout.exact has them.
# Owns: nothing.
# Runs on: anything.
set -u

# what is printed where, and the exit code
try() {
	echo "\$ $*"
	"$@" >out 2>err </dev/null
	code=$?
	cat out
	# which sources and options there are is not this test's business
	sed -E 's/^/2: /; s/(there are|it knows): .*/\1: .../' err
	[ $code = 0 ] || echo "exit $code"
	# help and data never go to standard error, complaints are one line
	if [ $code = 2 ] && { [ -s out ] || [ "$(wc -l <err)" != 1 ]; }; then
		[ "$*" = xcap ] || echo "FAIL: not one line on standard error"
	fi
}

try xcap
try xcap help
try xcap help balance
try xcap help bounce
try xcap help count
try xcap help doctor
try xcap help dump
try xcap help extcap
try xcap help iface
try xcap help list
try xcap help pipe
try xcap help probe
try xcap help top
try xcap help nosuch
try xcap nosuch
for command in "xcap balance" "xcap bounce" "xcap count" "xcap doctor" "xcap dump" "xcap extcap" "xcap iface" "xcap list" "xcap pipe" "xcap probe" "xcap top" xdpcount xcap-extcap; do
	# shellcheck disable=SC2086
	diff <($command --help) <($command -h) || echo "FAIL: $command -h differs"
done
diff <(xcap --help) <(xcap help) && diff <(xcap -h) <(xcap help) || echo "FAIL: xcap -h differs"
diff <(xdpcount --help) <(xcap count --help) | sed -n 's/^[<>] //p'
diff <(xcap-extcap --help) <(xcap extcap --help) | sed -n 's/^[<>] //p'
try xdpcount
try xdpcount --nosuch
try xdpcount -i lo word
try xdpcount -i lo -c 0
try xdpcount -i lo --duration 5d
try xdpcount -i lo --slack 2h
try xdpcount -i lo -w - --json
try xdpcount -i lo -v -w -
try xdpcount -i nosuch:lo
try xdpcount -i syscalls?nosuch=1
try xdpcount -i lo,
try xdpcount -i file:x,,file:y
try xdpcount -i lo --ring 5000
try xcap probe
try xcap probe nosuch
try xcap probe exit open
try xcap probe exit --comm ''
try xcap probe exit --comm 1234567890123456
try xcap dump -i probe:nosuch
try xcap dump
try xcap dump -c
try xcap dump --quiet=1
try xcap dump -r x -f udp tcp
try xcap dump -r x --print -w -
try xcap dump --explain-filter
try xcap balance
try xcap balance -c 65536 -i lo
try xcap balance -i lo --stats
try xcap balance -i lo -r lo
try xcap balance --queue-filter 'tcp'
try xcap balance -i lo --allow nosuchuser
try xcap balance -i lo --allow 4294967297
try xcap balance -i lo --allow -1
try xcap balance -i lo --threads --cpus 0x
try xcap balance -i lo --send -1:lo
try xcap balance --queue-filter 4294967296:tcp
try xcap balance --stats -n 2
try xcap balance -i lo --slots 63
try xcap count -i xcap:99
try xcap iface
try xcap iface syscalls tap:lo
try xcap iface syscalls --name 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
try xcap list eth0
try xcap doctor lo lo
try xcap doctor --fix --undo
try xcap doctor --fix
try xcap doctor --port
try xcap doctor --drops --fix
try xcap doctor -n 1
try xcap bounce
try xcap bounce -i xcap:9@0
try xcap bounce -i xcap:9@0 -o xcap:8@1
try xcap bounce -i lo -o xcap:9@1
try xcap bounce -i xcap:9@0?next=1 -o xcap:9@1
try xcap bounce -i xcap:9@0 -o xcap:9@auto
try xcap bounce -i xcap:9@0 -o xcap:9@1 udp
try xcap pipe
try xcap pipe -i lo udp
try xcap pipe -i lo -o a -o b
try xcap pipe -i lo -o a,b
try xcap pipe -i lo --stages 0
try xcap pipe -i lo --stage-filter udp
try xcap pipe -i lo --stage-filter 2:udp
try xcap pipe -i lo --stage-filter 1:udp --stage-filter 1:tcp
try xcap pipe -i lo --cpus 0:x
try xcap pipe -i lo --cpus 0:0:0
try xcap pipe -i lo --delay 2m
try xcap pipe -i lo -n 2
try xcap pipe -i lo,0 -n 2
try xcap pipe -i lo,2 -o a,1 -n 2
try xcap pipe -i lo,1 -o a,0 -n 2
try xcap pipe -i lo,0 -o a,1 -o b,1 -n 3
try xcap pipe -i lo,0 -o a,1 -n 2 --stages 2
try xcap pipe -i lo -o a -o b --replicate --stages 33
try xcap dump -r nosuch.pcap
try xcap dump --
try xcap dump -w -
try xcap dump -w - -- true
try xcap dump -r file -- true
try xcap dump -p x
try xcap dump -p 1,,2
try xcap dump -p 2147483647
try xcap dump --container "it's"
try xcap top
try xcap top -n 1
try xcap top --metrics 9464
try xcap top --json
try xcap top -b -n 0
try xcap top -b -d 1ms
try xcap top -b --view nosuch
try xcap top -b --view flow --sort read
try xcap top -b -i lo -f udp tcp
try xcap top --view flow,host
xcap --version | sed -E 's/ [0-9].*/ N/'
