#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   calls with descriptors that are no usual files, results that are more than what was
#       written, and more buffers and longer strings than are read.
# Out:  whether descriptors are called as /proc/PID/fd calls them, nothing is shown that the call
#       did not write, and what is cut says so.
# Owns: its processes and files.
# Runs on: root.
. "$(dirname "$0")/../lib/netns.sh"

cat >calls.py <<'EOF'
import os, socket

def use(fd):
    print(f"fsync fd={fd}({os.readlink(f'/proc/self/fd/{fd}')})", flush=True)
    try:
        os.fsync(fd)
    except OSError:
        pass        # most of them cannot

for kind in "net", "pid", "user", "mnt":
    use(os.open(f"/proc/self/ns/{kind}", os.O_RDONLY))
use(os.pidfd_open(os.getpid()))
listener = socket.socket(socket.AF_UNIX)
listener.bind("sock")
use(os.open("sock", os.O_PATH))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
use(raw.fileno())
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.send(b"0123456789abcdef")
memory = bytearray(b"." * 64)
b.recv_into(memory, 4, socket.MSG_TRUNC)
null = os.open("/dev/null", os.O_WRONLY)
os.writev(null, [b"q"] * 64)
os.writev(null, [b"q"] * 65)
for length in 4000, 5000:
    try:
        os.execv("/nonexistent", ["x", "b" * length])
    except OSError:
        pass
EOF
python=$(python3 -c 'import sys; print(sys.executable)')	# the name may be a script's
xcap dump -q -i 'syscalls?switches=off&only=fsync,recvfrom,writev,execve' -w calls.pcapng -- \
	"$python" calls.py >names 2>err || fail "exit $?: $(cat err)"
xcap dump -r calls.pcapng >lines 2>err || fail "read back: $(cat err)"
[ "$(wc -l <names)" = 7 ] || fail "not all was called: $(cat names)"
while read -r call fd; do
	grep -qF -- "> $call($fd)" lines || fail "no $call($fd): $(grep "> $call(${fd%%(*}" lines)"
done <names
grep -qF '< recvfrom(buf="0123") = 16' lines || fail "not what came: $(grep '< recvfrom' lines)"
long=$(printf 'q%.0s' {1..64})
grep -qF "iov=\"$long\", iovcnt=64)" lines && grep -qF "iov=\"$long\"..., iovcnt=65)" lines ||
	fail "more buffers: $(grep '> writev' lines)"
grep -qE 'argv=\["x", "b{4000}"\], ' lines && grep -qE 'argv=\["x", "b{4093}", \.\.\.\], ' lines ||
	fail "long arguments: $(grep -oE 'b"\S{1,9}' lines)"
