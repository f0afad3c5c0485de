#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# network: host
# In:   build/xcap, virtio_net, Debian's newest kernel.
# Out:  exit 0 AF_XDP zero copy accounts for each frame; 1 it does not; 77 no guest to be had.
# Owns: the guest, while it runs.
# Runs on: any user; QEMU in plain emulation.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
build=${B:-$here/../../build}
ethtool=$(command -v ethtool) || { echo "no ethtool"; exit 77; }
export VM_TIMEOUT=250 VM_FILES="$build/xcap $build/tests/guest $here/guest_lib.sh $ethtool"
bash "$here/run-guest.sh" newest virtio "$here/guest_xsk.sh" \
	"$(realpath -s "$build/xcap")" "$(realpath -s "$build/tests/guest")" 1 zero-copy \
	"$ethtool" 256 256
