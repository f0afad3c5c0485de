#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   xcap.h with all that it includes, xcap_pcap.h, libxcap.map and all three libraries.
# Out:  whether they promise the same functions, and whether each of these is
#       documented: arguments, Return, Owns, Threads, Since. What xcap_pcap.h names is
#       documented by libpcap: it must be there. And whether the shim has all that libpcap has.
# Owns: nothing.
# Runs on: anything. `make check-abi` runs it alone.
set -u
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
B=${B:-$TOP/build}
exec python3 - "$TOP" "$B" <<'END'
import glob
import re
import subprocess
import sys

top, build = sys.argv[1:]
bad = []


def symbols(kind, path):
    out = subprocess.run(["nm", *kind, "--defined-only", path], check=True,
                         capture_output=True, text=True).stdout
    fields = [line.split() for line in out.splitlines()]
    return {f[2].split("@")[0] for f in fields if len(f) == 3 and f[1] in "TDRBVW"}


def same(what, have, want):
    for name in sorted(want - have):
        bad.append(f"{what} lacks {name}")
    for name in sorted(have - want):
        bad.append(f"{what} has {name}, which xcap.h does not mark XCAP_API")


def documented(block, result, name, arguments):
    if not re.search(rf"^ \* {name} - \S", block, re.M):
        bad.append(f"{name}: the block above it does not begin '{name} - '")
    for argument in arguments:
        if not re.search(rf"^ \* @{argument}:\s+\S", block, re.M):
            bad.append(f"{name}: @{argument} is not described")
    for line in ("Owns", "Threads", "Since") + (() if result == "void" else ("Return",)):
        if not re.search(rf"^ \* {line}:\s+\S", block, re.M):
            bad.append(f"{name}: no '{line}:' line")


header = ""
for part in ("xcap.h", "xcap_call.h", "xcap_cluster.h", "xcap_probe.h", "xcap_serve.h"):
    with open(f"{top}/include/{part}", encoding="utf-8") as f:
        header += f.read()
api = set()
for m in re.finditer(r"^XCAP_API ([^(;]*?)(\w+)\(([^;]*?)\);", header, re.M | re.S):
    result, name, arguments = m[1].strip(), m[2], m[3]
    api.add(name)
    arguments = [] if arguments == "void" else [
        re.search(r"(\w+)\W*$", a)[1] for a in arguments.split(",")]
    before = header[:m.start()].rstrip()
    if not before.endswith("*/"):
        bad.append(f"{name}: no comment above it")
        continue
    documented(before[before.rindex("/*"):], result, name, arguments)
if header.count("\nXCAP_API ") != len(api):
    bad.append("a line with XCAP_API in xcap.h is no prototype that can be read by script")

# the twins: each in the header as a prototype and as a name, and libpcap has it
with open(f"{top}/include/xcap_pcap.h", encoding="utf-8") as f:
    header = f.read()
with open("/usr/include/pcap/pcap.h", encoding="utf-8") as f:
    pcap = set(re.findall(r"\b(pcap_\w+)\(", f.read()))
twins = set(re.findall(r"^XCAP_API [^;(]*?xcap_(pcap_\w+)\(", header, re.M))
names = dict(re.findall(r"^#define (pcap_\w+)\s+(\w+)$", header, re.M))
for name in sorted(twins ^ set(names)):
    bad.append(f"xcap_pcap.h: {name} is not both a prototype and a name")
for name in sorted(twins - pcap):
    bad.append(f"xcap_pcap.h: libpcap has no {name}")
for name, twin in names.items():
    if twin != f"xcap_{name}":
        bad.append(f"xcap_pcap.h: {name} becomes {twin}")
for line in ("Return", "Owns", "Threads", "Since"):
    if not re.search(rf"^ \* {line}:\s+\S", header, re.M):
        bad.append(f"xcap_pcap.h: no '{line}:' line")
api |= {f"xcap_{name}" for name in twins}

with open(f"{top}/user/libxcap.map", encoding="utf-8") as f:
    exported = re.findall(r"^\s+(xcap_\w+);", f.read(), re.M)
if sorted(set(exported)) != exported:
    bad.append("libxcap.map: names are not in order, or twice there")
same("libxcap.map", set(exported), api)
shared = [p for p in glob.glob(f"{build}/libxcap.so.*.*.*") if not p.endswith(".d")]
if len(shared) != 1:
    bad.append(f"{len(shared)} shared libraries in {build}: make clean, make")
else:
    same("libxcap.so", symbols(["-D"], shared[0]) - {"XCAP_0.1"}, api)
same("libxcap.a", symbols([], f"{build}/libxcap.a"), api)

# the shim: whatever a program may want of libpcap, but for a table of libpcap's own
shim = symbols(["-D"], f"{build}/libxcap-pcap.so")
libdir = subprocess.run(["pkg-config", "--variable=libdir", "libpcap"], check=True,
                        capture_output=True, text=True).stdout.strip()
libpcap = symbols(["-D"], f"{libdir}/libpcap.so") - {"eproto_db"}
for name in sorted(libpcap - shim):
    bad.append(f"libxcap-pcap.so lacks {name}")
for name in sorted(shim - libpcap):
    bad.append(f"libxcap-pcap.so has {name}, which libpcap has not")
print("\n".join(bad) or f"{len(api)} functions")
sys.exit(bool(bad))
END
