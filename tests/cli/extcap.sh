#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   what Wireshark asks an extcap before a capture, and wrong use.
# Out:  whether the answers are sentences of extcap's grammar, without privilege and at
#       once, and fit what the program takes.
# Owns: files in its directory.
# Runs on: anything.
set -u
bad=0
fail() {
	echo "FAIL: $*"
	bad=1
}

# as nobody where that can be had: Wireshark has no privilege
ask=(xcap-extcap)
if [ "$(id -u)" = 0 ]; then
	chmod 711 .
	ask=(setpriv --reuid 65534 --regid 65534 --clear-groups "$B/xcap-extcap")
	"${ask[@]}" --help >/dev/null 2>&1 || ask=(xcap-extcap)	# a build that nobody may enter
fi

started=$(date +%s%N)
"${ask[@]}" --extcap-interfaces --extcap-version=4.0 >interfaces 2>err || fail "interfaces: exit $?"
took=$((($(date +%s%N) - started) / 1000000))
[ $took -lt 1000 ] || fail "the interfaces took $took ms"
[ -s err ] && fail "interfaces: $(cat err)"
"${ask[@]}" --extcap-dlts --extcap-interface xcap-lo >dlts 2>err && [ ! -s err ] || fail "dlts: $(cat err)"
"${ask[@]}" --extcap-interface xcap-lo --extcap-config >config 2>err && [ ! -s err ] || fail "config: $(cat err)"
"${ask[@]}" --extcap-interface xcap-syscalls --extcap-config --extcap-reload-option only >calls 2>err &&
	[ ! -s err ] || fail "config: $(cat err)"
xcap help extcap | sed -nE 's/^ +--([a-z-]+).*/\1/p' >options

# what Wireshark's parser finds in each line, and whether that is all of it
python3 - >calling <<'END' || bad=1
import re, sys

def sentences(name):
    found = []
    for line in open(name):
        word, rest = line.rstrip("\n").split(" ", 1)
        pairs = re.findall(r"\{([a-zA-Z_-]*?)=(.*?)\}(?=\{|$|\s)", rest)
        assert "".join("{%s=%s}" % p for p in pairs) == rest, line
        assert len({k for k, _ in pairs}) == len(pairs), line
        found.append((word, dict(pairs)))
    return found

there = sentences("interfaces")
assert there[0][0] == "extcap" and re.fullmatch(r"\d+\.\d+\.\d+", there[0][1]["version"])
ids = [s["value"] for word, s in there[1:] if word == "interface" and s["display"]]
assert len(ids) == len(there) - 1 == len(set(ids)) and ids[0] == "xcap-syscalls", ids
import subprocess
up = re.findall(r"^\d+: ([^:@]+)[:@].*<.*\bUP\b", subprocess.run(["ip", "-o", "link"],
                stdout=subprocess.PIPE, text=True).stdout, re.M)
assert sorted(ids[1:]) == sorted("xcap-" + name for name in up), (ids, up)
assert [(w, s["number"], s["name"]) for w, s in sentences("dlts")] == [("dlt", "1", "EN10MB")]

options = open("options").read().split()
args = {}
for word, s in sentences("config"):
    if word == "arg":
        assert s["number"] == str(len(args)) and s["call"][:2] == "--", s
        assert s["call"][2:] in options and s["tooltip"] and s["display"], s
        args[s["number"]] = s
    else:
        assert word == "value" and args[s["arg"]]["type"] == "selector" and s["display"], s
        args[s["arg"]].setdefault("values", []).append(s)
calls = [a["call"] for a in args.values()]
assert calls == ["--only", "--switches", "--data", "--snaplen", "--slack", "--ring"], calls
without = [s["call"] for word, s in sentences("calls") if word == "arg"]
assert without == [c for c in calls if c != "--snaplen"], without

# one call with each value that the dialog offers, or has from the start
for a in args.values():
    kind, default = a["type"], a.get("default")
    if kind == "selector":
        assert sum(v["default"] == "true" for v in a["values"]) == 1, a
        print(*(a["call"] + "=" + v["value"] for v in a["values"]), sep="\n")
    elif kind == "unsigned":
        low, high = a["range"].split(",")
        assert int(low) <= int(default) <= int(high), a
        print(*(a["call"] + "=" + n for n in (low, high, default)), sep="\n")
    elif kind == "boolflag":
        print(a["call"])
    else:
        assert kind == "string", a
        for text in [default] if default else [a["placeholder"], "read", " read, write ,close"]:
            assert re.search(a["validation"], text), (a, text)
            print(a["call"] + "=" + text)
        for text in ["connect,", "a;b", "-1", "2 ms"] + (["", "ms", "2h"] if default else ["Read?"]):
            assert not re.search(a["validation"], text), (a, text)
END
n=0
while read -r option; do
	"${ask[@]}" --capture --extcap-interface xcap-lo --fifo nosuch "$option" >out 2>err
	code=$?
	[ $code = 1 ] && [ "$(cat err)" = "xcap-extcap: cannot write to nosuch: No such file or directory" ] ||
		fail "$option: exit $code: $(cat err)"
	n=$((n + 1))
done <calling
[ $n -ge 15 ] || fail "only $n options were tried"

# a filter alone is looked at: empty if good, a sentence if not, exit 0
for filter in 'tcp port 443' '' 'ip6 and not icmp6'; do
	"${ask[@]}" --extcap-capture-filter "$filter" --extcap-interface xcap-lo >out 2>err || fail "'$filter': exit $?"
	[ -s out ] || [ -s err ] && fail "'$filter' is good, but: $(cat out err)"
done
for filter in 'tcp prot 443' 'port' 'host 1.2.3.4.5'; do
	"${ask[@]}" --extcap-capture-filter "$filter" --extcap-interface xcap-lo >out 2>err || fail "'$filter': exit $?"
	[ "$(wc -l <out)" = 1 ] && grep -q 'does not compile' out && [ ! -s err ] || fail "'$filter': $(cat out err)"
done

# wrong: WORDS... -- what the one line on standard error says; exit 2, nothing on standard output
wrong() {
	local words=() code

	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	xcap-extcap "${words[@]}" >out 2>err
	code=$?
	[ $code = 2 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qF -- "$2" err ||
		fail "${words[*]}: exit $code: $(cat out err)"
}

wrong -- 'nothing is asked'
wrong --extcap-interface xcap-lo -- 'nothing is asked'
wrong --extcap-config -- '--extcap-interface is missing'
wrong --extcap-dlts --extcap-interface lo -- "'lo' is no interface here"
wrong --extcap-config --extcap-interface xcap- -- "'xcap-' is no interface here"
wrong --extcap-config --extcap-interface 'xcap-lo,xsk:lo' -- 'is no interface here'
wrong --extcap-config --extcap-interface 'xcap-lo?hook=xdp' -- 'is no interface here'
wrong --capture --extcap-interface xcap-lo -- '--fifo is missing'
wrong --capture --extcap-interface xcap-lo --fifo x --only raed -- "'raed' is no system call"
wrong --capture --extcap-interface xcap-lo --fifo x --only read,xsk:lo -- "'xsk:lo' is no system call"
wrong --capture --extcap-interface xcap-lo --fifo x --only 'read&self=on' -- "'read&self=on' is no"
wrong --capture --extcap-interface xcap-lo --fifo x --ring 5000 -- 'not a power of two'
wrong --capture --extcap-interface xcap-lo --fifo x --snaplen 0 -- 'not within 1 and 256K'
wrong --capture --extcap-interface xcap-lo --fifo x word -- "'word' is no option"
exit $bad
