# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a pipe in the file system, and a line in it that lets it begin.
# Out:  a known, prime number of each thing that the probes of system calls tell, and exits.
# Owns: its children, all of which have ended when it does.
# Runs on: any host; addresses on lo.
import os
import signal
import socket
import sys

RUNS, NO_RUNS = 13, 7			# programs that run, and that are not there
OPENS, NO_OPENS = 17, 5			# files
CONNECTS, REFUSED, UNIX = 11, 3, 2	# connections
STATUS_3, KILLED = 19, 23		# processes that exit with 3, that are killed


def run(path, args):
    pid = os.fork()
    if not pid:
        try:
            os.execv(path, args)
        except OSError:
            os._exit(127)
    os.waitpid(pid, 0)


def child(end):
    pid = os.fork()
    if not pid:
        end()
        os._exit(0)
    os.waitpid(pid, 0)


def connect(family, to):
    s = socket.socket(family)
    try:
        s.connect(to)
    except OSError:
        pass
    return s


gate = os.open(sys.argv[1], os.O_RDWR)
os.mkdir("there")
os.chdir("there")
with open("file", "w", encoding="ascii"):
    pass
here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(50)
closed = socket.socket()
closed.bind(("127.0.0.1", 0))
print("ready", server.getsockname()[1], closed.getsockname()[1], flush=True)
os.read(gate, 1)

for i in range(RUNS):
    run("/bin/true", ["true", f"number {i}", "x\ny"])
for i in range(NO_RUNS):
    run("/nonexistent/program", ["program", str(i)])
for i in range(OPENS):
    os.close(os.open("file", os.O_RDONLY, dir_fd=here))
for i in range(NO_OPENS):
    try:
        os.open("/nonexistent/file", os.O_RDWR | os.O_CREAT)
    except FileNotFoundError:
        pass
for i in range(CONNECTS):
    a = connect(socket.AF_INET, server.getsockname())
    b, _ = server.accept()
    a.close()
    b.close()
for i in range(REFUSED):
    connect(socket.AF_INET, closed.getsockname()).close()
for i in range(UNIX):
    connect(socket.AF_UNIX, "\0nobody\0here" if i else "/nonexistent/socket").close()
for i in range(STATUS_3):
    child(lambda: os._exit(3))
for i in range(KILLED):
    child(lambda: os.kill(os.getpid(), signal.SIGKILL))
