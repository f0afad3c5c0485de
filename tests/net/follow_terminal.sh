#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap dump -- COMMAND on a terminal of its own, whose keys interrupt and quit.
# Out:  whether the command gets the signal once, its exit code comes out, and its last call is still
#       captured; and the second signal ends the capture.
# Owns: its namespace.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

cat >type.py <<'END'
import os, pty, select, sys, time
# type.py KEYS COMMAND...: a key each time the command says ready; its output; its exit code
keys, argv = bytes(sys.argv[1], "ascii").decode("unicode_escape").encode(), sys.argv[2:]
pid, fd = pty.fork()
if not pid:
    os.execvp(argv[0], argv)
seen, typed, until = b"", 0, time.monotonic() + 60
while time.monotonic() < until:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        if not got:
            break
        seen += got
    if typed < len(keys) and seen.count(b"ready") > typed:
        os.write(fd, keys[typed:typed + 1])
        typed += 1
else:
    os.kill(pid, 9)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(seen.decode(errors="replace").replace("\r", ""))
print(f"typed {typed} status {status}")
END

# typed WANTED-STATUS KEYS SCRIPT: the script on a terminal, captured into a file
typed() {
	python3 type.py "$2" xcap dump -q -w file -i 'syscalls?only=exit_group,execve,rt_sigreturn' \
		-- sh -c "$3" >out
	tail -n 1 out | grep -qx "typed $((${#2} / 4)) status $1" || fail "$2: $(cat out)"
}
# last TEXT: of the file's records
last() {
	xcap dump -r file >records 2>err || fail "the file is cut: $(cat err)"
	grep '\] [<>] ' records | tail -n 1 | grep -q -- "$1" || fail "no $1: $(tail -3 records)"
}

# killed by it (a shell that is about to fork may hide it from its child)
typed 130 '\x03' 'echo ready; exec sleep 50'
grep -q '> execve(' <(xcap dump -r file 2>/dev/null) || fail "nothing is in the file"
typed 131 '\x1c' 'ulimit -c 0; echo ready; exec sleep 50'
# it takes the signal, once, and ends as it likes
typed 7 '\x03' 'trap "echo got; exit 7" INT; echo ready; while :; do sleep 0.1; done'
[ "$(grep -o got out | wc -l)" = 1 ] || fail "not once: $(cat out)"
last 'exit_group(status=7)'
# it goes on: the second ends the capture, which is whole so far
typed 130 '\x03\x03' 'trap "echo ready" INT; echo ready; while :; do sleep 0.1; done'
last "\]"
echo "a terminal's keys are the command's, and the second is ours"
