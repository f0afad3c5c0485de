#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 400
# network: host
# In:   build/xcap and its shim; Debian's tcpdump with its AppArmor profile, enforced by
#       Debian 12's own kernel in a guest.
# Out:  exit 0 `xcap run tcpdump -i syscalls` works there; 1; 77 no guest to be had.
# Owns: the guest, while it runs. AppArmor is neither installed nor loaded here.
# Runs on: any user; QEMU in plain emulation.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
build=$(realpath -s "${B:-$here/../../build}")
export VM_TIMEOUT=300 VM_PACKAGES="tcpdump apparmor"
libpcap=$(pkg-config --variable=libdir libpcap)/libpcap.so.0.8
export VM_FILES="$build/xcap $build/libxcap-pcap.so $libpcap $build/tests/guest $here/guest_lib.sh"
bash "$here/run-guest.sh" 6.1 virtio "$here/guest_apparmor.sh" "$build/xcap" \
	"$build/tests/guest" "$build/libxcap-pcap.so"
