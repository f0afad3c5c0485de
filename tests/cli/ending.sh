#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   capture files, whole and cut; readers that go away; full disks.
# Out:  whether each ends as it should: exit code, one sentence, closed books.
# Owns: files in its directory.
# Runs on: anything.
set -u
bad=0

# check NAME EXPRESSION...: a test(1) expression
check() {
	local name=$1

	shift
	[ "$@" ] && return
	echo "FAIL: $name: [ $* ]; standard error was:"
	cat err
	bad=1
}

says() {
	grep -qE "$1" err || { echo "FAIL: nobody said '$1' but:"; cat err; bad=1; }
}

"$TOP/tests/lib/frames.py" "$TOP/tests/data/frames.hex" >frames.pcap
cp "$TOP/tests/data/mixed.pcapng" .

# a reader that goes away is an orderly end, also while much is to come
for i in {1..40}; do
	xcap dump -r frames.pcap -w "$i.pcapng" 2>err || exit 1
done
many=$(printf 'file:%s.pcapng,' {1..40})
xcap dump -i "${many%,}" -X 2>err | head -n 1 >out
check "closed pipe" "${PIPESTATUS[0]}" = 0
says '^xcap: [0-9]+ records'
xcap dump -i "${many%,}" -X -w - 2>err | head -c 100 >out
check "closed pipe of -w -" "${PIPESTATUS[0]}" = 0

# a full disk: a sentence, and exit 1; the records before it are there
xcap dump -r frames.pcap >/dev/full 2>err
check "full disk" $? = 1
says 'No space left on device'
check "sentences" "$(grep -c 'No space left' err)" = 1
xcap dump -r mixed.pcapng --json >/dev/full 2>err
check "full disk with --json" $? = 1
xcap count -i file:mixed.pcapng --json >/dev/full 2>err
check "full disk for the account" $? = 1
xcap count -i file:mixed.pcapng -w /dev/full 2>err
check "full disk for -w" $? = 1
says 'No space left on device'

# what it says stays whole beside others that say something to the same file: each write is lines
strace -qq -s 4096 -e trace=write -o writes xcap count -i file:mixed.pcapng,file:frames.pcap >out 2>err
check "whole lines" "$(grep '^write(2, ' writes | grep -vc '\\n", [0-9]*)')" = 0
check "its writes" "$(grep -c '^write(2, ' writes)" -ge 4

# counts end exactly, what is left counts as unread
xcap count -i file:mixed.pcapng -c 7 --json --strict >out 2>err
check "count" $? = 0
check "records" "$(grep -o '"records":[0-9]*' out)" = '"records":7'
check "unread" "$(grep -oE '"dropped":\{[^}]*\}' out)" = '"dropped":{"unread":24}'
xcap dump -r mixed.pcapng -c 7 >out 2>err
check "lines" "$(wc -l <out)" = 7

# -w and what is read from it again are the same
xcap dump -r mixed.pcapng --json 2>err | sed 's/"source":"[^"]*"//' >a
xcap dump -r mixed.pcapng -w - 2>err | xcap dump -r - --json 2>err | sed 's/"source":"[^"]*"//' >b
cmp a b || bad=1
xcap dump -r mixed.pcapng -w c.pcapng --print >c 2>err
check "lines beside -w" "$(wc -l <c)" = 31

# files that are none, or end too early
xcap dump -r "$TOP/Makefile" >out 2>err
check "no capture file" $? = 1
check "sentences" "$(wc -l <err)" = 1
head -c 4000 mixed.pcapng >cut.pcapng
xcap dump -r cut.pcapng >out 2>err
check "a cut file" $? = 1
check "records of a cut file" "$(wc -l <out)" -ge 20
says '^xcap: [0-9]+ records'
: >empty
xcap dump -r empty >out 2>err
check "an empty file" $? = 1
xcap count -i - <frames.pcap --json >out 2>err
check "standard input" "$(grep -o '"records":[0-9]*' out)" = '"records":32'
mkfifo fifo
xcap dump -r fifo -c 1 -q >out 2>err &
cat frames.pcap >fifo
wait $!
check "a fifo" $? = 0
check "a line of it" "$(wc -l <out)" = 1

# interrupted while a pipe says nothing: an orderly end, soon
mkfifo silent
xcap count -i file:silent --json >out 2>err &
pid=$!
exec 5>silent
cat frames.pcap >&5
for _ in {1..100}; do
	grep -q '^xcap: reading' err && break
	sleep 0.05
done
kill -INT $pid
wait $pid
check "interrupted" $? = 0
check "what had come" "$(grep -o '"records":[0-9]*' out)" = '"records":32'
exit $bad
