#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   Debian's package prometheus, by apt-get; only its promtool is taken out of it.
# Out:  $B/promtool/promtool; else why there is none, in the log beside it, and exit 1.
# Owns: $B/promtool. Nothing is installed: the package would start a daemon.
# Runs on: Debian, with a way to its mirror the first time.
set -u
cache=$B/promtool
mkdir -p "$cache" && cd "$cache" || exit 1
exec 8>lock
flock -w 60 8 || exit 1
if [ ! -x promtool ]; then
	rm -rf package ./*.deb
	timeout 60 apt-get download -qq prometheus >log 2>&1 || exit 1
	dpkg -x prometheus_*.deb package && mv package/usr/bin/promtool promtool || exit 1
	rm -rf package ./*.deb
fi
exit 0
