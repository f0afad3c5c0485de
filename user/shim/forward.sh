#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   libpcap, and the object that has some of its functions already.
# Out:  assembly: each other function as a jump through a table, and the table.
# Owns: nothing.
# Runs on: the machine that builds.
#
# usage: forward.sh LIBPCAP OBJECT
set -eu
libpcap=$1 object=$2

functions() {
	nm "$@" --defined-only | awk '$2 == "T" { print $3 }' | LC_ALL=C sort -u
}

functions "$object" >"$object.has"
names=$(functions -D "$libpcap" | LC_ALL=C comm -23 - "$object.has")
rm -f "$object.has"
[ -n "$names" ] || { echo "forward.sh: $libpcap shows no function" >&2; exit 1; }

cat <<'END'
/* made by forward.sh */
#if defined(__x86_64__)
#define FORWARD(name, i) .globl name; .type name, @function; name: endbr64; \
	jmp *forward_to + 8 * i(%rip); .size name, . - name
#elif defined(__aarch64__)
#define FORWARD(name, i) .globl name; .type name, @function; name: \
	adrp x16, forward_to + 8 * i; ldr x16, [x16, :lo12:forward_to + 8 * i]; br x16; \
	.size name, . - name
#else
#error "a jump through a table, for this machine"
#endif
	.text
END
i=0
for name in $names; do
	echo "	FORWARD($name, $i)"
	i=$((i + 1))
done
cat <<END
	.section .rodata
$(for name in $names; do echo "s_$name: .string \"$name\""; done)
	.section .data.rel.ro, "aw"
	.balign 8
	.globl forward_names
	.hidden forward_names
forward_names:
$(for name in $names; do echo "	.quad s_$name"; done)
	.quad 0
	.bss
	.balign 8
	.globl forward_to
	.hidden forward_to
forward_to:
	.zero 8 * $i
	.section .note.GNU-stack, "", %progbits
END
