#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
#
# In:   `make install` into an empty DESTDIR.
# Out:  whether a C and a C++ program of ten lines build against it by
#       pkg-config, shared and static, and run; whether `make uninstall` leaves no file.
# Owns: its directory.
# Runs on: anything with a C and a C++ compiler.
set -eu
dest=$PWD/dest
(cd "$TOP" && make --no-print-directory B="$B" DESTDIR="$dest" PREFIX=/usr install) >install.log 2>&1 ||
	{ cat install.log; exit 1; }

cat >ten.c <<'END'
#include <stdio.h>
#include <xcap.h>

int main(void)
{
	struct xcap *x = NULL;
	int err = xcap_open(&x, "nosuch:thing", NULL);

	printf("%s: %s\n", xcap_version(), xcap_errmsg(NULL));
	return err < 0 && !x ? 0 : 1;
}
END
cp ten.c ten.cc

export PKG_CONFIG_PATH=$dest/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest
version=$(sed -nE 's/^#define XCAP_VERSION_(MAJOR|MINOR|PATCH) //p' "$TOP/include/xcap.h" | paste -sd.)
[ "$(pkg-config --modversion libxcap)" = "$version" ] || { echo "libxcap.pc is not $version"; exit 1; }
# the libraries under ours are the system's and not in DESTDIR
flags=$(pkg-config --cflags --libs libxcap)
under=$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs libbpf libxdp libpcap libmnl)

# shellcheck disable=SC2086
{
	cc -std=c11 -Wall -Wextra -Wpedantic -Werror -o c ten.c $flags
	c++ -std=c++17 -Wall -Wextra -Werror -o cc ten.cc $flags
	cc -o static ten.c -I"$dest/usr/include" "$dest/usr/lib/libxcap.a" $under
}
export LD_LIBRARY_PATH=$dest/usr/lib
for program in c cc static; do
	said=$(./$program) || { echo "$program failed: $said"; exit 1; }
	[[ $said = "$version: "?* ]] || { echo "$program said '$said'"; exit 1; }
done
readelf -d c | grep -q "NEEDED.*\[libxcap.so.${version%%.*}\]" || { echo "wrong soname"; exit 1; }
[ "$(readlink "$dest/usr/bin/xdpcount")" = xcap ] || { echo "no xdpcount"; exit 1; }
"$dest/usr/bin/xcap" --version >/dev/null || { echo "the installed xcap does not run"; exit 1; }

# a file of its own for Wireshark, where Debian's looks: below /usr also for /usr/local, for
# others where they say
extcap=usr/lib/$(uname -m)-linux-gnu/wireshark/extcap
[ -L "$dest/$extcap/xcap-extcap" ] && { echo "xcap-extcap is a link"; exit 1; }
"$dest/$extcap/xcap-extcap" --extcap-interfaces | grep -q '{value=xcap-syscalls}' ||
	{ echo "the installed xcap-extcap does not answer"; exit 1; }
if command -v tshark >/dev/null; then
	looks=$(tshark -G folders 2>/dev/null | sed -n 's/^Extcap path:[[:space:]]*//p')
	[ "$looks" = "/$extcap" ] || { echo "tshark looks in '$looks'"; exit 1; }
fi
for how in PREFIX=/usr/local:/$extcap PREFIX=/opt/x:/opt/x/lib/wireshark/extcap EXTCAPDIR=/e:/e; do
	(cd "$TOP" && make --no-print-directory -n B="$B" "${how%%:*}" uninstall) |
		grep -qE "[ ':]${how#*:}/xcap-extcap( |'|\$)" || { echo "${how%%:*}: xcap-extcap is not put into ${how#*:}"; exit 1; }
done

(cd "$TOP" && make --no-print-directory B="$B" DESTDIR="$dest" PREFIX=/usr uninstall)
left=$(find "$dest" ! -type d)
[ -z "$left" ] || { echo "left by uninstall: $left"; exit 1; }
