#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   a capture of flows, processes, calls and losses, with names that steer terminals.
# Out:  what xcap top -b prints of it, as top_batch.sh.stdout.exact has it; and whether no line is
#       wider than was asked for and nothing in it steers.
# Owns: files in its directory.
# Runs on: anything.
set -u
export LC_ALL=C TZ=UTC

fail() {
	echo "FAIL: $*"
	exit 1
}

make_top top.pcapng 3 || exit 1

show() {
	echo "\$ xcap top -b $*"
	xcap top -b -q -i file:top.pcapng "$@" 2>err || echo "exit $?"
	grep -v '^xcap: reading' err
}

show -V all
show -V flow -d 2 --sort packets -r
show -V process,file -n 1 'proc.name=nginx' --rows 1
show -n 1 -c 41 -V flow
show -n 1 -V host,process --json
show -V host,flow,host -n 1 --rows 1
show -V process --sort total -n 1
show --strict -n 1 -V interface -f 'tcp and syscall=write'
for columns in 40 60 120; do
	COLUMNS=$columns LC_ALL=C.UTF-8 show -V file,flow -n 1
done

# of thousands of flows only the first, of all that do not fit the sum
make_top many.pcapng 2 70001 || exit 1
xcap top -b -q -i file:many.pcapng -V flow --rows 3 --sort total -n 2 2>/dev/null | tail -n 8

# as text and as JSON, everything is told once
xcap top -b -q --json -V all -i file:top.pcapng --rows 100 2>/dev/null >json
python3 - <<'END'
import json
for line in open("json"):
    o = json.loads(line)
    if o["view"] in ("process", "container", "interface") and o["age"] == 3:
        for c in ("bytes_in", "calls"):
            both = ("bytes_in", "bytes_out") if c == "bytes_in" else (c,)
            rows = sum(r["total"].get(b, 0) for r in o["rows"] for b in both)
            want = sum(o["total"].get(b, 0) for b in both)
            if rows != want:
                print("FAIL:", o["view"], c, rows, "of", want)
END

# nothing steers, no line is too wide
for columns in 40 79 80 200; do
	COLUMNS=$columns LC_ALL=C.UTF-8 xcap top -b -q -V all -i file:top.pcapng 2>/dev/null >text
	grep -qP '[\x00-\x08\x0b-\x1f\x7f]' text && fail "control bytes at $columns columns"
	python3 - "$columns" <<'END' || exit 1
import sys, unicodedata
for line in open("text", encoding="utf-8"):
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip("\n"))
    if wide > int(sys.argv[1]):
        sys.exit(f"FAIL: {wide} columns: {line}")
END
done

# standard input is read as it comes; a reader that leaves is no failure
xcap top -b -q -i - -V port <top.pcapng 2>/dev/null | tail -n 5
xcap top -b -q -i - -V port < <(cat top.pcapng) 2>/dev/null | tail -n 5
xcap top -b -q -V all -i file:many.pcapng --rows 60000 2>err | head -n 1
[ "${PIPESTATUS[0]}" = 0 ] || fail "exit ${PIPESTATUS[0]}: $(cat err)"

# two packets, 97 seconds or 67 years from one another: no end of screens is none
for gap in 97 2147483647; do
	python3 -c 'import struct, sys
out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
for at in 0, int(sys.argv[1]):
    out += struct.pack("<IIII", at, 0, 14, 14) + bytes(12) + b"\x88\xb5"
open("gap.pcap", "wb").write(out)' $gap
	timeout 60 "$B/xcap" top -b -q -i file:gap.pcap --json 2>err >json || fail "gap: exit $?"
	python3 -c 'import json
ages = [json.loads(line)["age"] for line in open("json")]
print("screens:", len(ages), "the last at", ages[-1], "s")'
done
